//! What is finished of a job, kept in a directory beside the output until all of it is there.
//!
//! `<output>.partial/` holds the finished groups, one after the other, in the file `rows`, and the manifest, which says how
//! many bytes of it count. A group is finished in this order: its bytes are appended and synced to the disk, then the
//! manifest is written beside the old one, synced, and renamed over it. Whenever the program ends, the manifest therefore
//! tells of bytes that are there, and what was appended after them is cut off when the job goes on.
//!
//! At the end `rows` becomes `whole`, complete and synced, which is renamed to the output's name; then the rest goes.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use thiserror::Error;

use super::manifest::{Finished, Job, Manifest, SCHEMA};
use crate::process::interrupt::{self, Unfinished};
use crate::process::staging::MadeDirectories;
use lsmi_candle::samples::ExtraColumns;
use lsmi_candle::samples::Format;
use lsmi_candle::samples::Sums;
use lsmi_candle::samples::parquet::Joined;

const MANIFEST: &str = "manifest.json";
const NEW_MANIFEST: &str = "manifest.json.new";
const ROWS: &str = "rows";
const WHOLE: &str = "whole";
const NEW_WHOLE: &str = "whole.new";

/// Bytes before each piece of a Parquet file: its length.
const LENGTH: usize = size_of::<u64>();

/// Why a job cannot be begun, or cannot go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum PartialError {
    /// What is there is of another job.
    #[error(
        "{directory}: holds an unfinished job that differs: {differences}; give that job's data and options to finish it, start anew with --force, or name another place with --out"
    )]
    OtherJob { directory: String, differences: String },
    /// What is there is not ours.
    #[error("{directory}: is there, but holds no unfinished job; remove it, or name another place with --out")]
    Foreign { directory: String },
    /// The manifest cannot be understood.
    #[error("{directory}: its {MANIFEST} cannot be understood; start anew with --force")]
    Manifest { directory: String, source: serde_json::Error },
    /// The manifest is of another version.
    #[error(
        "{directory}: its {MANIFEST} has the layout {found}, but this version knows {SCHEMA}; start anew with --force"
    )]
    Schema { directory: String, found: u32 },
    /// Rows that were finished are gone.
    #[error("{directory}: of {expected} finished bytes only {found} are there; start anew with --force")]
    Lost { directory: String, expected: u64, found: u64 },
    /// Another process is at it.
    #[error("{directory}: another process is working on it; let it finish, or name another place with --out")]
    Busy { directory: String },
    /// The file system refused.
    #[error("{path}: cannot be written; check the path, permissions and free space")]
    Write { path: String, source: io::Error },
    /// The pieces could not be put together.
    #[error("{path}: cannot be put together")]
    Join { path: String, source: Box<dyn std::error::Error + Send + Sync> },
}

/// A job that was begun.
#[derive(Debug)]
pub(crate) struct Partial {
    directory: PathBuf,
    rows: File,
    manifest: Manifest,
    format: Format,
    /// How many groups there are.
    groups: usize,
    /// Directories that go again where nothing comes to stand in them.
    made: MadeDirectories,
}

/// How a job is found when it is to be done.
#[derive(Debug)]
pub(crate) enum Found {
    /// Begun, now or before, and to be gone on with.
    Begun(Partial),
    /// All of it is done and in its place; only this was not said any more.
    Done(Finished),
}

/// The directory in which an unfinished output is kept.
pub(crate) fn directory_of(output: &Path) -> PathBuf {
    let mut name = output.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    output.with_file_name(name)
}

