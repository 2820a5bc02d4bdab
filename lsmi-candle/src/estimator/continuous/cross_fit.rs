//! Cross-fitting of continuous targets: every fold's models see the rows outside the fold, and score the rows inside it.

use crossbeam_channel::Sender;
use lsmi_core::random::stream;
use rand::RngCore;
use rayon::prelude::*;

use super::chain::{Chain, Link, columns_before};
use super::settings::{check_samples, scales, standardised};
use super::{ContinuousEstimator, ContinuousScores, Decomposed, TargetDescription, TargetSettings};
use crate::densities::conditional::{Contest, Given, Marginal, Outcome, Plan};
use crate::densities::gauge::Gauge;
use crate::error::Result;
use crate::estimator::fitting::{Fit, Progress, Reporter, fit_densities, gauge_notes, numbers_of};
use crate::estimator::grouping::find_groups;
use crate::estimator::partition::{Partition, rows_and_seed};
use crate::estimator::scoring::{HEADS, ModelInputs};
use crate::estimator::threads::thread_pool;
use crate::features::TargetSet;

/// The names of conditional densities in messages.
const HEAD_NAMES: [&str; 3] = ["density of y given x1", "density of y given x2", "density of y given both"];

/// An estimator and the terms of its training rows, each from models that did not see the row.
#[derive(Debug, Clone)]
pub struct ContinuousFit {
    /// The estimator, which scores new rows.
    pub estimator: ContinuousEstimator,
    /// The training rows' terms, predictions and folds: for every target or, jointly, once.
    pub scores: Vec<ContinuousScores>,
}

/// Fits an estimator to training rows with continuous targets and computes their terms by cross-fitting.
///
/// Models are fitted in parallel, one thread each; for one seed the result is the same to the bit whatever their number.
/// Steps are sent to `progress` as by [`cross_fit`](crate::estimator::cross_fit).
///
/// # Errors
/// [`crate::EstimatorError`] for samples that do not fit together, settings out of range, too few rows, a constant modality,
/// [`crate::EstimatorError::DiscreteTarget`] for a target of a few values, [`crate::EstimatorError::Stopped`] if the receiver of `progress`
/// was dropped.
///
/// ```
/// use lsmi_candle::Matrix;
/// use lsmi_candle::estimator::continuous::{TargetSettings, cross_fit_targets};
/// use lsmi_candle::features::TargetSet;
/// use lsmi_core::SampleIds;
/// use lsmi_core::statistics::mean;
///
/// // A target that is x1 and a little more, which nobody knows.
/// let x1: Vec<f64> = (0..120).map(|row| f64::from(row * 37 % 120) / 60.0 - 1.0).collect();
/// let x2: Vec<f64> = (0..120).map(|row| f64::from(row * 73 % 119) / 60.0 - 1.0).collect();
/// let y = x1.iter().enumerate().map(|(row, x)| x + (row as f64 * 1.7).sin() / 4.0).collect();
/// let column = |values| Matrix::new(120, 1, values);
/// let samples = TargetSet::new(SampleIds::rows(120), column(x1)?, column(x2)?, column(y)?)?;
/// let fit = cross_fit_targets(&samples, &TargetSettings::default(), None)?;
/// let terms = &fit.scores[0].terms;
/// assert!(mean(&terms.i1) > 0.5 && mean(&terms.i2) < 0.2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn cross_fit_targets(
    train: &TargetSet,
    settings: &TargetSettings,
    progress: Option<&Sender<Progress>>,
) -> Result<ContinuousFit> {
    check_samples(train)?;
    settings.check(train)?;
    let of = &settings.estimation;
    let samples = train.samples();
    let gauge = Gauge::fit(of.gauge, of.dims, &samples.x1, &samples.x2)?;
    let device = of.device.open()?;
    let inputs = ModelInputs::new(&gauge, &samples.inputs(), [false; 3]);
    let (groups, grouping) = find_groups(samples, of.folds);
    let groups = groups.map(|groups| numbers_of(&groups, of.folds)).transpose()?;
    let scales = scales(train);
    let targets = standardised(train, &scales);
    let fit = Fit {
        inputs: &inputs,
        labels: &samples.labels,
        groups: groups.as_deref(),
        classes: train.ranges(),
        settings: of,
        device: &device,
    };
    let partitions: Vec<Partition> =
        (0..of.repeats).map(|repeat| Partition::for_repeat(&fit.rows(), of, repeat)).collect();
    let columns = settings.targets.decomposed(targets.len());
    let models = of.folds * partitions.len() * (2 + targets.len() * (1 + HEAD_NAMES.len()));
    let reporter = Reporter::new(progress, models);
    let fitting = Fitting { fit, targets: &targets, reporter: &reporter };
    let chains = || {
        columns
            .par_iter()
            .map(|columns| partitions.par_iter().map(|partition| fitting.chains(columns, partition)).collect())
            .collect::<Result<Vec<Vec<Vec<Chain>>>>>()
    };
    #[expect(clippy::disallowed_methods, reason = "in a pool of its own")]
    let (chains, densities) = thread_pool(of.threads)?
        .install(|| rayon::join(chains, || fit_densities(&fitting.fit, &partitions, &reporter)));
    let decomposed =
        columns.into_iter().zip(chains?).map(|(columns, repeats)| Decomposed { columns, repeats }).collect();
    let description = TargetDescription {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        gauge: gauge.kind,
        gauge_dims: [gauge.x1.dims(), gauge.x2.dims()],
        dims: [samples.x1.columns(), samples.x2.columns()],
        targets: scales,
        analysed: settings.targets,
        measure: of.measure,
        references: Vec::new(),
        seed: of.seed,
        folds: of.folds,
        repeats: of.repeats,
        rows: train.rows(),
        data_hash: train.hash(),
        pooling: None,
        grouping,
        notes: gauge_notes(&gauge),
    };
    let mut estimator = ContinuousEstimator { description, gauge, densities: densities?, decomposed, device };
    let assignments: Vec<Vec<u32>> = partitions.into_iter().map(|partition| partition.folds).collect();
    let mut scores = estimator.score_rows(train, Some(&assignments))?;
    for scores in &mut scores {
        scores.groups.clone_from(&groups);
        let reference = of.measure.reference(&scores.terms, &vec![0; train.rows()], 1);
        estimator.description.references.push(reference);
    }
    Ok(ContinuousFit { estimator, scores })
}

