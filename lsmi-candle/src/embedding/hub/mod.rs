//! Files of models from the Hugging Face hub, through the cache that its Python client uses too.
//!
//! [`Hub::commit`] turns a branch into a commit and [`Hub::file`] a file of that commit into a path on this machine. Both look
//! in the [lock](Lock) and the cache first; what is not there is downloaded, unless that is forbidden. A file is given out
//! only when its size and SHA-256 are those that the manifest, the lock and the hub say, as far as each says any.
//!
//! hf-hub 0.4.3 gives the names of folders and addresses, the place of the token and the description of a repository.
//! Requests go through ureq, the client that it brings along, directly: hf-hub's own sends the token to whatever address
//! the hub redirects to, has no timeout for an answer that never comes, appends a whole file to a part of one where a
//! server knows no ranges, and checks no hash.
//!
//! ```no_run
//! use lsmi_candle::embedding::hub::{Hub, HubConfig, FileRequest};
//!
//! let hub = Hub::new(HubConfig::from_environment()?);
//! let repository = "sentence-transformers/all-MiniLM-L6-v2".parse()?;
//! let commit = hub.commit(&repository, None)?;
//! let config = hub.file(&FileRequest::new(&repository, &commit, "config.json"), &mut |_| ())?;
//! println!("{}", config.display());
//! # Ok::<(), lsmi_candle::embedding::hub::HubError>(())
//! ```

mod cache;
mod config;
mod contents;
mod download;
mod error;
mod expected;
mod lock;
mod name;
mod transport;

use std::path::{Path, PathBuf};

use hf_hub::api::RepoInfo;

pub use config::{HubConfig, Token};
pub use download::Transfer;
pub use error::{HubError, HubItem, MismatchCause};
pub use lock::Lock;
pub use name::{Repository, check_path, check_revision, is_commit, is_sha256};

use cache::Folder;
use download::{Download, Downloaded, retry};
use expected::Expected;
use transport::{About, Transport};

use crate::files::{Digest, sha256};

/// The branch that is meant where none is named.
pub const MAIN: &str = "main";

/// The hub with its cache and its lock.
pub struct Hub {
    config: HubConfig,
    transport: Transport,
}

/// A file that is wanted, and what is known of it.
#[derive(Debug, Clone, Copy)]
pub struct FileRequest<'a> {
    /// The repository.
    pub repository: &'a Repository,
    /// The commit.
    pub commit: &'a str,
    /// The path inside the repository.
    pub path: &'a str,
    /// Its size, where the manifest says one.
    pub bytes: Option<u64>,
    /// Its SHA-256, where the manifest says one.
    pub sha256: Option<&'a str>,
}

impl<'a> FileRequest<'a> {
    /// Requests a file of which nothing else is known.
    pub fn new(repository: &'a Repository, commit: &'a str, path: &'a str) -> Self {
        Self { repository, commit, path, bytes: None, sha256: None }
    }

    fn check_names(&self) -> Result<(), HubError> {
        check_path(self.path)?;
        if is_commit(self.commit) {
            return Ok(());
        }
        let expected = "a commit has 40 hexadecimal digits";
        Err(HubError::Name { what: "commit", found: self.commit.to_owned(), expected })
    }
}

/// What became of a file in the cache.
#[derive(Debug)]
pub enum Check {
    /// It is not there.
    Missing,
    /// It is there, and nobody says what it should be.
    Unpinned,
    /// It is what it should be.
    Right,
    /// It is something else, or cannot be read.
    Wrong(HubError),
}

impl Hub {
    /// Creates the hub that a configuration describes. Nothing is asked yet.
    pub fn new(config: HubConfig) -> Self {
        Self { transport: Transport::new(&config), config }
    }

    /// Returns its configuration.
    pub fn config(&self) -> &HubConfig {
        &self.config
    }

    /// Finds the commit that a branch, tag or commit (by default `main`) stands for: from the lock, else from the cache, else from
    /// the hub; pinned at first use.
    ///
    /// # Errors
    /// If nobody knows it, or the hub cannot be asked.
    pub fn commit(&self, repository: &Repository, revision: Option<&str>) -> Result<String, HubError> {
        let revision = revision.unwrap_or(MAIN);
        check_revision(revision)?;
        if is_commit(revision) {
            return Ok(revision.to_owned());
        }
        if let Some(commit) = Lock::read(&self.config.lock)?.commit(repository, revision) {
            return Ok(commit.to_owned());
        }
        let folder = self.folder(repository);
        let commit = match folder.commit(revision) {
            Some(commit) => commit,
            None if self.config.offline => {
                return Err(not_cached(repository, revision, "the commit", folder.reference(revision)));
            }
            None => {
                let commit = self.info(repository, revision)?.sha;
                folder.set_commit(revision, &commit)?;
                commit
            }
        };
        Lock::update(&self.config.lock, |lock| lock.set_commit(repository, revision, &commit))?;
        Ok(commit)
    }

