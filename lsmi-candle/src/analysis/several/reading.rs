//! The lattice of three modalities in a sentence.

use super::{SeveralSplitSummary, SeveralSummary};
use crate::analysis::names::nats;

/// Atoms that a sentence names at most.
const MOST_NAMED: usize = 3;
/// The least mean of an atom, in nats, for it to be named.
const LEAST: f64 = 0.01;

impl SeveralSummary {
    /// Reads the lattice of a split in a sentence or two: the largest atoms, what each is in words, and whether some are
    /// below 0. Returns `None` where there is no lattice.
    pub fn reading(&self, split: &SeveralSplitSummary) -> Option<String> {
        let (_, whole) = split.information.last_key_value()?;
        let mut atoms: Vec<&(String, f64)> = split.lattice.iter().collect();
        let lowest = atoms.iter().min_by(|one, other| one.1.total_cmp(&other.1))?;
        let label = &self.label;
        let below = if lowest.1 < -LEAST {
            format!(
                " The mean of {} is {}: below 0, as samples are misled there more than they are informed.",
                lowest.0,
                nats(lowest.1)
            )
        } else {
            String::new()
        };
        atoms.sort_by(|one, other| other.1.total_cmp(&one.1));
        let named: Vec<String> = atoms
            .iter()
            .filter(|(_, value)| *value >= LEAST)
            .take(MOST_NAMED)
            .map(|(name, value)| format!("{} nats are {name}, {}", nats(*value), self.in_words(name)))
            .collect();
        if named.is_empty() {
            return Some(format!(
                "All modalities together tell {} nats about {label}, and no atom of the lattice has {LEAST} of them.{below}",
                nats(*whole)
            ));
        }
        Some(format!(
            "Of the {} nats that all modalities together tell about {label}, {}.{below}",
            nats(*whole),
            named.join("; ")
        ))
    }

    /// Says what the atom of a node is, by its name: what its sets tell alike, and no smaller or further set does.
    pub fn in_words(&self, node: &str) -> String {
        let set = |digits: &str| -> String {
            let names: Vec<&str> = digits
                .chars()
                .filter_map(|digit| digit.to_digit(10))
                .filter_map(|digit| self.modalities.get((digit as usize).checked_sub(1)?))
                .map(String::as_str)
                .collect();
            if names.len() > 1 { format!("{} together", names.join(" and ")) } else { names.join("") }
        };
        let sets: Vec<String> = node.trim_matches(['{', '}']).split("}{").map(set).collect();
        match sets.as_slice() {
            [one] if one.ends_with("together") => format!("told only by {one}"),
            [one] => format!("told by {one} alone"),
            several => format!("told alike by {}", several.join(", by ")),
        }
    }
}
