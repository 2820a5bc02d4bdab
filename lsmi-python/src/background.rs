//! Long work: it runs in a thread of its own while Python's lock is released, and Ctrl-C does not wait for it.

use std::thread;
use std::time::Duration;

use crossbeam_channel::{Sender, bounded, select_biased, tick, unbounded};
use lsmi_candle::estimator::Progress;
use pyo3::prelude::*;

use crate::error::{Raised, defect};

/// How often Python is asked whether a signal has come.
const GLANCE: Duration = Duration::from_millis(100);

/// Does the work in a thread of its own and waits for it; passes each step on to `listener` as `(done, total, what, loss)`.
///
/// A signal whose handler raises, as Ctrl-C does, ends the waiting at once; the work ends at its next step, as nobody listens
/// to it any more.
pub(crate) fn run<T, E>(
    py: Python<'_>,
    listener: Option<Py<PyAny>>,
    work: impl FnOnce(&Sender<Progress>) -> Result<T, E> + Send + 'static,
) -> PyResult<T>
where
    T: Send + 'static,
    E: Into<Raised> + Send + 'static,
{
    let (steps, progress) = unbounded();
    let (done, result) = bounded(1);
    let thread = thread::Builder::new().name("lsmi".to_owned()).spawn(move || {
        // Who waited may have gone.
        let _ = done.send(work(&steps));
    });
    thread.map_err(|error| crate::error::failed(&error))?;
    let glance = tick(GLANCE);
    let waited = py.detach(move || -> PyResult<Option<Result<T, E>>> {
        loop {
            select_biased! {
                recv(result) -> result => return Ok(result.ok()),
                recv(glance) -> _ => signals()?,
                recv(progress) -> step => {
                    // Without a step the work is over, and its result on the way.
                    let Ok(step) = step else { return Ok(result.recv().ok()) };
                    if let Some(listener) = &listener {
                        Python::attach(|py| listener.call1(py, (step.done, step.total, step.what, step.loss)))?;
                    }
                }
            }
        }
    })?;
    match waited {
        Some(result) => result.map_err(|error| error.into().into()),
        None => Err(defect("the work ended without a result: a defect; please report it")),
    }
}

/// Lets Python handle the signals that have come.
fn signals() -> PyResult<()> {
    #[expect(clippy::redundant_closure_for_method_calls, reason = "the method is of one lifetime alone")]
    Python::attach(|py| py.check_signals())
}
