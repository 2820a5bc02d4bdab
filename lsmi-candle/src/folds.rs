//! Folds: which rows a model is fitted to and which it is judged on, with the classes spread evenly.

use lsmi_core::random::stream;
use rand::seq::SliceRandom;

/// Parts of which one is held out inside the training rows of a fold.
const PARTS: u32 = 5;

/// The fold of each row: rows of every class, shuffled, are dealt to the folds in turn.
///
/// `labels` are class indices below `classes`. Each class with at least `folds` rows is in every fold, and the folds'
/// sizes differ by at most one.
pub(crate) fn stratified_folds(labels: &[u32], classes: usize, folds: u32, seed: u64, name: &str) -> Vec<u32> {
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

/// About `most` rows, the classes in proportion but each with a row at least; all rows where there are no more.
pub(crate) fn stratified_sample(labels: &[u32], classes: usize, most: usize, seed: u64) -> Vec<usize> {
    let parts = u32::try_from(labels.len().div_ceil(most)).unwrap_or(u32::MAX);
    let mut part_of_row = stratified_folds(labels, classes, parts, seed, "sample of the rows");
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

/// Rows to fit to and rows held out to choose and calibrate by, about one in five.
///
/// Every class keeps a row to fit to; nothing is held out where every class has a single row.
pub(crate) fn held_out_rows(labels: &[u32], classes: usize, seed: u64) -> (Vec<usize>, Vec<usize>) {
    let mut counts = vec![0usize; classes];
    for label in labels {
        counts[*label as usize] += 1;
    }
    let divisible: Vec<usize> = (0..labels.len()).filter(|row| counts[labels[*row] as usize] > 1).collect();
    let divisible_labels: Vec<u32> = divisible.iter().map(|row| labels[*row]).collect();
    let parts = stratified_folds(&divisible_labels, classes, PARTS, seed, "held-out rows");
    // With fewer rows than parts the last part is empty.
    let part = parts.iter().copied().max().unwrap_or(0);
    let mut is_held = vec![false; labels.len()];
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
            let assignment = stratified_folds(&labels, 4, folds, seed, "test");
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
        fn held_out_rows_leave_every_class_in_the_fit(labels in proptest::collection::vec(0u32..6, 10..100)) {
            let (kept, held) = held_out_rows(&labels, 6, 1);
            prop_assert_eq!(kept.len() + held.len(), labels.len());
            prop_assert!(!held.is_empty(), "ten rows of six classes have a class with two");
            for label in &labels {
                prop_assert!(kept.iter().any(|row| labels[*row] == *label));
            }
        }
    }
}
