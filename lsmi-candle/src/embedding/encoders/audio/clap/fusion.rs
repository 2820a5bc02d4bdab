//! The fusion of the whole of a long sound with chunks of it (Dai et al., "Attentional Feature Fusion", WACV 2021):
//! their sum says, pixel by pixel and on the whole, how much of each is taken.

use candle_core::{DType, Tensor};

use crate::embedding::encoders::audio::patches::{PatchWindow, Patches};
use crate::embedding::encoders::layers::{Activation, BatchNorm, Linear};
use crate::embedding::encoders::{EncoderError, Result, Weights};

/// Epsilon of the batch norms.
const EPS: f64 = 1e-5;

/// The patches of chunks, and how much of them is taken.
#[derive(Debug)]
pub(super) struct Fusion {
    patches: Patches,
    local: [Linear; 2],
    global: [Linear; 2],
}

impl Fusion {
    /// Loads it: patches of chunks are three times as wide as those of the whole.
    pub(super) fn load(weights: &Weights, width: usize, reduction: usize, whole: PatchWindow) -> Result<Self> {
        let PatchWindow { kernel: [height, length], stride: [down, right], padding } = whole;
        let window = PatchWindow { kernel: [height, 3 * length], stride: [down, 3 * right], padding };
        let inner = width / reduction;
        let model = weights.under("fusion_model");
        // The pooling before the global layers has the number 0.
        let layers = |part: &str, first: usize| -> Result<[Linear; 2]> {
            let weights = model.under(part);
            Ok([normed(&weights, first, width, inner)?, normed(&weights, first + 3, inner, width)?])
        };
        Ok(Self {
            patches: Patches::load(weights, "mel_conv2d", width, window)?,
            local: layers("local_att", 0)?,
            global: layers("global_att", 1)?,
        })
    }

    /// The patches `[1, rows, columns, d]` of a whole sound fused with those of pictures `[3, side, side]` of its
    /// chunks.
    pub(super) fn forward(&self, whole: &Tensor, chunks: &Tensor) -> Result<Tensor> {
        let (_, rows, columns, width) = whole.dims4()?;
        let chunks = self.patches.forward(chunks)?;
        // Chunks lie beside each other; what they leave of a row is zeros.
        let length = 3 * chunks.dim(2)?;
        if chunks.dim(1)? != rows || length > columns {
            return Err(EncoderError::Input {
                what: "the patches of the chunks of a sound",
                expected: format!("[{rows}, at most {columns}]"),
                found: format!("[{}, {length}]", chunks.dim(1)?),
            });
        }
        let chunks = chunks.transpose(0, 1)?.contiguous()?.reshape((1, rows, length, width))?;
        let chunks = chunks.pad_with_zeros(2, 0, columns - length)?;
        let sum = (whole + &chunks)?;
        let mean = sum.to_dtype(DType::F32)?.mean_keepdim((1, 2))?.to_dtype(sum.dtype())?;
        let apply = |layers: &[Linear; 2], x: &Tensor| layers[1].forward(&layers[0].activated(x, Activation::Relu)?);
        let share = apply(&self.local, &sum)?.broadcast_add(&apply(&self.global, &mean)?)?;
        let share = Activation::Sigmoid.forward(&share)?;
        // share * whole + (1 - share) * chunks, twice.
        Ok(((((whole - &chunks)? * share)? + chunks)? * 2.0)?)
    }
}

/// A convolution of one pixel, number `index`, and the batch norm after it, as one layer.
fn normed(weights: &Weights, index: usize, inputs: usize, outputs: usize) -> Result<Linear> {
    let layer = weights.under(&index.to_string());
    let kernel = layer.get("weight", &[outputs, inputs, 1, 1])?.reshape((outputs, inputs))?;
    let bias = layer.get("bias", &[outputs])?;
    let norm = BatchNorm::load(weights, &(index + 1).to_string(), outputs, EPS)?;
    let (kernel, bias) = norm.fold_with_bias(&kernel, &bias)?;
    Linear::new(kernel, Some(bias))
}
