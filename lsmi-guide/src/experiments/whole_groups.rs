//! Splits that keep groups of samples whole: what belongs together is trained on or tested on, never both.

use lsmi_candle::estimator::find_groups;
use lsmi_candle::estimator::folds::divide_groups;
use lsmi_candle::features::{FeatureSet, Groups};
use lsmi_core::random::stream;
use rand::seq::SliceRandom;

/// The samples with the groups that are found among them, where none came with them; see [`find_groups`].
pub(crate) fn with_groups(samples: &FeatureSet, parts: usize) -> FeatureSet {
    let mut samples = samples.clone();
    if samples.groups.is_none() {
        let groups = find_groups(&samples, parts).0;
        samples.groups = Some(groups.unwrap_or_else(|| Groups::each_alone(samples.rows())));
    }
    samples
}

/// Divides rows into those outside a part and those inside it, of so many parts of whole groups, both rising. Returns `None`
/// where every sample is by itself.
pub(crate) fn divide(
    samples: &FeatureSet,
    rows: &[usize],
    part: (u32, u32),
    seed: u64,
    name: &str,
) -> Option<(Vec<usize>, Vec<usize>)> {
    let groups = samples.groups.as_ref()?.select(rows);
    let labels: Vec<u32> = rows.iter().map(|row| samples.labels[*row]).collect();
    let divided = divide_groups(&labels, &groups, part, seed, name)?;
    let (mut outside, mut inside) = (pick(rows, &divided.0), pick(rows, &divided.1));
    outside.sort_unstable();
    inside.sort_unstable();
    Some((outside, inside))
}

/// Rows to fit to and rows to evaluate, groups whole: where there are groups, the share is the nearest of one half, a third, a
/// quarter and so on.
pub(crate) fn set_aside(samples: &FeatureSet, classes: usize, share: f64, seed: u64) -> (Vec<usize>, Vec<usize>) {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "beyond 2^32 parts are too many rows")]
    let parts = (1.0 / share).round().max(2.0) as u32;
    let rows: Vec<usize> = (0..samples.rows()).collect();
    divide(samples, &rows, (0, parts), seed, "evaluated rows")
        .unwrap_or_else(|| split(&samples.labels, classes, share, seed))
}

/// Rows to fit to and rows to evaluate, the share of the latter the same in all classes; in ascending order.
fn split(labels: &[u32], classes: usize, share: f64, seed: u64) -> (Vec<usize>, Vec<usize>) {
    let mut random = stream(seed, "evaluated rows");
    let mut is_evaluated = vec![false; labels.len()];
    for class in 0..classes {
        let mut rows: Vec<usize> = (0..labels.len()).filter(|row| labels[*row] as usize == class).collect();
        rows.shuffle(&mut random);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of the rows of a class")]
        let count = (share * rows.len() as f64).round() as usize;
        rows[..count].iter().for_each(|row| is_evaluated[*row] = true);
    }
    (0..labels.len()).partition(|row| !is_evaluated[*row])
}

fn pick(rows: &[usize], places: &[usize]) -> Vec<usize> {
    places.iter().map(|place| rows[*place]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsmi_candle::numbers::matrix::Matrix;
    use lsmi_core::SampleIds;

    #[test]
    fn no_group_is_on_both_sides() {
        let matrix = Matrix::new(60, 1, (0..60).map(|row| f64::from(row) * 0.731).collect()).unwrap();
        let samples = FeatureSet {
            groups: Some(Groups::of_values((0..60).map(|row| row / 3))),
            ..FeatureSet::new(SampleIds::rows(60), matrix.clone(), matrix, (0..60).map(|row| row / 3 % 2).collect())
                .unwrap()
        };
        let rows: Vec<usize> = (0..60).collect();
        let (train, test) = divide(&samples, &rows, (1, 5), 0, "test").unwrap();
        assert_eq!((train.len(), test.len()), (48, 12));
        assert!(test.iter().all(|row| train.iter().all(|other| row / 3 != other / 3)));
        let alone = with_groups(&FeatureSet { groups: None, ..samples }, 5);
        assert!(divide(&alone, &rows, (1, 5), 0, "test").is_none());
    }

    #[test]
    fn a_split_takes_the_same_share_of_every_class() {
        let labels: Vec<u32> = (0..100).map(|row| u32::from(row >= 60)).collect();
        let (fitted, evaluated) = split(&labels, 2, 0.3, 0);
        assert_eq!(evaluated.iter().filter(|row| labels[**row] == 0).count(), 18);
        assert_eq!((fitted.len(), evaluated.len()), (70, 30));
        assert_ne!(evaluated, split(&labels, 2, 0.3, 1).1);
    }
}
