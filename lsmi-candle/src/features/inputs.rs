//! What models see of samples: everything but their labels.

use lsmi_core::SampleIds;

use super::FeatureSet;
use super::hash;
use crate::numbers::matrix::Matrix;

/// Samples whose labels are unknown or are not to be known: row i of everything is the same sample.
///
/// ```
/// use lsmi_candle::features::Unlabelled;
/// use lsmi_candle::numbers::matrix::Matrix;
/// use lsmi_core::SampleIds;
///
/// let samples = Unlabelled {
///     ids: SampleIds::from_names(["a", "b"])?,
///     x1: Matrix::new(2, 1, vec![0.5, -0.5])?,
///     x2: Matrix::new(2, 2, vec![1.0, 2.0, 3.0, 4.0])?,
///     logits: [None, None, None],
/// };
/// assert_eq!(samples.select(&[1]).inputs().x2.values(), [3.0, 4.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Unlabelled {
    /// What the samples are called; no two alike.
    pub ids: SampleIds,
    /// The first modality, `[n, d1]`.
    pub x1: Matrix,
    /// The second modality, `[n, d2]`.
    pub x2: Matrix,
    /// Logits of the user's models of x1, x2 and both, `[n, K]`, where there are any.
    pub logits: [Option<Matrix>; 3],
}

impl Unlabelled {
    /// Number of samples.
    pub fn rows(&self) -> usize {
        self.x1.rows()
    }

    /// The given samples in the given order.
    ///
    /// # Panics
    /// If an index is not below [`rows`](Self::rows), as indexing a slice does.
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        Self {
            ids: self.ids.select(indices),
            x1: self.x1.select(indices),
            x2: self.x2.select(indices),
            logits: select_logits(&self.logits, indices),
        }
    }

    /// The samples, borrowed.
    pub fn inputs(&self) -> Inputs<'_> {
        Inputs { ids: &self.ids, x1: &self.x1, x2: &self.x2, logits: self.logits.each_ref().map(Option::as_ref) }
    }

    /// SHA-256 of shapes, values, ids and logits, in hexadecimal; never that of a [`FeatureSet`].
    pub fn hash(&self) -> String {
        hash::of_unlabelled(self)
    }
}

/// The samples without their labels.
impl From<&FeatureSet> for Unlabelled {
    fn from(features: &FeatureSet) -> Self {
        Self {
            ids: features.ids.clone(),
            x1: features.x1.clone(),
            x2: features.x2.clone(),
            logits: features.logits.clone(),
        }
    }
}

/// What a [`FeatureSet`] and [`Unlabelled`] samples have in common, borrowed: row i of everything is the same sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Inputs<'a> {
    /// What the samples are called.
    pub ids: &'a SampleIds,
    /// The first modality, `[n, d1]`.
    pub x1: &'a Matrix,
    /// The second modality, `[n, d2]`.
    pub x2: &'a Matrix,
    /// Logits of the user's models of x1, x2 and both, `[n, K]`, where there are any.
    pub logits: [Option<&'a Matrix>; 3],
}

impl Inputs<'_> {
    /// Number of samples.
    pub fn rows(&self) -> usize {
        self.x1.rows()
    }
}

pub(super) fn select_logits(logits: &[Option<Matrix>; 3], indices: &[usize]) -> [Option<Matrix>; 3] {
    logits.each_ref().map(|logits| logits.as_ref().map(|logits| logits.select(indices)))
}
