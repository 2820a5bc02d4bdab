//! Groups: rows that belong together, such as five captions of one picture or the sentences of one speaker.

use std::collections::hash_map::DefaultHasher;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};

use lsmi_core::statistics::effective_clusters;

/// The group of every row.
///
/// Rows of one group are never divided: not between folds, not between the resamples of a bootstrap, not between permutations.
/// Groups of equal values are the same in all splits and parts of a file.
///
/// ```
/// use lsmi_candle::features::Groups;
///
/// let groups = Groups::of_values(["cat.jpg", "dog.jpg", "cat.jpg"]);
/// assert_eq!(groups.numbers(), [0, 1, 0]);
/// assert_eq!(groups.count(), 2);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    /// Hashes of the values: of 64 bits, so that two of a billion values are alike with a probability of 3 %.
    keys: Vec<u64>,
}

impl Groups {
    /// Puts rows of equal values together.
    pub fn of_values<Value: Hash>(values: impl IntoIterator<Item = Value>) -> Self {
        // The hash is the same in every part of the data that this process reads, and is never saved.
        let key = |value: Value| {
            let mut hasher = DefaultHasher::new();
            value.hash(&mut hasher);
            hasher.finish()
        };
        Self { keys: values.into_iter().map(key).collect() }
    }

    /// Makes every row a group of its own.
    pub fn each_alone(rows: usize) -> Self {
        Self::of_values(0..rows)
    }

    /// Returns the number of rows.
    pub fn rows(&self) -> usize {
        self.keys.len()
    }

    /// Numbers the groups in the order in which they first occur, and gives the number of each row's group.
    ///
    /// # Panics
    /// If there are 2^32 groups or more.
    pub fn numbers(&self) -> Vec<u32> {
        let mut known: HashMap<u64, u32> = HashMap::new();
        let number = |key: &u64| {
            #[expect(clippy::expect_used, reason = "documented")]
            let next = u32::try_from(known.len()).expect("fewer than 2^32 groups");
            *known.entry(*key).or_insert(next)
        };
        self.keys.iter().map(number).collect()
    }

    /// Returns whether a row belongs to the same group as one of the others.
    pub fn is_shared_with(&self, others: &Self) -> Vec<bool> {
        let known: HashSet<u64> = others.keys.iter().copied().collect();
        self.keys.iter().map(|key| known.contains(key)).collect()
    }

    /// Counts the groups.
    pub fn count(&self) -> usize {
        self.sizes().len()
    }

    /// Returns the number of independent rows that the groups amount to at least, see
    /// [`effective_clusters`].
    pub fn effective(&self) -> f64 {
        effective_clusters(&self.numbers())
    }

    /// Counts the rows of the largest group.
    pub fn largest(&self) -> usize {
        self.sizes().into_values().max().unwrap_or(0)
    }

    /// Counts the rows that share their group with another.
    pub fn rows_with_others(&self) -> usize {
        self.sizes().into_values().filter(|size| *size > 1).sum()
    }

    /// Returns whether no two rows belong together.
    pub fn are_single_rows(&self) -> bool {
        self.count() == self.keys.len()
    }

    /// Returns the groups of the given rows, in the given order.
    ///
    /// # Panics
    /// If an index is not below the number of rows.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        Self { keys: rows.iter().map(|row| self.keys[*row]).collect() }
    }

    /// Joins groups: rows are together if one of both has them together, directly or through other rows.
    ///
    /// # Panics
    /// If the numbers of rows differ.
    #[must_use]
    pub(crate) fn joined(&self, other: &Self) -> Self {
        assert_eq!(self.rows(), other.rows(), "groups of the same rows");
        let mut sets = DisjointSets::new(self.rows());
        for groups in [self, other] {
            let mut first_of: HashMap<u64, usize> = HashMap::new();
            for (row, key) in groups.keys.iter().enumerate() {
                sets.unite(*first_of.entry(*key).or_insert(row), row);
            }
        }
        sets.groups()
    }

    /// Puts the groups of parts one after the other.
    pub(crate) fn concatenated(parts: &[&Self]) -> Self {
        Self { keys: parts.iter().flat_map(|part| &part.keys).copied().collect() }
    }

    /// Returns what tells the group of each row in all parts of the data.
    pub(crate) fn keys(&self) -> &[u64] {
        &self.keys
    }

    fn sizes(&self) -> HashMap<u64, usize> {
        let mut sizes = HashMap::new();
        for key in &self.keys {
            *sizes.entry(*key).or_insert(0) += 1;
        }
        sizes
    }
}

/// Rows in sets that are united step by step (Tarjan 1975, with path halving).
pub(crate) struct DisjointSets {
    parents: Vec<usize>,
}

impl DisjointSets {
    pub(crate) fn new(rows: usize) -> Self {
        Self { parents: (0..rows).collect() }
    }

    fn root(&mut self, mut row: usize) -> usize {
        while self.parents[row] != row {
            self.parents[row] = self.parents[self.parents[row]];
            row = self.parents[row];
        }
        row
    }

    pub(crate) fn unite(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        // The root of a set is its first row, whatever the order of unions.
        let (first, last) = (one.min(other), one.max(other));
        self.parents[last] = first;
    }

    pub(crate) fn groups(mut self) -> Groups {
        Groups::of_values((0..self.parents.len()).map(|row| self.root(row)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_join_through_shared_rows() {
        let pictures = Groups::of_values([1, 1, 2, 3, 4]);
        let captions = Groups::of_values(["a", "b", "b", "c", "d"]);
        let joined = pictures.joined(&captions);
        assert_eq!(joined.numbers(), [0, 0, 0, 1, 2]);
        assert_eq!((joined.count(), joined.largest()), (3, 3));
        assert!(!joined.are_single_rows());
        assert!(Groups::each_alone(5).are_single_rows());
        assert_eq!(joined.joined(&Groups::each_alone(5)).numbers(), joined.numbers());
    }

    #[test]
    fn selected_rows_keep_their_groups() {
        let groups = Groups::of_values(["a", "b", "a", "c"]).select(&[3, 2, 0]);
        assert_eq!(groups.count(), 2);
        assert_eq!(groups.numbers()[1], groups.numbers()[2]);
        // Two rows of one group and one alone: 9 / (4 + 1).
        assert!((groups.effective() - 1.8).abs() < 1e-12);
    }
}
