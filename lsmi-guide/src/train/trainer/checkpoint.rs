//! Checkpoints: what of a training is kept so that it goes on as if it had never been interrupted.
//!
//! Tensors are `parameter.NAME`, `first.NAME` and `second.NAME` (Adam's moments) and `hook.NAME`. Draws need not be kept:
//! each epoch has a stream of its own.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::Tensor;
use lsmi_candle::training::adam::Adam;

use super::Trainer;
use super::file::{self, Identity, State};
use crate::error::{CheckpointError, Result};
use crate::train::distiller::Distiller;
use crate::train::hook::Hook;

impl<H: Hook> Trainer<H> {
    /// Saves a checkpoint, between epochs. The file appears whole or not at all.
    ///
    /// # Errors
    /// [`CheckpointError::File`] if it cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let mut tensors = BTreeMap::new();
        for (name, variable) in self.store.iter() {
            tensors.insert(format!("parameter.{name}"), variable.as_detached_tensor());
        }
        for (name, (first, second)) in self.adam.moments() {
            tensors.insert(format!("first.{name}"), first.clone());
            tensors.insert(format!("second.{name}"), second.clone());
        }
        for (name, tensor) in self.hook.state()? {
            tensors.insert(format!("hook.{name}"), tensor);
        }
        let state = State::new(self.epochs, self.steps, self.adam.steps(), self.identity());
        file::save(path, &state, &tensors)
    }

    /// Goes on from a checkpoint of the same run: what follows has the same bytes as if it had never been interrupted.
    ///
    /// # Errors
    /// [`CheckpointError::OtherRun`] if settings, policy or data differ, [`CheckpointError::Format`] for what is no
    /// checkpoint, [`CheckpointError::File`] if it cannot be read.
    pub fn resume(&mut self, path: &Path) -> Result<()> {
        let (state, mut tensors) = file::load(path, &self.identity(), self.inputs[0].device())?;
        let missing = |name: &str| CheckpointError::Format {
            file: path.display().to_string(),
            reason: format!("it has no `{name}` of the shape that the run needs"),
        };
        let mut take = |name: String, like: &Tensor| {
            let fitting = tensors.remove(&name).filter(|tensor| tensor.dims() == like.dims());
            fitting.ok_or_else(|| missing(&name))
        };
        let (mut moments, mut values) = (BTreeMap::new(), Vec::new());
        for (name, variable) in self.store.iter() {
            values.push((name, take(format!("parameter.{name}"), variable)?));
            if state.adam_steps > 0 {
                let pair = (take(format!("first.{name}"), variable)?, take(format!("second.{name}"), variable)?);
                moments.insert(name.to_owned(), pair);
            }
        }
        // Nothing changes before all of the checkpoint is known to fit.
        let of_hook =
            tensors.into_iter().filter_map(|(name, tensor)| Some((name.strip_prefix("hook.")?.to_owned(), tensor)));
        self.hook.restore(&of_hook.collect())?;
        for (name, value) in values {
            self.store.set(name, &value)?;
        }
        self.adam = Adam::resumed(self.settings.rate, self.settings.decay, state.adam_steps, moments);
        (self.epochs, self.steps) = (state.epochs, state.steps);
        Ok(())
    }

    fn identity(&self) -> Identity {
        let distillation =
            |distiller: &Distiller| format!("{:?}, {}", distiller.settings(), distiller.teacher().hash());
        Identity {
            settings: format!("{:?}", self.settings),
            distillation: self.distiller.as_ref().map_or_else(|| "none".to_owned(), distillation),
            hook: self.hook.identity(),
            data: self.samples.hash(),
        }
    }
}
