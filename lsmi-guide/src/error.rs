//! What can be wrong with a request to partition samples, and what can go wrong while interactions guide a training.

use lsmi_candle::EstimatorError;
use thiserror::Error;

/// Why [`partition`](crate::partition()) refused its input.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum PartitionError {
    /// There are no samples.
    #[error("there are no samples to partition; give at least one value")]
    Empty,

    /// A value is NaN or infinite and so has no rank.
    #[error("value {found} at position {index} is not finite; remove the sample or mend its value")]
    NonFinite {
        /// Position of the first such value, counted from 0.
        index: usize,
        /// The value.
        found: f64,
    },

    /// There is not exactly one label for each value.
    #[error(
        "{found} labels for {expected} values: the first position without a partner is {index}; \
         give one label for each value, in the same order"
    )]
    LabelCount {
        /// The number of values.
        expected: usize,
        /// The number of labels.
        found: usize,
        /// The first position, counted from 0, that only one of the two has.
        index: usize,
    },

    /// The fraction is not in (0, 0.5].
    #[error("fraction {found} is out of range; the top and the bottom share must be above 0 and at most 0.5")]
    Fraction {
        /// The fraction.
        found: f64,
    },

    /// The thresholds do not satisfy low < high: they are crossed, equal or NaN.
    #[error("thresholds low = {low} and high = {high} leave no middle; the low one must be below the high one")]
    Thresholds {
        /// The low threshold.
        low: f64,
        /// The high threshold.
        high: f64,
    },
}

/// The result of what guides a training.
pub type Result<T, E = GuideError> = std::result::Result<T, E>;

