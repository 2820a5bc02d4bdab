//! The header of a part, read and checked.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use safetensors::Dtype;
use safetensors::tensor::Metadata;
use serde::de::DeserializeOwned;

use super::{JoinError, KEY, PartOf};
use crate::embedding::pipeline::group::Skipped;
use crate::features::format::safetensors::LARGEST_HEADER;
use crate::jobs::Shard;

/// The length of the header's length.
const PREFIX: usize = size_of::<u64>();

/// A part of a feature file, without its labels and vectors.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) path: PathBuf,
    /// What it is a part of.
    pub(super) of: PartOf,
    /// What its metadata say besides, which is the same for all parts.
    pub(super) metadata: BTreeMap<String, String>,
    /// Its rows that have vectors.
    pub(super) rows: usize,
    pub(super) ids: Option<Vec<String>>,
    pub(super) classes: Option<Vec<String>>,
    pub(super) skipped: Vec<Skipped>,
    /// Where its labels begin in the file, if it has some.
    pub(super) labels: Option<u64>,
    /// Columns of each modality.
    pub(super) widths: Vec<usize>,
    /// Where the vectors of each modality begin in the file.
    pub(super) vectors: Vec<u64>,
}

impl Part {
    /// Reads the header of a file.
    pub(super) fn read(path: &Path) -> Result<Self, JoinError> {
        let file = path.display().to_string();
        let damaged = |reason: String| JoinError::Damaged { file: file.clone(), reason };
        let (header, start) = header(path)?;
        let mut metadata: BTreeMap<String, String> =
            header.metadata().clone().unwrap_or_default().into_iter().collect();
        let Some(of) = metadata.remove(KEY) else { return Err(JoinError::NoPart { file }) };
        let of: PartOf = understood(KEY, &of).map_err(damaged)?;
        let mut list = |key: &str| metadata.remove(key).map(|text| understood(key, &text)).transpose();
        let (ids, classes) = (list("ids").map_err(damaged)?, list("classes").map_err(damaged)?);
        let skipped = metadata.remove("skipped").map(|text| understood("skipped", &text)).transpose();
        let skipped = skipped.map_err(damaged)?.unwrap_or_default();

        let (mut widths, mut vectors, mut rows) = (Vec::new(), Vec::new(), None);
        while let Some(info) = header.info(&format!("x{}", widths.len() + 1)) {
            let (Dtype::F32, &[count, width @ 1..=usize::MAX]) = (info.dtype, info.shape.as_slice()) else {
                return Err(damaged(format!("`x{}` is not what `lsmi embed` writes", widths.len() + 1)));
            };
            if *rows.get_or_insert(count) != count {
                return Err(damaged("its arrays differ in their numbers of rows".to_owned()));
            }
            widths.push(width);
            vectors.push(start + info.data_offsets.0 as u64);
        }
        let rows = rows.unwrap_or(0);
        let labels = header.info("y").filter(|info| info.dtype == Dtype::I64 && info.shape == [rows]);
        let labels = labels.map(|info| start + info.data_offsets.0 as u64);
        let part = Self { path: path.to_owned(), of, metadata, rows, ids, classes, skipped, labels, widths, vectors };
        part.check(header.offset_keys().len())?;
        Ok(part)
    }

    /// Checks that what the header says goes together; the file has so many arrays.
    fn check(&self, arrays: usize) -> Result<(), JoinError> {
        let PartOf { index, of, groups, all_groups, rows, .. } = &self.of;
        let is_so = Shard::new(*index, *of).is_ok_and(|shard| shard.places(*all_groups) == *groups)
            && rows.len() == self.rows + self.skipped.len()
            && self.ids.as_ref().is_none_or(|ids| ids.len() == self.rows)
            && self.labels.is_some() == self.classes.is_some()
            && arrays == self.widths.len() + usize::from(self.labels.is_some());
        if is_so { Ok(()) } else { Err(self.damaged("its metadata and arrays do not go together".to_owned())) }
    }

    /// Checks that another part is of the same job.
    pub(super) fn check_job(&self, other: &Self) -> Result<(), JoinError> {
        let (file, first) = (other.name(), self.name());
        let keys = self.metadata.keys().chain(other.metadata.keys());
        let mut different: Vec<&str> =
            keys.filter(|key| self.metadata.get(*key) != other.metadata.get(*key)).map(String::as_str).collect();
        different.sort_unstable();
        different.dedup();
        let knows = |part: &Self| (part.rows > 0).then(|| (part.labels.is_some(), part.ids.is_some()));
        let is_alike = knows(self).zip(knows(other)).is_none_or(|(here, there)| here == there);
        let is_one_job = self.of.job == other.of.job && self.of.all_groups == other.of.all_groups;
        if !(is_one_job && different.is_empty() && is_alike && self.widths == other.widths) {
            let what = if different.is_empty() { "its table or options".to_owned() } else { different.join(", ") };
            return Err(JoinError::OtherJob { file, first, what });
        }
        if self.of.of != other.of.of {
            return Err(JoinError::OtherCount { file, found: other.of.of, first, expected: self.of.of });
        }
        Ok(())
    }

    /// What messages call it.
    pub(super) fn name(&self) -> String {
        self.path.display().to_string()
    }

    pub(super) fn damaged(&self, reason: String) -> JoinError {
        JoinError::Damaged { file: self.name(), reason }
    }
}

/// Reads the header of a file, which must be as long as it announces. Returns it and where the first array begins.
fn header(path: &Path) -> Result<(Metadata, u64), JoinError> {
    let name = || path.display().to_string();
    let unreadable = |source| JoinError::Read { file: name(), source };
    let damaged = |reason| JoinError::Damaged { file: name(), reason };
    let mut file = File::open(path).map_err(unreadable)?;
    let size = file.metadata().map_err(unreadable)?.len();
    let mut prefix = [0; PREFIX];
    let length = file.read_exact(&mut prefix).map(|()| u64::from_le_bytes(prefix));
    let within = || damaged(format!("it ends within its header, after {size} bytes"));
    let length = length.map_err(|error| if is_end(&error) { within() } else { unreadable(error) })?;
    let start = length.checked_add(PREFIX as u64).filter(|start| *start <= size).ok_or_else(within)?;
    if length > LARGEST_HEADER {
        return Err(damaged(format!("its header is longer than {LARGEST_HEADER} bytes")));
    }
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes).map_err(unreadable)?;
    let header: Metadata =
        serde_json::from_slice(&bytes).map_err(|error| damaged(format!("its header is invalid: {error}")))?;
    let (announced, following) = (header.data_len() as u64, size - start);
    if announced != following {
        return Err(damaged(format!("its header announces {announced} bytes of arrays, but {following} follow")));
    }
    Ok((header, start))
}

fn is_end(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::UnexpectedEof
}

fn understood<T: DeserializeOwned>(key: &str, text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| format!("`{key}` of its metadata cannot be understood: {error}"))
}