    /// Lists the paths of configurations, vocabularies and weights of a commit (`.json`, `.txt`, `.safetensors`), sorted: from the
    /// lock, else from the hub, else (offline) those in the cache.
    ///
    /// # Errors
    /// If the hub cannot be asked.
    pub fn list(&self, repository: &Repository, commit: &str) -> Result<Vec<String>, HubError> {
        if let Some(list) = Lock::read(&self.config.lock)?.list(repository, commit) {
            return Ok(list.to_vec());
        }
        let is_of_use = |path: &String| {
            let extension = Path::new(path).extension().unwrap_or_default();
            check_path(path).is_ok() && ["json", "txt", "safetensors"].iter().any(|known| extension == *known)
        };
        if self.config.offline {
            return Ok(self.folder(repository).files(commit).into_iter().filter(is_of_use).collect());
        }
        let siblings = self.info(repository, commit)?.siblings;
        let mut list: Vec<String> = siblings.into_iter().map(|file| file.rfilename).filter(is_of_use).collect();
        list.sort();
        Lock::update(&self.config.lock, |lock| lock.set_list(repository, commit, &list))?;
        Ok(list)
    }

    /// Whether a commit certainly has no file of this path that [`Hub::list`] does not name. A hub that was asked knows. A
    /// cache that nobody may ask about does not where another client filled it file by file, and was not told that this one
    /// is missing; a cache without such notes was filled as a whole.
    ///
    /// # Errors
    /// If the lock cannot be read.
    pub fn certainly_lacks(&self, repository: &Repository, commit: &str, path: &str) -> Result<bool, HubError> {
        if let Some(list) = Lock::read(&self.config.lock)?.list(repository, commit) {
            return Ok(!list.iter().any(|listed| listed == path));
        }
        Ok(self.folder(repository).notes_absence(commit, path).unwrap_or(true))
    }

