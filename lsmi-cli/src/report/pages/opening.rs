//! How pages open: what has to be known first, the answer in words, and what there is to note.

use serde::Serialize;

/// The opening of a page.
#[derive(Debug, Serialize)]
pub(super) struct Opening {
    /// What has to be known before any number.
    pub(super) known: Vec<String>,
    /// The answer, in paragraphs.
    pub(super) paragraphs: Vec<String>,
    pub(super) notes: Vec<String>,
}

/// Names one after the other: `a, b and c`.
pub(super) fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [others @ .., last] => format!("{} and {last}", others.join(", ")),
    }
}
