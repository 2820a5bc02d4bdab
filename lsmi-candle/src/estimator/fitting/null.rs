//! The null: the results of the estimator on labels that depend on nothing.
//!
//! The labels are permuted over the rows, all heads are fitted again to them in the same way, and terms and interactions
//! are computed as before. Surprisals do not see labels and stay. Under the hypothesis that the label is independent of both
//! modalities, the data at hand are one more permutation, so that the share of permutations in which a mean is at least as
//! large is an exact p-value, whatever the heads are (Phipson and Smyth 2010).

use std::collections::BTreeMap;

use crossbeam_channel::Sender;
use lsmi_core::random::stream;
use lsmi_core::statistics::{Tail, benjamini_hochberg, mean, permutation_p_value, quantile, standard_deviation};
use lsmi_core::{Decomposition, Terms};
use rand::RngCore;
use rand::seq::SliceRandom;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::cross_fit::CrossFit;
use super::models::Fit;
use super::progress::Reporter;
use super::{Progress, Settings};
use crate::error::Result;
use crate::estimator::partition::{Partition, deal};
use crate::estimator::scoring::{ModelInputs, log_posteriors};
use crate::estimator::threads::thread_pool;
use crate::estimator::{Estimator, check_samples};
use crate::features::FeatureSet;

/// The tested quantities, in the order of [`Tests`]: one-sided all but the last, as only a high mean is evidence for
/// dependence.
const QUANTITIES: [(&str, Tail); 8] = [
    ("i1", Tail::Upper),
    ("i2", Tail::Upper),
    ("i12", Tail::Upper),
    ("r", Tail::Upper),
    ("u1", Tail::Upper),
    ("u2", Tail::Upper),
    ("s", Tail::Upper),
    ("s_minus_r", Tail::TwoSided),
];

/// A mean and its distribution under permuted labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Test {
    /// The mean with the labels as they are, by the models of the first repeat, in nats.
    pub observed: f64,
    /// The mean over permutations.
    pub mean: f64,
    /// The standard deviation over permutations; `None` for a single one.
    pub standard_deviation: Option<f64>,
    /// The 95 % quantile over permutations.
    pub quantile_95: f64,
    /// The share of permutations, the data among them, that are at least as extreme.
    pub p: f64,
    /// The p-value adjusted for the number of classes (Benjamini and Hochberg 1995); of classes only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub q: Option<f64>,
}

/// The tests of all quantities.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tests {
    /// I(x1; y).
    pub i1: Test,
    /// I(x2; y).
    pub i2: Test,
    /// I(x1, x2; y).
    pub i12: Test,
    /// Redundancy.
    pub r: Test,
    /// Uniqueness of x1.
    pub u1: Test,
    /// Uniqueness of x2.
    pub u2: Test,
    /// Synergy.
    pub s: Test,
    /// Synergy less redundancy, two-sided: the interaction that no gauge moves.
    pub s_minus_r: Test,
}

/// The null distribution and its tests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Null {
    /// The number of permutations of the labels.
    pub permutations: usize,
    /// Means over all rows.
    #[serde(flatten)]
    pub overall: Tests,
    /// Means over the rows of each class, in the order of the class indices.
    pub by_class: Vec<Tests>,
}

/// Means of the eight quantities over all rows and over those of each class.
struct Means {
    overall: [f64; 8],
    by_class: Vec<[f64; 8]>,
}

