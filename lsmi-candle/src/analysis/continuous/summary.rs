//! `summary.json` of continuous targets: the fields of that of classes where they have a meaning, `r_squared` and `pit` in the
//! place of accuracy and calibration.

use lsmi_core::statistics::{Uniformity, mean, standard_deviation, uniformity};
use lsmi_core::{Adjusted, Means, Measure, TermMeans, adjust};
use serde::{Deserialize, Serialize};

use super::{ScoredTargets, decompose};
use crate::analysis::names::Names;
use crate::analysis::ordered_map::{as_map, from_map};
use crate::analysis::summary::{
    Columns, Dimensions, Distribution, GaugeDimensions, Heads, Information, Intervals, Quantities,
};
use crate::densities::gauge::GaugeKind;
use crate::estimator::Grouping;
use crate::estimator::continuous::{ContinuousEstimator, ContinuousScores, Targets};
use crate::samples::scored::columns;

/// Version of this layout.
const SCHEMA: u32 = 1;

/// All of `summary.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ContinuousSummary {
    /// Version of this layout.
    pub schema: u32,
    /// Version of the program.
    pub version: String,
    /// Always `continuous`.
    pub target: String,
    /// Whether targets are analysed one by one or jointly.
    pub analysed: Targets,
    /// Always `nats`.
    pub units: String,
    /// What the two modalities are called.
    #[serde(default)]
    pub names: Names,
    /// Seed of the fit.
    pub seed: u64,
    /// The coordinates in which surprisal is measured.
    pub gauge: GaugeKind,
    /// The measure of redundancy.
    pub measure: Measure,
    /// Rows that the estimator was fitted on.
    pub n: usize,
    /// Columns of the features, and dimensions of the gauge.
    pub dims: Dimensions,
    /// Folds of the cross-fitting.
    pub folds: usize,
    /// Fits, with folds and random draws of their own, that were averaged.
    pub repeats: usize,
    /// SHA-256 of the rows that the estimator was fitted on.
    pub data_hash: String,
    /// How the rows of the fit were grouped; none where every row is by itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub grouping: Option<Grouping>,
    /// What has to be known before any number, in sentences.
    pub warnings: Vec<String>,
    /// The decompositions: one for each target or, jointly, one for all.
    pub targets: Vec<TargetSummary>,
    /// What a user should know of the fit, in sentences.
    pub notes: Vec<String>,
}

/// What is known of a target, or of several jointly.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TargetSummary {
    /// The columns of the targets.
    pub columns: Vec<usize>,
    /// Mean and deviation of each over the training rows.
    pub scales: Vec<[f64; 2]>,
    /// The splits, in the order of the samples.
    #[serde(serialize_with = "as_map", deserialize_with = "from_map")]
    pub splits: Vec<(String, TargetSplitSummary)>,
}

/// Means over the samples of one split.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TargetSplitSummary {
    /// Samples of the split.
    pub n: usize,
    /// Mutual information of the modalities with the target.
    pub information: Information,
    /// Means of r, u1, u2 and s as they are.
    pub raw: Means,
    /// The same after the shift by one constant, with that constant and the rule that chose it.
    pub adjusted: Adjusted,
    /// The share of the target's variance that the predicted means explain.
    pub r_squared: Heads,
    /// Mean negative log density of the target under each head, in the target's units.
    pub nll: Heads,
    /// How far the probability integral transforms are from uniform.
    pub pit: Heads<Option<Uniformity>>,
    /// Intervals of the means.
    pub intervals: Intervals,
    /// Quantiles and trimmed mean of each quantity.
    pub distribution: Quantities<Distribution>,
}

impl ContinuousSummary {
    /// Summarises the splits of every decomposition.
    pub(super) fn new(
        estimator: &ContinuousEstimator,
        decompositions: &[Vec<ScoredTargets>],
        names: &Names,
        notes_of_data: &[String],
    ) -> lsmi_core::Result<Self> {
        let description = estimator.description();
        let [x1, x2] = description.dims;
        let [gauge1, gauge2] = description.gauge_dims;
        let mut targets = Vec::with_capacity(decompositions.len());
        for (place, splits) in decompositions.iter().enumerate() {
            let of_split =
                |split: &ScoredTargets| Ok((split.name.clone(), TargetSplitSummary::new(estimator, place, split)?));
            let columns = splits.first().map(|split| split.scores.columns.clone()).unwrap_or_default();
            let scales = columns.iter().map(|column| description.targets[*column]).collect();
            let splits = splits.iter().map(of_split).collect::<lsmi_core::Result<_>>()?;
            targets.push(TargetSummary { columns, scales, splits });
        }
        Ok(Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            target: "continuous".to_owned(),
            analysed: description.analysed,
            units: "nats".to_owned(),
            names: names.clone(),
            seed: description.seed,
            gauge: description.gauge,
            measure: description.measure,
            n: description.rows,
            dims: Dimensions { x1, x2, gauge: GaugeDimensions { x1: gauge1, x2: gauge2 } },
            folds: description.folds,
            repeats: description.repeats,
            data_hash: description.data_hash.clone(),
            grouping: description.grouping.clone(),
            warnings: notes_of_data.to_vec(),
            targets,
            notes: description.notes.clone(),
        })
    }
}

impl TargetSplitSummary {
    fn new(estimator: &ContinuousEstimator, place: usize, split: &ScoredTargets) -> lsmi_core::Result<Self> {
        let ContinuousScores { terms, repeats, groups, transforms, columns: targets, .. } = &split.scores;
        let TermMeans { i1, i2, i12, .. } = terms.means();
        let raw = split.decomposition.means();
        let seed = estimator.description().seed;
        let means_of_repeats: Vec<[f64; 7]> = repeats
            .iter()
            .map(|terms| {
                let parts = decompose(estimator.measure(), estimator, place, terms);
                columns(terms, &parts).map(mean)
            })
            .collect();
        let variance_of_fit = (means_of_repeats.len() > 1).then(|| {
            std::array::from_fn(|column| {
                let means: Vec<f64> = means_of_repeats.iter().map(|means| means[column]).collect();
                standard_deviation(&means).powi(2) / means.len() as f64
            })
        });
        let quantities = Columns {
            values: columns(terms, &split.decomposition).map(<[f64]>::to_vec),
            variance_of_fit,
            groups: groups.clone(),
            shortfall: [0.0; 7],
        };
        let of = if estimator.description().targets.len() == targets.len() {
            split.name.clone()
        } else {
            format!("{} of target {}", split.name, targets[0])
        };
        Ok(Self {
            n: terms.len(),
            information: Information { i1, i2, i12 },
            raw,
            adjusted: adjust(&raw),
            r_squared: split.scores.r_squared().into(),
            nll: split.scores.negative_log_likelihood().into(),
            pit: transforms.each_ref().map(|values| uniformity(values)).into(),
            // A density has no largest value, so that there is no most that could be told.
            intervals: Intervals::new(&quantities, seed, &of, f64::INFINITY)?,
            distribution: Distribution::of_columns(&quantities),
        })
    }
}
