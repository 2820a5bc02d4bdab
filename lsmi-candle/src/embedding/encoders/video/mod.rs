//! Video models: clips become vectors.
//!
//! | `model_type` | model | pooling | frames of a clip |
//! |---|---|---|---|
//! | `videomae` | VideoMAE | pooler, or mean where it has no norm of the mean | 16, as configured |
//! | `imagebind` | pictures' tower of ImageBind | projection | 2 |
//!
//! Clips are `[B, frames, 3, height, width]`, each frame prepared as a picture. Videos are encoded by picture models too,
//! frame by frame; see [`crate::embedding::embedder`].

mod videomae;

use super::imagebind::ImageBindVision;
use super::{Architecture, Config, Modality, Result, VideoEncoder, Weights};

/// Builds the video model of a checkpoint.
///
/// # Errors
/// [`EncoderError`](super::EncoderError) naming the architecture that is not built in, the field of the configuration that
/// cannot be used, or the tensor that is missing, of another shape, or unknown to the architecture.
pub fn load(config: &Config, weights: &Weights) -> Result<Box<dyn VideoEncoder>> {
    Ok(match config.network(Modality::Video)? {
        Architecture::VideoMae => Box::new(videomae::VideoMae::load(config, weights)?),
        Architecture::ImageBind => Box::new(ImageBindVision::load(config, weights)?),
        _ => return Err(config.not_built_in(Modality::Video)),
    })
}
