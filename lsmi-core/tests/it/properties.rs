//! Identities that hold for every sample, whatever its terms.
//!
//! Tolerances are relative to the largest term of the sample, since that is what rounding is relative to.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::f64::consts::LN_2;

use lsmi_core::{
    ClassPrior, Decomposition, Interaction, Kind, Means, Measure, Pass, Reference, SampleIds, Terms, adjust,
    kind::kinds, random::stream,
};
use proptest::prelude::*;
use rand::seq::SliceRandom;

const TOLERANCE: f64 = 1e-12;

/// One sample: h1, h2, i1, i2, i12. Surprisals reach far, as those of densities in many dimensions do.
fn sample() -> impl Strategy<Value = [f64; 5]> {
    let surprisal = || prop_oneof![-5.0..5.0, -2000.0..2000.0];
    let information = || prop_oneof![-0.5..0.5, -20.0..5.0, Just(0.0)];
    [surprisal().boxed(), surprisal().boxed(), information().boxed(), information().boxed(), information().boxed()]
}

fn terms() -> impl Strategy<Value = Terms> {
    prop::collection::vec(sample(), 1..30).prop_map(|samples| {
        let column = |term: usize| samples.iter().map(|sample| sample[term]).collect();
        let ids = SampleIds::rows(samples.len());
        Terms::new(ids, column(0), column(1), column(2), column(3), column(4)).unwrap()
    })
}

/// The classes of the samples, three in turn; the samples themselves are drawn independently.
fn labels(terms: &Terms) -> Vec<u32> {
    [0, 1, 2].into_iter().cycle().take(terms.len()).collect()
}

fn decompose(measure: Measure, terms: &Terms) -> Decomposition {
    measure.decompose(terms, &labels(terms))
}

/// The largest magnitude among the terms, at least 1.
fn magnitude(terms: &Terms) -> f64 {
    [&terms.h1, &terms.h2, &terms.i1, &terms.i2, &terms.i12]
        .into_iter()
        .flatten()
        .fold(1.0, |largest, value| value.abs().max(largest))
}

fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) -> Result<(), TestCaseError> {
    prop_assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        prop_assert!((found - expected).abs() <= tolerance, "{} instead of {}", found, expected);
    }
    Ok(())
}

fn assert_same(found: &Decomposition, expected: &Decomposition, tolerance: f64) -> Result<(), TestCaseError> {
    for part in Interaction::ALL {
        assert_close(found.values(part), expected.values(part), tolerance)?;
    }
    Ok(())
}

fn shifted(terms: &Terms, shift1: f64, shift2: f64) -> Terms {
    let mut shifted = terms.clone();
    shifted.h1.iter_mut().for_each(|h| *h += shift1);
    shifted.h2.iter_mut().for_each(|h| *h += shift2);
    shifted
}

