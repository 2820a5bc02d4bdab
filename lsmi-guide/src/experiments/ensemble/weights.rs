//! The weights of every sample, for ensembles built elsewhere.

use lsmi_core::SampleIds;

use super::Guidance;

/// The weight of every member for every sample, as [`weights`](super::weights()) gives them.
///
/// What the ensemble says of a sample is `log_softmax(sum_m weight_m log p_m)`.
#[derive(Debug, Clone)]
pub struct SampleWeights {
    /// The samples.
    pub ids: SampleIds,
    /// The members.
    pub members: Vec<String>,
    /// What cross-validation chose.
    pub guidance: Guidance,
    /// `[n, M]`, row-major.
    pub weights: Vec<f64>,
}

impl SampleWeights {
    /// Returns the weight of a member for every sample.
    ///
    /// # Panics
    /// If there is no such member, as indexing a slice does.
    pub fn of_member(&self, member: usize) -> Vec<f64> {
        self.weights.chunks_exact(self.members.len()).map(|weights| weights[member]).collect()
    }
}
