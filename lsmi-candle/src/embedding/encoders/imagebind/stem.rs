//! What makes states of pictures, depth and sounds: patches, a norm of theirs where there is one, a class token, positions.

use candle_core::Tensor;

use crate::embedding::encoders::layers::{Convolution, LayerNorm, TubeletSize, Tubelets, Window};
use crate::embedding::encoders::{EncoderError, Result, Weights};

/// The epsilon of the norms of patches.
const EPS: f64 = 1e-5;

/// Patches, the class token before them, and the table of positions.
#[derive(Debug)]
pub(super) struct Stem {
    patches: Patches,
    norm: Option<LayerNorm>,
    class_token: Tensor,
    positions: Tensor,
    /// The shape of an input without the axis of the batch.
    input: Vec<usize>,
    what: &'static str,
}

#[derive(Debug)]
enum Patches {
    /// Those that touch.
    Apart(Tubelets),
    /// Those that overlap.
    Overlapping(Convolution),
}

impl Stem {
    /// Of squares of `side` pixels, whose frames are all in one block. Without a norm, the weight has an axis of frames.
    pub(super) fn of_pictures(
        weights: &Weights,
        (layer, norm): (&str, Option<&str>),
        size: TubeletSize,
        side: usize,
        width: usize,
    ) -> Result<Self> {
        let grid = side / size.patch;
        Ok(Self {
            patches: Patches::Apart(Tubelets::load(weights, layer, size, width, false, norm.is_some())?),
            norm: norm.map(|norm| LayerNorm::load(weights, norm, width, EPS)).transpose()?,
            class_token: weights.get("cls_token", &[1, 1, width])?,
            positions: positions(weights, grid * grid, width)?,
            input: vec![size.frames, size.channels, grid * size.patch, grid * size.patch],
            what: "the shape of the pictures, with an axis of frames before that of the channels,",
        })
    }

    /// Of spectrograms of so many bins and frames.
    pub(super) fn of_sounds(weights: &Weights, window: Window, sides: [usize; 2], width: usize) -> Result<Self> {
        let places = |side: usize| side.checked_sub(window.kernel).map_or(0, |room| room / window.stride + 1);
        let count = places(sides[0]) * places(sides[1]);
        Ok(Self {
            patches: Patches::Overlapping(Convolution::load(weights, "rgbt_stem.proj", [1, width], window, false)?),
            norm: Some(LayerNorm::load(weights, "rgbt_stem.norm_layer", width, EPS)?),
            class_token: weights.get("cls_token", &[1, 1, width])?,
            positions: positions(weights, count, width)?,
            input: sides.to_vec(),
            what: "the shape of the spectrograms",
        })
    }

    /// The states `[B, T, d]` of inputs.
    pub(super) fn forward(&self, inputs: &Tensor) -> Result<Tensor> {
        let found = inputs.dims();
        if found.len() != self.input.len() + 1 || found[0] == 0 || found[1..] != self.input {
            return Err(EncoderError::Input {
                what: self.what,
                expected: format!("that of {:?} for each", self.input),
                found: format!("{found:?}"),
            });
        }
        let inputs = inputs.to_dtype(self.positions.dtype())?;
        let mut patches = match &self.patches {
            Patches::Apart(tubelets) => tubelets.forward(&inputs)?,
            Patches::Overlapping(convolution) => {
                convolution.forward(&inputs.unsqueeze(3)?.contiguous()?)?.flatten(1, 2)?
            }
        };
        if let Some(norm) = &self.norm {
            patches = norm.forward(&patches.contiguous()?)?;
        }
        let (batch, _, width) = patches.dims3()?;
        let token = self.class_token.expand((batch, 1, width))?;
        Ok(Tensor::cat(&[&token, &patches], 1)?.broadcast_add(&self.positions)?)
    }
}

fn positions(weights: &Weights, patches: usize, width: usize) -> Result<Tensor> {
    weights.get("pos_embedding_helper.pos_embed", &[1, 1 + patches, width])
}
