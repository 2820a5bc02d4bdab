//! How a caller follows the work, and ends it.

use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::Sender;

use crate::files::{Unobserved, WriteObserver};

/// What a caller is told, and how it ends the work.
#[derive(Clone)]
pub struct Watch<'w> {
    /// Gets word of the progress.
    pub progress: Option<Sender<Progress>>,
    /// Ends the work before the next row group when it is set. Finished row groups are kept.
    pub cancel: Option<&'w AtomicBool>,
    /// Follows what is written.
    pub writes: &'w dyn WriteObserver,
}

/// How far the work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It begins.
    Begun {
        /// Row groups that were finished before.
        finished: usize,
        /// All row groups that are to be embedded.
        groups: usize,
        /// Rows of the row groups that are left.
        rows_left: usize,
    },
    /// Rows of one more row group are finished.
    Rows(usize),
}

impl Default for Watch<'_> {
    fn default() -> Self {
        Self { progress: None, cancel: None, writes: &Unobserved }
    }
}

impl Watch<'_> {
    pub(super) fn tell(&self, progress: Progress) {
        if let Some(sender) = &self.progress {
            // Nobody listens any more, which is no reason to stop.
            let _ = sender.send(progress);
        }
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancel.is_some_and(|cancel| cancel.load(Ordering::Relaxed))
    }
}
