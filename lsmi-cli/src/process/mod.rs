//! The command as a process: what it prints, how it ends, and files that appear whole or not at all.

pub(crate) mod console;
pub(crate) mod failure;
mod hints;
pub(crate) mod interrupt;
pub(crate) mod progress;
pub(crate) mod staging;
pub(crate) mod text;
