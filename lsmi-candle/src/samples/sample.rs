//! One row of a file of samples.
//!
//! A column that every file has is added here: to [`COLUMNS`], to [`Sample`], and to `Sample::of_terms`, which fills it.

use std::borrow::Cow;

use lsmi_core::{Decomposition, Kind, Terms};
use serde::{Deserialize, Serialize};

use super::value::Value;
use crate::estimator::OneModalityScores;

/// The columns of every file of samples: the fields of [`Sample`].
pub const COLUMNS: [&str; 17] = [
    "id", "split", "fold", "label", "h1", "h2", "i1", "i2", "i12", "r", "u1", "u2", "s", "pred1", "pred2", "pred12",
    "kind",
];

/// One row of a file of samples. What depends on a modality that the sample lacks is none.
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
    pub h1: Option<f64>,
    /// Surprisal of x2.
    pub h2: Option<f64>,
    /// Pointwise mutual information of x1 with the label.
    pub i1: Option<f64>,
    /// Pointwise mutual information of x2 with the label.
    pub i2: Option<f64>,
    /// Pointwise mutual information of both together with the label.
    pub i12: Option<f64>,
    /// Redundancy.
    pub r: Option<f64>,
    /// Uniqueness of x1.
    pub u1: Option<f64>,
    /// Uniqueness of x2.
    pub u2: Option<f64>,
    /// Synergy.
    pub s: Option<f64>,
    /// The class predicted from x1.
    pub pred1: Option<Text>,
    /// The class predicted from x2.
    pub pred2: Option<Text>,
    /// The class predicted from both.
    pub pred12: Option<Text>,
    /// What kind of sample it is; none without a label.
    pub kind: Option<Kind>,
    /// The values of the further columns of numbers.
    #[serde(skip)]
    pub further: Vec<Option<f64>>,
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
            h1: Some(terms.h1[row]),
            h2: Some(terms.h2[row]),
            i1: Some(terms.i1[row]),
            i2: Some(terms.i2[row]),
            i12: Some(terms.i12[row]),
            r: Some(parts.r[row]),
            u1: Some(parts.u1[row]),
            u2: Some(parts.u2[row]),
            s: Some(parts.s[row]),
            pred1: Some(Cow::Borrowed(pred1)),
            pred2: Some(Cow::Borrowed(pred2)),
            pred12: Some(Cow::Borrowed(pred12)),
            kind: None,
            further: Vec::new(),
            metadata: Vec::new(),
        }
    }

    /// Fills what a row has that lacks a modality: the terms of the one at this place, 0 or 1; the sample has neither label nor
    /// further columns.
    pub(super) fn of_one_modality(
        split: &'a str,
        scores: &'a OneModalityScores,
        modality: usize,
        row: usize,
        prediction: &'a str,
    ) -> Self {
        let of = |place: usize, values: &[f64]| (place == modality).then(|| values[row]);
        let predicted = |place: usize| (place == modality).then_some(Cow::Borrowed(prediction));
        Self {
            id: scores.ids.get(row),
            split: Cow::Borrowed(split),
            fold: scores.folds.as_ref().map(|folds| folds[row]),
            label: Cow::Borrowed(""),
            h1: of(0, &scores.surprisal),
            h2: of(1, &scores.surprisal),
            i1: of(0, &scores.information),
            i2: of(1, &scores.information),
            i12: None,
            r: None,
            u1: None,
            u2: None,
            s: None,
            pred1: predicted(0),
            pred2: predicted(1),
            pred12: None,
            kind: None,
            further: Vec::new(),
            metadata: Vec::new(),
        }
    }
}
