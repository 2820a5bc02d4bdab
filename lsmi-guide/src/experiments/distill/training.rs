//! One network's training: from labels alone, or from a teacher too, weighed sample by sample.
//!
//! ```text
//! loss = mean_i label_i + c mean_i o_i T^2 KL(teacher_i || student_i) + b mean_i f_i |p_i - t_i|^2 / width
//!        + d sum_m mean_i x_mi label_mi
//! ```
//!
//! with the plan's weights o, f and x, scaled to a mean of one over the batch, the teacher's features t and the projection
//! p of the student's, and the factors b, c, d. An epoch goes through all samples in an order that the seed and the
//! epoch's number alone decide; the learning rate falls to 0 along half a cosine. So parameters, moments and two counts
//! are all that a training must keep to go on as if it had never stopped.

use lsmi_core::SampleIds;
use lsmi_core::random::stream;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::network::{Gradients, LANES, Lane, Network, Shape};
use crate::decide::plan::Weights;
use crate::error::{GuideError, Result};
use crate::train::distiller::NonFinite;

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
}

/// What a teacher says of rows.
#[derive(Debug, Clone)]
pub(super) struct Teaching {
    /// Probabilities at the temperature of distillation, `[n, classes]`.
    pub(super) probabilities: Vec<f32>,
    /// Standardised features, `[n, width]`.
    pub(super) features: Vec<f32>,
    pub(super) width: usize,
}

impl Teaching {
    pub(super) fn select(&self, rows: &[usize], classes: usize) -> Self {
        let of = |values: &[f32], width: usize| {
            rows.iter().flat_map(|row| &values[row * width..][..width]).copied().collect::<Vec<f32>>()
        };
        Self {
            probabilities: of(&self.probabilities, classes),
            features: of(&self.features, self.width),
            width: self.width,
        }
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

/// The factors of the losses but that of the label, which is 1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Factors {
    pub(super) feature: f32,
    pub(super) output: f32,
    pub(super) auxiliary: f32,
}

/// What a network is trained on.
#[derive(Debug, Clone)]
pub(super) struct Task {
    pub(super) rows: Rows,
    pub(super) teaching: Option<Teaching>,
    /// One row a sample.
    pub(super) weights: Weights,
    pub(super) factors: Factors,
    pub(super) temperature: f32,
    pub(super) non_finite: NonFinite,
    pub(super) seed: u64,
}

/// A training in progress.
#[derive(Debug)]
pub(super) struct Training<'a> {
    task: &'a Task,
    schedule: Schedule,
    pub(super) network: Network,
    gradients: Gradients,
    pub(super) progress: Counts,
}

/// How far a training is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Counts {
    /// Epochs done.
    pub(super) epochs: usize,
    /// Steps that changed parameters.
    pub(super) steps: i32,
    /// Why the others were skipped.
    pub(super) skipped: Vec<String>,
}

impl<'a> Training<'a> {
    pub(super) fn new(task: &'a Task, schedule: Schedule, inputs: [usize; 2], classes: usize) -> Self {
        let width = task.teaching.as_ref().filter(|_| task.factors.feature > 0.0).map_or(0, |teaching| teaching.width);
        let shape = Shape {
            inputs,
            encoder: schedule.encoder,
            fused: schedule.fused,
            classes,
            target: width,
            has_auxiliary: task.factors.auxiliary > 0.0,
        };
        let network = Network::new(shape, task.seed);
        Self { gradients: network.gradients(), task, schedule, network, progress: Counts::default() }
    }

    pub(super) fn is_done(&self) -> bool {
        self.progress.epochs >= self.schedule.epochs
    }

    /// One pass over the samples. Of those, as many as fill no batch sit out this epoch, unless there is but one batch.
    ///
    /// # Errors
    /// [`GuideError::Diverged`] where a loss is not finite and such steps are not to be skipped.
    pub(super) fn epoch(&mut self) -> Result<()> {
        let count = self.task.rows.labels.len();
        let mut order: Vec<usize> = (0..count).collect();
        order.shuffle(&mut stream(self.task.seed, &format!("order of epoch {}", self.progress.epochs)));
        let size = count.min(LANES);
        let batches = count / size;
        let total = (batches * self.schedule.epochs) as f32;
        for (index, batch) in order.chunks_exact(size).enumerate() {
            let number = self.progress.epochs * batches + index;
            self.network.load(batch.iter().map(|row| self.task.rows.row(*row)));
            self.network.forward(true);
            if let Some((what, row, found)) = self.differentiate(batch) {
                let id = self.task.rows.ids.get(row).into_owned();
                let error = GuideError::Diverged { what, id, step: number, found };
                match self.task.non_finite {
                    NonFinite::Stop => return Err(error),
                    NonFinite::Skip => self.progress.skipped.push(error.to_string()),
                }
                continue;
            }
            self.network.backward(&self.gradients);
            self.progress.steps += 1;
            let cosine = (std::f32::consts::PI * number as f32 / total).cos();
            let rate = self.schedule.rate * 0.5 * (1.0 + cosine);
            self.network.step(self.progress.steps, rate, self.schedule.decay);
        }
        self.progress.epochs += 1;
        Ok(())
    }

