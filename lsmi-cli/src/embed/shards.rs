//! What is finished of an embedding, in a directory beside the output until all of it is there.
//!
//! `<output>.partial/` holds a file for every finished shard of rows and the manifest, which says what job they are of. A shard
//! is written beside its place, synced, and renamed: whatever ends the program, a shard is there as a whole or not at all, and
//! no shard is done twice.
//!
//! A shard file is the length of a JSON header (eight bytes, little-endian), the header, and the embeddings of each modality
//! in turn: 32-bit numbers, little-endian, row after row.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::process::interrupt::{self, Unfinished};
use crate::process::staging::MadeDirectories;
use crate::stream::manifest::Job;
use crate::stream::partial::{PartialError, directory_of};

const MANIFEST: &str = "manifest.json";
const LOCK: &str = "lock";
/// Version of the layout.
const SCHEMA: u32 = 1;

/// The manifest of the directory.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    schema: u32,
    job: Job,
}

/// What a shard holds besides embeddings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    /// The place in the table of every row that is there, from 0.
    pub(crate) places: Vec<usize>,
    /// The labels of these rows, where the table has labels.
    pub(crate) labels: Option<Vec<String>>,
    /// The ids of these rows, where the table has ids.
    pub(crate) ids: Option<Vec<String>>,
    /// The rows that were skipped.
    pub(crate) skipped: Vec<Skipped>,
    /// Rows with a text or sound that was longer than its model takes.
    pub(crate) truncated: usize,
    /// Hash of what the rows were made of.
    pub(crate) inputs: String,
}

/// A row that could not be embedded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Skipped {
    /// Its row, from 1, the header aside.
    pub(crate) row: usize,
    /// Its id, where the table has ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    /// What was wrong.
    pub(crate) reason: String,
}

/// A finished shard.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shard {
    pub(crate) header: Header,
    /// The embeddings of each modality, `[rows, width]`.
    pub(crate) embeddings: Vec<Vec<f32>>,
}

/// The directory of the shards.
#[derive(Debug)]
pub(crate) struct Shards {
    directory: PathBuf,
    /// Held while the work goes on; `None` once all is removed.
    lock: Option<File>,
    made: MadeDirectories,
}

impl Shards {
    /// Goes on with the job that is kept for `output`, or begins it; with `anew`, what is kept is thrown away.
    pub(crate) fn open(output: &Path, job: Job, anew: bool) -> Result<Self, PartialError> {
        let directory = directory_of(output);
        let name = directory.display().to_string();
        let failed = |source| PartialError::Write { path: name.clone(), source };
        if directory.exists() && !is_ours(&directory).map_err(failed)? {
            return Err(PartialError::Foreign { directory: name });
        }
        let mut made = MadeDirectories::default();
        made.make(&directory).map_err(failed)?;
        let lock = File::create(directory.join(LOCK)).map_err(failed)?;
        // Where the file system knows no locks, nobody can tell.
        if let Err(TryLockError::WouldBlock) = lock.try_lock() {
            return Err(PartialError::Busy { directory: name });
        }
        let shards = Self { directory, lock: Some(lock), made };
        match shards.manifest()? {
            Some(found) if !anew => {
                let differences = job.differences(&found.job);
                if !differences.is_empty() {
                    let differences = differences.join("; ");
                    return Err(PartialError::OtherJob { directory: name, differences });
                }
            }
            _ => {
                shards.clear().map_err(failed)?;
                let manifest = serde_json::to_vec_pretty(&Manifest { schema: SCHEMA, job })
                    .map_err(|source| PartialError::Manifest { directory: name.clone(), source })?;
                shards.write(MANIFEST, |file| file.write_all(&manifest)).map_err(failed)?;
            }
        }
        Ok(shards)
    }

