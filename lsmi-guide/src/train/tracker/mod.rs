//! The tracker: interactions of a student while it learns.
//!
//! A training loop tells the tracker what the student makes of each batch: its features of either modality and, if it
//! likes, its joint logits. At the end of an epoch, or of every few ([`Settings::every`]), the tracker fits heads to the latest
//! features of every sample, updates the densities, and publishes the samples' [`Interactions`]. It works in one of two modes:
//!
//! - [`Mode::Background`]: in a thread of its own. The loop never waits: batches go through a bounded channel whose oldest
//!   makes room where the worker is behind, which [`Report::dropped`] counts. What is published lags by the time that it
//!   takes and by its rests, so two runs need not agree.
//! - [`Mode::Synchronous`]: in the loop's own thread, at the end of the epoch. The same batches give the same bytes.
//!
//! Either way the computation takes a single thread.
//!
//! # What the values say
//!
//! The terms of a sample come from heads and densities that saw neither it nor another sample of its group
//! ([`Settings::folds`], [`Samples::groups`]). The student did see it:
//! features that have memorised their labels hold information about these that features of new samples would not. The
//! values tell what the student's features of the training samples say of their labels, which is what decides how these
//! should be trained on; they are no estimate of what the student knows of new ones.
//!
//! A sample that lacks a modality, of which all features are NaN, helps to fit head and density of the other one, and has the
//! terms of it ([`Tracker::partial`]). It has no interactions, and in a [`Plan`](crate::Plan) it weighs what a sample does that
//! has not been seen: one in every column that is on.
//!
//! i12 comes from the joint logits where there are any, else from the features of both modalities side by side, by a
//! linear or quadratic rule: what a fusion finds beyond such a rule shows only in its logits.

mod background;
mod folds;
mod memory;
mod refit;
mod state;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::{DType, Tensor};
use lsmi_candle::densities::mixture::Covariance;
use lsmi_candle::features::Groups;
use lsmi_core::{ClassPrior, Means, Measure, SampleIds, TermMeans, Terms};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::background::{Background, Work};
use self::memory::{Batch, Memory, Table};
use self::refit::Densities;
use crate::decide::interactions::{Interactions, check_length};
use crate::decide::lookup::Lookup;
use crate::error::{GuideError, Result};
use crate::identity::described;

/// The samples whose interactions are tracked.
#[derive(Debug, Clone)]
pub struct Samples {
    /// Their ids.
    pub ids: SampleIds,
    /// Their classes.
    pub labels: Vec<u32>,
    /// The number of classes.
    pub classes: usize,
    /// Which of them belong together; none: every sample is by itself. No group is divided between folds.
    pub groups: Option<Groups>,
    /// A teacher's confidence in each, for policies that go by it.
    pub confidence: Option<Vec<f64>>,
}

/// How a tracker estimates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The mode; in the background, with 256 batches on their way at most and a tenth of the time.
    pub mode: Mode,
    /// Epochs from one estimation to the next; 1.
    pub every: usize,
    /// Folds of the cross-fit; 2.
    pub folds: usize,
    /// Kernels of each density; 2.
    pub kernels: usize,
    /// The structure of their covariances; one for all.
    pub covariance: Covariance,
    /// Rounds of expectation maximisation an epoch at most; 2.
    pub rounds: usize,
    /// The measure of the history; `ccs`.
    pub measure: Measure,
    /// The seed of folds and starts.
    pub seed: u64,
}

/// Where a tracker works.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Mode {
    /// In a thread of its own.
    Background {
        /// Batches on their way at most.
        capacity: usize,
        /// The share of the time that it may estimate, above 0 and at most 1: what a loop that keeps every processor busy
        /// loses is at most this share of one of them. Estimations that this leaves no time for are overtaken.
        share: f64,
    },
    /// In the thread that trains, at the end of an epoch.
    Synchronous,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mode: Mode::Background { capacity: 256, share: 0.1 },
            every: 1,
            folds: 2,
            kernels: 2,
            covariance: Covariance::Tied,
            rounds: 2,
            measure: Measure::Ccs,
            seed: 0,
        }
    }
}

/// What one estimation found: how much the student's features say of the labels, and in which way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry {
    /// The epoch.
    pub epoch: usize,
    /// The samples seen until then.
    pub samples: usize,
    /// Mean r, u1, u2 and s: raw, in nats, by [`Settings::measure`].
    pub parts: Means,
    /// Mean h1, h2, i1, i2 and i12, in nats.
    pub terms: TermMeans,
}

/// The terms of samples that have one modality and lack the other, in nats.
#[derive(Debug, Clone, PartialEq)]
pub struct OneModalityTerms {
    /// The ids of the samples.
    pub ids: SampleIds,
    /// The surprisal of the modality.
    pub surprisal: Vec<f64>,
    /// The pointwise information of the modality about the label.
    pub information: Vec<f64>,
}

