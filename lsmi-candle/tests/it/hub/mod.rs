//! The hub against servers on this machine: what is asked, what is kept, what is refused.

#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

mod answers;
mod checks;
mod described;
mod interruptions;
mod place;
mod server;
