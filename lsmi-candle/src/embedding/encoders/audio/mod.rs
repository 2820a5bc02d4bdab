//! Sound models: log-mel spectrograms become vectors.
//!
//! | `model_type` | model | pooling |
//! |---|---|---|
//! | `whisper` | encoder of Whisper | mean |
//! | `audio-spectrogram-transformer` | AST | pooler |
//! | `clap`, `clap_audio_model` | sound tower of CLAP | projection, or pooler where there is none |
//!
//! Spectrograms are `[B, bins, frames]`, as [`crate::embedding::preprocess::audio`] makes them.

mod ast;
pub(super) mod clap;
mod patches;
mod whisper;

use super::{Architecture, AudioEncoder, Config, Modality, Result, Weights};

/// Builds the sound model of a checkpoint.
///
/// # Errors
/// [`EncoderError`](super::EncoderError) naming the architecture that is not built in, the field of the configuration that cannot be used, or
/// the tensor that is missing, of another shape, or unknown to the architecture.
pub fn load(config: &Config, weights: &Weights) -> Result<Box<dyn AudioEncoder>> {
    match config.network(Modality::Audio)? {
        Architecture::Ast => Ok(Box::new(ast::Ast::load(config, weights)?)),
        Architecture::Clap => Ok(Box::new(clap::ClapAudio::load(config, weights)?)),
        Architecture::Whisper => Ok(Box::new(whisper::Whisper::load(config, weights)?)),
        _ => Err(config.not_built_in(Modality::Audio)),
    }
}
