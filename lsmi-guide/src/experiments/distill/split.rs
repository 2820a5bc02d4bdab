//! Which samples a seed trains, validates and tests on, and how features are scaled.
//!
//! Where the file has a split `test`, that is tested on and a fifth of the training samples, another one for each of five
//! splits, is kept for validation. Otherwise a fifth of all samples, another one for each split, is tested on, and a fifth
//! of the rest is kept for validation. Classes are dealt evenly. Runs of seed number k use split k mod 5.

use lsmi_candle::features::FeatureSet;
use lsmi_core::random::stream;
use rand::seq::SliceRandom;

use super::student::Rows;
use crate::error::{GuideError, Result};
use crate::experiments::scaling::scale;
use crate::experiments::whole_groups;

/// Splits of the data, each with interactions and teachers of its own.
pub(super) const SPLITS: usize = 5;

/// The samples of one split.
#[derive(Debug)]
pub(super) struct Split {
    pub(super) train: FeatureSet,
    pub(super) validation: FeatureSet,
    pub(super) test: FeatureSet,
}

impl Split {
    /// The split of that number of samples; `test` where they come with samples to test on.
    ///
    /// # Errors
    /// [`GuideError::Data`] if a class has too few samples.
    pub(super) fn new(
        samples: &FeatureSet,
        test: Option<&FeatureSet>,
        classes: &[String],
        number: usize,
        seed: u64,
    ) -> Result<Self> {
        let samples = &whole_groups::with_groups(samples, SPLITS);
        let (rest, test) = if let Some(test) = test {
            ((0..samples.rows()).collect(), test.clone())
        } else {
            let (rest, test) = divide(samples, &(0..samples.rows()).collect::<Vec<_>>(), number, seed, "test");
            (rest, samples.select(&test))
        };
        let (train, validation) = divide(samples, &rest, number, seed, "validation");
        let (train, validation) = (samples.select(&train), samples.select(&validation));
        for (class, name) in classes.iter().enumerate() {
            let found = train.labels.iter().filter(|label| **label as usize == class).count();
            if found < SPLITS {
                let all = samples.labels.iter().filter(|label| **label as usize == class).count();
                let reason = format!(
                    "of the class `{name}` with its {all} samples {found} remain to train on without those to validate and test \
                     on, but {SPLITS} are needed; add samples, or merge or drop the class"
                );
                return Err(GuideError::Data { reason });
            }
        }
        if test.rows() == 0 || validation.rows() == 0 {
            return Err(GuideError::Data { reason: "there are no samples to test on; give more of them".to_owned() });
        }
        Ok(Self { train, validation, test })
    }

    /// The three parts, standardised by the training samples.
    pub(super) fn standardised(&self) -> [Rows; 3] {
        let scales = [&self.train.x1, &self.train.x2].map(|matrix| scale(matrix.values(), matrix.columns()));
        [&self.train, &self.validation, &self.test].map(|part| {
            let values = (0..part.rows()).flat_map(|row| {
                let of = [part.x1.row(row), part.x2.row(row)].into_iter().zip(&scales);
                of.flat_map(|(values, (means, deviations))| {
                    values
                        .iter()
                        .zip(means.iter().zip(deviations))
                        .map(|(value, (mean, by))| ((value - mean) / by) as f32)
                })
            });
            Rows {
                ids: part.ids.clone(),
                values: values.collect(),
                columns: part.x1.columns() + part.x2.columns(),
                labels: part.labels.clone(),
            }
        })
    }
}

/// A share of the rows, drawn with classes in proportion: at least two samples of each class, where it has them.
pub(super) fn transfer(labels: &[u32], share: f64, seed: u64) -> Vec<usize> {
    let mut chosen = Vec::new();
    for mut of_class in shuffled_by_class(labels, &(0..labels.len()).collect::<Vec<_>>(), seed, "transfer") {
        let count = ((of_class.len() as f64 * share).round() as usize).max(2);
        of_class.truncate(count);
        chosen.extend(of_class);
    }
    chosen.sort_unstable();
    chosen
}

