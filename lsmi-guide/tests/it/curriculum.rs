//! Curricula: what must hold of every order.

use std::collections::BTreeMap;

use lsmi_guide::{PartitionError, competence, curriculum};
use proptest::prelude::*;

#[test]
fn values_that_have_no_order_are_refused() {
    assert_eq!(curriculum(&[], None), Err(PartitionError::Empty));
    assert!(matches!(curriculum(&[0.0, f64::NAN], None), Err(PartitionError::NonFinite { index: 1, .. })));
    assert!(matches!(curriculum(&[0.0], Some(&[])), Err(PartitionError::LabelCount { .. })));
}

#[test]
fn competence_grows_from_its_beginning_to_all() {
    let shares: Vec<f64> = (0..=10).map(|step| competence(step, 10, 0.1)).collect();
    assert!((shares[0] - 0.1).abs() < 1e-12 && shares[10] == 1.0 && shares.is_sorted());
    assert_eq!(competence(0, 0, 0.1), 1.0);
}

proptest! {
    #[test]
    fn every_sample_is_there_once_and_values_descend_within_classes(
        samples in prop::collection::vec((-1.0..1.0, 0u32..3), 1..60),
    ) {
        let (values, labels): (Vec<f64>, Vec<u32>) = samples.into_iter().unzip();
        let order = curriculum(&values, Some(&labels)).unwrap();
        let mut sorted = order.clone();
        sorted.sort_unstable();
        prop_assert_eq!(sorted, (0..values.len()).collect::<Vec<_>>());
        for class in 0..3 {
            let of_class: Vec<f64> =
                order.iter().filter(|row| labels[**row] == class).map(|row| values[*row]).collect();
            prop_assert!(of_class.is_sorted_by(|a, b| a >= b));
        }
    }

    #[test]
    fn every_beginning_has_the_classes_in_proportion(
        samples in prop::collection::vec((-1.0..1.0, 0u32..3), 1..60),
    ) {
        let (values, labels): (Vec<f64>, Vec<u32>) = samples.into_iter().unzip();
        let mut sizes = BTreeMap::new();
        for label in &labels {
            *sizes.entry(*label).or_insert(0usize) += 1;
        }
        let order = curriculum(&values, Some(&labels)).unwrap();
        for count in 0..=order.len() {
            for (class, size) in &sizes {
                let here = order[..count].iter().filter(|row| labels[**row] == *class).count() as f64;
                let expected = *size as f64 * count as f64 / order.len() as f64;
                // A class is at most half a sample ahead of its place, and the others together as far behind theirs.
                prop_assert!((here - expected).abs() <= 1.5, "{here} {expected}");
            }
        }
    }
}
