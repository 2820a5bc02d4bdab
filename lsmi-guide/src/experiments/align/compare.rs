//! Heads of all parts, seed by seed.

use std::path::Path;

use candle_core::{Device, Tensor};
use lsmi_candle::EstimatorError;
use lsmi_candle::estimator::{self, cross_fit};
use lsmi_candle::features::FeatureSet;
use lsmi_candle::numbers::matrix::Matrix;
use lsmi_candle::training::parameters::ParameterStore;
use lsmi_core::SampleIds;
use serde::{Deserialize, Serialize};

use super::figures::{Figures, Measured, Projected, Rows};
use super::heads::Heads;
use super::parts::{Part, UNTRAINED, parts};
use super::probe::{self, Labelled};
use super::recall::Answers;
use super::settings::{Data, Settings};
use super::table::Comparison;
use super::training::{Pairs, train};
use super::unfrozen::{Encoded, Scales, Unfrozen};
use crate::decide::interactions::Interactions;
use crate::error::{GuideError, Result};
use crate::experiments::estimation::without_idle_densities;
use crate::experiments::parallel;
use crate::experiments::scaling::{scale, scaled};
use crate::experiments::store::{Store, kept};
use crate::experiments::whole_groups;

/// What one seed found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct SeedResult {
    pub(super) seed: u64,
    pub(super) split: usize,
    pub(super) trained: usize,
    pub(super) evaluated: usize,
    /// Evaluated rows that have an answer beside their own.
    pub(super) shared: usize,
    /// The accuracy of probes on x1 and x2 as they came.
    pub(super) raw: [f64; 2],
    pub(super) parts: Vec<PartResult>,
}

/// What one seed found of one part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct PartResult {
    pub(super) part: String,
    pub(super) rows: usize,
    pub(super) figures: Figures,
}

/// Trains heads, and the last blocks of encoders that are not frozen, on every part of the samples and compares them over
/// seeds; `progress` is told the number of seeds done and of all. `store` is a folder for what each seed found, from which a
/// comparison that was stopped goes on to the same result.
///
/// The parts are `all` rows, `untrained` (heads as drawn), `random`, `i12 - i2` and, for every interaction asked for, `r high`,
/// `r middle`, `r low`.
///
/// # Errors
/// [`GuideError::Setting`] for settings out of range, [`GuideError::SmallPart`] for a part of too few rows, [`GuideError::Data`]
/// where no rows are left to evaluate on, [`GuideError::UnknownId`] for a sample whose input is not there, [`GuideError::Encoder`]
/// where an encoder fails, [`GuideError::Checkpoint`] where `store` is of another comparison or cannot be used, and those of the
/// estimator, such as a class with fewer rows than folds.
pub fn compare(
    data: Data<'_>,
    settings: &Settings,
    store: Option<&Path>,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Comparison> {
    settings.check()?;
    let device = settings.estimator.device.open().map_err(EstimatorError::from)?;
    let described = data.unfrozen.map(|unfrozen| {
        let FeatureSet { x1, x2, ids, .. } = data.samples;
        unfrozen.described(settings.encoder_rate, [x1, x2], ids)
    });
    let described = described.transpose()?;
    let store = store.map(|folder| Store::open(folder, &data.identity(settings))).transpose()?;
    let samples = whole_groups::with_groups(data.samples, settings.estimator.folds);
    let data = Data { samples: &samples, ..data };
    let mut found: Vec<SeedResult> = Vec::with_capacity(settings.seeds);
    for number in 0..settings.splits.min(settings.seeds) {
        // Made for the first seed of the split that is not finished.
        let mut split: Option<Split<'_>> = None;
        for seed in (settings.seed..).take(settings.seeds).skip(number).step_by(settings.splits) {
            progress(found.len(), settings.seeds);
            found.push(kept(store.as_ref(), &format!("seed-{seed}"), || {
                let split = match &mut split {
                    Some(split) => split,
                    none => none.insert(Split::new(data, settings, number, &device)?),
                };
                split.run(settings, seed, &device)
            })?);
        }
    }
    progress(settings.seeds, settings.seeds);
    found.sort_by_key(|result| result.seed);
    Ok(Comparison::new(data, settings, &found, described))
}

/// One way to set rows aside, with the interactions of the others.
#[derive(Debug)]
struct Split<'a> {
    number: usize,
    ids: SampleIds,
    interactions: Interactions,
    measured: Measured,
    /// Of x1 and x2.
    columns: [usize; 2],
    encoders: Option<Encoders<'a>>,
}

/// Encoders that are trained, and which of their inputs are those of the rows.
#[derive(Debug)]
struct Encoders<'a> {
    unfrozen: &'a Unfrozen,
    train: Vec<usize>,
    test: Vec<usize>,
    scales: [Scales; 2],
}

