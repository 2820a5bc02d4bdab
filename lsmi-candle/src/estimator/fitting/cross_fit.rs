//! Cross-fitting: every fold's models see the rows outside the fold, and score the rows inside it.

use std::sync::Arc;

use candle_core::Device;
use crossbeam_channel::Sender;
use lsmi_core::{ClassPrior, Modality, PriorChoice, Reference};
use rayon::prelude::*;

use super::models::{DENSITY_NAMES, Fit, FoldHeads};
use super::progress::Reporter;
use super::{Progress, Settings, notes};
use crate::densities::gauge::Gauge;
use crate::densities::knife::Knife;
use crate::error::{EstimatorError, Result};
use crate::estimator::checks::{check_samples, wrong};
use crate::estimator::grouping::{Grouping, find_groups};
use crate::estimator::partition::{Partition, assignments, rows_and_seed};
use crate::estimator::scoring::{Candidates, ModelInputs, Scores};
use crate::estimator::threads::thread_pool;
use crate::estimator::{Description, Estimator, FoldModels, SCHEMA};
use crate::features::{Classes, FeatureSet, Groups};

/// Fewest groups of rows that belong together: with two or three folds, each is cut into parts.
const LEAST_GROUPS: usize = 6;

/// An estimator and the terms of its training rows, each from models that did not see the row.
#[derive(Debug, Clone)]
pub struct CrossFit {
    /// The estimator, which scores new rows.
    pub estimator: Estimator,
    /// The training rows' terms, predictions and folds.
    pub scores: Scores,
    /// The folds of every repeat, where they were given.
    pub(super) given_folds: Option<Arc<Vec<Vec<u32>>>>,
}

/// Fits an estimator to training rows and computes their terms by cross-fitting.
///
/// `classes` are those that the labels index. Models are fitted in parallel, one thread each; for one seed the result is
/// the same to the bit whatever their number, provided that candle starts none of its own (see [`Settings::threads`]).
/// Steps are sent to `progress` if given; they are dropped, not waited for, where the channel is full. A fit whose
/// listener has gone is given up.
///
/// # Errors
/// [`EstimatorError`] for samples that do not fit together, settings out of range, labels of one class, a class with
/// fewer rows than folds, too few rows, a constant modality, a device that cannot be opened or fails; [`EstimatorError::Stopped`] if
/// the receiver of `progress` was dropped.
pub fn cross_fit(
    train: &FeatureSet,
    classes: &Classes,
    settings: &Settings,
    progress: Option<&Sender<Progress>>,
) -> Result<CrossFit> {
    check_samples(train, classes.len())?;
    settings.check(&train.labels, classes.names())?;
    let prior = settings.prior.resolve(&train.labels, classes.len())?;
    let gauge = match &settings.densities {
        None => Gauge::fit(settings.gauge, settings.dims, &train.x1, &train.x2)?,
        Some(fitted) => {
            fitted.check_columns_of(&train.x1, &train.x2)?;
            fitted.gauge.clone()
        }
    };
    Fitting::new(train, classes, settings, gauge, prior, progress)?.finish(None)
}

impl CrossFit {
    /// Ties an estimator to the scores of its training rows, which have the values that its measure depends on.
    pub(in crate::estimator) fn new(mut estimator: Estimator, scores: Scores) -> Self {
        let classes = estimator.classes().len();
        estimator.description.reference = estimator.measure().reference(&scores.terms, &scores.labels, classes);
        Self { estimator, scores, given_folds: None }
    }

    /// Computes the terms of every candidate label of the training rows, each by models that did not see the row: held
    /// out, though as label-free as those of new rows. `train` has the same samples that were fitted, in their order.
    ///
    /// # Errors
    /// [`crate::EstimatorError::Samples`] if `train` has other samples, otherwise as [`Estimator::candidates`].
    pub fn candidates(&self, train: &FeatureSet) -> Result<Candidates> {
        self.check_same_samples(train)?;
        let folds = self.assignments();
        self.estimator.candidates_by(&train.into(), Some(&folds))
    }