impl CrossFit {
    /// Tests the means of the training rows against permuted labels.
    ///
    /// `train` and `settings` are those that the fit was made with.
    ///
    /// # Errors
    /// [`crate::EstimatorError`] for settings out of range or a device that fails.
    pub fn null(
        &self,
        train: &FeatureSet,
        settings: &Settings,
        permutations: usize,
        progress: Option<&Sender<Progress>>,
    ) -> Result<Null> {
        let estimator = &self.estimator;
        let classes = estimator.classes().len();
        check_samples(train, classes)?;
        settings.check(&train.labels, estimator.classes().names())?;
        if permutations == 0 {
            return Err(crate::EstimatorError::Setting {
                name: "null",
                found: "0".to_owned(),
                expected: "at least 1 permutation, better 99 or more".to_owned(),
            });
        }
        let are_given = estimator.description.given_heads;
        let inputs = ModelInputs::new(&estimator.gauge, &train.inputs(), are_given);
        // The null is of a single repeat, so it is compared with the first repeat.
        let observed = self.scores.repeats.first().unwrap_or(&self.scores.terms);

        let groups = self.scores.groups.as_deref();
        let labels_of_permutations: Vec<Vec<u32>> =
            (0..permutations).map(|index| permuted(&train.labels, groups, settings.seed, index)).collect();
        let reporter = Reporter::new(progress, permutations * 3 * settings.folds);
        let run = |(index, labels): (usize, &Vec<u32>)| -> Result<[Vec<f64>; 3]> {
            let fit = Fit { inputs: &inputs, labels, groups, classes, settings, device: &estimator.device };
            let seed = stream(settings.seed, &format!("null permutation {index}")).next_u64();
            let folds = deal(&fit.rows(), settings.folds, seed);
            let name = format!("permutation {} of {permutations}, ", index + 1);
            let partition = Partition { seed, folds, name };
            let mut information: [Vec<f64>; 3] = std::array::from_fn(|_| vec![0.0; labels.len()]);
            for (fold, models) in (0u32..).zip(fit.heads(&partition, &reporter)?) {
                let rows: Vec<usize> = (0..labels.len()).filter(|row| partition.folds[*row] == fold).collect();
                let posteriors = log_posteriors(&models.heads, &models.parts, &inputs, &rows, &estimator.device)?;
                for (information, posteriors) in information.iter_mut().zip(posteriors) {
                    for (row, posterior) in rows.iter().zip(posteriors.chunks_exact(classes)) {
                        let label = labels[*row] as usize;
                        information[*row] = posterior[label] - estimator.prior.log_probability(label);
                    }
                }
            }
            Ok(information)
        };
        let found: Vec<[Vec<f64>; 3]> = thread_pool(settings.threads)?.install(|| {
            labels_of_permutations.par_iter().enumerate().with_max_len(1).map(run).collect::<Result<Vec<_>>>()
        })?;

        let mut null = Vec::with_capacity(permutations);
        for (labels, information) in labels_of_permutations.iter().zip(found) {
            let [i1, i2, i12] = information;
            let terms = Terms::new(train.ids.clone(), observed.h1.clone(), observed.h2.clone(), i1, i2, i12)?;
            null.push(means(estimator, &terms, labels));
        }
        Ok(held_against(&means(estimator, observed, &train.labels), &null))
    }
}

/// Labels permuted over rows; over groups, where rows belong together: rows of one group are not exchangeable one by one.
///
/// Where all rows of each group have one label, groups exchange theirs. Elsewhere groups of one size exchange all labels of
/// their rows, in random order within the group.
fn permuted(labels: &[u32], groups: Option<&[u32]>, seed: u64, index: usize) -> Vec<u32> {
    let mut random = stream(seed, &format!("null labels {index}"));
    let mut permuted = labels.to_vec();
    let Some(groups) = groups else {
        permuted.shuffle(&mut random);
        return permuted;
    };
    let mut members: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (row, group) in groups.iter().enumerate() {
        members.entry(*group).or_default().push(row);
    }
    let are_constant = members.values().all(|rows| rows.iter().all(|row| labels[*row] == labels[rows[0]]));
    let mut by_size: BTreeMap<usize, Vec<Vec<usize>>> = BTreeMap::new();
    for rows in members.into_values() {
        by_size.entry(if are_constant { 0 } else { rows.len() }).or_default().push(rows);
    }
    for same_size in by_size.into_values() {
        let mut sources: Vec<Vec<usize>> = same_size.clone();
        sources.shuffle(&mut random);
        for (rows, mut source) in same_size.into_iter().zip(sources) {
            if are_constant {
                source = vec![source[0]; rows.len()];
            } else {
                source.shuffle(&mut random);
            }
            for (row, from) in rows.into_iter().zip(source) {
                permuted[row] = labels[from];
            }
        }
    }
    permuted
}

