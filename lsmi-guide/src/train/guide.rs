//! The guide: a policy joined with the interactions that it goes by, fixed or tracked during training.

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use lsmi_core::{Modality, Reference, SampleIds, Terms};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::decide::interactions::{Interactions, check_smoothing};
use crate::decide::lookup::Lookup;
use crate::decide::plan::{Plan, Weights};
use crate::decide::policy::{Policy, Progress};
use crate::error::Result;
use crate::train::hook::{Hook, stored, whole};
use crate::train::tracker::Tracker;

/// How quickly plans follow interactions.
///
/// The third such setting, hysteresis, is the margin of [`Choice::Hard`](crate::decide::policy::Choice::Hard): it belongs to the
/// policy, which alone knows the sides that a sample can be on.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pacing {
    /// Epochs in which all samples weigh alike, in the losses that the policy weighs, before it plans.
    pub warm_up: usize,
    /// What is kept of earlier interactions in their exponential average, at least 0 and below 1; at 0 the latest count
    /// alone.
    pub smoothing: f64,
}

impl Pacing {
    /// Checks the smoothing.
    ///
    /// # Errors
    /// [`GuideError::Setting`](crate::GuideError::Setting) unless it is at least 0 and below 1.
    pub fn check(&self) -> Result<()> {
        check_smoothing(self.smoothing)
    }
}

/// A [`Hook`] that plans every epoch by a policy.
///
/// Until there are interactions, and during the warm-up, all samples weigh alike, in the losses that the policy weighs. A
/// sample that has no interactions yet, as the tracker has not seen it, weighs one wherever others do.
///
/// ```
/// use lsmi_core::{ClassPrior, SampleIds, Terms};
/// use lsmi_guide::decide::policy::DominantPolicy;
/// use lsmi_guide::{Guide, Hook, Interactions, Pacing};
///
/// let zeros = vec![0.0; 2];
/// let i = vec![0.6, 0.0];
/// let terms = Terms::new(SampleIds::rows(2), zeros.clone(), zeros, i.clone(), i, vec![0.6, 0.7])?;
/// let interactions = Interactions::new(terms, vec![0, 1], ClassPrior::uniform(2)?)?;
/// let policy = Box::new(DominantPolicy::default());
/// let mut guide = Guide::fixed(policy, interactions, Pacing { warm_up: 1, smoothing: 0.0 })?;
/// guide.on_epoch_start(0)?;
/// assert_eq!(guide.weights(&SampleIds::rows(2))?.feature, [1.0, 1.0]);
/// guide.on_epoch_start(1)?;
/// assert_eq!(guide.weights(&SampleIds::rows(2))?.feature, [2.0, 0.0]);
/// # Ok::<(), lsmi_guide::GuideError>(())
/// ```
#[derive(Debug)]
pub struct Guide {
    policy: Box<dyn Policy>,
    pacing: Pacing,
    tracker: Option<Tracker>,
    lookup: Arc<Lookup>,
    /// Smoothed, as the policy sees them.
    interactions: Option<Interactions>,
    /// The epoch of the tracker's interactions that these follow.
    of_epoch: Option<usize>,
    plan: Option<Arc<Plan>>,
    /// The batch whose weights were asked for last, and its rows: what is observed next is mostly the same.
    batch: Option<(SampleIds, Vec<usize>)>,
    /// Whether the plan is the policy's, and not that of the warm-up.
    is_planned: bool,
}

impl Guide {
    /// Makes a guide by interactions that stay as they are.
    ///
    /// # Errors
    /// [`GuideError::Setting`](crate::GuideError::Setting) for a smoothing out of range.
    pub fn fixed(policy: Box<dyn Policy>, interactions: Interactions, pacing: Pacing) -> Result<Self> {
        let lookup = Arc::clone(interactions.lookup());
        Self::new(policy, None, lookup, Some(interactions), pacing)
    }

    /// Makes a guide by the interactions that a tracker estimates as training goes.
    ///
    /// # Errors
    /// [`GuideError::Setting`](crate::GuideError::Setting) for a smoothing out of range.
    pub fn tracked(policy: Box<dyn Policy>, tracker: Tracker, pacing: Pacing) -> Result<Self> {
        let lookup = Arc::clone(tracker.lookup());
        Self::new(policy, Some(tracker), lookup, None, pacing)
    }

