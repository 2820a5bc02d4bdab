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
//!
//! # Sample by sample
//!
//! The sources are modalities and the target is the label. [`Redundancy`] is what the sets of one node share, of any number
//! of modalities: [`Redundancy::of_all`] is that of all modalities alone, {1}{2}...{M}. [`PointwiseLattice`] has all nodes
//! and their atoms, for every sample. Both take [`SubsetTerms`](crate::SubsetTerms). Decompositions of a joint distribution
//! of discrete variables are in [`crate::discrete::lattice`].
//!
//! **No measure of three sources or more satisfies every axiom.** Symmetry, self-redundancy, monotonicity, atoms that are
//! never negative and the identity axiom contradict each other as soon as there are three sources (Rauh, Bertschinger,
//! Olbrich and Jost, "Reconsidering unique information: Towards a multivariate information decomposition", ISIT 2014), and
//! the atoms of three cannot all be consistent with those of the pairs (Lyu, Clark and Raviv, arXiv:2508.05530, 2025). Atoms
//! of single samples are negative wherever a modality misinforms. [Shapley values](crate::shapley) answer the simpler
//! question, how much each modality contributes, without any of these choices.
//!
//! ```
//! use lsmi_core::{Measure, SampleIds, Subset, SubsetTerms, lattice::PointwiseLattice};
//!
//! // One bit in three copies.
//! let bit = 2.0_f64.ln();
//! let columns = |value: f64| Subset::all(3).map(move |subset| (subset, vec![value]));
//! let terms = SubsetTerms::new(SampleIds::rows(1), 3, columns(bit), columns(5.0))?;
//! for measure in [Measure::Pm, Measure::Sx, Measure::Ccs] {
//!     let parts = PointwiseLattice::<3>::new(measure)?.decompose(&terms)?;
//!     for (node, atoms) in parts.nodes.iter().zip(&parts.atoms) {
//!         let expected = if node.to_string() == "{1}{2}{3}" { bit } else { 0.0 };
//!         assert!((atoms[0] - expected).abs() < 1e-12, "{measure} {node}");
//!     }
//! }
//! # Ok::<(), lsmi_core::Error>(())
//! ```

mod common_change;
mod nodes;
mod pointwise;
mod redundancy;

pub(crate) use nodes::all_sources;
pub use nodes::{Antichain, Lattice};
pub use pointwise::{LatticeColumns, NodeMeans, PointwiseLattice};
pub use redundancy::Redundancy;