    /// Gets a file onto this machine: from the cache, else from the hub; pinned at first use.
    ///
    /// # Errors
    /// If it cannot be had, or is not what the manifest, the lock or the hub say.
    pub fn file(&self, wanted: &FileRequest<'_>, progress: &mut dyn FnMut(Transfer<'_>)) -> Result<PathBuf, HubError> {
        if let Some(path) = self.cached(wanted)? {
            return Ok(path);
        }
        let FileRequest { repository, commit, path, .. } = *wanted;
        let folder = self.folder(repository);
        if self.config.offline {
            return Err(not_cached(repository, commit, path, folder.file(commit, path)));
        }
        let mut part = folder.part(&sha256(format!("{commit}/{path}")))?;
        // Whoever had the part before may have finished it.
        if let Some(path) = self.cached(wanted)? {
            part.discard()?;
            return Ok(path);
        }
        let parts = repository.as_str().split('/').chain(["resolve", commit]).chain(path.split('/'));
        let download = Download {
            transport: &self.transport,
            about: About { repository, item: &HubItem::File(path.to_owned()) },
            url: self.transport.url(parts),
            path,
            commit,
            expected: self.expected(wanted, MismatchCause::HubAndManifest, MismatchCause::HubAndLock)?,
            attempts: self.config.attempts,
            pause: self.config.pause,
        };
        let Downloaded { digest, etag } = match download.run(&mut part, progress) {
            Ok(downloaded) => downloaded,
            Err(error @ HubError::Mismatch { .. }) => {
                part.discard()?;
                return Err(error);
            }
            Err(error) => return Err(error),
        };
        let blob = etag.filter(|etag| is_blob_name(etag)).unwrap_or_else(|| digest.sha256.clone());
        let placed = folder.place(part, &blob, commit, path)?;
        Lock::update(&self.config.lock, |lock| lock.set_file(repository, commit, path, &digest))?;
        Ok(placed)
    }

    /// Checks and pins a file of the cache. Returns `None` if it is not there.
    ///
    /// # Errors
    /// If it is not what the manifest, the lock or its own name say, or cannot be read.
    pub fn cached(&self, wanted: &FileRequest<'_>) -> Result<Option<PathBuf>, HubError> {
        let Some((path, digest, _)) = self.checked(wanted)? else { return Ok(None) };
        let lock = Lock::read(&self.config.lock)?;
        if lock.file(wanted.repository, wanted.commit, wanted.path).is_none() {
            Lock::update(&self.config.lock, |lock| {
                lock.set_file(wanted.repository, wanted.commit, wanted.path, &digest);
            })?;
        }
        Ok(Some(path))
    }

    /// Checks a file of the cache without pinning or downloading anything.
    pub fn check(&self, wanted: &FileRequest<'_>) -> Check {
        match self.checked(wanted) {
            Ok(None) => Check::Missing,
            Ok(Some((_, _, true))) => Check::Right,
            Ok(Some(_)) => Check::Unpinned,
            Err(error) => Check::Wrong(error),
        }
    }

    /// Whether a file is in the cache, whatever it is.
    pub fn is_cached(&self, wanted: &FileRequest<'_>) -> bool {
        wanted.check_names().is_ok() && self.folder(wanted.repository).file(wanted.commit, wanted.path).is_file()
    }

    /// Finds the commit that a revision is known to stand for, without asking the hub or pinning anything.
    ///
    /// # Errors
    /// If the lock cannot be read.
    pub fn known_commit(&self, repository: &Repository, revision: Option<&str>) -> Result<Option<String>, HubError> {
        let revision = revision.unwrap_or(MAIN);
        check_revision(revision)?;
        if is_commit(revision) {
            return Ok(Some(revision.to_owned()));
        }
        let lock = Lock::read(&self.config.lock)?;
        Ok(lock.commit(repository, revision).map(str::to_owned).or_else(|| self.folder(repository).commit(revision)))
    }

    /// Forgets what a branch stands for, so that the hub is asked again.
    ///
    /// # Errors
    /// If the lock or the cache cannot be written.
    pub fn forget_commit(&self, repository: &Repository, revision: Option<&str>) -> Result<(), HubError> {
        let Some(commit) = self.known_commit(repository, revision)? else { return Ok(()) };
        let revision = revision.unwrap_or(MAIN);
        if !is_commit(revision) {
            self.folder(repository).forget_commit(revision)?;
        }
        Lock::update(&self.config.lock, |lock| lock.forget_commit(repository, revision, &commit))
    }

    /// Removes a file from the lock and the cache, so that it is downloaded anew.
    ///
    /// # Errors
    /// If the lock or the cache cannot be written.
    pub fn forget(&self, wanted: &FileRequest<'_>) -> Result<(), HubError> {
        wanted.check_names()?;
        Lock::update(&self.config.lock, |lock| {
            lock.forget_file(wanted.repository, wanted.commit, wanted.path);
        })?;
        self.folder(wanted.repository).forget(wanted.commit, wanted.path)
    }

    /// A file of the cache, what it is, and whether anyone said what it should be.
    fn checked(&self, wanted: &FileRequest<'_>) -> Result<Option<(PathBuf, Digest, bool)>, HubError> {
        wanted.check_names()?;
        let folder = self.folder(wanted.repository);
        let path = folder.file(wanted.commit, wanted.path);
        if !path.is_file() {
            return Ok(None);
        }
        let mut expected = self.expected(wanted, MismatchCause::Changed, MismatchCause::Changed)?;
        expected.extend(folder.promised_sha256(&path).map(|sha256| Expected {
            sha256: Some(sha256),
            said_by: "the name that the hub gave it".to_owned(),
            ..Expected::by(MismatchCause::Changed)
        }));
        let digest = Digest::of_file(&path).map_err(HubError::io(&path))?;
        expected.iter().try_for_each(|expected| expected.check(&path.display().to_string(), &digest))?;
        let is_known = expected.iter().any(|expected| expected.sha256.is_some());
        Ok(Some((path, digest, is_known)))
    }

    /// What the manifest and the lock say of a file.
    fn expected(
        &self,
        wanted: &FileRequest<'_>,
        by_manifest: MismatchCause,
        by_lock: MismatchCause,
    ) -> Result<Vec<Expected>, HubError> {
        let mut expected = vec![Expected {
            bytes: wanted.bytes,
            sha256: wanted.sha256.map(str::to_owned),
            said_by: "the manifest".to_owned(),
            cause: by_manifest,
        }];
        let lock = Lock::read(&self.config.lock)?;
        expected.extend(lock.file(wanted.repository, wanted.commit, wanted.path).map(|pin| Expected {
            bytes: Some(pin.bytes),
            sha256: Some(pin.sha256.clone()),
            said_by: format!("the lock {}", self.config.lock.display()),
            cause: by_lock,
        }));
        Ok(expected)
    }

    /// What the hub says of a repository.
    fn info(&self, repository: &Repository, revision: &str) -> Result<RepoInfo, HubError> {
        let parts = ["api", "models"].into_iter().chain(repository.as_str().split('/')).chain(["revision", revision]);
        let url = self.transport.url(parts);
        let about = About { repository, item: &HubItem::RepositoryOrRevision };
        let answer = retry(self.config.attempts, self.config.pause, || {
            let answer = self.transport.get(about, url.clone(), 0)?;
            let text = answer.response.into_string();
            let failed = |error: std::io::Error| transport::RequestError::Transient {
                url: answer.url.clone(),
                reason: error.to_string(),
            };
            text.map_err(failed).map(|text| (answer.url.clone(), text))
        });
        let (url, text) = answer?;
        let info: RepoInfo = serde_json::from_str(&text)
            .map_err(|error| HubError::answer(url.clone(), format!("no description of a repository ({error})")))?;
        if is_commit(&info.sha) { Ok(info) } else { Err(HubError::answer(url.clone(), "`sha` is no commit")) }
    }

    fn folder(&self, repository: &Repository) -> Folder {
        Folder::new(&self.config.cache, repository)
    }
}

/// Etags come from outside: only such as the hub gives become names of files.
fn is_blob_name(etag: &str) -> bool {
    (32..=128).contains(&etag.len()) && etag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn not_cached(repository: &Repository, revision: &str, file: &str, looked_in: PathBuf) -> HubError {
    HubError::NotCached {
        repository: repository.to_string(),
        revision: revision.to_owned(),
        file: file.to_owned(),
        looked_in,
    }
}
