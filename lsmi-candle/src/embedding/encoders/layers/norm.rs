//! Layer normalisation, `(x - mean) / sqrt(variance + eps) * weight + bias` over the last axis.

use candle_core::Tensor;
use candle_nn::ops;

use super::passes;
use crate::embedding::encoders::error::Result;
use crate::embedding::encoders::weights::Weights;

/// A layer norm.
#[derive(Debug, Clone)]
pub(crate) struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
    eps: f32,
}

impl LayerNorm {
    /// Loads `weight` and `bias` under `name`; `gamma` and `beta` are their names in old files.
    ///
    /// # Errors
    /// [`EncoderError`](crate::embedding::encoders::EncoderError) naming the tensor that is missing or of another shape.
    pub(crate) fn load(weights: &Weights, name: &str, width: usize, eps: f64) -> Result<Self> {
        let weights = weights.under(name);
        let [weight, bias] = if weights.contains("gamma") { ["gamma", "beta"] } else { ["weight", "bias"] };
        Ok(Self::new(weights.get(weight, &[width])?, weights.get(bias, &[width])?, eps))
    }

    /// Loads a norm that has no bias.
    ///
    /// # Errors
    /// As [`LayerNorm::load`].
    pub(crate) fn load_without_bias(weights: &Weights, name: &str, width: usize, eps: f64) -> Result<Self> {
        let weight = weights.under(name).get("weight", &[width])?;
        let bias = weight.zeros_like()?;
        Ok(Self::new(weight, bias, eps))
    }

    /// A norm from its tensors, both `[width]`.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "an epsilon that f32 cannot hold would count as 0, as it should"
    )]
    pub(crate) fn new(weight: Tensor, bias: Tensor, eps: f64) -> Self {
        Self { weight, bias, eps: eps as f32 }
    }

    /// Whether its weights are trained.
    pub(crate) fn is_trained(&self) -> bool {
        self.weight.track_op()
    }

    /// Its numbers on the processor: weight, bias and epsilon.
    ///
    /// # Errors
    /// A candle error where they are not f32.
    pub(super) fn on_host(&self) -> Result<(Vec<f32>, Vec<f32>, f32)> {
        Ok((passes::numbers(&self.weight)?, passes::numbers(&self.bias)?, self.eps))
    }

    /// Applies it along the last axis.
    ///
    /// # Errors
    /// A candle error where the widths differ.
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        if passes::suits(x) && passes::suits(&self.weight) {
            return Ok(x.apply_op3_no_bwd(&self.weight, &self.bias, &passes::Norm { eps: self.eps })?);
        }
        Ok(ops::layer_norm_slow(x, &self.weight, &self.bias, self.eps)?)
    }
}