/// What can go wrong while interactions guide a training.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GuideError {
    /// A sample of a batch is not among those that something is kept of.
    #[error("there are no {what} of the sample `{id}`; give them for every sample that is trained on")]
    UnknownId {
        /// What was looked up, such as `weights`.
        what: &'static str,
        /// The id.
        id: String,
    },

    /// Something has not as many values as there are samples.
    #[error("`{what}` has {found} values for {expected} samples; give one value for every sample")]
    Length {
        /// What has.
        what: &'static str,
        /// The number of samples.
        expected: usize,
        /// The number of values.
        found: usize,
    },

    /// A weight that is negative or no finite number.
    #[error("the weight `{column}` of the sample `{id}` is {found}; it must be a finite number of at least 0")]
    Weight {
        /// The column of the plan.
        column: &'static str,
        /// The sample.
        id: String,
        /// The weight.
        found: f64,
    },

    /// A confidence that is no probability.
    #[error("the confidence of the sample `{id}` is {found}; it is the probability of a class, between 0 and 1")]
    Confidence {
        /// The sample.
        id: String,
        /// The value.
        found: f64,
    },

    /// A policy that needs the teacher's confidence has not been given it.
    #[error("the policy `{policy}` needs the teacher's confidence; add it with `Interactions::with_confidence`")]
    NoConfidence {
        /// The policy.
        policy: &'static str,
    },

    /// A setting outside its range.
    #[error("the setting `{name}` is {found}, but must be {expected}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// What was given.
        found: String,
        /// What it must be.
        expected: String,
    },

    /// A name that stands for nothing known.
    #[error("`{found}` is no {kind}; use one of {expected}")]
    UnknownName {
        /// What was to be named, such as `policy`.
        kind: &'static str,
        /// The name.
        found: String,
        /// The names known, separated by commas.
        expected: String,
    },

    /// A teacher that tells other classes apart than the student.
    #[error(
        "the teacher has {found} classes, but the student {expected}; distil from a teacher of the same classes, in the same order"
    )]
    Classes {
        /// The student's classes.
        expected: usize,
        /// The teacher's.
        found: usize,
    },

    /// A tensor of another shape than it must have.
    #[error("`{what}` has the shape {found:?}, but must have {expected}")]
    Shape {
        /// The tensor.
        what: &'static str,
        /// The shape that it must have.
        expected: String,
        /// The shape that it has.
        found: Vec<usize>,
    },

    /// Features or logits of a sample that are not finite.
    #[error("`{what}` of the sample `{id}` has the value {found}; leave the sample out or mend its features")]
    NotFinite {
        /// What has.
        what: &'static str,
        /// The sample.
        id: String,
        /// The value.
        found: f32,
    },

    /// Something of the student's, such as a loss or its features, that is not finite.
    #[error(
        "the {what} of the sample `{id}` came out as {found} in step {step}; mend its features, lower the learning rate, or let such steps be skipped"
    )]
    Diverged {
        /// What it is, such as `label loss` or `features of x1`.
        what: &'static str,
        /// The first sample of the batch that it is not finite of.
        id: String,
        /// The step, counted from 0.
        step: usize,
        /// The value.
        found: f32,
    },

    /// A run of a comparison failed.
    #[error("the run of the policy `{policy}` with the seed {seed} failed")]
    Run {
        /// The policy.
        policy: String,
        /// The seed.
        seed: u64,
        /// Why.
        source: Box<GuideError>,
    },

    /// Too few samples in a part of the data that something is to be trained on.
    #[error(
        "the part `{part}` has {found} samples, but at least {least} are needed to be told from each other; give more samples, or larger parts"
    )]
    SmallPart {
        /// The part.
        part: String,
        /// Its samples.
        found: usize,
        /// How many it takes.
        least: usize,
    },

    /// Samples that a comparison cannot be made on.
    #[error("the data cannot be compared on: {reason}")]
    Data {
        /// What is wrong, and how to mend it.
        reason: String,
    },

    /// The worker of a tracker has ended before it was told to.
    #[error("the tracker's worker has stopped: {reason}; train on without it, or report the defect")]
    WorkerStopped {
        /// What it said as it stopped.
        reason: String,
    },

    /// Too few samples have been seen for their interactions to be estimated.
    #[error(
        "class {class} has {found} samples to fit to, but at least {least} are needed; observe more samples, or use fewer folds"
    )]
    FewSamples {
        /// The class.
        class: usize,
        /// Its samples outside of one fold.
        found: usize,
        /// How many it takes.
        least: usize,
    },

    /// A checkpoint that cannot be written or used.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),

    /// Ids that come twice, or terms that do not fit together.
    #[error(transparent)]
    Core(#[from] lsmi_core::Error),

    /// A head or a density could not be fitted.
    #[error(transparent)]
    Estimator(Box<EstimatorError>),

    /// An encoder that is trained failed.
    #[error("an encoder that is trained failed")]
    Encoder(#[source] Box<dyn std::error::Error + Send + Sync>),

    /// A tensor operation failed, on the device or for want of memory.
    #[error("a tensor operation failed")]
    Candle(#[source] Box<candle_core::Error>),
}

impl From<EstimatorError> for GuideError {
    fn from(error: EstimatorError) -> Self {
        Self::Estimator(Box::new(error))
    }
}

impl From<candle_core::Error> for GuideError {
    fn from(error: candle_core::Error) -> Self {
        Self::Candle(Box::new(error))
    }
}

/// A checkpoint that cannot be written or used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file could not be read or written.
    #[error("{file} could not be {action}")]
    File {
        /// The file.
        file: String,
        /// `read` or `written`.
        action: &'static str,
        /// What the system said.
        source: std::io::Error,
    },

    /// Not a checkpoint, or a damaged one.
    #[error("{file} is no checkpoint of a training: {reason}; remove it to start anew")]
    Format {
        /// The file.
        file: String,
        /// What was found.
        reason: String,
    },

    /// A checkpoint of a run with other settings or data.
    #[error(
        "{file} is a checkpoint of another run: {what}: {found} there, {expected} here; use the same settings and data, or remove it to start anew"
    )]
    OtherRun {
        /// The file.
        file: String,
        /// What differs, such as `the settings`.
        what: String,
        /// What this run has.
        expected: String,
        /// What the run of the checkpoint had.
        found: String,
    },
}
