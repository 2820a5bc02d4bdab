//! Scored samples: rows of values with their ids, and the files that hold them.
//!
//! [`ScoredSplit`] has the terms and decompositions of the samples of one split, [`ExpectedSplit`] those of samples without
//! labels. [`mod@write`] puts samples in a file, csv, jsonl or Parquet, and [`read`] takes them out again; a column that every
//! file has is a field of [`Sample`], one that was asked for is in [`ExtraColumns`]. [`exemplars`] chooses which to show, [`join`] makes
//! one file of several.

pub mod candidates;
pub mod exemplars;
pub mod join;
pub mod parquet;
pub mod read;
pub mod table;
pub mod write;

mod extra_columns;
mod format;
mod label_free;
mod partial;
mod sample;
pub(crate) mod scored;
mod sums;
mod value;

pub use extra_columns::ExtraColumns;
pub use format::{Format, FormatError};
pub use label_free::ExpectedSplit;
pub use partial::PartialSamples;
pub use sample::{COLUMNS, Sample};
pub use scored::ScoredSplit;
pub use sums::{MissingSums, Sums};
pub use value::Value;
