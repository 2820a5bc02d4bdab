//! The table of emoji that the demo writes beside its results.

/// The content of the table.
pub(super) const TABLE: &[u8] = include_bytes!("../../data/emoji/emoji.csv");

/// What the table is called beside the results.
pub(super) const TABLE_FILE: &str = "emoji.csv";
