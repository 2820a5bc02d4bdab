//! The samples that are listed in the closing table: for each interaction, some that are of its kind.
//!
//! The largest r of all would be those of a rare class, about whose samples there is the most to tell. The classes
//! therefore take turns: first comes the largest value of every class, then the second largest of every class.

use lsmi_core::{Interaction, Kind};

use super::ScoredSplit;

/// How many samples are listed for each interaction.
pub const LISTED: usize = 5;

/// The kind of the samples that an interaction is most of.
pub fn kind_of(interaction: Interaction) -> Kind {
    match interaction {
        Interaction::Redundancy => Kind::Redundant,
        Interaction::Unique1 => Kind::Unique1,
        Interaction::Unique2 => Kind::Unique2,
        Interaction::Synergy => Kind::Synergistic,
    }
}

/// The rows of the samples that tell most of an interaction, the largest value first.
pub fn telling(split: &ScoredSplit, interaction: Interaction) -> Vec<usize> {
    of_kind(kind_of(interaction), &split.kinds, split.decomposition.values(interaction), &split.scores.labels)
}

/// The same of samples of which kinds, values and class indices are known.
pub fn of_kind(kind: Kind, kinds: &[Kind], values: &[f64], labels: &[u32]) -> Vec<usize> {
    chosen((0..kinds.len()).filter(|row| kinds[*row] == kind).collect(), values, labels)
}

fn chosen(mut rows: Vec<usize>, values: &[f64], labels: &[u32]) -> Vec<usize> {
    // Of equals the first.
    let falling = |a: &usize, b: &usize| values[*b].total_cmp(&values[*a]).then(a.cmp(b));
    rows.sort_unstable_by(|a, b| labels[*a].cmp(&labels[*b]).then_with(|| falling(a, b)));
    let classes = rows.chunk_by(|a, b| labels[*a] == labels[*b]);
    let mut turns: Vec<(usize, usize)> = classes.flat_map(|of_class| of_class.iter().copied().enumerate()).collect();
    turns.sort_unstable_by(|(turn, a), (other, b)| turn.cmp(other).then_with(|| falling(a, b)));
    let mut rows: Vec<usize> = turns.into_iter().take(LISTED).map(|(_, row)| row).collect();
    rows.sort_unstable_by(falling);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64], labels: &[u32]) -> Vec<usize> {
        chosen((0..values.len()).collect(), values, labels)
    }

    #[test]
    fn the_largest_come_first_and_equals_in_their_order() {
        assert_eq!(of(&[0.1, 3.0, -2.0, 3.0, 0.5, 7.0, 0.5], &[0; 7]), [5, 1, 3, 4, 6]);
        assert_eq!(of(&[0.1, 0.2], &[0; 2]), [1, 0]);
        assert!(of(&[], &[]).is_empty());
        assert_eq!(chosen(vec![0, 2], &[1.0, 2.0, 3.0], &[0; 3]), [2, 0]);
    }

    #[test]
    fn classes_take_turns() {
        // The rare class 1 has the largest values, class 2 only one.
        let values = [9.0, 8.0, 7.0, 6.0, 2.0, 1.5, 1.0, 0.1];
        assert_eq!(of(&values, &[1, 1, 1, 1, 0, 0, 0, 2]), [0, 1, 4, 5, 7]);
        // More classes than are listed: the largest of their largest.
        assert_eq!(of(&values, &[0, 0, 1, 2, 3, 4, 5, 6]), [0, 2, 3, 4, 5]);
    }
}
