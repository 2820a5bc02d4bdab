//! Rounds of boosting: gradients of the log loss, a tree on sampled rows and columns, and Newton steps in its leaves.
//!
//! With posteriors `p` and one-hot labels `y`, the gradient of a row's log loss by the score of class `k` is `p_k - y_k` and
//! its curvature `p_k (1 - p_k)`. A leaf with the sums `G_k` and `H_k` of these adds
//!
//! ```text
//! -rate (K - 1) / K  G_k / (H_k + lambda)
//! ```
//!
//! to the score of class `k` (Friedman 2001, algorithm 6; the ridge of Chen, Guestrin 2016, eq. 5). One tree a round serves all
//! classes. What it splits is decided by few channels whatever the number of classes: the gradients themselves where there
//! is a channel for each, else random sums of them, `sum_k g_k s_kc / sqrt(channels)` with signs `s` drawn each round. These
//! keep the expected squared sums that the gain is made of (Achlioptas 2003; for trees Iosipoi, Vakhrushev
//! 2022, random projections).

use lsmi_core::random::ChaCha8Rng;
use rand::Rng;
use rand::seq::index;

use super::bins::Bins;
use super::grow::{Grower, Sums};
use super::params::{LEAST_RIDGE, TreesParams};
use super::parts::{BoostedTrees, TreeParts};

/// The number of channels: two gradients, the curvature and the number of rows.
const LANES_OF_TWO_CLASSES: usize = 4;

/// Six gradients or random sums of gradients, the curvature and the number of rows.
const LANES_OF_MORE_CLASSES: usize = 8;

/// Posteriors that a round computes at most: with very many classes it considers fewer rows.
const MOST_POSTERIORS: usize = 4_000_000;

/// Rows that a round may consider for any number of classes.
const FEW_ROWS: usize = 2_000;

/// The largest number of scores that all rounds together update: with very many rows and classes there are fewer
/// rounds.
const MOST_UPDATES: usize = 20_000_000_000;

/// The rows and settings that trees are fitted with.
#[derive(Clone, Copy)]
pub(super) struct Task<'a> {
    /// `[n, columns]`, row-major.
    pub(super) values: &'a [f32],
    pub(super) columns: usize,
    pub(super) labels: &'a [u32],
    pub(super) classes: usize,
    pub(super) params: &'a TreesParams,
}

/// Fits trees.
pub(super) fn fit(task: Task<'_>, random: &mut ChaCha8Rng) -> BoostedTrees {
    if task.classes == 2 {
        Boosting::<LANES_OF_TWO_CLASSES>::new(task).run(random)
    } else {
        Boosting::<LANES_OF_MORE_CLASSES>::new(task).run(random)
    }
}

/// Trees with the scores of the rows so far.
struct Boosting<'a, const LANES: usize> {
    task: Task<'a>,
    /// `[n, classes]`
    scores: Vec<f32>,
    /// `[n, classes]`; those of the rows that the round considers are valid.
    posteriors: Vec<f32>,
    parts: TreeParts,
}

impl<'a, const LANES: usize> Boosting<'a, LANES> {
    fn new(task: Task<'a>) -> Self {
        let initial = log_frequencies(task.labels, task.classes);
        let scores = initial.repeat(task.labels.len());
        let posteriors = vec![0.0; scores.len()];
        let parts = TreeParts { columns: task.columns, initial, ..TreeParts::default() };
        Self { task, scores, posteriors, parts }
    }

    fn run(mut self, random: &mut ChaCha8Rng) -> BoostedTrees {
        let Task { values, columns, params, .. } = self.task;
        let bins = Bins::new(values, columns, params.bins);
        let varied = bins.varied();
        let mut grower = Grower::<LANES>::new(&bins, params);
        let (round_rows, round_columns) = (self.rows_of_round(), self.columns_of_round(varied.len()));
        for _ in 0..params.rounds.min(MOST_UPDATES / self.scores.len().max(1)) {
            if round_rows == 0 {
                break;
            }
            let rows = sample(random, self.task.labels.len(), round_rows);
            let places = sample(random, varied.len(), round_columns);
            grower.choose_columns(places.into_iter().map(|place| varied[place as usize]).collect());
            for row in &rows {
                self.find_posteriors(*row as usize);
            }
            let signs = self.signs(random);
            grower.grow(&rows, rows.iter().map(|row| self.sums(*row as usize, &signs)));
            self.add_tree(&grower, &bins);
        }
        BoostedTrees { parts: self.parts }
    }

    fn rows_of_round(&self) -> usize {
        let (all, params) = (self.task.labels.len(), self.task.params);
        let affordable = (MOST_POSTERIORS / self.task.classes.max(1)).max(FEW_ROWS);
        share_of(all, params.rows_share).min(params.most_rows.max(1)).min(affordable)
    }

    fn columns_of_round(&self, varied: usize) -> usize {
        share_of(varied, self.task.params.columns_share).min(self.task.params.most_columns.max(1))
    }