    /// The gradients of what the network says of the batch; or the first loss that is not finite, its sample and value.
    fn differentiate(&mut self, batch: &[usize]) -> Option<(&'static str, usize, f32)> {
        let Task { rows, teaching, weights, factors, temperature, .. } = self.task;
        let share = (batch.len() as f32).recip();
        let mut scratch = Scratch::new(self.network.logits.len());
        let of_output = over_batch(&weights.output, batch);
        for (lane, row) in batch.iter().enumerate() {
            let label = rows.labels[*row] as usize;
            let loss = scratch.softmax(&self.network.logits, lane, 1.0, label);
            if !loss.is_finite() {
                return Some(("label", *row, loss));
            }
            for (class, of_class) in self.gradients.logits.iter_mut().enumerate() {
                of_class[lane] = share * (scratch.probabilities[class] - f32::from(u8::from(class == label)));
            }
            let Some(teaching) = teaching else { continue };
            if factors.output > 0.0 {
                let loss = scratch.softmax(&self.network.logits, lane, *temperature, label);
                if !loss.is_finite() {
                    return Some(("output", *row, loss));
                }
                let classes = scratch.probabilities.len();
                let target = &teaching.probabilities[row * classes..][..classes];
                let scale = share * factors.output * of_output[lane] * temperature;
                for ((of_class, student), teacher) in
                    self.gradients.logits.iter_mut().zip(&scratch.probabilities).zip(target)
                {
                    of_class[lane] += scale * (student - teacher);
                }
            }
        }
        if let Some(teaching) = teaching.as_ref().filter(|_| factors.feature > 0.0) {
            let of_feature = over_batch(&weights.feature, batch);
            for (lane, row) in batch.iter().enumerate() {
                let target = &teaching.features[row * teaching.width..][..teaching.width];
                let scale = 2.0 * share * factors.feature * of_feature[lane] / teaching.width as f32;
                let mut loss = 0.0;
                for ((of_unit, student), teacher) in
                    self.gradients.projected.iter_mut().zip(&self.network.projected).zip(target)
                {
                    let difference = student[lane] - teacher;
                    loss += difference * difference;
                    of_unit[lane] = scale * difference;
                }
                if !loss.is_finite() {
                    return Some(("feature", *row, loss));
                }
            }
        }
        if factors.auxiliary > 0.0 {
            for modality in 0..2 {
                let of_modality = over_batch(&weights.auxiliary[modality], batch);
                for (lane, row) in batch.iter().enumerate() {
                    let label = rows.labels[*row] as usize;
                    let loss = scratch.softmax(&self.network.auxiliary[modality], lane, 1.0, label);
                    if !loss.is_finite() {
                        return Some(("auxiliary", *row, loss));
                    }
                    let scale = share * factors.auxiliary * of_modality[lane];
                    for (class, of_class) in self.gradients.auxiliary[modality].iter_mut().enumerate() {
                        let target = f32::from(u8::from(class == label));
                        of_class[lane] = scale * (scratch.probabilities[class] - target);
                    }
                }
            }
        }
        None
    }
}

/// The weights of a batch, with a mean of one, or all zero.
fn over_batch(weights: &[f64], batch: &[usize]) -> Lane {
    let sum: f64 = batch.iter().map(|row| weights[*row]).sum();
    let scale = if sum > 0.0 { batch.len() as f64 / sum } else { 0.0 };
    let mut lane = [0.0; LANES];
    for (value, row) in lane.iter_mut().zip(batch) {
        *value = (weights[*row] * scale) as f32;
    }
    lane
}

/// The softmax of one sample.
struct Scratch {
    probabilities: Vec<f32>,
}

impl Scratch {
    fn new(classes: usize) -> Self {
        Self { probabilities: vec![0.0; classes] }
    }

    /// Sets the probabilities of a sample at a temperature, and gives the surprisal of a class.
    fn softmax(&mut self, logits: &[Lane], lane: usize, temperature: f32, class: usize) -> f32 {
        let largest = logits.iter().map(|of_class| of_class[lane]).fold(f32::NEG_INFINITY, f32::max);
        let mut sum = 0.0;
        for (probability, of_class) in self.probabilities.iter_mut().zip(logits) {
            *probability = ((of_class[lane] - largest) / temperature).exp();
            sum += *probability;
        }
        for probability in &mut self.probabilities {
            *probability /= sum;
        }
        sum.ln() - (logits[class][lane] - largest) / temperature
    }
}

