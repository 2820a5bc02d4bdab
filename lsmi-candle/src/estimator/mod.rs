//! The cross-fitted estimator: terms of every training row from models that did not see it, and of new rows from all.
//!
//! [`cross_fit`] fits the gauge on all training rows, deals the rows to folds, and fits two densities (KNIFE) and three
//! heads for every fold on the rows outside it. A training row's terms come from the models of its own fold. The
//! [`Estimator`] that remains scores new rows with the models of all folds together: densities and posteriors are
//! averaged over folds, as probabilities. Several repeats do all of this with other folds and other random draws, average
//! over repeats as well, and show by their spread how firm each value is.

pub mod batch;
pub mod continuous;
pub mod folds;

mod bundle;
mod checks;
mod description;
mod fitting;
mod grouping;
mod partition;
mod scoring;
pub mod several;
mod threads;

pub use bundle::{EstimatorKind, SCHEMA, SavedEstimator};
pub(crate) use checks::check_samples;
pub use description::{Description, Shortfall};
pub(crate) use fitting::Reporter;
pub use fitting::{
    CrossFit, Null, Progress, Settings, SharedFit, StreamFit, Test, Tests, cross_fit, cross_fit_partial, fit_shared,
    fit_stream,
};
pub use grouping::{Grouping, Likeness, Seen, Twins, find_groups, seen_rows};
pub use scoring::{Candidates, Expected, OneModalityScores, PartialScores, Scores};
pub(crate) use threads::thread_pool;

use candle_core::Device;
use lsmi_core::{ClassPrior, Measure, Reference};

use crate::densities::gauge::Gauge;
use crate::densities::knife::Knife;
use crate::error::{EstimatorError, Result};
use crate::features::{Classes, FeatureSet, Inputs, LOGITS, Pooling};
use crate::heads::{HeadModel, HeadPool};
use crate::numbers::matrix::Matrix;

/// A fitted gauge, densities, heads and prior, which give the terms of new rows.
#[derive(Debug, Clone)]
pub struct Estimator {
    description: Description,
    prior: ClassPrior,
    gauge: Gauge,
    /// The models of every fold, for each repeat.
    repeats: Vec<Vec<FoldModels>>,
    device: Device,
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
    /// Returns the terms and predictions of new rows, by the models of all folds together.
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

    /// Returns the estimator with the encoders of the features that it was fitted on, see
    /// [`Data::encoders`](crate::features::Data::encoders).
    #[must_use]
    pub fn with_encoders(mut self, encoders: [Option<String>; 2]) -> Self {
        self.description.encoders = encoders;
        self
    }

    /// Returns the estimator with the pooling of the sequences that it was fitted on, see
    /// [`Data::pooling`](crate::features::Data::pooling).
    #[must_use]
    pub fn with_pooling(mut self, pooling: Option<Pooling>) -> Self {
        self.description.pooling = pooling;
        self
    }

    /// Returns the estimator with another note for the user.
    #[must_use]
    pub fn with_note(mut self, note: String) -> Self {
        self.description.notes.push(note);
        self
    }

    /// Returns the estimator with the shortfall of means over rows that it scores.
    #[must_use]
    pub fn with_shortfall(mut self, shortfall: Shortfall) -> Self {
        self.description.shortfall = Some(shortfall);
        self
    }

    /// Returns the description of the estimator.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Returns the classes, in the order of the class indices.
    pub fn classes(&self) -> &Classes {
        &self.description.classes
    }

    /// Returns the class prior p(y) of the information terms.
    pub fn prior(&self) -> &ClassPrior {
        &self.prior
    }

    /// Returns the definition of redundancy.
    pub fn measure(&self) -> Measure {
        self.description.measure
    }

    /// Returns the values of the training rows that the measure depends on.
    pub fn reference(&self) -> &Reference {
        &self.description.reference
    }

    /// Returns the notes for the user about the fit, in sentences.
    pub fn notes(&self) -> &[String] {
        &self.description.notes
    }
}
