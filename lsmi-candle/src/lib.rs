//! The estimators of LSMI: feature files, the gauge, KNIFE, heads, the cross-fitted estimator and its bundles.
//!
//! The way through this crate:
//!
//! 1. [`features`] reads two modalities and a label for every sample into checked memory.
//! 2. [`densities::gauge`] fits the coordinates in which surprisals are measured.
//! 3. [`densities::knife`] fits the densities p(x1) and p(x2), [`heads`] the posteriors p(y|x1), p(y|x2) and p(y|x1, x2).
//! 4. [`estimator`] does both for every fold, computes the terms of each training row by models that did not see it, and
//!    keeps the models for new rows; [`lsmi_core`] turns terms into redundancy, uniqueness and synergy.
//! 5. [`estimator::batch`] scores record batches, the unit of work for more rows than memory holds.
//!
//! [`training`] fits networks of candle's tensors repeatably.
//!
//! [`baselines`] has the systems that LSMI was published against: [`baselines::pid_batch`] estimates means of a whole data set
//! by a learned coupling, [`baselines::pid_cvx`] makes features discrete and decomposes their table, and
//! [`baselines::compare`] runs all three.
//!
//! With the feature `embedding`, which is not on by default, the module `embedding` makes feature files of pictures, texts and
//! sounds with pretrained encoders.
//!
//! Tensors are f32 on the device chosen in [`device`]; sums, statistics and probabilities are f64 on the host. One seed
//! gives the same bytes on the CPU.
//!
//! ```
//! use lsmi_candle::estimator::{Settings, cross_fit};
//! use lsmi_candle::features::{Classes, FeatureSet};
//! use lsmi_candle::Matrix;
//! use lsmi_core::SampleIds;
//! use lsmi_core::families::{FamilyName, Settings as FamilySettings};
//!
//! let family = FamilyName::Rdn.build(&FamilySettings { dims: 2, ..Default::default() })?;
//! let draw = family.sample(200, &mut lsmi_core::random::stream(0, "example"));
//! let (x1, x2) = (Matrix::new(200, 2, draw.x1)?, Matrix::new(200, 2, draw.x2)?);
//! let train = FeatureSet::new(SampleIds::rows(200), x1, x2, draw.labels)?;
//! let classes = Classes::new(vec!["no".to_owned(), "yes".to_owned()])?;
//! let fit = cross_fit(&train, &classes, &Settings::default(), None)?;
//! let means = fit.estimator.measure().decompose(&fit.scores.terms, &fit.scores.labels).means();
//! // Both modalities carry the label in full: nearly all of its ln 2 nats are redundant.
//! assert!((means.r - 0.693).abs() < 0.05);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod analysis;
pub mod baselines;
pub mod densities;
pub mod device;
#[cfg(feature = "embedding")]
pub mod embedding;
pub mod estimator;
pub mod features;
pub mod files;
pub mod gates;
pub mod heads;
pub mod jobs;
pub mod numbers;
pub mod samples;
pub mod training;

mod error;
mod guarded;

pub use error::{BundleError, EstimatorError, Result};
pub use numbers::matrix::Matrix;
