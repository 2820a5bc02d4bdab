//! Sound models: log-mel spectrograms become vectors.
//!
//! | `model_type` | model | pooling |
//! |---|---|---|
//! | `whisper` | encoder of Whisper | mean |
//!
//! Spectrograms are `[B, bins, frames]`, as [`crate::preprocess::sound`] makes them.

mod whisper;

use super::{Config, EncoderError, Result, SoundEncoder, Weights};

/// The architectures that [`load`] knows.
pub const ARCHITECTURES: &[&str] = &["whisper"];

/// Builds the sound model of a checkpoint.
///
/// # Errors
/// [`EncoderError`] naming the architecture that is not built in, the field of the configuration that cannot be used, or
/// the tensor that is missing, of another shape, or unknown to the architecture.
pub fn load(config: &Config, weights: &Weights) -> Result<Box<dyn SoundEncoder>> {
    Ok(match config.architecture()? {
        "whisper" => Box::new(whisper::Whisper::load(config, weights)?),
        found => {
            return Err(EncoderError::Architecture {
                file: config.file().to_owned(),
                found: found.to_owned(),
                modality: "sounds",
                known: ARCHITECTURES,
            });
        }
    })
}
