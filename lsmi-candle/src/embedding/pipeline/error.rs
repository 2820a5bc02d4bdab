//! Why a table cannot be embedded.

use thiserror::Error;

use super::group::Skipped;
use super::table::TableError;
use crate::embedding::embedder::EmbedError;
use crate::features::format::safetensors::LARGEST_HEADER;
use crate::jobs::JobError;

/// Why a table cannot be embedded. Rows are counted from 1, the header aside.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// A setting is 0.
    #[error("the setting `{name}` is 0, but must be at least 1")]
    Setting {
        /// The setting.
        name: &'static str,
    },
    /// The table cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// Some rows have no label.
    #[error("{file}: `{column}` is missing in some rows but not in all; row {row} differs from the first")]
    SomeLabels {
        /// The table.
        file: String,
        /// The column of labels.
        column: String,
        /// The first row that differs.
        row: usize,
    },
    /// Some rows have no id.
    #[error("{file}: `{column}` is missing in some rows but not in all; give every row an id")]
    SomeIds {
        /// The table.
        file: String,
        /// The column of ids.
        column: String,
    },
    /// Two rows have one id.
    #[error("{file}: rows {first} and {second} have the same id `{id}`; give every row an id of its own")]
    RepeatedId {
        /// The table.
        file: String,
        /// The id.
        id: String,
        /// The first row with it.
        first: usize,
        /// The next.
        second: usize,
    },
    /// No row has an id.
    #[error("{file}: no row has the id `{id}`; the inputs of samples are looked up by their ids")]
    UnknownId {
        /// The table.
        file: String,
        /// The id.
        id: String,
    },
    /// The ids are too many for a feature file.
    #[error(
        "{file}: the ids of {rows} rows take {bytes} bytes, but the header of a feature file has room for {LARGEST_HEADER}; \
         embed a smaller part of the table at a time, or give shorter ids"
    )]
    ManyIds {
        /// The table.
        file: String,
        /// The rows.
        rows: usize,
        /// Bytes of their ids.
        bytes: u64,
    },
    /// The table has no rows.
    #[error("{file}: the table has no rows")]
    NoRows {
        /// The table.
        file: String,
    },
    /// All rows were left out.
    #[error("{file}: an input or the label is missing in all {rows} rows")]
    AllDropped {
        /// The table.
        file: String,
        /// The rows.
        rows: usize,
    },
    /// The table has another number of rows than when they were counted.
    #[error("{file}: the table was changed while it was read; begin again when it is whole")]
    Changed {
        /// The table.
        file: String,
    },
    /// A row cannot be embedded.
    #[error("{file}: row {}: {}", .skipped.name(), .skipped.reason)]
    Row {
        /// The table.
        file: String,
        /// The row.
        skipped: Skipped,
    },
    /// No row can be embedded.
    #[error("{file}: not one row could be embedded{}", why(.first.as_ref()))]
    NothingEmbedded {
        /// The table.
        file: String,
        /// The first row, and why not.
        first: Option<Skipped>,
    },
    /// The encoders are of other columns than the plan was made for.
    #[error("the plan reads the columns {expected}, but the encoders are of {found}")]
    OtherColumns {
        /// The columns of the plan.
        expected: String,
        /// Those of the encoders.
        found: String,
    },
    /// An encoder or a device fails, for all rows.
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// Finished row groups cannot be kept, or the output cannot be written.
    #[error(transparent)]
    Job(#[from] JobError),
    /// What was done cannot be written as JSON.
    #[error("the description of the vectors cannot be written")]
    Describe(#[from] serde_json::Error),
    /// It was cancelled.
    #[error("cancelled; finished row groups are kept")]
    Cancelled,
}

pub(super) fn why(first: Option<&Skipped>) -> String {
    first.map_or_else(String::new, |first| format!("; row {}: {}", first.name(), first.reason))
}
