//! Why a table of inputs cannot be used.

use thiserror::Error;

use super::missing_as;

/// Why a table cannot be used. Rows are counted from 1, the header aside.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TableError {
    /// The file cannot be read.
    #[error("{file}: the table cannot be read; check the path and its permissions")]
    Read {
        /// The table.
        file: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The extension names no format.
    #[error("{file}: the extension names no format of a table; use .csv, .tsv, .jsonl or .parquet")]
    Format {
        /// The table.
        file: String,
    },
    /// The file is not UTF-8.
    #[error("{file}: the table is UTF-16, or no text at all; save it as UTF-8")]
    NotText {
        /// The table.
        file: String,
    },
    /// A column is missing.
    #[error("{file}: there is no column `{column}`; columns there: {found}")]
    Column {
        /// The table.
        file: String,
        /// The column.
        column: String,
        /// The columns there are.
        found: String,
    },
    /// Two columns have the name of one that is read.
    #[error("{file}: the columns {first} and {second} are both called `{column}`, counted from 0; rename one of them")]
    Repeated {
        /// The table.
        file: String,
        /// The name.
        column: String,
        /// The place of the first column with it, counted from 0.
        first: usize,
        /// The place of the next.
        second: usize,
    },
    /// A row cannot be read.
    #[error("{file}: row {row} cannot be read: {reason}")]
    Row {
        /// The table.
        file: String,
        /// The row.
        row: usize,
        /// What is wrong.
        reason: String,
    },
    /// A field is missing.
    #[error("{file}: `{column}` of row {row} is {}", missing_as(found))]
    Missing {
        /// The table.
        file: String,
        /// The column.
        column: String,
        /// The row.
        row: usize,
        /// What stands there.
        found: String,
    },
    /// The file is no Parquet, or holds what is not understood.
    #[error("{file}: not a readable Parquet file")]
    Parquet {
        /// The table.
        file: String,
        /// What is wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A column does not hold text or whole numbers.
    #[error("{file}: `{column}` holds {found}, but must hold text or whole numbers")]
    Type {
        /// The table.
        file: String,
        /// The column.
        column: String,
        /// What it holds.
        found: String,
    },
}
