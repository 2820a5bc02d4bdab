//! `summary.json`: means over the samples of each split, in nats, how sure they are, and what they were estimated with.
//!
//! Field names are stable; new ones may be added. The means are taken over the very values in the file of samples.
//! What is known of a split is in files of their own: [`split`] has all of it, [`class`] the same for its classes.

mod class;
mod distribution;
mod groups;
mod intervals;
mod logit_order;
mod quantities;
mod split;
mod warnings;

use lsmi_candle::densities::gauge::GaugeKind;
use lsmi_candle::estimator::{Estimator, Grouping};
use lsmi_candle::gates::Gate;
use lsmi_core::Measure;
use serde::{Deserialize, Serialize};

pub(crate) use distribution::Distribution;
pub(crate) use intervals::MeanInterval;
pub(crate) use quantities::{Information, Parts, Quantities};
pub(crate) use split::{Heads, MeasureSummary, SplitSummary};
pub(crate) use warnings::power_of;

use super::models::ModelSummary;
use super::ratings::RatingsSummary;
use super::{as_map, from_map};
use crate::scored::ScoredSplit;
use crate::tables::names::Names;
use crate::tables::sentence::Words;

/// Version of the layout of `summary.json`.
const SCHEMA: u32 = 1;

/// All of `summary.json`; `Split` is what is known of a split.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Summary<Split = SplitSummary> {
    /// Version of this layout.
    pub(crate) schema: u32,
    /// Version of the program.
    pub(crate) version: String,
    /// Always `nats`.
    pub(crate) units: String,
    /// What the two modalities are called.
    #[serde(default)]
    pub(crate) names: Names,
    /// What the label is called, as in `the label`.
    #[serde(default = "the_label")]
    pub(crate) label: String,
    /// Seed of the fit.
    pub(crate) seed: u64,
    /// The coordinates in which surprisal is measured.
    pub(crate) gauge: GaugeKind,
    /// How the class prior was chosen: `empirical`, `uniform` or `given`.
    pub(crate) prior: String,
    /// The probability of each class under it, in the order of `classes`.
    pub(crate) class_prior: Vec<f64>,
    /// The measure of redundancy.
    pub(crate) measure: Measure,
    /// Rows that the estimator was fitted on.
    pub(crate) n: usize,
    /// Columns of the features, and dimensions of the gauge.
    pub(crate) dims: Dimensions,
    /// Folds of the cross-fitting.
    pub(crate) folds: usize,
    /// Fits, with folds and random draws of their own, that were averaged.
    pub(crate) repeats: usize,
    /// SHA-256 of the rows that the estimator was fitted on.
    pub(crate) data_hash: String,
    /// Class names, in the order of the class indices.
    pub(crate) classes: Vec<String>,
    /// How the rows of the fit were grouped; none where every row is by itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) grouping: Option<Grouping>,
    /// What has to be known before any number, in sentences.
    #[serde(default)]
    pub(crate) warnings: Vec<String>,
    /// The splits, in the order of the samples.
    #[serde(
        serialize_with = "as_map",
        deserialize_with = "from_map",
        bound(serialize = "Split: Serialize", deserialize = "Split: Deserialize<'de>")
    )]
    pub(crate) splits: Vec<(String, Split)>,
    /// What models have learned, where there are any, in the order in which they were given.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "as_map", deserialize_with = "from_map", default)]
    pub(crate) models: Vec<(String, ModelSummary)>,
    /// Whether the data can support conclusions, where that was asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) gates: Option<Vec<Gate>>,
    /// Agreement with people, where they were asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) ratings: Option<RatingsSummary>,
    /// What a user should know of the fit, in sentences.
    pub(crate) notes: Vec<String>,
}

/// Columns of the features, and dimensions of the gauge.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Dimensions {
    /// Columns of x1.
    pub(crate) x1: usize,
    /// Columns of x2.
    pub(crate) x2: usize,
    /// Dimensions in which surprisal is measured.
    pub(crate) gauge: GaugeDimensions,
}

/// Dimensions in which surprisal is measured.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct GaugeDimensions {
    /// Of x1.
    pub(crate) x1: usize,
    /// Of x2.
    pub(crate) x2: usize,
}

fn the_label() -> String {
    "the label".to_owned()
}

impl Summary {
    /// Summarises splits scored by an estimator.
    ///
    /// # Errors
    /// None but those of values that are not finite, which scores never are.
    pub(crate) fn new(estimator: &Estimator, splits: &[ScoredSplit]) -> lsmi_core::Result<Self> {
        let summarised = |split: &ScoredSplit| Ok((split.name.clone(), SplitSummary::new(estimator, split)?));
        let summary = Self::of_splits(estimator, splits.iter().map(summarised).collect::<lsmi_core::Result<_>>()?);
        Ok(Self { warnings: logit_order::warnings(estimator, splits), ..summary })
    }
}

impl<Split> Summary<Split> {
    /// The same with what the modalities and the label are called.
    pub(crate) fn with_words(mut self, words: Words<'_>) -> Self {
        self.names = words.names.clone();
        words.label.clone_into(&mut self.label);
        self
    }

    /// The same with what has to be known of the data first.
    pub(crate) fn with_notes_of_data(mut self, notes: &[String]) -> Self {
        self.warnings.splice(0..0, notes.iter().cloned());
        self
    }

    /// What the modalities and the label are called.
    pub(crate) fn words(&self) -> Words<'_> {
        Words { names: &self.names, label: &self.label }
    }

    /// What is known of splits, with what they were scored by.
    pub(crate) fn of_splits(estimator: &Estimator, splits: Vec<(String, Split)>) -> Self {
        let description = estimator.description();
        let [x1, x2] = description.dims;
        let [gauge1, gauge2] = description.gauge_dims;
        Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            units: "nats".to_owned(),
            names: Names::default(),
            label: the_label(),
            seed: description.seed,
            gauge: description.gauge,
            prior: description.prior.clone(),
            class_prior: estimator.prior().log_probabilities().iter().map(|value| value.exp()).collect(),
            measure: description.measure,
            n: description.rows,
            dims: Dimensions { x1, x2, gauge: GaugeDimensions { x1: gauge1, x2: gauge2 } },
            folds: description.folds,
            repeats: description.repeats,
            data_hash: description.data_hash.clone(),
            classes: estimator.classes().names().to_vec(),
            grouping: description.grouping.clone(),
            warnings: Vec::new(),
            splits,
            models: Vec::new(),
            gates: None,
            ratings: None,
            notes: estimator.notes().to_vec(),
        }
    }
}
