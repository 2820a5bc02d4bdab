//! The towers of pictures and videos, texts, sounds, and depth.

use candle_core::{DType, Tensor};

use super::finish;
use super::stem::Stem;
use super::trunk::{Shape, Sizes, Trunk};
use crate::embedding::encoders::hidden::at_positions;
use crate::embedding::encoders::layers::{Band, Mask, Padding, TubeletSize, Window};
use crate::embedding::encoders::text::Embeddings;
use crate::embedding::encoders::{
    AudioEncoder, Config, Encoder, EncoderError, Hidden, ImageEncoder, Pooling, Result, TextEncoder, VideoEncoder,
    Weights,
};

/// Frames of a clip. A picture counts as two frames that are the same.
const FRAMES: usize = 2;
/// Pixels of either side of pictures.
const SIDE: usize = 224;

/// The tower of pictures and videos.
#[derive(Debug)]
pub(in crate::embedding::encoders) struct ImageBindVision {
    stem: Stem,
    trunk: Trunk,
}

/// The tower of depth.
#[derive(Debug)]
pub(in crate::embedding::encoders) struct ImageBindDepth {
    stem: Stem,
    trunk: Trunk,
}

/// The tower of sounds.
#[derive(Debug)]
pub(in crate::embedding::encoders) struct ImageBindAudio {
    stem: Stem,
    trunk: Trunk,
}

/// The tower of texts.
#[derive(Debug)]
pub(in crate::embedding::encoders) struct ImageBindText {
    embeddings: Embeddings,
    trunk: Trunk,
}

impl ImageBindVision {
    /// Loads it from the file of the whole model.
    pub(in crate::embedding::encoders) fn load(config: &Config, weights: &Weights) -> Result<Self> {
        let sizes = Sizes::of(config);
        let shape = sizes.shape("vision", [[1024, 1280], [24, 32], [16, 16]])?;
        let kernel = config.counts(&["kernel_size"], Some(&[FRAMES, 14, 14]))?;
        let patch = match kernel[..] {
            [FRAMES, rows, columns] if rows == columns && rows > 0 => rows,
            _ => return Err(config.wrong("kernel_size", "[2, n, n]", Some(&kernel.into()))),
        };
        if sizes.count("video_frames", [FRAMES; 2])? != FRAMES {
            return Err(config.wrong("video_frames", "2", None));
        }
        let model = Self {
            stem: Stem::of_pictures(
                &weights.under("modality_preprocessors.vision"),
                ("rgbt_stem.proj.1", None),
                TubeletSize { channels: 3, frames: FRAMES, patch },
                sizes.count("image_size", [SIDE; 2])?,
                shape.width,
            )?,
            trunk: Trunk::load(weights, "vision", ["0", "2"], &Shape { first_norm: true, ..shape })?,
        };
        finish(weights, "vision")?;
        Ok(model)
    }
}

impl ImageBindDepth {
    /// Loads it from the file of the whole model.
    pub(in crate::embedding::encoders) fn load(config: &Config, weights: &Weights) -> Result<Self> {
        let sizes = Sizes::of(config);
        let shape = sizes.shape("depth", [[384, 384], [12, 12], [8, 8]])?;
        let model = Self {
            stem: Stem::of_pictures(
                &weights.under("modality_preprocessors.depth"),
                ("depth_stem.proj", Some("depth_stem.norm_layer")),
                TubeletSize { channels: 1, frames: 1, patch: sizes.count("depth_kernel_size", [16, 16])? },
                sizes.count("image_size", [SIDE; 2])?,
                shape.width,
            )?,
            trunk: Trunk::load(weights, "depth", ["0", "2"], &Shape { learnt_key: true, ..shape })?,
        };
        finish(weights, "depth")?;
        Ok(model)
    }
}

impl ImageBindAudio {
    /// Loads it from the file of the whole model.
    pub(in crate::embedding::encoders) fn load(config: &Config, weights: &Weights) -> Result<Self> {
        let sizes = Sizes::of(config);
        let shape = sizes.shape("audio", [[768, 768], [12, 12], [12, 12]])?;
        let window = Window {
            kernel: sizes.count("audio_kernel_size", [16, 16])?,
            stride: sizes.count("audio_stride", [10, 10])?,
            padding: Padding::Even(0),
        };
        let sides = [sizes.count("audio_num_mel_bins", [128, 128])?, sizes.count("audio_target_len", [204, 204])?];
        let model = Self {
            stem: Stem::of_sounds(&weights.under("modality_preprocessors.audio"), window, sides, shape.width)?,
            trunk: Trunk::load(weights, "audio", ["0", "2"], &Shape { learnt_key: true, ..shape })?,
        };
        finish(weights, "audio")?;
        Ok(model)
    }
}

