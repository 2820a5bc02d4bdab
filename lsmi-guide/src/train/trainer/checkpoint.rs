//! Checkpoints: what of a training is kept so that it goes on as if it had never been interrupted.
//!
//! Tensors are `student.NAME` and `hook.NAME`. Draws need not be kept: each epoch has a stream of its own.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::Tensor;

use super::file::{self, Durability, State};
use super::{Settings, Trainer};
use crate::error::{CheckpointError, GuideError, Result};
use crate::identity::{Identity, described};
use crate::train::hook::Hook;
use crate::train::student::Student;

/// Describes a training: its settings, its student and its hook.
pub(super) fn identity(settings: &Settings, student: &impl Student, hook: &impl Hook) -> Result<Identity> {
    let mut parts = student.identity();
    parts.insert("the settings".to_owned(), described(settings)?);
    parts.insert("the policy".to_owned(), hook.identity());
    Ok(Identity::new(parts))
}

impl<S: Student, H: Hook> Trainer<S, H> {
    /// Saves a checkpoint, between epochs. The file appears whole or not at all, and outlasts a loss of power.
    ///
    /// # Errors
    /// [`CheckpointError::File`] if it cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        self.write(path, Durability::OfMachine)
    }

    /// Saves a checkpoint that outlasts the process, but need not outlast a loss of power.
    pub(crate) fn save_quickly(&self, path: &Path) -> Result<()> {
        self.write(path, Durability::OfProcess)
    }

    fn write(&self, path: &Path, durability: Durability) -> Result<()> {
        let named = |kind: &str, state: BTreeMap<String, Tensor>| {
            state.into_iter().map(|(name, tensor)| (format!("{kind}.{name}"), tensor)).collect::<Vec<_>>()
        };
        let tensors: BTreeMap<String, Tensor> =
            named("student", self.student.state()?).into_iter().chain(named("hook", self.hook.state()?)).collect();
        let state = State::new(self.epochs, self.steps, self.skipped.clone(), self.identity.clone());
        file::save(path, &state, &tensors, durability)
    }

    /// Goes on from a checkpoint of the same run: what follows has the same bytes as if it had never been interrupted.
    ///
    /// # Errors
    /// [`CheckpointError::OtherRun`] if settings, student, policy or data differ, [`CheckpointError::Format`] for what is no
    /// checkpoint, [`CheckpointError::File`] if it cannot be read.
    pub fn resume(&mut self, path: &Path) -> Result<()> {
        let (state, tensors) = file::load(path, &self.identity)?;
        let (mut of_student, mut of_hook) = (BTreeMap::new(), BTreeMap::new());
        for (name, tensor) in tensors {
            if let Some(name) = name.strip_prefix("student.") {
                of_student.insert(name.to_owned(), tensor);
            } else if let Some(name) = name.strip_prefix("hook.") {
                of_hook.insert(name.to_owned(), tensor);
            }
        }
        let unfit = |error: GuideError| match error {
            GuideError::Setting { .. } | GuideError::Shape { .. } => {
                CheckpointError::Format { file: path.display().to_string(), reason: error.to_string() }.into()
            }
            error => error,
        };
        // Nothing changes unless all of it fits.
        let before = self.hook.state()?;
        self.hook.restore(&of_hook).map_err(unfit)?;
        if let Err(error) = self.student.restore(&of_student) {
            self.hook.restore(&before)?;
            return Err(unfit(error));
        }
        (self.epochs, self.steps, self.skipped) = (state.epochs, state.steps, state.skipped);
        Ok(())
    }
}
