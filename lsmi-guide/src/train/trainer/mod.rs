//! The training loop: a [`Student`] learns as a [`Hook`] says.
//!
//! An epoch goes through all samples in an order drawn from the seed and the epoch's number. So what the student and the hook
//! keep, and two counts, are all that a [checkpoint](Trainer::save) must hold for the same bytes to follow.

mod checkpoint;
mod file;

use std::collections::BTreeMap;
use std::f32::consts::PI;

use lsmi_core::random::stream;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use crate::error::{GuideError, Result};
use crate::identity::Identity;
use crate::train::hook::Hook;
use crate::train::student::{Batch, Learned, Observed, Student};

/// How the loop goes through the samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Samples a step; 64.
    pub batch: usize,
    /// Whether samples that fill no batch sit out the epoch, unless there is only one batch; they do not.
    pub drops_rest: bool,
    /// The step size; 0.003 throughout.
    pub rate: Rate,
    /// The seed of the orders; 0.
    pub seed: u64,
}

/// The step size over the training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Rate {
    /// The same throughout.
    Constant(f32),
    /// Down to 0 along half a cosine (Loshchilov and Hutter, "SGDR", ICLR 2017, without restarts).
    Cosine {
        /// The first step size.
        start: f32,
        /// The epochs until it is 0.
        epochs: usize,
    },
}

impl Default for Settings {
    fn default() -> Self {
        Self { batch: 64, drops_rest: false, rate: Rate::Constant(3e-3), seed: 0 }
    }
}

impl Settings {
    /// Checks batch and rate.
    ///
    /// # Errors
    /// [`GuideError::Setting`] for a setting out of range.
    pub fn check(&self) -> Result<()> {
        let wrong = |name, found: String, expected: &str| {
            Err(GuideError::Setting { name, found, expected: expected.to_owned() })
        };
        if self.batch == 0 {
            return wrong("batch", "0".to_owned(), "at least 1");
        }
        let (Rate::Constant(rate) | Rate::Cosine { start: rate, .. }) = self.rate;
        if rate > 0.0 && rate.is_finite() { Ok(()) } else { wrong("rate", rate.to_string(), "above 0") }
    }
}

impl Rate {
    /// Computes the step size of a step, of so many an epoch.
    fn at(self, step: usize, steps_an_epoch: usize) -> f32 {
        match self {
            Self::Constant(rate) => rate,
            Self::Cosine { start, epochs } => {
                let total = (steps_an_epoch * epochs) as f32;
                let cosine = (PI * step as f32 / total).cos();
                start * 0.5 * (1.0 + cosine)
            }
        }
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
pub struct Trainer<S, H> {
    settings: Settings,
    student: S,
    hook: H,
    identity: Identity,
    epochs: usize,
    steps: usize,
    skipped: Vec<String>,
}

impl<S: Student, H: Hook> Trainer<S, H> {
    /// Begins a training.
    ///
    /// # Errors
    /// [`GuideError::Setting`] for a setting out of range.
    pub fn new(student: S, hook: H, settings: Settings) -> Result<Self> {
        settings.check()?;
        let identity = checkpoint::identity(&settings, &student, &hook)?;
        Ok(Self { settings, student, hook, identity, epochs: 0, steps: 0, skipped: Vec::new() })
    }

    /// Returns the hook.
    pub fn hook(&self) -> &H {
        &self.hook
    }

    /// Returns the student.
    pub fn student(&self) -> &S {
        &self.student
    }

    /// Ends the training and returns the student.
    pub fn into_student(self) -> S {
        self.student
    }

    /// Counts the epochs done.
    pub fn epochs(&self) -> usize {
        self.epochs
    }

    /// Lists why steps were skipped, in all epochs done.
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// Trains an epoch.
    ///
    /// # Errors
    /// Those of the hook and of the student.
    pub fn epoch(&mut self) -> Result<EpochReport> {
        let epoch = self.epochs;
        self.hook.on_epoch_start(epoch)?;
        let count = self.student.ids().len();
        let mut order: Vec<usize> = (0..count).collect();
        order.shuffle(&mut stream(self.settings.seed, &format!("order of epoch {epoch}")));
        let size = count.min(self.settings.batch).max(1);
        let kept = if self.settings.drops_rest { count / size * size } else { count };
        let batches = kept.div_ceil(size);
        let mut report = EpochReport { epoch, ..EpochReport::default() };
        let mut stepped = 0.0;
        for rows in order[..kept].chunks(size) {
            match self.step(rows, batches)? {
                Learned::Stepped(parts) => {
                    stepped += 1.0;
                    for (name, value) in parts {
                        *report.losses.entry(name).or_default() += f64::from(value);
                    }
                }
                Learned::Skipped(reason) => report.skipped.push(reason.to_string()),
            }
        }
        for sum in report.losses.values_mut() {
            *sum /= stepped;
        }
        self.hook.on_epoch_end(epoch)?;
        self.epochs += 1;
        self.skipped.extend_from_slice(&report.skipped);
        Ok(report)
    }

    /// Has the student learn from a batch as the hook weighs it, and shows the hook what it made of it.
    fn step(&mut self, rows: &[usize], steps_an_epoch: usize) -> Result<Learned> {
        let step = self.steps;
        self.steps += 1;
        let ids = self.student.ids().select(rows);
        let weights = self.hook.weights(&ids)?;
        let rate = self.settings.rate.at(step, steps_an_epoch);
        let learned = self.student.learn(&Batch { step, rows, ids: &ids, weights: &weights, rate })?;
        if matches!(learned, Learned::Stepped(_))
            && self.hook.is_observing()
            && let Some(Observed { features: [first, second], logits }) = self.student.observed()?
        {
            self.hook.observe(&ids, [&first, &second], Some(&logits))?;
        }
        Ok(learned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cosine_falls_from_its_start_to_nothing() {
        let rate = Rate::Cosine { start: 0.2, epochs: 10 };
        assert_eq!(rate.at(0, 4), 0.2);
        assert!((rate.at(20, 4) - 0.1).abs() < 1e-6);
        assert!(rate.at(40, 4) < 1e-6);
        assert_eq!(Rate::Constant(0.2).at(39, 4), 0.2);
    }

    #[test]
    fn settings_out_of_range_are_named() {
        for (settings, expected) in [
            (Settings { batch: 0, ..Settings::default() }, "batch"),
            (Settings { rate: Rate::Constant(0.0), ..Settings::default() }, "rate"),
            (Settings { rate: Rate::Cosine { start: f32::NAN, epochs: 1 }, ..Settings::default() }, "rate"),
        ] {
            assert!(matches!(settings.check(), Err(GuideError::Setting { name, .. }) if name == expected));
        }
    }
}
