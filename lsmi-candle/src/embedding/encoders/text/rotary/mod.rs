//! Models that turn queries and keys by angles that grow with the position.

pub(super) mod modernbert;