/// The rows but for a fifth of each class, and that fifth; groups whole.
fn divide(samples: &FeatureSet, rows: &[usize], number: usize, seed: u64, what: &str) -> (Vec<usize>, Vec<usize>) {
    let part = ((number % SPLITS) as u32, SPLITS as u32);
    if let Some(divided) = whole_groups::divide(samples, rows, part, seed, what) {
        return divided;
    }
    let (mut kept, mut out) = (Vec::new(), Vec::new());
    let mut offset = number;
    for of_class in shuffled_by_class(&samples.labels, rows, seed, what) {
        for (index, row) in of_class.iter().enumerate() {
            if (index + offset).is_multiple_of(SPLITS) { out.push(*row) } else { kept.push(*row) }
        }
        // The next class goes on where this one ended, or small classes would all leave their surplus to one fifth.
        offset += of_class.len();
    }
    kept.sort_unstable();
    out.sort_unstable();
    (kept, out)
}

fn shuffled_by_class(labels: &[u32], rows: &[usize], seed: u64, what: &str) -> Vec<Vec<usize>> {
    let classes = labels.iter().max().map_or(0, |largest| *largest as usize + 1);
    let mut of_classes = vec![Vec::new(); classes];
    for row in rows {
        of_classes[labels[*row] as usize].push(*row);
    }
    let mut random = stream(seed, what);
    for of_class in &mut of_classes {
        of_class.shuffle(&mut random);
    }
    of_classes
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsmi_candle::numbers::matrix::Matrix;
    use lsmi_core::SampleIds;

    fn names() -> Vec<String> {
        ["a", "b", "c"].map(str::to_owned).to_vec()
    }

    fn samples(count: u32) -> FeatureSet {
        let matrix = || Matrix::new(count as usize, 1, (0..count).map(f64::from).collect()).unwrap();
        FeatureSet::new(SampleIds::rows(count as usize), matrix(), matrix(), (0..count).map(|row| row % 3).collect())
            .unwrap()
    }

    #[test]
    fn every_sample_is_tested_on_once_and_parts_do_not_meet() {
        let samples = samples(101);
        let mut tested: Vec<String> = Vec::new();
        for number in 0..SPLITS {
            let split = Split::new(&samples, None, &names(), number, 7).unwrap();
            let names = |part: &FeatureSet| part.ids.iter().map(std::borrow::Cow::into_owned).collect::<Vec<_>>();
            let mut all: Vec<String> =
                [&split.train, &split.validation, &split.test].into_iter().flat_map(names).collect();
            tested.extend(names(&split.test));
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), 101);
            assert!((19..=22).contains(&split.test.rows()), "{}", split.test.rows());
        }
        tested.sort_unstable();
        tested.dedup();
        assert_eq!(tested.len(), 101);
    }

    #[test]
    fn samples_to_test_on_are_kept() {
        let split = Split::new(&samples(50), Some(&samples(10)), &names(), 1, 0).unwrap();
        assert_eq!((split.train.rows(), split.validation.rows(), split.test.rows()), (40, 10, 10));
    }

    #[test]
    fn a_class_of_few_samples_is_named() {
        let error = Split::new(&samples(9), None, &names(), 0, 0).unwrap_err();
        assert!(error.to_string().contains("of the class `a` with its 3 samples 1 remain"), "{error}");
    }

    #[test]
    fn a_transfer_set_has_classes_in_proportion() {
        let labels: Vec<u32> = (0..100).map(|row| u32::from(row >= 80)).collect();
        let chosen = transfer(&labels, 0.25, 3);
        assert_eq!(chosen.iter().filter(|row| labels[**row] == 1).count(), 5);
        assert_eq!(chosen.len(), 25);
        assert_ne!(chosen, transfer(&labels, 0.25, 4));
    }
}
