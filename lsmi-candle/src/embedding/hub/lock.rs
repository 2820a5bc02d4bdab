//! The lock: which commit a branch was at and what each file was when it was first used.
//!
//! A TOML file beside the cache (`lsmi-models.lock`, or where `LSMI_MODELS_LOCK` says). Whatever was used once is held
//! against it ever after, so that a branch that moves or a file that changes is noticed. The file is replaced whole, by
//! one process at a time.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::name::{Repository, check_path, is_commit, is_sha256};
use super::{HubError, cache};
use crate::files::{Digest, write_atomically};

const VERSION: u32 = 1;
const HEAD: &str = "\
# Commits and hashes of models as they were at their first use. Written by lsmi; renewed by `lsmi models pull --again`.

";

/// The content of the lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    version: u32,
    /// Commits by `organisation/model@branch`.
    #[serde(default)]
    revisions: BTreeMap<String, String>,
    /// What there is to choose files from, by `organisation/model@commit`.
    #[serde(default)]
    lists: BTreeMap<String, Vec<String>>,
    /// Files by `organisation/model@commit`, then by their paths.
    #[serde(default)]
    files: BTreeMap<String, BTreeMap<String, Digest>>,
}

impl Default for Lock {
    fn default() -> Self {
        Self { version: VERSION, revisions: BTreeMap::new(), lists: BTreeMap::new(), files: BTreeMap::new() }
    }
}

fn key(repository: &Repository, revision: &str) -> String {
    format!("{repository}@{revision}")
}

