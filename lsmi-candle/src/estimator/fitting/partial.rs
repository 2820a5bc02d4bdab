//! Fits an estimator to rows some of which lack a modality.
//!
//! Density and head of a modality are fitted to all rows that have it, the joint head to complete rows. Where the joint head
//! builds on posteriors of one modality, these are from pools of its own, fitted to the same complete rows. Folds are dealt
//! to all rows, so that every row is scored by models that did not see it; complete rows of each class, and those that lack
//! either modality, are spread evenly over them. The gauge is that of the complete rows. Nothing is imputed, and what
//! results is an estimator like any other.

use std::sync::Arc;

use candle_core::Device;
use crossbeam_channel::Sender;
use lsmi_core::ClassPrior;
use rayon::prelude::*;

use super::cross_fit::{Fitting, numbers_of, reused_densities};
use super::models::{DENSITY_NAMES, Fit, FoldHeads};
use super::progress::Reporter;
use super::{CrossFit, Progress, Settings};
use crate::densities::gauge::Gauge;
use crate::densities::knife::Knife;
use crate::error::{EstimatorError, Result};
use crate::estimator::checks::{check_partial, check_samples};
use crate::estimator::folds::LabelledRows;
use crate::estimator::grouping::find_groups;
use crate::estimator::partition::{Partition, deal, rows_and_seed};
use crate::estimator::scoring::{ModelInputs, PartialScores};
use crate::estimator::threads::thread_pool;
use crate::estimator::{FoldModels, Grouping, Scores};
use crate::features::{Classes, FeatureSet, Groups, OneModality, PartialRows};
use crate::heads::{HeadModel, Outcome};
use crate::numbers::matrix::Matrix;

/// The names of heads in messages: those of one modality, and the parts of the joint one.
const HEAD_NAMES: [&str; 2] = ["head of x1", "head of x2"];
const PART_NAMES: [&str; 2] = ["head of x1 in complete rows", "head of x2 in complete rows"];

/// Fits an estimator to complete rows and to rows that lack a modality, and computes the terms of all by cross-fitting.
///
/// The class prior is that of all rows unless another is chosen. Twins are looked for among complete rows only; groups that come
/// with the rows are kept whole across all.
///
/// # Errors
/// [`EstimatorError`] as for [`cross_fit`](super::cross_fit) of the complete rows; [`EstimatorError::RareCompleteClass`] for
/// a class with fewer complete rows than folds, [`EstimatorError::LogitsOfPartial`] for samples that come with logits.
pub fn cross_fit_partial(
    train: &FeatureSet,
    partial: &PartialRows,
    classes: &Classes,
    settings: &Settings,
    progress: Option<&Sender<Progress>>,
) -> Result<(CrossFit, PartialScores)> {
    check_samples(train, classes.len())?;
    check_partial(partial, train, classes.len())?;
    settings.check(&train.labels, classes.names()).map_err(|error| match error {
        EstimatorError::RareClass { class, rows, folds } => EstimatorError::RareCompleteClass { class, rows, folds },
        error => error,
    })?;
    if settings.folds_of_rows.is_some() {
        let (found, expected) = ("given".to_owned(), "none where rows lack a modality".to_owned());
        return Err(EstimatorError::Setting { name: "folds_of_rows", found, expected });
    }
    let all = AllRows::new(train, partial, settings.folds)?;
    let prior = settings.prior.resolve(&all.labels, classes.len())?;
    let gauge = match &settings.densities {
        None => Gauge::fit(settings.gauge, settings.dims, &train.x1, &train.x2)?,
        Some(fitted) => {
            fitted.check_columns_of(&train.x1, &train.x2)?;
            fitted.gauge.clone()
        }
    };
    all.fit(classes, settings, gauge, prior, progress)
}

/// All rows in one order: the complete ones, those that have x1 alone, those that have x2 alone.
struct AllRows<'a> {
    train: &'a FeatureSet,
    partial: &'a PartialRows,
    labels: Vec<u32>,
    /// The number of each row's group, where some belong together.
    groups: Option<Vec<u32>>,
    grouping: Option<Grouping>,
}

/// The rows that have a modality, or both.
struct Part {
    inputs: ModelInputs,
    labels: Vec<u32>,
    groups: Option<Vec<u32>>,
    /// Their folds in each repeat.
    partitions: Vec<Partition>,
}

impl<'a> AllRows<'a> {
    fn new(train: &'a FeatureSet, partial: &'a PartialRows, folds: usize) -> Result<Self> {
        let labels = partial.only.iter().fold(train.labels.clone(), |mut labels, only| {
            labels.extend(&only.labels);
            labels
        });
        let (found, grouping) = find_groups(train, folds);
        let groups = match (&train.groups, found) {
            // Groups that came with the samples go through all of them.
            (Some(groups), _) => {
                let parts = partial.only.iter().filter_map(|only| only.groups.as_ref());
                let groups = Groups::concatenated(&std::iter::once(groups).chain(parts).collect::<Vec<_>>());
                Some(groups).filter(|groups| !groups.are_single_rows())
            }
            (None, Some(found)) => {
                let alone = Groups::of_values((0..partial.count()).map(|row| ("partial", row)));
                Some(Groups::concatenated(&[&found, &alone]))
            }
            (None, None) => None,
        };
        let groups = groups.map(|groups| numbers_of(&groups, folds)).transpose()?;
        Ok(Self { train, partial, labels, groups, grouping })
    }

