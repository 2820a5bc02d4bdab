//! The student of the comparisons: a [`Network`] on the host, trained by the loop that all students are trained by.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};
use lsmi_core::SampleIds;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::losses::{Factors, Teaching, differentiate};
use super::network::{Gradients, LANES, Network, Shape};
use crate::error::{GuideError, Result};
use crate::identity::sha256;
use crate::train::distiller::NonFinite;
use crate::train::hook::{Hook, stored, whole};
use crate::train::student::{Batch, Learned, Observed, Student};
use crate::train::trainer::{self, Rate, Trainer};

/// Standardised samples, both modalities side by side.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    pub(super) ids: SampleIds,
    /// `[n, columns]`.
    pub(super) values: Vec<f32>,
    pub(super) columns: usize,
    pub(super) labels: Vec<u32>,
}

impl Rows {
    fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.columns..][..self.columns]
    }

    pub(super) fn select(&self, rows: &[usize]) -> Self {
        Self {
            ids: self.ids.select(rows),
            values: rows.iter().flat_map(|row| self.row(*row)).copied().collect(),
            columns: self.columns,
            labels: rows.iter().map(|row| self.labels[*row]).collect(),
        }
    }

    fn hash(&self) -> String {
        let bytes = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
        let labels: Vec<u8> = self.labels.iter().flat_map(|label| label.to_le_bytes()).collect();
        sha256([bytes(&self.values).as_slice(), labels.as_slice()])
    }
}

/// How a network is trained.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Units of each modality's encoder.
    pub encoder: usize,
    /// Fused features.
    pub fused: usize,
    /// Passes over the samples.
    pub epochs: usize,
    /// Adam's step size at first.
    pub rate: f32,
    /// Decoupled weight decay.
    pub decay: f32,
}

impl Schedule {
    /// Checks widths, epochs, rate and decay.
    ///
    /// # Errors
    /// [`GuideError::Setting`] for one out of range.
    pub fn check(&self) -> Result<()> {
        let wrong = |name, found: String, expected: &str| {
            Err(GuideError::Setting { name, found, expected: expected.to_owned() })
        };
        if self.epochs == 0 || self.encoder == 0 || self.fused == 0 {
            return wrong("epochs, encoder and fused", "0".to_owned(), "at least 1");
        }
        if !(self.rate > 0.0 && self.decay >= 0.0) {
            return wrong("rate", self.rate.to_string(), "above 0, and the decay at least 0");
        }
        Ok(())
    }
}

/// What a network is trained on.
#[derive(Debug, Clone)]
pub(super) struct Task {
    pub(super) rows: Rows,
    pub(super) teaching: Option<Teaching>,
    pub(super) factors: Factors,
    pub(super) non_finite: NonFinite,
    /// Of the parameters and of the order of the samples.
    pub(super) seed: u64,
    pub(super) inputs: [usize; 2],
    pub(super) classes: usize,
}

/// A network on the host that learns a task.
#[derive(Debug)]
pub(super) struct HostStudent {
    task: Task,
    schedule: Schedule,
    network: Network,
    gradients: Gradients,
    /// Steps that changed parameters.
    steps: i32,
    /// Samples of the batch learned from last, whose outputs the network still holds.
    last: usize,
}

impl HostStudent {
    pub(super) fn new(task: Task, schedule: Schedule) -> Self {
        let Factors { feature, auxiliary, .. } = task.factors;
        let shape = Shape {
            inputs: task.inputs,
            encoder: schedule.encoder,
            fused: schedule.fused,
            classes: task.classes,
            target: task.teaching.as_ref().filter(|_| feature > 0.0).map_or(0, |teaching| teaching.width),
            has_auxiliary: auxiliary > 0.0,
        };
        let network = Network::new(shape, task.seed);
        Self { gradients: network.gradients(), task, schedule, network, steps: 0, last: 0 }
    }

    /// Begins the training of a task, with the step size down to 0 over the epochs of the schedule.
    pub(super) fn training<H: Hook>(task: Task, schedule: Schedule, hook: H) -> Result<Trainer<Self, H>> {
        let settings = trainer::Settings {
            batch: LANES,
            drops_rest: true,
            rate: Rate::Cosine { start: schedule.rate, epochs: schedule.epochs },
            seed: task.seed,
        };
        Trainer::new(Self::new(task, schedule), hook, settings)
    }

