//! The cache as the hub's Python client lays it out, so that both use the same files.
//!
//! ```text
//! models--organisation--name/refs/main                       the commit that the branch was at
//! models--organisation--name/snapshots/COMMIT/config.json    a link to the blob
//! models--organisation--name/blobs/ETAG                      the content, named by the hub's etag
//! ```
//!
//! hf-hub's own lookup asks for `refs/COMMIT`, which Python never writes, so looking is done here; the names are its.

use std::fs;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use super::name::{Repository, is_commit, is_sha256};
use super::{HubError, download::Part};
use crate::files::write_atomically;

/// The folder of one repository.
pub(super) struct Folder {
    root: PathBuf,
}

impl Folder {
    pub(super) fn new(cache: &Path, repository: &Repository) -> Self {
        Self { root: cache.join(repository.at("main").folder_name()) }
    }

    /// Where the commit of a branch is noted.
    pub(super) fn reference(&self, revision: &str) -> PathBuf {
        self.root.join("refs").join(revision)
    }

    /// The commit that a branch was at when it was last looked at.
    pub(super) fn commit(&self, revision: &str) -> Option<String> {
        let text = fs::read_to_string(self.reference(revision)).ok()?;
        Some(text.trim().to_owned()).filter(|commit| is_commit(commit))
    }

    /// Notes the commit that a branch is at.
    pub(super) fn set_commit(&self, revision: &str, commit: &str) -> Result<(), HubError> {
        let path = self.reference(revision);
        make_parent(&path)?;
        write_atomically(&path, |file| file.write_all(commit.as_bytes())).map_err(HubError::io(&path))
    }

    /// Where a file is if it is there.
    pub(super) fn file(&self, commit: &str, path: &str) -> PathBuf {
        let mut file = self.root.join("snapshots").join(commit);
        file.extend(path.split('/'));
        file
    }

    /// The paths of all files of a commit that are there, sorted.
    pub(super) fn files(&self, commit: &str) -> Vec<String> {
        let mut found = Vec::new();
        collect(&self.root.join("snapshots").join(commit), "", &mut found);
        found.sort();
        found
    }

    /// Whether a client noted that a file of a commit does not exist; None where none keeps such notes.
    pub(super) fn notes_absence(&self, commit: &str, path: &str) -> Option<bool> {
        let notes = self.root.join(".no_exist").join(commit);
        notes.is_dir().then(|| notes.join(path).is_file())
    }

    /// Where a file that is not whole yet grows; one process at a time has it.
    pub(super) fn part(&self, name: &str) -> Result<Part, HubError> {
        let path = self.root.join("blobs").join(format!("lsmi-{name}.part"));
        make_parent(&path)?;
        Part::open(path)
    }

    /// Moves a whole file to its place and links to it.
    pub(super) fn place(&self, part: Part, blob: &str, commit: &str, path: &str) -> Result<PathBuf, HubError> {
        let blob = self.root.join("blobs").join(blob);
        // Held until the link is there: then nobody else downloads it once more.
        let _held = part.persist(&blob)?;
        let file = self.file(commit, path);
        make_parent(&file)?;
        // What is left of an earlier link, such as one to a blob that was removed.
        remove(&file)?;
        link(&blob, &file, path.split('/').count()).map_err(HubError::io(&file))?;
        Ok(file)
    }

    /// Removes a file and its blob, so that it is downloaded anew.
    pub(super) fn forget(&self, commit: &str, path: &str) -> Result<(), HubError> {
        let file = self.file(commit, path);
        if let Some(blob) = self.blob(&file) {
            remove(&blob)?;
        }
        remove(&file)
    }

    /// Removes the note of the commit that a branch is at.
    pub(super) fn forget_commit(&self, revision: &str) -> Result<(), HubError> {
        remove(&self.reference(revision))
    }

    /// The hash that the name of a file's blob promises: large files are named by theirs.
    pub(super) fn promised_sha256(&self, file: &Path) -> Option<String> {
        let name = self.blob(file)?.file_name()?.to_str()?.to_owned();
        is_sha256(&name).then_some(name)
    }

    fn blob(&self, file: &Path) -> Option<PathBuf> {
        let blob = file.canonicalize().ok()?;
        let blobs = self.root.join("blobs").canonicalize().ok()?;
        blob.starts_with(blobs).then_some(blob)
    }
}

fn collect(directory: &Path, prefix: &str, found: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let Some(name) = entry.file_name().to_str().map(|name| format!("{prefix}{name}")) else { continue };
        // Files are links, so the link is followed; directories are not links, so there are no circles.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect(&entry.path(), &format!("{name}/"), found);
        } else if entry.path().is_file() {
            found.push(name);
        }
    }
}

/// Makes the directory that a file shall stand in.
pub(super) fn make_parent(path: &Path) -> Result<(), HubError> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => fs::create_dir_all(parent).map_err(HubError::io(parent)),
        _ => Ok(()),
    }
}

fn remove(path: &Path) -> Result<(), HubError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(HubError::io(path)(error)),
        _ => Ok(()),
    }
}

/// A relative link from `snapshots/COMMIT/path` to the blob, so that the cache may be moved; a copy where there are none.
fn link(blob: &Path, file: &Path, depth: usize) -> io::Result<()> {
    let name = blob.file_name().unwrap_or_default();
    let mut target: PathBuf = std::iter::repeat_n(Component::ParentDir, depth + 1).collect();
    target.extend([Path::new("blobs"), Path::new(name)]);
    #[cfg(unix)]
    let linked = std::os::unix::fs::symlink(target, file);
    #[cfg(windows)]
    let linked = std::os::windows::fs::symlink_file(target, file);
    #[cfg(not(any(unix, windows)))]
    let linked: io::Result<()> = Err(io::ErrorKind::Unsupported.into());
    linked.or_else(|_| fs::copy(blob, file).map(drop))
}
