//! Fits an estimator to more rows than memory holds.
//!
//! The gauge is fitted to all rows, by sums in a few passes over the file. Heads, and the structure and start of the
//! densities (k-means and what follows it), come from rows drawn at random that memory does hold, at least some of every
//! class. The densities then ascend the likelihood of all rows outside their fold, by rounds of expectation maximisation that
//! read the file a group of rows at a time. The class prior is that of all rows.

use std::collections::{BTreeSet, BinaryHeap, HashMap};
use std::ops::Range;

use candle_core::Device;
use crossbeam_channel::Sender;
use lsmi_core::random::stream;
use lsmi_core::{ClassPrior, PriorChoice};
use rand::{Rng, RngCore};
use rayon::prelude::*;

use super::cross_fit::Fitting;
use super::progress::Reporter;
use super::{CrossFit, Progress, Settings};
use crate::densities::gauge::{Gauge, Passes};
use crate::densities::knife::{Knife, Straightened};
use crate::densities::mixture::Round;
use crate::densities::points::{Points, gather, single};
use crate::error::Result;
use crate::estimator::FoldModels;
use crate::estimator::threads::thread_pool;
use crate::features::{FeatureError, FeatureSet, Groups, RowReader};

/// Rows of every class that are drawn at least, for each fold.
const LEAST_ROWS_PER_CLASS: usize = 10;
/// Rounds over the whole file.
const ROUNDS: usize = 5;
/// The least gain in the mean log likelihood for another round, in nats.
const TOLERANCE: f64 = 1e-4;
/// Rows that a group has at least.
const LEAST_ROWS_PER_GROUP: usize = 1024;
/// Numbers that a group has at most, where that leaves it enough rows.
const NUMBERS_PER_GROUP: usize = 1 << 20;

/// A fit to rows of a file.
#[derive(Debug)]
pub struct StreamFit {
    /// The estimator, and the terms of the rows that were drawn.
    pub fit: CrossFit,
    /// The rows that were drawn into memory.
    pub drawn: FeatureSet,
    /// The rows of the file.
    pub rows: usize,
}

/// Fits an estimator to the split `train` of a file, with at most `most` of its rows in memory at a time.
///
/// `reader` is one opened for training. Where the file has no more than `most` rows the fit is that of [`super::cross_fit`].
/// The terms of a drawn row come from models that did not see it.
///
/// # Errors
/// As [`super::cross_fit`], and [`FeatureError`] where rows cannot be read or used.
pub fn fit_stream(
    reader: &mut RowReader,
    most: usize,
    settings: &Settings,
    progress: Option<&Sender<Progress>>,
) -> Result<StreamFit> {
    let classes = reader.classes().clone();
    let mut rows = TrainingRows::new(reader);
    if rows.count <= most {
        let drawn = rows.reader.read(0, 0..rows.count)?;
        let fit = super::cross_fit(&drawn, &classes, settings, progress)?;
        return Ok(StreamFit { fit, rows: drawn.rows(), drawn });
    }
    let draw = Draw::new(&mut rows, classes.len(), most, settings)?;
    let drawn = rows.gathered(&draw.rows)?;
    settings.check(&drawn.labels, classes.names())?;
    let prior = match &settings.prior {
        PriorChoice::Empirical => ClassPrior::given(&draw.frequencies)?,
        choice => choice.resolve(&drawn.labels, classes.len())?,
    };
    let gauge = match &settings.densities {
        None => Gauge::fit_in_passes(settings.gauge, settings.dims, &mut rows)?,
        Some(fitted) => fitted.gauge.clone(),
    };
    let mut fitting = Fitting::new(&drawn, &classes, settings, gauge, prior, progress)?;
    if settings.densities.is_none() {
        let assignments = fitting.assignments();
        let dealt = Dealt { rows: &draw.rows, folds: &assignments, groups: drawn.groups.as_ref() };
        improve(&mut fitting.repeats, &fitting.gauge, &mut rows, &dealt, settings, progress)?;
    }
    let count = rows.count;
    rows.reader.check_unchanged()?;
    let note = format!(
        "heads were fitted to {} rows drawn from the {count} of the file; gauge, densities and class prior to all",
        drawn.rows()
    );
    Ok(StreamFit { fit: fitting.finish(Some((count, note)))?, drawn, rows: count })
}

/// The split `train` of a file.
struct TrainingRows<'a> {
    reader: &'a mut RowReader,
    count: usize,
    dims: [usize; 2],
    rows_per_group: usize,
}

impl<'a> TrainingRows<'a> {
    fn new(reader: &'a mut RowReader) -> Self {
        let split = &reader.splits()[0];
        let (count, dims) = (split.rows, split.dims);
        let rows_per_group = (NUMBERS_PER_GROUP / split.numbers).max(LEAST_ROWS_PER_GROUP);
        Self { reader, count, dims, rows_per_group }
    }

