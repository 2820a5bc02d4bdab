//! What is in the cache, whoever put it there; nothing is checked, pinned or asked for.

use std::fs;
use std::path::PathBuf;

use super::name::is_commit;
use super::{Hub, HubError, MAIN, Repository};

impl Hub {
    /// Lists the repositories of models that have a folder in the cache, sorted.
    pub fn cached_repositories(&self) -> Vec<Repository> {
        let entries = fs::read_dir(&self.config.cache).into_iter().flatten().flatten();
        let repository = |name: &str| name.strip_prefix("models--")?.replacen("--", "/", 1).parse().ok();
        let mut found: Vec<Repository> = entries.filter_map(|entry| repository(entry.file_name().to_str()?)).collect();
        found.sort();
        found
    }

    /// Lists the commits of a repository that have files in the cache, sorted.
    pub fn cached_commits(&self, repository: &Repository) -> Vec<String> {
        let snapshots = self.snapshot(repository, "");
        let entries = fs::read_dir(snapshots).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut found: Vec<String> = names.filter(|name| is_commit(name)).collect();
        found.retain(|commit| !self.folder(repository).files(commit).is_empty());
        found.sort();
        found
    }

    /// Lists the files of a commit that are in the cache with their sizes, sorted.
    pub fn cached_files(&self, repository: &Repository, commit: &str) -> Vec<(String, u64)> {
        let folder = self.folder(repository);
        let size = |path: &str| fs::metadata(folder.file(commit, path)).map_or(0, |metadata| metadata.len());
        folder.files(commit).into_iter().map(|path| (path.clone(), size(&path))).collect()
    }

    /// Finds the commit that is in the cache for a revision (by default `main`, or the only commit there is) without asking
    /// the hub or pinning anything.
    ///
    /// # Errors
    /// If the lock cannot be read, or the revision cannot be one.
    pub fn cached_commit(&self, repository: &Repository, revision: Option<&str>) -> Result<Option<String>, HubError> {
        let commits = self.cached_commits(repository);
        let known = self.known_commit(repository, revision)?.filter(|commit| commits.contains(commit));
        let is_main = revision.is_none_or(|revision| revision == MAIN);
        Ok(match (known, &commits[..]) {
            (None, [only]) if is_main => Some(only.clone()),
            (known, _) => known,
        })
    }

    /// The directory of the files of a commit.
    pub(in crate::embedding) fn snapshot(&self, repository: &Repository, commit: &str) -> PathBuf {
        self.folder(repository).file(commit, "")
    }
}
