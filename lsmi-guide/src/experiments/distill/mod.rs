//! Does guiding distillation by interactions help on these data? The comparison that answers.
//!
//! A small student is distilled from a large teacher under every policy, with many seeds. Runs of one seed share samples,
//! parameters at the start and batches, so that policies are compared pair by pair.
//!
//! For each of five splits of the data (into samples to train, validate and test on):
//!
//! 1. cross-fitted interactions of the training samples ([`lsmi_candle::estimator::cross_fit`]);
//! 2. a cross-fitted teacher on the same folds: its outputs for a sample are by a network that did not see its label;
//! 3. for every seed a transfer set, a part of the training samples that the student learns from. With all of them a
//!    student of a few thousand parameters learns from labels what there is to learn, and no distillation helps;
//! 4. students: one for each policy and each factor of the distillation losses, trained by [`crate::Trainer`] as a
//!    [`crate::Guide`] says. Every policy is judged with the one factor
//!    that is best for it on the validation samples, in the mean over seeds. Test samples decide nothing.
//!
//! The label loss has the factor 1; output distillation has the factor c of the grid, feature distillation
//! [`Settings::feature_factor`] times c, auxiliary losses [`Settings::auxiliary_factor`] times c. All else is the same for all policies.
//!
//! The interactions behind a policy are those of the cross-fit throughout, or [tracked](Source::Tracked) in the student while it
//! learns.
//!
//! A result is a [`Comparison`]: scores of every policy, and the paired differences of `interaction` to every other one.
//! An advantage that is not also one over `random`, the same weights dealt to other samples, is not due to interactions.
//!
//! # Weights for another training
//! [`weights`] gives the plan for all samples of a file. Exported by `lsmi guide distill --export weights.csv`, it is read
//! in PyTorch so:
//!
//! ```python
//! import csv, torch
//!
//! rows = {row["id"]: row for row in csv.DictReader(open("weights.csv"))}
//!
//! def weights(ids, column):            # "feature", "output", "auxiliary1" or "auxiliary2"; ids: those of the batch
//!     w = torch.tensor([float(rows[str(i)][column]) for i in ids])
//!     return w / w.mean() if w.sum() > 0 else w
//!
//! # loss = label.mean() + c * (weights(ids, "output") * divergence).mean() + b * (weights(ids, "feature") * distance).mean()
//! #      + d * sum((weights(ids, f"auxiliary{m}") * label_loss_of_head[m]).mean() for m in (1, 2))
//! ```

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "networks compute in single precision, and a share of a count is a count"
)]

mod losses;
mod network;
mod outcome;
mod prepared;
mod run;
mod split;
mod student;
mod teacher;

use std::path::Path;

use lsmi_candle::estimator;
use lsmi_candle::features::{Classes, FeatureSet};
use lsmi_candle::numbers::matrix::Matrix;
use lsmi_core::Measure;
use serde::{Deserialize, Serialize};

pub use outcome::{Comparison, Differences, OfPolicy, Run};
pub use student::Schedule;
pub use teacher::TeacherScore;

pub use crate::decide::policy::Rule;

use self::prepared::Prepared;
use self::run::Job;
use self::split::SPLITS;
use crate::decide::interactions::Interactions;
use crate::decide::plan::Plan;
use crate::decide::policy::{self, Options, Policy, Progress as Epochs};
use crate::error::{CheckpointError, GuideError, Result};
use crate::experiments::parallel;
use crate::experiments::store::{self, Store};
use crate::identity::{Identity, described, sha256};
use crate::train::distiller::NonFinite;
use crate::train::loss::output::check_temperature;

/// Where the interactions behind a policy come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// From a cross-fit on the training samples, before any student learns.
    #[default]
    Fixed,
    /// From a [tracker](crate::train::tracker) of the student itself, every ten epochs while it learns; until the first
    /// estimation all samples weigh alike.
    Tracked,
}

