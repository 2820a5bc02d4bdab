//! Groups training rows that belong together, so that no row is scored by models that saw its twin.
//!
//! Where the samples have [`Groups`], these are taken as they are. Elsewhere rows are found that are equal in x1, in x2 or in
//! both ([`equal`]), or nearer to each other than chance allows ([`near`]). They are put together unless
//!
//! - the features have so few values, or so few columns, that different rows are equal by chance;
//! - there are only a few different rows, each many times: whether these are one thing seen again (a speaker, a clip), which
//!   other data would not have, or a category, which other data would, cannot be told from features;
//! - there would be fewer than four groups a fold, or one would not fit into a fold.
//!
//! In the last two cases rows stay apart, and the [`Grouping`] says so.

mod equal;
mod near;
mod seen;

pub use seen::{Seen, seen_rows};

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use self::equal::Stacked;
use self::near::Near;
use crate::features::{FeatureSet, Groups, SeveralSet};
use lsmi_core::Subset;

/// The least number of groups for each fold for twins to be put together: with fewer, folds are too uneven.
const LEAST_GROUPS_OF_A_FOLD: usize = 4;
/// The least number of clusters of rows for each class for them to be reported.
const LEAST_CLUSTERS_OF_A_CLASS: usize = 4;
/// Rows that a value has on average at most, for rows of equal values to be put together.
const MOST_ROWS_OF_A_VALUE: usize = 20;

/// The part of two rows that is equal or nearly equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Likeness {
    /// Both modalities are alike.
    Both,
    /// The first modality.
    X1,
    /// The second modality.
    X2,
    /// The group that came with the samples.
    Group,
}

/// Rows that are equal, or nearly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Twins {
    /// The part of the rows that is alike.
    pub of: Likeness,
    /// Whether all rows of a group are equal in all columns; otherwise some are only nearer than chance allows.
    pub are_equal: bool,
    /// The number of rows with a twin.
    pub rows: usize,
    /// The ids of the first row that has one and of its twin.
    pub first: [String; 2],
    /// Whether twins share a fold.
    pub are_together: bool,
}

/// The grouping of the rows of a fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grouping {
    /// Whether the groups came with the samples; otherwise they are twins.
    pub given: bool,
    /// The number of groups, including rows without a twin.
    pub groups: usize,
    /// The number of independent rows that they amount to at least, `n² / sum of squared sizes`.
    pub effective: f64,
    /// The number of rows of the largest group.
    pub largest: usize,
    /// The twins that were found; empty if groups were given.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub twins: Vec<Twins>,
}

/// Returns the groups of the rows for a fit with `folds` folds, and a report of them. The groups are `None` if every
/// row is by itself, the report if there is nothing to report. [`cross_fit`](super::cross_fit) calls this itself.
pub fn find_groups(samples: &FeatureSet, folds: usize) -> (Option<Groups>, Option<Grouping>) {
    match &samples.groups {
        Some(groups) if groups.are_single_rows() => (None, None),
        Some(groups) => (Some(groups.clone()), Some(Grouping::new(groups, true, Vec::new()))),
        None => {
            let (groups, twins) = find_twins(samples, folds);
            let grouping = (!twins.is_empty()).then(|| Grouping::new(&groups, false, twins));
            ((!groups.are_single_rows()).then_some(groups), grouping)
        }
    }
}

/// Returns the same of samples of several modalities: rows are together that are alike in one of them. The report has no
/// twins, as it could not name their modalities.
pub(super) fn find_groups_of_several(samples: &SeveralSet, folds: usize) -> (Option<Groups>, Option<Grouping>) {
    let modalities = samples.modalities.len();
    // Pairs in a ring, so that every modality is in one.
    let pairs = (0..modalities).step_by(2).map(|first| Subset::from_members([first, (first + 1) % modalities]));
    let mut together = Groups::each_alone(samples.rows());
    let mut given = false;
    for pair in pairs.filter_map(|pair| samples.pair(pair.ok()?)) {
        given = pair.groups.is_some();
        let (Some(groups), _) = find_groups(&pair, folds) else { continue };
        let joined = together.joined(&groups);
        let are_enough = joined.count() >= LEAST_GROUPS_OF_A_FOLD * folds && joined.largest() <= samples.rows() / folds;
        if given || are_enough {
            together = joined;
        }
    }
    if together.are_single_rows() {
        return (None, None);
    }
    let grouping = Grouping::new(&together, given, Vec::new());
    (Some(together), Some(grouping))
}

impl Grouping {
    fn new(groups: &Groups, given: bool, twins: Vec<Twins>) -> Self {
        Self { given, groups: groups.count(), effective: groups.effective(), largest: groups.largest(), twins }
    }
}

