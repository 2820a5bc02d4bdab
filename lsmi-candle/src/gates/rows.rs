//! Selects the rows that the gates work with.

use std::collections::BTreeMap;

use lsmi_core::random::stream;
use rand::seq::SliceRandom;

use crate::estimator::Settings;

/// Returns about `most` rows in rising order, the classes in proportion; all if there are no more.
///
/// Unlike a sample to compete on, this one is cross-fitted: every class keeps a row for each fold, as far as it has them.
pub(super) fn sample_rows(labels: &[u32], most: usize, settings: &Settings) -> Vec<usize> {
    if labels.len() <= most {
        return (0..labels.len()).collect();
    }
    let mut random = stream(settings.seed, "gate rows");
    let mut chosen = Vec::with_capacity(most);
    for mut rows in rows_of_classes(labels) {
        rows.shuffle(&mut random);
        // In 128 bits, since a product of two numbers of rows may be beyond 64.
        let share = rows.len() as u128 * most as u128 / labels.len() as u128;
        chosen.extend_from_slice(&rows[..(share as usize).max(settings.folds).min(rows.len())]);
    }
    chosen.sort_unstable();
    chosen
}

/// Returns the rows of every class that occurs, by class.
pub(super) fn rows_of_classes(labels: &[u32]) -> Vec<Vec<usize>> {
    let mut rows_of_class = BTreeMap::<u32, Vec<usize>>::new();
    for (row, label) in labels.iter().enumerate() {
        rows_of_class.entry(*label).or_default().push(row);
    }
    rows_of_class.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn classes_are_in_proportion_and_rare_ones_have_a_row_a_fold(
            labels in prop::collection::vec(0u32..5, 1..200),
            most in 0usize..100,
        ) {
            let rows = sample_rows(&labels, most, &Settings { folds: 3, ..Settings::default() });
            prop_assert!(rows.is_sorted_by(|a, b| a < b));
            for class in 0..5 {
                let count = |rows: &[usize]| rows.iter().filter(|row| labels[**row] == class).count();
                let (all, here) = (count(&(0..labels.len()).collect::<Vec<_>>()), count(&rows));
                if labels.len() <= most {
                    prop_assert_eq!(here, all);
                } else {
                    prop_assert_eq!(here, (all * most / labels.len()).max(3).min(all));
                }
            }
        }
    }
}
