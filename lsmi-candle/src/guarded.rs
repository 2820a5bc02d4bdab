//! Readers of other crates that panic where bytes are not what they expect.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs work of such a crate. Returns `None` if it panicked; everything that the work holds is dropped then, as it may be
/// incomplete.
///
/// The message of the panic may still be on standard error: who prints it is the program's choice.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}
