//! The folder of a comparison that is not finished: what it is of, and a file for each piece of it that is.
//!
//! ```text
//! identity.json       what the comparison is of: data and settings
//! PIECE.json          what a piece that is finished found, such as that of a seed
//! PIECE.safetensors   the checkpoint of a piece that is a training and not finished
//! ```
//!
//! Files appear whole or not at all, so that a comparison that was killed at any time goes on from here.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::CheckpointError;
use crate::identity::Identity;

const IDENTITY: &str = "identity.json";
/// The end of the name of a file that is not whole yet.
const PART: &str = ".part";

type Result<T, E = CheckpointError> = std::result::Result<T, E>;

/// The folder.
#[derive(Debug)]
pub(crate) struct Store {
    folder: PathBuf,
}

/// Describes a comparison by its settings and a hash of its data.
pub(crate) fn identity(settings: Value, data: String) -> Identity {
    let parts = [
        ("the version", env!("CARGO_PKG_VERSION").into()),
        ("the settings", settings),
        ("the hash of the data", data.into()),
    ];
    Identity::new(parts.map(|(name, value): (&str, Value)| (name.to_owned(), value)).into_iter().collect())
}

impl Store {
    /// Opens the folder, making it if it is not there.
    ///
    /// # Errors
    /// [`CheckpointError::OtherRun`] if it is of another comparison, [`CheckpointError::File`] and
    /// [`CheckpointError::Format`] if it cannot be used.
    pub(crate) fn open(folder: &Path, identity: &Identity) -> Result<Self> {
        let store = Self { folder: folder.to_owned() };
        fs::create_dir_all(folder).map_err(|source| failed(folder, "made", source))?;
        let path = store.folder.join(IDENTITY);
        let found = read_json::<Identity>(&path)?;
        let Some(found) = found.filter(|_| store.has_pieces()) else {
            write_json(&path, identity)?;
            return Ok(store);
        };
        identity.check(&found, &path)?;
        Ok(store)
    }

    /// Whether anything is kept here but an identity: a comparison that failed before it had found anything binds nobody.
    fn has_pieces(&self) -> bool {
        let is_piece = |name: &str| name != IDENTITY && !name.ends_with(PART);
        fs::read_dir(&self.folder)
            .is_ok_and(|files| files.filter_map(Result::ok).any(|file| is_piece(&file.file_name().to_string_lossy())))
    }

    /// What a piece found, if it is finished.
    pub(crate) fn finished<T: DeserializeOwned>(&self, piece: &str) -> Result<Option<T>> {
        read_json(&self.path(piece))
    }

    /// Keeps what a piece found, and its checkpoint no longer.
    pub(crate) fn finish<T: Serialize>(&self, piece: &str, found: &T) -> Result<()> {
        write_json(&self.path(piece), found)?;
        let checkpoint = self.checkpoint(piece);
        match fs::remove_file(&checkpoint) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(failed(&checkpoint, "removed", source)),
            _ => Ok(()),
        }
    }

    /// Where the checkpoint of a piece is, if it has one.
    pub(crate) fn checkpoint(&self, piece: &str) -> PathBuf {
        self.folder.join(format!("{piece}.safetensors"))
    }

    fn path(&self, piece: &str) -> PathBuf {
        self.folder.join(format!("{piece}.json"))
    }
}

/// What a piece found: read where it is finished, otherwise worked for and kept.
pub(crate) fn kept<T, E>(store: Option<&Store>, piece: &str, work: impl FnOnce() -> Result<T, E>) -> Result<T, E>
where
    T: Serialize + DeserializeOwned,
    E: From<CheckpointError>,
{
    let Some(store) = store else { return work() };
    if let Some(found) = store.finished(piece)? {
        return Ok(found);
    }
    let found = work()?;
    store.finish(piece, &found)?;
    Ok(found)
}

fn failed(path: &Path, action: &'static str, source: std::io::Error) -> CheckpointError {
    CheckpointError::File { file: path.display().to_string(), action, source }
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(failed(path, "read", source)),
    };
    let wrong = |error: serde_json::Error| CheckpointError::Format {
        file: path.display().to_string(),
        reason: error.to_string(),
    };
    Ok(Some(serde_json::from_str(&text).map_err(wrong)?))
}

fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<()> {
    let text = serde_json::to_string(value)
        .map_err(|error| CheckpointError::Format { file: path.display().to_string(), reason: error.to_string() })?;
    write(path, text.as_bytes())
}

/// Writes to a file beside it, which then takes its name. It is not forced to the disk: a process that is killed loses
/// nothing by that.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut part = path.as_os_str().to_owned();
    part.push(PART);
    let part = PathBuf::from(part);
    fs::write(&part, bytes).and_then(|()| fs::rename(&part, path)).map_err(|source| failed(path, "written", source))
}

#[cfg(test)]
mod tests {
    use super::*;

    use serde_json::json;

    fn of(seeds: usize, data: &str) -> Identity {
        identity(json!({ "seeds": seeds, "folds": 5 }), data.to_owned())
    }

    #[test]
    fn pieces_are_worked_for_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new");
        let store = Store::open(&path, &of(1, "b")).unwrap();
        let mut count = 0;
        let mut work = |store| {
            kept(Some(store), "seed-0", || {
                count += 1;
                Ok::<_, CheckpointError>(0.1 + 0.2)
            })
        };
        assert_eq!(work(&store).unwrap(), 0.1 + 0.2);
        let again = Store::open(&path, &of(1, "b")).unwrap();
        assert_eq!(work(&again).unwrap(), 0.1 + 0.2);
        assert_eq!(count, 1);
        assert_eq!(again.finished::<f64>("seed-1").unwrap(), None);
    }

    #[test]
    fn a_folder_of_another_comparison_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), &of(2, "b")).unwrap();
        // Nothing is found yet, so it may become another comparison's.
        Store::open(folder.path(), &of(3, "b")).unwrap();
        store.finish("seed-0", &0.5).unwrap();
        let cases = [(2, "b", "the settings", "seeds: 3"), (3, "c", "the hash of the data", "b")];
        for (seeds, data, expected_part, expected_text) in cases {
            let error = Store::open(folder.path(), &of(seeds, data)).unwrap_err();
            let CheckpointError::OtherRun { what, found, .. } = error else { panic!("{error}") };
            assert_eq!((what.as_str(), found.as_str()), (expected_part, expected_text));
        }
        fs::write(folder.path().join("seed-0.json"), "{").unwrap();
        let error = store.finished::<f64>("seed-0").unwrap_err();
        assert!(matches!(error, CheckpointError::Format { .. }), "{error}");
    }
}