/// What happened beside the estimations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Batches dropped, as the worker was behind.
    pub dropped: u64,
    /// Estimations left out, as the worker was behind.
    pub overtaken: u64,
    /// Rows ignored, as they had a value that was not finite.
    pub spoiled: u64,
    /// The sample of the first of them.
    pub first_spoiled: Option<String>,
    /// Why the last estimation failed, if it did; the interactions published before then stay.
    pub failure: Option<String>,
}

/// What the worker shows.
#[derive(Default)]
struct Published {
    latest: Option<(usize, Arc<Interactions>)>,
    partial: Option<Arc<[OneModalityTerms; 2]>>,
    history: Vec<Entry>,
    spoiled: u64,
    first_spoiled: Option<String>,
    failure: Option<String>,
}

/// Estimates the interactions of a student in training; see the [module](self).
pub struct Tracker {
    lookup: Arc<Lookup>,
    labels: Vec<u32>,
    prior: ClassPrior,
    confidence: Option<Vec<f64>>,
    /// Of x1, x2 and the logits, once a batch has come.
    widths: Option<Vec<usize>>,
    published: Arc<Mutex<Published>>,
    engine: Engine,
    every: usize,
    identity: Value,
}

enum Engine {
    Background(Background<Estimation>),
    Synchronous(Box<Estimation>),
}

impl Tracker {
    /// Makes a tracker of samples, none of which it has seen.
    ///
    /// # Errors
    /// [`GuideError::Core`] if an id comes twice, a label is no class or a class has no sample, [`GuideError::Length`] if
    /// there is not one label, group and confidence a sample, [`GuideError::Setting`] for a setting out of range,
    /// [`GuideError::WorkerStopped`] if no thread can be started.
    pub fn new(samples: Samples, settings: Settings) -> Result<Self> {
        let Samples { ids, labels, classes, groups, confidence } = samples;
        check_length("labels", ids.len(), labels.len())?;
        check_length("groups", ids.len(), groups.as_ref().map_or(ids.len(), Groups::rows))?;
        check_length("confidence", ids.len(), confidence.as_ref().map_or(ids.len(), Vec::len))?;
        settings.check()?;
        let prior = ClassPrior::empirical(&labels, classes)?;
        let lookup = Arc::new(Lookup::new(ids)?);
        let published = Arc::new(Mutex::new(Published::default()));
        let groups = groups.filter(|groups| !groups.are_single_rows());
        let numbers = groups.as_ref().map(Groups::numbers);
        let (mode, every, identity) = (settings.mode, settings.every, described(&settings)?);
        let estimation = Estimation {
            fold_of: folds::deal(lookup.ids(), &labels, groups.as_ref(), settings.folds, settings.seed),
            memory: Memory::new(Arc::clone(&lookup), labels.clone(), prior.clone(), numbers, confidence.clone()),
            densities: Densities::default(),
            pool: single_thread()?,
            published: Arc::clone(&published),
            settings,
        };
        let engine = match mode {
            Mode::Background { capacity, share } => Engine::Background(Background::start(estimation, capacity, share)?),
            Mode::Synchronous => Engine::Synchronous(Box::new(estimation)),
        };
        Ok(Self { lookup, labels, prior, confidence, widths: None, published, engine, every, identity })
    }

    /// Returns the ids of the samples tracked.
    pub fn ids(&self) -> &SampleIds {
        self.lookup.ids()
    }

    /// Returns the class of every sample.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Counts the classes.
    pub fn classes(&self) -> usize {
        self.prior.classes()
    }

    /// Takes the student's features `[n, d1]`, `[n, d2]` of a batch and, if the first batch had them, its joint logits
    /// `[n, classes]`.
    ///
    /// They are copied to the host's memory, without their graph. A row of features that are all NaN is a modality that the
    /// sample lacks, of which it has no interactions (see [`Self::partial`]); its logits are ignored. Any other row that is not
    /// finite is ignored and counted.
    ///
    /// # Errors
    /// [`GuideError::UnknownId`] for a sample that is not tracked, [`GuideError::Core`] for an id that comes twice,
    /// [`GuideError::Shape`] for other shapes than the first batch had, [`GuideError::WorkerStopped`] if the worker has
    /// ended.
    pub fn observe(&mut self, ids: &SampleIds, features: [&Tensor; 2], logits: Option<&Tensor>) -> Result<()> {
        self.observe_rows(self.lookup.rows_of(ids, "tracked features")?, features, logits)
    }