    /// Returns the fold of every row in each repeat.
    pub(super) fn assignments(&self) -> Vec<Vec<u32>> {
        match &self.given_folds {
            Some(folds) => folds.to_vec(),
            None => assignments(&self.estimator.description, &self.scores),
        }
    }

    /// Checks that samples are those that were fitted.
    pub(in crate::estimator) fn check_same_samples(&self, train: &FeatureSet) -> Result<()> {
        check_samples(train, self.estimator.classes().len())?;
        if train.ids != self.scores.terms.ids || train.labels != self.scores.labels {
            let expected = "those of the rows that were fitted, in their order".to_owned();
            return wrong("ids and labels", "others".to_owned(), expected);
        }
        Ok(())
    }
}

/// An estimator whose models are fitted, but which has not scored its training rows.
pub(in crate::estimator) struct Fitting<'a> {
    pub(in crate::estimator) train: &'a FeatureSet,
    /// SHA-256 of all rows that models were fitted to.
    pub(in crate::estimator) data_hash: String,
    pub(in crate::estimator) classes: &'a Classes,
    pub(in crate::estimator) settings: &'a Settings,
    pub(in crate::estimator) gauge: Gauge,
    pub(in crate::estimator) grouping: Option<Grouping>,
    /// The number of each row's group, where some belong together.
    pub(in crate::estimator) groups: Option<Vec<u32>>,
    pub(in crate::estimator) prior: ClassPrior,
    pub(in crate::estimator) partitions: Vec<Partition>,
    /// The models of every fold, for each repeat.
    pub(in crate::estimator) repeats: Vec<Vec<FoldModels>>,
    pub(in crate::estimator) device: Device,
}

impl<'a> Fitting<'a> {
    /// Fits the models of every repeat and fold.
    pub(in crate::estimator) fn new(
        train: &'a FeatureSet,
        classes: &'a Classes,
        settings: &'a Settings,
        gauge: Gauge,
        prior: ClassPrior,
        progress: Option<&Sender<Progress>>,
    ) -> Result<Self> {
        let device = settings.device.open()?;
        let inputs = ModelInputs::new(&gauge, &train.inputs(), train.logits.each_ref().map(Option::is_some));
        let (groups, grouping) = find_groups(train, settings.folds);
        let groups = groups.map(|groups| numbers_of(&groups, settings.folds)).transpose()?;
        let class_count = classes.len();
        let (labels, groups_of_rows) = (&train.labels, groups.as_deref());
        let fit =
            Fit { inputs: &inputs, labels, groups: groups_of_rows, classes: class_count, settings, device: &device };
        let partitions: Vec<Partition> =
            (0..settings.repeats).map(|repeat| Partition::for_repeat(&fit.rows(), settings, repeat)).collect();
        let repeats = fit_models(&fit, &partitions, progress)?;
        let data_hash = train.hash();
        Ok(Self { train, data_hash, classes, settings, gauge, grouping, groups, prior, partitions, repeats, device })
    }

    /// Returns the fold of every row in each repeat.
    pub(in crate::estimator) fn assignments(&self) -> Vec<Vec<u32>> {
        self.partitions.iter().map(|partition| partition.folds.clone()).collect()
    }

    /// Scores the training rows, each by the models of its own folds. `drawn_from` has the number of rows that they were
    /// drawn from, with a note on it, if they are not all.
    pub(in crate::estimator) fn finish(self, drawn_from: Option<(usize, String)>) -> Result<CrossFit> {
        let (assignments, train, groups) = (self.assignments(), self.train, self.groups.clone());
        let given_folds = self.settings.folds_of_rows.clone();
        let estimator = self.into_estimator(drawn_from);
        let scores = Scores { groups, ..estimator.score_rows(train, Some(&assignments))? };
        Ok(CrossFit { given_folds, ..CrossFit::new(estimator, scores) })
    }

