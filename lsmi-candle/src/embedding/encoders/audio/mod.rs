//! Sound models: spectrograms or samples become vectors.
//!
//! | `model_type` | model | pooling |
//! |---|---|---|
//! | `whisper` | encoder of Whisper | mean |
//! | `audio-spectrogram-transformer` | AST | pooler |
//! | `clap`, `clap_audio_model` | sound tower of CLAP | projection, or pooler where there is none |
//! | `wav2vec2`, `unispeech`, `unispeech-sat` | wav2vec 2.0 and models that differ in training | mean |
//! | `hubert` | `HuBERT` | mean |
//! | `wavlm` | `WavLM` | mean |
//! | `data2vec-audio` | data2vec of sounds | mean |
//! | `imagebind` | sounds' tower of ImageBind | projection |
//!
//! Whisper, AST and CLAP read spectrograms `[B, bins, frames]`, CLAP with fusion four of each sound, the others
//! samples `[B, samples]`, as [`crate::embedding::preprocess::audio`] makes them.

mod ast;
pub(super) mod clap;
mod patches;
mod waveform;
mod whisper;

use super::imagebind::ImageBindAudio;
use super::{Architecture, AudioEncoder, Config, Modality, Result, Weights};

/// Builds the sound model of a checkpoint.
///
/// # Errors
/// [`EncoderError`](super::EncoderError) naming the architecture that is not built in, the field of the configuration
/// that cannot be used, or the tensor that is missing, of another shape, or unknown to the architecture.
pub fn load(config: &Config, weights: &Weights) -> Result<Box<dyn AudioEncoder>> {
    match config.network(Modality::Audio)? {
        Architecture::Ast => Ok(Box::new(ast::Ast::load(config, weights)?)),
        Architecture::Clap => Ok(Box::new(clap::ClapAudio::load(config, weights)?)),
        Architecture::Whisper => Ok(Box::new(whisper::Whisper::load(config, weights)?)),
        architecture @ (Architecture::Wav2Vec2
        | Architecture::Hubert
        | Architecture::WavLm
        | Architecture::Data2VecAudio) => Ok(Box::new(waveform::Waveform::load(config, weights, architecture)?)),
        Architecture::ImageBind => Ok(Box::new(ImageBindAudio::load(config, weights)?)),
        _ => Err(config.not_built_in(Modality::Audio)),
    }
}
