//! What the sections of the page draw on.

use lsmi_core::{Interaction, Kind};
use serde_json::Value;

use crate::process::failure::Failure;
use crate::report::number::{As, Number, Numbers};
use crate::tables::cells::kind_in_words;
use lsmi_candle::analysis::diff::{Compared, Diff, SideSummary};
use lsmi_candle::analysis::names::Names;
use lsmi_candle::analysis::names::Words;

/// A comparison, with its values.
pub(super) struct Source<'a> {
    pub(super) compared: &'a Compared<'a>,
    pub(super) diff: &'a Diff,
    /// The same as it is written, to look values up by their paths.
    json: Value,
    /// What the modalities are called, where both analyses say the same.
    pub(super) names: Names,
    /// What the label is called, likewise.
    pub(super) label: String,
    /// The values of the seven quantities of the samples that are compared: first and second.
    pub(super) columns: [[Vec<f64>; 7]; 2],
}

impl<'a> Source<'a> {
    pub(super) fn new(compared: &'a Compared<'a>, diff: &'a Diff) -> Result<Self, Failure> {
        let json = serde_json::to_value(diff).map_err(Failure::failed)?;
        let [first, second] = compared.sides().map(|side| side.summary.as_ref());
        let agreed = |name: &str| {
            let (first, second) = (first?.get(name)?, second?.get(name)?);
            (first == second).then(|| first.clone())
        };
        let names = agreed("names").and_then(|names| serde_json::from_value(names).ok()).unwrap_or_default();
        let label = agreed("label").and_then(|label| Some(label.as_str()?.to_owned()));
        let columns = compared.columns(&compared.rows());
        Ok(Self { compared, diff, json, names, label: label.unwrap_or_else(|| "the label".to_owned()), columns })
    }

    /// The number at a path of `diff.json`.
    pub(super) fn number(&self, path: &[&str], how: As) -> Number {
        Numbers::of(&self.json).at(path, how)
    }

    /// The first or the second.
    pub(super) fn side(&self, name: &str) -> &SideSummary {
        if name == "first" { &self.diff.first } else { &self.diff.second }
    }

    /// The values of an interaction in the first and in the second.
    pub(super) fn values(&self, part: Interaction) -> [&[f64]; 2] {
        let column = column_of(part);
        self.columns.each_ref().map(|side| side[column].as_slice())
    }

    /// A kind in words.
    pub(super) fn kind(&self, kind: Kind) -> String {
        if kind == Kind::None {
            return "none of these".to_owned();
        }
        kind_in_words(Words { names: &self.names, label: &self.label }, kind)
    }
}

/// The place of an interaction among the seven quantities.
pub(super) fn column_of(part: Interaction) -> usize {
    3 + part as usize
}
