//! Pretrained encoders: a text, a picture, a sound or a video becomes a vector.
//!
//! An encoder is built from the two files of a checkpoint, `config.json` ([`Config`]) and `model.safetensors`
//! ([`Weights`]), as they are on the Hugging Face hub. It gives [`Hidden`] states, and [`Hidden::pool`] makes one vector
//! of them, as its authors do or otherwise.
//!
//! The models are written here on one shared transformer (`layers`) rather than taken from `candle-transformers`: of
//! thirteen checkpoints tried, that crate loads or reproduces six only (GELU by another formula, position tables resized by
//! another one, other tensor names, private fields), and it compiles 83,000 lines, all its models whatever is used.
//! The shapes of all tensors are checked while loading, and a checkpoint with tensors that the architecture does not know
//! is refused.
//!
//! Computation is f32 unless the weights are read as f16 or bf16; norms and softmax are summed in f32 in any case.

pub mod audio;
pub mod image;
mod imagebind;
pub(crate) mod layers;
pub mod text;
pub mod tokens;
pub mod video;

mod architecture;
mod config;
mod error;
mod hidden;
mod modality;
mod nearest;
mod pooling;
mod tail;
mod weights;

pub use architecture::Architecture;
pub(crate) use architecture::NetworkName;
pub use config::Config;
pub use error::{EncoderError, Result};
pub use hidden::{Hidden, l2_normalise};
pub use layers::Activation;
pub use modality::Modality;
pub use nearest::Nearest;
pub(in crate::embedding) use nearest::edit_distance;
pub use pooling::{Pooling, Poolings};
pub use tail::{Entered, Entry, ImageStages, Tail, TextStages};
pub use weights::{Variables, Weights};

use candle_core::Tensor;

/// A model that makes vectors.
pub trait Encoder: Send + Sync {
    /// Returns the width of the vector that a pooling gives.
    ///
    /// # Errors
    /// [`EncoderError::Pooling`] where the model does not offer it.
    fn width(&self, pooling: Pooling) -> Result<usize>;

    /// Returns the pooling that the authors of the architecture intend.
    fn pooling(&self) -> Pooling;

    /// Returns the width of the joined vectors of several poolings.
    ///
    /// # Errors
    /// As [`Encoder::width`].
    fn width_of_all(&self, poolings: &Poolings) -> Result<usize> {
        poolings.iter().map(|pooling| self.width(pooling)).sum()
    }
}

/// How far texts are filled up with padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Padding {
    /// To the longest of the batch.
    #[default]
    Longest,
    /// To the most tokens that a text may have: the model looks at padding too.
    Full,
}

/// A model that encodes tokens.
pub trait TextEncoder: Encoder {
    /// Returns the most tokens that a text may have, special ones included.
    fn max_tokens(&self) -> usize;

    /// Returns how far texts are to be filled up.
    fn padding(&self) -> Padding {
        Padding::Longest
    }

    /// Returns the token that texts are filled up with, where the configuration names it.
    fn padding_token(&self) -> Option<u32> {
        None
    }

    /// Returns its two stages, where it has them: then its blocks can be trained.
    fn stages(&self) -> Option<&dyn TextStages> {
        None
    }

    /// Encodes token ids `[B, T]` (u32). The mask `[B, T]` (u32) is 1 at tokens and 0 at padding; `types` are the numbers
    /// of the segments, 0 everywhere where not given.
    ///
    /// # Errors
    /// [`EncoderError::Input`] where the texts are too long, else a candle error.
    fn encode(&self, ids: &Tensor, mask: &Tensor, types: Option<&Tensor>) -> Result<Hidden>;
}

/// A model that encodes pictures.
pub trait ImageEncoder: Encoder {
    /// Returns its two stages, where it has them: then its blocks can be trained.
    fn stages(&self) -> Option<&dyn ImageStages> {
        None
    }

    /// Encodes prepared pictures `[B, 3, height, width]`; of depth, `[B, 1, height, width]`.
    ///
    /// # Errors
    /// [`EncoderError::Input`] where the size does not suit the model, else a candle error.
    fn encode(&self, pixels: &Tensor) -> Result<Hidden>;
}

/// A model that encodes moving pictures.
pub trait VideoEncoder: Encoder {
    /// Returns the number of frames of a clip.
    fn frames(&self) -> usize;

    /// Encodes clips of prepared pictures, `[B, frames, 3, height, width]`.
    ///
    /// # Errors
    /// [`EncoderError::Input`] where the size or the number of frames does not suit the model, else a candle error.
    fn encode(&self, clips: &Tensor) -> Result<Hidden>;
}

/// A model that encodes sounds.
pub trait AudioEncoder: Encoder {
    /// Returns the fewest frames (of waveforms: samples) of a sound that it makes a vector of.
    fn least_frames(&self) -> usize {
        1
    }

    /// Whether means leave out the padding behind a sound.
    fn leaves_padding_out(&self) -> bool {
        true
    }

    /// Encodes spectrograms `[B, bins, frames]`, of each of which so many frames are of its sound and the rest is padding;
    /// without a word of it, all are. Of a model that reads waveforms `[B, samples]`, frames are samples.
    ///
    /// Padding is looked at as the model was trained to, and left out of means where [`leaves_padding_out`] says so.
    ///
    /// # Errors
    /// [`EncoderError::Input`] where the size does not suit the model, else a candle error.
    ///
    /// [`leaves_padding_out`]: AudioEncoder::leaves_padding_out
    fn encode(&self, features: &Tensor, frames: Option<&[usize]>) -> Result<Hidden>;
}
