//! The redundancy lattice of three modalities: the figure, a table of its atoms, and a sentence that reads it.

use serde::Serialize;

use super::source::Split;
use crate::report::figure::Figure;
use crate::report::figure::lattice::{Atom, lattice};
use crate::report::gallery::{Gallery, Shown};
use crate::report::number::{As, Number};
use crate::tables::cells::nats;

/// The lattice of a split.
#[derive(Debug, Serialize)]
pub(super) struct LatticeSection {
    reading: String,
    figure: Shown,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    name: String,
    meaning: String,
    mean: Number,
}

impl LatticeSection {
    /// The lattice, where there is one.
    pub(super) fn new(split: &Split<'_>, gallery: &mut Gallery) -> Option<Self> {
        let summary = split.source.summary;
        if split.summary.lattice.is_empty() {
            return None;
        }
        let atoms: Vec<Atom> = split
            .summary
            .lattice
            .iter()
            .map(|(name, value)| Atom { name: name.clone(), meaning: summary.in_words(name), value: *value })
            .collect();
        let row = |atom: &Atom| Row {
            name: atom.name.clone(),
            meaning: atom.meaning.clone(),
            mean: split.number(&["lattice", &atom.name], As::Nats),
        };
        let told: Vec<String> = atoms.iter().map(|atom| format!("{} {}", atom.name, nats(atom.value))).collect();
        let figure = Figure {
            name: format!("{}-lattice", split.anchor),
            title: format!("Redundancy lattice of {}", split.name),
            description: format!(
                "Hasse diagram of 18 atoms with their means in nats, from the bottom: {}.",
                told.join(", ")
            ),
            drawing: lattice(&atoms),
        };
        let caption = "Area: size of the mean in nats. An atom is what its sets tell alike, and nothing below it tells; all at or \
                       below a node sum up to what its sets share.";
        Some(Self {
            reading: summary.reading(split.summary).unwrap_or_default(),
            figure: gallery.hang(figure, caption),
            // The table reads as the figure does, from the top.
            rows: atoms.iter().rev().map(row).collect(),
        })
    }
}
