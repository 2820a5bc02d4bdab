//! What a program is told of output, so that it can tidy up when it is stopped.

use std::any::Any;
use std::path::{Path, PathBuf};

/// How far a job is that can go on another time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobState {
    /// Where finished parts are kept.
    pub directory: PathBuf,
    /// What the parts are called, as in `row groups`.
    pub pieces: &'static str,
    /// How many of them are finished.
    pub finished: usize,
    /// How many there are.
    pub all: usize,
}

/// Follows what is written. A program that may be stopped at any moment learns from it what is not whole yet; others use
/// [`Unobserved`].
pub trait WriteObserver: Send + Sync {
    /// Delays a stop until the guard is dropped: for steps that are short and belong together. Never called while a guard
    /// is held.
    fn hold(&self) -> Box<dyn Any> {
        Box::new(())
    }

    /// Takes note of a directory that was made for output.
    fn made_directory(&self, _directory: &Path) {}

    /// Takes note of directories that hold output now, or are gone.
    fn settled_directories(&self, _directories: &[PathBuf]) {}

    /// Takes note of a file that came to stand in its place.
    fn written(&self, _file: &Path) {}

    /// Takes note of how far a job is that can go on another time; `None` where it is done or given up.
    fn job(&self, _state: Option<JobState>) {}
}

/// An observer that looks away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unobserved;

impl WriteObserver for Unobserved {}
