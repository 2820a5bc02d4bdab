//! A trainer small enough to read: a [`Network`] of two modalities, trained as a [`Hook`] says.
//!
//! It shows where a training loop calls the hook and the [`Distiller`], and does for comparisons of policies. An epoch goes
//! through all samples in an order drawn from the seed and the epoch's number; parameters, moments and the hook's state
//! are all that a [checkpoint](Trainer::save) must keep for the same bytes to follow.

mod checkpoint;
mod file;
mod network;

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};
use lsmi_candle::features::FeatureSet;
use lsmi_candle::numbers::matrix::Matrix;
use lsmi_candle::training::adam::Adam;
use lsmi_candle::training::parameters::ParameterStore;
use lsmi_core::random::stream;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

pub use network::{Network, Outputs};

use crate::error::{GuideError, Result};
use crate::train::distiller::{self, Distiller, NonFinite, Step, Student, Teacher, not_finite};
use crate::train::hook::Hook;
use crate::train::loss;

/// How a network is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Units of each encoder and of the fusion; 32.
    pub hidden: usize,
    /// Samples a step; 64.
    pub batch: usize,
    /// Adam's step size; 0.003.
    pub rate: f64,
    /// Decoupled weight decay; 0.01.
    pub decay: f64,
    /// The seed of parameters and orders.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { hidden: 32, batch: 64, rate: 3e-3, decay: 0.01, seed: 0 }
    }
}

/// What came of an epoch.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EpochReport {
    /// The epoch, counted from 0.
    pub epoch: usize,
    /// The mean of each loss over the steps, by name.
    pub losses: BTreeMap<&'static str, f64>,
    /// Why steps were skipped.
    pub skipped: Vec<String>,
}

/// A training in progress.
#[derive(Debug)]
pub struct Trainer<H> {
    settings: Settings,
    samples: FeatureSet,
    inputs: [Tensor; 2],
    store: ParameterStore,
    network: Network,
    adam: Adam,
    distiller: Option<Distiller>,
    hook: H,
    epochs: usize,
    steps: usize,
}

impl<H: Hook> Trainer<H> {
    /// A training of a new network on `samples`, whose columns should be standardised, with labels below `classes`; from
    /// labels alone or from a teacher too.
    ///
    /// # Errors
    /// [`GuideError::Setting`] for a setting out of range, those of [`Distiller::new`], a candle error where `device` fails.
    pub fn new(
        samples: FeatureSet,
        classes: usize,
        settings: Settings,
        teaching: Option<(Teacher, distiller::Settings)>,
        hook: H,
        device: &Device,
    ) -> Result<Self> {
        settings.check()?;
        let mut store = ParameterStore::new(settings.seed, device);
        let columns = [samples.x1.columns(), samples.x2.columns()];
        let has_auxiliary = teaching.as_ref().is_some_and(|(_, settings)| settings.auxiliary > 0.0);
        let network = Network::new(&mut store, columns, settings.hidden, classes, has_auxiliary)?;
        let distiller = match teaching {
            Some((teacher, of_distiller)) => {
                Some(Distiller::new(teacher, of_distiller, &mut store, classes, settings.hidden)?)
            }
            None => None,
        };
        let inputs = [tensor(&samples.x1, device)?, tensor(&samples.x2, device)?];
        let adam = Adam::new(settings.rate, settings.decay);
        Ok(Self { settings, samples, inputs, store, network, adam, distiller, hook, epochs: 0, steps: 0 })
    }

    /// The hook.
    pub fn hook(&self) -> &H {
        &self.hook
    }

    /// The parameters by name.
    pub fn parameters(&self) -> &ParameterStore {
        &self.store
    }

    /// Epochs done.
    pub fn epochs(&self) -> usize {
        self.epochs
    }

    /// What the network makes of other samples.
    ///
    /// # Errors
    /// A candle error where the columns differ.
    pub fn outputs(&self, samples: &FeatureSet) -> Result<Outputs> {
        let device = self.inputs[0].device();
        self.network.forward(&tensor(&samples.x1, device)?, &tensor(&samples.x2, device)?)
    }