    /// Deals all rows to the folds of a repeat: rows of each class, and of them those that lack x1 or x2, evenly.
    fn deal(&self, classes: usize, settings: &Settings, repeat: usize) -> Partition {
        let [only_x1, only_x2] = self.partial.only.each_ref().map(OneModality::rows);
        let lacking = [(0, self.train.rows()), (1, only_x1), (2, only_x2)];
        let lacking = lacking.into_iter().flat_map(|(kind, rows)| std::iter::repeat_n(kind, rows));
        #[expect(clippy::cast_possible_truncation, reason = "labels are 32 bits wide, so there are no more classes")]
        let strata: Vec<u32> =
            self.labels.iter().zip(lacking).map(|(label, lacking)| label + lacking * classes as u32).collect();
        let rows = LabelledRows { labels: &strata, classes: 3 * classes, groups: self.groups.as_deref() };
        Partition::dealt_by(settings, repeat, |seed| deal(&rows, settings.folds, seed))
    }

    /// Takes some of the rows.
    fn part(&self, rows: &[usize], inputs: ModelInputs, partitions: &[Partition]) -> Part {
        let select = |values: &[u32]| rows.iter().map(|row| values[*row]).collect::<Vec<u32>>();
        let partition = |Partition { seed, folds, name }: &Partition| Partition {
            seed: *seed,
            folds: select(folds),
            name: name.clone(),
        };
        Part {
            inputs,
            labels: select(&self.labels),
            groups: self.groups.as_deref().map(select),
            partitions: partitions.iter().map(partition).collect(),
        }
    }

    /// Returns the places of the rows that have one modality alone, among all rows.
    fn places_of_one(&self, modality: usize) -> std::ops::Range<usize> {
        let start = self.train.rows() + if modality == 0 { 0 } else { self.partial.only[0].rows() };
        start..start + self.partial.only[modality].rows()
    }

    fn fit(
        self,
        classes: &Classes,
        settings: &Settings,
        gauge: Gauge,
        prior: ClassPrior,
        progress: Option<&Sender<Progress>>,
    ) -> Result<(CrossFit, PartialScores)> {
        let device = settings.device.open()?;
        let (train, partial) = (self.train, self.partial);
        let dealt: Vec<Partition> =
            (0..settings.repeats).map(|repeat| self.deal(classes.len(), settings, repeat)).collect();
        let complete = ModelInputs::new(&gauge, &train.inputs(), [false; 3]);
        let complete = self.part(&(0..train.rows()).collect::<Vec<_>>(), complete, &dealt);
        let having = [(0, &train.x1), (1, &train.x2)].map(|(modality, x)| {
            let rows: Vec<usize> = (0..train.rows()).chain(self.places_of_one(modality)).collect();
            let x = Matrix::joined(&[x, &partial.only[modality].x]);
            self.part(&rows, ModelInputs::of_one(&gauge, modality, &x), &dealt)
        });
        let parts = Parts { complete: &complete, having: &having, classes: classes.len(), settings, device: &device };
        let repeats = parts.fit(progress)?;
        let folds_of = |rows: &dyn Fn(&Partition) -> Vec<u32>| dealt.iter().map(rows).collect::<Vec<_>>();
        let of_one = [0, 1].map(|modality| {
            let places = self.places_of_one(modality);
            folds_of(&|partition| partition.folds[places.clone()].to_vec())
        });
        let Part { partitions, groups, .. } = complete;
        let fitting = Fitting {
            train,
            data_hash: train.hash_with(Some(partial)),
            classes,
            settings,
            gauge,
            grouping: self.grouping.clone(),
            groups: groups.clone(),
            prior,
            partitions,
            repeats,
            device: device.clone(),
        };
        let assignments = fitting.assignments();
        let mut estimator = fitting.into_estimator(None);
        estimator.description.notes.push(note(train, partial));
        let scores = Scores { groups, ..estimator.score_rows(train, Some(&assignments))? };
        let of_partial = estimator.score_one_modality(partial, Some(&of_one))?;
        let fit = CrossFit { given_folds: Some(Arc::new(assignments)), ..CrossFit::new(estimator, scores) };
        Ok((fit, of_partial))
    }
}

/// Tells which models saw rows that lack a modality, and what was not checked of these.
fn note(train: &FeatureSet, partial: &PartialRows) -> String {
    let [only_x1, only_x2] = partial.only.each_ref().map(OneModality::rows);
    format!(
        "density and head of x1 were fitted to {} rows and those of x2 to {}, the joint head to the {} that have both; rows \
         that lack a modality were not searched for others that equal them",
        train.rows() + only_x1,
        train.rows() + only_x2,
        train.rows()
    )
}

