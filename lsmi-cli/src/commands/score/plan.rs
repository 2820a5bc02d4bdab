//! Which rows are read, scored and written together.

use std::ops::Range;

use lsmi_candle::features::RowSplit;

/// Numbers in the features and logits of a group, at most, unless a single row has more: 8 MiB of doubles.
const NUMBERS: usize = 1 << 20;

/// Rows of a group, at most.
const ROWS: usize = 32_768;

/// Rows of one split that are read, scored and written together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    /// The place of the split in the file.
    pub(crate) split: usize,
    /// The rows.
    pub(crate) rows: Range<usize>,
}

/// How many rows are a group where nobody says: a power of two, fewer the wider the rows are.
///
/// A power of two divides, or is a multiple of, the rows that an estimator takes at a time, so that the same rows are
/// taken together as in memory.
pub(crate) fn rows_of_a_group(splits: &[RowSplit]) -> usize {
    let widest = splits.iter().map(|split| split.numbers).max().unwrap_or(1).max(1);
    let most = (NUMBERS / widest).clamp(1, ROWS);
    1 << most.ilog2()
}

/// The groups of the splits in these places, in order.
pub(crate) fn groups(splits: &[RowSplit], places: &[usize], rows_of_a_group: usize) -> Vec<Group> {
    let of_split = |split: usize| {
        let rows = splits[split].rows;
        let starts = (0..rows).step_by(rows_of_a_group);
        starts.map(move |start| Group { split, rows: start..rows.min(start.saturating_add(rows_of_a_group)) })
    };
    places.iter().flat_map(|split| of_split(*split)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(rows: usize, numbers: usize) -> RowSplit {
        RowSplit { name: "eval".to_owned(), rows, dims: [1, numbers - 1], numbers }
    }

    #[test]
    fn wide_rows_make_small_groups() {
        for (numbers, expected) in [(2, 32_768), (32, 32_768), (33, 16_384), (5000, 128), (1 << 30, 1)] {
            assert_eq!(rows_of_a_group(&[split(9, 2), split(9, numbers)]), expected, "{numbers}");
        }
    }

    #[test]
    fn groups_do_not_reach_over_splits() {
        let found = groups(&[split(5, 2), split(9, 2), split(4, 2)], &[0, 2], 3);
        let rows: Vec<_> = found.into_iter().map(|group| (group.split, group.rows)).collect();
        assert_eq!(rows, [(0, 0..3), (0, 3..5), (2, 0..3), (2, 3..4)]);
    }
}