    /// What the network says of rows.
    pub(super) fn said_of(&mut self, rows: &Rows) -> Said {
        let all: Vec<usize> = (0..rows.labels.len()).collect();
        let (mut logits, mut features) = (Vec::new(), Vec::new());
        for block in all.chunks(LANES) {
            self.network.load(block.iter().map(|row| rows.row(*row)));
            self.network.forward(false);
            for lane in 0..block.len() {
                logits.extend(self.network.logits.iter().map(|of_class| of_class[lane]));
                features.extend(self.network.fused.iter().map(|of_unit| of_unit[lane]));
            }
        }
        self.last = 0;
        Said { logits, features }
    }
}

/// What a network says of rows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Said {
    /// `[n, classes]`.
    pub(super) logits: Vec<f32>,
    /// `[n, fused]`.
    pub(super) features: Vec<f32>,
}

impl Student for HostStudent {
    fn ids(&self) -> &SampleIds {
        &self.task.rows.ids
    }

    fn learn(&mut self, batch: &Batch<'_>) -> Result<Learned> {
        let Self { task, schedule, network, gradients, steps, last } = self;
        *last = 0;
        network.load(batch.rows.iter().map(|row| task.rows.row(*row)));
        network.forward(true);
        let teaching = task.teaching.as_ref();
        let label =
            differentiate(network, batch.rows, &task.rows.labels, teaching, batch.weights, task.factors, gradients);
        let label = match label {
            Ok(label) => label,
            Err((what, row, found)) => {
                let id = task.rows.ids.get(row).into_owned();
                let error = GuideError::Diverged { what, id, step: batch.step, found };
                return match task.non_finite {
                    NonFinite::Stop => Err(error),
                    NonFinite::Skip => Ok(Learned::Skipped(error)),
                };
            }
        };
        network.backward(gradients);
        *steps += 1;
        network.step(*steps, batch.rate, schedule.decay);
        *last = batch.rows.len();
        Ok(Learned::Stepped(vec![("label", label)]))
    }

    fn observed(&self) -> Result<Option<Observed>> {
        if self.last == 0 {
            return Ok(None);
        }
        let tensor = |units: &[super::network::Lane]| -> Result<Tensor> {
            let values: Vec<f32> = (0..self.last).flat_map(|lane| units.iter().map(move |unit| unit[lane])).collect();
            Ok(Tensor::from_vec(values, (self.last, units.len()), &Device::Cpu)?)
        };
        let [first, second] = self.network.encoded();
        Ok(Some(Observed { features: [tensor(first)?, tensor(second)?], logits: tensor(&self.network.logits)? }))
    }

    fn identity(&self) -> BTreeMap<String, Value> {
        let Task { rows, factors, non_finite, seed, inputs, classes, .. } = &self.task;
        let model = json!({ "schedule": self.schedule, "inputs": inputs, "classes": classes, "seed": seed });
        let distillation = json!({ "factors": factors, "non_finite": non_finite });
        BTreeMap::from([
            ("the model".to_owned(), model),
            ("the distillation".to_owned(), distillation),
            ("the hash of the data".to_owned(), rows.hash().into()),
        ])
    }

    fn state(&self) -> Result<BTreeMap<String, Tensor>> {
        let network = self.network.state();
        let count = network.len();
        Ok(BTreeMap::from([
            ("network".to_owned(), Tensor::from_vec(network, count, &Device::Cpu)?),
            ("steps".to_owned(), Tensor::new(&[f64::from(self.steps)], &Device::Cpu)?),
        ]))
    }