    /// Describes the fit.
    pub(in crate::estimator) fn into_estimator(self, drawn_from: Option<(usize, String)>) -> Estimator {
        let Self { train, data_hash, classes, settings, gauge, grouping, prior, repeats, device, .. } = self;
        let are_given = train.logits.each_ref().map(Option::is_some);
        let mut notes = notes::gauge_notes(&gauge);
        notes.extend(notes::prior_note(&settings.prior, &prior, &train.labels));
        notes.extend(notes::given_heads_notes(are_given));
        if are_given.contains(&false) {
            notes.extend(notes::few_rows_note(train.rows(), train.x1.columns() + train.x2.columns()));
        }
        notes.extend(settings.densities.as_deref().and_then(|fitted| fitted.note_on_reuse(&data_hash, settings)));
        let rows = drawn_from.as_ref().map_or(train.rows(), |(rows, _)| *rows);
        notes.extend(drawn_from.map(|(_, note)| note));
        let description = Description {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            gauge: gauge.kind,
            gauge_dims: [gauge.x1.dims(), gauge.x2.dims()],
            dims: [train.x1.columns(), train.x2.columns()],
            classes: classes.clone(),
            given_heads: are_given,
            prior: prior_name(&settings.prior).to_owned(),
            measure: settings.measure,
            reference: Reference { weaker: Modality::One, weaker_of_class: Vec::new() },
            seed: settings.seed,
            folds: settings.folds,
            repeats: settings.repeats,
            rows,
            data_hash,
            encoders: [None, None],
            pooling: None,
            shortfall: None,
            grouping,
            notes,
        };
        Estimator { description, prior, gauge, repeats, device }
    }
}

/// Numbers groups, of which there must be enough for the folds.
pub(in crate::estimator) fn numbers_of(groups: &Groups, folds: usize) -> Result<Vec<u32>> {
    let (count, least) = (groups.count(), folds.max(LEAST_GROUPS));
    if count < least { Err(EstimatorError::FewGroups { groups: count, folds, least }) } else { Ok(groups.numbers()) }
}

/// Fits the models of every repeat and fold.
fn fit_models(
    fit: &Fit<'_>,
    partitions: &[Partition],
    progress: Option<&Sender<Progress>>,
) -> Result<Vec<Vec<FoldModels>>> {
    let Settings { folds, densities: reused, threads, .. } = fit.settings;
    let models_of_fold = if reused.is_some() { 3 } else { 5 };
    let reporter = Reporter::new(progress, partitions.len() * folds * models_of_fold);
    let heads = || partitions.par_iter().map(|partition| fit.heads(partition, &reporter)).collect::<Result<Vec<_>>>();
    let densities = || match reused {
        Some(estimator) => Ok(reused_densities(estimator, partitions.len(), *folds)),
        None => fit_densities(fit, partitions, &reporter),
    };
    #[expect(clippy::disallowed_methods, reason = "in a pool of its own")]
    let (heads, densities) = thread_pool(*threads)?.install(|| rayon::join(heads, densities));
    let models = |(heads, densities): (Vec<FoldHeads>, Vec<[Knife; 2]>)| {
        let folds = heads.into_iter().zip(densities);
        folds.map(|(FoldHeads { heads, parts }, densities)| FoldModels { densities, heads, parts }).collect()
    };
    Ok(heads?.into_iter().zip(densities?).map(models).collect())
}

/// Fits both densities of every fold, for every repeat.
pub(in crate::estimator) fn fit_densities(
    fit: &Fit<'_>,
    partitions: &[Partition],
    reporter: &Reporter<'_>,
) -> Result<Vec<Vec<[Knife; 2]>>> {
    let folds = fit.settings.folds;
    let jobs: Vec<(&Partition, u32, usize)> = partitions
        .iter()
        .flat_map(|partition| (0..).take(folds).flat_map(move |fold| [(partition, fold, 0), (partition, fold, 1)]))
        .collect();
    let run = |(partition, fold, modality): &(&Partition, u32, usize)| {
        let (rows, seed) = rows_and_seed(&partition.folds, *fold, partition.seed);
        let name = format!("{}fold {} of {folds}, {}", partition.name, fold + 1, DENSITY_NAMES[*modality]);
        let report = |what: String, loss: f64| reporter.step(format!("{name}: {what}"), loss);
        let (density, loss) = fit.density(&[*modality], &rows, seed, &report)?;
        reporter.finished(name, loss)?;
        Ok(density)
    };
    let densities: Vec<Knife> = jobs.par_iter().with_max_len(1).map(run).collect::<Result<_>>()?;
    let fold_densities: Vec<[Knife; 2]> =
        densities.chunks_exact(2).map(|pair| [pair[0].clone(), pair[1].clone()]).collect();
    Ok(fold_densities.chunks_exact(folds).map(<[_]>::to_vec).collect())
}