    fn new(
        policy: Box<dyn Policy>,
        tracker: Option<Tracker>,
        lookup: Arc<Lookup>,
        interactions: Option<Interactions>,
        pacing: Pacing,
    ) -> Result<Self> {
        pacing.check()?;
        Ok(Self {
            policy,
            pacing,
            tracker,
            lookup,
            interactions,
            of_epoch: None,
            plan: None,
            batch: None,
            is_planned: false,
        })
    }

    /// Returns the tracker, if there is one: its history and report.
    pub fn tracker(&self) -> Option<&Tracker> {
        self.tracker.as_ref()
    }

    /// Returns the interactions that the policy goes by, smoothed.
    pub fn interactions(&self) -> Option<&Interactions> {
        self.interactions.as_ref()
    }

    /// Returns the plan of this epoch.
    pub fn plan(&self) -> Option<&Plan> {
        self.plan.as_deref()
    }

    /// Takes what the tracker has published since.
    fn follow_tracker(&mut self) -> Result<()> {
        let Some((epoch, latest)) = self.tracker.as_ref().and_then(Tracker::latest) else { return Ok(()) };
        if self.of_epoch == Some(epoch) {
            return Ok(());
        }
        self.interactions = Some(match &self.interactions {
            Some(earlier) => latest.smoothed(earlier, self.pacing.smoothing)?,
            None => Interactions::clone(&latest),
        });
        self.of_epoch = Some(epoch);
        Ok(())
    }
}

impl Hook for Guide {
    fn on_epoch_start(&mut self, epoch: usize) -> Result<()> {
        self.follow_tracker()?;
        let planning = self.interactions.as_ref().filter(|_| epoch >= self.pacing.warm_up);
        let plan = if let Some(interactions) = planning {
            let previous = self.plan.clone().filter(|_| self.is_planned);
            let plan = self.policy.plan(interactions, &Progress { epoch, previous })?;
            self.is_planned = true;
            if plan.ids() == self.lookup.ids() { plan } else { plan.over(&self.lookup)? }
        } else {
            self.is_planned = false;
            Plan::by(Arc::clone(&self.lookup), Weights::alike(self.lookup.len(), self.policy.losses()))?
        };
        self.plan = Some(Arc::new(plan));
        Ok(())
    }

    fn weights(&mut self, ids: &SampleIds) -> Result<Weights> {
        if self.plan.is_none() {
            self.on_epoch_start(0)?;
        }
        match &self.plan {
            Some(plan) => {
                let rows = self.lookup.rows_of(ids, "weights")?;
                let weights = plan.of_rows(&rows);
                self.batch = self.tracker.is_some().then(|| (ids.clone(), rows));
                Ok(weights)
            }
            None => Ok(Weights::off(ids.len())),
        }
    }

    fn is_observing(&self) -> bool {
        self.tracker.is_some()
    }

    fn observe(&mut self, ids: &SampleIds, features: [&Tensor; 2], logits: Option<&Tensor>) -> Result<()> {
        let Some(tracker) = &mut self.tracker else { return Ok(()) };
        match self.batch.take().filter(|(of, _)| of == ids) {
            Some((_, rows)) => tracker.observe_rows(rows, features, logits),
            None => tracker.observe(ids, features, logits),
        }
    }

    fn on_epoch_end(&mut self, epoch: usize) -> Result<()> {
        if let Some(tracker) = &mut self.tracker {
            tracker.end_epoch(epoch)?;
        }
        // A synchronous tracker has published by now, and a checkpoint then has it.
        self.follow_tracker()
    }

    fn identity(&self) -> Value {
        let tracker = self.tracker.as_ref().map(Tracker::identity);
        let Pacing { warm_up, smoothing } = self.pacing;
        json!({ "policy": self.policy.identity(), "tracker": tracker, "warm_up": warm_up, "smoothing": smoothing })
    }

