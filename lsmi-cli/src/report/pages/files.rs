//! The files of a directory that all pages are made of: the summary, and how it was made.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;

use crate::output::made::Made;
use crate::process::failure::Failure;
use lsmi_candle::samples::Format;

/// Why there is nothing to report.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum FolderError {
    /// The directory has no such file.
    #[error("{directory}: there is no {what}; give a directory that `lsmi analyze` or `lsmi demo --out` wrote")]
    Missing { directory: String, what: &'static str },
    /// A file cannot be read.
    #[error("{file}: cannot be read")]
    Read { file: String, source: std::io::Error },
    /// A file does not hold what its name says.
    #[error("{file}: not as this version of `lsmi analyze` writes it; run the analysis again")]
    Layout { file: String, source: serde_json::Error },
    /// Summary and samples are of different runs.
    #[error(
        "{directory}: the split `{split}` has {found} samples, but {expected} by summary.json; the files are of \
         different runs, so run the analysis again"
    )]
    Mismatch { directory: String, split: String, expected: usize, found: usize },
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        Self::data(error)
    }
}

/// What a directory holds, whatever the analysis is of.
#[derive(Debug)]
pub(crate) struct Files {
    pub(crate) directory: PathBuf,
    /// `summary.json`, to look values up by their paths.
    pub(crate) json: Value,
    /// The same as text.
    text: String,
    /// `made.json`, where there is one.
    pub(crate) made: Option<Made>,
}

impl Files {
    /// Reads the files of a directory.
    pub(crate) fn read(directory: &Path) -> Result<Self, FolderError> {
        let path = directory.join("summary.json");
        let missing = || FolderError::Missing { directory: directory.display().to_string(), what: "summary.json" };
        let text = read_text(&path)?.ok_or_else(missing)?;
        Ok(Self { json: parsed(&path, &text)?, directory: directory.to_owned(), text, made: read_made(directory)? })
    }

    /// The summary as that of one kind of analysis.
    pub(crate) fn summary<T: DeserializeOwned>(&self) -> Result<T, FolderError> {
        parsed(&self.directory.join("summary.json"), &self.text)
    }

    /// The file of samples of this name, in the first format that there is.
    pub(crate) fn samples(&self, name: &str) -> Result<PathBuf, FolderError> {
        let paths = Format::ALL.map(|format| self.directory.join(format!("{name}.{format}")));
        let missing =
            || FolderError::Missing { directory: self.directory.display().to_string(), what: "file of samples" };
        paths.into_iter().find(|path| path.is_file()).ok_or_else(missing)
    }
}

/// How the files of a directory were made, where that is known.
pub(super) fn read_made(directory: &Path) -> Result<Option<Made>, FolderError> {
    let path = directory.join("made.json");
    read_text(&path)?.map(|text| parsed(&path, &text)).transpose()
}

/// The text of a file; none where there is no such file.
fn read_text(path: &Path) -> Result<Option<String>, FolderError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(source) => Err(FolderError::Read { file: path.display().to_string(), source }),
    }
}

fn parsed<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, FolderError> {
    serde_json::from_str(text).map_err(|source| FolderError::Layout { file: path.display().to_string(), source })
}
