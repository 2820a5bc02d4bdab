//! Long work: done by several threads in order, kept in numbered parts, and gone on with after an end.
//!
//! A [`Work`] says what is done, by everything that changes its output. [`Parts`] keep the finished parts of it in a directory
//! beside the output: each is there as a whole or not at all, and other work is refused. [`in_order`] reads, works on and
//! writes pieces with several threads. A [`Shard`] is one of several parts of a job that run by themselves.

mod directory;
mod error;
mod ordered;
mod parts;
mod shard;
mod work;

#[cfg(test)]
mod tests;

pub use directory::{clear, directory_of};
pub use error::JobError;
pub use ordered::in_order;
pub use parts::{Part, Parts};
pub use shard::{Shard, ShardError};
pub use work::Work;
