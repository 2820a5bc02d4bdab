//! Cross-fitting: every fold's models see the rows outside the fold, and score the rows inside it.

use std::num::NonZero;

use candle_core::Device;
use crossbeam_channel::Sender;
use lsmi_core::random::stream;
use lsmi_core::{Modality, PriorChoice, Reference};
use rand::RngCore;
use rayon::prelude::*;

use super::progress::Reporter;
use super::score::{Features, Scores, score_by_fold};
use super::{Description, Estimator, FoldModels, Progress, SCHEMA, Settings, check_samples};
use crate::error::{EstimatorError, Result};
use crate::features::{Classes, FeatureSet};
use crate::folds::stratified_folds;
use crate::gauge::{Coordinates, Gauge, GaugeKind};
use crate::heads::{self, HeadPool};
use crate::knife::Knife;

/// An estimator and the terms of its training rows, each from models that did not see the row.
#[derive(Debug, Clone)]
pub struct CrossFit {
    /// What scores new rows.
    pub estimator: Estimator,
    /// The training rows' terms, predictions and folds.
    pub scores: Scores,
}

/// What one model is fitted to.
#[derive(Clone, Copy, PartialEq)]
enum Target {
    /// The head of modality 0 or 1, or of both (2).
    Head(usize),
    /// The density of modality 0 or 1.
    Density(usize),
}

/// Heads of both modalities first: they take longest.
const TARGETS: [Target; 5] =
    [Target::Head(2), Target::Head(0), Target::Head(1), Target::Density(0), Target::Density(1)];

enum Model {
    Head(HeadPool),
    Density(Knife),
}

/// Fits an estimator to training rows and gives their terms by cross-fitting.
///
/// `classes` are those that the labels index. Models are fitted in parallel, one thread each; for one seed the result is
/// the same to the bit whatever their number, provided that candle starts none of its own (see [`Settings::threads`]). Steps are sent to `progress` if given; they are dropped, not waited for,
/// where the channel is full.
///
/// # Errors
/// [`EstimatorError`] for samples that do not fit together, settings out of range, labels of one class, a class with fewer rows than folds, too few rows, a
/// constant modality, a device that cannot be opened or fails.
pub fn cross_fit(
    train: &FeatureSet,
    classes: &Classes,
    settings: &Settings,
    progress: Option<&Sender<Progress>>,
) -> Result<CrossFit> {
    check_samples(train, classes.len())?;
    settings.check(&train.labels, classes.names())?;
    let device = settings.device.open()?;
    let prior = settings.prior.resolve(&train.labels, classes.len())?;
    let gauge = Gauge::fit(settings.gauge, settings.dims, &train.x1, &train.x2)?;
    let features = Features::new(&gauge, train);
    #[expect(clippy::cast_possible_truncation, reason = "the settings' check refuses more folds than fit")]
    let folds = settings.folds as u32;
    let assignment = stratified_folds(&train.labels, classes.len(), folds, settings.seed, "folds");

    let models = fit_models(&features, &train.labels, classes.len(), &assignment, settings, &device, progress)?;
    let description = Description {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        gauge: settings.gauge,
        gauge_dims: [gauge.x1.dims(), gauge.x2.dims()],
        dims: [train.x1.columns(), train.x2.columns()],
        classes: classes.clone(),
        prior: prior_name(&settings.prior).to_owned(),
        measure: settings.measure,
        reference: Reference { weaker: Modality::One, weaker_of_class: Vec::new() },
        seed: settings.seed,
        folds: settings.folds,
        rows: train.rows(),
        data_hash: train.hash(),
        notes: notes(&gauge),
    };
    let mut estimator = Estimator { description, prior, gauge, folds: models, device };
    let scores = score_by_fold(&estimator, &features, train, assignment)?;
    estimator.description.reference = settings.measure.reference(&scores.terms, &train.labels, classes.len());
    Ok(CrossFit { estimator, scores })
}

fn fit_models(
    features: &Features,
    labels: &[u32],
    classes: usize,
    assignment: &[u32],
    settings: &Settings,
    device: &Device,
    progress: Option<&Sender<Progress>>,
) -> Result<Vec<FoldModels>> {
    let jobs: Vec<(Target, u32)> =
        TARGETS.iter().flat_map(|target| (0..).take(settings.folds).map(move |fold| (*target, fold))).collect();
    let reporter = Reporter::new(progress, jobs.len());
    let fit = |(target, fold): &(Target, u32)| {
        let rows: Vec<usize> = (0..labels.len()).filter(|row| assignment[*row] != *fold).collect();
        // One seed for both modalities of a fold: their densities are compared, so they share their draws, and
        // exchanging the modalities exchanges the results.
        let seed = stream(settings.seed, &format!("models of fold {fold}")).next_u64();
        let name = format!("fold {} of {}, {}", fold + 1, settings.folds, target_name(*target));
        let report = |what: String, loss: f64| reporter.step(format!("{name}: {what}"), loss);
        let (model, loss) = match *target {
            Target::Density(modality) => {
                let (values, dims) = features.coordinates(modality);
                let fitted =
                    Knife::fit_reporting(&gather(values, dims, &rows), dims, &settings.knife, seed, device, &report)?;
                (Model::Density(fitted.knife), fitted.loss)
            }
            Target::Head(head) => {
                let (values, columns) = features.inputs(head);
                let labels: Vec<u32> = rows.iter().map(|row| labels[*row]).collect();
                let values = gather(values, columns, &rows);
                let back = features.back[head].as_deref();
                let data = heads::Data { values: &values, columns, back, labels: &labels, classes };
                let fitted = heads::fit(&data, seed, device, &report)?;
                (Model::Head(fitted.head), fitted.loss)
            }
        };
        reporter.finished(name, loss);
        Ok(model)
    };
    // Left to itself the pool would take its size from RAYON_NUM_THREADS, which is there to hold candle back.
    let threads = match settings.threads {
        0 => std::thread::available_parallelism().map_or(1, NonZero::get),
        threads => threads,
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|source| EstimatorError::Threads { threads, source })?;
    let models: Vec<Model> = pool.install(|| jobs.par_iter().map(fit).collect::<Result<_>>())?;
    Ok(by_fold(models, settings.folds))
}

