//! Partitions with known answers, then what must hold of every partition.

use std::collections::BTreeMap;

use lsmi_guide::{Partition, PartitionError, Rule, Tie, Ties, partition};
use proptest::prelude::*;

#[test]
fn a_fraction_takes_both_ends_in_input_order() {
    let parts = partition(&[5.0, 1.0, 4.0, 2.0, 3.0], None, &Rule::Fraction(0.4)).unwrap();
    let expected = Partition {
        high: vec![0, 2],
        middle: vec![4],
        low: vec![1, 3],
        bounds: Some((2.0, 4.0)),
        ties: Ties::default(),
    };
    assert_eq!(parts, expected);
}

#[test]
fn a_fraction_that_is_not_exact_in_binary_selects_what_it_says() {
    // 0.29 * 100 is 28.999999999999996 and 0.1 * 30 is 3.0000000000000004.
    for (n, fraction, expected) in [(100, 0.29, 29), (30, 0.1, 3), (10, 0.3, 3)] {
        let values: Vec<f64> = (0..n).map(f64::from).collect();
        let parts = partition(&values, None, &Rule::Fraction(fraction)).unwrap();
        assert_eq!((parts.high.len(), parts.low.len()), (expected, expected), "{fraction} of {n}");
    }
}

#[test]
fn half_of_an_odd_number_leaves_the_median_in_the_middle() {
    let parts = partition(&[3.0, 1.0, 2.0], None, &Rule::Fraction(0.5)).unwrap();
    assert_eq!((parts.high, parts.middle, parts.low), (vec![0], vec![2], vec![1]));
}

#[test]
fn a_fraction_too_small_for_the_samples_leaves_all_in_the_middle() {
    let parts = partition(&[3.0, 1.0, 2.0], None, &Rule::Fraction(0.1)).unwrap();
    assert_eq!(parts.middle, [0, 1, 2]);
    assert_eq!(parts.bounds, None);
}

#[test]
fn of_equal_values_the_first_ranks_highest() {
    let parts = partition(&[7.0; 5], None, &Rule::Fraction(0.4)).unwrap();
    assert_eq!((parts.high, parts.middle, parts.low), (vec![0, 1], vec![2], vec![3, 4]));
    let tie = Some(Tie { samples: 5, taken: 2 });
    assert_eq!(parts.ties, Ties { high: tie, low: tie });
    // Zero and minus zero are the same value.
    let parts = partition(&[-0.0, 0.0], None, &Rule::Fraction(0.5)).unwrap();
    assert_eq!((parts.high, parts.low), (vec![0], vec![1]));
}

#[test]
fn equals_on_both_sides_of_a_bound_are_counted() {
    let values = [0.0, 3.0, 0.0, 1.0, 0.0, 0.0, -1.0, 3.0, 0.0, 0.0];
    let parts = partition(&values, None, &Rule::Fraction(0.2)).unwrap();
    assert_eq!((parts.high, parts.low, parts.bounds), (vec![1, 7], vec![6, 9], Some((0.0, 3.0))));
    // Both samples of the highest value are high; of six zeros one is low.
    assert_eq!(parts.ties, Ties { high: None, low: Some(Tie { samples: 6, taken: 1 }) });
    // Class by class: two of four zeros of the first, one of two of the second.
    let labels = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1];
    let ties = partition(&values, Some(&labels), &Rule::Fraction(0.5)).unwrap().ties;
    assert_eq!(ties, Ties { high: Some(Tie { samples: 6, taken: 2 }), low: Some(Tie { samples: 6, taken: 4 }) });
    // A threshold divides no equals.
    let rule = Rule::Threshold { low: 0.0, high: 3.0 };
    assert_eq!(partition(&values, None, &rule).unwrap().ties, Ties::default());
}

#[test]
fn thresholds_belong_to_the_ends() {
    let rule = Rule::Threshold { low: 0.0, high: 1.0 };
    let parts = partition(&[1.0, 0.999, -0.0, 0.001, 2.0, -3.0], None, &rule).unwrap();
    assert_eq!((parts.high, parts.middle, parts.low), (vec![0, 4], vec![1, 3], vec![2, 5]));
    assert_eq!(parts.bounds, Some((0.0, 1.0)));
}

#[test]
fn an_infinite_threshold_leaves_its_end_empty() {
    let rule = Rule::Threshold { low: f64::NEG_INFINITY, high: 1.0 };
    let parts = partition(&[1.5, -1e300, 0.0], None, &rule).unwrap();
    assert_eq!((parts.high, parts.middle, parts.low), (vec![0], vec![1, 2], vec![]));
}

#[test]
fn a_balanced_fraction_ranks_each_class_on_its_own() {
    // All of class 9 lies above all of class 4: unbalanced, each end would be of one class only.
    let values = [10.0, 11.0, 12.0, 13.0, 0.0, 1.0, 2.0, 3.0];
    let labels = [9, 9, 9, 9, 4, 4, 4, 4];
    let parts = partition(&values, Some(&labels), &Rule::Fraction(0.25)).unwrap();
    let expected =
        Partition { high: vec![3, 7], middle: vec![1, 2, 5, 6], low: vec![0, 4], bounds: None, ties: Ties::default() };
    assert_eq!(parts, expected);
}

