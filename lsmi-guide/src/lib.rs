//! What to do with the interactions of every sample once they are known.
//!
//! `lsmi-core` and `lsmi-candle` give each sample its redundancy `r`, uniqueness `u1`, `u2` and synergy `s`.
//! This crate turns those numbers into decisions about samples, before a training and during it:
//!
//! 1. [`decide`]: the samples high in an interaction and those low in it ([`partition()`]); what is known of samples, by id
//!    ([`Interactions`]); rules that give every sample a weight in each loss ([`decide::policy`]), as a [`Plan`], with the
//!    controls that such a rule must be compared with.
//! 2. [`train`]: the loop ([`Trainer`]), the network that learns ([`train::student`], any candle model), what the loop calls
//!    ([`Hook`], [`Guide`]), losses weighed by the plan, a teacher's outputs by id, and interactions of the student itself,
//!    estimated while it learns ([`Tracker`]).
//! 3. [`experiments`]: whether it helps on a data set: [`experiments::distill`] compares policies by that very loop,
//!    [`experiments::ensemble`] weighs the members of an ensemble sample by sample, [`experiments::clean`] looks for wrong labels,
//!    [`experiments::align`] aligns two encoders on samples chosen by an interaction.
//!
//! The rules are those of Yang, Wang and Hu ("Efficient Quantification of Multimodal Interaction at Sample Level",
//! ICML 2025), who fine-tune on subsets, distil and weigh ensembles by interaction. The crate writes no files but
//! checkpoints, and prints nothing.
//!
//! # Examples
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
//!
//! Two epochs of a student that is distilled as its samples' interactions say:
//!
//! ```
//! use candle_core::{Device, Tensor};
//! use lsmi_candle::features::FeatureSet;
//! use lsmi_candle::numbers::matrix::Matrix;
//! use lsmi_core::families::{FamilyName, Settings as FamilySettings};
//! use lsmi_core::{ClassPrior, SampleIds};
//! use lsmi_guide::decide::policy::{self, Options};
//! use lsmi_guide::train::distiller::{self, Teacher};
//! use lsmi_guide::train::student::fusion;
//! use lsmi_guide::train::trainer;
//! use lsmi_guide::{Guide, Interactions, Pacing, Trainer};
//!
//! // 100 samples, synergistic in one half and unique to x2 in the other, and their exact terms.
//! let family = FamilyName::Mixed.build(&FamilySettings { dims: 3, ..Default::default() })?;
//! let draw = family.sample(100, &mut lsmi_core::random::stream(0, "example"));
//! let terms = family.terms(&draw)?;
//! let interactions = Interactions::new(terms, draw.labels.clone(), ClassPrior::uniform(2)?)?;
//!
//! // A teacher that says of every sample what its label is.
//! let logits: Vec<f32> = draw.labels.iter().flat_map(|label| [0.0, 4.0 * *label as f32 - 2.0]).collect();
//! let logits = Tensor::from_vec(logits, (100, 2), &Device::Cpu)?;
//! let teacher = Teacher::new(SampleIds::rows(100), &logits, &logits)?;
//!
//! let (x1, x2) = (Matrix::new(100, 3, draw.x1)?, Matrix::new(100, 3, draw.x2)?);
//! let samples = FeatureSet::new(SampleIds::rows(100), x1, x2, draw.labels)?;
//! let guide = Guide::fixed(policy::named("interaction", &Options::default())?, interactions, Pacing::default())?;
//! let teaching = Some((teacher, distiller::Settings::default()));
//! let student = fusion::student(&samples, 2, &fusion::Settings::default(), teaching, &Device::Cpu)?;
//! let mut trainer = Trainer::new(student, guide, trainer::Settings::default())?;
//! let first = trainer.epoch()?;
//! let second = trainer.epoch()?;
//! assert!(second.losses["label"] < first.losses["label"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

pub mod decide;
pub mod experiments;
pub mod train;

mod error;
mod identity;

pub use decide::interactions::Interactions;
pub use decide::partition::{Partition, Rule, Tie, Ties, partition};
pub use decide::plan::{Losses, Plan, Weights};
pub use decide::policy::{Policy, Progress};
pub use error::{CheckpointError, GuideError, PartitionError, Result};
pub use experiments::paired::{OverSeeds, PairedDifference};
pub use train::guide::{Guide, Pacing};
pub use train::hook::{Alike, Hook};
pub use train::student::Student;
pub use train::tracker::Tracker;
pub use train::trainer::Trainer;

/// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
