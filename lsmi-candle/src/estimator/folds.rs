//! Folds: partitions of the rows into those that a model is fitted to and those that it is judged on, with the classes
//! spread evenly and groups whole.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use lsmi_core::random::stream;
use rand::seq::SliceRandom;

use crate::features::Groups;

/// The number of parts of which one is held out inside the training rows of a fold.
const PARTS: u32 = 5;

/// Rows that folds are dealt to.
#[derive(Debug, Clone, Copy)]
pub struct LabelledRows<'a> {
    /// Class indices below `classes`.
    pub labels: &'a [u32],
    /// The number of classes.
    pub classes: usize,
    /// The group of each row, where some belong together.
    pub groups: Option<&'a [u32]>,
}

/// Returns the fold of each row: rows of every class, shuffled, are dealt to the folds in turn.
///
/// Each class with at least `folds` rows is in every fold, and the folds' sizes differ by at most one. Where rows come in
/// groups, these stay whole, and classes and rows are spread as evenly as groups allow. The random stream has the name given.
///
/// ```
/// use lsmi_candle::estimator::folds::{LabelledRows, stratified_folds};
///
/// let (labels, groups) = ([0, 0, 1, 1, 0, 0, 1, 1], [7, 7, 8, 8, 9, 9, 5, 5]);
/// let rows = LabelledRows { labels: &labels, classes: 2, groups: Some(&groups) };
/// let folds = stratified_folds(&rows, 2, 0, "example");
/// assert!(folds.chunks(2).all(|group| group[0] == group[1]));
/// assert_eq!(folds.iter().filter(|fold| **fold == 0).count(), 4);
/// ```
///
/// # Panics
/// If a label is not below the number of classes, or there are no folds.
pub fn stratified_folds(rows: &LabelledRows<'_>, folds: u32, seed: u64, name: &str) -> Vec<u32> {
    match rows.groups {
        None => folds_of_rows(rows.labels, rows.classes, folds, seed, name),
        Some(groups) => folds_of_groups(rows, groups, folds, seed, name),
    }
}

/// Divides rows into those outside one of `parts` parts and those inside it, both rising, with groups whole.
///
/// Returns `None` where every row is a group of its own: whoever divides rows that are apart has a rule of their own for it.
///
/// ```
/// use lsmi_candle::estimator::folds::divide_groups;
/// use lsmi_candle::features::Groups;
///
/// let (labels, groups) = ([0, 0, 1, 1, 0, 0, 1, 1], Groups::of_values([7, 7, 8, 8, 9, 9, 5, 5]));
/// let (outside, inside) = divide_groups(&labels, &groups, (0, 2), 0, "example").unwrap();
/// assert_eq!((outside.len(), inside.len()), (4, 4));
/// assert!(inside.chunks(2).all(|pair| pair[0] + 1 == pair[1]));
/// assert!(divide_groups(&labels, &Groups::each_alone(8), (0, 2), 0, "example").is_none());
/// ```
///
/// # Panics
/// If there is not one label a row, or there are no parts.
pub fn divide_groups(
    labels: &[u32],
    groups: &Groups,
    (part, parts): (u32, u32),
    seed: u64,
    name: &str,
) -> Option<(Vec<usize>, Vec<usize>)> {
    if groups.are_single_rows() {
        return None;
    }
    let numbers = groups.numbers();
    let classes = labels.iter().max().map_or(0, |largest| *largest as usize + 1);
    let rows = LabelledRows { labels, classes, groups: Some(&numbers) };
    let part_of_row = stratified_folds(&rows, parts, seed, name);
    Some((0..labels.len()).partition(|row| part_of_row[*row] != part))
}

/// Returns the fold of each row such that groups are whole, and classes and rows are spread as evenly as groups allow.
fn folds_of_groups(rows: &LabelledRows<'_>, groups: &[u32], folds: u32, seed: u64, name: &str) -> Vec<u32> {
    let classes_of = |row: usize| std::slice::from_ref(&rows.labels[row]);
    spread_groups(members_of_groups(groups, seed, name), &classes_of, rows.classes, folds)
}

