//! Models that take positions by their distance, in attention.

mod block;
pub(super) mod deberta_v2;
mod distances;
pub(super) mod mpnet;
pub(super) mod t5;
