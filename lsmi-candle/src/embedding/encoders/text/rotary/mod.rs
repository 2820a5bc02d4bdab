//! Models that turn queries and keys by angles that grow with the position.

mod body;
mod experts;
pub(super) mod gte;
pub(super) mod modernbert;
pub(super) mod nomic;
