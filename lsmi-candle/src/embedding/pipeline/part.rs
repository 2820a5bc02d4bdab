//! What the feature file of a shard says of itself, so that the files of all shards can be joined.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// The key of the metadata under which it stands, as JSON.
pub(super) const KEY: &str = "shard";

/// What the feature file of a shard is a part of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PartOf {
    /// Which part it is, counted from 1.
    pub(super) index: usize,
    /// The number of parts.
    pub(super) of: usize,
    /// Its row groups, among those of the whole table.
    pub(super) groups: Range<usize>,
    /// The number of row groups of the whole table.
    pub(super) all_groups: usize,
    /// Its rows, those that were skipped too, among the rows of the whole table that are not dropped.
    pub(super) rows: Range<usize>,
    /// Rows that were dropped within the part, as an input or a label is missing.
    pub(super) dropped: usize,
    /// Rows with a text or sound that was cut.
    pub(super) truncated: usize,
    /// SHA-256 of what the whole job is, whatever the part.
    pub(super) job: String,
}
