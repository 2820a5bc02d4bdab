//! The fit of the models: densities fold by fold, heads by a contest over all folds of a repeat.

use candle_core::Device;

use super::Settings;
use super::cross_fit::Partition;
use super::inputs::{Columns, ModelInputs};
use super::progress::Reporter;
use crate::densities::knife::{Knife, Training};
use crate::error::Result;
use crate::estimator::folds::LabelledRows;
use crate::heads::{Contest, GivenHead, HeadModel, HeadPool, Outcome};

/// What all models are fitted to.
#[derive(Clone, Copy)]
pub(super) struct Fit<'a> {
    pub(super) inputs: &'a ModelInputs,
    pub(super) labels: &'a [u32],
    /// The group of each row, where rows belong together.
    pub(super) groups: Option<&'a [u32]>,
    pub(super) classes: usize,
    pub(super) settings: &'a Settings,
    pub(super) device: &'a Device,
}

/// The heads of one fold.
#[derive(Debug, Clone)]
pub(super) struct FoldHeads {
    /// Heads of x1, x2 and both joined.
    pub(super) heads: [HeadModel; 3],
    /// The pools of x1 and x2 that the joint one needs, where the user's own models have taken their place.
    pub(super) parts: [Option<HeadPool>; 2],
}

impl Fit<'_> {
    /// The rows, as folds are dealt to them.
    pub(super) fn rows(&self) -> LabelledRows<'_> {
        LabelledRows { labels: self.labels, classes: self.classes, groups: self.groups }
    }

    /// Fits the density of modality 0 or 1 to the given rows; with its loss in nats, on held-out rows where there are any.
    pub(super) fn density(
        &self,
        modality: usize,
        rows: &[usize],
        seed: u64,
        report: &dyn Fn(String, f64),
    ) -> Result<(Knife, f64)> {
        let Columns { values, columns } = self.inputs.density(modality, rows);
        let groups: Option<Vec<u32>> = self.groups.map(|groups| rows.iter().map(|row| groups[*row]).collect());
        let of = Training { rows: values, dims: columns, groups: groups.as_deref() };
        let fitted = Knife::fit_reporting(of, &self.settings.knife, seed, self.device, report)?;
        Ok((fitted.knife, fitted.loss))
    }

    /// The heads of every fold of a partition. The joint one follows the others, as it builds on them; these two are fitted at
    /// the same time.
    pub(super) fn heads(&self, partition: &Partition, reporter: &Reporter<'_>) -> Result<Vec<FoldHeads>> {
        let one = |head: usize| self.contest(head, partition, [None, None], reporter);
        #[expect(clippy::disallowed_methods, reason = "in the pool of the fit, or in one of its threads")]
        let (first, second) = rayon::join(|| one(0), || one(1));
        let (first, second) = (first?, second?);
        let joint = self.contest(2, partition, [first.as_deref(), second.as_deref()], reporter)?;
        let mut of_heads = [first, second, joint].map(|outcomes| outcomes.map(Vec::into_iter));
        (0u32..)
            .take(self.settings.folds)
            .map(|fold| {
                let mut heads = Vec::with_capacity(3);
                for (head, outcomes) in of_heads.iter_mut().enumerate() {
                    heads.push(match outcomes.as_mut().and_then(Iterator::next) {
                        Some(outcome) => HeadModel::Pool(outcome.pool),
                        None => HeadModel::Given(self.given(head, &partition.folds, fold, reporter, &partition.name)),
                    });
                }
                let heads = <[HeadModel; 3]>::try_from(heads).unwrap_or_else(|_| unreachable!("three heads"));
                Ok(FoldHeads { heads, parts: [None, None] })
            })
            .collect()
    }

    /// The contest for head 0 (x1), 1 (x2) or 2 (both); none where the user's own model is in its place.
    fn contest(
        &self,
        head: usize,
        partition: &Partition,
        parts: [Option<&[Outcome]>; 2],
        reporter: &Reporter<'_>,
    ) -> Result<Option<Vec<Outcome>>> {
        if self.inputs.logits(head, &[]).is_some() {
            return Ok(None);
        }
        let name = format!("{}{}", partition.name, HEAD_NAMES[head]);
        let contest = Contest {
            features: self.inputs.features(head),
            labels: self.labels,
            classes: self.classes,
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
            reporter.finished(format!("{}fold {fold} of {folds}, {}", partition.name, HEAD_NAMES[head]), outcome.loss);
        }
        Ok(Some(outcomes))
    }

    /// The user's own model in the place of a head, for the rows outside a fold.
    fn given(&self, head: usize, folds: &[u32], fold: u32, reporter: &Reporter<'_>, name: &str) -> GivenHead {
        let rows: Vec<usize> = (0..folds.len()).filter(|row| folds[*row] != fold).collect();
        let labels: Vec<u32> = rows.iter().map(|row| self.labels[*row]).collect();
        let Some(Columns { values, .. }) = self.inputs.logits(head, &rows) else { return GivenHead::default() };
        let given = if self.settings.scale_logits { GivenHead::scaled(&values, &labels) } else { GivenHead::default() };
        let folds = self.settings.folds;
        let what = format!("{name}fold {} of {folds}, {}", fold + 1, HEAD_NAMES[head]);
        reporter.finished(what, given.log_loss(&values, &labels));
        given
    }
}

/// What heads are called, for people.
const HEAD_NAMES: [&str; 3] = ["head of x1", "head of x2", "head of both"];
/// What densities are called.
pub(super) const DENSITY_NAMES: [&str; 2] = ["density of x1", "density of x2"];
