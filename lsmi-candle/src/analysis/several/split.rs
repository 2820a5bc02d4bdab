//! A split of samples of several modalities, scored and decomposed.

use lsmi_core::lattice::LatticeColumns;
use lsmi_core::shapley::ShapleyColumns;
use lsmi_core::{Measure, Subset};

use crate::error::Result;
use crate::estimator::several::{SeveralEstimator, SeveralScores};
use crate::features::{MetadataColumn, SeveralSet, Split};
use crate::samples::ScoredSplit;

/// The rows of a split, scored and not yet decomposed.
#[derive(Debug)]
pub struct ScoredRows {
    /// The name of the split.
    pub name: String,
    /// Its terms and predictions.
    pub scores: SeveralScores,
    /// The columns of the input that are carried along.
    pub metadata: Vec<MetadataColumn>,
}

impl ScoredRows {
    /// Scores rows that the estimator was not fitted on.
    ///
    /// # Errors
    /// As [`SeveralEstimator::score`].
    pub fn score(split: &Split<SeveralSet>, estimator: &SeveralEstimator, metadata: &[MetadataColumn]) -> Result<Self> {
        let scores = estimator.score(&split.features)?;
        Ok(Self { name: split.name.clone(), scores, metadata: metadata.to_vec() })
    }
}

/// What modalities share in the samples of a split, by one measure.
#[derive(Debug)]
pub struct SharedInformation {
    /// The measure.
    pub measure: Measure,
    /// What all modalities share, `[n]`; none where the measure needs heads that were not fitted.
    pub redundancy: Option<Vec<f64>>,
    /// The redundancy lattice; of three modalities.
    pub lattice: Option<LatticeColumns>,
}

/// Terms, predictions and decompositions of the samples of one split, of several modalities.
#[derive(Debug)]
pub struct SeveralSplit {
    /// The name of the split.
    pub name: String,
    /// Its terms and predictions.
    pub scores: SeveralScores,
    /// What all modalities share, `[n]`; none where the measure needs heads that were not fitted.
    pub redundancy: Option<Vec<f64>>,
    /// The redundancy lattice; of three modalities.
    pub lattice: Option<LatticeColumns>,
    /// Both by further measures, which are of any number of modalities.
    pub measures: Vec<SharedInformation>,
    /// Shapley values and interaction indices, where every set has a head.
    pub shapley: Option<ShapleyColumns>,
    /// What is known of each pair of modalities.
    pub pairs: Vec<(Subset, ScoredSplit)>,
    /// The columns of the input that are carried along.
    pub metadata: Vec<MetadataColumn>,
}