    fn manifest(&self) -> Result<Option<Manifest>, PartialError> {
        let directory = || self.directory.display().to_string();
        let Ok(bytes) = fs::read(self.directory.join(MANIFEST)) else { return Ok(None) };
        let manifest: Manifest = serde_json::from_slice(&bytes)
            .map_err(|source| PartialError::Manifest { directory: directory(), source })?;
        match manifest.schema {
            SCHEMA => Ok(Some(manifest)),
            found => Err(PartialError::Schema { directory: directory(), found }),
        }
    }

    /// Whether a shard is finished: whole, and made of what has this hash.
    pub(crate) fn is_finished(&self, shard: usize, inputs: &str, bytes_of_a_row: usize) -> bool {
        let length = self.directory.join(name_of(shard)).metadata().map_or(0, |metadata| metadata.len());
        self.header(shard).is_ok_and(|(header, start)| {
            header.inputs == inputs && length == start + (header.places.len() * bytes_of_a_row) as u64
        })
    }

    /// Keeps a shard.
    pub(crate) fn keep(&mut self, shard: usize, content: &Shard) -> Result<(), PartialError> {
        let write = |file: &mut File| {
            let header = serde_json::to_vec(&content.header)?;
            file.write_all(&(header.len() as u64).to_le_bytes())?;
            file.write_all(&header)?;
            for of_modality in &content.embeddings {
                let bytes: Vec<u8> = of_modality.iter().flat_map(|value| value.to_le_bytes()).collect();
                file.write_all(&bytes)?;
            }
            Ok(())
        };
        let _a_whole_shard = interrupt::uninterrupted();
        self.write(&name_of(shard), write).map_err(|source| PartialError::Write {
            path: self.directory.join(name_of(shard)).display().to_string(),
            source,
        })?;
        self.made.keep();
        Ok(())
    }

    /// Says what is kept if the program is stopped now, with so many shards of all finished.
    pub(crate) fn register(&self, finished: usize, all: usize) {
        interrupt::unfinished(Some(Unfinished {
            directory: self.directory.clone(),
            pieces: "shards",
            finished,
            all,
            clear: |directory| {
                // What cannot be removed does no harm.
                let _ = fs::remove_file(directory.join(MANIFEST));
                let _ = fs::remove_file(directory.join(LOCK));
            },
        }));
    }

    /// Writes a file beside its place, and renames it when it is on the disk.
    fn write(&self, name: &str, content: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
        let new = self.directory.join(format!("{name}.new"));
        let mut file = File::create(&new)?;
        content(&mut file)?;
        file.sync_all()?;
        fs::rename(&new, self.directory.join(name))
    }

    /// The header of a shard, and where its embeddings begin.
    pub(crate) fn header(&self, shard: usize) -> io::Result<(Header, u64)> {
        let mut file = File::open(self.directory.join(name_of(shard)))?;
        let mut length = [0; 8];
        file.read_exact(&mut length)?;
        let length = u64::from_le_bytes(length);
        let mut bytes = Vec::new();
        file.take(length).read_to_end(&mut bytes)?;
        Ok((serde_json::from_slice(&bytes)?, 8 + length))
    }

