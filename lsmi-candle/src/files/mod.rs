//! Files that appear whole or not at all, and the hashes that tell them apart.
//!
//! [`AtomicFile`] is written beside its place and renamed to it, [`MadeDirectories`] are removed again unless output comes to
//! stand in them, and a [`WriteObserver`] follows both for a program that may be stopped at any moment. [`Digest`] is the
//! size and SHA-256 of a file. [`Batches`] reads a Parquet file some rows at a time.

mod atomic;
mod batches;
mod digest;
mod directories;
mod observer;

pub(crate) use atomic::PREFIX;
pub use atomic::{AtomicFile, sync_directory, write_atomically};
pub use batches::Batches;
pub use digest::{Digest, hexadecimal, sha256};
pub use directories::MadeDirectories;
pub use observer::{JobState, Unobserved, WriteObserver};
