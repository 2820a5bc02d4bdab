//! Sets of modalities, and the terms of every set: what a decomposition of more than two modalities starts from.
//!
//! M modalities x1, ..., xM have a label y. A [`Subset`] A is a set of some of them, of one at least, and [`SubsetTerms`]
//! hold for each sample, in nats,
//!
//! ```text
//! i_A = log p(y|x_A) - log p(y)     pointwise mutual information of the modalities in A, together, and the label
//! h_A = -log p(x_A)                 surprisal of the modalities in A, together (of a density)
//! ```
//!
//! i for every one of the 2^M - 1 subsets; h for those that a measure asks for: the single modalities for what all of them
//! share ([`Redundancy::of_all`](crate::lattice::Redundancy::of_all)) and for pairs, every subset for the whole lattice
//! ([`PointwiseLattice`](crate::lattice::PointwiseLattice)), and none for `ccs` and for [Shapley values](crate::shapley).
//!
//! ```
//! use lsmi_core::{SampleIds, Subset, SubsetTerms};
//!
//! // y is the parity of three bits, which each modality shows one of: only all three together tell.
//! let informations = Subset::all(3).map(|subset| (subset, vec![if subset.len() == 3 { 0.69 } else { 0.0 }; 2]));
//! let terms = SubsetTerms::new(SampleIds::rows(2), 3, informations, [])?;
//! assert_eq!(terms.information("123".parse()?), [0.69, 0.69]);
//! assert_eq!(terms.means().informations[&"12".parse()?], 0.0);
//! # Ok::<(), lsmi_core::Error>(())
//! ```

mod subset;
mod terms;

pub use subset::Subset;
pub(crate) use terms::check_modalities;
pub use terms::{SubsetMeans, SubsetTerms};