impl<'a> Split<'a> {
    fn new(data: Data<'a>, settings: &Settings, number: usize, device: &Device) -> Result<Self> {
        let seed = settings.seed.wrapping_add(number as u64);
        let (samples, test) = divided(data, settings.evaluated, seed);
        if test.rows() == 0 {
            let reason = "no rows are left to evaluate on; give more samples, or a larger share to evaluate on";
            return Err(GuideError::Data { reason: reason.to_owned() });
        }
        let estimation = without_idle_densities(estimator::Settings { seed, ..settings.estimator.clone() });
        let fit = cross_fit(&samples, data.classes, &estimation, None)?;
        let interactions = Interactions::from_cross_fit(&fit)?;
        // Before anything is trained.
        parts(&interactions, settings, seed)?;

        let classes = data.classes.len();
        let made = data.unfrozen.map(|unfrozen| Made::of(unfrozen, &samples.ids, &test.ids)).transpose()?;
        let pairs = match &made {
            None => [(&samples.x1, &test.x1), (&samples.x2, &test.x2)],
            Some(Made { train: [train1, train2], test: [test1, test2], .. }) => [(train1, test1), (train2, test2)],
        };
        let raw = parallel::map(&pairs, settings.estimator.threads, |(of_train, of_test)| {
            let of_train = Labelled { values: of_train.values(), labels: &samples.labels };
            let labelled = Labelled { values: of_test.values(), labels: &test.labels };
            probe::accuracy(of_train, labelled, of_test.columns(), classes, device)
        })?;
        let [(train1, test1), (train2, test2)] = pairs.map(|(of_train, of_test)| tensors(of_train, of_test, device));
        let measured = Measured {
            train: Rows { features: [train1?, train2?], labels: samples.labels },
            test: Rows { features: [test1?, test2?], labels: test.labels },
            answers: Answers::of(&test.x1, &test.x2),
            classes,
            raw: [raw[0], raw[1]],
        };
        let columns = pairs.map(|(of_train, _)| of_train.columns());
        let encoders = match &made {
            None => None,
            Some(Made { unfrozen, rows: [train, test], .. }) => Some(Encoders {
                unfrozen,
                train: train.clone(),
                test: test.clone(),
                scales: [Scales::of(pairs[0].0, device)?, Scales::of(pairs[1].0, device)?],
            }),
        };
        Ok(Self { number, ids: samples.ids, interactions, measured, columns, encoders })
    }

    /// Trains heads on a part, with the weights of encoders where these make the features and are trained, and measures them.
    fn figures(
        &self,
        Part { name, rows }: &Part,
        settings: &Settings,
        seed: u64,
        device: &Device,
        features: Projected<'_>,
        encoders: Option<&ParameterStore>,
    ) -> Result<Figures> {
        let heads = Heads::new(self.columns, settings, seed, device)?;
        if name != UNTRAINED {
            let pairs = Pairs { features: features.train, ids: &self.ids, encoders };
            train(&heads, &pairs, rows, settings, seed)?;
        }
        self.measured.measure(&heads, features)
    }

    /// Trains heads on every part. Their start, the order of batches and the random part are the seed's.
    fn run(&self, settings: &Settings, seed: u64, device: &Device) -> Result<SeedResult> {
        let Self { measured, .. } = self;
        let parts = parts(&self.interactions, settings, seed)?;
        let found = parallel::map(&parts, settings.estimator.threads, |part| -> Result<PartResult> {
            let figures = match &self.encoders {
                None => self.figures(part, settings, seed, device, measured.features(), None)?,
                Some(Encoders { unfrozen, train, test, scales }) => {
                    let (trainings, weights) = unfrozen.begin(device)?;
                    let [train, test] = [train, test].map(|inputs| {
                        [0, 1].map(|modality: usize| Encoded {
                            training: trainings[modality].as_ref(),
                            inputs,
                            scales: &scales[modality],
                        })
                    });
                    let (train, test) = (Encoded::both(&train), Encoded::both(&test));
                    let features = Projected { train, test, are_trained: true };
                    self.figures(part, settings, seed, device, features, Some(&weights))?
                }
            };
            Ok(PartResult { part: part.name.clone(), rows: part.rows.len(), figures })
        })?;
        Ok(SeedResult {
            seed,
            split: self.number,
            trained: measured.train.labels.len(),
            evaluated: measured.test.labels.len(),
            shared: measured.answers.shared(),
            raw: measured.raw,
            parts: found,
        })
    }
}

/// What encoders make of the inputs of training rows and rows set aside before they are trained.
struct Made<'a> {
    unfrozen: &'a Unfrozen,
    /// Which inputs those of either are.
    rows: [Vec<usize>; 2],
    train: [Matrix; 2],
    test: [Matrix; 2],
}

impl<'a> Made<'a> {
    fn of(unfrozen: &'a Unfrozen, train: &SampleIds, test: &SampleIds) -> Result<Self> {
        let rows = [unfrozen.rows(train)?, unfrozen.rows(test)?];
        let [train, test] = rows.each_ref().map(|rows| [unfrozen.start(0, rows), unfrozen.start(1, rows)]);
        Ok(Self { unfrozen, rows, train, test })
    }
}

/// The rows to train on and those to evaluate on.
fn divided(data: Data<'_>, share: f64, seed: u64) -> (FeatureSet, FeatureSet) {
    if let Some(test) = data.test {
        return (data.samples.clone(), test.clone());
    }
    let (trained, evaluated) = whole_groups::set_aside(data.samples, data.classes.len(), share, seed);
    (data.samples.select(&trained), data.samples.select(&evaluated))
}

/// Training rows and rows set aside, scaled by the former.
fn tensors(train: &Matrix, test: &Matrix, device: &Device) -> (Result<Tensor>, Result<Tensor>) {
    let scales = scale(train.values(), train.columns());
    let of = |matrix: &Matrix| {
        Ok(Tensor::from_vec(scaled(matrix.values(), &scales), (matrix.rows(), matrix.columns()), device)?)
    };
    (of(train), of(test))
}
