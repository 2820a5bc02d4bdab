//! What can be wrong with a batch of rows, and how to mend it.

use arrow_schema::ArrowError;
use thiserror::Error;

use crate::error::EstimatorError;

/// Why a batch of rows cannot be scored. Rows and places in lists are counted from 0.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BatchError {
    /// A column that is needed is not there.
    #[error("there is no column `{column}`, only {found}; add it, or rename the column that it is")]
    MissingColumn {
        /// The column.
        column: &'static str,
        /// The columns there are.
        found: String,
    },
    /// A column is of a type that cannot serve.
    #[error("the column `{column}` is of type {found}, but must be {expected}; cast it")]
    ColumnType {
        /// The column.
        column: &'static str,
        /// Its type.
        found: String,
        /// What it may be.
        expected: &'static str,
    },
    /// A row has no value.
    #[error("the column `{column}` is null at row {row}; fill in a value, or drop the row")]
    Null {
        /// The column.
        column: &'static str,
        /// The row.
        row: usize,
    },
    /// Lists of different lengths.
    #[error(
        "the column `{column}` has {found} values at row {row}, but {expected} at the first; every row needs as many, so pad or drop such rows"
    )]
    Ragged {
        /// The column.
        column: &'static str,
        /// The row.
        row: usize,
        /// Values there.
        found: usize,
        /// Values in the first row.
        expected: usize,
    },
    /// A number that is NaN or infinite.
    #[error(
        "the column `{column}` is {found} at row {row}, place {place}, but must be finite; fill in a value, or drop the row"
    )]
    NotFinite {
        /// The column.
        column: &'static str,
        /// The row.
        row: usize,
        /// The place in the row's list.
        place: usize,
        /// What is there.
        found: f64,
    },
    /// A label that is no class of the estimator.
    #[error(
        "the column `y` is `{found}` at row {row}, but must be one of {expected}; drop such rows, or score without `y`"
    )]
    UnknownClass {
        /// The row.
        row: usize,
        /// The label.
        found: String,
        /// The classes.
        expected: String,
    },
    /// Ids that are there twice.
    #[error("the column `id` cannot be used")]
    Ids {
        /// Why not.
        source: lsmi_core::Error,
    },
    /// Measures without labels to take them of.
    #[error("there is no column `y`, but further measures need labels; add it, or ask for no measures")]
    MeasuresNeedLabels,
    /// The estimator cannot score the rows.
    #[error(transparent)]
    Estimator(#[from] EstimatorError),
    /// Arrow refused; not for what the rows hold.
    #[error("the result could not be put together")]
    Arrow(#[from] ArrowError),
}

impl From<lsmi_core::Error> for BatchError {
    fn from(error: lsmi_core::Error) -> Self {
        Self::Estimator(error.into())
    }
}
