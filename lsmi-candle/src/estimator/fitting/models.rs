//! Fits the models: densities fold by fold, heads by a contest over all folds of a repeat.

use candle_core::Device;

use super::Settings;
use super::progress::Reporter;
use crate::densities::knife::{Knife, Training};
use crate::error::Result;
use crate::estimator::folds::LabelledRows;
use crate::estimator::partition::Partition;
use crate::estimator::scoring::{Columns, HEADS, ModelInputs};
use crate::heads::{Contest, GivenHead, HeadModel, HeadPool, Outcome};

/// The rows and settings that all models are fitted with.
#[derive(Clone, Copy)]
pub(in crate::estimator) struct Fit<'a> {
    pub(in crate::estimator) inputs: &'a ModelInputs,
    pub(in crate::estimator) labels: &'a [u32],
    /// The group of each row, where rows belong together.
    pub(in crate::estimator) groups: Option<&'a [u32]>,
    pub(in crate::estimator) classes: usize,
    pub(in crate::estimator) settings: &'a Settings,
    pub(in crate::estimator) device: &'a Device,
}

/// The heads of one fold.
#[derive(Debug, Clone)]
pub(in crate::estimator) struct FoldHeads {
    /// Heads of x1, x2 and both joined.
    pub(in crate::estimator) heads: [HeadModel; 3],
    /// The pools of x1 and x2 that the joint one needs, where the user's own models have taken their place.
    pub(in crate::estimator) parts: [Option<HeadPool>; 2],
}

impl Fit<'_> {
    /// Returns the rows, as folds are dealt to them.
    pub(in crate::estimator) fn rows(&self) -> LabelledRows<'_> {
        LabelledRows { labels: self.labels, classes: self.classes, groups: self.groups }
    }

    /// Fits the density of these modalities, counted from 0, to the given rows. Also returns its loss in nats, on held-out
    /// rows if there are any.
    pub(in crate::estimator) fn density(
        &self,
        modalities: &[usize],
        rows: &[usize],
        seed: u64,
        report: &dyn Fn(String, f64) -> Result<()>,
    ) -> Result<(Knife, f64)> {
        let Columns { values, columns } = self.inputs.density(modalities, rows);
        let groups: Option<Vec<u32>> = self.groups.map(|groups| rows.iter().map(|row| groups[*row]).collect());
        let of = Training { rows: values, dims: columns, groups: groups.as_deref() };
        let fitted = Knife::fit_reporting(of, &self.settings.knife, seed, self.device, report)?;
        Ok((fitted.knife, fitted.loss))
    }

    /// Fits the heads of every fold of a partition. The joint one follows the others, as it builds on them; these two
    /// are fitted at the same time.
    pub(in crate::estimator) fn heads(&self, partition: &Partition, reporter: &Reporter<'_>) -> Result<Vec<FoldHeads>> {
        let one = |head: usize| self.contest(head, partition, &[], reporter);
        #[expect(clippy::disallowed_methods, reason = "in the pool of the fit, or in one of its threads")]
        let (first, second) = rayon::join(|| one(0), || one(1));
        let (first, second) = (first?, second?);
        let joint = self.contest(2, partition, &[first.as_deref(), second.as_deref()], reporter)?;
        let mut head_outcomes = [first, second, joint].map(|outcomes| outcomes.map(Vec::into_iter));
        (0u32..)
            .take(self.settings.folds)
            .map(|fold| {
                let mut heads = Vec::with_capacity(3);
                for (head, outcomes) in head_outcomes.iter_mut().enumerate() {
                    heads.push(match outcomes.as_mut().and_then(Iterator::next) {
                        Some(outcome) => HeadModel::Pool(outcome.pool),
                        None => {
                            HeadModel::Given(self.given(head, &partition.folds, fold, reporter, &partition.name)?)
                        }
                    });
                }
                let heads = <[HeadModel; 3]>::try_from(heads).unwrap_or_else(|_| unreachable!("three heads"));
                Ok(FoldHeads { heads, parts: [None, None] })
            })
            .collect()
    }

    /// Runs the contest for head 0 (x1), 1 (x2) or 2 (both). Returns `None` if the user's own model is in its place.
    fn contest(
        &self,
        head: usize,
        partition: &Partition,
        parts: &[Option<&[Outcome]>],
        reporter: &Reporter<'_>,
    ) -> Result<Option<Vec<Outcome>>> {
        if self.inputs.logits(head, &[]).is_some() {
            return Ok(None);
        }
        self.contest_of(HEADS[head], HEAD_NAMES[head], partition, parts, reporter).map(Some)
    }

    /// Runs the contest for the head of these modalities, counted from 0; `parts` are the outcomes of parts of them, as
    /// [`Contest::run`] takes them.
    pub(in crate::estimator) fn contest_of(
        &self,
        modalities: &[usize],
        head_name: &str,
        partition: &Partition,
        parts: &[Option<&[Outcome]>],
        reporter: &Reporter<'_>,
    ) -> Result<Vec<Outcome>> {
        let name = format!("{}{head_name}", partition.name);
        let contest = Contest {
            features: self.inputs.features(modalities),
            labels: self.labels,
            classes: self.classes,
            prototypes: self.settings.prototypes,
            groups: self.groups,
            folds: &partition.folds,
            fold_count: self.settings.folds,
            seed: partition.seed,
            device: self.device,
            report: &|what, loss| reporter.step(format!("{name}: {what}"), loss),
        };
        let outcomes = contest.run(parts)?;
        for (fold, outcome) in outcomes.iter().enumerate() {
            let folds = self.settings.folds;
            let fold = fold + 1;
            reporter.finished(format!("{}fold {fold} of {folds}, {head_name}", partition.name), outcome.loss)?;
        }
        Ok(outcomes)
    }

    /// Fits the temperature of the user's own model in the place of a head to the rows outside a fold.
    fn given(&self, head: usize, folds: &[u32], fold: u32, reporter: &Reporter<'_>, name: &str) -> Result<GivenHead> {
        let rows: Vec<usize> = (0..folds.len()).filter(|row| folds[*row] != fold).collect();
        let labels: Vec<u32> = rows.iter().map(|row| self.labels[*row]).collect();
        let Some(Columns { values, .. }) = self.inputs.logits(head, &rows) else { return Ok(GivenHead::default()) };
        let given = if self.settings.scale_logits { GivenHead::scaled(&values, &labels) } else { GivenHead::default() };
        let folds = self.settings.folds;
        let what = format!("{name}fold {} of {folds}, {}", fold + 1, HEAD_NAMES[head]);
        reporter.finished(what, given.log_loss(&values, &labels))?;
        Ok(given)
    }
}

/// The names of heads in messages.
const HEAD_NAMES: [&str; 3] = ["head of x1", "head of x2", "head of both"];
/// The names of densities in messages.
pub(in crate::estimator) const DENSITY_NAMES: [&str; 2] = ["density of x1", "density of x2"];