    /// Computes `p_k = exp(f_k) / sum_j exp(f_j)` of a row.
    fn find_posteriors(&mut self, row: usize) {
        let range = row * self.task.classes..(row + 1) * self.task.classes;
        let (scores, posteriors) = (&self.scores[range.clone()], &mut self.posteriors[range]);
        let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut sum = 0.0;
        for (posterior, score) in posteriors.iter_mut().zip(scores) {
            *posterior = (score - most).exp();
            sum += *posterior;
        }
        for posterior in posteriors {
            *posterior /= sum;
        }
    }

    /// Returns the weights of the gradients in each channel, `[classes, channels]`, or `None` if each class has its own
    /// channel.
    fn signs(&self, random: &mut ChaCha8Rng) -> Vec<f32> {
        let channels = LANES - 2;
        if self.task.classes <= channels {
            return Vec::new();
        }
        let scale = (channels as f32).sqrt().recip();
        (0..self.task.classes * channels).map(|_| if random.random::<bool>() { scale } else { -scale }).collect()
    }

    /// Returns the values that a tree sums over a row: its channels, the mean curvature of the classes, and one.
    fn sums(&self, row: usize, signs: &[f32]) -> Sums<LANES> {
        let Task { classes, labels, .. } = self.task;
        let (channels, label) = (LANES - 2, labels[row] as usize);
        let posteriors = &self.posteriors[row * classes..][..classes];
        let mut sums = [0.0; LANES];
        if signs.is_empty() {
            sums[..classes].copy_from_slice(posteriors);
            sums[label] -= 1.0;
        } else {
            for (posterior, signs) in posteriors.iter().zip(signs.chunks_exact(channels)) {
                for (sum, sign) in sums.iter_mut().zip(signs) {
                    *sum += posterior * sign;
                }
            }
            for (sum, sign) in sums.iter_mut().zip(&signs[label * channels..][..channels]) {
                *sum -= sign;
            }
        }
        let curvature: f32 = posteriors.iter().map(|posterior| posterior * (1.0 - posterior)).sum();
        sums[channels] = curvature / classes as f32;
        sums[channels + 1] = 1.0;
        sums
    }

    /// Adds a tree and its scores of all rows.
    fn add_tree(&mut self, grower: &Grower<'_, LANES>, bins: &Bins) {
        let classes = self.task.classes;
        let first_leaf = self.parts.values.len();
        self.parts.push_tree(grower.nodes(), bins);
        for rows in grower.leaves() {
            self.push_leaf(rows);
        }
        let values = &self.parts.values[first_leaf..];
        for (row, scores) in self.scores.chunks_exact_mut(classes).enumerate() {
            let values = &values[grower.leaf_of(row) * classes..][..classes];
            for (score, value) in scores.iter_mut().zip(values) {
                *score += value;
            }
        }
    }

    /// Returns the step of a leaf with these rows.
    fn push_leaf(&mut self, rows: &[u32]) {
        let Task { classes, labels, params, .. } = self.task;
        let (mut gradients, mut curvatures) = (vec![0.0f64; classes], vec![0.0f64; classes]);
        for row in rows {
            let posteriors = &self.posteriors[*row as usize * classes..][..classes];
            for ((gradient, curvature), posterior) in gradients.iter_mut().zip(&mut curvatures).zip(posteriors) {
                let posterior = f64::from(*posterior);
                *gradient += posterior;
                *curvature += posterior * (1.0 - posterior);
            }
            gradients[labels[*row as usize] as usize] -= 1.0;
        }
        let rate = params.rate * (classes as f64 - 1.0) / classes as f64;
        for (gradient, curvature) in gradients.into_iter().zip(curvatures) {
            #[expect(clippy::cast_possible_truncation, reason = "parameters are f32 by design")]
            let step = (-rate * gradient / (curvature + params.ridge.max(f64::from(LEAST_RIDGE)))) as f32;
            self.parts.values.push(step);
        }
    }
}

/// Returns `log(n_k / n)`; a class without rows counts as half a row.
fn log_frequencies(labels: &[u32], classes: usize) -> Vec<f32> {
    let mut counts = vec![0.0f64; classes];
    for label in labels {
        counts[*label as usize] += 1.0;
    }
    for count in &mut counts {
        *count = count.max(0.5);
    }
    let total: f64 = counts.iter().sum();
    #[expect(clippy::cast_possible_truncation, reason = "parameters are f32 by design")]
    counts.into_iter().map(|count| (count / total).ln() as f32).collect()
}

/// Returns a share of a number, at least 1.
fn share_of(all: usize, share: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a number that fits")]
    let part = (all as f64 * share.clamp(0.0, 1.0)).ceil() as usize;
    part.max(1).min(all)
}

/// Draws `count` of the numbers below `all`, rising.
fn sample(random: &mut ChaCha8Rng, all: usize, count: usize) -> Vec<u32> {
    #[expect(clippy::cast_possible_truncation, reason = "rows and columns are numbered in 32 bits")]
    let mut sampled: Vec<u32> = index::sample(random, all, count).into_iter().map(|number| number as u32).collect();
    sampled.sort_unstable();
    sampled
}
