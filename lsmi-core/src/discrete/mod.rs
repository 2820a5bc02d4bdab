//! Exact decompositions of a known joint distribution of two discrete modalities and a label.
//!
//! - [`broja`]: the decomposition that asks what the two marginals p(x1, y) and p(x2, y) alone can tell.

pub mod broja;