    /// So many bytes of a shard, from `start` on.
    pub(crate) fn bytes(&self, shard: usize, start: u64, length: u64) -> io::Result<Vec<u8>> {
        let mut file = File::open(self.directory.join(name_of(shard)))?;
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        let read = file.take(length).read_to_end(&mut bytes)?;
        if (read as u64) < length {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("{} is cut off", name_of(shard))));
        }
        Ok(bytes)
    }

    /// Removes the directory: all of it is in its place.
    pub(crate) fn remove(mut self) -> io::Result<()> {
        let _all_of_it = interrupt::uninterrupted();
        interrupt::unfinished(None);
        self.clear()?;
        self.remove_emptied()
    }

    /// Removes the directory of no shards.
    fn remove_emptied(&mut self) -> io::Result<()> {
        if self.lock.take().is_none() {
            return Ok(());
        }
        // The manifest and the lock last: they say what the rest is.
        fs::remove_file(self.directory.join(MANIFEST))?;
        fs::remove_file(self.directory.join(LOCK))?;
        fs::remove_dir(&self.directory)
    }

    /// Whether no shard is finished.
    fn is_empty(&self) -> bool {
        let is_finished = |name: &str| is_shard(name) && name.strip_suffix(".new").is_none();
        fs::read_dir(&self.directory)
            .is_ok_and(|entries| entries.flatten().all(|entry| !is_finished(&entry.file_name().to_string_lossy())))
    }

    /// Removes all shards.
    fn clear(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            if is_shard(&entry.file_name().to_string_lossy()) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

/// Work that ended before its first shard leaves nothing.
impl Drop for Shards {
    fn drop(&mut self) {
        if self.is_empty() {
            // What ended the work is what the user is told.
            let _ = self.clear().and_then(|()| self.remove_emptied());
        }
    }
}

fn name_of(shard: usize) -> String {
    format!("shard-{shard:08}")
}

fn is_shard(name: &str) -> bool {
    name.strip_prefix("shard-").is_some_and(|rest| {
        let digits = rest.strip_suffix(".new").unwrap_or(rest);
        digits.len() >= 8 && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Whether a directory holds nothing but what is written here.
fn is_ours(directory: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        let is_known = name == LOCK || name == MANIFEST || name == format!("{MANIFEST}.new");
        if !is_known && !is_shard(&name) {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(model: &str) -> Job {
        Job::new([("model", model.to_owned())])
    }

    fn shard() -> Shard {
        let header = Header {
            places: vec![0, 2],
            ids: Some(vec!["a".into(), "c".into()]),
            inputs: "hash".into(),
            ..Header::default()
        };
        Shard { header, embeddings: vec![vec![0.5, -1.0], vec![1.0, 2.0, 3.0, 4.0]] }
    }

    #[test]
    fn shards_are_kept_and_belong_to_one_job() {
        let place = tempfile::tempdir().unwrap();
        let output = place.path().join("features.safetensors");
        let mut shards = Shards::open(&output, job("a"), false).unwrap();
        shards.keep(3, &shard()).unwrap();
        assert!(matches!(Shards::open(&output, job("a"), false), Err(PartialError::Busy { .. })));
        drop(shards);

        let shards = Shards::open(&output, job("a"), false).unwrap();
        assert!(shards.is_finished(3, "hash", 12) && !shards.is_finished(2, "hash", 12));
        assert!(!shards.is_finished(3, "other", 12) && !shards.is_finished(3, "hash", 16));
        let (header, start) = shards.header(3).unwrap();
        assert_eq!(header, shard().header);
        assert_eq!(shards.bytes(3, start + 8, 4).unwrap(), 1.0f32.to_le_bytes());
        assert!(shards.bytes(3, start, 1000).is_err());
        drop(shards);

        let message = Shards::open(&output, job("b"), false).unwrap_err().to_string();
        assert!(message.contains("model is b, but was a"), "{message}");
        let shards = Shards::open(&output, job("b"), true).unwrap();
        assert!(!shards.is_finished(3, "hash", 12));
        shards.remove().unwrap();
        assert!(!directory_of(&output).exists());
    }

    #[test]
    fn work_without_a_finished_shard_leaves_nothing() {
        let place = tempfile::tempdir().unwrap();
        let output = place.path().join("features.safetensors");
        let shards = Shards::open(&output, job("a"), false).unwrap();
        fs::write(directory_of(&output).join("shard-00000000.new"), "half").unwrap();
        drop(shards);
        assert!(!directory_of(&output).exists());
    }

    #[test]
    fn a_directory_of_something_else_is_left_alone() {
        let place = tempfile::tempdir().unwrap();
        let output = place.path().join("x.safetensors");
        fs::create_dir(directory_of(&output)).unwrap();
        fs::write(directory_of(&output).join("notes.txt"), "mine").unwrap();
        assert!(matches!(Shards::open(&output, job("a"), true), Err(PartialError::Foreign { .. })));
    }
}