    fn restore(&mut self, state: &BTreeMap<String, Tensor>) -> Result<()> {
        let steps = stored(state, "steps")?.to_vec1::<f64>()?.first().copied().map_or(0, whole);
        let network = stored(state, "network")?.to_vec1::<f32>()?;
        if !self.network.set_state(&network) {
            let expected = "as many values as the network has".to_owned();
            return Err(GuideError::Shape { what: "the network", expected, found: vec![network.len()] });
        }
        (self.steps, self.last) = (i32::try_from(steps).unwrap_or(i32::MAX), 0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::plan::Losses;
    use crate::train::hook::Alike;

    const SCHEDULE: Schedule = Schedule { encoder: 4, fused: 6, epochs: 40, rate: 0.02, decay: 0.0 };
    const ALL: Alike = Alike(Losses { feature: true, output: true, auxiliary: true });

    /// 80 samples whose label is whether the two modalities have the same sign.
    fn task(factors: Factors) -> Task {
        let values: Vec<f32> = (0..80u8)
            .flat_map(|row| {
                [f32::from(row % 2) * 2.0 - 1.0 + f32::from(row) * 1e-3, f32::from(row / 2 % 2) * 2.0 - 1.0]
            })
            .collect();
        let labels: Vec<u32> = (0..80).map(|row| u32::from(row % 2 == row / 2 % 2)).collect();
        let probabilities = labels.iter().flat_map(|label| [1.0 - *label as f32, *label as f32]).collect();
        let features = labels.iter().map(|label| 2.0 * *label as f32 - 1.0).collect();
        Task {
            rows: Rows { ids: SampleIds::rows(80), values, columns: 2, labels },
            teaching: Some(Teaching { probabilities, features, width: 1 }),
            factors,
            non_finite: NonFinite::Stop,
            seed: 3,
            inputs: [1, 1],
            classes: 2,
        }
    }

    fn training(task: &Task) -> Trainer<HostStudent, Alike> {
        HostStudent::training(task.clone(), SCHEDULE, ALL).unwrap()
    }

    fn trained(task: &Task) -> Trainer<HostStudent, Alike> {
        let mut training = training(task);
        while training.epochs() < SCHEDULE.epochs {
            training.epoch().unwrap();
        }
        training
    }

    #[test]
    fn an_exclusive_or_is_learned_from_every_mix_of_losses() {
        let usual = Factors { temperature: 2.0, ..Factors::default() };
        let all = [
            usual,
            Factors { output: 1.0, ..usual },
            Factors { feature: 1.0, ..usual },
            Factors { feature: 1.0, output: 1.0, auxiliary: 0.1, ..usual },
        ];
        for factors in all {
            let task = task(factors);
            let logits = trained(&task).into_student().said_of(&task.rows).logits;
            let right = task.rows.labels.iter().enumerate();
            let right = right.filter(|(row, label)| (logits[row * 2 + 1] > logits[row * 2]) == (**label == 1)).count();
            assert_eq!(right, 80, "{factors:?}");
        }
    }

    #[test]
    fn a_training_goes_on_from_its_checkpoint_as_if_never_stopped() {
        let task = task(Factors { feature: 1.0, output: 1.0, temperature: 2.0, auxiliary: 0.0 });
        let whole = trained(&task);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.safetensors");
        let mut first = training(&task);
        for _ in 0..7 {
            first.epoch().unwrap();
        }
        first.save_quickly(&path).unwrap();
        let mut second = training(&task);
        second.resume(&path).unwrap();
        assert_eq!(second.epochs(), 7);
        while second.epochs() < SCHEDULE.epochs {
            second.epoch().unwrap();
        }
        assert_eq!(second.student().network.state(), whole.student().network.state());
        assert_eq!(second.student().steps, whole.student().steps);
    }

    #[test]
    fn what_is_observed_is_what_the_network_made_of_the_batch() {
        let mut student = HostStudent::new(task(Factors::default()), SCHEDULE);
        assert!(student.observed().unwrap().is_none());
        let rows = [3, 70, 12];
        let ids = student.ids().select(&rows);
        let weights = crate::Weights::off(3);
        let said = student.said_of(&student.task.rows.select(&rows)).logits;
        student.learn(&Batch { step: 0, rows: &rows, ids: &ids, weights: &weights, rate: 0.1 }).unwrap();
        let observed = student.observed().unwrap().unwrap();
        assert_eq!(observed.logits.flatten_all().unwrap().to_vec1::<f32>().unwrap(), said);
        assert_eq!(observed.features.map(|features| features.dims().to_vec()), [vec![3, 4], vec![3, 4]]);
    }

    #[test]
    fn a_loss_that_is_not_finite_stops_or_is_skipped_and_is_named() {
        let mut spoiled = task(Factors { output: 1.0, ..Factors::default() });
        spoiled.rows.values[10] = f32::NAN;
        let mut run = training(&spoiled);
        let error = (0..40).find_map(|_| run.epoch().err()).unwrap();
        assert!(matches!(&error, GuideError::Diverged { what: "label", id, .. } if id == "5"), "{error}");

        spoiled.non_finite = NonFinite::Skip;
        let run = trained(&spoiled);
        assert!(run.skipped()[0].contains("the sample `5`"), "{:?}", run.skipped());
        assert!(run.student().network.state().iter().all(|value| value.is_finite()));
    }
}
