//! One row of a file of samples.
//!
//! A column that every file has is added here: to [`COLUMNS`], to [`Sample`], and to `Sample::of_terms`, which fills it.

use std::borrow::Cow;

use lsmi_core::{Decomposition, Kind, Terms};
use serde::{Deserialize, Serialize};

use super::value::Value;

/// The columns of every file of samples: the fields of [`Sample`].
pub const COLUMNS: [&str; 17] = [
    "id", "split", "fold", "label", "h1", "h2", "i1", "i2", "i12", "r", "u1", "u2", "s", "pred1", "pred2", "pred12",
    "kind",
];

/// One row of a file of samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample<Text> {
    /// The id of the sample.
    pub id: Text,
    /// The split it belongs to.
    pub split: Text,
    /// The fold that held it out; none for samples that all folds' models scored together.
    pub fold: Option<u32>,
    /// The name of its class.
    pub label: Text,
    /// Surprisal of x1.
    pub h1: f64,
    /// Surprisal of x2.
    pub h2: f64,
    /// Pointwise mutual information of x1 with the label.
    pub i1: f64,
    /// Pointwise mutual information of x2 with the label.
    pub i2: f64,
    /// Pointwise mutual information of both together with the label.
    pub i12: f64,
    /// Redundancy.
    pub r: f64,
    /// Uniqueness of x1.
    pub u1: f64,
    /// Uniqueness of x2.
    pub u2: f64,
    /// Synergy.
    pub s: f64,
    /// The class predicted from x1.
    pub pred1: Text,
    /// The class predicted from x2.
    pub pred2: Text,
    /// The class predicted from both.
    pub pred12: Text,
    /// What kind of sample it is; none without a label.
    pub kind: Option<Kind>,
    /// The values of the further columns of numbers.
    #[serde(skip)]
    pub further: Vec<f64>,
    /// The values of the metadata columns.
    #[serde(skip)]
    pub metadata: Vec<Value<Text>>,
}

impl<'a> Sample<Cow<'a, str>> {
    /// Fills what terms, their decomposition and the heads' predictions give for a row; the sample has neither fold, label,
    /// kind nor further columns.
    pub(super) fn of_terms(
        split: &'a str,
        terms: &'a Terms,
        parts: &Decomposition,
        row: usize,
        [pred1, pred2, pred12]: [&'a str; 3],
    ) -> Self {
        Self {
            id: terms.ids.get(row),
            split: Cow::Borrowed(split),
            fold: None,
            label: Cow::Borrowed(""),
            h1: terms.h1[row],
            h2: terms.h2[row],
            i1: terms.i1[row],
            i2: terms.i2[row],
            i12: terms.i12[row],
            r: parts.r[row],
            u1: parts.u1[row],
            u2: parts.u2[row],
            s: parts.s[row],
            pred1: Cow::Borrowed(pred1),
            pred2: Cow::Borrowed(pred2),
            pred12: Cow::Borrowed(pred12),
            kind: None,
            further: Vec::new(),
            metadata: Vec::new(),
        }
    }
}
