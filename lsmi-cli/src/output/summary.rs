//! `summary.json`: means over the samples of each split, in nats, and what they were estimated with.
//!
//! Field names are stable; new ones may be added. The means are taken over the very values in the file of samples.

use lsmi_candle::estimator::Estimator;
use lsmi_candle::gauge::GaugeKind;
use lsmi_core::{Adjusted, Means, Measure, TermMeans, adjust};
use serde::{Serialize, Serializer};

use super::null::NullSummary;
use crate::scored::ScoredSplit;

/// Version of the layout of `summary.json`.
const SCHEMA: u32 = 1;

/// All of `summary.json`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Summary {
    /// Version of this layout.
    pub(crate) schema: u32,
    /// Version of the program.
    pub(crate) version: &'static str,
    /// Always `nats`.
    pub(crate) units: &'static str,
    /// Seed of the fit.
    pub(crate) seed: u64,
    /// The coordinates in which surprisal is measured.
    pub(crate) gauge: GaugeKind,
    /// How the class prior was chosen: `empirical`, `uniform` or `given`.
    pub(crate) prior: String,
    /// The measure of redundancy.
    pub(crate) measure: Measure,
    /// Rows that the estimator was fitted on.
    pub(crate) n: usize,
    /// Columns of the features, and dimensions of the gauge.
    pub(crate) dims: Dimensions,
    /// Folds of the cross-fitting.
    pub(crate) folds: usize,
    /// SHA-256 of the rows that the estimator was fitted on.
    pub(crate) data_hash: String,
    /// Class names, in the order of the class indices.
    pub(crate) classes: Vec<String>,
    /// The splits, in the order of the samples.
    #[serde(serialize_with = "as_map")]
    pub(crate) splits: Vec<(String, SplitSummary)>,
    /// What a user should know of the fit, in sentences.
    pub(crate) notes: Vec<String>,
}

/// Columns of the features, and dimensions of the gauge.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Dimensions {
    /// Columns of x1.
    pub(crate) x1: usize,
    /// Columns of x2.
    pub(crate) x2: usize,
    /// Dimensions in which surprisal is measured.
    pub(crate) gauge: GaugeDimensions,
}

/// Dimensions in which surprisal is measured.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct GaugeDimensions {
    /// Of x1.
    pub(crate) x1: usize,
    /// Of x2.
    pub(crate) x2: usize,
}

/// Means over the samples of one split.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SplitSummary {
    /// Samples of the split.
    pub(crate) n: usize,
    /// Mutual information of the modalities with the label.
    pub(crate) information: Information,
    /// Means of r, u1, u2 and s as they are.
    pub(crate) raw: Means,
    /// The same after the shift by one constant, with that constant and the rule that chose it.
    pub(crate) adjusted: Adjusted,
    /// Share of samples whose class each head predicts.
    pub(crate) accuracy: Heads,
    /// Mean negative log-likelihood of the label under each head.
    pub(crate) nll: Heads,
    /// The means held against those under permuted labels, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) null: Option<NullSummary>,
}

/// Mutual information of the modalities with the label.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Information {
    /// I(x1; y).
    pub(crate) i1: f64,
    /// I(x2; y).
    pub(crate) i2: f64,
    /// I(x1, x2; y).
    pub(crate) i12: f64,
}

/// One value for each head.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Heads {
    /// The head that sees x1.
    pub(crate) x1: f64,
    /// The head that sees x2.
    pub(crate) x2: f64,
    /// The head that sees both.
    pub(crate) joint: f64,
}

impl From<[f64; 3]> for Heads {
    fn from([x1, x2, joint]: [f64; 3]) -> Self {
        Self { x1, x2, joint }
    }
}

impl Summary {
    /// Summarises splits scored by an estimator.
    pub(crate) fn new(estimator: &Estimator, splits: &[ScoredSplit]) -> Self {
        let description = estimator.description();
        let [x1, x2] = description.dims;
        let [gauge1, gauge2] = description.gauge_dims;
        Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            units: "nats",
            seed: description.seed,
            gauge: description.gauge,
            prior: description.prior.clone(),
            measure: description.measure,
            n: description.rows,
            dims: Dimensions { x1, x2, gauge: GaugeDimensions { x1: gauge1, x2: gauge2 } },
            folds: description.folds,
            data_hash: description.data_hash.clone(),
            classes: estimator.classes().names().to_vec(),
            splits: splits.iter().map(|split| (split.name.clone(), SplitSummary::new(estimator, split))).collect(),
            notes: estimator.notes().to_vec(),
        }
    }
}

impl SplitSummary {
    fn new(estimator: &Estimator, split: &ScoredSplit) -> Self {
        let TermMeans { i1, i2, i12, .. } = split.scores.terms.means();
        let raw = split.decomposition.means();
        Self {
            n: split.decomposition.len(),
            information: Information { i1, i2, i12 },
            raw,
            adjusted: adjust(&raw),
            accuracy: split.scores.accuracy().into(),
            nll: split.scores.negative_log_likelihood(estimator.prior()).into(),
            null: None,
        }
    }
}

/// An object with the splits by name, in their order.
fn as_map<S: Serializer>(splits: &[(String, SplitSummary)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(splits.iter().map(|(name, summary)| (name, summary)))
}
