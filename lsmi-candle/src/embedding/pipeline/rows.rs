//! What the row groups of a table hold together, but for the vectors: the rows that are there, and those that are not.

use std::collections::BTreeSet;

use super::group::{Header, Skipped};

/// The rows of all row groups of a table, or of a shard of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EmbeddedRows {
    /// The place in the table of every row that has vectors, from 0.
    pub places: Vec<usize>,
    /// The ids of these rows, where the table has ids.
    pub ids: Option<Vec<String>>,
    /// The labels of these rows, where the table has labels.
    pub labels: Option<Vec<String>>,
    /// The different labels: whole numbers by value where all are, otherwise by bytes.
    pub classes: Option<Vec<String>>,
    /// The rows that could not be embedded.
    pub skipped: Vec<Skipped>,
    /// Rows with a text or sound that was longer than its model takes, and was cut.
    pub truncated: usize,
    /// Rows that were left out, as an input or a label is missing.
    pub dropped: usize,
}

impl EmbeddedRows {
    /// Joins the headers of row groups in their order.
    pub(super) fn new(headers: impl IntoIterator<Item = Header>, dropped: usize) -> Self {
        let mut rows = Self { dropped, ..Self::default() };
        for header in headers {
            rows.places.extend(header.places);
            rows.skipped.extend(header.skipped);
            rows.truncated += header.truncated;
            for (all, of_group) in [(&mut rows.ids, header.ids), (&mut rows.labels, header.labels)] {
                if let Some(of_group) = of_group {
                    all.get_or_insert_default().extend(of_group);
                }
            }
        }
        rows.classes = rows.labels.as_ref().map(|labels| classes(labels.iter().collect()));
        rows
    }

    /// Returns the number of rows that have vectors.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether no row has vectors.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
}

/// Lists different labels: whole numbers by value where all are, otherwise by bytes.
pub(super) fn classes(different: BTreeSet<&String>) -> Vec<String> {
    let mut classes: Vec<String> = different.into_iter().cloned().collect();
    let value = |label: &String| label.parse::<i64>().ok();
    if classes.iter().all(|label| value(label).is_some()) {
        classes.sort_by_key(value);
    }
    classes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_sorted_by_value() {
        let labels = |texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            classes(texts.iter().collect())
        };
        assert_eq!(labels(&["10", "9", "10", "-1"]), ["-1", "9", "10"]);
        assert_eq!(labels(&["10", "9", "b"]), ["10", "9", "b"]);
    }
}
