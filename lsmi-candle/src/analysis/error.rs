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
    /// Something was asked for that is not made of training rows some of which lack a modality.
    #[error(
        "{file}: {rows} training rows lack a modality, and {what} need rows that have both: leave out one or the other"
    )]
    Partial {
        /// The table.
        file: String,
        /// What was asked for.
        what: &'static str,
        /// The rows that lack a modality.
        rows: usize,
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
    /// Too few training rows have either value of one of several labels.
    #[error(
        "{file}: of the label `{label}`, {} training rows are 0 and {} are 1, but {least} of either are needed: use fewer folds, pool rare labels, or leave it out",
        counts[0],
        counts[1]
    )]
    RareLabel {
        /// The table.
        file: String,
        /// The label.
        label: String,
        /// The rows in which it is 0 and 1.
        counts: [usize; 2],
        /// The rows that are needed of either.
        least: usize,
    },
    /// Too few training rows have either value of the pool of all rare labels.
    #[error(
        "{file}: {labels} labels are rare, and of the pool of them {} training rows are 0 and {} are 1, but {least} of either are needed: leave these labels out",
        counts[0],
        counts[1]
    )]
    RareLabels {
        /// The table.
        file: String,
        /// The rare labels.
        labels: usize,
        /// The rows in which the pool is 0 and 1.
        counts: [usize; 2],
        /// The rows that are needed of either.
        least: usize,
    },
    /// One of several labels cannot be analysed.
    #[error("label `{label}`: {source}")]
    Label {
        /// The label.
        label: String,
        /// Why not.
        source: Box<AnalysisError>,
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

impl AnalysisError {
    /// Names the label that was analysed.
    pub(super) fn of_label(label: &str) -> impl Fn(Self) -> Self + use<> {
        let label = label.to_owned();
        move |source| Self::Label { label: label.clone(), source: Box::new(source) }
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
