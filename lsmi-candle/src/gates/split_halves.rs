//! Split halves: how much synergy a modality has with itself.
//!
//! The columns of a modality are dealt at random to two halves, which take the places of x1 and x2. Halves may well have
//! synergy, so that this gate never fails. But where they have as much as the two modalities, the synergy of the data is
//! that of any two pieces of features, and no evidence that one modality needs the other. The
//! [figure](super::Gate::figure) is the largest S of halves, the threshold the S of the data if that is large enough to be
//! reported, both in nats.

use std::collections::BTreeMap;

use lsmi_core::Means;
use lsmi_core::random::stream;
use rand::seq::SliceRandom;

use super::bench::{Bench, matrix, means};
use super::{Gate, Verdict};
use crate::densities::gauge::Dims;
use crate::error::Result;
use crate::estimator::{CrossFit, Settings};
use crate::numbers::matrix::Matrix;

/// The nats below which nobody would report a synergy, neither of halves nor of the data.
const NOTHING: f64 = 0.02;

pub(super) fn ask(bench: &Bench<'_>, fit: &CrossFit) -> Result<Option<Gate>> {
    // Halves have fewer columns than whatever number of dimensions was chosen for the whole.
    let settings = Settings { dims: Dims::Auto, ..bench.settings.clone() };
    let mut random = stream(settings.seed, "gate split halves");
    let (mut figure, mut all) = (f64::NEG_INFINITY, BTreeMap::new());
    for (name, x, columns) in [("x1", &bench.rows.x1, &bench.columns[0]), ("x2", &bench.rows.x2, &bench.columns[1])] {
        if columns.len() < 2 {
            continue;
        }
        let mut columns = columns.clone();
        columns.shuffle(&mut random);
        let (first, second) = columns.split_at(columns.len() / 2);
        let rows = bench.with_features(select_columns(x, first), select_columns(x, second));
        let halves = bench.fit(&format!("split halves of {name}"), &rows, bench.classes, &settings)?;
        let Means { r, u1, u2, s } = means(&halves);
        for (part, value) in [("r", r), ("u1", u1), ("u2", u2), ("s", s)] {
            all.insert(format!("{part}_of_{name}"), value);
        }
        figure = figure.max(s);
    }
    if all.is_empty() {
        return Ok(None);
    }
    let data_synergy = means(fit).s;
    all.insert("s".to_owned(), data_synergy);
    let threshold = data_synergy.max(NOTHING);
    let verdict = if figure <= threshold { Verdict::Pass } else { Verdict::Warn };
    Ok(Some(Gate {
        name: "split_halves".into(),
        did: format!(
            "paired one random half of the columns of each modality with the other half, over {} rows",
            bench.rows.rows()
        ),
        figure,
        figures: all,
        threshold,
        why: format!("the S of the data itself, or {NOTHING} nats where it has none: a synergy between modalities should exceed that within one"),
        verdict,
        advice: (verdict > Verdict::Pass).then(|| {
            format!(
                "S = {data_synergy:.3} nats is no more than the S = {figure:.3} that one modality has with itself: no evidence that the label needs both"
            )
        }),
    }))
}

fn select_columns(x: &Matrix, columns: &[usize]) -> Matrix {
    let rows = x.values().chunks_exact(x.columns());
    matrix(columns.len(), rows.flat_map(|row| columns.iter().map(|column| row[*column])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_taken_in_the_order_given() {
        let x = matrix(3, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(select_columns(&x, &[2, 0]).values(), [3.0, 1.0, 6.0, 4.0]);
    }
}
