//! The rows of a row group and their vectors, in memory and as a part of a job.

use serde::{Deserialize, Serialize};

/// What a row group holds besides vectors.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    /// The place in the table of every row that is there, from 0.
    pub(super) places: Vec<usize>,
    /// The labels of these rows, where the table has labels.
    pub(super) labels: Option<Vec<String>>,
    /// The ids of these rows, where the table has ids.
    pub(super) ids: Option<Vec<String>>,
    /// The rows that were skipped.
    pub(super) skipped: Vec<Skipped>,
    /// Rows with a text or sound that was longer than its model takes.
    pub(super) truncated: usize,
}

/// A row that could not be embedded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Its row, from 1, the header aside.
    pub row: usize,
    /// Its id, where the table has ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What was wrong.
    pub reason: String,
}

impl Skipped {
    /// Returns its row and, where it has one, its id, for messages.
    pub fn name(&self) -> String {
        /// Characters of an id that are shown at most.
        const MOST: usize = 60;
        match &self.id {
            Some(id) if id.chars().count() > MOST => {
                format!("{} (id `{}`)", self.row, id.chars().take(MOST - 1).chain(['…']).collect::<String>())
            }
            Some(id) => format!("{} (id `{id}`)", self.row),
            None => self.row.to_string(),
        }
    }
}

/// A finished row group.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    pub(super) header: Header,
    /// The vectors of each modality, `[rows, width]`.
    pub(super) vectors: Vec<Vec<f32>>,
}

impl Group {
    /// Returns the vectors of each modality in turn: 32-bit numbers, little-endian, row after row.
    pub(super) fn bytes(&self) -> Vec<Vec<u8>> {
        self.vectors.iter().map(|vectors| bytes(vectors)).collect()
    }
}

/// Returns numbers as bytes, little-endian.
pub(super) fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}
