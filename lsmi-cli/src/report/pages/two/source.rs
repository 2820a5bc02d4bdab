//! What the sections of the page draw on.

use lsmi_core::Interaction;

use super::folder::{Folder, Samples};
use super::illustrations::Illustrations;
use crate::report::decomposed::{Decomposed, meaning};
use crate::report::gallery::anchors;
use crate::report::number::{As, Number, Numbers};
use lsmi_candle::analysis::names::Words;
use lsmi_candle::analysis::summary::SplitSummary;

/// An analysis, with what is known of its samples.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) folder: &'a Folder,
    pub(crate) illustrations: &'a Illustrations,
}

/// A split of it.
#[derive(Debug, Clone)]
pub(crate) struct Split<'a> {
    pub(crate) name: &'a str,
    /// Its name in addresses and files: letters, digits and hyphens.
    pub(crate) anchor: String,
    pub(crate) summary: &'a SplitSummary,
    pub(crate) samples: &'a Samples,
    pub(crate) source: Source<'a>,
}

impl<'a> Source<'a> {
    /// What the modalities and the label are called.
    pub(crate) fn words(&self) -> Words<'a> {
        self.folder.summary.words()
    }

    pub(crate) fn numbers(&self) -> Numbers<'a> {
        Numbers::of(&self.folder.json)
    }

    /// The splits, in their order.
    pub(crate) fn splits(self) -> Vec<Split<'a>> {
        let splits = &self.folder.summary.splits;
        let parts = splits.iter().zip(anchors(splits.iter().map(|(name, _)| name.as_str()))).zip(&self.folder.samples);
        parts
            .map(|(((name, summary), anchor), samples)| Split { name, anchor, summary, samples, source: self })
            .collect()
    }

    /// A modality's or the joint head's name.
    pub(crate) fn heads(&self) -> [(&'static str, String); 3] {
        let names = self.words().names;
        [("x1", names.x1.clone()), ("x2", names.x2.clone()), ("joint", "both".to_owned())]
    }

    /// What an interaction is, in words.
    pub(crate) fn meaning(&self, interaction: Interaction) -> String {
        meaning(self.words().names, interaction)
    }
}

impl<'a> Split<'a> {
    /// What was decomposed, for sections that are not of two modalities alone.
    pub(crate) fn decomposed(&self) -> Decomposed<'a> {
        Decomposed {
            name: self.name.to_owned(),
            anchor: self.anchor.clone(),
            words: self.source.words(),
            numbers: self.source.numbers().below(&["splits", self.name]),
            adjusted: self.summary.adjusted,
        }
    }

    /// The number at a path below the split.
    pub(crate) fn number(&self, path: &[&str], how: As) -> Number {
        self.source.numbers().at(&[&["splits", self.name], path].concat(), how)
    }

    /// The value at a path below the split.
    pub(crate) fn value(&self, path: &[&str]) -> Option<f64> {
        self.source.numbers().value(&[&["splits", self.name], path].concat())
    }
}
