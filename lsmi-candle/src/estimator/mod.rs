//! The cross-fitted estimator: terms of every training row from models that did not see it, and of new rows from all.
//!
//! [`cross_fit`] fits the gauge on all training rows, deals the rows to folds, and fits two densities (KNIFE) and three
//! heads for every fold on the rows outside it. A training row's terms come from the models of its own fold. The
//! [`Estimator`] that remains scores new rows with the models of all folds together: densities and posteriors are
//! averaged over folds, as probabilities. Several repeats do all of this with other folds and other random draws, average
//! over repeats as well, and show by their spread how firm each value is.

pub mod batch;

mod bundle;
mod candidates;
mod cross_fit;
mod fit;
pub mod folds;
mod given_logits;
mod grouping;
mod inputs;
mod notes;
mod null;
mod predict;
mod progress;
mod score;
mod settings;
mod stream;

pub use bundle::SCHEMA;
pub use candidates::{Candidates, Expected};
pub(crate) use cross_fit::thread_pool;
pub use cross_fit::{CrossFit, cross_fit};
pub use grouping::{Grouping, Likeness, Seen, Twins, find_groups, seen_rows};
pub use null::{Null, Test, Tests};
pub use progress::Progress;
pub(crate) use progress::Reporter;
pub use score::Scores;
pub use settings::Settings;
pub use stream::{StreamFit, fit_stream};

use candle_core::Device;
use lsmi_core::{ClassPrior, Measure, Reference};
use serde::{Deserialize, Serialize};

use crate::densities::gauge::{Gauge, GaugeKind};
use crate::densities::knife::Knife;
use crate::error::{EstimatorError, Result};
use crate::features::{Classes, FeatureSet, Inputs, LOGITS};
use crate::heads::{HeadModel, HeadPool};
use crate::numbers::matrix::Matrix;

/// Fitted gauge, densities, heads and prior: what gives the terms of new rows.
#[derive(Debug, Clone)]
pub struct Estimator {
    description: Description,
    prior: ClassPrior,
    gauge: Gauge,
    /// The models of every fold, for each repeat.
    repeats: Vec<Vec<FoldModels>>,
    device: Device,
}

/// What an estimator is, in words and numbers; stored as JSON in the bundle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// Version of the bundle's layout, [`SCHEMA`].
    pub schema: u32,
    /// Version of the crate that fitted it.
    pub version: String,
    /// The coordinates that surprisals are measured in.
    pub gauge: GaugeKind,
    /// Dimensions of those coordinates, modality 1 and 2.
    pub gauge_dims: [usize; 2],
    /// Columns of the features, modality 1 and 2.
    pub dims: [usize; 2],
    /// The classes.
    pub classes: Classes,
    /// Which heads (x1, x2, both) are the user's own models, whose logits come with the samples.
    pub given_heads: [bool; 3],
    /// How the class prior was chosen: `empirical`, `uniform` or `given`.
    pub prior: String,
    /// The definition of redundancy.
    pub measure: Measure,
    /// What that definition needs of the training rows.
    pub reference: Reference,
    /// The seed of every random stream.
    pub seed: u64,
    /// Number of folds.
    pub folds: usize,
    /// Number of repeats.
    pub repeats: usize,
    /// Number of training rows.
    pub rows: usize,
    /// SHA-256 of the training rows.
    pub data_hash: String,
    /// What made the features of each modality, in the words of the file that they were read from; None where it does not
    /// say, see [`Data::encoders`](crate::features::Data::encoders).
    #[serde(default, skip_serializing_if = "are_unknown")]
    pub encoders: [Option<String>; 2],
    /// What means over rows that it scores are believed to fall short of; None where nobody worked it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shortfall: Option<Shortfall>,
    /// How training rows were grouped; None where every row is by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grouping: Option<Grouping>,
    /// What a user should know of the fit.
    pub notes: Vec<String>,
}

/// What means of i1, i2, i12, r, u1, u2 and s, in this order, are believed to fall short of those of the distribution, in
/// nats.
///
/// Models have not found all that there is to find in so many rows, and find as much too much in the rows that they saw
/// (Akaike 1973; Efron 1986): half of what the means of the training rows gain in sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shortfall {
    /// Of means over all rows.
    pub overall: [f64; 7],
    /// Of means over the rows of each class, in the order of the class indices.
    pub by_class: Vec<[f64; 7]>,
}

fn are_unknown(encoders: &[Option<String>; 2]) -> bool {
    encoders.iter().all(Option::is_none)
}

/// The models of one fold, fitted to the rows outside it.
#[derive(Debug, Clone)]
struct FoldModels {
    /// Densities of x1 and x2, in the gauge's coordinates.
    densities: [Knife; 2],
    /// Heads of x1, x2 and both joined.
    heads: [HeadModel; 3],
    /// The pools of x1 and x2 that the joint one needs, where the user's own models have taken their place.
    parts: [Option<HeadPool>; 2],
}