/// Returns the densities of an estimator for a fit with `repeats` repeats and `folds` folds.
pub(super) fn reused_densities(estimator: &Estimator, repeats: usize, folds: usize) -> Vec<Vec<[Knife; 2]>> {
    let of = |repeat: usize| (0..folds).map(|fold| estimator.density_of(repeat, fold).clone()).collect();
    (0..repeats).map(of).collect()
}

impl Estimator {
    /// Returns the densities that a fold of a fit with other rows, folds or repeats reuses.
    fn density_of(&self, repeat: usize, fold: usize) -> &[Knife; 2] {
        let folds = &self.repeats[repeat % self.repeats.len()];
        &folds[fold % folds.len()].densities
    }

    /// Returns a note for the user on densities that are reused for a fit.
    fn note_on_reuse(&self, hash: &str, settings: &Settings) -> Option<String> {
        let Description { data_hash, folds, repeats, seed, .. } = &self.description;
        if settings.folds_of_rows.is_some() {
            // Whoever gives the folds knows what they were dealt to.
            return None;
        }
        if *data_hash != hash {
            return Some("the densities were reused from an estimator of other rows".to_owned());
        }
        let is_same = (*folds, *repeats, *seed) == (settings.folds, settings.repeats, settings.seed);
        (!is_same).then(|| {
            "the densities were reused from an estimator of these rows in other folds, so they have seen the rows that they \
             score; give the same --seed, --folds and --repeats to keep them apart"
                .to_owned()
        })
    }
}

