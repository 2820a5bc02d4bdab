//! A linear layer, `x W' + b`.

use candle_core::Tensor;

use super::{Activation, passes};
use crate::embedding::encoders::error::Result;
use crate::embedding::encoders::weights::Weights;

/// A linear layer: `W` is `[outputs, inputs]` as PyTorch stores it, `b` `[outputs]`.
#[derive(Debug, Clone)]
pub(crate) struct Linear {
    weight: Tensor,
    bias: Option<Tensor>,
}

impl Linear {
    /// A layer from its tensors.
    pub(crate) fn new(weight: Tensor, bias: Option<Tensor>) -> Self {
        Self { weight, bias }
    }

    /// Numbers that it gives.
    pub(crate) fn outputs(&self) -> usize {
        self.weight.dims()[0]
    }

    /// Loads `weight` and, where there is to be one, `bias` under `name`.
    ///
    /// # Errors
    /// [`EncoderError`](crate::embedding::encoders::EncoderError) naming the tensor that is missing or of another shape.
    pub(crate) fn load(weights: &Weights, name: &str, inputs: usize, outputs: usize, bias: bool) -> Result<Self> {
        let weights = weights.under(name);
        let weight = weights.get("weight", &[outputs, inputs])?;
        let bias = if bias { Some(weights.get("bias", &[outputs])?) } else { None };
        Ok(Self { weight, bias })
    }

    /// Applies it along the last axis of `[..., inputs]`.
    ///
    /// # Errors
    /// A candle error where the shapes do not fit.
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.apply(x, None)
    }

    /// Applies it, and an activation to what comes out.
    ///
    /// # Errors
    /// A candle error where the shapes do not fit.
    pub(crate) fn activated(&self, x: &Tensor, activation: Activation) -> Result<Tensor> {
        self.apply(x, Some(activation))
    }

    fn apply(&self, x: &Tensor, activation: Option<Activation>) -> Result<Tensor> {
        let mut dims = x.dims().to_vec();
        let (outputs, inputs) = self.weight.dims2()?;
        if let Some(last) = dims.last_mut() {
            *last = outputs;
        }
        // One product for all rows, rather than one for each of the batch.
        let y = x.reshape(((), inputs))?.matmul(&self.weight.t()?)?;
        let y = match &self.bias {
            // The product is new and seen by nobody else, so it can be written over.
            Some(bias) if passes::suits(&y) && passes::suits(bias) => {
                y.inplace_op2(bias, &passes::Finish(activation))?;
                return Ok(y.reshape(dims)?);
            }
            Some(bias) => y.broadcast_add(bias)?,
            None => y,
        };
        let y = activation.map_or(Ok(y.clone()), |activation| activation.forward(&y))?;
        Ok(y.reshape(dims)?)
    }
}