/// Settings of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The policies, by the names of [`policy::POLICIES`]; `interaction`, `both`, `all`, `feature`, `output`, `none`, `random`,
    /// `confidence`.
    pub policies: Vec<String>,
    /// The rule of `interaction`, and of `random`, which shuffles it; sources.
    pub rule: Rule,
    /// The measure of redundancy; `ccs`.
    pub measure: Measure,
    /// Where interactions come from; fixed.
    pub interactions: Source,
    /// Runs of each policy; 20.
    pub seeds: usize,
    /// The first seed; 0.
    pub seed: u64,
    /// The share of the training samples that students learn from; 0.25.
    pub transfer: f64,
    /// The temperature of output distillation; 2.
    pub temperature: f64,
    /// The factors that each policy chooses from; 0.1, 0.3, 1 and 3.
    pub factors: Vec<f64>,
    /// What the factor is multiplied with for feature distillation; 10.
    pub feature_factor: f64,
    /// What the factor is multiplied with for auxiliary losses; 0.3.
    pub auxiliary_factor: f64,
    /// The student and its training.
    pub student: Schedule,
    /// The teacher and its training.
    pub teacher: Schedule,
    /// Folds of the interactions and the teacher; 5.
    pub folds: usize,
    /// What happens when a loss is not finite; the comparison stops.
    pub non_finite: NonFinite,
    /// Runs at the same time; 0: as many as there are processors. Changes no result.
    #[serde(skip)]
    pub threads: usize,
}

/// The usual student.
const STUDENT: Schedule = Schedule { encoder: 8, fused: 16, epochs: 200, rate: 3e-3, decay: 0.3 };

impl Default for Settings {
    fn default() -> Self {
        let policies = ["interaction", "both", "all", "feature", "output", "none", "random", "confidence"];
        Self {
            policies: policies.map(str::to_owned).to_vec(),
            rule: Rule::Sources,
            measure: Measure::Ccs,
            interactions: Source::Fixed,
            seeds: 20,
            seed: 0,
            transfer: 0.25,
            temperature: 2.0,
            factors: vec![0.1, 0.3, 1.0, 3.0],
            feature_factor: 10.0,
            auxiliary_factor: 0.3,
            student: STUDENT,
            teacher: teacher::TEACHER,
            folds: 5,
            non_finite: NonFinite::Stop,
            threads: 0,
        }
    }
}

/// What is compared on.
#[derive(Debug, Clone, Copy)]
pub struct Data<'a> {
    /// The samples; their `logits12`, if there are any, are the teacher's.
    pub samples: &'a FeatureSet,
    /// Samples to test on; otherwise a fifth of the others in turn.
    pub test: Option<&'a FeatureSet>,
    /// The classes that labels index.
    pub classes: &'a Classes,
    /// The teacher's features of the samples, where it is the user's; otherwise its logits.
    pub teacher_features: Option<&'a Matrix>,
}

/// How far a comparison is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Splits prepared and runs done.
    pub done: usize,
    /// Of so many.
    pub total: usize,
    /// What was done last.
    pub what: String,
}

/// Compares policies; `store` is a folder for runs, from which a comparison that was stopped goes on to the same result.
///
/// # Errors
/// [`GuideError::Setting`] and [`GuideError::UnknownName`] for settings out of range, [`GuideError::Data`] for too few
/// samples of a class, [`GuideError::Classes`] for a teacher of other classes, [`GuideError::Run`] naming the run in which
/// a loss is not finite, [`GuideError::Checkpoint`] where `store` is of another comparison or cannot be used, and those of
/// the estimator.
pub fn compare(
    data: Data<'_>,
    settings: &Settings,
    store: Option<&Path>,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Comparison> {
    settings.check()?;
    let store = store.map(|folder| Store::open(folder, &identity(data, settings)?)).transpose()?;
    let threads = parallel::threads(settings.threads);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| GuideError::Setting {
        name: "threads",
        found: threads.to_string(),
        expected: format!("a number of threads that can be started ({error})"),
    })?;
    let jobs = Job::all(settings);
    let splits = SPLITS.min(settings.seeds);
    let total = splits + jobs.len();
    let tell = |done: usize, what: String| progress(Progress { done, total, what });

    let mut prepared = Vec::with_capacity(splits);
    for number in 0..splits {
        tell(number, format!("interactions and teacher of split {} of {splits}", number + 1));
        prepared.push(pool.install(|| Prepared::new(data, settings, number))?);
    }
    let done = std::sync::atomic::AtomicUsize::new(splits);
    let runs: Vec<Run> = parallel::map(&jobs, threads, |job| -> Result<Run> {
        let run = job.run(&prepared[job.split()], settings, store.as_ref()).map_err(|error| match error {
            error @ GuideError::Checkpoint(_) => error,
            error => GuideError::Run { policy: job.policy.clone(), seed: job.seed(settings), source: Box::new(error) },
        })?;
        tell(done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1, job.policy.clone());
        Ok(run)
    })?;
    Ok(Comparison::new(data, settings, &prepared, &runs))
}

