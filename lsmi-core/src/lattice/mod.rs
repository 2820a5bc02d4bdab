//! The redundancy lattice: every way in which several sources can share information about a target.
//!
//! A node is an antichain: sets of sources none of which contains another, such as {1}{23}: the information that x1 has and
//! that x2 and x3 together have as well. Node a is below node b if every set of b contains a set of a. There are 4 nodes for
//! two sources, 18 for three and 166 for four. Given the redundancy I(a) of every node, its atoms π(a) follow from
//!
//! ```text
//! I(a) = sum of π(b) over all b below a and a itself
//! ```
//!
//! Williams and Beer, "Nonnegative Decomposition of Multivariate Information" (arXiv:1004.2515, 2010).
//!
//! # The inversion
//!
//! An antichain stands for an up-set: all sets of sources that contain one of its sets. Below means: a larger up-set. The
//! nodes directly below one with the up-set U add to it one set that is largest among those missing. The lattice is
//! distributive, so that only such sets matter to an atom:
//!
//! ```text
//! π(U) = sum over all S among the largest sets not in U of (-1)^|S| I(U and S)
//! ```
//!
//! with at most 2^6 terms for four sources, of which most nodes have far fewer.

mod nodes;

pub(crate) use nodes::all_sources;
pub use nodes::{Antichain, Lattice};