    /// As [`Self::observe`], for a batch whose rows are known.
    pub(crate) fn observe_rows(
        &mut self,
        rows: Vec<usize>,
        features: [&Tensor; 2],
        logits: Option<&Tensor>,
    ) -> Result<()> {
        let tensors: Vec<(&'static str, &Tensor)> =
            [("features of x1", Some(features[0])), ("features of x2", Some(features[1])), ("joint logits", logits)]
                .into_iter()
                .filter_map(|(name, tensor)| Some((name, tensor?)))
                .collect();
        self.check_shapes(rows.len(), &tensors)?;
        let [first, second] = [table(features[0])?, table(features[1])?];
        let batch = Batch { rows, features: [first, second], logits: logits.map(table).transpose()? };
        match &mut self.engine {
            Engine::Background(worker) => worker.send(batch),
            Engine::Synchronous(estimation) => {
                estimation.memory.take(batch);
                Ok(())
            }
        }
    }

    /// Ends an epoch: if it is one of [`Settings::every`], the interactions are estimated, in the background or now.
    ///
    /// # Errors
    /// [`GuideError::WorkerStopped`] if the worker has ended; in synchronous mode the errors of the estimation, such as
    /// [`GuideError::FewSamples`].
    pub fn end_epoch(&mut self, epoch: usize) -> Result<()> {
        if !(epoch + 1).is_multiple_of(self.every) {
            return Ok(());
        }
        match &mut self.engine {
            Engine::Background(worker) => worker.order(epoch),
            Engine::Synchronous(estimation) => estimation.estimate(epoch, &AtomicBool::new(false)),
        }
    }

    /// Estimates now from all that was observed, and waits for it.
    ///
    /// # Errors
    /// Those of [`Self::end_epoch`]; a failed estimation in the background is in [`Self::report`].
    pub fn refresh(&mut self, epoch: usize) -> Result<Option<Arc<Interactions>>> {
        match &mut self.engine {
            Engine::Background(worker) => worker.order_and_wait(epoch)?,
            Engine::Synchronous(estimation) => estimation.estimate(epoch, &AtomicBool::new(false))?,
        }
        Ok(self.latest().map(|(_, interactions)| interactions))
    }

    /// Returns the interactions published last, with the epoch that they are of: of all samples seen until then. Never waits for an
    /// estimation.
    pub fn latest(&self) -> Option<(usize, Arc<Interactions>)> {
        lock(&self.published).latest.clone()
    }

    /// Returns the terms of samples that lack a modality, of the last estimation: of those that have x1 alone and of those that
    /// have x2 alone. They have no interactions, and [`Self::latest`] is without them.
    pub fn partial(&self) -> Option<Arc<[OneModalityTerms; 2]>> {
        lock(&self.published).partial.clone()
    }

    /// Lists the means of all estimations, in their order: what the student learns first.
    pub fn history(&self) -> Vec<Entry> {
        lock(&self.published).history.clone()
    }

    /// Reports what happened beside them.
    pub fn report(&self) -> Report {
        let published = lock(&self.published);
        let (dropped, overtaken) = match &self.engine {
            Engine::Background(worker) => (worker.dropped, worker.overtaken),
            Engine::Synchronous(_) => (0, 0),
        };
        Report {
            dropped,
            overtaken,
            spoiled: published.spoiled,
            first_spoiled: published.first_spoiled.clone(),
            failure: published.failure.clone(),
        }
    }

    pub(crate) fn lookup(&self) -> &Arc<Lookup> {
        &self.lookup
    }

    /// Describes the settings, so that a run is not resumed under others.
    pub(crate) fn identity(&self) -> Value {
        self.identity.clone()
    }

    /// What a checkpoint keeps of a synchronous tracker; nothing of one in the background, whose runs do not repeat.
    pub(crate) fn state(&self) -> Result<BTreeMap<String, Tensor>> {
        let mut state = BTreeMap::new();
        if let Engine::Synchronous(estimation) = &self.engine {
            estimation.memory.save(&mut state)?;
            estimation.densities.save(&mut state)?;
        }
        Ok(state)
    }

    /// Goes on from what [`Self::state`] gave.
    pub(crate) fn restore(&mut self, state: &BTreeMap<String, Tensor>) -> Result<()> {
        if let Engine::Synchronous(estimation) = &mut self.engine {
            let densities = Densities::restored(state, estimation.settings.covariance)?;
            estimation.memory.restore(state)?;
            estimation.densities = densities;
            let widths = estimation.memory.tables.iter().map(|table| table.width).collect::<Vec<_>>();
            self.widths = Some(widths).filter(|widths| !widths.is_empty());
        }
        Ok(())
    }

    /// The interactions that terms of some rows were published as.
    pub(crate) fn interactions_of(&self, rows: &[usize], terms: Terms) -> Result<Interactions> {
        let labels = rows.iter().map(|row| self.labels[*row]).collect();
        let interactions = Interactions::new(terms, labels, self.prior.clone())?;
        match &self.confidence {
            Some(confidence) => interactions.with_confidence(rows.iter().map(|row| confidence[*row]).collect()),
            None => Ok(interactions),
        }
    }

    /// Checks that tensors have one row a sample and the widths of the first batch.
    fn check_shapes(&mut self, rows: usize, tensors: &[(&'static str, &Tensor)]) -> Result<()> {
        for (index, (what, tensor)) in tensors.iter().enumerate() {
            let expected = match &self.widths {
                None if index == 2 => Some(self.classes()),
                None => None,
                Some(widths) => Some(widths.get(index).copied().unwrap_or(0)),
            };
            let fits = match tensor.dims() {
                [found, width] => *found == rows && *width > 0 && expected.is_none_or(|expected| expected == *width),
                _ => false,
            };
            if !fits {
                let columns = expected.map_or("at least 1".to_owned(), |expected| expected.to_string());
                let (expected, found) = (format!("[{rows}, {columns}]"), tensor.dims().to_vec());
                return Err(GuideError::Shape { what, expected, found });
            }
        }
        let widths = tensors.iter().map(|(_, tensor)| tensor.dim(1)).collect::<candle_core::Result<Vec<_>>>()?;
        if let Some(first) = self.widths.as_ref().filter(|first| first.len() != widths.len()) {
            let expected = format!("[{rows}, {}], as in the first batch", first.get(2).copied().unwrap_or(0));
            return Err(GuideError::Shape { what: "joint logits", expected, found: Vec::new() });
        }
        self.widths.get_or_insert(widths);
        Ok(())
    }
}

impl std::fmt::Debug for Tracker {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Tracker").field("samples", &self.lookup.len()).finish_non_exhaustive()
    }
}

impl Settings {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`GuideError::Setting`] for a setting out of range.
    pub fn check(&self) -> Result<()> {
        if let Mode::Background { share, .. } = self.mode
            && !(share > 0.0 && share <= 1.0)
        {
            let expected = "above 0 and at most 1".to_owned();
            return Err(GuideError::Setting { name: "share of the time", found: share.to_string(), expected });
        }
        let wrong = |name, found: usize, expected: &str| {
            Err(GuideError::Setting { name, found: found.to_string(), expected: expected.to_owned() })
        };
        match self {
            Self { folds: 0 | 1, .. } => wrong("folds of the tracker", self.folds, "at least 2"),
            Self { kernels: 0, .. } => wrong("kernels of the tracker", 0, "at least 1"),
            Self { every: 0, .. } => wrong("epochs between estimations", 0, "at least 1"),
            Self { rounds: 0, .. } => wrong("rounds of the tracker", 0, "at least 1"),
            _ => Ok(()),
        }
    }
}

/// What is estimated, wherever that happens.
struct Estimation {
    memory: Memory,
    fold_of: Vec<usize>,
    densities: Densities,
    settings: Settings,
    /// A thread of its own for what would else spread over the threads of the loop.
    pool: rayon::ThreadPool,
    published: Arc<Mutex<Published>>,
}

impl Estimation {
    fn estimate(&mut self, epoch: usize, stop: &AtomicBool) -> Result<()> {
        let Self { memory, fold_of, densities, settings, pool, published } = self;
        let estimated = pool.install(|| refit::estimate(memory, fold_of, settings, densities, stop));
        let mut published = lock(published);
        published.spoiled = memory.spoiled;
        published.first_spoiled.clone_from(&memory.first_spoiled);
        match estimated {
            Ok(None) => Ok(()),
            Ok(Some((interactions, partial))) => {
                published.partial = Some(Arc::new(partial));
                published.history.push(Entry {
                    epoch,
                    samples: interactions.len(),
                    parts: interactions.decompose(settings.measure).means(),
                    terms: interactions.terms().means(),
                });
                published.latest = Some((epoch, Arc::new(interactions)));
                published.failure = None;
                Ok(())
            }
            Err(error) => {
                published.failure = Some(error.to_string());
                Err(error)
            }
        }
    }
}

impl Work for Estimation {
    type Item = Batch;

    fn take(&mut self, batch: Batch) {
        self.memory.take(batch);
    }

    fn compute(&mut self, epoch: usize, stop: &AtomicBool) {
        // The failure is published.
        let _ = self.estimate(epoch, stop);
    }
}

/// What is published, whether or not the other side panicked while it held the lock: it is replaced as a whole.
fn lock(published: &Mutex<Published>) -> MutexGuard<'_, Published> {
    published.lock().unwrap_or_else(PoisonError::into_inner)
}

fn table(tensor: &Tensor) -> Result<Table> {
    let values = tensor.detach().to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
    Ok(Table { values, width: tensor.dim(1)? })
}

fn single_thread() -> Result<rayon::ThreadPool> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .map_err(|source| lsmi_candle::EstimatorError::Threads { threads: 1, source }.into())
}
