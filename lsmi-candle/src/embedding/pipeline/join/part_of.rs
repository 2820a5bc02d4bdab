//! What the feature file of a shard says of itself, so that the files of all shards can be joined.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// The key of the metadata under which it stands, as JSON.
pub(crate) const KEY: &str = "shard";

/// What the feature file of a shard is a part of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartOf {
    /// Which part it is, counted from 1.
    pub(crate) index: usize,
    /// The number of parts.
    pub(crate) of: usize,
    /// Its row groups, among those of the whole table.
    pub(crate) groups: Range<usize>,
    /// The number of row groups of the whole table.
    pub(crate) all_groups: usize,
    /// Its rows, those that were skipped too, among the rows of the whole table that are not dropped.
    pub(crate) rows: Range<usize>,
    /// Rows that were dropped within the part, as an input or a label is missing.
    pub(crate) dropped: usize,
    /// Rows with a text or sound that was cut.
    pub(crate) truncated: usize,
    /// SHA-256 of what the whole job is, whatever the part.
    pub(crate) job: String,
}