    fn groups(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (count, size) = (self.count, self.rows_per_group);
        (0..count).step_by(size).map(move |start| start..count.min(start + size))
    }

    /// Returns the rows with these numbers, which rise.
    fn gathered(&mut self, rows: &[usize]) -> Result<FeatureSet> {
        let mut parts = Vec::new();
        for group in self.groups() {
            let (first, last) =
                (rows.partition_point(|row| *row < group.start), rows.partition_point(|row| *row < group.end));
            if first < last {
                let within: Vec<usize> = rows[first..last].iter().map(|row| row - group.start).collect();
                parts.push(self.reader.read(0, group)?.select(&within));
            }
        }
        Ok(FeatureSet::joined(&parts)?)
    }
}

impl Passes for TrainingRows<'_> {
    fn columns(&self) -> Vec<usize> {
        self.dims.to_vec()
    }

    fn pass(&mut self, visit: &mut dyn FnMut(&[&[f64]])) -> std::result::Result<(), FeatureError> {
        for group in self.groups() {
            let rows = self.reader.read(0, group)?;
            visit(&[rows.x1.values(), rows.x2.values()]);
        }
        Ok(())
    }
}

/// Rows drawn at random.
struct Draw {
    /// Their numbers, rising.
    rows: Vec<usize>,
    /// The share of each class in all rows.
    frequencies: Vec<f64>,
}

impl Draw {
    /// Draws about `most` rows: those whose random numbers are lowest, of all and within each class.
    fn new(rows: &mut TrainingRows<'_>, classes: usize, most: usize, settings: &Settings) -> Result<Self> {
        let least = LEAST_ROWS_PER_CLASS * settings.folds;
        let mut random = stream(settings.seed, "rows in memory");
        let mut overall = Lowest::new(most);
        let mut by_class: Vec<Lowest> = (0..classes).map(|_| Lowest::new(least)).collect();
        let mut counts = vec![0usize; classes];
        for group in rows.groups() {
            let start = group.start;
            for (row, label) in rows.reader.read_labels(0, group)?.into_iter().enumerate() {
                let ticket = (random.next_u64(), start + row);
                overall.add(ticket);
                by_class[label as usize].add(ticket);
                counts[label as usize] += 1;
            }
        }
        let drawn: BTreeSet<usize> = std::iter::once(overall).chain(by_class).flat_map(Lowest::rows).collect();
        let total: usize = counts.iter().sum();
        let frequencies = counts.iter().map(|count| *count as f64 / total as f64).collect();
        Ok(Self { rows: drawn.into_iter().collect(), frequencies })
    }
}

/// The rows with the lowest random numbers, at most `most`.
struct Lowest {
    most: usize,
    kept: BinaryHeap<(u64, usize)>,
}

impl Lowest {
    fn new(most: usize) -> Self {
        Self { most, kept: BinaryHeap::new() }
    }

    fn add(&mut self, ticket: (u64, usize)) {
        if self.kept.len() < self.most {
            self.kept.push(ticket);
        } else if self.kept.peek().is_some_and(|highest| ticket < *highest) {
            self.kept.pop();
            self.kept.push(ticket);
        }
    }

    fn rows(self) -> impl Iterator<Item = usize> {
        self.kept.into_iter().map(|(_, row)| row)
    }
}

/// Rounds of expectation maximisation of all densities, each on the rows of the file outside its fold.
///
/// `drawn` has the rows in memory; other rows are dealt to folds at random, but with their groups.
fn improve(
    repeats: &mut [Vec<FoldModels>],
    gauge: &Gauge,
    rows: &mut TrainingRows<'_>,
    drawn: &Dealt<'_>,
    settings: &Settings,
    progress: Option<&Sender<Progress>>,
) -> Result<()> {
    let reporter = Reporter::new(progress, ROUNDS);
    let pool = thread_pool(settings.threads)?;
    let mut before = f64::NEG_INFINITY;
    for round in 0..ROUNDS {
        let before_round: Vec<Knife> = densities(repeats).cloned().collect();
        let mut ascents: Vec<Ascent<'_>> = before_round.iter().map(Ascent::new).collect();
        let random = stream(settings.seed, "folds of the stream");
        let mut dealer = Dealer { random, drawn, group_folds: drawn.folds_of_groups(), folds: settings.folds };
        for group in rows.groups() {
            let features = rows.reader.read(0, group.clone())?;
            let folds = dealer.deal(&group, features.groups.as_ref());
            let coordinates =
                [gauge.x1.apply(&features.x1), gauge.x2.apply(&features.x2)].map(|values| single(&values));
            let dims = [gauge.x1.dims(), gauge.x2.dims()];
            let add = |(index, ascent): (usize, &mut Ascent<'_>)| -> Result<()> {
                // Densities come repeat by repeat, fold by fold, x1 before x2.
                let (repeat, fold) = (index / 2 / settings.folds, index / 2 % settings.folds);
                let outside: Vec<usize> =
                    (0..features.rows()).filter(|row| folds[repeat][*row] as usize != fold).collect();
                if !outside.is_empty() {
                    let (values, dims) = (&coordinates[index % 2], dims[index % 2]);
                    ascent.add(gather(values, dims, &outside), dims)?;
                }
                Ok(())
            };
            pool.install(|| ascents.par_iter_mut().enumerate().map(add).collect::<Result<()>>())?;
        }
        let count = ascents.len() as f64;
        let mut mean = 0.0;
        let mut improved = Vec::with_capacity(ascents.len());
        for ascent in ascents {
            let (knife, log_likelihood) = ascent.finish()?;
            improved.push(knife);
            mean += log_likelihood / count;
        }
        for (knife, better) in densities_mut(repeats).zip(improved) {
            *knife = better;
        }
        reporter.finished(format!("densities on all rows, round {} of {ROUNDS}", round + 1), -mean)?;
        if mean - before < TOLERANCE {
            break;
        }
        before = mean;
    }
    Ok(())
}

