//! Gradient-boosted decision trees: posteriors from sums of shallow trees.
//!
//! The score of class `k` is `f_k(x) = b_k + sum_t T_tk(x)`, and `p(k|x) = exp(f_k(x)) / sum_j exp(f_j(x))`. Each round adds a
//! tree `T_t`, whose leaves hold a number for every class, that takes a Newton step down the log loss (Friedman 2001,
//! algorithm 6; Chen, Guestrin 2016, section 2.2). Trees see the steps and interactions of single columns that linear heads
//! and small networks miss, and hardly more than the order of values in a column matters.

mod bins;
mod boost;
mod grow;
mod params;
mod parts;
#[cfg(test)]
mod tests;

pub(in crate::heads) use params::TreesParams;
pub(crate) use parts::{BoostedTrees, TreeParts};

use lsmi_core::random::ChaCha8Rng;

/// Rows that pass through all trees together.
const ROWS_AT_ONCE: usize = 256;

impl BoostedTrees {
    /// Fits trees to rows `[n, columns]`, row-major, of at least one column, and their labels below `classes`.
    ///
    /// The scores begin at the log frequencies of the classes; a class without rows counts as half a row. The same random
    /// stream gives the same trees.
    pub(in crate::heads) fn fit(
        values: &[f32],
        columns: usize,
        labels: &[u32],
        classes: usize,
        params: &TreesParams,
        random: &mut ChaCha8Rng,
    ) -> Self {
        boost::fit(boost::Task { values, columns, labels, classes, params }, random)
    }

    /// Returns the number of rounds.
    pub(crate) fn rounds(&self) -> usize {
        self.parts.roots.len()
    }

    /// Returns the trees of the first rounds alone, for tests of [`Self::log_posteriors_at`].
    #[cfg(test)]
    pub(crate) fn truncated(mut self, rounds: usize) -> Self {
        let classes = self.classes();
        let parts = &mut self.parts;
        if let Some(end) = parts.roots.get(rounds) {
            let end = *end as usize;
            let leaves = parts.children[..end].iter().filter(|child| **child == 0).count();
            parts.roots.truncate(rounds);
            parts.node_columns.truncate(end);
            parts.thresholds.truncate(end);
            parts.children.truncate(end);
            parts.values.truncate(leaves * classes);
        }
        self
    }

    /// Returns `log p(y|x)` of every class: `[n, classes]`, row-major.
    pub(crate) fn log_posteriors(&self, rows: &[f32]) -> Vec<f64> {
        self.log_posteriors_at(rows, &[self.rounds()]).pop().unwrap_or_default()
    }

    /// Returns `log p(y|x)` of every class after each of these numbers of rounds, which rise: `[n, classes]` each,
    /// row-major.
    ///
    /// More rounds than there are count as all of them.
    pub(crate) fn log_posteriors_at(&self, rows: &[f32], rounds: &[usize]) -> Vec<Vec<f64>> {
        let columns = self.parts.columns;
        let size = rows.len() / columns * self.classes();
        let mut posteriors: Vec<_> = rounds.iter().map(|_| Vec::with_capacity(size)).collect();
        let initial: Vec<f64> = self.parts.initial.iter().map(|score| f64::from(*score)).collect();
        for rows in rows.chunks(ROWS_AT_ONCE * columns) {
            let mut scores = initial.repeat(rows.len() / columns);
            let mut done = 0;
            for (posteriors, rounds) in posteriors.iter_mut().zip(rounds) {
                while done < self.rounds().min(*rounds) {
                    self.add_tree(done, rows, &mut scores);
                    done += 1;
                }
                for scores in scores.chunks_exact(initial.len()) {
                    let log_sum = log_sum_exp(scores);
                    posteriors.extend(scores.iter().map(|score| score - log_sum));
                }
            }
        }
        posteriors
    }

    fn classes(&self) -> usize {
        self.parts.initial.len()
    }

    /// Adds a tree's scores of each row to the scores `[n, classes]`.
    fn add_tree(&self, tree: usize, rows: &[f32], scores: &mut [f64]) {
        let (parts, classes) = (&self.parts, self.classes());
        let root = parts.roots[tree] as usize;
        for (row, scores) in rows.chunks_exact(parts.columns).zip(scores.chunks_exact_mut(classes)) {
            let mut node = root;
            while parts.children[node] != 0 {
                let is_right = row[parts.node_columns[node] as usize] > parts.thresholds[node];
                node = parts.children[node] as usize + usize::from(is_right);
            }
            let values = &parts.values[parts.node_columns[node] as usize * classes..][..classes];
            for (score, value) in scores.iter_mut().zip(values) {
                *score += f64::from(*value);
            }
        }
    }
}

/// Returns `log sum_k exp(f_k)`
fn log_sum_exp(scores: &[f64]) -> f64 {
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    most + scores.iter().map(|score| (score - most).exp()).sum::<f64>().ln()
}
