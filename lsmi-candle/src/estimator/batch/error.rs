//! Errors of a batch of rows.

use std::fmt;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use thiserror::Error;

use super::input::{ID, plain_values};
use crate::error::EstimatorError;
use crate::features::columns::text::{is_text, text_at};

/// A row of a batch: where it is, counted from 0, and its id, by which it is found again where others divide the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowName {
    /// Its place in the batch.
    pub row: usize,
    /// Its id, if it has one.
    pub id: Option<String>,
}

impl fmt::Display for RowName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.id {
            Some(id) => write!(formatter, "row {} (id `{id}`)", self.row),
            None => write!(formatter, "row {}", self.row),
        }
    }
}

impl From<usize> for RowName {
    fn from(row: usize) -> Self {
        Self { row, id: None }
    }
}

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
    /// Two columns have the name of one that is read.
    #[error("two columns are called `{column}`; rename or drop one of them")]
    RepeatedColumn {
        /// The name.
        column: &'static str,
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
    #[error("the column `{column}` is null at {row}; fill in a value, or drop the row")]
    Null {
        /// The column.
        column: &'static str,
        /// The row.
        row: RowName,
    },
    /// Lists of different lengths.
    #[error(
        "the column `{column}` has {found} values at {row}, but {expected} at the first; every row needs as many, so pad or drop such rows"
    )]
    Ragged {
        /// The column.
        column: &'static str,
        /// The row.
        row: RowName,
        /// Values there.
        found: usize,
        /// Values in the first row.
        expected: usize,
    },
    /// A number is NaN or infinite.
    #[error(
        "the column `{column}` is {found} at {row}, place {place}, but must be finite; fill in a value, or drop the row"
    )]
    NotFinite {
        /// The column.
        column: &'static str,
        /// The row.
        row: RowName,
        /// The place in the row's list.
        place: usize,
        /// The value found.
        found: f64,
    },
    /// A label is not a class of the estimator.
    #[error(
        "the column `y` is `{found}` at {row}, but must be one of {expected}; drop such rows, or score without `y`"
    )]
    UnknownClass {
        /// The row.
        row: RowName,
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

impl BatchError {
    /// Adds the id of the row that the error is about, if it is about one.
    pub(super) fn with_id(mut self, rows: &RecordBatch) -> Self {
        if let Self::Null { row, .. }
        | Self::Ragged { row, .. }
        | Self::NotFinite { row, .. }
        | Self::UnknownClass { row, .. } = &mut self
            && let Some(ids) = rows.column_by_name(ID)
            && let Ok(ids) = plain_values(ids)
            && is_text(ids.data_type())
            && !ids.is_null(row.row)
        {
            row.id = Some(text_at(&ids, row.row));
        }
        self
    }
}

impl From<lsmi_core::Error> for BatchError {
    fn from(error: lsmi_core::Error) -> Self {
        Self::Estimator(error.into())
    }
}