/// What a network says of all rows.
pub(super) struct Outputs {
    /// `[n, classes]`.
    pub(super) logits: Vec<f32>,
    /// `[n, fused]`.
    pub(super) features: Vec<f32>,
}

/// Asks a network about rows.
pub(super) fn outputs(network: &mut Network, rows: &Rows) -> Outputs {
    let all: Vec<usize> = (0..rows.labels.len()).collect();
    let (mut logits, mut features) = (Vec::new(), Vec::new());
    for block in all.chunks(LANES) {
        network.load(block.iter().map(|row| rows.row(*row)));
        network.forward(false);
        for lane in 0..block.len() {
            logits.extend(network.logits.iter().map(|of_class| of_class[lane]));
            features.extend(network.fused.iter().map(|of_unit| of_unit[lane]));
        }
    }
    Outputs { logits, features }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEDULE: Schedule = Schedule { encoder: 4, fused: 6, epochs: 40, rate: 0.02, decay: 0.0 };

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
        let ones = vec![1.0; 80];
        Task {
            rows: Rows { ids: SampleIds::rows(80), values, columns: 2, labels },
            teaching: Some(Teaching { probabilities, features, width: 1 }),
            weights: Weights {
                feature: ones.clone(),
                output: ones.clone(),
                auxiliary: [ones.clone(), ones],
                members: Vec::new(),
            },
            factors,
            temperature: 2.0,
            non_finite: NonFinite::Stop,
            seed: 3,
        }
    }

    fn train(task: &Task) -> Training<'_> {
        let mut training = Training::new(task, SCHEDULE, [1, 1], 2);
        while !training.is_done() {
            training.epoch().unwrap();
        }
        training
    }

    #[test]
    fn an_exclusive_or_is_learned_from_every_mix_of_losses() {
        let all = [
            Factors::default(),
            Factors { output: 1.0, ..Factors::default() },
            Factors { feature: 1.0, ..Factors::default() },
            Factors { feature: 1.0, output: 1.0, auxiliary: 0.1 },
        ];
        for factors in all {
            let task = task(factors);
            let mut training = train(&task);
            let logits = outputs(&mut training.network, &task.rows).logits;
            let right = task.rows.labels.iter().enumerate();
            let right = right.filter(|(row, label)| (logits[row * 2 + 1] > logits[row * 2]) == (**label == 1)).count();
            assert_eq!(right, 80, "{factors:?}");
        }
    }

    #[test]
    fn a_training_goes_on_from_its_state_as_if_never_stopped() {
        let task = task(Factors { feature: 1.0, output: 1.0, auxiliary: 0.0 });
        let whole = train(&task);
        let mut first = Training::new(&task, SCHEDULE, [1, 1], 2);
        for _ in 0..7 {
            first.epoch().unwrap();
        }
        let mut second = Training::new(&task, SCHEDULE, [1, 1], 2);
        assert!(second.network.set_state(&first.network.state()));
        second.progress = first.progress.clone();
        while !second.is_done() {
            second.epoch().unwrap();
        }
        assert_eq!(second.network.state(), whole.network.state());
        assert_eq!(second.progress, whole.progress);
    }

    #[test]
    fn weights_of_a_batch_have_a_mean_of_one_or_are_off() {
        let lane = over_batch(&[1.0, 0.0, 3.0, 9.0], &[0, 1, 2]);
        assert_eq!(lane[..4], [0.75, 0.0, 2.25, 0.0]);
        assert_eq!(over_batch(&[0.0, 0.0], &[0, 1]), [0.0; LANES]);
    }

    #[test]
    fn a_loss_that_is_not_finite_stops_or_is_skipped_and_is_named() {
        let mut spoiled = task(Factors { output: 1.0, ..Factors::default() });
        spoiled.rows.values[10] = f32::NAN;
        let mut training = Training::new(&spoiled, SCHEDULE, [1, 1], 2);
        let error = (0..40).find_map(|_| training.epoch().err()).unwrap();
        assert!(matches!(&error, GuideError::Diverged { what: "label", id, .. } if id == "5"), "{error}");

        spoiled.non_finite = NonFinite::Skip;
        let training = train(&spoiled);
        assert!(training.progress.skipped[0].contains("the sample `5`"), "{:?}", training.progress.skipped);
        assert!(training.network.state().iter().all(|value| value.is_finite()));
    }
}
