//! Power: whether a synergy would be seen.
//!
//! A fresh label y = b1 xor b2 of two fair bits is planted in the user's own features, which serve as the noise:
//!
//! ```text
//! x_m' = standardised x_m + strength * (2 b_m - 1) * w_m,   w_m a random unit vector
//! ```
//!
//! Neither modality tells anything of such a label, both together tell it: r = u1 = u2 = 0 and s = i12 in any gauge. A fit
//! that finds no synergy here would find none in the data either, and one that has memorised its rows calls it redundancy.
//! The [figure](super::Gate::figure) is S / ln 2.

use std::f64::consts::LN_2;

use lsmi_core::families::{Family, Gate as GateFamily};
use lsmi_core::random::{ChaCha8Rng, stream};
use lsmi_core::statistics::mean;
use lsmi_core::{Means, PriorChoice};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_distr::StandardNormal;

use super::bench::{Bench, matrix, means, standard_error};
use super::{Gate, Verdict, figures};
use crate::error::Result;
use crate::estimator::Settings;
use crate::features::{Classes, FeatureSet};
use crate::numbers::matrix::Matrix;

/// The share of the planted synergy that has to be found. At the default strength, where 98.6 % of ln 2 are planted, a
/// little above half of this is half of ln 2.
const SHARE: f64 = 0.51;
/// The largest synergy that is required, as a share of ln 2.
const MOST: f64 = 0.5;
/// Redundancy that the planted label must not be taken for, in nats.
const REDUNDANCY: f64 = 0.1;
/// The synergy beyond the planted one that shows terms gone wrong, in nats.
const EXCESS: f64 = 0.1;
/// Standard errors that the mean synergy must be above 0.
const ERRORS: f64 = 2.0;
/// Draws that the planted synergy is computed from: its standard error is then below 0.002 nats.
const DRAWS: usize = 50_000;

/// The synergy and redundancy found for the planted label.
struct Found {
    means: Means,
    /// The standard error of the mean synergy.
    error: f64,
    /// The synergy that there was to find, in nats.
    planted: f64,
}

pub(super) fn ask(bench: &Bench<'_>, strength: f64) -> Result<Gate> {
    let (rows, classes) = plant(bench, strength);
    // The label is fair whatever prior the data's own has.
    let settings = Settings { prior: PriorChoice::Empirical, ..bench.settings.clone() };
    let fit = bench.fit("power", &rows, &classes, &settings)?;
    let parts = fit.estimator.measure().decompose(&fit.scores.terms, &fit.scores.labels);
    let found = Found { means: means(&fit), error: standard_error(&parts.s), planted: planted_synergy(strength)? };

    let (terms, accuracy) = (fit.scores.terms.means(), fit.scores.accuracy());
    let (verdict, advice) = found.judge();
    Ok(Gate {
        name: "power".into(),
        did: format!(
            "planted an exclusive or of two fair bits in the {} rows, a bit in each modality along a random direction of its {} and {} columns, {strength} standard deviations from the middle",
            rows.rows(),
            rows.x1.columns(),
            rows.x2.columns(),
        ),
        figure: found.means.s / LN_2,
        figures: figures([
            ("r", found.means.r),
            ("u1", found.means.u1),
            ("u2", found.means.u2),
            ("s", found.means.s),
            ("i1", terms.i1),
            ("i2", terms.i2),
            ("i12", terms.i12),
            ("accuracy_x1", accuracy[0]),
            ("accuracy_x2", accuracy[1]),
            ("accuracy_joint", accuracy[2]),
            ("planted", found.planted),
        ]),
        threshold: found.threshold(),
        why: format!(
            "half of what there is to find: in standard normal noise such a plant has S = {:.3} nats of ln 2 = 0.693, and R = 0",
            found.planted
        ),
        verdict,
        advice,
    })
}

impl Found {
    /// Returns the share of ln 2 that has to be found.
    fn threshold(&self) -> f64 {
        (SHARE * self.planted / LN_2).min(MOST)
    }

