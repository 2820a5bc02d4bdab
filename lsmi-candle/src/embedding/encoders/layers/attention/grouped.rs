//! Attention whose queries share keys and values in groups (Ainslie et al., EMNLP 2023), with heads of any width.

use candle_core::Tensor;

use super::{Mask, attention};
use crate::embedding::encoders::error::{EncoderError, Result};
use crate::embedding::encoders::layers::{Linear, RmsNorm, Rotary};
use crate::embedding::encoders::weights::Weights;

/// Sizes and kinds of the layers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GroupedShape {
    /// Width of the states.
    pub(crate) width: usize,
    /// Heads of queries.
    pub(crate) heads: usize,
    /// Heads of keys and values, a divisor of the former.
    pub(crate) key_heads: usize,
    /// Width of a head.
    pub(crate) head_width: usize,
    /// Whether queries, keys and values have biases, and whether the last layer has one.
    pub(crate) biases: [bool; 2],
    /// What scores are multiplied by.
    pub(crate) scale: f64,
    /// Norms of the heads of queries and keys, where there are some.
    pub(crate) norms: Option<HeadNorms>,
}

/// Norms `q_norm` and `k_norm` of every head.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeadNorms {
    /// Their epsilon.
    pub(crate) eps: f64,
    /// What their weights count from, as [`RmsNorm::load`] takes it.
    pub(crate) offset: f64,
}

/// Attention with rotary positions: the weights of queries, keys and values one above the other, and the last layer. The
/// scale is in the norm of the queries, or where there is none in their weights.
#[derive(Debug, Clone)]
pub(crate) struct GroupedAttention {
    packed: Linear,
    output: Linear,
    norms: Option<[RmsNorm; 2]>,
    heads: usize,
    key_heads: usize,
    head_width: usize,
}

impl GroupedAttention {
    /// Loads `q_proj`, `k_proj`, `v_proj` and `o_proj`.
    ///
    /// # Errors
    /// [`EncoderError`] naming the tensor that is missing or of another shape, or [`EncoderError::Input`] where the heads
    /// cannot be shared out.
    pub(crate) fn load(weights: &Weights, shape: &GroupedShape) -> Result<Self> {
        let GroupedShape { width, heads, key_heads, head_width, biases, scale, norms } = *shape;
        if key_heads == 0 || !heads.is_multiple_of(key_heads) {
            return Err(EncoderError::Input {
                what: "the number of heads of keys and values",
                expected: format!("a divisor of the {heads} heads of queries"),
                found: key_heads.to_string(),
            });
        }
        let norm = |name| {
            let load = |HeadNorms { eps, offset }| RmsNorm::load(weights, name, head_width, eps, offset);
            norms.map(load).transpose()
        };
        let norms = match (norm("q_norm")?, norm("k_norm")?) {
            (Some(queries), Some(keys)) => Some([queries.scaled(scale)?, keys]),
            _ => None,
        };
        let of_queries = if norms.is_some() { 1.0 } else { scale };
        let parts = [("q_proj", heads, of_queries), ("k_proj", key_heads, 1.0), ("v_proj", key_heads, 1.0)];
        let weight = |(name, heads, factor): (&str, usize, f64)| -> Result<Tensor> {
            Ok((weights.get(&format!("{name}.weight"), &[heads * head_width, width])? * factor)?)
        };
        let bias = |(name, heads, factor): (&str, usize, f64)| -> Result<Tensor> {
            Ok((weights.get(&format!("{name}.bias"), &[heads * head_width])? * factor)?)
        };
        let weight = Tensor::cat(&parts.into_iter().map(weight).collect::<Result<Vec<_>>>()?, 0)?;
        let bias = if biases[0] {
            Some(Tensor::cat(&parts.into_iter().map(bias).collect::<Result<Vec<_>>>()?, 0)?)
        } else {
            None
        };
        Ok(Self {
            packed: Linear::new(weight, bias)?,
            output: Linear::load(weights, "o_proj", heads * head_width, width, biases[1])?,
            norms,
            heads,
            key_heads,
            head_width,
        })
    }

    /// Attention of the states `[B, T, d]` to themselves.
    ///
    /// # Errors
    /// A candle error where shapes do not fit.
    pub(crate) fn forward(&self, x: &Tensor, rotary: &Rotary, mask: Option<&Mask>) -> Result<Tensor> {
        let (batch, length, _) = x.dims3()?;
        let all = self.heads + 2 * self.key_heads;
        let packed = self.packed.forward(x)?.reshape((batch, length, all, self.head_width))?;
        let part = |first, heads| packed.narrow(2, first, heads)?.transpose(1, 2);
        let queries = rotary.turn(&self.normed(0, &part(0, self.heads)?)?)?;
        let keys = rotary.turn(&self.normed(1, &part(self.heads, self.key_heads)?)?)?;
        let values = part(self.heads + self.key_heads, self.key_heads)?;
        let attended = attention(&queries, &keys, &values, mask)?;
        self.output.forward(&attended.transpose(1, 2)?.reshape((batch, length, ()))?)
    }

    fn normed(&self, index: usize, heads: &Tensor) -> Result<Tensor> {
        self.norms.as_ref().map_or(Ok(heads.clone()), |norms| norms[index].forward(&heads.contiguous()?))
    }
}
