//! The table over labels.

use lsmi_candle::analysis::labels::LabelRow;
use lsmi_core::Interaction;
use serde::Serialize;

use super::Split;
use crate::report::number::{As, Number};

/// Labels of the table, at most.
const LISTED: usize = 1_000;

/// The labels of a split.
#[derive(Debug, Serialize)]
pub(super) struct Table {
    rows: Vec<Row>,
    /// That labels were left out, where they were.
    left_out: Option<String>,
}

#[derive(Debug, Serialize)]
struct Row {
    name: String,
    n: Number,
    positives: Number,
    information: Vec<Number>,
    adjusted: Vec<Number>,
    accuracy: Number,
}

impl Table {
    pub(super) fn new(split: &Split<'_>) -> Self {
        let row = |(place, row): &&(usize, &LabelRow)| {
            let place = place.to_string();
            let at = |path: &[&str], how| split.source.numbers.at(&[&["table", place.as_str()], path].concat(), how);
            Row {
                name: row.label.clone(),
                n: at(&["rows"], As::Count),
                positives: at(&["positives"], As::Count),
                information: ["i1", "i2", "i12"].map(|of| at(&["information", of], As::Nats)).into(),
                adjusted: Interaction::ALL.map(|part| at(&["adjusted", part.name()], As::Nats)).into(),
                accuracy: at(&["accuracy", "joint"], As::Percent),
            }
        };
        let (listed, all) = (split.most_told(LISTED), split.rows.len());
        let left_out = (listed.len() < all).then(|| {
            format!(
                "The {} labels about which most is told are listed, of {all}; all are in summary.json.",
                listed.len()
            )
        });
        Self { rows: listed.iter().map(row).collect(), left_out }
    }
}

/// An adjusted mean.
pub(super) fn adjusted(row: &LabelRow, part: Interaction) -> f64 {
    let of = &row.adjusted;
    match part {
        Interaction::Redundancy => of.r,
        Interaction::Unique1 => of.u1,
        Interaction::Unique2 => of.u2,
        Interaction::Synergy => of.s,
    }
}
