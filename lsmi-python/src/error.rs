//! Errors of the libraries as exceptions of `lsmi.errors`, with the same words.

use std::error::Error;
use std::path::Path;

use lsmi_candle::analysis::AnalysisError;
use lsmi_candle::embedding::embedder::EmbedError;
use lsmi_candle::embedding::pipeline::EmbedBatchError;
use lsmi_candle::estimator::batch::BatchError;
use lsmi_candle::features::{FeatureError, SequenceError};
use lsmi_candle::{BundleError, EstimatorError};
use lsmi_guide::GuideError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The classes of `lsmi.errors`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Something failed on the way, such as a full disk.
    Failed,
    /// An argument is wrong.
    Usage,
    /// The data cannot be used.
    Data,
}

/// An exception that is about to be raised.
#[derive(Debug)]
pub(crate) struct Raised {
    pub(crate) class: Class,
    pub(crate) message: String,
    pub(crate) place: Place,
    pub(crate) hint: Option<String>,
}

/// The place in the data that an error is about, as far as it is known.
#[derive(Debug, Default)]
pub(crate) struct Place {
    array: Option<String>,
    row: Option<usize>,
    column: Option<usize>,
}

impl Raised {
    pub(crate) fn new(class: Class, error: &dyn Error) -> Self {
        Self { class, message: with_causes(error), place: Place::default(), hint: None }
    }
}

/// Writes an error and what caused it, separated by colons; a wrapper that repeats its source is left out.
fn with_causes(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !message.contains(&text) {
            message = format!("{message}: {text}");
        }
        source = cause.source();
    }
    message
}

impl From<Raised> for PyErr {
    fn from(raised: Raised) -> Self {
        Python::attach(|py| exception(py, raised).unwrap_or_else(|failure| failure))
    }
}

fn exception(py: Python<'_>, raised: Raised) -> PyResult<PyErr> {
    let name = match raised.class {
        Class::Failed => "LsmiError",
        Class::Usage => "UsageError",
        Class::Data => "DataError",
    };
    let keywords = PyDict::new(py);
    keywords.set_item("hint", raised.hint)?;
    if raised.class == Class::Data {
        keywords.set_item("array", raised.place.array)?;
        keywords.set_item("row", raised.place.row)?;
        keywords.set_item("column", raised.place.column)?;
    }
    let class = py.import("lsmi.errors")?.getattr(name)?;
    Ok(PyErr::from_value(class.call((raised.message,), Some(&keywords))?))
}

impl From<FeatureError> for Raised {
    fn from(error: FeatureError) -> Self {
        let (place, hint) = (place_of(&error), hint_for(&error));
        Self { place, hint, ..Self::new(Class::Data, &error) }
    }
}

/// Finds the array, row and column that an error names.
fn place_of(error: &FeatureError) -> Place {
    use FeatureError as E;
    let (array, row, column) = match error {
        E::Sequence(error) => return place_in_sequences(error),
        E::NotFinite { array, row, column, .. } | E::LabelValue { array, row, column, .. } => {
            (array, Some(*row), Some(*column))
        }
        E::MissingLabel { array, row, .. }
        | E::MissingGroup { array, row, .. }
        | E::MissingModality { array, row, .. }
        | E::NotPresent { array, row, .. }
        | E::PresentValue { array, row, .. }
        | E::LogitsOfPartial { array, row, .. }
        | E::Null { array, row, .. }
        | E::Ragged { array, row, .. }
        | E::UnseenClass { array, row, .. } => (array, Some(*row), None),
        E::DuplicateId { array, second, .. } => (array, Some(*second), None),
        E::MissingArray { array, .. }
        | E::AmbiguousTrainingSplit { array, .. }
        | E::ElementType { array, .. }
        | E::Shape { array, .. }
        | E::Empty { array, .. }
        | E::RowCount { array, .. }
        | E::ColumnCount { array, .. }
        | E::TooLarge { array, .. }
        | E::NoLabels { array, .. }
        | E::MissingLogits { array, .. }
        | E::StrayLogits { array, .. }
        | E::MissingSample { array, .. }
        | E::LogitColumns { array, .. }
        | E::LogitOrder { array, .. }
        | E::Probabilities { array, .. }
        | E::ConstantModality { array, .. }
        | E::SingleClass { array, .. }
        | E::LabelCount { array, .. }
        | E::Ids { array, .. } => (array, None, None),
        _ => return Place::default(),
    };
    Place { array: Some(array.clone()), row, column }
}

