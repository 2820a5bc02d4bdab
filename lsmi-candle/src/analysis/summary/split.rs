//! What `summary.json` holds of one split.

use std::collections::BTreeSet;

use crate::estimator::{Estimator, Seen};
use crate::gates::calibration::reliability_of_heads;
use lsmi_core::statistics::{Reliability, effective_clusters, mean};
use lsmi_core::{Adjusted, Kind, Means, Measure, Sweep, TermMeans, adjust};
use serde::{Deserialize, Serialize};

use super::class::{ClassSummary, by_class};
use super::distribution::Distribution;
use super::intervals::Intervals;
use super::missing::MissingSummary;
use super::quantities::{Columns, Heads, Information, Quantities};
use crate::analysis::ordered_map::{as_map, from_map};
use crate::analysis::summary::NullSummary;
use crate::samples::ScoredSplit;

/// Means over the samples of one split.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SplitSummary {
    /// Samples of the split; where some lack a modality, those that have both.
    pub n: usize,
    /// The samples that lack a modality, where there are any: nothing else here is about them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub missing: Option<MissingSummary>,
    /// Groups of samples that belong together, where there are any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub groups: Option<GroupCount>,
    /// Samples that the models have seen, as far as the command could tell.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub seen: Vec<Seen>,
    /// Mutual information of the modalities with the label.
    pub information: Information,
    /// Mean information of the late fusion p(y|x1) p(y|x2) / p(y), normalised over the classes: what both modalities tell
    /// together where they are independent given the label. None where the posteriors of all classes are not known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub late_fusion: Option<f64>,
    /// Means of r, u1, u2 and s as they are.
    pub raw: Means,
    /// The same after the shift by one constant, with that constant and the rule that chose it.
    pub adjusted: Adjusted,
    /// Share of samples whose class each head predicts.
    pub accuracy: Heads,
    /// Mean negative log-likelihood of the label under each head.
    pub nll: Heads,
    /// Whether each head is right as often as it says.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub calibration: Option<Heads<Reliability>>,
    /// Intervals of the means.
    pub intervals: Intervals,
    /// Quantiles and trimmed mean of each quantity.
    pub distribution: Quantities<Distribution>,
    /// Samples of each kind.
    #[serde(serialize_with = "as_map", deserialize_with = "from_map")]
    pub kinds: Vec<(Kind, usize)>,
    /// The means by each measure that was asked for, the estimator's own first.
    #[serde(serialize_with = "as_map", deserialize_with = "from_map")]
    pub measures: Vec<(Measure, MeasureSummary)>,
    /// What the means depend on besides the data.
    pub diagnostics: Diagnostics,
    /// The samples of each class, by its name, in the order of the classes; classes without samples are not there.
    #[serde(serialize_with = "as_map", deserialize_with = "from_map")]
    pub by_class: Vec<(String, ClassSummary)>,
    /// The means held against those under permuted labels, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub null: Option<NullSummary>,
}

/// How many groups samples are in.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct GroupCount {
    /// The number of groups.
    pub count: usize,
    /// The number of independent samples that they amount to at least, `n² / sum of squared sizes`.
    pub effective: f64,
}

impl GroupCount {
    fn of(numbers: &[u32]) -> Self {
        let distinct: BTreeSet<&u32> = numbers.iter().collect();
        Self { count: distinct.len(), effective: effective_clusters(numbers) }
    }
}

/// Means by one measure.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct MeasureSummary {
    /// Means of r, u1, u2 and s as they are.
    pub raw: Means,
    /// The same after the shift.
    pub adjusted: Adjusted,
}

/// What the means depend on besides the data.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Diagnostics {
    /// The means in other gauges; none for a measure that needs no surprisals, which no gauge moves.
    pub gauge: Option<Sweep>,
}

impl From<Means> for MeasureSummary {
    fn from(raw: Means) -> Self {
        Self { raw, adjusted: adjust(&raw) }
    }
}

impl SplitSummary {
    /// The summary of a split. All splits are scored by the same models, so that their means fall short by as much as those
    /// of the training rows.
    pub(super) fn new(estimator: &Estimator, split: &ScoredSplit) -> lsmi_core::Result<Self> {
        let (measure, seed) = (estimator.measure(), estimator.description().seed);
        let TermMeans { i1, i2, i12, .. } = split.scores.terms.means();
        let raw = split.decomposition.means();
        let short = estimator.description().shortfall.as_ref().map_or([0.0; 7], |of| of.overall);
        let columns = Columns::new(split, &(0..split.decomposition.len()).collect::<Vec<_>>(), short);
        let surprisals: Vec<f64> =
            (split.scores.labels.iter()).map(|label| -estimator.prior().log_probability(*label as usize)).collect();
        let others = split.measures.iter().filter(|(other, _)| *other != measure);
        let others = others.map(|(other, parts)| (*other, parts.means().into()));
        let count = |kind| split.kinds.iter().filter(|of| **of == kind).count();
        Ok(Self {
            n: split.decomposition.len(),
            missing: MissingSummary::of_split(split),
            groups: split.scores.groups.as_deref().map(GroupCount::of),
            seen: split.seen.clone(),
            information: Information { i1, i2, i12 },
            late_fusion: None,
            raw,
            adjusted: adjust(&raw),
            accuracy: split.scores.accuracy().into(),
            nll: split.scores.negative_log_likelihood(estimator.prior()).into(),
            calibration: (!split.scores.labels.is_empty()).then(|| reliability_of_heads(&split.scores).into()),
            intervals: Intervals::new(&columns, seed, &split.name, mean(&surprisals))?,
            distribution: Distribution::of_columns(&columns),
            kinds: Kind::ALL.into_iter().map(|kind| (kind, count(kind))).collect(),
            measures: std::iter::once((measure, raw.into())).chain(others).collect(),
            diagnostics: Diagnostics { gauge: Sweep::new(&split.scores.terms, measure) },
            by_class: by_class(split, estimator)?,
            null: None,
        })
    }
}
