//! The mathematics of LSMI: the information of two modalities about a label, for every single sample, divided into what
//! both share, what each has alone and what only both together have.
//!
//! Two modalities x1 and x2 have a label y. For each sample, in nats:
//!
//! ```text
//! i_m   = log p(y|x_m) - log p(y)           pointwise mutual information of modality m and the label
//! i_12  = log p(y|x1,x2) - log p(y)         the same of both modalities together
//! h_m   = -log p(x_m)                       surprisal (of a density: it can be negative and depends on coordinates)
//! h_m|y = h_m - i_m                         conditional surprisal
//! r     = min(h_1, h_2) - min(h_1|y, h_2|y) redundancy (measure `pm`)
//! u_m   = i_m - r                           uniqueness
//! s     = i_12 - i_1 - i_2 + r              synergy
//! ```
//!
//! so that r + `u_m` = `i_m` and r + u1 + u2 + s = i12 hold for every sample, to rounding. The method is that of Yang,
//! Wang and Hu, "Efficient Quantification of Multimodal Interaction at Sample Level" (ICML 2025); the redundancy is
//! that of Finn and Lizier (Entropy 20(4), 2018).
//!
//! This crate starts from the terms h1, h2, i1, i2 and i12, wherever they come from:
//!
//! - [`ids`]: which sample a value belongs to;
//! - [`terms`]: the five terms of every sample, joined by id;
//! - [`measure`]: definitions of redundancy, each turning terms into a [`Decomposition`];
//! - [`kind`]: whether a sample is redundant, unique, synergistic, conflicting, hard or none of these;
//! - [`adjustment`]: the constant shift that makes the means of the components non-negative;
//! - [`prior`]: probabilities of the classes, and terms under another prior;
//! - [`subsets`]: the terms of more than two modalities: of every single one, every pair and so on;
//! - [`lattice`]: what any sets of modalities share, and an atom of information for every node of the redundancy lattice;
//! - [`shapley`]: what each modality contributes, and how pairs interact, without densities or measures;
//! - [`discrete`]: exact decompositions of joint distributions of discrete variables;
//! - [`families`]: data with a known density and hence exact terms;
//! - [`sweep`]: how far the redundancy depends on the coordinates of the modalities;
//! - [`statistics`] and [`random`]: accurate sums, intervals and p-values, reproducible random numbers.
//!
//! Everything is `f64` and in nats. Nothing here reads files, prints or starts threads.
//!
//! ```
//! use lsmi_core::{Measure, SampleIds, Terms, adjust};
//!
//! let terms = Terms::new(
//!     SampleIds::from_names(["cat", "dog"])?,
//!     vec![5.0, 4.5], // h1
//!     vec![6.0, 4.0], // h2
//!     vec![0.6, 0.1], // i1
//!     vec![0.3, 0.5], // i2
//!     vec![0.7, 0.6], // i12
//! )?;
//! let parts = Measure::Pm.decompose(&terms, &[0, 1]); // their classes
//! for row in 0..terms.len() {
//!     assert!((parts.r[row] + parts.u1[row] - terms.i1[row]).abs() < 1e-12);
//!     let total = parts.r[row] + parts.u1[row] + parts.u2[row] + parts.s[row];
//!     assert!((total - terms.i12[row]).abs() < 1e-12);
//! }
//!
//! let adjusted = adjust(&parts.means());
//! assert!(adjusted.u2 >= 0.0 && adjusted.shift < 0.0);
//! # Ok::<(), lsmi_core::Error>(())
//! ```
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod adjustment;
pub mod decomposition;
pub mod discrete;
pub mod error;
pub mod families;
pub mod ids;
pub mod kind;
pub mod lattice;
pub mod measure;
pub mod prior;
pub mod random;
pub mod shapley;
pub mod statistics;
pub mod subsets;
pub mod sweep;
pub mod terms;

pub use adjustment::{Adjusted, Branch, adjust};
pub use decomposition::{Decomposition, Interaction, Means};
pub use error::{Error, Result};
pub use families::{Draw, Family, FamilyName, Settings};
pub use ids::{IdIndex, SampleIds};
pub use kind::Kind;
pub use measure::{Measure, Modality, Reference};
pub use prior::{ClassPrior, PriorChoice};
pub use subsets::{Subset, SubsetMeans, SubsetTerms};
pub use sweep::{GaugeVerdict, Sweep, SweepPoint};
pub use terms::{Pass, TermMeans, Terms};
