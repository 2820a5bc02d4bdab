//! The folder of a comparison that is not finished: runs that are, and how far the others are.
//!
//! ```text
//! identity.json        what the comparison is of: data and settings
//! POLICY-FACTOR-SEED.json          the score of a finished run
//! POLICY-FACTOR-SEED.safetensors   parameters, moments and counts of a running one, after each epoch
//! ```
//!
//! Files appear whole or not at all, so that a comparison that was killed at any time goes on from here.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::training::{Counts, Training};
use crate::error::{CheckpointError, Result};
use crate::experiments::store::{self, Identity, failed, write};

/// The metadata's key.
const KEY: &str = "lsmi_distill";
/// The only tensor.
const STATE: &str = "state";

/// The folder.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
    runs: store::Store,
}

impl Store {
    /// Opens the folder, making it if it is not there.
    ///
    /// # Errors
    /// Those of [`store::Store::open`].
    pub(super) fn open(folder: &Path, identity: &Identity) -> Result<Self> {
        Ok(Self { folder: folder.to_owned(), runs: store::Store::open(folder, identity)? })
    }

    /// The score of a run, if it is finished.
    pub(super) fn finished<T: DeserializeOwned>(&self, run: &str) -> Result<Option<T>> {
        Ok(self.runs.finished(run)?)
    }

    /// Keeps the score of a run, and no longer how far it was.
    pub(super) fn finish<T: Serialize>(&self, run: &str, score: &T) -> Result<()> {
        self.runs.finish(run, score)?;
        let state = self.state(run);
        match fs::remove_file(&state) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(failed(&state, "removed", source).into())
            }
            _ => Ok(()),
        }
    }

    /// Keeps how far a run is.
    pub(super) fn save(&self, run: &str, training: &Training<'_>) -> Result<()> {
        let path = self.state(run);
        let wrong = |reason: String| CheckpointError::Format { file: path.display().to_string(), reason };
        let state = training.network.state();
        let bytes: Vec<u8> = state.iter().flat_map(|value| value.to_le_bytes()).collect();
        let view = TensorView::new(Dtype::F32, vec![state.len()], &bytes).map_err(|error| wrong(error.to_string()))?;
        let counts = serde_json::to_string(&training.progress).map_err(|error| wrong(error.to_string()))?;
        let metadata = HashMap::from([(KEY.to_owned(), counts)]);
        let bytes =
            safetensors::serialize([(STATE, view)], Some(metadata)).map_err(|error| wrong(error.to_string()))?;
        Ok(write(&path, &bytes)?)
    }

    /// Has a run go on from where it was, if it had begun.
    pub(super) fn resume(&self, run: &str, training: &mut Training<'_>) -> Result<()> {
        let path = self.state(run);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(source) => return Err(failed(&path, "read", source).into()),
        };
        let wrong = |reason: String| CheckpointError::Format { file: path.display().to_string(), reason };
        let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|error| wrong(error.to_string()))?;
        let counts = metadata.metadata().as_ref().and_then(|metadata| metadata.get(KEY));
        let counts = counts.ok_or_else(|| wrong(format!("its metadata has no `{KEY}`")))?;
        let counts: Counts = serde_json::from_str(counts).map_err(|error| wrong(error.to_string()))?;
        let stored = SafeTensors::deserialize(&bytes).map_err(|error| wrong(error.to_string()))?;
        let state = stored.tensor(STATE).map_err(|error| wrong(error.to_string()))?;
        let (values, _) = state.data().as_chunks::<4>();
        let values: Vec<f32> = values.iter().map(|value| f32::from_le_bytes(*value)).collect();
        if !training.network.set_state(&values) {
            return Err(wrong(format!("it has {} values", values.len())).into());
        }
        training.progress = counts;
        Ok(())
    }

    fn state(&self, run: &str) -> PathBuf {
        self.folder.join(format!("{run}.safetensors"))
    }
}