#[test]
fn balanced_thresholds_keep_the_most_extreme_of_each_class() {
    // Above 0: four of four of class 0, one of two of class 1, so half of each stays. Below -1: none.
    let values = [1.0, 4.0, 3.0, 2.0, 0.5, -0.5];
    let labels = [0, 0, 0, 0, 1, 1];
    let rule = Rule::Threshold { low: -1.0, high: 0.1 };
    let parts = partition(&values, Some(&labels), &rule).unwrap();
    let expected =
        Partition { high: vec![1, 2, 4], middle: vec![0, 3, 5], low: vec![], bounds: None, ties: Ties::default() };
    assert_eq!(parts, expected);
}

#[test]
fn one_class_is_as_good_as_no_labels() {
    let values = [0.3, -0.2, 0.9, 0.1, 0.5, 0.4, -0.7];
    for rule in [Rule::Fraction(0.3), Rule::Threshold { low: 0.0, high: 0.4 }] {
        let plain = partition(&values, None, &rule).unwrap();
        let labelled = partition(&values, Some(&[6; 7]), &rule).unwrap();
        assert_eq!(Partition { bounds: None, ..plain }, labelled);
    }
}

#[test]
fn bad_input_is_named() {
    let half = Rule::Fraction(0.5);
    let failure = |values: &[f64], labels: Option<&[u32]>, rule: &Rule| partition(values, labels, rule).unwrap_err();
    assert_eq!(failure(&[], None, &half), PartitionError::Empty);
    assert_eq!(
        failure(&[0.0, f64::INFINITY, f64::NAN], None, &half),
        PartitionError::NonFinite { index: 1, found: f64::INFINITY }
    );
    assert_eq!(failure(&[0.0, 1.0], Some(&[0]), &half), PartitionError::LabelCount { expected: 2, found: 1, index: 1 });
    assert_eq!(
        failure(&[0.0, 1.0], Some(&[0, 1, 1]), &half),
        PartitionError::LabelCount { expected: 2, found: 3, index: 2 }
    );
    assert_eq!(
        failure(&[0.0, f64::NAN], None, &half).to_string(),
        "value NaN at position 1 is not finite; remove the sample or mend its value"
    );
}

#[test]
fn bad_rules_are_refused() {
    for found in [0.0, -0.1, 0.500_001, 1.0, f64::INFINITY, f64::NAN] {
        let error = partition(&[1.0, 2.0], None, &Rule::Fraction(found)).unwrap_err();
        assert!(matches!(error, PartitionError::Fraction { .. }), "{found}: {error}");
    }
    for (low, high) in [(1.0, 0.0), (1.0, 1.0), (f64::NAN, 1.0), (0.0, f64::NAN)] {
        let error = partition(&[1.0, 2.0], None, &Rule::Threshold { low, high }).unwrap_err();
        assert!(matches!(error, PartitionError::Thresholds { .. }), "{low} {high}: {error}");
    }
}

#[test]
fn autotraits() {
    fn sound<T: Send + Sync + Unpin + 'static>() {}
    sound::<Rule>();
    sound::<Partition>();
    sound::<PartitionError>();
}

/// Samples with whole-numbered values, so that ties are frequent and shifts exact, and up to four classes.
fn samples() -> impl Strategy<Value = Vec<(f64, u32)>> {
    prop::collection::vec(((-30..30_i32).prop_map(f64::from), 0..4_u32), 1..80)
}

fn rules() -> impl Strategy<Value = Rule> {
    let thresholds = (-32..30_i32, 1..20_i32).prop_map(|(low, width)| (f64::from(low), f64::from(low + width)));
    prop_oneof![
        (0.001..=0.5_f64).prop_map(Rule::Fraction),
        thresholds.prop_map(|(low, high)| Rule::Threshold { low, high }),
    ]
}

/// The values at `indices`, from the smallest to the largest.
fn sorted(values: &[f64], indices: &[usize]) -> Vec<f64> {
    let mut chosen: Vec<f64> = indices.iter().map(|&index| values[index]).collect();
    chosen.sort_by(f64::total_cmp);
    chosen
}

/// Checks that every value of `upper` is at least every value of `lower`.
fn check_order(values: &[f64], upper: &[usize], lower: &[usize]) -> Result<(), TestCaseError> {
    if let (Some(smallest), Some(largest)) = (sorted(values, upper).first(), sorted(values, lower).last()) {
        prop_assert!(smallest >= largest, "{smallest} < {largest}");
    }
    Ok(())
}

/// The positions of each class among `indices`; classes of which there are none are left out.
fn by_class(labels: &[u32], indices: &[usize]) -> BTreeMap<u32, Vec<usize>> {
    let mut classes: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for &index in indices {
        classes.entry(labels[index]).or_default().push(index);
    }
    classes
}

