//! Specificity: whether synergy or uniqueness is seen where there is none.
//!
//! Each modality is paired with its own copy, rotated at random and scaled:
//!
//! ```text
//! x1' = x,   x2' = 3 Q (standardised x),   Q random orthogonal
//! ```
//!
//! The two tell the same of the user's label, so that i1 = i2 = i12 and with that r = i1 and u1 = u2 = s = 0 for every
//! sample, in any gauge. What is found beyond comes from heads that disagree with themselves in other coordinates or in
//! twice as many. The [figure](super::Gate::figure) is the largest of |S|, |U1| and |U2|, in nats.

use std::collections::BTreeMap;

use faer::MatRef;
use lsmi_core::Means;
use lsmi_core::random::{ChaCha8Rng, stream};
use rand::Rng;
use rand_distr::StandardNormal;

use super::bench::{Bench, matrix, means};
use super::{Gate, Verdict};
use crate::error::Result;
use crate::numbers::linear_algebra::product_transposed;
use crate::numbers::matrix::Matrix;

/// The scale of the copy. Heads and the whitened gauge take it out again; in the raw gauge it moves the surprisals apart.
const SCALE: f64 = 3.0;
/// The nats that pass: the smallest synergy anyone would report.
const PASS: f64 = 0.02;
/// Nats beyond which the data fails.
const WARN: f64 = 0.05;

pub(super) fn ask(bench: &Bench<'_>) -> Result<Gate> {
    let mut random = stream(bench.settings.seed, "gate specificity");
    let (mut figure, mut all) = (0.0f64, BTreeMap::new());
    for (name, original, standardised) in
        [("x1", &bench.rows.x1, &bench.standardised[0]), ("x2", &bench.rows.x2, &bench.standardised[1])]
    {
        let rows = bench.with_features(original.clone(), turned(standardised, &mut random));
        let fit = bench.fit(&format!("specificity of {name}"), &rows, bench.classes, &bench.settings)?;
        let Means { r, u1, u2, s } = means(&fit);
        for (part, value) in [("r", r), ("u1", u1), ("u2", u2), ("s", s)] {
            all.insert(format!("{part}_of_{name}"), value);
        }
        figure = [u1, u2, s].into_iter().fold(figure, |largest, value| largest.max(value.abs()));
    }
    let verdict = Verdict::from_bounds(figure, PASS, WARN);
    Ok(Gate {
        name: "specificity".into(),
        did: format!(
            "paired each modality with its own copy, rotated at random and scaled by {SCALE}, over {} rows",
            bench.rows.rows()
        ),
        figure,
        figures: all,
        threshold: PASS,
        why: "a modality shares everything with its copy: S, U1 and U2 are 0, and 0.02 nats is less than anyone would report"
            .to_owned(),
        verdict,
        advice: (verdict > Verdict::Pass).then(|| {
            format!("synergy and uniqueness up to {figure:.3} nats are no evidence here; use more rows or fewer columns")
        }),
    })
}

/// Returns the rows turned by a random orthogonal map and scaled.
fn turned(x: &Matrix, random: &mut ChaCha8Rng) -> Matrix {
    let columns = x.columns();
    let mut values = product_transposed(x.values(), &orthogonal(columns, random), columns);
    for value in &mut values {
        *value *= SCALE;
    }
    matrix(columns, values)
}

/// Returns a random orthogonal matrix, `[size, size]` row-major: the orthogonal factor of one of normal draws (Stewart,
/// 1980).
fn orthogonal(size: usize, random: &mut ChaCha8Rng) -> Vec<f64> {
    let draws: Vec<f64> = (0..size * size).map(|_| random.sample(StandardNormal)).collect();
    let factor = MatRef::from_row_major_slice(&draws, size, size).qr().compute_Q();
    let entries = (0..size).flat_map(|row| (0..size).map(move |column| (row, column)));
    entries.map(|entry| factor[entry]).collect()
}

#[cfg(test)]
mod tests {
    use super::super::bench::{Fits, tests};
    use super::*;

    #[test]
    fn turning_keeps_angles_and_scales_lengths() {
        let mut random = stream(0, "test");
        let x = matrix(5, (0..35).map(|_| random.sample(StandardNormal)).collect());
        let turned = turned(&x, &mut random);
        let (before, after) =
            (product_transposed(x.values(), x.values(), 5), product_transposed(turned.values(), turned.values(), 5));
        for (before, after) in before.iter().zip(&after) {
            assert!((SCALE * SCALE * before - after).abs() < 1e-11);
        }
        assert!(x.values().iter().zip(turned.values()).all(|(x, turned)| (x - turned / SCALE).abs() > 1e-3));
    }

    #[test]
    fn a_modality_has_neither_synergy_nor_uniqueness_with_its_copy() {
        let (settings, classes) = tests::settings();
        let rows = tests::draw(lsmi_core::FamilyName::Rdn, 200, 3);
        let bench = Bench::new(rows, &classes, &settings, Fits::new(None, 2)).unwrap();
        let gate = ask(&bench).unwrap();
        assert!(gate.verdict == Verdict::Pass && gate.figure <= 0.02, "{gate:?}");
        assert!((gate.figures["r_of_x2"] - std::f64::consts::LN_2).abs() < 0.02, "{gate:?}");
    }
}
