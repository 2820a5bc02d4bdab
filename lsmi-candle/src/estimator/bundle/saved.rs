//! An estimator of whatever kind a file holds.

use safetensors::SafeTensors;

use super::kind::EstimatorKind;
use crate::device::DeviceChoice;
use crate::error::{BundleError, Result};
use crate::estimator::Estimator;
use crate::estimator::continuous::ContinuousEstimator;
use crate::estimator::several::SeveralEstimator;

/// An estimator read from a file.
#[derive(Debug, Clone)]
pub enum SavedEstimator {
    /// Of two modalities and classes.
    Two(Box<Estimator>),
    /// Of several modalities and classes.
    Several(Box<SeveralEstimator>),
    /// Of two modalities and continuous targets.
    Continuous(Box<ContinuousEstimator>),
}

impl SavedEstimator {
    /// Reads an estimator of the kind that the bytes of a safetensors file hold; `file` names it in messages.
    ///
    /// # Errors
    /// [`BundleError`] for bytes that are no bundle, are damaged or newer than this version; a device that cannot be
    /// opened.
    pub fn from_bytes(file: &str, bytes: &[u8], device: DeviceChoice) -> Result<Self> {
        let (_, header) = SafeTensors::read_metadata(bytes)
            .map_err(|source| BundleError::Format { file: file.to_owned(), source })?;
        Ok(match EstimatorKind::of(file, &header)? {
            EstimatorKind::Two => Self::Two(Box::new(Estimator::from_bytes(file, bytes, device)?)),
            EstimatorKind::Several => Self::Several(Box::new(SeveralEstimator::from_bytes(file, bytes, device)?)),
            EstimatorKind::Continuous => {
                Self::Continuous(Box::new(ContinuousEstimator::from_bytes(file, bytes, device)?))
            }
        })
    }
}
