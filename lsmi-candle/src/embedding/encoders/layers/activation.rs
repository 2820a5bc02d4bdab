//! Activations, by the names that configurations use.

use candle_core::{D, Tensor};
use candle_nn::ops;

use super::passes;
use crate::embedding::encoders::error::Result;

/// An activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// `x (1 + erf(x / sqrt 2)) / 2`.
    Gelu,
    /// Its approximation by the hyperbolic tangent, off by up to 5e-4.
    GeluTanh,
    /// `x sigmoid(1.702 x)`.
    QuickGelu,
    /// `max(x, 0)`.
    Relu,
    /// `x sigmoid(x)`.
    Silu,
    /// The hyperbolic tangent.
    Tanh,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `x`.
    Identity,
}

impl Activation {
    /// The names, for a message.
    pub(crate) const EXPECTED: &str =
        "`gelu`, `gelu_new`, `gelu_pytorch_tanh`, `quick_gelu`, `relu`, `silu`, `tanh`, `sigmoid` or `linear`";

    /// Returns the activation of a name, if it is built in.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "gelu" | "gelu_python" => Some(Self::Gelu),
            "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" | "gelu_python_tanh" => Some(Self::GeluTanh),
            "quick_gelu" => Some(Self::QuickGelu),
            "relu" => Some(Self::Relu),
            "silu" | "swish" => Some(Self::Silu),
            "tanh" => Some(Self::Tanh),
            "sigmoid" => Some(Self::Sigmoid),
            "linear" => Some(Self::Identity),
            _ => None,
        }
    }

    /// Applies it to the first half of the last axis, and multiplies by the second half.
    ///
    /// # Errors
    /// A candle error where the axis has no halves.
    pub fn gated(self, x: &Tensor) -> Result<Tensor> {
        if passes::suits(x) && x.dim(D::Minus1)? % 2 == 0 {
            return Ok(x.apply_op1_no_bwd(&passes::Gate(self))?);
        }
        let halves = x.chunk(2, D::Minus1)?;
        Ok((self.forward(&halves[0].contiguous()?)? * &halves[1])?)
    }

    /// Applies it to every number.
    ///
    /// # Errors
    /// A candle error where the device fails.
    pub fn forward(self, x: &Tensor) -> Result<Tensor> {
        if passes::suits(x) {
            return Ok(x.apply_op1_no_bwd(&passes::Activate(self))?);
        }
        Ok(match self {
            Self::Gelu => x.gelu_erf()?,
            Self::GeluTanh => x.gelu()?,
            Self::QuickGelu => (x * ops::sigmoid(&(x * 1.702)?)?)?,
            Self::Relu => x.relu()?,
            Self::Silu => x.silu()?,
            Self::Tanh => x.tanh()?,
            Self::Sigmoid => ops::sigmoid(x)?,
            Self::Identity => x.clone(),
        })
    }
}