impl ImageBindText {
    /// Loads it from the file of the whole model.
    pub(in crate::embedding::encoders) fn load(config: &Config, weights: &Weights) -> Result<Self> {
        let sizes = Sizes::of(config);
        let shape = sizes.shape("text", [[768, 1024], [12, 24], [12, 16]])?;
        let (vocabulary, positions) = (sizes.count("vocab_size", [49408; 2])?, sizes.count("context_length", [77; 2])?);
        let tables = weights.under("modality_preprocessors.text");
        let tokens = tables.get("token_embedding.weight", &[vocabulary, shape.width])?;
        let positions = tables.get("pos_embed", &[1, positions, shape.width])?.squeeze(0)?;
        let model = Self {
            embeddings: Embeddings::new(tokens, positions, None, 0)?,
            trunk: Trunk::load(weights, "text", ["proj.0", "proj.1"], &shape)?,
        };
        finish(weights, "text")?;
        Ok(model)
    }
}

/// What a tower makes of inputs whose class token stands for them.
fn by_class_token(stem: &Stem, trunk: &Trunk, inputs: &Tensor) -> Result<Hidden> {
    let states = trunk.forward(stem.forward(inputs)?, None)?;
    let (batch, length, _) = states.dims3()?;
    let keep = Tensor::from_iter((0..length).map(|position| u32::from(position > 0)), states.device())?;
    let keep = keep.unsqueeze(0)?.expand((batch, length))?.contiguous()?;
    let first = states.narrow(1, 0, 1)?.squeeze(1)?;
    trunk.hidden(states, &first, keep)
}

/// Pictures `[B, channels, h, w]` as clips of some frames that are the same.
fn still(pixels: &Tensor, frames: usize) -> Result<Tensor> {
    let (batch, channels, height, width) = pixels.dims4().map_err(|_| EncoderError::Input {
        what: "the shape of the pictures",
        expected: "[pictures, channels, height, width]".to_owned(),
        found: format!("{:?}", pixels.dims()),
    })?;
    Ok(pixels.unsqueeze(1)?.expand((batch, frames, channels, height, width))?.contiguous()?)
}

/// Implements the poolings of a tower.
macro_rules! poolings {
    ($($tower:ident, $class_token:literal;)*) => {
        $(impl Encoder for $tower {
            fn width(&self, pooling: Pooling) -> Result<usize> {
                self.trunk.width(pooling, $class_token)
            }

            fn pooling(&self) -> Pooling {
                Pooling::Projection
            }
        })*
    };
}

poolings! {
    ImageBindVision, true;
    ImageBindDepth, true;
    ImageBindAudio, true;
    ImageBindText, false;
}

impl ImageEncoder for ImageBindVision {
    fn encode(&self, pixels: &Tensor) -> Result<Hidden> {
        by_class_token(&self.stem, &self.trunk, &still(pixels, FRAMES)?)
    }
}

impl VideoEncoder for ImageBindVision {
    fn frames(&self) -> usize {
        FRAMES
    }

    fn encode(&self, clips: &Tensor) -> Result<Hidden> {
        by_class_token(&self.stem, &self.trunk, clips)
    }
}

impl ImageEncoder for ImageBindDepth {
    fn encode(&self, pixels: &Tensor) -> Result<Hidden> {
        by_class_token(&self.stem, &self.trunk, &still(pixels, 1)?)
    }
}

impl AudioEncoder for ImageBindAudio {
    /// The class token has seen all frames, padding too, as in training.
    fn encode(&self, features: &Tensor, _frames: Option<&[usize]>) -> Result<Hidden> {
        by_class_token(&self.stem, &self.trunk, features)
    }
}

impl TextEncoder for ImageBindText {
    fn max_tokens(&self) -> usize {
        self.embeddings.max_tokens()
    }

    fn encode(&self, ids: &Tensor, mask: &Tensor, _types: Option<&Tensor>) -> Result<Hidden> {
        let x = self.embeddings.in_order(ids, None)?;
        // What lies behind the end is seen by nothing before it.
        let states = self.trunk.forward(x, Some(&Mask::band(Band::CAUSAL)))?;
        // The end has the greatest number, and padding may have it too. On the host: which of several equal numbers `argmax`
        // takes depends on the device.
        let rows = ids.to_dtype(DType::U32)?.to_vec2::<u32>()?;
        let end = |row: &Vec<u32>| {
            let greatest = row.iter().max();
            let position = row.iter().position(|id| Some(id) == greatest).unwrap_or(0);
            u32::try_from(position).unwrap_or(u32::MAX)
        };
        let ends = Tensor::new(rows.iter().map(end).collect::<Vec<_>>(), ids.device())?;
        let chosen = at_positions(&states, &ends)?;
        self.trunk.hidden(states, &chosen, mask.clone())
    }
}