/// The rows that models are fitted to: those that have both modalities, and those that have each.
struct Parts<'a> {
    complete: &'a Part,
    having: &'a [Part; 2],
    classes: usize,
    settings: &'a Settings,
    device: &'a Device,
}

impl Parts<'_> {
    /// Fits the models of every repeat and fold.
    fn fit(&self, progress: Option<&Sender<Progress>>) -> Result<Vec<Vec<FoldModels>>> {
        let Settings { folds, repeats, densities: reused, threads, .. } = self.settings;
        let models_of_fold = if reused.is_some() { 5 } else { 7 };
        let reporter = Reporter::new(progress, repeats * folds * models_of_fold);
        let heads =
            || (0..*repeats).into_par_iter().map(|repeat| self.heads(repeat, &reporter)).collect::<Result<Vec<_>>>();
        let densities = || match reused {
            Some(estimator) => Ok(reused_densities(estimator, *repeats, *folds)),
            None => self.densities(&reporter),
        };
        #[expect(clippy::disallowed_methods, reason = "in a pool of its own")]
        let (heads, densities) = thread_pool(*threads)?.install(|| rayon::join(heads, densities));
        let models = |(heads, densities): (Vec<FoldHeads>, Vec<[Knife; 2]>)| {
            let folds = heads.into_iter().zip(densities);
            folds.map(|(FoldHeads { heads, parts }, densities)| FoldModels { densities, heads, parts }).collect()
        };
        Ok(heads?.into_iter().zip(densities?).map(models).collect())
    }

    fn fit_of<'p>(&'p self, part: &'p Part) -> Fit<'p> {
        Fit {
            inputs: &part.inputs,
            labels: &part.labels,
            groups: part.groups.as_deref(),
            classes: self.classes,
            settings: self.settings,
            device: self.device,
        }
    }

    /// Fits the heads of every fold of a repeat.
    fn heads(&self, repeat: usize, reporter: &Reporter<'_>) -> Result<Vec<FoldHeads>> {
        let contest = |part: &Part, modalities: &[usize], name: &str, parts: &[Option<&[Outcome]>]| {
            self.fit_of(part).contest_of(modalities, name, &part.partitions[repeat], parts, reporter)
        };
        let one = |modality: usize| contest(&self.having[modality], &[0], HEAD_NAMES[modality], &[]);
        let part = |modality: usize| contest(self.complete, &[modality], PART_NAMES[modality], &[]);
        #[expect(clippy::disallowed_methods, reason = "in the pool of the fit, or in one of its threads")]
        let ((first, second), (first_part, second_part)) =
            rayon::join(|| rayon::join(|| one(0), || one(1)), || rayon::join(|| part(0), || part(1)));
        let (first, second, first_part, second_part) = (first?, second?, first_part?, second_part?);
        let joint = contest(self.complete, &[0, 1], "head of both", &[Some(&first_part), Some(&second_part)])?;
        let pools = |outcomes: Vec<Outcome>| outcomes.into_iter().map(|outcome| outcome.pool);
        let ones = pools(first).zip(pools(second));
        let folds = ones.zip(pools(first_part).zip(pools(second_part))).zip(pools(joint));
        Ok(folds
            .map(|(((first, second), (first_part, second_part)), joint)| {
                let parts = [
                    Some(first_part).filter(|_| joint.needs_part(0)),
                    Some(second_part).filter(|_| joint.needs_part(1)),
                ];
                FoldHeads { heads: [first, second, joint].map(HeadModel::Pool), parts }
            })
            .collect())
    }

    /// Fits both densities of every fold, for every repeat.
    fn densities(&self, reporter: &Reporter<'_>) -> Result<Vec<Vec<[Knife; 2]>>> {
        let Settings { folds, repeats, .. } = *self.settings;
        let jobs: Vec<(usize, u32, usize)> = (0..repeats)
            .flat_map(|repeat| (0..).take(folds).flat_map(move |fold| [(repeat, fold, 0), (repeat, fold, 1)]))
            .collect();
        let run = |(repeat, fold, modality): &(usize, u32, usize)| {
            let part = &self.having[*modality];
            let partition = &part.partitions[*repeat];
            let (rows, seed) = rows_and_seed(&partition.folds, *fold, partition.seed);
            let name = format!("{}fold {} of {folds}, {}", partition.name, fold + 1, DENSITY_NAMES[*modality]);
            let report = |what: String, loss: f64| reporter.step(format!("{name}: {what}"), loss);
            let (density, loss) = self.fit_of(part).density(&[0], &rows, seed, &report)?;
            reporter.finished(name, loss)?;
            Ok(density)
        };
        let densities: Vec<Knife> = jobs.par_iter().with_max_len(1).map(run).collect::<Result<_>>()?;
        let of_folds: Vec<[Knife; 2]> =
            densities.chunks_exact(2).map(|pair| [pair[0].clone(), pair[1].clone()]).collect();
        Ok(of_folds.chunks_exact(folds).map(<[_]>::to_vec).collect())
    }
}