impl Partial {
    /// Goes on with the job that is kept for `output`, or begins it; `header` comes before all groups.
    ///
    /// With `anew`, what is kept is thrown away.
    pub(crate) fn find(
        output: &Path,
        job: Job,
        groups: usize,
        format: Format,
        header: &[u8],
        anew: bool,
    ) -> Result<Found, PartialError> {
        let directory = directory_of(output);
        let name = directory.display().to_string();
        check_idle(&directory)?;
        let manifest = read_manifest(&directory, anew)?;
        let is_new = manifest.is_none();
        if let Some(found) = &manifest {
            let differences = job.differences(&found.job);
            if !differences.is_empty() {
                let differences = differences.join("; ");
                return Err(PartialError::OtherJob { directory: name, differences });
            }
            let is_finished = found.finished.groups == groups;
            if is_finished && !directory.join(ROWS).exists() {
                put_in_place(&directory, output)?;
                return Ok(Found::Done(found.finished.clone()));
            }
        }
        let mut made = MadeDirectories::default();
        made.make(&directory).map_err(|source| PartialError::Write { path: name.clone(), source })?;
        let rows = open_rows(&directory)?;
        // Where the file system knows no locks, nobody can tell.
        if let Err(TryLockError::WouldBlock) = rows.try_lock() {
            return Err(PartialError::Busy { directory: name });
        }
        let manifest = manifest.unwrap_or(Manifest { schema: SCHEMA, job, finished: Finished::default() });
        let mut partial = Self { directory, rows, manifest, format, groups, made };
        partial.register();
        if is_new {
            partial.truncate(0)?;
            partial.append(header)?;
            partial.manifest.finished.bytes = header.len() as u64;
            partial.write_manifest()?;
        } else {
            let expected = partial.manifest.finished.bytes;
            let found = partial.rows.metadata().map_err(|source| partial.failed(ROWS, source))?.len();
            if found < expected {
                return Err(PartialError::Lost { directory: name, expected, found });
            }
            partial.truncate(expected)?;
        }
        Ok(Found::Begun(partial))
    }

    /// How much is finished.
    pub(crate) fn finished(&self) -> &Finished {
        &self.manifest.finished
    }

    /// Keeps a group.
    pub(crate) fn finish_group(&mut self, content: &[u8], split: &str, sums: &Sums) -> Result<(), PartialError> {
        let _a_whole_group = interrupt::uninterrupted();
        let mut bytes = content.len() as u64;
        if self.format == Format::Parquet {
            self.append(&bytes.to_le_bytes())?;
            bytes += LENGTH as u64;
        }
        self.append(content)?;
        self.rows.sync_data().map_err(|source| self.failed(ROWS, source))?;
        self.manifest.finished.add(bytes, split, sums);
        self.write_manifest()?;
        self.made.keep();
        self.register();
        Ok(())
    }

    /// Says what is kept if the program is stopped.
    fn register(&self) {
        interrupt::unfinished(Some(Unfinished {
            directory: self.directory.clone(),
            pieces: "row groups",
            finished: self.manifest.finished.groups,
            all: self.groups,
            // What cannot be removed does no harm.
            clear: |directory| drop(clear(directory)),
        }));
    }

    /// Puts the output in its place. `further` are the further columns.
    pub(crate) fn finish(mut self, output: &Path, further: &ExtraColumns) -> Result<Finished, PartialError> {
        let rows = self.directory.join(ROWS);
        if self.format == Format::Parquet {
            let new = self.directory.join(NEW_WHOLE);
            self.join(&new, further)?;
            rename(&new, &self.directory.join(WHOLE))?;
            remove(&rows)?;
        } else {
            rename(&rows, &self.directory.join(WHOLE))?;
        }
        self.made.keep();
        put_in_place(&self.directory, output)?;
        interrupt::unfinished(None);
        Ok(self.manifest.finished)
    }

    /// Removes a job of which nothing is finished; others are kept.
    pub(crate) fn give_up(self) {
        if self.manifest.finished.groups == 0 {
            // What cannot be removed does no harm.
            let _ = clear(&self.directory);
        }
        interrupt::unfinished(None);
    }

    /// Puts the pieces of a Parquet file together.
    fn join(&self, path: &Path, further: &ExtraColumns) -> Result<(), PartialError> {
        let name = || path.display().to_string();
        let file = File::create(path).map_err(|source| PartialError::Write { path: name(), source })?;
        let file = Arc::new(file);
        let joined = || {
            let mut joined = Joined::new(Arc::clone(&file), further);
            let mut rows = &self.rows;
            rows.seek(SeekFrom::Start(0))?;
            let mut left = self.manifest.finished.bytes;
            while left > 0 {
                let mut length = [0; LENGTH];
                rows.read_exact(&mut length)?;
                let length = u64::from_le_bytes(length);
                let mut piece = Vec::new();
                rows.take(length).read_to_end(&mut piece)?;
                joined.append(&Bytes::from(piece))?;
                left = left.saturating_sub(length + LENGTH as u64);
            }
            joined.finish()?;
            Ok(file.sync_all()?)
        };
        joined().map_err(|source| PartialError::Join { path: name(), source })
    }

