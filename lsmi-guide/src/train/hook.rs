//! What a training loop calls.
//!
//! ```text
//! for epoch in ..
//!     hook.on_epoch_start(epoch)
//!     for ids in batches
//!         weights = hook.weights(ids)           weigh the losses by these
//!         forward, loss, step
//!         hook.observe(ids, features, logits)   what the student made of the batch
//!     hook.on_epoch_end(epoch)
//! ```

use std::collections::BTreeMap;

use candle_core::Tensor;
use lsmi_core::SampleIds;
use serde_json::{Value, json};

use crate::decide::plan::{Losses, Weights};
use crate::error::{GuideError, Result};

/// What a training loop calls.
pub trait Hook {
    /// Prepares for the batches of an epoch, counted from 0.
    ///
    /// # Errors
    /// Whatever keeps the hook from going on.
    fn on_epoch_start(&mut self, epoch: usize) -> Result<()>;

    /// Returns the weights of a batch's samples in each loss, in the order of the ids.
    ///
    /// # Errors
    /// [`GuideError::UnknownId`](crate::GuideError::UnknownId) for a sample that the hook does not know.
    fn weights(&mut self, ids: &SampleIds) -> Result<Weights>;

    /// Returns whether [`Self::observe`] looks at anything; otherwise a loop need not call it.
    fn is_observing(&self) -> bool {
        true
    }

    /// Takes what the student made of a batch: its features of x1 and x2, `[n, d1]` and `[n, d2]`, and its joint logits.
    ///
    /// # Errors
    /// Whatever keeps the hook from going on.
    fn observe(&mut self, ids: &SampleIds, features: [&Tensor; 2], logits: Option<&Tensor>) -> Result<()>;

    /// Ends an epoch.
    ///
    /// # Errors
    /// Whatever keeps the hook from going on.
    fn on_epoch_end(&mut self, epoch: usize) -> Result<()>;

    /// Describes the hook and its settings, so that a checkpoint is not resumed under another.
    fn identity(&self) -> Value;

    /// Returns what must be kept for the hook to go on after a checkpoint.
    ///
    /// # Errors
    /// A candle error where a tensor cannot be made.
    fn state(&self) -> Result<BTreeMap<String, Tensor>>;

    /// Goes on from what [`Self::state`] gave.
    ///
    /// # Errors
    /// Whatever does not fit this hook.
    fn restore(&mut self, state: &BTreeMap<String, Tensor>) -> Result<()>;
}

/// A hook without interactions: weighs all samples alike in the losses given, and looks at nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Alike(pub Losses);

impl Hook for Alike {
    fn on_epoch_start(&mut self, _: usize) -> Result<()> {
        Ok(())
    }

    fn weights(&mut self, ids: &SampleIds) -> Result<Weights> {
        Ok(Weights::alike(ids.len(), self.0))
    }

    fn is_observing(&self) -> bool {
        false
    }

    fn observe(&mut self, _: &SampleIds, _: [&Tensor; 2], _: Option<&Tensor>) -> Result<()> {
        Ok(())
    }

    fn on_epoch_end(&mut self, _: usize) -> Result<()> {
        Ok(())
    }

    fn identity(&self) -> Value {
        json!({ "alike": self.0 })
    }

    fn state(&self) -> Result<BTreeMap<String, Tensor>> {
        Ok(BTreeMap::new())
    }

    fn restore(&mut self, _: &BTreeMap<String, Tensor>) -> Result<()> {
        Ok(())
    }
}

/// A tensor of a hook's or a student's state.
pub(crate) fn stored<'a>(state: &'a BTreeMap<String, Tensor>, name: &str) -> Result<&'a Tensor> {
    let missing = || GuideError::Setting {
        name: "state",
        found: format!("without `{name}`"),
        expected: "what was saved".to_owned(),
    };
    state.get(name).ok_or_else(missing)
}

/// A whole number that was kept as a floating-point one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rows and epochs are small whole numbers")]
pub(crate) fn whole(value: f64) -> usize {
    value as usize
}
