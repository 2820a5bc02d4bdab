//! The summary of rows that were not all in memory at once: what running sums give.
//!
//! The fields that it shares with `summary.json` are called and mean the same. What needs all values at once (intervals,
//! distributions, classes, other gauges) is not there.

use crate::estimator::Estimator;
use lsmi_core::{Adjusted, Interaction, Kind, Means, Measure, adjust};
use serde::Serialize;

use super::{Heads, Information, MeasureSummary, MissingSummary};
use crate::analysis::ordered_map::as_map;
use crate::samples::Sums;

/// Means over the rows of one split.
#[derive(Debug, Clone, Serialize)]
pub struct StreamedSplit {
    /// Rows of the split that were scored; where some lack a modality, those that have both.
    pub n: usize,
    /// The rows that lack a modality, where there are any: nothing else here is about them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<MissingSummary>,
    /// Mutual information of the modalities with the label.
    pub information: Information,
    /// Means of r, u1, u2 and s as they are.
    pub raw: Means,
    /// The same after the shift by one constant, with that constant and the rule that chose it.
    pub adjusted: Adjusted,
    /// Share of rows whose class each head predicts.
    pub accuracy: Heads,
    /// Mean negative log-likelihood of the label under each head.
    pub nll: Heads,
    /// Rows of each kind.
    #[serde(serialize_with = "as_map")]
    pub kinds: Vec<(Kind, usize)>,
    /// The means by each measure that was asked for, the estimator's own first.
    #[serde(serialize_with = "as_map")]
    pub measures: Vec<(Measure, MeasureSummary)>,
}

/// The means of i1, i2 and i12, and of r, u1, u2 and s.
pub(super) fn means(sums: &Sums) -> (Information, Means) {
    let [i1, i2, i12] = [0, 1, 2].map(|place| mean(sums, place));
    (Information { i1, i2, i12 }, parts(sums, 3))
}

impl StreamedSplit {
    /// The means of sums; `measures` are the further ones that were asked for.
    pub fn new(sums: &Sums, estimator: &Estimator, measures: &[Measure]) -> Self {
        let (information, raw) = means(sums);
        let count = sums.n as f64;
        let further = measures.iter().enumerate().filter(|(_, measure)| **measure != estimator.measure());
        let further = further.map(|(place, measure)| (*measure, parts(sums, 7 + 4 * place).into()));
        Self {
            n: sums.n,
            missing: MissingSummary::of_sums(sums),
            information,
            raw,
            adjusted: adjust(&raw),
            accuracy: sums.right.map(|right| right as f64 / count).into(),
            nll: sums.losses.map(|loss| loss / count).into(),
            kinds: Kind::ALL.into_iter().zip(sums.kinds).collect(),
            measures: std::iter::once((estimator.measure(), raw.into())).chain(further).collect(),
        }
    }
}

fn mean(sums: &Sums, place: usize) -> f64 {
    sums.values[place] / sums.n as f64
}

/// The means of r, u1, u2 and s from this place on.
fn parts(sums: &Sums, place: usize) -> Means {
    let [r, u1, u2, s] = std::array::from_fn::<f64, { Interaction::ALL.len() }, _>(|part| mean(sums, place + part));
    Means { r, u1, u2, s }
}
