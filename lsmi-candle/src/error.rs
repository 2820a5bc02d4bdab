//! Errors of fitting, saving, loading and applying an estimator.

use thiserror::Error;

use crate::densities::gauge::GaugeError;
use crate::device::DeviceError;
use crate::estimator::EstimatorKind;
use crate::features::FeatureError;

/// The result of an estimator's operations.
pub type Result<T, E = EstimatorError> = std::result::Result<T, E>;

/// An error of fitting, saving, loading or applying an estimator.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EstimatorError {
    /// A setting outside its range.
    #[error("the setting `{name}` is {found}, but must be {expected}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// The value found.
        found: String,
        /// The expected values.
        expected: String,
    },
    /// Labels of one class only.
    #[error("every row has the label `{class}`: information about a label needs at least two classes")]
    OneClass {
        /// The class.
        class: String,
    },
    /// A class with fewer rows than there are folds.
    #[error(
        "class `{class}` has fewer rows ({rows}) than there are folds ({folds}): use fewer folds, or merge or drop the class"
    )]
    RareClass {
        /// The class.
        class: String,
        /// Its rows.
        rows: usize,
        /// Folds asked for.
        folds: usize,
    },
    /// A class with fewer rows that have both modalities than there are folds.
    #[error(
        "class `{class}` has fewer rows with both modalities ({rows}) than there are folds ({folds}): use fewer folds, or merge \
         or drop the class"
    )]
    RareCompleteClass {
        /// The class.
        class: String,
        /// Its rows that have both modalities.
        rows: usize,
        /// Folds asked for.
        folds: usize,
    },
    /// Too few rows to fit, choose and calibrate.
    #[error(
        "{rows} rows are too few to fit, choose and calibrate models in {folds} folds: at least {least} are needed"
    )]
    FewRows {
        /// Rows given.
        rows: usize,
        /// Folds asked for.
        folds: usize,
        /// Rows needed.
        least: usize,
    },
    /// Too few groups of rows that belong together for the folds.
    #[error(
        "{groups} groups of rows are too few for {folds} folds, which keep groups whole: at least {least} are needed"
    )]
    FewGroups {
        /// Groups found or given.
        groups: usize,
        /// Folds asked for.
        folds: usize,
        /// Groups needed.
        least: usize,
    },
    /// Too few rows to fit a density to.
    #[error("{rows} rows are too few to fit a density to: at least {least} are needed; use more rows or more folds")]
    FewRowsForDensity {
        /// Rows given.
        rows: usize,
        /// Rows needed.
        least: usize,
    },
    /// A continuous target of so few values that it stands for classes.
    #[error(
        "target {column} has {distinct} different values in {rows} rows, but a continuous one has at least {least}: take it for classes"
    )]
    DiscreteTarget {
        /// The column of the target.
        column: usize,
        /// Its different values.
        distinct: usize,
        /// Rows given.
        rows: usize,
        /// Different values needed.
        least: usize,
    },
    /// Every class has a single row among the training rows of a fold.
    #[error(
        "none of the {classes} classes has two of the {rows} training rows of a fold, so that none can be held out to choose heads: use more rows or more folds"
    )]
    NothingHeldOut {
        /// Training rows of the fold.
        rows: usize,
        /// Classes.
        classes: usize,
    },
    /// Samples put together by hand that do not fit together.
    #[error("the samples do not fit together: {what} is {found}, but must be {expected}")]
    Samples {
        /// The part that does not fit.
        what: &'static str,
        /// The value found.
        found: String,
        /// The expected value.
        expected: String,
    },
    /// Features of other dimensions than the estimator was fitted on.
    #[error(
        "{modality} has {found} columns, but the estimator was fitted on {expected}: give the features it was fitted on"
    )]
    Dimensions {
        /// The modality, `x1` or `x2`.
        modality: &'static str,
        /// The columns of the estimator.
        expected: usize,
        /// Columns given.
        found: usize,
    },
    /// Samples without the logits that stand in for a head.
    #[error(
        "the samples have no `{name}`, but the estimator takes its posteriors from there: add the array to the file"
    )]
    MissingLogits {
        /// The array.
        name: &'static str,
    },
    /// Logits of the user's own models beside rows that lack a modality.
    #[error("the samples have `{name}`, but some lack a modality: leave out the logits, or such rows")]
    LogitsOfPartial {
        /// The array.
        name: &'static str,
    },
    /// A class prior that does not fit the labels, or terms that do not fit together.
    #[error(transparent)]
    Core(#[from] lsmi_core::Error),
    /// Rows of a file could not be read or used.
    #[error(transparent)]
    Features(Box<FeatureError>),
    /// The gauge could not be fitted.
    #[error(transparent)]
    Gauge(#[from] GaugeError),
    /// The device could not be opened.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A trainable tensor that the loss does not reach, so that training would leave it as it began.
    #[error("the loss gave no gradient to the parameters {names:?}: a defect of the model; please report it")]
    NoGradient {
        /// The parameters.
        names: Vec<String>,
    },
    /// Terms that came out infinite or not a number.
    #[error(
        "{term} of the sample `{id}` is {value}: its features are too far from the training rows (check them for corruption), or the model is damaged"
    )]
    NotFinite {
        /// The term.
        term: &'static str,
        /// The sample.
        id: String,
        /// The value.
        value: f64,
    },
    /// The worker threads could not be started.
    #[error("{threads} worker threads could not be started: use fewer")]
    Threads {
        /// Threads asked for.
        threads: usize,
        /// The error of the thread pool.
        source: rayon::ThreadPoolBuildError,
    },
    /// A bundle that cannot be read.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// Nobody listens to the progress of the fit any more, so that it was given up.
    #[error("the fit was stopped")]
    Stopped,
    /// A tensor operation failed, on the device or for want of memory.
    #[error("a tensor operation failed")]
    Candle(#[source] Box<candle_core::Error>),
}