/// Returns the means by the estimator's measure, with a reference computed from the same terms.
fn means(estimator: &Estimator, terms: &Terms, labels: &[u32]) -> Means {
    let classes = estimator.classes().len();
    let reference = estimator.measure().reference(terms, labels, classes);
    let parts = estimator.measure().decompose_with(terms, labels, &reference);
    let rows: Vec<usize> = (0..labels.len()).collect();
    let class_means = |class: usize| {
        let rows: Vec<usize> = rows.iter().copied().filter(|row| labels[*row] as usize == class).collect();
        eight_means(terms, &parts, &rows)
    };
    Means { overall: eight_means(terms, &parts, &rows), by_class: (0..classes).map(class_means).collect() }
}

fn eight_means(terms: &Terms, parts: &Decomposition, rows: &[usize]) -> [f64; 8] {
    let of = |values: &[f64]| mean(&rows.iter().map(|row| values[*row]).collect::<Vec<_>>());
    let (r, s) = (of(&parts.r), of(&parts.s));
    [of(&terms.i1), of(&terms.i2), of(&terms.i12), r, of(&parts.u1), of(&parts.u2), s, s - r]
}

fn held_against(observed: &Means, null: &[Means]) -> Null {
    let tests = |observed: &[f64; 8], of: &dyn Fn(&Means) -> [f64; 8]| -> [Test; 8] {
        std::array::from_fn(|index| {
            let values: Vec<f64> = null.iter().map(|means| of(means)[index]).collect();
            let deviation = standard_deviation(&values);
            Test {
                observed: observed[index],
                mean: mean(&values),
                standard_deviation: deviation.is_finite().then_some(deviation),
                quantile_95: quantile(&values, 0.95),
                p: permutation_p_value(observed[index], &values, QUANTITIES[index].1),
                q: None,
            }
        })
    };
    let overall = tests(&observed.overall, &|means| means.overall);
    let mut by_class: Vec<[Test; 8]> = (0..observed.by_class.len())
        .map(|class| tests(&observed.by_class[class], &|means| means.by_class[class]))
        .collect();
    for index in 0..QUANTITIES.len() {
        let p_values: Vec<f64> = by_class.iter().map(|tests| tests[index].p).collect();
        for (tests, q) in by_class.iter_mut().zip(benjamini_hochberg(&p_values)) {
            tests[index].q = Some(q);
        }
    }
    let by_class = by_class.into_iter().map(Tests::from).collect();
    Null { permutations: null.len(), overall: overall.into(), by_class }
}

impl From<[Test; 8]> for Tests {
    fn from([i1, i2, i12, r, u1, u2, s, s_minus_r]: [Test; 8]) -> Self {
        Self { i1, i2, i12, r, u1, u2, s, s_minus_r }
    }
}

impl Tests {
    /// Returns each quantity with its name, as in the summary.
    pub fn named(&self) -> [(&'static str, &Test); 8] {
        let tests = [&self.i1, &self.i2, &self.i12, &self.r, &self.u1, &self.u2, &self.s, &self.s_minus_r];
        std::array::from_fn(|index| (QUANTITIES[index].0, tests[index]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_move_with_their_groups() {
        // Three rows of each of 20 groups, one label a group.
        let groups: Vec<u32> = (0..60).map(|row| row / 3).collect();
        let constant: Vec<u32> = groups.iter().map(|group| group % 4).collect();
        let moved = permuted(&constant, Some(&groups), 0, 0);
        assert_ne!(moved, constant);
        assert!(moved.chunks_exact(3).all(|rows| rows.iter().all(|label| *label == rows[0])));
        let count = |labels: &[u32]| {
            (0..4).map(|class| labels.iter().filter(|label| **label == class).count()).collect::<Vec<_>>()
        };
        assert_eq!(count(&moved), count(&constant), "groups of one size");

        // Labels that differ within groups of two sizes: each group gets those of another of its size.
        let groups: Vec<u32> = (0..50).map(|row| if row < 20 { row / 2 } else { 10 + (row - 20) / 3 }).collect();
        let mixed: Vec<u32> = (0..50).map(|row| if row < 20 { row % 2 } else { 2 + row % 3 }).collect();
        let moved = permuted(&mixed, Some(&groups), 0, 1);
        assert!(moved[..20].iter().all(|label| *label < 2), "a pair of labels goes to a pair of rows");
        assert_eq!(
            {
                let mut sorted = moved.clone();
                sorted.sort_unstable();
                sorted
            },
            {
                let mut sorted = mixed.clone();
                sorted.sort_unstable();
                sorted
            }
        );
    }
}
