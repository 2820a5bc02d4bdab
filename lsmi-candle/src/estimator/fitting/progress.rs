//! Progress of a fit, for display; and its end where whoever listened has gone.

use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam_channel::{Sender, TrySendError};

use crate::error::{EstimatorError, Result};

/// One step of a fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// Models finished.
    pub done: usize,
    /// Models to fit.
    pub total: usize,
    /// The model that was just fitted or tried.
    pub what: String,
    /// Its loss in nats, on held-out rows if there are any.
    pub loss: f64,
}

/// Counts finished models and sends every step, from any thread.
pub(crate) struct Reporter<'a> {
    sender: Option<&'a Sender<Progress>>,
    done: AtomicUsize,
    total: usize,
}

impl<'a> Reporter<'a> {
    pub(crate) fn new(sender: Option<&'a Sender<Progress>>, total: usize) -> Self {
        Self { sender, done: AtomicUsize::new(0), total }
    }

    /// Sends a step within a model, without waiting for a listener that cannot keep up.
    ///
    /// # Errors
    /// [`EstimatorError::Stopped`] if whoever listened has gone.
    pub(crate) fn step(&self, what: String, loss: f64) -> Result<()> {
        let Some(sender) = self.sender else { return Ok(()) };
        let progress = Progress { done: self.done.load(Ordering::Relaxed), total: self.total, what, loss };
        match sender.try_send(progress) {
            Err(TrySendError::Disconnected(_)) => Err(EstimatorError::Stopped),
            Ok(()) | Err(TrySendError::Full(_)) => Ok(()),
        }
    }

    /// Counts a finished model and sends the step.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub(crate) fn finished(&self, what: String, loss: f64) -> Result<()> {
        self.done.fetch_add(1, Ordering::Relaxed);
        self.step(what, loss)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_channel_does_not_hold_up_the_fit_and_a_closed_one_ends_it() {
        let (sender, receiver) = crossbeam_channel::bounded(1);
        let reporter = Reporter::new(Some(&sender), 2);
        reporter.step("first".to_owned(), 1.0).unwrap();
        reporter.finished("second, dropped".to_owned(), 0.5).unwrap();
        assert_eq!(receiver.try_recv().unwrap().what, "first");
        reporter.finished("third".to_owned(), 0.25).unwrap();
        let last = receiver.try_recv().unwrap();
        assert_eq!((last.done, last.total), (2, 2));
        drop(receiver);
        assert!(matches!(reporter.step("nobody listens".to_owned(), 0.0), Err(EstimatorError::Stopped)));
    }
}
