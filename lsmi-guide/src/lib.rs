//! What to do with the interactions of every sample once they are known.
//!
//! `lsmi-core` and `lsmi-candle` give each sample its redundancy `r`, uniqueness `u1`, `u2` and synergy `s`.
//! This crate turns those numbers into decisions about samples. [`partition()`] splits the samples
//! into those high in an interaction, those low in it and those between, for example to fine-tune on one part and
//! evaluate on another. Yang, Wang and Hu ("Efficient Quantification of Multimodal Interaction at Sample Level",
//! ICML 2025) choose fine-tuning subsets this way.
//!
//! [`curriculum()`] puts samples in order, [`diverse()`] chooses what to label, [`clean`] looks for wrong labels, and
//! [`ensemble`] weighs the members of an ensemble sample by sample.
//!
//! The crate computes on plain slices and matrices. It reads and writes no files and prints nothing.
//!
//! # Example
//!
//! Six samples with their redundancy in nats: take the top and the bottom third.
//!
//! ```
//! use lsmi_guide::{Rule, partition};
//!
//! let redundancy = [0.1, 0.7, -0.2, 0.4, 0.6, 0.0];
//! let parts = partition(&redundancy, None, &Rule::Fraction(1.0 / 3.0))?;
//! assert_eq!(parts.high, [1, 4]);
//! assert_eq!(parts.middle, [0, 3]);
//! assert_eq!(parts.low, [2, 5]);
//!
//! // The same with a label for each sample: every class gives a third of its own samples to either end.
//! let labels = [0, 1, 0, 0, 1, 1];
//! let balanced = partition(&redundancy, Some(&labels), &Rule::Fraction(1.0 / 3.0))?;
//! assert_eq!(balanced.high, [1, 3]);
//! assert_eq!(balanced.low, [2, 5]);
//! # Ok::<(), lsmi_guide::PartitionError>(())
//! ```

#![forbid(unsafe_code)]

pub mod clean;
pub mod ensemble;
pub mod partition;

mod error;
mod paired;

pub use error::PartitionError;
pub use paired::{OverSeeds, PairedDifference};
pub use partition::{Conflicts, Criterion, Partition, Rule, competence, conflicts, curriculum, diverse, partition};

/// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
