//! Directories that are made for output, and removed again where none comes to stand in them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::WriteObserver;

/// Directories made for output, removed when dropped unless [kept](Self::keep).
pub struct MadeDirectories<'o> {
    made: Vec<PathBuf>,
    observer: &'o dyn WriteObserver,
}

impl<'o> MadeDirectories<'o> {
    /// Creates an empty list, of whose directories the observer is told.
    pub fn new(observer: &'o dyn WriteObserver) -> Self {
        Self { made: Vec::new(), observer }
    }

    /// Makes a directory and those above it that are missing.
    ///
    /// # Errors
    /// If one of them cannot be made.
    pub fn make(&mut self, directory: &Path) -> io::Result<()> {
        let missing: Vec<&Path> =
            directory.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists()).collect();
        for path in missing.into_iter().rev() {
            let _both = self.observer.hold();
            fs::create_dir(path)?;
            self.observer.made_directory(path);
            self.made.push(path.to_owned());
        }
        Ok(())
    }

    /// Keeps the directories: output stands in them.
    pub fn keep(&mut self) {
        self.observer.settled_directories(&self.made);
        self.made.clear();
    }
}

impl std::fmt::Debug for MadeDirectories<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("MadeDirectories").field(&self.made).finish()
    }
}

impl Drop for MadeDirectories<'_> {
    fn drop(&mut self) {
        for path in self.made.iter().rev() {
            // Only fails where someone else has put something in it, which shall stay.
            let _ = fs::remove_dir(path);
        }
        self.observer.settled_directories(&self.made);
    }
}