/// Finds the rows that are put together, and describes all twins.
fn find_twins(samples: &FeatureSet, folds: usize) -> (Groups, Vec<Twins>) {
    let rows = samples.rows();
    let classes = samples.labels.iter().collect::<BTreeSet<_>>().len();
    let mut together = Groups::each_alone(rows);
    let mut twins = Vec::new();
    let mut are_clusters_told = false;
    for of in [Likeness::Both, Likeness::X1, Likeness::X2] {
        let (x1, x2) = (Stacked::from(&samples.x1), Stacked::from(&samples.x2));
        let matrices: &[Stacked<'_>] = match of {
            Likeness::X1 => &[x1],
            Likeness::X2 => &[x2],
            _ => &[x1, x2],
        };
        let equal = equal::groups(matrices);
        if equal::is_by_chance(matrices, &equal) {
            continue;
        }
        let (found, are_equal) = match near::groups(matrices, &equal) {
            Some(Near { groups, are_certain: true }) => (groups, false),
            Some(Near { groups: clusters, .. }) => {
                // Fewer clusters than a few for each class are what classes look like.
                if clusters.count() >= LEAST_CLUSTERS_OF_A_CLASS * classes && !are_clusters_told {
                    twins.extend(describe(samples, &clusters, of, false, false));
                    are_clusters_told = true;
                }
                (equal, true)
            }
            None => (equal, true),
        };
        if found.are_single_rows() {
            continue;
        }
        let joined = together.joined(&found);
        let are_together = rows <= MOST_ROWS_OF_A_VALUE * found.count()
            && joined.count() >= LEAST_GROUPS_OF_A_FOLD * folds
            && joined.largest() <= rows / folds;
        if are_together && joined.numbers() == together.numbers() {
            // The rows are known already: what is equal in both is so in each.
            continue;
        }
        twins.extend(describe(samples, &found, of, are_equal, are_together));
        if are_together {
            together = joined;
        }
    }
    (together, twins)
}

