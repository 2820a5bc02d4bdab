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
//! [`analyze`] does all of it: from a table to samples, a summary, and an estimator that scores new rows.
//!
//! ```
//! use lsmi_candle::prelude::*;
//! use lsmi_core::SampleIds;
//! use lsmi_core::families::{FamilyName, Settings as FamilySettings};
//!
//! // 200 samples of which both modalities carry the label, written to a file.
//! let family = FamilyName::Rdn.build(&FamilySettings { dims: 2, ..Default::default() })?;
//! let draw = family.sample(200, &mut lsmi_core::random::stream(0, "example"));
//! let (x1, x2) = (Matrix::new(200, 2, draw.x1)?, Matrix::new(200, 2, draw.x2)?);
//! let labels: Vec<i64> = draw.labels.iter().map(|label| i64::from(*label)).collect();
//! let arrays = [
//!     ("x1", features::ArrayValues::Matrix(&x1)),
//!     ("x2", features::ArrayValues::Matrix(&x2)),
//!     ("y", features::ArrayValues::Integers(&labels)),
//! ];
//! let folder = tempfile::tempdir()?;
//! let file = folder.path().join("features.safetensors");
//! std::fs::write(&file, features::write_safetensors(&arrays.into(), &Default::default())?)?;
//!
//! let table = features::read(&file)?;
//! let analysis = analyze(&table, &Settings { repeats: Some(1), ..Settings::default() })?;
//! let means = analysis.summary().splits[0].1.raw;
//! // Nearly all of the label's ln 2 nats are redundant.
//! assert!((means.r - 0.693).abs() < 0.05);
//! assert_eq!(analysis.samples()?.num_rows(), 200);
//!
//! analysis.write(folder.path().join("result"))?;
//! assert!(folder.path().join("result/samples.csv").is_file());
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

pub use analysis::{Analysis, analyze};
pub use error::{BundleError, EstimatorError, Result};
pub use numbers::matrix::Matrix;

/// The names that a program needs to analyze a table.
pub mod prelude {
    pub use crate::analysis::{Analysis, Settings, analyze};
    pub use crate::features;
    pub use crate::numbers::matrix::Matrix;
}