/// Sorts models, which come target by target, into folds.
fn by_fold(models: Vec<Model>, folds: usize) -> Vec<FoldModels> {
    let (mut heads, mut densities) = (Vec::new(), Vec::new());
    for model in models {
        match model {
            Model::Head(head) => heads.push(head),
            Model::Density(density) => densities.push(density),
        }
    }
    (0..folds)
        .map(|fold| FoldModels {
            densities: [densities[fold].clone(), densities[folds + fold].clone()],
            heads: [heads[folds + fold].clone(), heads[2 * folds + fold].clone(), heads[fold].clone()],
        })
        .collect()
}

fn gather(values: &[f64], columns: usize, rows: &[usize]) -> Vec<f64> {
    rows.iter().flat_map(|row| &values[row * columns..][..columns]).copied().collect()
}

fn target_name(target: Target) -> &'static str {
    match target {
        Target::Head(0) => "head of x1",
        Target::Head(1) => "head of x2",
        Target::Head(_) => "head of both",
        Target::Density(0) => "density of x1",
        Target::Density(_) => "density of x2",
    }
}

fn prior_name(choice: &PriorChoice) -> &'static str {
    match choice {
        PriorChoice::Empirical => "empirical",
        PriorChoice::Uniform => "uniform",
        PriorChoice::Given(_) => "given",
    }
}

fn notes(gauge: &Gauge) -> Vec<String> {
    let mut notes = Vec::new();
    for (modality, coordinates) in [("x1", &gauge.x1), ("x2", &gauge.x2)] {
        let (all, varied) = (coordinates.standardizer().input_columns(), coordinates.standardizer().columns());
        if varied < all {
            notes.push(format!(
                "{} of the {all} columns of {modality} never vary in training and were left out",
                all - varied
            ));
        }
        if gauge.kind == GaugeKind::Whitened && coordinates.dims() < varied {
            notes.push(cut_note(modality, coordinates, varied));
        }
    }
    notes
}

fn cut_note(modality: &str, coordinates: &Coordinates, varied: usize) -> String {
    format!(
        "the surprisal of {modality} is measured in its {} leading principal components of {varied}; heads see all columns",
        coordinates.dims()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::DeviceChoice;
    use crate::matrix::Matrix;
    use lsmi_core::SampleIds;
    use rand_distr::{Distribution, StandardNormal};

    const ROWS: usize = 60;

    /// Two classes, a little apart in both modalities, and ids that are not the row numbers.
    fn train() -> (FeatureSet, Classes) {
        let mut random = stream(0, "cross-fit test");
        let labels: Vec<u32> = (0..60).map(|row| row % 2).collect();
        let mut modality = |columns: usize| {
            let values = labels.iter().flat_map(|label| vec![f64::from(*label); columns]);
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
        let features = FeatureSet { ids, x1, x2, labels, logits: [None, None, None] };
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
            only.folds = vec![fit.estimator.folds[fold].clone()];
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
    fn a_folds_models_know_nothing_of_its_rows() {
        let (train, _) = train();
        let assignment = stratified_folds(&train.labels, 2, 3, 0, "folds");
        let mut changed = train.clone();
        let mut values = train.x1.values().to_vec();
        for row in (0..ROWS).filter(|row| assignment[*row] == 0) {
            changed.labels[row] = 1 - changed.labels[row];
            values[2 * row] += 5.0;
        }
        changed.x1 = Matrix::new(ROWS, 2, values).unwrap();
        // One gauge for both, as the gauge may know all rows.
        let gauge = Gauge::fit(GaugeKind::Standardized, crate::gauge::Dims::Auto, &train.x1, &train.x2).unwrap();
        let models = |samples: &FeatureSet| {
            let features = Features::new(&gauge, samples);
            fit_models(&features, &samples.labels, 2, &assignment, &settings(), &Device::Cpu, None).unwrap()
        };
        // What a fold's models say of one and the same row tells whether they are the same.
        let (before, after) = (models(&train), models(&changed));
        let row = |models: &FoldModels| {
            let coordinates = crate::mixture::tensor(&[0.3, -0.2], 2, &Device::Cpu).unwrap();
            let joint = crate::mixture::tensor(&[0.3, -0.2, 0.1, 0.5, -0.4], 5, &Device::Cpu).unwrap();
            let mut values = models.densities[0].log_density(&coordinates).unwrap();
            values.extend(models.heads[0].log_posteriors(&coordinates).unwrap());
            values.extend(models.heads[2].log_posteriors(&joint).unwrap());
            values
        };
        assert_eq!(row(&before[0]), row(&after[0]));
        for fold in 1..3 {
            assert!(row(&before[fold]).iter().zip(row(&after[fold])).all(|(before, after)| *before != after));
        }
    }
}