/// Finds the array, row and column that an error of sequences names.
fn place_in_sequences(error: &SequenceError) -> Place {
    use SequenceError as E;
    let (array, row, column) = match error {
        E::NotFinite { array, row, column, .. } => (array, Some(*row), Some(*column)),
        E::Length { array, row, .. } | E::MissingLabel { array, row, .. } => (array, Some(*row), None),
        E::MissingLengths { array, .. } | E::StepCount { array, .. } | E::TooShort { array, .. } => (array, None, None),
        _ => return Place::default(),
    };
    Place { array: Some(array.clone()), row, column }
}

/// Names the arguments that help.
fn hint_for(error: &FeatureError) -> Option<String> {
    Some(match error {
        FeatureError::MissingArray { can_be_named: true, .. } => "name the arrays with keys=\"X1,X2,LABEL\"".to_owned(),
        FeatureError::MissingLabel { found, .. } => {
            let keep = if found.is_empty() {
                String::new()
            } else {
                format!("; if a class is really called `{found}`, take it with missing=\"keep\"")
            };
            format!("leave such rows out with missing=\"drop\"{keep}")
        }
        FeatureError::ElementType { expected, .. } if expected.contains("bins for a continuous target") => {
            "analyze numbers as they are with target=\"continuous\"".to_owned()
        }
        FeatureError::Shape { expected, .. } if expected.contains("several labels a row") => {
            "target=\"labels\" decomposes them all, one by one".to_owned()
        }
        // Libraries name the setting that pools sequences.
        FeatureError::Shape { .. } if error.hint().is_some() => {
            "pool=\"mean\" (or \"last\", \"max\", \"attention\") pools the steps of sequences; lags= keeps them"
                .to_owned()
        }
        FeatureError::RareWithLogits { .. } => "keep the classes as they are with rare=\"prototypes\"".to_owned(),
        FeatureError::Sequence(SequenceError::MissingLabel { .. }) => {
            "leave such steps out with missing=\"drop\"".to_owned()
        }
        FeatureError::Sequence(SequenceError::TooShort { .. }) => "give smaller lags with lags=".to_owned(),
        FeatureError::Sequence(SequenceError::NotFinite { .. }) => {
            "say how many steps of each sequence count with lengths=".to_owned()
        }
        _ => return None,
    })
}

impl From<EstimatorError> for Raised {
    fn from(error: EstimatorError) -> Self {
        let (class, hint) = match error {
            EstimatorError::Features(error) => return (*error).into(),
            EstimatorError::Bundle(error) => return error.into(),
            EstimatorError::Setting { .. } => (Class::Usage, None),
            EstimatorError::RareClass { .. } => (
                Class::Data,
                Some("set the number of folds with folds=, or make one class of all rare ones with rare=\"pool\""),
            ),
            EstimatorError::DiscreteTarget { .. } => (Class::Data, Some("leave out target=\"continuous\"")),
            EstimatorError::RareCompleteClass { .. }
            | EstimatorError::FewRowsForDensity { .. }
            | EstimatorError::NothingHeldOut { .. } => (Class::Data, Some("set the number of folds with folds=")),
            EstimatorError::Threads { .. } => (Class::Failed, Some("set the number of threads with threads=")),
            EstimatorError::Device(_) => (Class::Failed, Some("use the processor with device=\"cpu\"")),
            EstimatorError::Candle(_) | EstimatorError::NoGradient { .. } | EstimatorError::Stopped => {
                (Class::Failed, None)
            }
            _ => (Class::Data, None),
        };
        Self { hint: hint.map(str::to_owned), ..Self::new(class, &error) }
    }
}

