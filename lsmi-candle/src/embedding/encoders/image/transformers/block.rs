//! A transformer block over patches with what vision transformers have varied: rotary positions, normed queries and
//! keys, a norm before the layer after the heads, gated perceptrons, and scales of what each half adds.

use candle_core::Tensor;

use crate::embedding::encoders::layers::{GridRotary, LayerNorm, Linear, Perceptron, attention};
use crate::embedding::encoders::{EncoderError, Result, Weights};

/// A block whose norms come before each half.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) norms: [LayerNorm; 2],
    pub(super) attention: PatchAttention,
    pub(super) perceptron: Perceptron,
    /// What each half is scaled by before it is added, `[d]`.
    pub(super) scales: Option<[Tensor; 2]>,
}

impl Block {
    /// The states `[B, T, d]` after it.
    pub(super) fn forward(&self, x: &Tensor, rotary: Option<&GridRotary>) -> Result<Tensor> {
        let scaled = |half: usize, change: Tensor| -> Result<Tensor> {
            let Some(scales) = &self.scales else { return Ok(change) };
            Ok(change.broadcast_mul(&scales[half])?)
        };
        let x = (x + scaled(0, self.attention.forward(&self.norms[0].forward(x)?, rotary)?)?)?;
        let change = scaled(1, self.perceptron.forward(&self.norms[1].forward(&x)?)?)?;
        Ok((x + change)?)
    }
}

/// The states after all blocks.
pub(super) fn forward(blocks: &[Block], x: Tensor, rotary: Option<&GridRotary>) -> Result<Tensor> {
    blocks.iter().try_fold(x, |x, block| block.forward(&x, rotary))
}

/// Attention of patches to patches.
#[derive(Debug)]
pub(super) struct PatchAttention {
    /// Queries, keys and values.
    packed: Linear,
    /// Norms of the queries and keys of every head.
    head_norms: Option<[LayerNorm; 2]>,
    /// The norm before the last layer.
    inner_norm: Option<LayerNorm>,
    output: Linear,
    heads: usize,
    head_width: usize,
}

impl PatchAttention {
    /// From the layer `[3 d, d]` of queries, keys and values, and the one after the heads.
    pub(super) fn new(packed: Linear, output: Linear, heads: usize) -> Result<Self> {
        let width = packed.outputs() / 3;
        Ok(Self { packed, head_norms: None, inner_norm: None, output, heads, head_width: head_width(width, heads)? })
    }

    pub(super) fn with_norms(self, head_norms: Option<[LayerNorm; 2]>, inner_norm: Option<LayerNorm>) -> Self {
        Self { head_norms, inner_norm, ..self }
    }

    fn forward(&self, x: &Tensor, rotary: Option<&GridRotary>) -> Result<Tensor> {
        let (batch, length, _) = x.dims3()?;
        let packed = self.packed.forward(x)?.reshape((batch, length, 3, self.heads, self.head_width))?;
        let part =
            |index| -> Result<Tensor> { Ok(packed.narrow(2, index, 1)?.squeeze(2)?.transpose(1, 2)?.contiguous()?) };
        let [mut queries, mut keys, values] = [part(0)?, part(1)?, part(2)?];
        if let Some([of_queries, of_keys]) = &self.head_norms {
            (queries, keys) = (of_queries.forward(&queries)?, of_keys.forward(&keys)?);
        }
        if let Some(rotary) = rotary {
            (queries, keys) = (rotary.turn(&queries)?, rotary.turn(&keys)?);
        }
        let queries = (queries * (1.0 / (self.head_width as f64).sqrt()))?;
        let heads = attention(&queries, &keys, &values, None)?;
        let mut heads = heads.transpose(1, 2)?.reshape((batch, length, ()))?;
        if let Some(norm) = &self.inner_norm {
            heads = norm.forward(&heads)?;
        }
        self.output.forward(&heads)
    }
}

/// The width of a head.
pub(super) fn head_width(width: usize, heads: usize) -> Result<usize> {
    if heads > 0 && width > 0 && width.is_multiple_of(heads) {
        return Ok(width / heads);
    }
    Err(EncoderError::Input {
        what: "the number of attention heads",
        expected: format!("a divisor of the width {width}"),
        found: heads.to_string(),
    })
}

/// Loads the layers of queries, keys and values as one; those that have no bias get one of zeros where others have.
pub(super) fn packed(weights: &Weights, names: [&str; 3], width: usize, biases: [bool; 3]) -> Result<Linear> {
    let of = |field: &str, shape: &[usize]| -> Result<Tensor> {
        let tensors = names.iter().zip(biases).map(|(name, bias)| {
            if field == "bias" && !bias {
                return Ok(Tensor::zeros(width, weights.dtype(), weights.device())?);
            }
            weights.get(&format!("{name}.{field}"), shape)
        });
        Ok(Tensor::cat(&tensors.collect::<Result<Vec<_>>>()?, 0)?)
    };
    let bias = if biases.contains(&true) { Some(of("bias", &[width])?) } else { None };
    Ok(Linear::new(of("weight", &[width, width])?, bias))
}