/// Returns the fold of each row, of rows that belong to several classes each, or to none: as [`stratified_folds`] deals
/// rows in groups, those with the rarest class first among those of one size (Sechidis, Tsoumakas and Vlahavas, 2011,
/// section 3), so that every class is spread evenly.
///
/// ```
/// use lsmi_candle::estimator::folds::folds_of_several_classes;
///
/// // The rows 0 and 1 are all that there are of class 0.
/// let classes = [vec![0, 1], vec![0, 2], vec![1], vec![2], vec![1, 2], vec![], vec![], vec![]];
/// let folds = folds_of_several_classes(&classes, 3, None, 2, 0, "example");
/// assert_ne!(folds[0], folds[1]);
/// ```
///
/// # Panics
/// If a class is not below the number of classes, or there are no folds.
pub fn folds_of_several_classes(
    classes_of_rows: &[Vec<u32>],
    classes: usize,
    groups: Option<&[u32]>,
    folds: u32,
    seed: u64,
    name: &str,
) -> Vec<u32> {
    let alone: Vec<u32>;
    let groups = if let Some(groups) = groups {
        groups
    } else {
        alone = (0..).take(classes_of_rows.len()).collect();
        &alone
    };
    let mut rows_of_class = vec![0usize; classes];
    for class in classes_of_rows.iter().flatten() {
        rows_of_class[*class as usize] += 1;
    }
    let mut members = members_of_groups(groups, seed, name);
    let rarest = |rows: &[usize]| -> usize {
        let classes = rows.iter().flat_map(|row| &classes_of_rows[*row]);
        classes.map(|class| rows_of_class[*class as usize]).min().unwrap_or(usize::MAX)
    };
    members.sort_by_key(|rows| (Reverse(rows.len()), rarest(rows)));
    spread_groups(members, &|row| classes_of_rows[row].as_slice(), classes, folds)
}

/// Returns the rows of each group, the largest group first and those of one size in random order.
fn members_of_groups(groups: &[u32], seed: u64, name: &str) -> Vec<Vec<usize>> {
    let mut members: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (row, group) in groups.iter().enumerate() {
        members.entry(*group).or_default().push(row);
    }
    let mut members: Vec<Vec<usize>> = members.into_values().collect();
    members.shuffle(&mut stream(seed, name));
    members.sort_by_key(|rows| Reverse(rows.len()));
    members
}

/// Deals groups of rows one by one, each to the fold where its classes are rarest: the one that leaves
/// `sum_k (n_fk / N_k)² + (n_f / N)²` least, for the rows `n_fk` of class k in fold f.
fn spread_groups<'l>(
    members: Vec<Vec<usize>>,
    classes_of: &dyn Fn(usize) -> &'l [u32],
    classes: usize,
    folds: u32,
) -> Vec<u32> {
    let rows = members.iter().map(Vec::len).sum();
    let mut of_class = vec![0.0; classes];
    for class in (0..rows).flat_map(classes_of) {
        of_class[*class as usize] += 1.0;
    }
    // Rows of each class in each fold, and of all.
    let mut counts = vec![vec![0.0; classes + 1]; folds as usize];
    let mut fold_of_row = vec![0; rows];
    for group in members {
        let mut of_group: BTreeMap<usize, f64> = BTreeMap::from([(classes, group.len() as f64)]);
        for class in group.iter().flat_map(|row| classes_of(*row)) {
            *of_group.entry(*class as usize).or_insert(0.0) += 1.0;
        }
        let total = |class: usize| if class == classes { rows as f64 } else { of_class[class] };
        let cost = |counts: &[f64]| -> f64 {
            let of = |(class, more): (&usize, &f64)| more * (2.0 * counts[*class] + more) / total(*class).powi(2);
            of_group.iter().map(of).sum()
        };
        let cheapest = |best: (u32, f64), (fold, counts): (u32, &Vec<f64>)| {
            let cost = cost(counts);
            if cost < best.1 { (fold, cost) } else { best }
        };
        let (fold, _) = (0..).zip(&counts).fold((0, f64::INFINITY), cheapest);
        for (class, more) in &of_group {
            counts[fold as usize][*class] += more;
        }
        for row in group {
            fold_of_row[row] = fold;
        }
    }
    fold_of_row
}

