//! Students: networks that a training loop has learn.
//!
//! A [`Student`] learns from a batch at a time, in whatever way it computes. Most are a candle [`Model`], which says what it
//! makes of some rows of its training samples; [`TensorStudent`] adds losses, gradients and Adam. The experiments of
//! `lsmi guide distill` have another one, whose few thousand parameters live in arrays on the host, as hundreds of them are
//! trained. The [`Trainer`](crate::Trainer) cannot tell them apart.

pub mod fusion;
mod tensors;

use std::collections::BTreeMap;

use candle_core::Tensor;
use lsmi_core::SampleIds;
use serde_json::Value;

pub use tensors::{Model, TensorStudent};

use crate::decide::plan::Weights;
use crate::error::{GuideError, Result};
pub use crate::train::distiller::Outputs;

/// A batch that a student learns from.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// The number of the step, counted from 0 over all epochs.
    pub step: usize,
    /// The rows of the training samples.
    pub rows: &'a [usize],
    /// Their ids.
    pub ids: &'a SampleIds,
    /// Their weights in each loss.
    pub weights: &'a Weights,
    /// The step size.
    pub rate: f32,
}

/// What came of a batch.
#[derive(Debug)]
pub enum Learned {
    /// The parameters were changed. The mean of each loss that was computed, by name.
    Stepped(Vec<(&'static str, f32)>),
    /// The step was skipped, for this reason.
    Skipped(GuideError),
}

/// What a student made of the batch that it learned from last: constants.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The features of each modality, `[n, d1]` and `[n, d2]`.
    pub features: [Tensor; 2],
    /// The joint logits, `[n, classes]`.
    pub logits: Tensor,
}

/// A network that learns from its training samples, batch by batch.
pub trait Student {
    /// Returns the ids of the training samples, in the order of their rows.
    fn ids(&self) -> &SampleIds;

    /// Learns from a batch: computes the losses, weighs them and changes the parameters.
    ///
    /// # Errors
    /// [`GuideError::Diverged`] where a loss is not finite and such steps are not to be skipped, and whatever keeps the
    /// student from going on.
    fn learn(&mut self, batch: &Batch<'_>) -> Result<Learned>;

    /// Returns what the student made of the batch that it learned from last, before its parameters changed.
    ///
    /// # Errors
    /// A candle error where a tensor cannot be made.
    fn observed(&self) -> Result<Option<Observed>>;

    /// Describes the student, its losses and its samples by named parts, so that a checkpoint is not resumed by another.
    fn identity(&self) -> BTreeMap<String, Value>;

    /// Returns what must be kept for the student to go on after a checkpoint.
    ///
    /// # Errors
    /// A candle error where a tensor cannot be made.
    fn state(&self) -> Result<BTreeMap<String, Tensor>>;

    /// Goes on from what [`Self::state`] gave; changes nothing where that does not fit.
    ///
    /// # Errors
    /// Whatever does not fit this student.
    fn restore(&mut self, state: &BTreeMap<String, Tensor>) -> Result<()>;
}
