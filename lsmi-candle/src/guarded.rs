//! Panics of readers of other crates, caught: some panic where bytes are not what they expect.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs work of such a crate. Returns `None` if it panicked; everything that the work holds is dropped then, as it may be
/// incomplete.
///
/// The message of the panic may still be written to standard error: that is the choice of the program.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}
