//! What the summary needs of all rows of a split, as sums that grow with every group.

use crate::estimator::{Expected, Scores};
use lsmi_core::{ClassPrior, Interaction, Kind, statistics};
use serde::{Deserialize, Serialize};

use super::scored::columns;
use super::{ExpectedSplit, ScoredSplit};

/// Sums over the rows of a split.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sums {
    /// Rows.
    pub n: usize,
    /// i1, i2, i12, r, u1, u2, s, and then r, u1, u2, s by each further measure.
    pub values: Vec<f64>,
    /// Rows whose class each head predicts.
    pub right: [usize; 3],
    /// Negative log posteriors of the labels under each head.
    pub losses: [f64; 3],
    /// Rows of each kind, in the order of [`Kind::ALL`].
    pub kinds: [usize; Kind::ALL.len()],
}

impl Sums {
    /// Sums up scored rows.
    pub fn scored(rows: &ScoredSplit, prior: &ClassPrior) -> Self {
        let Scores { terms, labels, predictions, .. } = &rows.scores;
        let of_measures = rows.measures.iter().flat_map(|(_, parts)| Interaction::ALL.map(|part| parts.values(part)));
        let log_prior: Vec<f64> = labels.iter().map(|label| prior.log_probability(*label as usize)).collect();
        let loss = |information: &[f64]| {
            let losses = information.iter().zip(&log_prior).map(|(information, prior)| -information - prior);
            sum(&losses.collect::<Vec<_>>())
        };
        let right =
            |predictions: &Vec<u32>| predictions.iter().zip(labels).filter(|(head, label)| head == label).count();
        Self {
            n: labels.len(),
            values: columns(terms, &rows.decomposition).into_iter().chain(of_measures).map(sum).collect(),
            right: predictions.each_ref().map(right),
            losses: [&terms.i1, &terms.i2, &terms.i12].map(|information| loss(information)),
            kinds: Kind::ALL.map(|kind| rows.kinds.iter().filter(|of| **of == kind).count()),
        }
    }

    /// Sums up rows scored without labels: there are no predictions to be right, no losses and no kinds.
    pub fn expected(rows: &ExpectedSplit) -> Self {
        let Expected { terms, decomposition, .. } = &rows.expected;
        let values = columns(terms, decomposition).map(sum).to_vec();
        Self { n: terms.ids.len(), values, ..Self::default() }
    }

    /// Adds the sums of more rows.
    pub fn add(&mut self, more: &Self) {
        self.n += more.n;
        self.values.resize(more.values.len(), 0.0);
        for (sum, value) in self.values.iter_mut().zip(&more.values) {
            *sum += value;
        }
        for head in 0..3 {
            self.right[head] += more.right[head];
            self.losses[head] += more.losses[head];
        }
        for (count, more) in self.kinds.iter_mut().zip(more.kinds) {
            *count += more;
        }
    }
}

/// Sums up values; a mean that is as exact as that of all rows comes of it.
fn sum(values: &[f64]) -> f64 {
    statistics::mean(values) * values.len() as f64
}