/// Plans `interaction` for all samples, from interactions that are cross-fitted on all of them.
///
/// # Errors
/// Those of the estimator, and [`GuideError::Setting`] for settings out of range.
pub fn weights(data: Data<'_>, settings: &Settings) -> Result<Plan> {
    settings.check()?;
    let fit = estimator::cross_fit(data.samples, data.classes, &prepared::estimation(settings, settings.seed), None)?;
    settings.policy("interaction", settings.seed)?.plan(&Interactions::from_cross_fit(&fit)?, &Epochs::default())
}

impl Settings {
    /// Counts the students that a comparison trains.
    pub fn runs(&self) -> usize {
        Job::all(self).len()
    }

    /// The policy of a name.
    fn policy(&self, name: &str, seed: u64) -> Result<Box<dyn Policy>> {
        policy::named(name, &Options { rule: self.rule, measure: self.measure, seed })
    }

    /// Checks the settings, without a look at data.
    ///
    /// # Errors
    /// [`GuideError::Setting`] for a setting out of range, [`GuideError::UnknownName`] for a policy that is none.
    pub fn check(&self) -> Result<()> {
        check_temperature(self.temperature)?;
        let wrong = |name, found: String, expected: &str| {
            Err(GuideError::Setting { name, found, expected: expected.to_owned() })
        };
        if self.policies.is_empty() {
            return wrong("policies", "none".to_owned(), "at least one policy");
        }
        for (index, name) in self.policies.iter().enumerate() {
            self.policy(name, 0)?;
            if self.policies[..index].contains(name) {
                return wrong("policies", format!("`{name}` twice"), "different policies");
            }
        }
        if self.seeds == 0 {
            return wrong("seeds", "0".to_owned(), "at least 1");
        }
        if !(self.transfer > 0.0 && self.transfer <= 1.0) {
            return wrong("transfer", self.transfer.to_string(), "above 0 and at most 1");
        }
        if self.factors.is_empty() || self.factors.iter().any(|factor| !(*factor > 0.0 && factor.is_finite())) {
            return wrong("factors", format!("{:?}", self.factors), "at least one number, all above 0");
        }
        for (name, factor) in [("feature factor", self.feature_factor), ("auxiliary factor", self.auxiliary_factor)] {
            if !(factor > 0.0 && factor.is_finite()) {
                return wrong(name, factor.to_string(), "above 0");
            }
        }
        self.student.check()?;
        self.teacher.check()
    }
}

/// What tells comparisons apart.
fn identity(data: Data<'_>, settings: &Settings) -> Result<Identity, CheckpointError> {
    let mut parts = vec![data.samples.hash().into_bytes()];
    parts.extend(data.test.map(|test| test.hash().into_bytes()));
    if let Some(features) = data.teacher_features {
        parts.push(features.values().iter().flat_map(|value| value.to_le_bytes()).collect());
    }
    parts.extend(data.classes.names().iter().map(|name| name.clone().into_bytes()));
    Ok(store::identity(described(settings)?, sha256(parts.iter().map(Vec::as_slice))))
}