fn folds_of_rows(labels: &[u32], classes: usize, folds: u32, seed: u64, name: &str) -> Vec<u32> {
    let mut rows_of_class = vec![Vec::new(); classes];
    for (row, label) in labels.iter().enumerate() {
        rows_of_class[*label as usize].push(row);
    }
    let mut random = stream(seed, name);
    let mut fold_of_row = vec![0; labels.len()];
    let mut next = 0;
    for rows in &mut rows_of_class {
        rows.shuffle(&mut random);
        for row in rows {
            fold_of_row[*row] = next;
            next = (next + 1) % folds;
        }
    }
    fold_of_row
}

/// Draws about `most` rows, the classes in proportion but each with at least one row; all rows if there are no more.
pub(crate) fn stratified_sample(labels: &[u32], classes: usize, most: usize, seed: u64) -> Vec<usize> {
    let parts = u32::try_from(labels.len().div_ceil(most)).unwrap_or(u32::MAX);
    let mut part_of_row = folds_of_rows(labels, classes, parts, seed, "sample of the rows");
    let mut is_there = vec![false; classes];
    for (part, label) in part_of_row.iter().zip(labels) {
        is_there[*label as usize] |= *part == 0;
    }
    for (part, label) in part_of_row.iter_mut().zip(labels) {
        if !is_there[*label as usize] {
            is_there[*label as usize] = true;
            *part = 0;
        }
    }
    (0..labels.len()).filter(|row| part_of_row[*row] == 0).collect()
}