    fn append(&mut self, content: &[u8]) -> Result<(), PartialError> {
        (&self.rows).write_all(content).map_err(|source| self.failed(ROWS, source))
    }

    fn truncate(&mut self, length: u64) -> Result<(), PartialError> {
        let cut = self.rows.set_len(length).and_then(|()| (&self.rows).seek(SeekFrom::Start(length)));
        cut.map(drop).map_err(|source| self.failed(ROWS, source))
    }

    fn write_manifest(&self) -> Result<(), PartialError> {
        let new = self.directory.join(NEW_MANIFEST);
        let write = || {
            let mut file = File::create(&new)?;
            file.write_all(&serde_json::to_vec_pretty(&self.manifest)?)?;
            file.sync_all()
        };
        write().map_err(|source| self.failed(NEW_MANIFEST, source))?;
        rename(&new, &self.directory.join(MANIFEST))
    }

    fn failed(&self, name: &str, source: io::Error) -> PartialError {
        PartialError::Write { path: self.directory.join(name).display().to_string(), source }
    }
}

/// The manifest in a directory, if there is one; with `anew` there is none afterwards.
fn read_manifest(directory: &Path, anew: bool) -> Result<Option<Manifest>, PartialError> {
    let name = || directory.display().to_string();
    let Ok(entries) = fs::read_dir(directory) else { return Ok(None) };
    let ours = [MANIFEST, NEW_MANIFEST, ROWS, WHOLE, NEW_WHOLE];
    let is_ours = |name: &std::ffi::OsStr| ours.iter().any(|known| name == *known);
    if !entries.flatten().all(|entry| is_ours(&entry.file_name())) {
        return Err(PartialError::Foreign { directory: name() });
    }
    let path = directory.join(MANIFEST);
    if anew || !path.exists() {
        // Without a manifest nothing is finished.
        clear(directory)?;
        return Ok(None);
    }
    let bytes = fs::read(&path).map_err(|source| PartialError::Write { path: path.display().to_string(), source })?;
    let understood = |source| PartialError::Manifest { directory: name(), source };
    let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(understood)?;
    match value["schema"].as_u64().and_then(|schema| u32::try_from(schema).ok()) {
        Some(SCHEMA) | None => Ok(Some(serde_json::from_value(value).map_err(understood)?)),
        Some(found) => Err(PartialError::Schema { directory: name(), found }),
    }
}

/// Makes sure, before anything is thrown away, that no other process is at it.
fn check_idle(directory: &Path) -> Result<(), PartialError> {
    match File::open(directory.join(ROWS)).map(|rows| rows.try_lock()) {
        Ok(Err(TryLockError::WouldBlock)) => Err(PartialError::Busy { directory: directory.display().to_string() }),
        _ => Ok(()),
    }
}

fn open_rows(directory: &Path) -> Result<File, PartialError> {
    let path = directory.join(ROWS);
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
    opened.map_err(|source| PartialError::Write { path: path.display().to_string(), source })
}

/// Renames what is whole to its name and removes the directory.
fn put_in_place(directory: &Path, output: &Path) -> Result<(), PartialError> {
    let _both = interrupt::uninterrupted();
    let whole = directory.join(WHOLE);
    if whole.exists() {
        rename(&whole, output)?;
        interrupt::written(output, None);
    }
    clear(directory)
}

/// Renames a file, and sees to it that the disk knows.
fn rename(from: &Path, to: &Path) -> Result<(), PartialError> {
    let failed = |source| PartialError::Write { path: to.display().to_string(), source };
    fs::rename(from, to).map_err(failed)?;
    // Only where directories can be opened, and elsewhere the rename is as good as it gets.
    if let Some(Ok(directory)) = to.parent().map(File::open) {
        let _ = directory.sync_all();
    }
    Ok(())
}

fn remove(path: &Path) -> Result<(), PartialError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(PartialError::Write { path: path.display().to_string(), source })
        }
        _ => Ok(()),
    }
}

/// Removes all that is kept; the manifest last, for it says what the rest is.
fn clear(directory: &Path) -> Result<(), PartialError> {
    for name in [NEW_WHOLE, WHOLE, NEW_MANIFEST, ROWS, MANIFEST] {
        remove(&directory.join(name))?;
    }
    match fs::remove_dir(directory) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(PartialError::Write { path: directory.display().to_string(), source })
        }
        _ => Ok(()),
    }
}
