//! The cross-fitted estimator: terms of every training row from models that did not see it, and of new rows from all.
//!
//! [`cross_fit`] fits the gauge on all training rows, deals the rows to folds, and fits two densities (KNIFE) and three
//! heads for every fold on the rows outside it. A training row's terms come from the models of its own fold. The
//! [`Estimator`] that remains scores new rows with the models of all folds together: densities and posteriors are
//! averaged over folds, as probabilities.

mod bundle;
mod cross_fit;
mod progress;
mod score;
mod settings;

pub use bundle::SCHEMA;
pub use cross_fit::{CrossFit, cross_fit};
pub use progress::Progress;
pub use score::Scores;
pub use settings::Settings;

use candle_core::Device;
use lsmi_core::{ClassPrior, Measure, Reference};
use serde::{Deserialize, Serialize};

use crate::error::{EstimatorError, Result};
use crate::features::{Classes, FeatureSet};
use crate::gauge::{Gauge, GaugeKind};
use crate::heads::HeadPool;
use crate::knife::Knife;

/// Fitted gauge, densities, heads and prior: what gives the terms of new rows.
#[derive(Debug, Clone)]
pub struct Estimator {
    description: Description,
    prior: ClassPrior,
    gauge: Gauge,
    folds: Vec<FoldModels>,
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
    /// Number of training rows.
    pub rows: usize,
    /// SHA-256 of the training rows.
    pub data_hash: String,
    /// What a user should know of the fit.
    pub notes: Vec<String>,
}

/// The models of one fold, fitted to the rows outside it.
#[derive(Debug, Clone)]
struct FoldModels {
    /// Densities of x1 and x2, in the gauge's coordinates.
    densities: [Knife; 2],
    /// Heads of x1, x2 and both joined, over standardised features.
    heads: [HeadPool; 3],
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
        score::score_all_folds(self, features)
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
fn check_samples(samples: &FeatureSet, classes: usize) -> Result<()> {
    let wrong = |what, found: String, expected: String| Err(EstimatorError::Samples { what, found, expected });
    let rows = samples.rows();
    for (what, found) in [
        ("the number of ids", samples.ids.len()),
        ("the number of rows of x1", samples.x1.rows()),
        ("the number of rows of x2", samples.x2.rows()),
    ] {
        if found != rows || rows == 0 {
            return wrong(what, found.to_string(), format!("the number of labels, {rows}, and at least 1"));
        }
    }
    for (what, x) in [("x1", &samples.x1), ("x2", &samples.x2)] {
        if x.columns() == 0 {
            return wrong(what, "without columns".to_owned(), "of at least one column".to_owned());
        }
        if let Some(value) = x.values().iter().find(|value| !value.is_finite()) {
            return wrong(what, format!("{value} somewhere"), "finite everywhere".to_owned());
        }
    }
    match samples.labels.iter().find(|label| **label as usize >= classes) {
        Some(label) => wrong("a label", label.to_string(), format!("the index of one of {classes} classes")),
        None => Ok(()),
    }
}