impl From<FeatureError> for EstimatorError {
    fn from(source: FeatureError) -> Self {
        Self::Features(Box::new(source))
    }
}

impl From<candle_core::Error> for EstimatorError {
    fn from(error: candle_core::Error) -> Self {
        Self::Candle(Box::new(error))
    }
}

/// A bundle that cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BundleError {
    /// Not a safetensors file, or one cut short.
    #[error("{file} is not a readable safetensors file: fit the estimator again")]
    Format {
        /// The file.
        file: String,
        /// The error of the reader.
        source: safetensors::SafeTensorError,
    },
    /// A safetensors file that is no bundle.
    #[error("{file} is not an estimator: its metadata has no `lsmi`; give a file in which an estimator was saved")]
    NotABundle {
        /// The file.
        file: String,
    },
    /// An estimator of another kind than is needed.
    #[error("{file} is an estimator of {found}: give one of {expected}")]
    OtherKind {
        /// The file.
        file: String,
        /// Its kind.
        found: EstimatorKind,
        /// The kind that is needed.
        expected: EstimatorKind,
    },
    /// A description that cannot be understood.
    #[error("the description of the estimator in {file} cannot be understood: fit the estimator again")]
    Description {
        /// The file.
        file: String,
        /// The error of the parser.
        source: serde_json::Error,
    },
    /// A layout that is no longer supported.
    #[error("{file} has schema {found}, which this version no longer supports: fit the estimator again")]
    OlderSchema {
        /// The file.
        file: String,
        /// Its schema.
        found: u64,
    },
    /// A layout newer than this version knows.
    #[error(
        "{file} has schema {found}, but this version reads up to {known}: update lsmi, or fit the estimator again with this version"
    )]
    NewerSchema {
        /// The file.
        file: String,
        /// Its schema.
        found: u64,
        /// The newest schema that this version reads.
        known: u32,
    },
    /// A tensor that is missing or has another type or shape.
    #[error(
        "the tensor `{tensor}` of {file} should be {expected}, but is {found}: the file is damaged; fit the estimator again"
    )]
    Tensor {
        /// The file.
        file: String,
        /// The tensor.
        tensor: String,
        /// The expected tensor.
        expected: String,
        /// The tensor found.
        found: String,
    },
    /// A bundle could not be laid out.
    #[error("the estimator could not be written as safetensors")]
    Write {
        /// The error of the writer.
        source: safetensors::SafeTensorError,
    },
    /// A description that could not be written.
    #[error("the description of the estimator could not be written as JSON")]
    WriteDescription {
        /// The error of the writer.
        source: serde_json::Error,
    },
}
