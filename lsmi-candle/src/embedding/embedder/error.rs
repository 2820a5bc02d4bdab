//! Why an input cannot be embedded.

use thiserror::Error;

use crate::device::DeviceError;
use crate::embedding::encoders::EncoderError;
use crate::embedding::manifests::ModelError;
use crate::embedding::preprocess::PreprocessError;

/// A result whose error is [`EmbedError`].
pub type Result<T, E = EmbedError> = std::result::Result<T, E>;

/// Why something cannot be embedded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EmbedError {
    /// A file of the model cannot be read.
    #[error("{file}: cannot be read; check the path and its permissions")]
    Read {
        /// The file.
        file: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file of the model is not what it should be.
    #[error("{file}: {reason}")]
    File {
        /// The file.
        file: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A file that the model needs is not among its files.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The encoder cannot be built, or cannot encode.
    #[error(transparent)]
    Encoder(#[from] EncoderError),
    /// An input cannot be prepared.
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
    /// The device cannot be opened.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A vector has a value that is not finite.
    #[error("the model gives {found} for this input; compute in f32, or leave the row out")]
    NotFinite {
        /// The value.
        found: f32,
    },
}

impl From<candle_core::Error> for EmbedError {
    fn from(error: candle_core::Error) -> Self {
        Self::Encoder(error.into())
    }
}
