//! What the sections of the page draw on.

use lsmi_candle::analysis::several::{SeveralSplitSummary, SeveralSummary};
use lsmi_core::Subset;

use super::samples::Samples;
use crate::report::number::{As, Number, Numbers};
use crate::report::pages::opening::listed;

/// An analysis.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub(super) summary: &'a SeveralSummary,
    pub(super) numbers: Numbers<'a>,
}

/// A split of it.
#[derive(Debug)]
pub(super) struct Split<'a> {
    pub(super) name: &'a str,
    /// Its name in addresses and files.
    pub(super) anchor: String,
    pub(super) summary: &'a SeveralSplitSummary,
    pub(super) samples: &'a Samples,
    pub(super) source: &'a Source<'a>,
}

impl Split<'_> {
    pub(super) fn numbers(&self) -> Numbers<'_> {
        self.source.numbers.below(&["splits", self.name])
    }

    /// The number at a path below the split.
    pub(super) fn number(&self, path: &[&str], how: As) -> Number {
        self.numbers().at(path, how)
    }

    /// The names of the modalities in a set.
    pub(super) fn names(&self, set: Subset) -> String {
        let names: Vec<String> =
            set.members().filter_map(|place| self.source.summary.modalities.get(place)).cloned().collect();
        listed(&names)
    }

    pub(super) fn modalities(&self) -> &[String] {
        &self.source.summary.modalities
    }
}