proptest! {
    #[test]
    fn components_add_up_to_the_information(terms in terms()) {
        for measure in Measure::ALL {
            let parts = decompose(measure, &terms);
            for row in 0..terms.len() {
                let tolerance = TOLERANCE * [terms.i1[row], terms.i2[row], terms.i12[row], parts.r[row]]
                    .into_iter()
                    .fold(1.0, |largest: f64, value| largest.max(value.abs()));
                let (r, u1, u2, s) = (parts.r[row], parts.u1[row], parts.u2[row], parts.s[row]);
                prop_assert!((r + u1 - terms.i1[row]).abs() <= tolerance);
                prop_assert!((r + u2 - terms.i2[row]).abs() <= tolerance);
                prop_assert!((r + u1 + u2 + s - terms.i12[row]).abs() <= tolerance);
            }
        }
    }

    #[test]
    fn pm_is_specificity_less_ambiguity(terms in terms()) {
        let parts = decompose(Measure::Pm, &terms);
        for (row, r) in parts.r.iter().enumerate() {
            let (h1, h2) = (terms.h1[row], terms.h2[row]);
            let expected = h1.min(h2) - (h1 - terms.i1[row]).min(h2 - terms.i2[row]);
            prop_assert!((r - expected).abs() <= TOLERANCE * magnitude(&terms));
        }
    }

    #[test]
    fn exchanged_modalities_exchange_uniqueness(terms in terms()) {
        let means = terms.means();
        // Of equally informative modalities `mmi` takes the first; so does `min`, but no class has them here by chance.
        prop_assume!((means.i1 - means.i2).abs() > 1e-9);
        for measure in Measure::ALL {
            let parts = decompose(measure, &terms);
            let swapped = decompose(measure, &terms.swapped());
            let mended = Decomposition { u1: swapped.u2, u2: swapped.u1, ..swapped };
            assert_same(&mended, &parts, TOLERANCE * magnitude(&terms))?;
        }
    }

    #[test]
    fn another_prior_moves_redundancy_alone(
        terms in terms(),
        weights in prop::collection::vec(0.01..1.0, 3),
        seed in any::<u64>(),
    ) {
        let total: f64 = weights.iter().sum();
        let prior = ClassPrior::given(&weights.iter().map(|weight| weight / total).collect::<Vec<_>>()).unwrap();
        let uniform = ClassPrior::uniform(3).unwrap();
        let labels: Vec<u32> = (0..terms.len() as u64).map(|row| ((seed >> (row % 60)) % 3) as u32).collect();
        let moved = terms.with_prior(&labels, &uniform, &prior).unwrap();
        let tolerance = TOLERANCE * magnitude(&moved).max(magnitude(&terms));
        for measure in [Measure::Pm, Measure::Sx, Measure::Mmi, Measure::Min] {
            let reference = measure.reference(&terms, &labels, 3);
            let before = measure.decompose_with(&terms, &labels, &reference);
            let after = measure.decompose_with(&moved, &labels, &reference);
            assert_close(&after.u1, &before.u1, tolerance)?;
            assert_close(&after.u2, &before.u2, tolerance)?;
            assert_close(&after.s, &before.s, tolerance)?;
            for (row, &label) in labels.iter().enumerate() {
                let change = uniform.log_probability(label as usize) - prior.log_probability(label as usize);
                prop_assert!((after.r[row] - before.r[row] - change).abs() <= tolerance);
            }
        }
        // And back again.
        let back = moved.with_prior(&labels, &prior, &uniform).unwrap();
        assert_close(&back.i12, &terms.i12, tolerance)?;
    }

    #[test]
    fn a_common_shift_of_the_surprisals_changes_nothing(terms in terms(), shift in -1000.0..1000.0) {
        let moved = shifted(&terms, shift, shift);
        for measure in [Measure::Pm, Measure::Sx] {
            let tolerance = TOLERANCE * magnitude(&moved).max(magnitude(&terms));
            assert_same(&decompose(measure, &moved), &decompose(measure, &terms), tolerance)?;
        }
    }

    #[test]
    fn mmi_ccs_and_min_know_no_surprisals(terms in terms(), shift1 in -1e3..1e3, shift2 in -1e3..1e3) {
        for measure in [Measure::Mmi, Measure::Ccs, Measure::Min] {
            prop_assert_eq!(decompose(measure, &shifted(&terms, shift1, shift2)), decompose(measure, &terms));
        }
    }

    #[test]
    fn far_apart_surprisals_leave_one_modality(terms in terms()) {
        for measure in [Measure::Pm, Measure::Sx] {
            // Exactly, and not to a tolerance: the uniqueness of the modality of higher density vanishes.
            prop_assert_eq!(decompose(measure, &shifted(&terms, 0.0, 1e6)).r, terms.i1.clone());
            prop_assert_eq!(decompose(measure, &shifted(&terms, 1e6, 0.0)).r, terms.i2.clone());
        }
    }

    #[test]
    fn sx_is_within_log_two_of_pm(terms in terms()) {
        let (sx, pm) = (decompose(Measure::Sx, &terms), decompose(Measure::Pm, &terms));
        for (sx, pm) in sx.r.iter().zip(&pm.r) {
            prop_assert!((sx - pm).abs() <= LN_2 + TOLERANCE);
        }
    }

    #[test]
    fn redundancy_of_pm_and_sx_lies_between_the_modalities(terms in terms()) {
        for measure in [Measure::Pm, Measure::Sx] {
            for (row, r) in decompose(measure, &terms).r.iter().enumerate() {
                let (i1, i2) = (terms.i1[row], terms.i2[row]);
                prop_assert!(i1.min(i2) - TOLERANCE <= *r && *r <= i1.max(i2) + TOLERANCE);
            }
        }
    }

    #[test]
    fn equal_modalities_are_all_redundancy(terms in terms(), shift in -100.0..100.0) {
        let equal = Terms::new(
            terms.ids.clone(), terms.h1.clone(), terms.h2.clone(), terms.i1.clone(), terms.i1.clone(), terms.i1,
        ).unwrap();
        for measure in Measure::ALL {
            let parts = decompose(measure, &shifted(&equal, 0.0, shift));
            assert_close(&parts.r, &equal.i1, TOLERANCE * magnitude(&equal))?;
            assert_close(&parts.s, &vec![0.0; equal.len()], TOLERANCE * magnitude(&equal))?;
        }
    }

    #[test]
    fn common_change_is_the_co_information_or_nothing(terms in terms()) {
        let parts = decompose(Measure::Ccs, &terms);
        for (row, &r) in parts.r.iter().enumerate() {
            let (i1, i2, i12) = (terms.i1[row], terms.i2[row], terms.i12[row]);
            let signs = [i1, i2, i12, i1 + i2 - i12].map(|value| if value == 0.0 { 0.0 } else { value.signum() });
            let agree = signs[0] != 0.0 && signs.iter().all(|sign| (sign - signs[0]).abs() < 0.5);
            let expected = if agree { i1 + i2 - i12 } else { 0.0 };
            prop_assert_eq!(r, expected);
        }
    }

    #[test]
    fn minimum_specific_information_is_that_of_its_definition(terms in terms()) {
        let labels = labels(&terms);
        let means = |class: u32| {
            let rows: Vec<usize> = (0..terms.len()).filter(|row| labels[*row] == class).collect();
            let of_class = terms.select(&rows).means();
            let share = rows.len() as f64 / terms.len() as f64;
            if rows.is_empty() { 0.0 } else { share * of_class.i1.min(of_class.i2) }
        };
        let found = Measure::Min.decompose(&terms, &labels).means().r;
        let expected: f64 = [0, 1, 2].into_iter().map(means).sum();
        prop_assert!((found - expected).abs() <= TOLERANCE * magnitude(&terms));
        // A minimum class by class is at most the minimum over all.
        prop_assert!(found <= decompose(Measure::Mmi, &terms).means().r + TOLERANCE * magnitude(&terms));
    }

    #[test]
    fn one_class_makes_min_the_same_as_mmi(terms in terms()) {
        let labels = vec![0; terms.len()];
        prop_assert_eq!(Measure::Min.decompose(&terms, &labels), Measure::Mmi.decompose(&terms, &labels));
    }

    #[test]
    fn a_kind_is_that_of_the_largest_component_of_ccs(terms in terms(), weight in 0.001..0.998) {
        let prior = ClassPrior::given(&[weight, 0.999 - weight, 0.001]).unwrap();
        let labels = labels(&terms);
        let parts = decompose(Measure::Ccs, &terms);
        // Every third sample is predicted as another class.
        let predictions: Vec<u32> =
            labels.iter().enumerate().map(|(row, label)| if row % 3 == 2 { label + 1 } else { *label }).collect();
        for (row, kind) in kinds(&terms, &labels, &predictions, &prior).unwrap().into_iter().enumerate() {
            let threshold = -Kind::SHARE * prior.log_probability(labels[row] as usize);
            let components = Interaction::ALL.map(|part| parts.values(part)[row]);
            let largest = components.into_iter().fold(f64::NEG_INFINITY, f64::max);
            let informations = [terms.i1[row], terms.i2[row], terms.i12[row]];
            let expected = if informations.into_iter().fold(f64::NEG_INFINITY, f64::max) < -threshold {
                Kind::Conflicting
            } else if largest < threshold {
                Kind::None
            } else {
                match Kind::ALL[components.iter().position(|value| *value == largest).unwrap()] {
                    Kind::Synergistic if row % 3 == 2 => Kind::Hard,
                    kind => kind,
                }
            };
            prop_assert_eq!(kind, expected);
        }
    }

    #[test]
    fn exchanged_modalities_exchange_unique_kinds(sample in sample(), surprisal in 0.0..5.0) {
        let [_, _, i1, i2, i12] = sample;
        // Of equal uniquenesses the first decides.
        prop_assume!(i1 != i2);
        let exchanged = match Kind::of(i1, i2, i12, surprisal, true) {
            Kind::Unique1 => Kind::Unique2,
            Kind::Unique2 => Kind::Unique1,
            kind => kind,
        };
        // Another order of summation may exchange components that are equal but for rounding; none are drawn here.
        prop_assert_eq!(Kind::of(i2, i1, i12, surprisal, true), exchanged);
    }

    #[test]
    fn kinds_do_not_depend_on_the_unit(sample in sample(), surprisal in 0.0..5.0, exponent in -8..8) {
        let unit = 2.0_f64.powi(exponent);
        let [_, _, i1, i2, i12] = sample;
        let kind = Kind::of(i1, i2, i12, surprisal, true);
        prop_assert_eq!(Kind::of(unit * i1, unit * i2, unit * i12, unit * surprisal, true), kind);
    }

    #[test]
    fn a_higher_threshold_only_makes_kinds_none(sample in sample(), low in 0.0..2.0, step in 0.0..2.0) {
        let [_, _, i1, i2, i12] = sample;
        let (kind, strict) = (Kind::above(low, i1, i2, i12, true), Kind::above(low + step, i1, i2, i12, true));
        // What speaks against the label may still have a positive component.
        prop_assert!(strict == kind || strict == Kind::None || kind == Kind::Conflicting);
    }

    #[test]
    fn a_batch_is_judged_sample_by_sample(terms in terms(), seed in any::<u64>()) {
        let mut rows: Vec<usize> = (0..terms.len()).collect();
        rows.shuffle(&mut stream(seed, "rows"));
        rows.truncate(terms.len().div_ceil(2));
        for measure in Measure::ALL {
            let labels = labels(&terms);
            let of_part: Vec<u32> = rows.iter().map(|&row| labels[row]).collect();
            let reference: Reference = measure.reference(&terms, &labels, 3);
            let whole = measure.decompose_with(&terms, &labels, &reference);
            let part = measure.decompose_with(&terms.select(&rows), &of_part, &reference);
            prop_assert!(part.ids.iter().eq(rows.iter().map(ToString::to_string)));
            for interaction in Interaction::ALL {
                let expected: Vec<f64> = rows.iter().map(|&row| whole.values(interaction)[row]).collect();
                prop_assert_eq!(part.values(interaction), expected);
            }
        }
    }

    #[test]
    fn the_adjustment_keeps_what_no_shift_can_change(parts in prop::array::uniform4(-3.0..3.0_f64)) {
        let [r, u1, u2, s] = parts;
        let adjusted = adjust(&Means { r, u1, u2, s });
        prop_assert!((adjusted.s - adjusted.r - (s - r)).abs() <= TOLERANCE);
        prop_assert!((adjusted.r + adjusted.u1 - (r + u1)).abs() <= TOLERANCE);
        prop_assert!((adjusted.r + adjusted.u2 - (r + u2)).abs() <= TOLERANCE);
        let total = adjusted.r + adjusted.u1 + adjusted.u2 + adjusted.s;
        prop_assert!((total - (r + u1 + u2 + s)).abs() <= TOLERANCE);
        prop_assert!((adjusted.r - r - adjusted.shift).abs() <= TOLERANCE);
    }

    #[test]
    fn terms_joined_by_id_are_the_terms_whatever_the_order(terms in terms(), seed in any::<u64>(), named: bool) {
        let ids = if named {
            SampleIds::from_names((0..terms.len()).map(|row| format!("sample {row}"))).unwrap()
        } else {
            terms.ids.clone()
        };
        let mut rng = stream(seed, "order");
        let mut pass = |values: &[f64]| {
            let mut rows: Vec<usize> = (0..values.len()).collect();
            rows.shuffle(&mut rng);
            Pass { ids: ids.select(&rows), values: rows.iter().map(|&row| values[row]).collect() }
        };
        let passes = [&terms.h1, &terms.h2, &terms.i1, &terms.i2, &terms.i12].map(|values| pass(values));
        let [h1, h2, i1, i2, i12] = &passes;
        let joined = Terms::join(ids.clone(), h1, h2, i1, i2, i12).unwrap();
        let Terms { h1, h2, i1, i2, i12, .. } = terms;
        prop_assert_eq!(joined, Terms::new(ids, h1, h2, i1, i2, i12).unwrap());
    }

    #[test]
    fn no_id_may_come_twice(mut names in prop::collection::vec("[a-c]{0,3}", 2..20)) {
        names.sort();
        names.dedup();
        prop_assert!(SampleIds::from_names(&names).is_ok());
        let first = names[0].clone();
        names.push(first);
        prop_assert!(SampleIds::from_names(&names).is_err());
    }
}
