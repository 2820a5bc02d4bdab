//! Which measure says what kind a sample is: the family `groups`, five groups of equal size, each of one kind.
//!
//! Expected means of pm, sx, mmi and ccs are published to two decimals from 40,000 samples, about 8,000 a group; with as
//! many here, a deviation of 0.5 nat gives a standard error of 0.006 on either side, so the tolerance is 0.03.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use lsmi_core::{
    ClassPrior, Draw, FamilyName, Interaction, Kind, Measure, Modality, Reference, Settings, Terms,
    families::Groups,
    kind::kinds,
    random::stream,
    statistics::{mean, roc_area},
};

const GROUPS: usize = 5;
const SAMPLES: usize = 40_000;
const TOLERANCE: f64 = 0.03;

fn planted() -> (Draw, Terms) {
    let family = FamilyName::Groups.build(&Settings { dims: 12, ..Settings::default() }).unwrap();
    let draw = family.sample(SAMPLES, &mut stream(0, "planted test"));
    let terms = family.terms(&draw).unwrap();
    (draw, terms)
}

/// Checks the means of every group and, of r, u1, u2 and s each, the area under the ROC curve against all other groups.
///
/// The groups treat both modalities and both classes alike, so that neither modality is the weaker one, not even for a
/// class: `reference` breaks the tie, and the samples drawn do not.
#[track_caller]
fn check(measure: Measure, reference: &Reference, expected: [[f64; 4]; GROUPS], areas: [f64; 4], tolerance: f64) {
    let (draw, terms) = planted();
    let parts = measure.decompose_with(&terms, &draw.labels, reference);
    let groups = draw.groups.unwrap();
    for (group, expected) in (0..).zip(&expected) {
        for (part, expected) in Interaction::ALL.into_iter().zip(expected) {
            let all = parts.values(part).iter().zip(&groups);
            let found = mean(&all.filter(|(_, of)| **of == group).map(|(value, _)| *value).collect::<Vec<_>>());
            assert!((found - expected).abs() < TOLERANCE, "{part} of group {group}: {found} instead of {expected}");
        }
    }
    for ((group, part), expected) in (0..).zip(Interaction::ALL).zip(areas) {
        // Components that vanish do so to rounding only, so values are compared to 12 decimals.
        let values: Vec<f64> = parts.values(part).iter().map(|value| (value * 1e12).round()).collect();
        let is_member: Vec<bool> = groups.iter().map(|of| *of == group).collect();
        let found = roc_area(&values, &is_member).unwrap();
        assert!((found - expected).abs() < tolerance, "area of {part}: {found} instead of {expected}");
    }
}

/// What breaks the ties, by class.
fn weaker(of_class: [Modality; 2]) -> Reference {
    Reference { weaker: Modality::One, weaker_of_class: of_class.to_vec() }
}

const ONE: [Modality; 2] = [Modality::One; 2];

#[test]
fn pm_is_right_on_average_only() {
    let unique1 = [0.38, 0.31, -0.38, 0.38];
    let unique2 = [0.38, -0.38, 0.31, 0.38];
    let expected = [[0.69, 0.0, 0.0, 0.01], unique1, unique2, [0.0, 0.0, 0.0, 0.68], [0.0; 4]];
    // Many samples have a uniqueness of exactly 0. The published areas come from the literal formula, whose rounding
    // breaks these ties: it moves the areas of u1 and u2 by about 0.012 below those of tied values. Hence the wider tolerance.
    check(Measure::Pm, &weaker(ONE), expected, [0.87, 0.77, 0.77, 0.83], 0.03);
}

#[test]
fn sx_tells_kinds_apart() {
    let unique1 = [0.37, 0.32, -0.37, 0.37];
    let unique2 = [0.37, -0.37, 0.32, 0.37];
    let expected = [[0.69, 0.0, 0.0, 0.01], unique1, unique2, [0.0, 0.0, 0.0, 0.68], [0.0; 4]];
    check(Measure::Sx, &weaker(ONE), expected, [0.997, 0.998, 0.998, 0.989], 0.01);
}

#[test]
fn mmi_takes_one_modality_for_redundant() {
    let expected =
        [[0.69, 0.0, 0.0, 0.0], [0.69, 0.0, -0.69, 0.69], [0.0, 0.0, 0.69, 0.0], [0.0, 0.0, 0.0, 0.68], [0.0; 4]];
    check(Measure::Mmi, &weaker(ONE), expected, [0.88, 0.50, 0.998, 0.83], 0.01);
}

/// Where the same modality is the weaker one for both classes, `min` is `mmi`. Where each is for one class, as may
/// happen with equally good modalities, half of the samples of a unique group are called redundant. With bits that are
/// read without error, r is log 2 in half of U1, half of U2 and all of R, so that its area is 1 - 1/8; half of U1 has u1 =
/// log 2, above all other groups, and the other half 0, above the half of U2 with -log 2 and tied with, or as often above
/// as below, the rest: 1/2 + (1/8 + 7/16)/2. The area of s is that of `mmi`.
#[test]
fn min_takes_one_modality_for_redundant_class_by_class() {
    let (unique1, unique2) = ([0.345, 0.345, -0.345, 0.345], [0.345, -0.345, 0.345, 0.345]);
    let expected = [[0.69, 0.0, 0.0, 0.0], unique1, unique2, [0.0, 0.0, 0.0, 0.68], [0.0; 4]];
    let each = weaker([Modality::One, Modality::Two]);
    check(Measure::Min, &each, expected, [0.875, 0.781, 0.781, 0.83], 0.01);

    let (draw, terms) = planted();
    let parts = |measure: Measure| measure.decompose_with(&terms, &draw.labels, &weaker(ONE));
    assert_eq!(parts(Measure::Min), parts(Measure::Mmi));
}

#[test]
fn ccs_is_right_for_every_kind() {
    let expected =
        [[0.69, 0.0, 0.0, 0.0], [0.0, 0.69, 0.0, 0.0], [0.0, 0.0, 0.69, 0.0], [0.0, 0.0, 0.0, 0.68], [0.0; 4]];
    check(Measure::Ccs, &weaker(ONE), expected, [0.998, 0.999, 0.998, 0.995], 0.01);
}

/// A bit 3 deviations from the middle is read wrongly once in 740 samples, and then the kind is another.
#[test]
fn kinds_are_those_of_the_groups() {
    let (draw, terms) = planted();
    // Of two equally frequent classes, the one whose i12 is positive is predicted.
    let predictions: Vec<u32> =
        draw.labels.iter().zip(&terms.i12).map(|(label, i12)| if *i12 > 0.0 { *label } else { 1 - label }).collect();
    let kinds = kinds(&terms, &draw.labels, &predictions, &ClassPrior::uniform(2).unwrap()).unwrap();
    let mut counts = [[0_usize; Kind::ALL.len()]; GROUPS];
    for (group, kind) in draw.groups.unwrap().into_iter().zip(kinds) {
        counts[group as usize][Kind::ALL.iter().position(|of| *of == kind).unwrap()] += 1;
    }
    for (group, counts) in counts.iter().enumerate() {
        assert_eq!(Kind::ALL[group], Groups::KINDS[group]);
        let right = counts[group] as f64 / counts.iter().sum::<usize>() as f64;
        assert!(right > 0.99, "group {group}: {counts:?}");
    }
}
