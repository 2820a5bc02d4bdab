//! What can be wrong with an ensemble.

use thiserror::Error;

/// Why an ensemble could not be fitted or evaluated.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EnsembleError {
    /// A member has not one log-probability for each sample and class.
    #[error(
        "member `{member}` has {found} log-probabilities where {rows} samples of {classes} classes make {expected}; \
         give one row for each sample, in the same order, with one column for each class"
    )]
    Shape {
        /// The member.
        member: String,
        /// Number of samples.
        rows: usize,
        /// Number of classes.
        classes: usize,
        /// Number of values expected.
        expected: usize,
        /// Number of values found.
        found: usize,
    },

    /// A member says something that is no logarithm of a probability.
    #[error("member `{member}` has {found} for class {class} of row {row}; give finite logits or log-probabilities")]
    NotFinite {
        /// The member.
        member: String,
        /// The row, counted from 0.
        row: usize,
        /// The class, counted from 0.
        class: usize,
        /// The value.
        found: f64,
    },

    /// Two members have one name.
    #[error("two members are called `{member}`; give each a name of its own")]
    DuplicateMember {
        /// The name.
        member: String,
    },

    /// Arrays that belong together have not equally many rows.
    #[error("{what} has {found} rows, expected {expected}: one for each sample, in the same order")]
    Rows {
        /// The array.
        what: &'static str,
        /// Number of rows expected.
        expected: usize,
        /// Number of rows found.
        found: usize,
    },

    /// Members or descriptions are others than those of the fit.
    #[error("{what} are {found}, expected those of the fit, {expected}")]
    Others {
        /// What differs.
        what: &'static str,
        /// Those of the fit.
        expected: String,
        /// Those found.
        found: String,
    },

    /// A label is no class.
    #[error("label {found} of row {row} is not below the number of classes, {classes}; labels are class indices")]
    Label {
        /// The row, counted from 0.
        row: usize,
        /// The label.
        found: u32,
        /// Number of classes.
        classes: usize,
    },

    /// There is too little to do anything with.
    #[error("{what}: {found}, expected {expected}")]
    TooFew {
        /// What there is too little of.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many are needed.
        expected: String,
    },

    /// The share of rows to evaluate leaves none to fit to, or none to evaluate.
    #[error("{found} is no share of rows to evaluate; it must be above 0 and below 1")]
    Share {
        /// The share.
        found: f64,
    },

    /// The estimator could not be fitted.
    #[error(transparent)]
    Estimator(#[from] lsmi_candle::EstimatorError),

    /// What was kept of a comparison that was stopped cannot be used, or nothing can be kept.
    #[error(transparent)]
    Checkpoint(#[from] crate::error::CheckpointError),

    /// A figure could not be computed.
    #[error(transparent)]
    Core(#[from] lsmi_core::Error),
}
