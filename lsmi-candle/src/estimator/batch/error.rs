//! Errors of a batch of rows.

use arrow_schema::ArrowError;
use thiserror::Error;

use crate::error::EstimatorError;

/// A batch of rows that cannot be scored. Rows and places in lists are counted from 0.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BatchError {
    /// A required column is missing.
    #[error("there is no column `{column}`, only {found}; add it, or rename a column to it")]
    MissingColumn {
        /// The column.
        column: &'static str,
        /// The columns found.
        found: String,
    },
    /// A column has an unsupported type.
    #[error("the column `{column}` is of type {found}, but must be {expected}; cast it")]
    ColumnType {
        /// The column.
        column: &'static str,
        /// Its type.
        found: String,
        /// The expected types.
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
    /// A number is NaN or infinite.
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
        /// The value found.
        found: f64,
    },
    /// A label is not a class of the estimator.
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
    /// An id occurs twice.
    #[error("the column `id` cannot be used")]
    Ids {
        /// The duplicate id.
        source: lsmi_core::Error,
    },
    /// Measures without labels to take them of.
    #[error("there is no column `y`, but further measures need labels; add it, or ask for no measures")]
    MeasuresNeedLabels,
    /// The estimator cannot score the rows.
    #[error(transparent)]
    Estimator(#[from] EstimatorError),
    /// Arrow failed for a reason other than the values of the rows.
    #[error("the result could not be put together")]
    Arrow(#[from] ArrowError),
}

impl From<lsmi_core::Error> for BatchError {
    fn from(error: lsmi_core::Error) -> Self {
        Self::Estimator(error.into())
    }
}