    fn judge(&self) -> (Verdict, Option<String>) {
        let Means { r, s, .. } = self.means;
        if r.abs() > REDUNDANCY {
            let advice = format!(
                "a pure synergy was reported as R = {r:.3} nats of redundancy: neither R nor S of this data means anything; use more rows or fewer columns"
            );
            (Verdict::Fail, Some(advice))
        } else if s / LN_2 < self.threshold() || s <= ERRORS * self.error {
            let advice = "no power: a synergy of this strength would go unseen, and S near 0 means nothing here; use more rows or fewer columns (the leading principal components)";
            (Verdict::Fail, Some(advice.to_owned()))
        } else if s > self.planted + EXCESS {
            let advice = format!(
                "more synergy was found than there is, by {:.3} nats: heads of one modality do worse than the class frequencies; use more rows or fewer columns",
                s - self.planted
            );
            (Verdict::Warn, Some(advice))
        } else {
            (Verdict::Pass, None)
        }
    }
}

/// Returns the rows with a planted label.
fn plant(bench: &Bench<'_>, strength: f64) -> (FeatureSet, Classes) {
    let mut random = stream(bench.settings.seed, "gate power");
    let n = bench.rows.rows();
    // Every pair of bits in a quarter of the rows, so that no class is short of rows for the folds.
    let mut pairs: Vec<[bool; 2]> = (0..n).map(|place| [place % 2 == 1, place / 2 % 2 == 1]).collect();
    pairs.shuffle(&mut random);
    let mut planted = |modality: usize| {
        let x = &bench.standardised[modality];
        let direction = unit_vector(x.columns(), &mut random);
        move_rows(x, &direction, |row| if pairs[row][modality] { strength } else { -strength })
    };
    let (x1, x2) = (planted(0), planted(1));
    let mut rows = bench.with_features(x1, x2);
    rows.labels = pairs.iter().map(|[first, second]| u32::from(first != second)).collect();
    #[expect(clippy::expect_used, reason = "two different names")]
    let classes = Classes::new(vec!["equal".to_owned(), "different".to_owned()]).expect("two classes");
    (rows, classes)
}

fn move_rows(x: &Matrix, direction: &[f64], distance: impl Fn(usize) -> f64) -> Matrix {
    let rows = x.values().chunks_exact(x.columns()).enumerate();
    let moved = rows.flat_map(|(row, values)| {
        let distance = distance(row);
        values.iter().zip(direction).map(move |(value, along)| value + distance * along)
    });
    matrix(x.columns(), moved.collect())
}

/// Returns a direction uniform on the sphere.
fn unit_vector(dims: usize, random: &mut ChaCha8Rng) -> Vec<f64> {
    let vector: Vec<f64> = (0..dims).map(|_| random.sample(StandardNormal)).collect();
    let length = vector.iter().map(|value| value * value).sum::<f64>().sqrt();
    // A normal draw of exactly 0 does not come; were it to, any direction would do.
    if length > 0.0 { vector.iter().map(|value| value / length).collect() } else { unit_vector(dims, random) }
}

/// Returns the exact synergy of a plant in standard normal noise, in nats: the mean i12 of the family `xor` of that
/// amplitude, where only the coordinate along the bit matters.
fn planted_synergy(strength: f64) -> Result<f64> {
    let family =
        GateFamily { pmf: GateFamily::XOR, w1: vec![1.0], w2: vec![1.0], amplitude: strength, sigma: 1.0 }.mixture()?;
    let draw = family.sample(DRAWS, &mut stream(0, "planted synergy"));
    Ok(mean(&family.terms(&draw)?.i12))
}

#[cfg(test)]
mod tests {
    use super::super::bench::{Fits, tests::settings};
    use super::*;
    use lsmi_core::SampleIds;

    fn found(r: f64, s: f64) -> Found {
        Found { means: Means { r, u1: -r, u2: -r, s }, error: 0.01, planted: 0.68 }
    }