impl From<BatchError> for Raised {
    fn from(error: BatchError) -> Self {
        use BatchError as E;
        if let E::Estimator(error) = error {
            return error.into();
        }
        let (array, row, column) = match &error {
            E::Arrow(error) => return Self::new(Class::Failed, error),
            E::MeasuresNeedLabels => return Self::new(Class::Usage, &error),
            E::MissingColumn { column, .. } | E::ColumnType { column, .. } | E::RepeatedColumn { column } => {
                (*column, None, None)
            }
            E::Null { column, row } | E::Ragged { column, row, .. } => (*column, Some(row.row), None),
            E::NotFinite { column, row, place, .. } => (*column, Some(row.row), Some(*place)),
            E::UnknownClass { row, .. } => ("y", Some(row.row), None),
            E::Ids { .. } => ("id", None, None),
            _ => return Self::new(Class::Data, &error),
        };
        let place = Place { array: Some(array.to_owned()), row, column };
        let hint = matches!(error, E::UnknownClass { .. })
            .then(|| "values that are expected without labels are given with label_free=True".to_owned());
        Self { place, hint, ..Self::new(Class::Data, &error) }
    }
}

impl From<EmbedBatchError> for Raised {
    fn from(error: EmbedBatchError) -> Self {
        use EmbedBatchError as E;
        let (array, row) = match &error {
            E::MissingColumn { column, .. }
            | E::ColumnType { column, .. }
            | E::RepeatedColumn { column }
            | E::TakenColumn { column } => (Some(column.clone()), None),
            E::Row { row, .. } => (None, Some(*row)),
            E::Setting { .. } => return Self::new(Class::Usage, &error),
            _ => return Self::new(Class::Failed, &error),
        };
        let hint = match &error {
            E::MissingColumn { .. } => Some("name the columns with columns={\"image\": \"photo\"}".to_owned()),
            E::Row { .. } => {
                Some("keep such rows, with the reason in a column `error`, with on_error=\"keep\"".to_owned())
            }
            _ => None,
        };
        Self { place: Place { array, row, column: None }, hint, ..Self::new(Class::Data, &error) }
    }
}

impl From<EmbedError> for Raised {
    fn from(error: EmbedError) -> Self {
        let class = match error {
            EmbedError::Read { .. } | EmbedError::File { .. } | EmbedError::Model(_) => Class::Data,
            _ => Class::Failed,
        };
        Self::new(class, &error)
    }
}

impl From<BundleError> for Raised {
    fn from(error: BundleError) -> Self {
        Self::new(Class::Data, &error)
    }
}

impl From<AnalysisError> for Raised {
    fn from(error: AnalysisError) -> Self {
        match error {
            AnalysisError::Features(error) => (*error).into(),
            AnalysisError::Estimator(error) => (*error).into(),
            AnalysisError::Rows { file, source } => {
                let raised = Self::from(*source);
                Self { message: format!("{file}: {}", raised.message), ..raised }
            }
            AnalysisError::Label { label, source } => {
                let raised = Self::from(*source);
                Self { message: format!("label `{label}`: {}", raised.message), ..raised }
            }
            AnalysisError::RareLabel { .. } => {
                let hint = "put all rare labels together with rare=\"pool\", or set the number of folds with folds=";
                Self { hint: Some(hint.to_owned()), ..Self::new(Class::Data, &error) }
            }
            other => Self::new(Class::Data, &other),
        }
    }
}

impl From<GuideError> for Raised {
    fn from(error: GuideError) -> Self {
        let class = match error {
            GuideError::Setting { .. } => Class::Usage,
            GuideError::WorkerStopped { .. } => Class::Failed,
            _ => Class::Data,
        };
        Self::new(class, &error)
    }
}

impl From<lsmi_core::Error> for Raised {
    fn from(error: lsmi_core::Error) -> Self {
        Self::new(Class::Data, &error)
    }
}

/// An error that happened while writing or reading, whose place the message names.
pub(crate) fn failed(error: &dyn Error) -> PyErr {
    Raised::new(Class::Failed, error).into()
}

/// An error about a file, which it names.
pub(crate) fn failed_at(path: &Path, error: &dyn Error) -> PyErr {
    let raised = Raised::new(Class::Failed, error);
    Raised { message: format!("{}: {}", path.display(), raised.message), ..raised }.into()
}

/// Something that no argument and no data bring about.
pub(crate) fn defect(message: &str) -> PyErr {
    Raised { class: Class::Failed, message: message.to_owned(), place: Place::default(), hint: None }.into()
}

/// A wrong argument.
pub(crate) fn usage(message: impl Into<String>) -> PyErr {
    Raised { class: Class::Usage, message: message.into(), place: Place::default(), hint: None }.into()
}
