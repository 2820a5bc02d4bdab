//! The directory of an unfinished job: the names of its files, its manifest, and how it is cleared.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{JobError, Work};
use crate::files::{PREFIX, write_atomically};

pub(super) const MANIFEST: &str = "manifest.json";
/// Locked by the process that works on the job.
pub(super) const LOCK: &str = "lock";
/// The output while its parts are put together, and until it is renamed to its place.
pub(super) const WHOLE: &str = "whole";
/// Says that the output is being renamed to its place, or stands there.
pub(super) const PLACED: &str = "placed";
/// How the names of parts begin.
const PART: &str = "part-";
/// Version of the layout.
pub(super) const SCHEMA: u32 = 3;

/// What the manifest holds.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    schema: u32,
    /// SHA-256 of the canonical JSON of the job.
    sha256: String,
    job: Work,
}

/// Returns the directory in which an unfinished output is kept: `<output>.partial`.
pub fn directory_of(output: &Path) -> PathBuf {
    let mut name = output.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    output.with_file_name(name)
}

/// Returns the name of a part's file.
pub(super) fn part_name(part: usize) -> String {
    format!("{PART}{part:08}")
}

/// Whether a file is one of a finished part.
pub(super) fn is_part(name: &str) -> bool {
    name.strip_prefix(PART).is_some_and(|digits| digits.len() >= 8 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn names(directory: &Path) -> io::Result<Vec<String>> {
    fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

/// Whether a directory holds nothing but what is written here.
pub(super) fn is_ours(directory: &Path) -> io::Result<bool> {
    let is_known = |name: &String| {
        [MANIFEST, LOCK, WHOLE, PLACED].contains(&name.as_str()) || is_part(name) || name.starts_with(PREFIX)
    };
    Ok(names(directory)?.iter().all(is_known))
}

/// Whether no part is finished.
pub(super) fn is_empty(directory: &Path) -> bool {
    names(directory).is_ok_and(|names| !names.iter().any(|name| is_part(name)))
}

/// Reads what the job does that is kept in a directory; `None` where there is no manifest.
pub(super) fn read_manifest(directory: &Path) -> Result<Option<Work>, JobError> {
    let name = || directory.display().to_string();
    let understood = |source| JobError::Manifest { directory: name(), source };
    let Ok(bytes) = fs::read(directory.join(MANIFEST)) else { return Ok(None) };
    let value: Value = serde_json::from_slice(&bytes).map_err(understood)?;
    match value["schema"].as_u64().and_then(|schema| u32::try_from(schema).ok()) {
        Some(SCHEMA) | None => {}
        Some(found) => return Err(JobError::Schema { directory: name(), found, known: SCHEMA }),
    }
    let Manifest { sha256, job, .. } = serde_json::from_value(value).map_err(understood)?;
    if sha256 != job.sha256() {
        let source = serde::de::Error::custom("its sha256 is not that of its job");
        return Err(understood(source));
    }
    Ok(Some(job))
}

pub(super) fn write_manifest(directory: &Path, job: &Work) -> io::Result<()> {
    let manifest = Manifest { schema: SCHEMA, sha256: job.sha256(), job: job.clone() };
    let bytes = serde_json::to_vec_pretty(&manifest)?;
    write_atomically(&directory.join(MANIFEST), |file| file.write_all(&bytes))
}

/// Removes all files but the lock. The manifest goes first: without one nothing counts as finished, however far this comes.
pub(super) fn clear_files(directory: &Path) -> io::Result<()> {
    remove(&directory.join(MANIFEST))?;
    let is_kept = |name: &String| is_part(name) || name.starts_with(PREFIX) || [WHOLE, PLACED].contains(&name.as_str());
    names(directory)?.iter().filter(|name| is_kept(name)).try_for_each(|name| remove(&directory.join(name)))
}

/// Removes the directory of a job with all that is kept in it.
///
/// # Errors
/// If something in it cannot be removed, or was not written by a job.
pub fn clear(directory: &Path) -> io::Result<()> {
    if !directory.exists() {
        return Ok(());
    }
    clear_files(directory)?;
    remove(&directory.join(LOCK))?;
    fs::remove_dir(directory)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
