//! Fits the densities and heads of sets of modalities, fold by fold, each set once.

use std::collections::BTreeMap;

use crossbeam_channel::Sender;
use lsmi_core::Subset;
use rayon::prelude::*;

use super::{SeveralModels, parts_of, places};
use crate::densities::knife::Knife;
use crate::error::Result;
use crate::estimator::fitting::Fit;
use crate::estimator::partition::{Partition, rows_and_seed};
use crate::estimator::threads::thread_pool;
use crate::estimator::{Progress, Reporter};
use crate::heads::{HeadPool, Outcome};

/// The sets of modalities that have a density, and those that have a head; rising.
pub(super) struct Plan {
    pub(super) densities: Vec<Subset>,
    pub(super) heads: Vec<Subset>,
}

impl Plan {
    /// Plans the models of `modalities` modalities: those of three are all that the lattice needs, and of more those of
    /// single ones and pairs, with every head if `all_heads` are wanted.
    pub(super) fn new(modalities: usize, all_heads: bool) -> Self {
        let up_to = |size: usize| Subset::all(modalities).filter(|subset| subset.len() <= size).collect();
        match modalities {
            ..=3 => Self { densities: up_to(3), heads: up_to(3) },
            _ => Self { densities: up_to(1), heads: up_to(if all_heads { modalities } else { 2 }) },
        }
    }

    /// Fits the models of every repeat and fold.
    pub(super) fn fit(
        &self,
        fit: &Fit<'_>,
        partitions: &[Partition],
        progress: Option<&Sender<Progress>>,
    ) -> Result<Vec<Vec<SeveralModels>>> {
        let models = partitions.len() * fit.settings.folds * (self.densities.len() + self.heads.len());
        let reporter = Reporter::new(progress, models);
        let heads = || {
            let of = |partition| self.fit_heads(fit, partition, &reporter);
            partitions.par_iter().map(of).collect::<Result<Vec<_>>>()
        };
        let densities = || self.fit_densities(fit, partitions, &reporter);
        #[expect(clippy::disallowed_methods, reason = "in a pool of its own")]
        let (heads, densities) = thread_pool(fit.settings.threads)?.install(|| rayon::join(heads, densities));
        let models = |(heads, densities): (Vec<BTreeMap<_, _>>, Vec<BTreeMap<_, _>>)| {
            let folds = heads.into_iter().zip(densities);
            folds.map(|(heads, densities)| SeveralModels { densities, heads }).collect()
        };
        Ok(heads?.into_iter().zip(densities?).map(models).collect())
    }

    /// Fits the heads of every fold of a partition, smaller sets first, as larger ones build on them.
    fn fit_heads(
        &self,
        fit: &Fit<'_>,
        partition: &Partition,
        reporter: &Reporter<'_>,
    ) -> Result<Vec<BTreeMap<Subset, HeadPool>>> {
        let mut outcomes: BTreeMap<Subset, Vec<Outcome>> = BTreeMap::new();
        for of_size in self.heads.chunk_by(|one, next| one.len() == next.len()) {
            let contest = |subset: &Subset| {
                let parts: Vec<Option<&[Outcome]>> =
                    parts_of(*subset).iter().map(|part| outcomes.get(part).map(Vec::as_slice)).collect();
                fit.contest_of(&places(*subset), &name("head", *subset), partition, &parts, reporter)
            };
            let found = of_size.par_iter().with_max_len(1).map(contest).collect::<Result<Vec<_>>>()?;
            outcomes.extend(of_size.iter().copied().zip(found));
        }
        let mut folds: Vec<BTreeMap<Subset, HeadPool>> = vec![BTreeMap::new(); fit.settings.folds];
        for (subset, outcomes) in outcomes {
            for (heads, outcome) in folds.iter_mut().zip(outcomes) {
                heads.insert(subset, outcome.pool);
            }
        }
        Ok(folds)
    }

    /// Fits the densities of every fold, for every repeat. All of a fold share their random draws.
    fn fit_densities(
        &self,
        fit: &Fit<'_>,
        partitions: &[Partition],
        reporter: &Reporter<'_>,
    ) -> Result<Vec<Vec<BTreeMap<Subset, Knife>>>> {
        let folds = fit.settings.folds;
        let of_fold = |partition, fold| self.densities.iter().map(move |subset| (partition, fold, *subset));
        let jobs: Vec<(&Partition, u32, Subset)> = partitions
            .iter()
            .flat_map(|partition| (0..).take(folds).flat_map(move |fold| of_fold(partition, fold)))
            .collect();
        let run = |(partition, fold, subset): &(&Partition, u32, Subset)| {
            let (rows, seed) = rows_and_seed(&partition.folds, *fold, partition.seed);
            let name = format!("{}fold {} of {folds}, {}", partition.name, fold + 1, name("density", *subset));
            let report = |what: String, loss: f64| reporter.step(format!("{name}: {what}"), loss);
            let (density, loss) = fit.density(&places(*subset), &rows, seed, &report)?;
            reporter.finished(name, loss)?;
            Ok((*subset, density))
        };
        let densities: Vec<(Subset, Knife)> = jobs.par_iter().with_max_len(1).map(run).collect::<Result<_>>()?;
        let fold_densities: Vec<BTreeMap<Subset, Knife>> =
            densities.chunks_exact(self.densities.len()).map(|of_fold| of_fold.iter().cloned().collect()).collect();
        Ok(fold_densities.chunks_exact(folds).map(<[_]>::to_vec).collect())
    }
}

/// Returns the name of a model of a set in messages, as in `head of x1, x3`.
fn name(model: &str, subset: Subset) -> String {
    let modalities: Vec<String> = subset.members().map(|member| format!("x{}", member + 1)).collect();
    format!("{model} of {}", modalities.join(", "))
}