impl Lock {
    /// Reads the lock; where there is none, nothing is pinned.
    ///
    /// # Errors
    /// If it cannot be read or understood.
    pub fn read(path: &Path) -> Result<Self, HubError> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            text => text.map_err(HubError::io(path))?,
        };
        let wrong = |reason: String| HubError::Lock { path: path.to_owned(), reason };
        let lock: Self = toml::from_str(&text).map_err(|error| wrong(error.to_string().trim_end().to_owned()))?;
        if lock.version != VERSION {
            return Err(wrong(format!("its version is {}, but this program knows {VERSION}", lock.version)));
        }
        let lists = lock.lists.values().flatten();
        let files = lock.files.values().flatten();
        for path in lists.chain(files.clone().map(|(path, _)| path)) {
            check_path(path).map_err(|error| wrong(error.to_string()))?;
        }
        if let Some((key, _)) = lock.revisions.iter().find(|(_, commit)| !is_commit(commit)) {
            return Err(wrong(format!("what `{key}` is pinned to is no commit")));
        }
        if let Some((path, _)) = files.into_iter().find(|(_, digest)| !is_sha256(&digest.sha256)) {
            return Err(wrong(format!("`sha256` of {path} is not 64 hexadecimal digits")));
        }
        Ok(lock)
    }

    /// Changes the lock at `path`, if there is anything to change.
    pub(super) fn update(path: &Path, change: impl FnOnce(&mut Self)) -> Result<(), HubError> {
        let failed = |source| HubError::LockWrite { path: path.to_owned(), source };
        cache::make_parent(path)?;
        // Whoever holds the guard may write; it goes free when it is closed, also by an end of the process.
        let guard = File::create(path.with_extension("guard")).map_err(failed)?;
        guard.lock().map_err(failed)?;
        let old = Self::read(path)?;
        let mut new = old.clone();
        change(&mut new);
        if new == old {
            return Ok(());
        }
        let text = toml::to_string(&new).map_err(|error| failed(io::Error::other(error)))?;
        write_atomically(path, |file| file.write_all(HEAD.as_bytes()).and_then(|()| file.write_all(text.as_bytes())))
            .map_err(failed)
    }

    pub(super) fn commit(&self, repository: &Repository, revision: &str) -> Option<&str> {
        self.revisions.get(&key(repository, revision)).map(String::as_str)
    }

    pub(super) fn set_commit(&mut self, repository: &Repository, revision: &str, commit: &str) {
        self.revisions.insert(key(repository, revision), commit.to_owned());
    }

    pub(super) fn list(&self, repository: &Repository, commit: &str) -> Option<&[String]> {
        self.lists.get(&key(repository, commit)).map(Vec::as_slice)
    }

    pub(super) fn set_list(&mut self, repository: &Repository, commit: &str, list: &[String]) {
        self.lists.insert(key(repository, commit), list.to_vec());
    }

    /// Returns size and SHA-256 of a file at its first use.
    pub fn file(&self, repository: &Repository, commit: &str, path: &str) -> Option<&Digest> {
        self.files.get(&key(repository, commit))?.get(path)
    }

    pub(super) fn set_file(&mut self, repository: &Repository, commit: &str, path: &str, digest: &Digest) {
        self.files.entry(key(repository, commit)).or_default().insert(path.to_owned(), digest.clone());
    }

    /// Forgets one file.
    pub(super) fn forget_file(&mut self, repository: &Repository, commit: &str, path: &str) {
        if let Some(files) = self.files.get_mut(&key(repository, commit)) {
            files.remove(path);
        }
        self.files.retain(|_, files| !files.is_empty());
    }

    /// Forgets the commit of a branch and what there is to choose from.
    pub(super) fn forget_commit(&mut self, repository: &Repository, revision: &str, commit: &str) {
        self.revisions.remove(&key(repository, revision));
        self.lists.remove(&key(repository, commit));
    }

    /// Lists all files that are pinned: repository, commit and path.
    pub fn pinned(&self) -> Vec<(Repository, &str, &str)> {
        self.files
            .iter()
            .filter_map(|(key, files)| {
                let (repository, commit) = key.split_once('@')?;
                Some((repository.parse::<Repository>().ok()?, commit, files))
            })
            .flat_map(|(repository, commit, files)| {
                files.keys().map(move |path| (repository.clone(), commit, path.as_str()))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "1110a243fdf4706b3f48f1d95db1a4f5529b4d41";

    fn repository() -> Repository {
        "org/name".parse().unwrap()
    }

    #[test]
    fn what_is_written_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/models.lock");
        assert_eq!(Lock::read(&path).unwrap(), Lock::default());
        let digest = Digest { bytes: 3, sha256: "0".repeat(64) };
        Lock::update(&path, |lock| {
            lock.set_commit(&repository(), "main", COMMIT);
            lock.set_file(&repository(), COMMIT, "1_Pooling/config.json", &digest);
        })
        .unwrap();
        Lock::update(&path, |lock| lock.set_list(&repository(), COMMIT, &["a".to_owned()])).unwrap();
        let lock = Lock::read(&path).unwrap();
        assert_eq!(lock.commit(&repository(), "main"), Some(COMMIT));
        assert_eq!(lock.file(&repository(), COMMIT, "1_Pooling/config.json"), Some(&digest));
        assert_eq!(lock.list(&repository(), COMMIT), Some(&["a".to_owned()][..]));
        assert_eq!(lock.pinned(), [(repository(), COMMIT, "1_Pooling/config.json")]);
        assert!(fs::read_to_string(&path).unwrap().starts_with('#'));
    }

    #[test]
    fn threads_that_write_at_once_lose_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("models.lock");
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let path = &path;
                scope.spawn(move || {
                    let digest = Digest { bytes: thread, sha256: "0".repeat(64) };
                    Lock::update(path, |lock| lock.set_file(&repository(), COMMIT, &thread.to_string(), &digest))
                        .unwrap();
                });
            }
        });
        assert_eq!(Lock::read(&path).unwrap().pinned().len(), 8);
    }

    #[test]
    fn what_is_no_lock_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("models.lock");
        for (content, expected) in [
            ("version = 2", "its version is 2"),
            ("version = 1\nother = 3", "unknown field `other`"),
            ("version = 1\n[revisions]\n'a/b@main' = 'main'", "`a/b@main` is pinned to is no commit"),
            ("version = 1\n[files.'a/b@c']\n'../x' = {bytes = 1, sha256 = '0'}", "`../x` is no file"),
            ("version = 1\n[files.'a/b@c']\n'x' = {bytes = 1, sha256 = '0'}", "`sha256` of x"),
        ] {
            fs::write(&path, content).unwrap();
            let message = Lock::read(&path).unwrap_err().to_string();
            assert!(message.contains("models.lock") && message.contains(expected), "{message}");
        }
    }
}
