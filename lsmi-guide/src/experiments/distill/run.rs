//! One run: a student of one policy, one factor and one seed.

use lsmi_core::random::stream;
use rand::Rng;

use super::Settings;
use super::outcome::Run;
use super::prepared::Prepared;
use super::split::{SPLITS, transfer};
use super::store::Store;
use super::teacher::log_softmax;
use super::training::{Factors, Rows, Task, Training, outputs};
use crate::decide::interactions::Interactions;
use crate::decide::policy::Progress as Epochs;
use crate::error::Result;
use crate::experiments::ensemble::Metrics;

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
        if let Some(finished) = store.map(|store| store.finished::<Run>(&name)).transpose()?.flatten() {
            return Ok(finished);
        }
        let task = self.task(prepared, settings)?;
        let mut training = Training::new(&task, settings.student, prepared.inputs, prepared.classes);
        if let Some(store) = store {
            store.resume(&name, &mut training)?;
        }
        while !training.is_done() {
            training.epoch()?;
            if let Some(store) = store {
                store.save(&name, &training)?;
            }
        }
        let mut score = |rows: &Rows| {
            let logits = outputs(&mut training.network, rows).logits;
            Metrics::of(&log_softmax(&logits, prepared.classes), &rows.labels, prepared.classes)
        };
        let (validation, test) = (score(&prepared.validation), score(&prepared.test));
        let run = Run {
            policy: self.policy.clone(),
            factor: settings.factors[self.factor],
            seed: self.seed(settings),
            split: self.split(),
            validation,
            test,
            skipped: training.progress.skipped.clone(),
        };
        if let Some(store) = store {
            store.finish(&name, &run)?;
        }
        Ok(run)
    }

    /// What the student learns from. Samples, parameters and orders follow from the seed alone, whatever the policy.
    fn task(&self, prepared: &Prepared, settings: &Settings) -> Result<Task> {
        let seed = self.seed(settings);
        let rows = transfer(&prepared.train.labels, settings.transfer, seed);
        let of_rows = |values: &[f64]| rows.iter().map(|row| values[*row]).collect::<Vec<f64>>();
        let all = &prepared.interactions;
        let labels = rows.iter().map(|row| all.labels()[*row]).collect();
        let interactions = Interactions::new(all.terms().select(&rows), labels, all.prior().clone())?
            .with_confidence(of_rows(&prepared.taught.confidence))?;
        let plan = settings.policy(&self.policy, seed)?.plan(&interactions, &Epochs::default())?;
        let weights = plan.weights().clone();
        let factor = settings.factors[self.factor];
        let of = |columns: &[&Vec<f64>], factor: f64| {
            if columns.iter().any(|column| column.iter().any(|weight| *weight > 0.0)) { factor as f32 } else { 0.0 }
        };
        let factors = Factors {
            feature: of(&[&weights.feature], factor * settings.feature_factor),
            output: of(&[&weights.output], factor),
            auxiliary: of(&[&weights.auxiliary[0], &weights.auxiliary[1]], factor * settings.auxiliary_factor),
        };
        Ok(Task {
            rows: prepared.train.select(&rows),
            teaching: Some(prepared.taught.teaching.select(&rows, prepared.classes)),
            weights,
            factors,
            temperature: settings.temperature as f32,
            non_finite: settings.non_finite,
            seed: stream(seed, "student").random(),
        })
    }
}
