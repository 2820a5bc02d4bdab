//! One run: a student of one policy, one factor and one seed, trained by the loop and the hook that are published.

use lsmi_core::random::stream;
use rand::Rng;

use super::losses::Factors;
use super::outcome::Run;
use super::prepared::Prepared;
use super::split::{SPLITS, transfer};
use super::student::{HostStudent, Rows, Task};
use super::teacher::log_softmax;
use super::{Settings, Source};
use crate::decide::plan::Losses;
use crate::decide::policy::Policy;
use crate::error::Result;
use crate::experiments::metrics::Metrics;
use crate::experiments::store::{Store, kept};
use crate::train::guide::{Guide, Pacing};
use crate::train::tracker::{self, Mode, Samples, Tracker};

/// Epochs from one estimation of tracked interactions to the next: twenty in a usual run.
const EVERY: usize = 10;
/// What is kept of the estimations before: a student's features of some hundred samples are noisy.
const SMOOTHING: f64 = 0.5;

/// A run that is to be done.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Job {
    pub(super) policy: String,
    /// Which factor of the grid.
    pub(super) factor: usize,
    /// Which seed, counted from 0.
    pub(super) index: usize,
}

impl Job {
    /// Every policy with every factor and every seed; `none`, which has nothing to scale, with one factor.
    pub(super) fn all(settings: &Settings) -> Vec<Self> {
        let mut jobs = Vec::new();
        for policy in &settings.policies {
            let factors = if policy == "none" { 1 } else { settings.factors.len() };
            for factor in 0..factors {
                jobs.extend((0..settings.seeds).map(|index| Self { policy: policy.clone(), factor, index }));
            }
        }
        jobs
    }

    /// The number of its split.
    pub(super) fn split(&self) -> usize {
        self.index % SPLITS
    }

    pub(super) fn seed(&self, settings: &Settings) -> u64 {
        settings.seed.wrapping_add(self.index as u64)
    }

    fn name(&self) -> String {
        format!("{}-{}-{}", self.policy, self.factor, self.index)
    }

    /// Does the run, or what is left of it.
    pub(super) fn run(&self, prepared: &Prepared, settings: &Settings, store: Option<&Store>) -> Result<Run> {
        let name = self.name();
        kept(store, &name, || self.train(prepared, settings, store.map(|store| store.checkpoint(&name)).as_deref()))
    }

    fn train(&self, prepared: &Prepared, settings: &Settings, checkpoint: Option<&std::path::Path>) -> Result<Run> {
        let seed = self.seed(settings);
        let rows = transfer(&prepared.train.labels, settings.transfer, seed);
        let policy = settings.policy(&self.policy, seed)?;
        let task = self.task(prepared, settings, &rows, policy.losses());
        let guide = guide(policy, prepared, settings, &rows, seed)?;
        let mut training = HostStudent::training(task, settings.student, guide)?;
        if let Some(checkpoint) = checkpoint.filter(|checkpoint| checkpoint.exists()) {
            training.resume(checkpoint)?;
        }
        while training.epochs() < settings.student.epochs {
            training.epoch()?;
            if let Some(checkpoint) = checkpoint {
                training.save_quickly(checkpoint)?;
            }
        }
        let skipped = training.skipped().to_vec();
        let mut student = training.into_student();
        let mut score = |rows: &Rows| {
            let logits = student.said_of(rows).logits;
            Metrics::of(&log_softmax(&logits, prepared.classes), &rows.labels, prepared.classes)
        };
        let (validation, test) = (score(&prepared.validation), score(&prepared.test));
        Ok(Run {
            policy: self.policy.clone(),
            factor: settings.factors[self.factor],
            seed,
            split: self.split(),
            validation,
            test,
            skipped,
        })
    }

    /// What the student learns from. Samples, parameters and orders follow from the seed alone, whatever the policy.
    fn task(&self, prepared: &Prepared, settings: &Settings, rows: &[usize], losses: Losses) -> Task {
        let factor = settings.factors[self.factor];
        let of = |is_on: bool, factor: f64| if is_on { factor as f32 } else { 0.0 };
        let factors = Factors {
            feature: of(losses.feature, factor * settings.feature_factor),
            output: of(losses.output, factor),
            auxiliary: of(losses.auxiliary, factor * settings.auxiliary_factor),
            temperature: settings.temperature as f32,
        };
        Task {
            rows: prepared.train.select(rows),
            teaching: Some(prepared.taught.teaching.select(rows, prepared.classes)),
            factors,
            non_finite: settings.non_finite,
            seed: stream(self.seed(settings), "student").random(),
            inputs: prepared.inputs,
            classes: prepared.classes,
        }
    }
}

/// The guide of a student that learns from those rows of the training samples. A policy that looks at no interactions has
/// none tracked.
fn guide(
    policy: Box<dyn Policy>,
    prepared: &Prepared,
    settings: &Settings,
    rows: &[usize],
    seed: u64,
) -> Result<Guide> {
    let interactions = prepared.interactions.select(rows)?;
    if settings.interactions == Source::Fixed || !policy.needs_interactions() {
        return Guide::fixed(policy, interactions, Pacing::default());
    }
    let samples = Samples {
        ids: interactions.ids().clone(),
        labels: interactions.labels().to_vec(),
        classes: prepared.classes,
        groups: prepared.groups.as_ref().map(|groups| groups.select(rows)),
        confidence: interactions.confidence().map(<[f64]>::to_vec),
    };
    Guide::tracked(policy, Tracker::new(samples, tracking(seed))?, Pacing { warm_up: 0, smoothing: SMOOTHING })
}

/// How interactions are tracked: in step with the training, so that the same seed gives the same bytes.
fn tracking(seed: u64) -> tracker::Settings {
    tracker::Settings { mode: Mode::Synchronous, every: EVERY, seed, ..tracker::Settings::default() }
}