/// Counts the rows with a twin and names the first. Returns `None` if there is none.
fn describe(samples: &FeatureSet, groups: &Groups, of: Likeness, are_equal: bool, are_together: bool) -> Option<Twins> {
    let numbers = groups.numbers();
    let mut sizes = vec![0usize; groups.count()];
    for number in &numbers {
        sizes[*number as usize] += 1;
    }
    let has_twin = |row: &usize| sizes[numbers[*row] as usize] > 1;
    let first = (0..numbers.len()).find(has_twin)?;
    let second = (first + 1..numbers.len()).find(|row| numbers[*row] == numbers[first])?;
    let mut ids = samples.ids.iter();
    let first_id = ids.nth(first)?.into_owned();
    let second_id = ids.nth(second - first - 1)?.into_owned();
    Some(Twins {
        of,
        are_equal,
        rows: (0..numbers.len()).filter(has_twin).count(),
        first: [first_id, second_id],
        are_together,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::matrix::Matrix;
    use lsmi_core::SampleIds;
    use lsmi_core::random::stream;
    use rand::Rng;
    use rand_distr::StandardNormal;

    fn normal(rows: usize, columns: usize, name: &str) -> Matrix {
        let mut random = stream(0, name);
        Matrix::new(rows, columns, (0..rows * columns).map(|_| random.sample(StandardNormal)).collect()).unwrap()
    }

    fn samples(x1: Matrix, x2: Matrix) -> FeatureSet {
        let rows = x1.rows();
        FeatureSet::new(SampleIds::rows(rows), x1, x2, (0..rows).map(|row| u32::from(row % 2 == 0)).collect()).unwrap()
    }

    fn repeated(matrix: &Matrix, times: usize) -> Matrix {
        let rows: Vec<usize> = (0..matrix.rows() * times).map(|row| row % matrix.rows()).collect();
        matrix.select(&rows)
    }

    /// So many clusters, each of so many rows close together.
    fn around(clusters: usize, rows: usize, name: &str) -> Matrix {
        let (centres, noise) = (normal(clusters, 10, name), normal(clusters * rows, 10, "noise"));
        let value = |(index, noise): (usize, &f64)| centres.values()[index % (10 * clusters)] + 0.05 * noise;
        Matrix::new(clusters * rows, 10, noise.values().iter().enumerate().map(value).collect()).unwrap()
    }

    #[test]
    fn repeated_rows_share_a_group() {
        let (x1, x2) = (normal(60, 4, "x1"), normal(60, 3, "x2"));
        let (groups, grouping) = find_groups(&samples(repeated(&x1, 4), repeated(&x2, 4)), 5);
        assert_eq!(groups.unwrap().count(), 60);
        let grouping = grouping.unwrap();
        assert_eq!((grouping.given, grouping.groups, grouping.effective, grouping.largest), (false, 60, 60.0, 4));
        let [twins] = grouping.twins.as_slice() else { panic!("{:?}", grouping.twins) };
        assert_eq!((twins.of, twins.are_equal, twins.rows), (Likeness::Both, true, 240));
        assert_eq!(twins.first, ["0".to_owned(), "60".to_owned()]);
    }

    #[test]
    fn captions_of_one_picture_share_a_group() {
        let (groups, grouping) = find_groups(&samples(repeated(&normal(80, 6, "x1"), 4), normal(320, 5, "x2")), 5);
        assert_eq!(groups.unwrap().count(), 80);
        assert_eq!(grouping.unwrap().twins[0].of, Likeness::X1);
    }

    #[test]
    fn rows_that_were_shaken_a_little_share_a_group() {
        let shaken = |matrix: &Matrix, name: &str| {
            let noise = normal(matrix.rows(), matrix.columns(), name);
            let values = matrix.values().iter().zip(noise.values()).map(|(value, noise)| value + 1e-4 * noise);
            Matrix::new(matrix.rows(), matrix.columns(), values.collect()).unwrap()
        };
        let (x1, x2) = (normal(100, 10, "x1"), normal(300, 10, "x2"));
        let (groups, grouping) = find_groups(&samples(shaken(&repeated(&x1, 3), "noise"), x2), 5);
        assert_eq!(groups.unwrap().count(), 100);
        let twins = &grouping.unwrap().twins[0];
        assert_eq!((twins.of, twins.are_equal, twins.rows), (Likeness::X1, false, 300));
    }

    #[test]
    fn frames_of_clips_are_told_and_classes_are_not() {
        let (groups, grouping) = find_groups(&samples(around(40, 12, "x1"), around(40, 12, "x2")), 5);
        assert!(groups.is_none());
        let twins = &grouping.unwrap().twins[0];
        assert_eq!((twins.of, twins.are_together, twins.rows), (Likeness::Both, false, 480));
        let (groups, grouping) = find_groups(&samples(around(5, 60, "x1"), around(5, 60, "x2")), 5);
        assert!(groups.is_none() && grouping.is_none(), "{grouping:?}");
    }

    #[test]
    fn equal_rows_of_clusters_share_a_group() {
        let twice = |name: &str| repeated(&around(40, 12, name), 2);
        let (groups, grouping) = find_groups(&samples(twice("x1"), twice("x2")), 5);
        assert_eq!(groups.unwrap().count(), 480, "each frame with its copy");
        let twins = grouping.unwrap().twins;
        assert_eq!(twins.iter().map(|twins| twins.are_together).collect::<Vec<_>>(), [false, true], "{twins:?}");
    }

    /// Of each kind, rows that are equal or near by chance alone.
    #[test]
    fn chance_puts_no_rows_together() {
        let mut random = stream(1, "rows of chance");
        let mut draw = |rows: usize, columns: usize, of: &dyn Fn(f64) -> f64| {
            let values = (0..rows * columns).map(|_| of(random.sample(StandardNormal))).collect();
            Matrix::new(rows, columns, values).unwrap()
        };
        let kinds: [(&str, &dyn Fn(f64) -> f64); 5] = [
            ("normal", &|value| value),
            ("rounded", &|value| (value * 10.0).round() / 10.0),
            ("bits", &|value| f64::from(value > 0.0)),
            ("counts, mostly 0", &|value| (value - 1.0).max(0.0).round()),
            ("heavy-tailed", &|value| value.powi(5)),
        ];
        for (kind, of) in kinds {
            for columns in [1, 2, 5, 30] {
                let samples = samples(draw(400, columns, of), draw(400, columns + 1, of));
                let (groups, grouping) = find_groups(&samples, 5);
                assert!(groups.is_none() && grouping.is_none(), "{kind}, {columns} columns: {grouping:?}");
            }
        }
    }

    #[test]
    fn a_category_stays_apart_and_is_told() {
        let (groups, grouping) = find_groups(&samples(repeated(&normal(10, 8, "x1"), 50), normal(500, 3, "x2")), 5);
        assert!(groups.is_none());
        let twins = &grouping.unwrap().twins[0];
        assert!(!twins.are_together && twins.of == Likeness::X1 && twins.rows == 500);
    }

    #[test]
    fn groups_of_the_samples_are_taken_as_they_are() {
        let mut samples = samples(repeated(&normal(60, 4, "x1"), 4), normal(240, 3, "x2"));
        samples.groups = Some(Groups::of_values((0..240).map(|row| row / 2)));
        let (groups, grouping) = find_groups(&samples, 5);
        assert_eq!((groups.unwrap().count(), grouping.unwrap().given), (120, true));
        samples.groups = Some(Groups::each_alone(240));
        assert_eq!(find_groups(&samples, 5), (None, None));
    }
}