    #[test]
    fn half_of_a_strong_plant_is_half_of_ln_2() {
        let planted = planted_synergy(3.0).unwrap();
        assert!((planted / LN_2 - 0.986).abs() < 0.004, "{}", planted / LN_2);
        assert_eq!(Found { planted, ..found(0.0, 0.0) }.threshold(), 0.5);
        let weak = planted_synergy(1.0).unwrap();
        assert!(weak > 0.05 && weak < 0.3, "{weak}");
        assert_eq!(Found { planted: weak, ..found(0.0, 0.0) }.threshold(), 0.51 * weak / LN_2);
    }

    #[test]
    fn what_is_no_synergy_fails() {
        assert_eq!(found(0.02, 0.6).judge(), (Verdict::Pass, None));
        let words = |found: Found| {
            let (verdict, advice) = found.judge();
            (verdict, advice.unwrap())
        };
        let (verdict, advice) = words(found(0.02, 0.3));
        assert!(verdict == Verdict::Fail && advice.starts_with("no power"));
        for r in [0.65, -0.2] {
            let (verdict, advice) = words(found(r, 0.6));
            assert!(verdict == Verdict::Fail && advice.contains("redundancy"));
        }
        let (verdict, advice) = words(found(0.0, 2.33));
        assert!(verdict == Verdict::Warn && advice.starts_with("more synergy"));
        let (verdict, _) = words(Found { error: 0.4, ..found(0.0, 0.6) });
        assert_eq!(verdict, Verdict::Fail, "within chance of none");
    }

    /// So few rows that earlier estimators took a pure synergy for redundancy, or saw nothing.
    #[test]
    fn a_plant_in_64_columns_of_579_rows_is_found_or_reported() {
        let mut random = stream(0, "noise");
        let mut noise = || matrix(64, (0..579 * 64).map(|_| random.sample(StandardNormal)).collect());
        let (x1, x2) = (noise(), noise());
        let labels = (0..579).map(|row| row % 2).collect();
        let rows = FeatureSet::new(SampleIds::rows(579), x1, x2, labels).unwrap();
        let (settings, classes) = settings();
        let bench = Bench::new(rows, &classes, &settings, Fits::new(None, 1)).unwrap();
        let gate = ask(&bench, 3.0).unwrap();
        assert_eq!(gate.threshold, 0.5);
        assert!(gate.figure >= 0.5 || gate.verdict == Verdict::Fail, "{gate:?}");
        assert!(gate.figures["r"].abs() <= REDUNDANCY || gate.verdict == Verdict::Fail, "{gate:?}");
        // What these heads and densities have been able to do since the gate was written.
        assert_eq!(gate.verdict, Verdict::Pass, "{gate:?}");
    }

    #[test]
    fn planted_bits_are_fair_and_move_the_rows_along_a_line() {
        let rows = super::super::bench::tests::draw(lsmi_core::FamilyName::Or, 40, 3);
        let (settings, classes) = settings();
        let bench = Bench::new(rows, &classes, &settings, Fits::new(None, 1)).unwrap();
        let (planted, _) = plant(&bench, 2.5);
        assert_eq!(planted.labels.iter().sum::<u32>(), 20);
        let moves = |x: &Matrix, standardised: &Matrix| -> Vec<Vec<f64>> {
            let rows = x.values().chunks_exact(3).zip(standardised.values().chunks_exact(3));
            rows.map(|(x, z)| x.iter().zip(z).map(|(x, z)| x - z).collect()).collect()
        };
        let moves = [moves(&planted.x1, &bench.standardised[0]), moves(&planted.x2, &bench.standardised[1])];
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let mut first = None;
        for (row, label) in planted.labels.iter().enumerate() {
            // The sides of the first row may be of either bit, so labels are compared with its own.
            let side = |moves: &[Vec<f64>]| dot(&moves[row], &moves[0]) / (2.5 * 2.5);
            let (one, two) = (side(&moves[0]), side(&moves[1]));
            assert!((one.abs() - 1.0).abs() < 1e-12 && (two.abs() - 1.0).abs() < 1e-12);
            let first = *first.get_or_insert(*label);
            assert_eq!(u32::from(one * two < 0.0), u32::from(*label != first), "row {row}");
        }
    }
}