/// Returns the rows to fit to and the rows held out to choose and calibrate by, about one in five, with groups whole.
///
/// Every class keeps a row to fit to; nothing is held out where every class has a single row or group.
pub(crate) fn held_out_rows(rows: &LabelledRows<'_>, seed: u64) -> (Vec<usize>, Vec<usize>) {
    const STREAM: &str = "held-out rows";
    let LabelledRows { labels, classes, groups } = *rows;
    let mut is_held = vec![false; labels.len()];
    if let Some(groups) = groups {
        let parts = stratified_folds(rows, PARTS, seed, STREAM);
        let mut is_kept = vec![false; classes];
        for (part, label) in parts.iter().zip(labels) {
            is_kept[*label as usize] |= *part > 0;
        }
        // A class that would be held out whole stays, and so do the groups that it is in.
        let held = parts.iter().zip(groups).zip(labels);
        let staying: BTreeSet<u32> =
            held.clone().filter(|(_, label)| !is_kept[**label as usize]).map(|((_, group), _)| *group).collect();
        for (row, ((part, group), _)) in held.enumerate() {
            is_held[row] = *part == 0 && !staying.contains(group);
        }
        return (0..labels.len()).partition(|row| !is_held[*row]);
    }
    let mut counts = vec![0usize; classes];
    for label in labels {
        counts[*label as usize] += 1;
    }
    let divisible: Vec<usize> = (0..labels.len()).filter(|row| counts[labels[*row] as usize] > 1).collect();
    let divisible_labels: Vec<u32> = divisible.iter().map(|row| labels[*row]).collect();
    let parts = folds_of_rows(&divisible_labels, classes, PARTS, seed, STREAM);
    // With fewer rows than parts the last part is empty.
    let part = parts.iter().copied().max().unwrap_or(0);
    for (row, of_row) in divisible.iter().zip(parts) {
        is_held[*row] = of_row == part;
    }
    (0..labels.len()).partition(|row| !is_held[*row])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn folds_are_even_overall_and_within_classes(
            labels in proptest::collection::vec(0u32..4, 20..200),
            folds in 2u32..7,
            seed in 0u64..10,
        ) {
            let rows = LabelledRows { labels: &labels, classes: 4, groups: None };
            let assignment = stratified_folds(&rows, folds, seed, "test");
            let sizes = |class: Option<u32>| -> Vec<usize> {
                (0..folds)
                    .map(|fold| {
                        let here = assignment.iter().zip(&labels);
                        here.filter(|(f, label)| **f == fold && class.is_none_or(|class| class == **label)).count()
                    })
                    .collect()
            };
            for class in [None, Some(0), Some(1), Some(2), Some(3)] {
                let sizes = sizes(class);
                prop_assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1);
            }
        }

        #[test]
        fn groups_are_whole_and_folds_about_even(
            sizes in proptest::collection::vec(1usize..6, 30..80),
            folds in 2u32..6,
            seed in 0u64..10,
        ) {
            let groups: Vec<u32> = (0u32..).zip(&sizes).flat_map(|(group, size)| vec![group; *size]).collect();
            // Every second group is of class 1.
            let labels: Vec<u32> = groups.iter().map(|group| group % 2).collect();
            let rows = LabelledRows { labels: &labels, classes: 2, groups: Some(&groups) };
            let assignment = stratified_folds(&rows, folds, seed, "test");
            for (row, group) in groups.iter().enumerate() {
                let first = groups.partition_point(|other| other < group);
                prop_assert_eq!(assignment[row], assignment[first]);
            }
            // Dealt from the largest to the smallest, folds differ by no more than a group.
            for class in 0..2 {
                let count = |fold: u32| (0..labels.len()).filter(|row| assignment[*row] == fold && labels[*row] == class).count();
                let counts: Vec<usize> = (0..folds).map(count).collect();
                prop_assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 5, "{:?}", counts);
            }
        }

        #[test]
        fn a_sample_has_the_classes_in_proportion(labels in proptest::collection::vec(0u32..3, 30..300)) {
            let sample = stratified_sample(&labels, 3, 20, 1);
            prop_assert!((10..=23).contains(&sample.len()));
            for class in 0..3 {
                let share = |rows: &mut dyn Iterator<Item = usize>| rows.filter(|row| labels[*row] == class).count();
                let (all, here) = (share(&mut (0..labels.len())), share(&mut sample.iter().copied()));
                let expected = all as f64 / labels.len().div_ceil(20) as f64;
                prop_assert!((here as f64 - expected).abs() <= 1.0);
                prop_assert_eq!(here > 0, all > 0);
            }
            prop_assert_eq!(stratified_sample(&labels, 3, 300, 1).len(), labels.len());
        }

        #[test]
        fn held_out_groups_are_whole_and_leave_every_class_in_the_fit(
            sizes in proptest::collection::vec(1usize..4, 10..50),
            classes in 1u32..6,
        ) {
            let groups: Vec<u32> = (0u32..).zip(&sizes).flat_map(|(group, size)| vec![group; *size]).collect();
            let labels: Vec<u32> = groups.iter().map(|group| group % classes).collect();
            let rows = LabelledRows { labels: &labels, classes: 6, groups: Some(&groups) };
            let (kept, held) = held_out_rows(&rows, 1);
            prop_assert_eq!(kept.len() + held.len(), labels.len());
            prop_assert!(held.iter().all(|row| kept.iter().all(|other| groups[*row] != groups[*other])));
            for label in &labels {
                prop_assert!(kept.iter().any(|row| labels[*row] == *label));
            }
        }

        #[test]
        fn held_out_rows_leave_every_class_in_the_fit(labels in proptest::collection::vec(0u32..6, 10..100)) {
            let rows = LabelledRows { labels: &labels, classes: 6, groups: None };
            let (kept, held) = held_out_rows(&rows, 1);
            prop_assert_eq!(kept.len() + held.len(), labels.len());
            prop_assert!(!held.is_empty(), "ten rows of six classes have a class with two");
            for label in &labels {
                prop_assert!(kept.iter().any(|row| labels[*row] == *label));
            }
        }
    }
}
