//! What the summary needs of all rows of a split, as sums that grow with every group.

use crate::estimator::{Expected, PartialScores, Scores};
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
    /// Sums over the rows that lack a modality, which none of the others counts; none if there are no such rows.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub missing: Option<MissingSums>,
}

/// Sums over rows that lack a modality.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MissingSums {
    /// Rows that have x1 alone, and that have x2 alone.
    pub only: [usize; 2],
    /// i1 of the rows that have x1 alone, and i2 of those that have x2 alone.
    pub information: [f64; 2],
    /// Rows of each class that have both modalities, and that lack one; empty of rows without labels.
    pub by_class: Vec<[usize; 2]>,
}

impl MissingSums {
    /// Sums up rows that lack a modality, and counts the classes of the complete rows beside them.
    pub(crate) fn new(partial: &PartialScores, complete: &[u32]) -> Self {
        let mut by_class = Vec::new();
        let labels = partial.only.iter().flat_map(|only| &only.labels);
        for (place, label) in complete.iter().map(|label| (0, label)).chain(labels.map(|label| (1, label))) {
            let class = *label as usize;
            by_class.resize(by_class.len().max(class + 1), [0, 0]);
            by_class[class][place] += 1;
        }
        Self {
            only: partial.only.each_ref().map(|only| only.ids.len()),
            information: partial.only.each_ref().map(|only| sum(&only.information)),
            by_class,
        }
    }

    /// Sums up the rows of a split that lack a modality, if there are any.
    pub(crate) fn of_scored(split: &ScoredSplit) -> Option<Self> {
        split.partial.as_ref().map(|partial| Self::new(&partial.scores, &split.scores.labels))
    }

    fn add(&mut self, more: &Self) {
        for place in 0..2 {
            self.only[place] += more.only[place];
            self.information[place] += more.information[place];
        }
        self.by_class.resize(self.by_class.len().max(more.by_class.len()), [0, 0]);
        for (counts, more) in self.by_class.iter_mut().zip(&more.by_class) {
            (0..2).for_each(|place| counts[place] += more[place]);
        }
    }
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
            missing: MissingSums::of_scored(rows),
        }
    }

    /// Sums up rows scored without labels: there are no predictions to be right, no losses and no kinds.
    pub fn expected(rows: &ExpectedSplit) -> Self {
        let Expected { terms, decomposition, .. } = &rows.expected;
        let values = columns(terms, decomposition).map(sum).to_vec();
        let missing = rows.partial.as_ref().map(|partial| MissingSums::new(&partial.scores, &[]));
        Self { n: terms.ids.len(), values, missing, ..Self::default() }
    }

    /// Adds the sums of more rows.
    pub fn add(&mut self, more: &Self) {
        self.n += more.n;
        // Rows none of which is complete have no sums.
        self.values.resize(self.values.len().max(more.values.len()), 0.0);
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
        if let Some(more) = &more.missing {
            self.missing.get_or_insert_default().add(more);
        }
    }
}

/// Sums up values; a mean that is as exact as that of all rows comes of it.
fn sum(values: &[f64]) -> f64 {
    // No values have no mean.
    if values.is_empty() { 0.0 } else { statistics::mean(values) * values.len() as f64 }
}
