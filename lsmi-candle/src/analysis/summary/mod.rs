//! `summary.json`: means over the samples of each split, in nats, how sure they are, and what they were estimated with.
//!
//! Field names are stable; new ones may be added. The means are taken over the very values in the file of samples.
//! What is known of a split is in files of their own: `split` has all of it, `class` the same for its classes.

mod class;
mod distribution;
mod groups;
mod intervals;
mod label_free;
mod logit_order;
mod missing;
mod models;
mod null;
mod quantities;
mod split;
mod streamed;
mod warnings;

use crate::densities::gauge::GaugeKind;
use crate::estimator::{Estimator, Grouping};
use crate::gates::{Gate, Verdict};
use lsmi_core::Measure;
use serde::{Deserialize, Serialize};

pub use class::ClassSummary;
pub use distribution::{Distribution, Quantiles};
pub use intervals::{Intervals, MeanInterval};
pub use label_free::{ExpectedMeans, ExpectedSummary};
pub use missing::{CompletenessTest, InformationOfOne, MissingSummary};
pub use models::ModelSummary;
pub use null::NullSummary;
pub(in crate::analysis) use quantities::Columns;
pub use quantities::{Heads, Information, Parts, Quantities};
pub use split::{Diagnostics, GroupCount, MeasureSummary, SplitSummary};
pub use streamed::StreamedSplit;
pub use warnings::power_of;

use crate::analysis::names::Names;
use crate::analysis::names::Words;
use crate::analysis::ordered_map::{as_map, from_map};
use crate::analysis::ratings::RatingsSummary;
use crate::samples::ScoredSplit;

/// Version of the layout of `summary.json`.
const SCHEMA: u32 = 1;

/// All of `summary.json`; `Split` is what is known of a split.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Summary<Split = SplitSummary> {
    /// Version of this layout.
    pub schema: u32,
    /// Version of the program.
    pub version: String,
    /// Always `nats`.
    pub units: String,
    /// What the two modalities are called.
    #[serde(default)]
    pub names: Names,
    /// What the label is called, as in `the label`.
    #[serde(default = "the_label")]
    pub label: String,
    /// Seed of the fit.
    pub seed: u64,
    /// The coordinates in which surprisal is measured.
    pub gauge: GaugeKind,
    /// How the class prior was chosen: `empirical`, `uniform` or `given`.
    pub prior: String,
    /// The probability of each class under it, in the order of `classes`.
    pub class_prior: Vec<f64>,
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
    /// Class names, in the order of the class indices.
    pub classes: Vec<String>,
    /// The classes that are one, the last of `classes`, as they had too few rows.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub pooled: Vec<String>,
    /// How the rows of the fit were grouped; none where every row is by itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub grouping: Option<Grouping>,
    /// What has to be known before any number, in sentences.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// The splits, in the order of the samples.
    #[serde(
        serialize_with = "as_map",
        deserialize_with = "from_map",
        bound(serialize = "Split: Serialize", deserialize = "Split: Deserialize<'de>")
    )]
    pub splits: Vec<(String, Split)>,
    /// What models have learned, where there are any, in the order in which they were given.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "as_map", deserialize_with = "from_map", default)]
    pub models: Vec<(String, ModelSummary)>,
    /// Whether the data can support conclusions, where that was asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub gates: Option<Vec<Gate>>,
    /// Agreement with people, where they were asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ratings: Option<RatingsSummary>,
    /// What a user should know of the fit, in sentences.
    pub notes: Vec<String>,
}

/// Columns of the features, and dimensions of the gauge.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Dimensions {
    /// Columns of x1.
    pub x1: usize,
    /// Columns of x2.
    pub x2: usize,
    /// Dimensions in which surprisal is measured.
    pub gauge: GaugeDimensions,
}

/// Dimensions in which surprisal is measured.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct GaugeDimensions {
    /// Of x1.
    pub x1: usize,
    /// Of x2.
    pub x2: usize,
}

fn the_label() -> String {
    "the label".to_owned()
}

impl Summary {
    /// Summarises splits scored by an estimator.
    ///
    /// # Errors
    /// None but those of values that are not finite, which scores never are.
    pub fn new(estimator: &Estimator, splits: &[ScoredSplit]) -> lsmi_core::Result<Self> {
        let summarised = |split: &ScoredSplit| Ok((split.name.clone(), SplitSummary::new(estimator, split)?));
        let summary = Self::of_splits(estimator, splits.iter().map(summarised).collect::<lsmi_core::Result<_>>()?);
        Ok(Self { warnings: logit_order::warnings(estimator, splits), ..summary })
    }

    /// The same with the gates, where they were asked. Where the gate `power` was passed, as much as it planted would have
    /// been found, so that what was not found is less.
    #[must_use]
    pub fn with_gates(mut self, gates: Option<Vec<Gate>>) -> Self {
        let power = power_of(gates.as_deref()).filter(|gate| gate.verdict != Verdict::Fail);
        if let Some(planted) = power.and_then(|gate| gate.figures.get("planted")) {
            for (_, split) in &mut self.splits {
                split.intervals = split.intervals.clone().narrowed(*planted);
            }
        }
        self.gates = gates;
        self
    }
}

impl<Split> Summary<Split> {
    /// The same with what the modalities and the label are called.
    #[must_use]
    pub fn with_words(mut self, words: Words<'_>) -> Self {
        self.names = words.names.clone();
        words.label.clone_into(&mut self.label);
        self
    }

    /// The same with what has to be known of the data first.
    #[must_use]
    pub fn with_notes_of_data(mut self, notes: &[String]) -> Self {
        self.warnings.splice(0..0, notes.iter().cloned());
        self
    }

    /// What the modalities and the label are called.
    pub fn words(&self) -> Words<'_> {
        Words { names: &self.names, label: &self.label }
    }

    /// What is known of splits, with what they were scored by.
    pub fn of_splits(estimator: &Estimator, splits: Vec<(String, Split)>) -> Self {
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
            pooled: estimator.classes().pooled().to_vec(),
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