/// A round of expectation maximisation of one density; its margins stay as they are.
struct Ascent<'a> {
    knife: &'a Knife,
    round: Round<'a>,
    /// The sum over rows of the log derivatives of the margins, a part of the log likelihood.
    log_derivatives: f64,
    rows: usize,
}

impl<'a> Ascent<'a> {
    fn new(knife: &'a Knife) -> Self {
        Self { knife, round: Round::new(knife.mixture()), log_derivatives: 0.0, rows: 0 }
    }

    /// Adds rows `[n, dims]`, row-major.
    fn add(&mut self, rows: Vec<f32>, dims: usize) -> Result<()> {
        let Straightened { values, log_derivatives } = self.knife.straightened(rows);
        self.log_derivatives += log_derivatives.iter().sum::<f64>();
        self.rows += log_derivatives.len();
        Ok(self.round.add(&Points::new(values, dims, &Device::Cpu)?)?)
    }

    /// Returns the improved density, and the mean log likelihood of the rows under the one before, in nats.
    fn finish(self) -> Result<(Knife, f64)> {
        let (mixture, log_likelihood) = self.round.finish()?;
        let knife = Knife::from_parts(self.knife.margins().cloned(), mixture);
        Ok((knife, log_likelihood + self.log_derivatives / self.rows as f64))
    }
}

fn densities(repeats: &[Vec<FoldModels>]) -> impl Iterator<Item = &Knife> {
    repeats.iter().flatten().flat_map(|models| &models.densities)
}

fn densities_mut(repeats: &mut [Vec<FoldModels>]) -> impl Iterator<Item = &mut Knife> {
    repeats.iter_mut().flatten().flat_map(|models| &mut models.densities)
}

/// The rows in memory, in the folds of each repeat.
struct Dealt<'a> {
    /// Their numbers, rising.
    rows: &'a [usize],
    /// The fold of each, repeat by repeat.
    folds: &'a [Vec<u32>],
    groups: Option<&'a Groups>,
}

impl Dealt<'_> {
    /// Returns the fold of every group that has a row in memory, in each repeat.
    fn folds_of_groups(&self) -> Vec<HashMap<u64, u32>> {
        let keys = self.groups.map(Groups::keys).unwrap_or_default();
        self.folds.iter().map(|folds| keys.iter().copied().zip(folds.iter().copied()).collect()).collect()
    }
}

/// Deals rows to folds, in the same way in every round: those in memory to theirs, others with their group or at
/// random.
struct Dealer<'a> {
    random: lsmi_core::random::ChaCha8Rng,
    drawn: &'a Dealt<'a>,
    group_folds: Vec<HashMap<u64, u32>>,
    folds: usize,
}

impl Dealer<'_> {
    /// Returns the folds of the next rows in each repeat.
    fn deal(&mut self, rows: &Range<usize>, groups: Option<&Groups>) -> Vec<Vec<u32>> {
        let Dealt { rows: drawn, folds: assignments, .. } = self.drawn;
        let first = drawn.partition_point(|row| *row < rows.start);
        let mut dealt = Vec::with_capacity(assignments.len());
        for (assignment, group_folds) in assignments.iter().zip(&mut self.group_folds) {
            #[expect(clippy::cast_possible_truncation, reason = "the settings' check refuses more folds than fit")]
            let mut next = || self.random.random_range(0..self.folds as u32);
            let mut folds: Vec<u32> = match groups {
                None => rows.clone().map(|_| next()).collect(),
                Some(groups) => {
                    groups.keys().iter().map(|key| *group_folds.entry(*key).or_insert_with(&mut next)).collect()
                }
            };
            for (row, fold) in drawn[first..].iter().zip(&assignment[first..]).take_while(|(row, _)| **row < rows.end) {
                folds[row - rows.start] = *fold;
            }
            dealt.push(folds);
        }
        dealt
    }
}