impl Estimator {
    /// The terms and predictions of new rows, by the models of all folds together.
    ///
    /// # Errors
    /// [`crate::EstimatorError::Samples`] for samples that do not fit together,
    /// [`crate::EstimatorError::Dimensions`] for features of other widths, [`crate::EstimatorError::NotFinite`] for rows
    /// too far from the training rows, a candle error where the device fails.
    pub fn score(&self, features: &FeatureSet) -> Result<Scores> {
        check_samples(features, self.classes().len())?;
        self.check_columns(&features.inputs())?;
        self.score_rows(features, None)
    }

    /// Checks that rows have the columns, and the logits, that the estimator was fitted on.
    fn check_columns(&self, rows: &Inputs<'_>) -> Result<()> {
        self.check_columns_of(rows.x1, rows.x2)?;
        for ((name, is_given), logits) in LOGITS.into_iter().zip(self.description.given_heads).zip(rows.logits) {
            if is_given && logits.is_none() {
                return Err(EstimatorError::MissingLogits { name });
            }
        }
        Ok(())
    }

    fn check_columns_of(&self, x1: &Matrix, x2: &Matrix) -> Result<()> {
        for ((modality, expected), x) in ["x1", "x2"].into_iter().zip(self.description.dims).zip([x1, x2]) {
            if expected != x.columns() {
                return Err(EstimatorError::Dimensions { modality, expected, found: x.columns() });
            }
        }
        Ok(())
    }

    /// The same, knowing what made the features that it was fitted on, see
    /// [`Data::encoders`](crate::features::Data::encoders).
    #[must_use]
    pub fn with_encoders(mut self, encoders: [Option<String>; 2]) -> Self {
        self.description.encoders = encoders;
        self
    }

    /// The same with another sentence that a user should know.
    #[must_use]
    pub fn with_note(mut self, note: String) -> Self {
        self.description.notes.push(note);
        self
    }

    /// The same, knowing what means over rows that it scores fall short of.
    #[must_use]
    pub fn with_shortfall(mut self, shortfall: Shortfall) -> Self {
        self.description.shortfall = Some(shortfall);
        self
    }

    /// What the estimator is.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// The classes, in the order of the class indices.
    pub fn classes(&self) -> &Classes {
        &self.description.classes
    }

    /// The class prior p(y) of the information terms.
    pub fn prior(&self) -> &ClassPrior {
        &self.prior
    }

    /// The definition of redundancy.
    pub fn measure(&self) -> Measure {
        self.description.measure
    }

    /// What the measure needs of the training rows.
    pub fn reference(&self) -> &Reference {
        &self.description.reference
    }

    /// What a user should know of the fit, in sentences.
    pub fn notes(&self) -> &[String] {
        &self.description.notes
    }
}

/// Checks samples that may have been put together by hand; those read from a file pass.
pub(crate) fn check_samples(samples: &FeatureSet, classes: usize) -> Result<()> {
    check_inputs(&samples.inputs(), samples.rows())?;
    for (logits, what) in samples.logits.iter().zip(["columns of logits1", "columns of logits2", "columns of logits12"])
    {
        if let Some(logits) = logits.as_ref().filter(|logits| logits.columns() != classes) {
            return wrong(what, logits.columns().to_string(), format!("the number of classes, {classes}"));
        }
    }
    if let Some(groups) = samples.groups.as_ref().filter(|groups| groups.rows() != samples.rows()) {
        let expected = format!("the number of labels, {}", samples.rows());
        return wrong("the number of rows in groups", groups.rows().to_string(), expected);
    }
    match samples.labels.iter().find(|label| **label as usize >= classes) {
        Some(label) => wrong("a label", label.to_string(), format!("the index of one of {classes} classes")),
        None => Ok(()),
    }
}

/// Checks all but the labels of so many rows.
fn check_inputs(samples: &Inputs<'_>, rows: usize) -> Result<()> {
    for (what, found) in [
        ("the number of ids", samples.ids.len()),
        ("the number of rows of x1", samples.x1.rows()),
        ("the number of rows of x2", samples.x2.rows()),
    ] {
        if found != rows || rows == 0 {
            return wrong(what, found.to_string(), format!("the number of labels, {rows}, and at least 1"));
        }
    }
    let [logits1, logits2, logits12] = samples.logits;
    for (what, x) in [
        ("x1", Some(samples.x1)),
        ("x2", Some(samples.x2)),
        ("logits1", logits1),
        ("logits2", logits2),
        ("logits12", logits12),
    ] {
        let Some(x) = x else { continue };
        if x.columns() == 0 || x.rows() != rows {
            let found = format!("of {} rows and {} columns", x.rows(), x.columns());
            return wrong(what, found, format!("of {rows} rows and at least one column"));
        }
        if let Some(value) = x.values().iter().find(|value| !value.is_finite()) {
            return wrong(what, format!("{value} somewhere"), "finite everywhere".to_owned());
        }
    }
    Ok(())
}

fn wrong(what: &'static str, found: String, expected: String) -> Result<()> {
    Err(EstimatorError::Samples { what, found, expected })
}
