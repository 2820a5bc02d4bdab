//! Sound models: log-mel spectrograms become vectors.
//!
//! | `model_type` | model | pooling |
//! |---|---|---|
//! | `whisper` | encoder of Whisper | mean |
//! | `imagebind` | sounds' tower of ImageBind | projection |
//!
//! Spectrograms are `[B, bins, frames]`, as [`crate::embedding::preprocess::audio`] makes them.

mod whisper;

use super::imagebind::ImageBindAudio;
use super::{Architecture, AudioEncoder, Config, Modality, Result, Weights};

/// Builds the sound model of a checkpoint.
///
/// # Errors
/// [`EncoderError`](super::EncoderError) naming the architecture that is not built in, the field of the configuration that cannot be used, or
/// the tensor that is missing, of another shape, or unknown to the architecture.
pub fn load(config: &Config, weights: &Weights) -> Result<Box<dyn AudioEncoder>> {
    match config.network(Modality::Audio)? {
        Architecture::Whisper => Ok(Box::new(whisper::Whisper::load(config, weights)?)),
        Architecture::ImageBind => Ok(Box::new(ImageBindAudio::load(config, weights)?)),
        _ => Err(config.not_built_in(Modality::Audio)),
    }
}
