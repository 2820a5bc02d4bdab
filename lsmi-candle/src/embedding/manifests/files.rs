//! The files of a model by their names, wherever they lie: in a directory, or in a repository of the hub.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::ModelError;
use crate::embedding::hub::{FileRequest, Hub, Repository, Transfer, check_path};

/// Where the files of a model are had from.
pub(super) trait Files {
    /// The file of this name on this machine, downloaded where it is not there; None where the model has none.
    ///
    /// # Errors
    /// If the name leads elsewhere, or the file cannot be had.
    fn get(&mut self, name: &str) -> Result<Option<PathBuf>, ModelError>;

    /// The names of the files and folders at the top.
    fn top(&self) -> Vec<String>;

    /// Whether the model certainly has no file of this name, where [`Files::get`] finds none.
    ///
    /// # Errors
    /// If what is known of the model cannot be read.
    fn certainly_lacks(&self, name: &str) -> Result<bool, ModelError>;

    /// The files that were found, by their names.
    fn found(self) -> BTreeMap<String, PathBuf>;
}

/// A file of a folder of the model, whose name may be empty.
pub(super) fn within(folder: &str, file: &str) -> String {
    if folder.is_empty() { file.to_owned() } else { format!("{folder}/{file}") }
}

/// A directory.
pub(super) struct Directory {
    root: PathBuf,
    found: BTreeMap<String, PathBuf>,
}

impl Directory {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), found: BTreeMap::new() }
    }
}

/// Where a file stands in a directory.
pub(super) fn place(directory: &Path, name: &str) -> PathBuf {
    name.split('/').fold(directory.to_owned(), |place, part| place.join(part))
}

impl Files for Directory {
    fn get(&mut self, name: &str) -> Result<Option<PathBuf>, ModelError> {
        check_path(name)?;
        let path = place(&self.root, name);
        if !path.is_file() {
            return Ok(None);
        }
        self.found.insert(name.to_owned(), path.clone());
        Ok(Some(path))
    }

    fn top(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.root).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }

    fn certainly_lacks(&self, _name: &str) -> Result<bool, ModelError> {
        Ok(true)
    }

    fn found(self) -> BTreeMap<String, PathBuf> {
        self.found
    }
}

/// A commit of a repository.
pub(super) struct Commit<'a> {
    hub: &'a Hub,
    repository: &'a Repository,
    hash: String,
    list: Vec<String>,
    found: BTreeMap<String, PathBuf>,
    progress: &'a mut dyn FnMut(Transfer<'_>),
}

impl<'a> Commit<'a> {
    pub(super) fn new(
        hub: &'a Hub,
        repository: &'a Repository,
        hash: String,
        list: Vec<String>,
        progress: &'a mut dyn FnMut(Transfer<'_>),
    ) -> Self {
        Self { hub, repository, hash, list, found: BTreeMap::new(), progress }
    }

    /// The paths of the files that it is known to have.
    pub(super) fn list(&self) -> &[String] {
        &self.list
    }
}

impl Files for Commit<'_> {
    fn get(&mut self, name: &str) -> Result<Option<PathBuf>, ModelError> {
        check_path(name)?;
        if let Some(path) = self.found.get(name) {
            return Ok(Some(path.clone()));
        }
        if !self.list.iter().any(|listed| listed == name) {
            return Ok(None);
        }
        let path = self.hub.file(&FileRequest::new(self.repository, &self.hash, name), self.progress)?;
        self.found.insert(name.to_owned(), path.clone());
        Ok(Some(path))
    }

    fn top(&self) -> Vec<String> {
        self.list.iter().map(|path| path.split('/').next().unwrap_or_default().to_owned()).collect()
    }

    fn certainly_lacks(&self, name: &str) -> Result<bool, ModelError> {
        Ok(self.hub.certainly_lacks(self.repository, &self.hash, name)?)
    }

    fn found(self) -> BTreeMap<String, PathBuf> {
        self.found
    }
}
