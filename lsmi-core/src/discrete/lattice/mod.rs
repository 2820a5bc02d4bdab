//! Decompositions of a joint distribution on the redundancy lattice: an atom of information for every way in which two to
//! four sources can share information about the target.
//!
//! The nodes, their order and the inversion are those of [`crate::lattice`], and [`Antichain`] and [`Lattice`] are its own.

mod decomposition;

pub use crate::lattice::{Antichain, Lattice};
pub use decomposition::{LatticeAtom, LatticeDecomposition, PointwiseAtoms, decompose};
