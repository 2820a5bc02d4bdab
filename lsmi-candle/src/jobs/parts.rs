//! The finished parts of a job, in a directory beside the output until all of it is there.
//!
//! `<output>.partial/` holds a file for every finished part, and the manifest, which says what job they are of. A part is
//! written beside its place, synced, and renamed: whatever ends the program, a part is there as a whole or not at all, and
//! no part is done twice. At the end the parts are put together in the file `whole`, which is renamed to the output's name.
//!
//! The file of a part is the length of a JSON header (eight bytes, little-endian), the header, and the content.

use std::error::Error;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use super::directory::{self, LOCK, PLACED, WHOLE, directory_of, part_name};
use super::{JobError, Work};
use crate::files::{AtomicFile, JobState, MadeDirectories, WriteObserver, sync_directory, write_atomically};

/// The finished parts of a job, which this process alone works on.
#[derive(Debug)]
pub struct Parts<'o> {
    directory: PathBuf,
    /// Held while the work goes on; `None` once all is removed.
    lock: Option<File>,
    made: MadeDirectories<'o>,
    observer: Observed<'o>,
    state: JobState,
}

/// What a finished part holds besides its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<Header> {
    /// What the job says of it.
    pub header: Header,
    /// Bytes of its content.
    pub bytes: u64,
    /// Where the content begins in the file.
    start: u64,
}

/// The header as it is written.
#[derive(Serialize, Deserialize)]
struct Envelope<Of, Header> {
    /// What the part was made of.
    of: Of,
    /// Bytes of its content.
    bytes: u64,
    header: Header,
}

/// An observer, whose debug form says nothing.
#[derive(Clone, Copy)]
struct Observed<'o>(&'o dyn WriteObserver);

impl std::fmt::Debug for Observed<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Observed")
    }
}

impl<'o> Parts<'o> {
    /// Opens the job that is kept for `output`, or begins it. With `anew`, what is kept is thrown away.
    ///
    /// A job without finished parts leaves nothing when it is dropped.
    ///
    /// # Errors
    /// [`JobError`] if another job is kept there, or something else, or another process works on it.
    pub fn open(
        output: &Path,
        work: &Work,
        all: usize,
        pieces: &'static str,
        anew: bool,
        observer: &'o dyn WriteObserver,
    ) -> Result<Self, JobError> {
        let directory = directory_of(output);
        let name = directory.display().to_string();
        let failed = |source| JobError::Write { path: name.clone(), source };
        if directory.exists() && !directory::is_ours(&directory).map_err(failed)? {
            return Err(JobError::Foreign { directory: name });
        }
        let mut made = MadeDirectories::new(observer);
        made.make(&directory).map_err(failed)?;
        let lock = File::create(directory.join(LOCK)).map_err(failed)?;
        // Where the file system knows no locks, nobody can tell.
        if let Err(TryLockError::WouldBlock) = lock.try_lock() {
            return Err(JobError::Busy { directory: name });
        }
        let found = if anew { None } else { directory::read_manifest(&directory)? };
        if let Some(found) = &found {
            let differences = work.differences(found);
            if !differences.is_empty() {
                return Err(JobError::OtherJob { directory: name, differences: differences.join("; ") });
            }
        }
        // From here on the directory is this job's, and goes when nothing comes of it.
        let state = JobState { directory: directory.clone(), pieces, finished: 0, all };
        let parts = Self { directory, lock: Some(lock), made, observer: Observed(observer), state };
        if found.is_none() {
            directory::clear_files(&parts.directory).map_err(failed)?;
            directory::write_manifest(&parts.directory, work).map_err(failed)?;
        }
        Ok(parts)
    }

    /// Returns the directory in which the parts are kept.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Lists the parts that are not finished: those that are not whole, or were not made of what `of` says. From here on the
    /// observer is told how far the job is.
    pub fn unfinished(&mut self, of: &[String]) -> Vec<usize> {
        let left: Vec<usize> = (0..self.state.all).filter(|part| !self.is_finished(*part, &of[*part])).collect();
        self.state.finished = self.state.all - left.len();
        self.observer.0.job(Some(self.state.clone()));
        left
    }

    fn is_finished(&self, part: usize, of: &str) -> bool {
        let length = self.path(part).metadata().map_or(0, |metadata| metadata.len());
        let found = self.envelope::<String, IgnoredAny>(part);
        found.is_ok_and(|(envelope, start)| envelope.of == of && length == start + envelope.bytes)
    }

    /// Keeps a part that was made of what `of` says.
    ///
    /// # Errors
    /// [`JobError::Write`] if it cannot be written.
    pub fn keep(
        &mut self,
        part: usize,
        of: &str,
        header: &impl Serialize,
        content: &[impl AsRef<[u8]>],
    ) -> Result<(), JobError> {
        let path = self.path(part);
        let bytes = content.iter().map(|piece| piece.as_ref().len() as u64).sum();
        let _a_whole_part = self.observer.0.hold();
        let written = write_atomically(&path, |file| {
            let header = serde_json::to_vec(&Envelope { of, bytes, header })?;
            file.write_all(&(header.len() as u64).to_le_bytes())?;
            file.write_all(&header)?;
            content.iter().try_for_each(|piece| file.write_all(piece.as_ref()))
        });
        written.map_err(|source| JobError::Write { path: path.display().to_string(), source })?;
        self.made.keep();
        self.state.finished += 1;
        self.observer.0.job(Some(self.state.clone()));
        Ok(())
    }