    /// The smoothed interactions that a tracker gave, the plan, and what a synchronous tracker goes on from. A tracker in the
    /// background starts anew after a checkpoint.
    fn state(&self) -> Result<BTreeMap<String, Tensor>> {
        let mut state = self.tracker.as_ref().map_or_else(|| Ok(BTreeMap::new()), Tracker::state)?;
        let mut put = |name: String, values: &[f64]| -> Result<()> {
            state.insert(name, Tensor::from_slice(values, values.len(), &Device::Cpu)?);
            Ok(())
        };
        if let (Some(interactions), Some(epoch)) = (&self.interactions, self.of_epoch) {
            let Terms { h1, h2, i1, i2, i12, .. } = interactions.terms();
            for (name, values) in [("h1", h1), ("h2", h2), ("i1", i1), ("i2", i2), ("i12", i12)] {
                put(format!("terms.{name}"), values)?;
            }
            let rows = self.lookup.rows_of(interactions.ids(), "weights")?;
            put("rows".to_owned(), &rows.iter().map(|row| *row as f64).collect::<Vec<f64>>())?;
            put("epoch".to_owned(), &[epoch as f64])?;
            put("reference".to_owned(), &saved(interactions.reference()))?;
        }
        if let Some(plan) = self.plan.as_ref().filter(|_| self.is_planned) {
            for (name, column) in plan.weights().columns() {
                put(format!("plan.{name}"), column)?;
            }
        }
        Ok(state)
    }

    fn restore(&mut self, state: &BTreeMap<String, Tensor>) -> Result<()> {
        let get =
            |name: &str| -> Result<Option<Vec<f64>>> { Ok(state.get(name).map(Tensor::to_vec1::<f64>).transpose()?) };
        let need = |name: &str| -> Result<Vec<f64>> { Ok(stored(state, name)?.to_vec1()?) };
        if let Some(tracker) = &mut self.tracker {
            tracker.restore(state)?;
            (self.interactions, self.of_epoch) = (None, None);
            if let Some(rows) = get("rows")? {
                let rows: Vec<usize> = rows.into_iter().map(whole).filter(|row| *row < self.lookup.len()).collect();
                let terms = Terms::new(
                    self.lookup.ids().select(&rows),
                    need("terms.h1")?,
                    need("terms.h2")?,
                    need("terms.i1")?,
                    need("terms.i2")?,
                    need("terms.i12")?,
                )?;
                let reference = reference(&need("reference")?);
                self.interactions = Some(tracker.interactions_of(&rows, terms)?.with_reference(reference));
                self.of_epoch = need("epoch")?.first().map(|epoch| whole(*epoch));
            }
        }
        (self.plan, self.is_planned) = (None, false);
        if let Some(feature) = get("plan.feature")? {
            let auxiliary = [need("plan.auxiliary1")?, need("plan.auxiliary2")?];
            let weights = Weights { feature, output: need("plan.output")?, auxiliary };
            self.plan = Some(Arc::new(Plan::restored(Arc::clone(&self.lookup), weights)?));
            self.is_planned = true;
        }
        Ok(())
    }
}

/// A reference as numbers: 1 where modality 2 is the weaker, of all samples and then of each class.
fn saved(reference: &Reference) -> Vec<f64> {
    let number = |weaker: &Modality| f64::from(u8::from(*weaker == Modality::Two));
    std::iter::once(&reference.weaker).chain(&reference.weaker_of_class).map(number).collect()
}

/// The reference that [`saved`] made those numbers of.
fn reference(numbers: &[f64]) -> Reference {
    let modality = |number: &f64| if *number > 0.0 { Modality::Two } else { Modality::One };
    let (first, of_classes) = numbers.split_at(1.min(numbers.len()));
    Reference {
        weaker: first.first().map_or(Modality::One, modality),
        weaker_of_class: of_classes.iter().map(modality).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::interactions::tests::five;
    use crate::decide::policy::{self, Options};

    #[test]
    fn what_a_policy_does_not_weigh_stays_off_in_the_warm_up_too() {
        for name in ["none", "modality", "sources"] {
            let policy = policy::named(name, &Options::default()).unwrap();
            let losses = policy.losses();
            let mut guide = Guide::fixed(policy, five(), Pacing { warm_up: 1, smoothing: 0.0 }).unwrap();
            guide.on_epoch_start(0).unwrap();
            assert_eq!(guide.plan().unwrap().weights(), &Weights::alike(5, losses), "{name}");
        }
    }

    #[test]
    fn a_reference_is_restored_as_it_was() {
        let of = Reference { weaker: Modality::Two, weaker_of_class: vec![Modality::One, Modality::Two] };
        assert_eq!(reference(&saved(&of)), of);
    }
}
