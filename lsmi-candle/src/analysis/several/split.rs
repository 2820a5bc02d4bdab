//! A split of samples of several modalities, scored and decomposed.

use lsmi_core::Subset;
use lsmi_core::lattice::LatticeColumns;
use lsmi_core::shapley::ShapleyColumns;

use crate::estimator::several::SeveralScores;
use crate::features::MetadataColumn;
use crate::samples::ScoredSplit;

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
    /// Shapley values and interaction indices, where every set has a head.
    pub shapley: Option<ShapleyColumns>,
    /// What is known of each pair of modalities.
    pub pairs: Vec<(Subset, ScoredSplit)>,
    /// The columns of the input that are carried along.
    pub metadata: Vec<MetadataColumn>,
}
