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
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::training::{Counts, Training};
use crate::error::{CheckpointError, Result};

const IDENTITY: &str = "identity.json";
/// The metadata's key.
const KEY: &str = "lsmi_distill";
/// The only tensor.
const STATE: &str = "state";

/// What a comparison is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) version: String,
    pub(super) settings: String,
    pub(super) data: String,
}

/// The folder.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
}

impl Store {
    /// Opens the folder, making it if it is not there.
    ///
    /// # Errors
    /// [`CheckpointError::OtherRun`] if it is of another comparison, [`CheckpointError::File`] and
    /// [`CheckpointError::Format`] if it cannot be used.
    pub(super) fn open(folder: &Path, identity: &Identity) -> Result<Self> {
        let store = Self { folder: folder.to_owned() };
        fs::create_dir_all(folder).map_err(|source| failed(folder, "made", source))?;
        let path = store.folder.join(IDENTITY);
        let Some(found) = read_json::<Identity>(&path)? else {
            write_json(&path, identity)?;
            return Ok(store);
        };
        let parts = [
            ("the version", &identity.version, &found.version),
            ("the settings", &identity.settings, &found.settings),
            ("the hash of the data", &identity.data, &found.data),
        ];
        match parts.into_iter().find(|(_, expected, found)| expected != found) {
            None => Ok(store),
            Some((what, expected, found)) => Err(CheckpointError::OtherRun {
                file: path.display().to_string(),
                what,
                expected: expected.clone(),
                found: found.clone(),
            }
            .into()),
        }
    }

    /// The score of a run, if it is finished.
    pub(super) fn finished<T: DeserializeOwned>(&self, run: &str) -> Result<Option<T>> {
        read_json(&self.folder.join(format!("{run}.json")))
    }

    /// Keeps the score of a run, and no longer how far it was.
    pub(super) fn finish<T: Serialize>(&self, run: &str, score: &T) -> Result<()> {
        write_json(&self.folder.join(format!("{run}.json")), score)?;
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

fn failed(path: &Path, action: &'static str, source: std::io::Error) -> CheckpointError {
    CheckpointError::File { file: path.display().to_string(), action, source }
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(failed(path, "read", source).into()),
    };
    let wrong = |error: serde_json::Error| CheckpointError::Format {
        file: path.display().to_string(),
        reason: error.to_string(),
    };
    Ok(Some(serde_json::from_str(&text).map_err(wrong)?))
}

fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), CheckpointError> {
    let text = serde_json::to_string(value)
        .map_err(|error| CheckpointError::Format { file: path.display().to_string(), reason: error.to_string() })?;
    write(path, text.as_bytes())
}

/// Writes to a file beside it, which then takes its name. It is not forced to the disk: a process that is killed loses
/// nothing by that.
fn write(path: &Path, bytes: &[u8]) -> Result<(), CheckpointError> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    fs::write(&part, bytes).and_then(|()| fs::rename(&part, path)).map_err(|source| failed(path, "written", source))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::GuideError;

    #[test]
    fn a_folder_of_another_comparison_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let of = |settings: &str, data: &str| Identity {
            version: "1".to_owned(),
            settings: settings.to_owned(),
            data: data.to_owned(),
        };
        let path = folder.path().join("new");
        let store = Store::open(&path, &of("a", "b")).unwrap();
        store.finish("run", &7).unwrap();
        let again = Store::open(&path, &of("a", "b")).unwrap();
        assert_eq!(again.finished::<i32>("run").unwrap(), Some(7));
        assert_eq!(again.finished::<i32>("other").unwrap(), None);
        for (identity, expected) in [(of("c", "b"), "the settings"), (of("a", "c"), "the hash of the data")] {
            let error = Store::open(&path, &identity).unwrap_err();
            let GuideError::Checkpoint(CheckpointError::OtherRun { what, .. }) = error else { panic!("{error}") };
            assert_eq!(what, expected);
        }
        fs::write(path.join("run.json"), "{").unwrap();
        let error = again.finished::<i32>("run").unwrap_err();
        assert!(matches!(error, GuideError::Checkpoint(CheckpointError::Format { .. })), "{error}");
    }
}
