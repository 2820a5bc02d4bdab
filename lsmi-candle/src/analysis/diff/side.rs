//! One of two analyses: the samples of a split, and what its summary says of how they were measured.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use lsmi_core::Kind;
use serde_json::Value;
use thiserror::Error;

use crate::analysis::AnalysisKind;
use crate::samples::Format;
use crate::samples::read::{Need, SamplesError, SplitSamples, Wanted, chosen_split, read_splits};

/// The quantities of a sample that are compared, by the names of their columns.
pub const QUANTITIES: [&str; 7] = ["i1", "i2", "i12", "r", "u1", "u2", "s"];

/// Why there is nothing to compare.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SideError {
    /// The samples cannot be used.
    #[error(transparent)]
    Samples(#[from] SamplesError),
    /// There is no such directory or file.
    #[error("{path}: no such directory; give one that `analyze` wrote, or a file of samples")]
    NotFound {
        /// The path.
        path: String,
    },
    /// There are no samples in the directory.
    #[error("{path}: holds no samples.csv, samples.jsonl or samples.parquet; give a directory that `analyze` wrote")]
    NoSamples {
        /// The path.
        path: String,
    },
    /// There are several files of samples.
    #[error("{path}: holds {found}; name the file that is meant")]
    SeveralSamples {
        /// The path.
        path: String,
        /// What was found.
        found: String,
    },
    /// The analysis is of something else.
    #[error("{path}: is an analysis of {kind}, and samples of two modalities about one label or target are compared")]
    Kind {
        /// The path.
        path: String,
        /// What the analysis is of.
        kind: AnalysisKind,
    },
    /// The summary cannot be read.
    #[error("{path}: is no summary of an analysis; write it again, or name the file of samples alone")]
    Summary {
        /// The path.
        path: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The samples of a split, in the order of their file.
#[derive(Debug, Default)]
pub struct Side {
    /// The file of samples.
    pub file: String,
    /// The split; empty where the file names none.
    pub split: String,
    /// The ids.
    pub ids: Vec<String>,
    /// The class of each; empty text without labels.
    pub labels: Vec<String>,
    /// The kind of each, where all have one.
    pub kinds: Option<Vec<Kind>>,
    /// The values of each of [`QUANTITIES`].
    pub values: [Vec<f64>; 7],
    /// The samples that lack a modality, which are left out.
    pub left_out: usize,
    /// `summary.json` beside the samples, if there is one.
    pub summary: Option<Value>,
}

impl Side {
    /// Returns how many samples there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Returns whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Reads a directory that `analyze` wrote, or a file of samples.
    ///
    /// # Errors
    /// [`SideError`] if there are no samples, several files of them, or samples that cannot be read; if they are of more than
    /// two modalities, of several labels or lags.
    pub fn read(path: &Path, split: Option<&str>) -> Result<Self, SideError> {
        check_kind(path)?;
        let samples = samples_of(path)?;
        let file = samples.display().to_string();
        let wanted = Wanted {
            values: &QUANTITIES,
            split: Need::Optional,
            label: Need::Optional,
            kind: Need::Optional,
            ..Wanted::default()
        };
        let mut splits = read_splits(&samples, wanted)?;
        let (split, found) = chosen_split(&file, &mut splits, split)?;
        let summary = read_summary(&samples.with_file_name("summary.json"))?;
        let kinds = found.kinds.iter().copied().collect();
        let mut columns = found.values.iter().cloned();
        let values = std::array::from_fn(|_| columns.next().unwrap_or_default());
        let SplitSamples { ids, labels, left_out, .. } = found;
        Ok(Self { file, split, ids, labels, kinds, values, left_out, summary })
    }
}

/// Refuses analyses whose samples have other columns, or several rows of one id, by the summary beside them.
fn check_kind(path: &Path) -> Result<(), SideError> {
    let directory = if path.is_dir() { Some(path) } else { path.parent() };
    match directory.and_then(AnalysisKind::of_directory) {
        Some(kind @ (AnalysisKind::Several | AnalysisKind::Labels | AnalysisKind::Lags)) => {
            Err(SideError::Kind { path: path.display().to_string(), kind })
        }
        _ => Ok(()),
    }
}

/// The file of samples that a path names or holds.
fn samples_of(path: &Path) -> Result<PathBuf, SideError> {
    let name = || path.display().to_string();
    if path.is_file() {
        return Ok(path.to_owned());
    }
    if !path.is_dir() {
        return Err(SideError::NotFound { path: name() });
    }
    let all = Format::ALL.map(|format| path.join(format!("samples.{format}")));
    let mut found: Vec<PathBuf> = all.into_iter().filter(|file| file.is_file()).collect();
    match (found.pop(), found.as_slice()) {
        (None, _) => Err(SideError::NoSamples { path: name() }),
        (Some(only), []) => Ok(only),
        (Some(last), others) => {
            let files = others.iter().chain([&last]).filter_map(|file| file.file_name());
            let found = files.map(|file| file.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" and ");
            Err(SideError::SeveralSamples { path: name(), found })
        }
    }
}

fn read_summary(path: &Path) -> Result<Option<Value>, SideError> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| SideError::Summary {
        path: path.display().to_string(),
        source,
    };
    match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error.into())),
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| failed(error.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: &str = "id,split,label,i1,i2,i12,r,u1,u2,s,kind\n\
        a,train,cat,1,2,3,4,5,6,7,none\nb,train,dog,1,2,3,4,5,6,8,redundant\na,eval,cat,0,0,0,0,0,0,0,\n";

    fn place(files: &[(&str, &str)]) -> tempfile::TempDir {
        let place = tempfile::tempdir().unwrap();
        for (name, content) in files {
            fs::write(place.path().join(name), content).unwrap();
        }
        place
    }

    #[test]
    fn the_samples_of_a_directory_or_a_file() {
        let place = place(&[("samples.csv", CSV), ("summary.json", "{\"gauge\":\"raw\"}")]);
        for path in [place.path().to_owned(), place.path().join("samples.csv")] {
            let side = Side::read(&path, None).unwrap();
            assert_eq!((side.split.as_str(), side.ids.len()), ("train", 2));
            assert_eq!((side.values[0][1], side.values[6][1]), (1.0, 8.0));
            assert_eq!(side.kinds, Some(vec![Kind::None, Kind::Redundant]));
            assert_eq!(side.summary.unwrap()["gauge"], "raw");
        }
        assert_eq!(Side::read(place.path(), Some("eval")).unwrap().kinds, None);
    }

    #[test]
    fn what_is_missing_or_ambiguous_is_named() {
        let refusal = |files: &[(&str, &str)]| Side::read(place(files).path(), None).unwrap_err().to_string();
        assert!(refusal(&[]).contains("holds no samples.csv"));
        let message = refusal(&[("samples.csv", CSV), ("samples.jsonl", "")]);
        assert!(message.contains("holds samples.csv and samples.jsonl"), "{message}");
        assert!(refusal(&[("samples.csv", CSV), ("summary.json", "{")]).contains("is no summary"));
        assert!(refusal(&[("samples.csv", &CSV.replace("6,8", "6,x"))]).contains("`s` is `x` at row 1"));
        assert!(refusal(&[("samples.csv", &CSV.replace("b,train", "a,train"))]).contains("rows 0 and 1"));
        assert!(refusal(&[("samples.csv", &CSV.replace("u2", "w"))]).contains("no column `u2`"));
        for (summary, kind) in [
            (r#"{"modalities": ["a", "b", "c"]}"#, "more than two modalities"),
            (r#"{"table": [], "labels": {}}"#, "several labels"),
            (r#"{"lags": {}}"#, "several lags"),
        ] {
            let message = refusal(&[("samples.csv", CSV), ("summary.json", summary)]);
            assert!(message.contains(&format!("is an analysis of {kind}")), "{message}");
        }
        assert!(Side::read(Path::new("nowhere"), None).unwrap_err().to_string().contains("no such directory"));
    }
}
