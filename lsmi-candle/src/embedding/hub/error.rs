//! Why files of the hub cannot be had, and what to do.
//!
//! No message holds a token, a password of an address, or the query of one (which may be signed).

use std::fmt;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// What the hub is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HubItem {
    /// A repository.
    Repository,
    /// A branch, tag or commit of a repository.
    Revision,
    /// One of the two: the hub does not say which is missing.
    RepositoryOrRevision,
    /// A file of a commit, by its path in the repository.
    File(String),
}

impl fmt::Display for HubItem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Repository => "such repository",
            Self::Revision => "such revision",
            Self::RepositoryOrRevision => "such repository or revision",
            Self::File(path) => path,
        })
    }
}

/// How a file came to be something else than it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MismatchCause {
    /// A file of a directory is not that of the manifest.
    Manifest,
    /// The hub has another file than the manifest describes.
    HubAndManifest,
    /// The hub has another file than the one that was used first.
    HubAndLock,
    /// A file of the cache was damaged or changed.
    Changed,
    /// A file was spoilt while it was downloaded.
    Transfer,
    /// The hub answered with another commit than it was asked for.
    Commit,
}

impl fmt::Display for MismatchCause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Manifest => "get the file anew, or correct the manifest",
            Self::HubAndManifest => {
                "the hub's file is not the one that the manifest describes: correct the manifest; nothing was kept"
            }
            Self::HubAndLock => {
                "the hub's file is not the one that was used first; nothing was kept. If the change is meant, forget the file"
            }
            Self::Changed => "the file was damaged or changed after its download: forget it and get it anew",
            Self::Transfer => "it was spoilt on its way and is not kept; try again",
            Self::Commit => "the hub answered with another commit; check HF_ENDPOINT",
        })
    }
}

/// Why files of a repository cannot be had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HubError {
    /// A variable of the environment has a value that cannot be used.
    #[error("{variable}: {reason}")]
    Setting {
        /// The variable.
        variable: &'static str,
        /// What is wrong, and how to mend it.
        reason: String,
    },

    /// Something that is no name of a repository, a revision or a file.
    #[error("`{found}` is no {what}; {expected}")]
    Name {
        /// What it should be.
        what: &'static str,
        /// What was given.
        found: String,
        /// What one looks like.
        expected: &'static str,
    },

    /// The file is not in the cache, and the network is not to be used.
    #[error(
        "{file} of {repository} at {revision} is not in the cache and the hub is not to be asked (as with HF_HUB_OFFLINE); \
         looked in {}; download it where there is a network, or copy the cache", looked_in.display()
    )]
    NotCached {
        /// `organisation/model`.
        repository: String,
        /// The branch or commit.
        revision: String,
        /// The file's path in the repository.
        file: String,
        /// The place in the cache where it would be.
        looked_in: PathBuf,
    },

    /// The hub does not give the repository to this user.
    #[error("{repository}: the hub refuses access (status {status}): {}", refusal(page, *had_token, *gated))]
    Refused {
        /// `organisation/model`.
        repository: String,
        /// The page of the repository.
        page: String,
        /// The status of the answer.
        status: u16,
        /// Whether the request carried a token.
        had_token: bool,
        /// Whether the hub said that the repository is gated.
        gated: bool,
    },

    /// There is no such repository, revision or file.
    #[error("{repository}: there is no {item} (looked at {url}); check the name on the hub")]
    NotFound {
        /// `organisation/model`.
        repository: String,
        /// What there is none of.
        item: HubItem,
        /// The address that was asked.
        url: String,
    },

    /// The hub did not answer, or the connection broke, as often as it was tried.
    #[error(
        "{url}: no whole answer in {attempts} attempts: {reason}; what arrived is kept: try again, or check the network, \
         HF_ENDPOINT and the proxy"
    )]
    Unreachable {
        /// The address that was asked.
        url: String,
        /// How often it was tried.
        attempts: u32,
        /// What happened at the last attempt.
        reason: String,
    },

    /// The answer is not one that the hub gives.
    #[error("{url}: not an answer of the hub: {reason}; check HF_ENDPOINT")]
    Answer {
        /// The address that was asked.
        url: String,
        /// What is wrong.
        reason: String,
    },

    /// A file is not what it should be.
    #[error("{file}: {what} is {found}, but {said_by} says {expected}; {cause}")]
    Mismatch {
        /// The file: its path in the repository while it is downloaded, its path on this machine afterwards.
        file: String,
        /// Which property: `its size`, `its sha256`, `the commit`.
        what: &'static str,
        /// What it should be.
        expected: Box<str>,
        /// What it is.
        found: Box<str>,
        /// Who says so: the manifest, the lock, the hub.
        said_by: Box<str>,
        /// What came about, and what to do.
        cause: MismatchCause,
    },

    /// The lock is not one.
    #[error("{}: not a lock of models: {reason}; mend it, or remove it to pin anew what is in the cache", path.display())]
    Lock {
        /// The lock.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },

    /// The lock cannot be written.
    #[error("{}: the lock cannot be written; check its permissions, or name another place with LSMI_MODELS_LOCK", path.display())]
    LockWrite {
        /// The lock.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },

    /// The cache cannot be read or written.
    #[error("{}: cannot be read or written; check permissions and free space, or choose another cache with HF_HUB_CACHE", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl HubError {
    pub(super) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }

    pub(super) fn answer(url: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Answer { url: url.into(), reason: reason.into() }
    }
}

fn refusal(page: &str, had_token: bool, gated: bool) -> String {
    match (gated, had_token) {
        (true, true) => format!(
            "it is gated, and the account of the token may not read it: accept its licence on {page} with that account"
        ),
        (true, false) => {
            format!("it is gated: accept its licence on {page}, and set HF_TOKEN to a token of that account")
        }
        (false, true) => format!(
            "there is none of this name, or it is private, or gated, or HF_TOKEN is no valid token: see {page}, where a \
             licence may have to be accepted"
        ),
        (false, false) => format!(
            "there is none of this name, or it is private or gated: see {page}, accept its licence where there is one, \
             and set HF_TOKEN"
        ),
    }
}