pub(in crate::estimator) fn prior_name(choice: &PriorChoice) -> &'static str {
    match choice {
        PriorChoice::Empirical => "empirical",
        PriorChoice::Uniform => "uniform",
        PriorChoice::Given(_) => "given",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::densities::gauge::{Dims, GaugeKind};
    use crate::densities::points::Points;
    use crate::device::DeviceChoice;
    use crate::estimator::folds::LabelledRows;
    use crate::estimator::partition::deal;
    use crate::estimator::scoring::log_posteriors;
    use crate::numbers::matrix::Matrix;
    use lsmi_core::SampleIds;
    use lsmi_core::random::stream;
    use rand_distr::{Distribution, StandardNormal};

    const ROWS: usize = 60;

    /// Two classes, far enough apart in both modalities for a few rows to tell, and ids that are not the row numbers.
    fn train() -> (FeatureSet, Classes) {
        let mut random = stream(0, "cross-fit test");
        let labels: Vec<u32> = (0..60).map(|row| row % 2).collect();
        let mut modality = |columns: usize| {
            let values = labels.iter().flat_map(|label| vec![4.0 * f64::from(*label); columns]);
            let values: Vec<f64> = values
                .map(|centre| {
                    let noise: f64 = StandardNormal.sample(&mut random);
                    centre + noise
                })
                .collect();
            Matrix::new(ROWS, columns, values).unwrap()
        };
        let (x1, x2) = (modality(2), modality(3));
        let ids = SampleIds::from_names((0..ROWS).map(|row| format!("sample {}", ROWS - row))).unwrap();
        let features = FeatureSet::new(ids, x1, x2, labels).unwrap();
        (features, Classes::new(vec!["a".to_owned(), "b".to_owned()]).unwrap())
    }

    fn settings() -> Settings {
        Settings { folds: 3, device: DeviceChoice::Cpu, ..Settings::default() }
    }

    #[test]
    fn every_row_has_the_terms_of_its_own_folds_models() {
        let (train, classes) = train();
        let fit = cross_fit(&train, &classes, &settings(), None).unwrap();
        let folds = fit.scores.folds.clone().unwrap();
        for fold in 0..3 {
            let mut only = fit.estimator.clone();
            only.repeats = vec![vec![fit.estimator.repeats[0][fold].clone()]];
            let rows: Vec<usize> = (0..ROWS).filter(|row| folds[*row] as usize == fold).collect();
            assert_eq!(rows.len(), 20);
            let alone = only.score(&train.select(&rows)).unwrap();
            assert_eq!(alone.terms, fit.scores.terms.select(&rows));
            for (alone, crossed) in alone.predictions.iter().zip(&fit.scores.predictions) {
                assert_eq!(*alone, rows.iter().map(|row| crossed[*row]).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn candidates_of_training_rows_are_held_out() {
        let (train, classes) = train();
        let fit = cross_fit(&train, &classes, &Settings { repeats: 2, ..settings() }, None).unwrap();
        let candidates = fit.candidates(&train).unwrap();
        let label_values = |head: usize| -> Vec<f64> {
            (0..ROWS).map(|row| candidates.information[head][2 * row + train.labels[row] as usize]).collect()
        };
        let terms = &fit.scores.terms;
        for (head, information) in [&terms.i1, &terms.i2, &terms.i12].into_iter().enumerate() {
            assert_eq!(label_values(head), *information);
        }
        assert_eq!(candidates.surprisals, [terms.h1.clone(), terms.h2.clone()]);
        let posteriors = candidates.log_posteriors(2, fit.estimator.prior());
        assert!(posteriors.iter().zip(&candidates.probabilities).all(|(log, p)| (log.exp() - p).abs() < 1e-12));
        let others = train.select(&(1..ROWS).collect::<Vec<_>>());
        assert!(matches!(fit.candidates(&others), Err(EstimatorError::Samples { .. })));
    }

    #[test]
    fn a_folds_models_know_nothing_of_its_rows() {
        let (train, _) = train();
        let rows = LabelledRows { labels: &train.labels, classes: 2, groups: None };
        let assignment = deal(&rows, settings().folds, 0);
        let mut changed = train.clone();
        let mut values = train.x1.values().to_vec();
        for row in (0..ROWS).filter(|row| assignment[*row] == 0) {
            changed.labels[row] = 1 - changed.labels[row];
            values[2 * row] += 5.0;
        }
        changed.x1 = Matrix::new(ROWS, 2, values).unwrap();
        // One gauge for both, as the gauge may know all rows.
        let gauge = Gauge::fit(GaugeKind::Standardized, Dims::Auto, &train.x1, &train.x2).unwrap();
        let (settings, device) = (settings(), Device::Cpu);
        let models = |samples: &FeatureSet| {
            let inputs = ModelInputs::new(&gauge, &samples.inputs(), [false; 3]);
            let fit = Fit {
                inputs: &inputs,
                labels: &samples.labels,
                groups: None,
                classes: 2,
                settings: &settings,
                device: &device,
            };
            let partition = Partition { seed: 0, folds: assignment.clone(), name: String::new() };
            fit_models(&fit, &[partition], None).unwrap().remove(0)
        };
        // What a fold's models say of one and the same row tells whether they are the same.
        let (before, after) = (models(&train), models(&changed));
        let new = train.select(&[0]);
        let inputs = ModelInputs::new(&gauge, &new.inputs(), [false; 3]);
        let row = |models: &FoldModels| {
            let point = Points::new(vec![0.3, -0.2], 2, &Device::Cpu).unwrap();
            let mut values = models.densities[0].log_density(&point).unwrap();
            for posteriors in log_posteriors(&models.heads, &models.parts, &inputs, &[0], &Device::Cpu).unwrap() {
                values.extend(posteriors);
            }
            values
        };
        assert_eq!(row(&before[0]), row(&after[0]));
        for fold in 1..3 {
            assert_ne!(row(&before[fold]), row(&after[fold]));
        }
    }
}
