//! What the sections of a page draw on, and where they leave their figures.

use lsmi_core::Interaction;
use minijinja::Value as Safe;
use serde::Serialize;

use super::figure::Figure;
use super::folder::{Folder, Samples};
use super::illustrations::Illustrations;
use super::number::{As, Number, Numbers};
use lsmi_candle::analysis::names::Names;
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
        Numbers(&self.folder.json)
    }

    /// The splits, in their order.
    pub(crate) fn splits(self) -> Vec<Split<'a>> {
        let summary = &self.folder.summary;
        let mut splits: Vec<Split<'a>> = Vec::new();
        for ((name, of_split), samples) in summary.splits.iter().zip(&self.folder.samples) {
            let mut anchor = anchor(name);
            if splits.iter().any(|other| other.anchor == anchor) {
                anchor = format!("{anchor}-{}", splits.len() + 1);
            }
            splits.push(Split { name, anchor, summary: of_split, samples, source: self });
        }
        splits
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

impl Split<'_> {
    /// The number at a path below the split.
    pub(crate) fn number(&self, path: &[&str], how: As) -> Number {
        self.source.numbers().at(&[&["splits", self.name], path].concat(), how)
    }

    /// Whether there is a true at a path below the split.
    pub(crate) fn is(&self, path: &[&str]) -> bool {
        self.source.numbers().is(&[&["splits", self.name], path].concat())
    }

    /// The value at a path below the split.
    pub(crate) fn value(&self, path: &[&str]) -> Option<f64> {
        self.source.numbers().value(&[&["splits", self.name], path].concat())
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

fn anchor(name: &str) -> String {
    let plain = |character: char| if character.is_ascii_alphanumeric() { character.to_ascii_lowercase() } else { '-' };
    let anchor: String = name.chars().take(40).map(plain).collect();
    if anchor.starts_with(|first: char| first.is_ascii_alphabetic()) { anchor } else { format!("split-{anchor}") }
}

/// The figures of a page.
#[derive(Debug, Default)]
pub(crate) struct Gallery(pub(crate) Vec<Figure>);

/// A figure as it stands in a page.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Shown {
    svg: Safe,
    caption: String,
    file: String,
}

impl Gallery {
    /// Takes a figure in.
    pub(crate) fn hang(&mut self, figure: Figure, caption: &str) -> Shown {
        let shown = Shown {
            svg: Safe::from_safe_string(figure.inline()),
            caption: caption.to_owned(),
            file: format!("figures/{}.svg", figure.name),
        };
        self.0.push(figure);
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_are_harmless() {
        assert_eq!(anchor("train"), "train");
        assert_eq!(anchor("../Äb c"), "split-----b-c");
        assert_eq!(anchor(""), "split-");
    }
}