proptest! {
    #[test]
    fn every_sample_is_in_exactly_one_part(samples in samples(), rule in rules(), balanced: bool) {
        let (values, labels): (Vec<f64>, Vec<u32>) = samples.into_iter().unzip();
        let parts = partition(&values, balanced.then_some(&labels), &rule).unwrap();
        for part in [&parts.high, &parts.middle, &parts.low] {
            prop_assert!(part.is_sorted_by(|a, b| a < b));
        }
        let mut all = [parts.high, parts.middle, parts.low].concat();
        all.sort_unstable();
        prop_assert!(all.into_iter().eq(0..values.len()));
    }

    #[test]
    fn unbalanced_parts_are_in_order(samples in samples(), rule in rules()) {
        let values: Vec<f64> = samples.into_iter().map(|(value, _)| value).collect();
        let parts = partition(&values, None, &rule).unwrap();
        check_order(&values, &parts.high, &parts.middle)?;
        check_order(&values, &parts.middle, &parts.low)?;
        check_order(&values, &parts.high, &parts.low)?;
    }

    #[test]
    fn a_fraction_fixes_the_sizes_and_a_shift_changes_nothing(
        samples in samples(), fraction in 0.001..=0.5_f64, shift in -1000..1000_i32,
    ) {
        let values: Vec<f64> = samples.into_iter().map(|(value, _)| value).collect();
        let parts = partition(&values, None, &Rule::Fraction(fraction)).unwrap();
        prop_assert_eq!(parts.high.len(), parts.low.len());
        // Rounding moves the size by at most a half; the rest is room for the rounding of the product.
        let wanted = fraction * values.len() as f64;
        prop_assert!((parts.high.len() as f64 - wanted).abs() <= 0.5 + 1e-9);

        let shifted: Vec<f64> = values.iter().map(|value| value + f64::from(shift)).collect();
        let moved = partition(&shifted, None, &Rule::Fraction(fraction)).unwrap();
        prop_assert_eq!((&moved.high, &moved.low), (&parts.high, &parts.low));
        let bounds = parts.bounds.map(|(low, high)| (low + f64::from(shift), high + f64::from(shift)));
        prop_assert_eq!(moved.bounds, bounds);
    }

    #[test]
    fn the_bounds_of_a_fraction_are_its_thresholds(
        order in Just((0..40).map(f64::from).collect::<Vec<f64>>()).prop_shuffle(),
        fraction in 0.05..=0.5_f64,
    ) {
        // Distinct values: without ties the bounds select the same samples again.
        let parts = partition(&order, None, &Rule::Fraction(fraction)).unwrap();
        let (low, high) = parts.bounds.unwrap();
        prop_assert_eq!(&partition(&order, None, &Rule::Threshold { low, high }).unwrap(), &parts);
    }

    #[test]
    fn each_class_gives_the_fraction_of_its_own_most_extreme(
        samples in samples(), fraction in 0.001..=0.5_f64,
    ) {
        let (values, labels): (Vec<f64>, Vec<u32>) = samples.into_iter().unzip();
        let parts = partition(&values, Some(&labels), &Rule::Fraction(fraction)).unwrap();
        prop_assert_eq!(parts.bounds, None);
        let [high, middle, low] =
            [&parts.high, &parts.middle, &parts.low].map(|part| by_class(&labels, part));
        let none = Vec::new();
        for (class, members) in by_class(&labels, &(0..values.len()).collect::<Vec<_>>()) {
            let [high, middle, low] = [&high, &middle, &low].map(|part| part.get(&class).unwrap_or(&none));
            prop_assert_eq!(high.len(), low.len());
            prop_assert!((high.len() as f64 - fraction * members.len() as f64).abs() <= 0.5 + 1e-9);
            check_order(&values, high, middle)?;
            check_order(&values, middle, low)?;
        }
    }

    #[test]
    fn balanced_thresholds_take_the_share_that_every_class_has(
        samples in samples(), low in -20..10_i32, width in 1..20_i32,
    ) {
        let (values, labels): (Vec<f64>, Vec<u32>) = samples.into_iter().unzip();
        let (low, high) = (f64::from(low), f64::from(low + width));
        let parts = partition(&values, Some(&labels), &Rule::Threshold { low, high }).unwrap();
        let classes = by_class(&labels, &(0..values.len()).collect::<Vec<_>>());
        for (part, upper) in [(&parts.high, true), (&parts.low, false)] {
            let beyond = |value| if upper { value >= high } else { value <= low };
            prop_assert!(part.iter().all(|&index| beyond(values[index])));
            let available = |members: &[usize]| members.iter().filter(|&&index| beyond(values[index])).count();
            let share = classes.values().map(|members| available(members) as f64 / members.len() as f64);
            let share = share.fold(1.0, f64::min);
            let kept = by_class(&labels, part);
            for (class, members) in &classes {
                let count = kept.get(class).map_or(0, Vec::len);
                prop_assert!((count as f64 - share * members.len() as f64).abs() <= 0.5 + 1e-9);
            }
        }
        for class in classes.keys() {
            let of_class = |part: &[usize]| by_class(&labels, part).remove(class).unwrap_or_default();
            check_order(&values, &of_class(&parts.high), &of_class(&parts.middle))?;
            check_order(&values, &of_class(&parts.middle), &of_class(&parts.low))?;
        }
    }
}