/// What conditional densities are fitted to.
struct Fitting<'a> {
    fit: Fit<'a>,
    /// Every target's standardised values.
    targets: &'a [Vec<f64>],
    reporter: &'a Reporter<'a>,
}

impl Fitting<'_> {
    /// Fits the densities of the targets of a decomposition, for every fold of a partition.
    fn chains(&self, columns: &[usize], partition: &Partition) -> Result<Vec<Chain>> {
        let mut chains: Vec<Vec<Link>> = (0..self.fit.settings.folds).map(|_| Vec::new()).collect();
        let targets: Vec<&[f64]> = columns.iter().map(|column| self.targets[*column].as_slice()).collect();
        for place in 0..columns.len() {
            for (chain, link) in chains.iter_mut().zip(self.links(&targets[..=place], columns[place], partition)?) {
                chain.push(link);
            }
        }
        Ok(chains.into_iter().map(Chain).collect())
    }

    /// Fits the densities of the last target given the others, for every fold.
    fn links(&self, targets: &[&[f64]], column: usize, partition: &Partition) -> Result<Vec<Link>> {
        let folds = self.fit.settings.folds;
        let (own, before) = (targets[targets.len() - 1], columns_before(&targets[..targets.len() - 1]));
        let seed = stream(partition.seed, &format!("densities of target {column}")).next_u64();
        let plan = Plan::new(&self.fit.rows(), &partition.folds, folds, seed);
        let start = format!("{}target {column}, ", partition.name);
        let marginals: Vec<Marginal> = (0..folds)
            .into_par_iter()
            .with_max_len(1)
            .map(|fold| self.marginal(own, &partition.folds, fold, seed, &start))
            .collect::<Result<_>>()?;
        let of_judged = |(fold, marginal): (usize, &Marginal)| {
            let judged: Vec<f64> = plan.judged[fold].iter().map(|row| own[*row]).collect();
            marginal.at(&judged)
        };
        let mut baselines = marginals.iter().enumerate().map(of_judged).collect::<Result<Vec<_>>>()?;
        let contest = |given: Given<'_>, baselines: &[_], parts: &[&[Outcome]], name: &str| {
            let report = |what: String, loss: f64| self.reporter.step(format!("{start}{name}: {what}"), loss);
            Contest { given, targets: own, plan: &plan, report: &report }.run(baselines, parts)
        };
        let mut after: Vec<Option<_>> = vec![None; folds];
        if before.width > 0 {
            let given = Given { features: None, further: &before };
            let outcomes = contest(given, &baselines, &[], "density of y given the targets before")?;
            baselines = outcomes.iter().map(|outcome| outcome.unseen.clone()).collect();
            after = outcomes.into_iter().map(|outcome| Some(outcome.pool)).collect();
        }
        let mut heads: Vec<Vec<Outcome>> = Vec::with_capacity(3);
        for (head, name) in HEAD_NAMES.into_iter().enumerate() {
            let given = Given { features: Some(self.fit.inputs.features(HEADS[head])), further: &before };
            let parts: Vec<&[Outcome]> = heads.iter().take(if head == 2 { 2 } else { 0 }).map(Vec::as_slice).collect();
            let outcomes = contest(given, &baselines, &parts, name)?;
            for (fold, outcome) in outcomes.iter().enumerate() {
                self.reporter.finished(format!("{start}fold {} of {folds}, {name}", fold + 1), outcome.loss())?;
            }
            heads.push(outcomes);
        }
        let [first, second, both] = <[_; 3]>::try_from(heads).unwrap_or_else(|_| unreachable!("three heads"));
        let heads =
            first.into_iter().zip(second).zip(both).map(|((first, second), both)| [first.pool, second.pool, both.pool]);
        let links = marginals.into_iter().zip(after).zip(heads);
        Ok(links.map(|((marginal, after), heads)| Link { marginal, after, heads }).collect())
    }

    /// Fits the density of a target to the rows outside a fold.
    fn marginal(&self, target: &[f64], folds: &[u32], fold: usize, seed: u64, start: &str) -> Result<Marginal> {
        let fold_number = u32::try_from(fold).unwrap_or(u32::MAX);
        let (rows, seed) = rows_and_seed(folds, fold_number, seed);
        let outside: Vec<f64> = rows.iter().map(|row| target[*row]).collect();
        let groups: Option<Vec<u32>> = self.fit.groups.map(|groups| rows.iter().map(|row| groups[*row]).collect());
        let name = format!("{start}fold {} of {}, density of y", fold + 1, self.fit.settings.folds);
        let report = |what: String, loss: f64| self.reporter.step(format!("{name}: {what}"), loss);
        let (marginal, loss) = Marginal::fit(&outside, groups.as_deref(), &self.fit.settings.knife, seed, &report)?;
        self.reporter.finished(name.clone(), loss)?;
        Ok(marginal)
    }
}
