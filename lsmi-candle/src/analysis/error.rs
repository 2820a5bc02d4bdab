//! Errors of an analysis.

use thiserror::Error;

use super::ratings::RatingsError;
use crate::error::EstimatorError;
use crate::features::{FeatureError, Pooling};

/// Why a table cannot be analysed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AnalysisError {
    /// The table has no split to fit.
    #[error("{file}: there is no split `train`")]
    NoTraining {
        /// The table.
        file: String,
    },
    /// Rows to evaluate shall have the name of a split of the table.
    #[error("{file}: has a split `{split}` of its own; rename its arrays")]
    SplitTaken {
        /// The table.
        file: String,
        /// The name.
        split: String,
    },
    /// A file with several splits says of none that it is to be evaluated.
    #[error("{file}: of several splits `test` is evaluated, but there are only {found}; rename one of them")]
    NoTestSplit {
        /// The file.
        file: String,
        /// The names of its splits.
        found: String,
    },
    /// Sequences are pooled in another way than those of the fit.
    #[error(
        "{file}: its sequences are pooled by `{found}`, but the estimator was fitted on sequences pooled by `{fitted}`; pool them by `{fitted}`"
    )]
    Pooling {
        /// The file.
        file: String,
        /// The pooling of the fit.
        fitted: Pooling,
        /// The pooling of these sequences.
        found: Pooling,
    },
    /// Features cannot be used.
    #[error(transparent)]
    Features(Box<FeatureError>),
    /// Rows cannot be fitted or scored.
    #[error("{file}: {source}")]
    Rows {
        /// The file that they came from.
        file: String,
        /// Why not.
        source: Box<EstimatorError>,
    },
    /// The fit, the test against chance or a gate failed.
    #[error(transparent)]
    Estimator(Box<EstimatorError>),
    /// Ratings cannot be used.
    #[error(transparent)]
    Ratings(#[from] RatingsError),
    /// Values cannot be summarised.
    #[error(transparent)]
    Core(#[from] lsmi_core::Error),
}

impl AnalysisError {
    /// Names the file that rows came from.
    pub(super) fn about(file: &str) -> impl Fn(EstimatorError) -> Self + use<> {
        let file = file.to_owned();
        move |source| Self::Rows { file: file.clone(), source: Box::new(source) }
    }
}

impl From<FeatureError> for AnalysisError {
    fn from(error: FeatureError) -> Self {
        Self::Features(Box::new(error))
    }
}

impl From<EstimatorError> for AnalysisError {
    fn from(error: EstimatorError) -> Self {
        Self::Estimator(Box::new(error))
    }
}
