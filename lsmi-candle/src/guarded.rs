//! Readers of other crates that panic where bytes are not what they expect.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Does work of such a crate; none where it panicked. What the work holds then is not whole, and goes with it.
///
/// The message of the panic may still be on standard error: who prints it is the program's choice.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}