    /// Trains an epoch.
    ///
    /// # Errors
    /// Those of the hook and of [`Distiller::step`], [`GuideError::Estimator`] where a parameter has no gradient.
    pub fn epoch(&mut self) -> Result<EpochReport> {
        let epoch = self.epochs;
        self.hook.on_epoch_start(epoch)?;
        let mut order: Vec<usize> = (0..self.samples.rows()).collect();
        order.shuffle(&mut stream(self.settings.seed, &format!("order of epoch {epoch}")));
        let mut report = EpochReport { epoch, ..EpochReport::default() };
        let mut stepped = 0.0;
        for rows in order.chunks(self.settings.batch) {
            match self.step(rows)? {
                Ok(parts) => {
                    stepped += 1.0;
                    for (name, value) in parts {
                        *report.losses.entry(name).or_default() += f64::from(value);
                    }
                }
                Err(reason) => report.skipped.push(reason.to_string()),
            }
        }
        for sum in report.losses.values_mut() {
            *sum /= stepped;
        }
        self.hook.on_epoch_end(epoch)?;
        self.epochs += 1;
        Ok(report)
    }

    /// One step on a batch: its losses, or why it was skipped.
    fn step(&mut self, rows: &[usize]) -> Result<Result<Vec<(&'static str, f32)>, GuideError>> {
        let step = self.steps;
        self.steps += 1;
        let ids = self.samples.ids.select(rows);
        let weights = self.hook.weights(&ids)?;
        let device = self.inputs[0].device();
        #[expect(clippy::cast_possible_truncation, reason = "candle indexes rows by u32")]
        let indices = Tensor::from_iter(rows.iter().map(|row| *row as u32), device)?;
        let labels = Tensor::from_iter(rows.iter().map(|row| self.samples.labels[*row]), device)?;
        let [x1, x2] = [self.inputs[0].index_select(&indices, 0)?, self.inputs[1].index_select(&indices, 0)?];
        let outputs = self.network.forward(&x1, &x2)?;
        for (what, features) in ["features of x1", "features of x2"].into_iter().zip(&outputs.features) {
            if let Some(error) = not_finite(what, step, &ids, features)? {
                let is_skipped = self.distiller.as_ref().is_some_and(|d| d.settings().non_finite == NonFinite::Skip);
                return if is_skipped { Ok(Err(error)) } else { Err(error) };
            }
        }
        let (total, parts) = match &self.distiller {
            None => {
                let total = loss::label::surprisal(&outputs.logits, &labels)?.mean_all()?;
                let value = total.to_scalar::<f32>()?;
                (total, vec![("label", value)])
            }
            Some(distiller) => {
                let auxiliary = outputs.auxiliary.as_ref().map(|[first, second]| [first, second]);
                let student = Student { features: &outputs.fused, logits: &outputs.logits, auxiliary };
                match distiller.step(step, &ids, student, &labels, &weights)? {
                    Step::Losses(losses) => (losses.total, losses.parts),
                    Step::Skipped(reason) => return Ok(Err(reason)),
                }
            }
        };
        self.adam.step(&self.store, &total.backward()?)?;
        self.hook.observe(&ids, [&outputs.features[0], &outputs.features[1]], Some(&outputs.logits))?;
        Ok(Ok(parts))
    }
}

impl Settings {
    fn check(&self) -> Result<()> {
        let wrong = |name, found: String, expected: &str| {
            Err(GuideError::Setting { name, found, expected: expected.to_owned() })
        };
        match self {
            Self { hidden: 0, .. } => wrong("hidden units", "0".to_owned(), "at least 1"),
            Self { batch: 0, .. } => wrong("batch", "0".to_owned(), "at least 1"),
            Self { rate, .. } if !(*rate > 0.0 && rate.is_finite()) => wrong("rate", rate.to_string(), "above 0"),
            Self { decay, .. } if !(*decay >= 0.0 && decay.is_finite()) => {
                wrong("decay", decay.to_string(), "at least 0")
            }
            _ => Ok(()),
        }
    }
}

fn tensor(matrix: &Matrix, device: &Device) -> Result<Tensor> {
    #[expect(clippy::cast_possible_truncation, reason = "networks are of f32")]
    let values: Vec<f32> = matrix.values().iter().map(|value| *value as f32).collect();
    Ok(Tensor::from_vec(values, (matrix.rows(), matrix.columns()), device)?)
}