    /// Reads the header of a finished part.
    ///
    /// # Errors
    /// [`JobError::Part`] if the part is not there, or has another header.
    pub fn part<Header: DeserializeOwned>(&self, part: usize) -> Result<Part<Header>, JobError> {
        let found = self.envelope::<IgnoredAny, Header>(part);
        let (Envelope { header, bytes, .. }, start) = found.map_err(|source| self.unreadable(part, source))?;
        Ok(Part { header, bytes, start })
    }

    /// Reads some bytes of the content of a finished part.
    ///
    /// # Errors
    /// [`JobError::Part`] if they are not there.
    pub fn content<Header>(&self, number: usize, part: &Part<Header>, bytes: Range<u64>) -> Result<Vec<u8>, JobError> {
        let read = || {
            let mut file = File::open(self.path(number))?;
            file.seek(SeekFrom::Start(part.start + bytes.start))?;
            let mut content = Vec::new();
            let wanted = bytes.end - bytes.start;
            let read = file.take(wanted).read_to_end(&mut content)?;
            if (read as u64) < wanted {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it is cut off"));
            }
            Ok(content)
        };
        read().map_err(|source| self.unreadable(number, source))
    }

    /// Puts the parts together and renames the result to its place. `join` writes it.
    ///
    /// # Errors
    /// Those of `join`, and [`JobError::Write`]; the parts are kept.
    pub fn place(
        &mut self,
        output: &Path,
        join: impl FnOnce(&Self, &Arc<File>) -> Result<(), Box<dyn Error + Send + Sync>>,
    ) -> Result<(), JobError> {
        let path = || output.display().to_string();
        let failed = |source| JobError::Write { path: path(), source };
        let whole = AtomicFile::create(&self.directory.join(WHOLE)).map_err(failed)?;
        let file = Arc::new(whole.file().try_clone().map_err(failed)?);
        join(self, &file).map_err(|source| match source.downcast::<io::Error>() {
            Ok(source) => failed(*source),
            Err(source) => match source.downcast::<JobError>() {
                Ok(error) => *error,
                Err(source) => JobError::Join { path: path(), source },
            },
        })?;
        whole.file().sync_all().map_err(failed)?;
        whole.persist().map_err(failed)?;
        let _both = self.observer.0.hold();
        File::create(self.directory.join(PLACED)).map_err(failed)?;
        self.rename(output).map_err(failed)
    }

    /// Whether the output was put in its place by an earlier process that did not come to [remove](Self::remove) the parts.
    /// Where that process came to an end while it did so, it is done now.
    ///
    /// # Errors
    /// [`JobError::Write`] if the output cannot be renamed.
    pub fn is_placed(&mut self, output: &Path) -> Result<bool, JobError> {
        if self.state.finished < self.state.all || !self.directory.join(PLACED).exists() {
            return Ok(false);
        }
        if self.directory.join(WHOLE).exists() {
            let _both = self.observer.0.hold();
            self.rename(output).map_err(|source| JobError::Write { path: output.display().to_string(), source })?;
        }
        Ok(output.exists())
    }

    fn rename(&mut self, output: &Path) -> io::Result<()> {
        fs::rename(self.directory.join(WHOLE), output)?;
        sync_directory(output);
        self.made.keep();
        self.observer.0.written(output);
        self.observer.0.job(None);
        Ok(())
    }

    /// Removes the directory: the output is in its place.
    ///
    /// # Errors
    /// If something in it cannot be removed, which does no harm.
    pub fn remove(mut self) -> io::Result<()> {
        let _all_of_it = self.observer.0.hold();
        self.observer.0.job(None);
        self.lock = None;
        directory::clear(&self.directory)
    }

    fn envelope<Of: DeserializeOwned, Header: DeserializeOwned>(
        &self,
        part: usize,
    ) -> io::Result<(Envelope<Of, Header>, u64)> {
        let mut file = File::open(self.path(part))?;
        let mut length = [0; 8];
        file.read_exact(&mut length)?;
        let length = u64::from_le_bytes(length);
        let mut bytes = Vec::new();
        file.take(length).read_to_end(&mut bytes)?;
        Ok((serde_json::from_slice(&bytes)?, 8 + length))
    }

    fn path(&self, part: usize) -> PathBuf {
        self.directory.join(part_name(part))
    }

    fn unreadable(&self, part: usize, source: io::Error) -> JobError {
        JobError::Part { path: self.path(part).display().to_string(), source }
    }
}

/// Work that ended before its first part leaves nothing.
impl Drop for Parts<'_> {
    fn drop(&mut self) {
        if self.lock.is_some() {
            self.observer.0.job(None);
            if directory::is_empty(&self.directory) {
                // What ended the work is what the user is told.
                let _ = directory::clear(&self.directory);
            }
        }
    }
}
