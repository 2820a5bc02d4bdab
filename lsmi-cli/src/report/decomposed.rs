//! What was decomposed into r, u1, u2 and s, and the words for these.

use lsmi_core::{Adjusted, Interaction};

use super::number::{As, Number, Numbers};
use lsmi_candle::analysis::names::{Names, Words};

/// What was decomposed: a split of two modalities, or of a pair of several, with its place in `summary.json`.
#[derive(Debug, Clone)]
pub(crate) struct Decomposed<'a> {
    /// What it is called in titles.
    pub(crate) name: String,
    /// Its name in addresses and files: letters, digits and hyphens.
    pub(crate) anchor: String,
    /// What the modalities and the label are called.
    pub(crate) words: Words<'a>,
    /// Its numbers, among them `information`, `raw`, `adjusted` and `intervals`.
    pub(crate) numbers: Numbers<'a>,
    /// The means after the shift.
    pub(crate) adjusted: Adjusted,
}

impl Decomposed<'_> {
    /// The number at a path below it.
    pub(crate) fn number(&self, path: &[&str], how: As) -> Number {
        self.numbers.at(path, how)
    }

    /// The value at a path below it.
    pub(crate) fn value(&self, path: &[&str]) -> Option<f64> {
        self.numbers.value(path)
    }

    /// What an interaction is, in words.
    pub(crate) fn meaning(&self, interaction: Interaction) -> String {
        meaning(self.words.names, interaction)
    }
}

/// What an interaction of modalities of these names is, in words.
pub(crate) fn meaning(names: &Names, interaction: Interaction) -> String {
    match interaction {
        Interaction::Redundancy => "both alike".to_owned(),
        Interaction::Unique1 => format!("{} alone", names.x1),
        Interaction::Unique2 => format!("{} alone", names.x2),
        Interaction::Synergy => "only together".to_owned(),
    }
}

/// The symbol of the mean of an interaction.
pub(crate) fn symbol(interaction: Interaction) -> &'static str {
    match interaction {
        Interaction::Redundancy => "R",
        Interaction::Unique1 => "U1",
        Interaction::Unique2 => "U2",
        Interaction::Synergy => "S",
    }
}

/// The place of an interaction among r, u1, u2 and s.
pub(crate) fn place_of(interaction: Interaction) -> usize {
    match interaction {
        Interaction::Redundancy => 0,
        Interaction::Unique1 => 1,
        Interaction::Unique2 => 2,
        Interaction::Synergy => 3,
    }
}
