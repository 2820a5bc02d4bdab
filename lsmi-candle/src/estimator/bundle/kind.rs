//! The kinds of estimators, told apart by the metadata of their files.

use std::fmt;

use safetensors::tensor::Metadata;

use crate::error::BundleError;

/// A kind of estimator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EstimatorKind {
    /// Of two modalities and classes.
    Two,
    /// Of several modalities and classes.
    Several,
    /// Of two modalities and continuous targets.
    Continuous,
}

impl EstimatorKind {
    const ALL: [Self; 3] = [Self::Two, Self::Several, Self::Continuous];

    /// Returns the metadata key under which a bundle of this kind has everything that is not a tensor.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Two => "lsmi",
            Self::Several => "lsmi-several",
            Self::Continuous => "lsmi-continuous",
        }
    }

    /// Returns the kind of the estimator with this header.
    pub(super) fn of(file: &str, header: &Metadata) -> Result<Self, BundleError> {
        let found = header.metadata().as_ref();
        let kind = Self::ALL.into_iter().find(|kind| found.is_some_and(|found| found.contains_key(kind.key())));
        kind.ok_or_else(|| BundleError::NotABundle { file: file.to_owned() })
    }

    /// Returns what a file of this kind has under its key.
    pub(super) fn metadata<'h>(self, file: &str, header: &'h Metadata) -> Result<&'h str, BundleError> {
        let found = Self::of(file, header)?;
        let metadata = header.metadata().as_ref().and_then(|metadata| metadata.get(self.key()));
        metadata.map(String::as_str).filter(|_| found == self).ok_or_else(|| BundleError::OtherKind {
            file: file.to_owned(),
            found,
            expected: self,
        })
    }
}

impl fmt::Display for EstimatorKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Two => "two modalities",
            Self::Several => "more than two modalities",
            Self::Continuous => "continuous targets",
        })
    }
}
