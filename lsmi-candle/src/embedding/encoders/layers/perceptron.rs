//! The perceptron of a transformer block, also with a gate (Shazeer, 2020) and with a norm before its second layer
//! (Wang et al., 2022).

use candle_core::Tensor;

use super::{Activation, LayerNorm, Linear};
use crate::embedding::encoders::error::Result;
use crate::embedding::encoders::weights::Weights;

/// Two layers and what lies between them.
#[derive(Debug, Clone)]
pub(crate) struct Perceptron {
    /// Where there is a gate, its rows are above those of what it lets through.
    up: Linear,
    gated: bool,
    activation: Activation,
    norm: Option<LayerNorm>,
    down: Linear,
}

/// Widths of a perceptron, and whether its layers have a bias.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Widths {
    /// Of what it takes and gives.
    pub(crate) outer: usize,
    /// Between its two layers.
    pub(crate) inner: usize,
    /// Whether the layers have a bias.
    pub(crate) bias: bool,
}

impl Perceptron {
    /// Loads one without a gate.
    ///
    /// # Errors
    /// [`EncoderError`](crate::embedding::encoders::EncoderError) naming the tensor that is missing or of another
    /// shape.
    pub(crate) fn load(
        weights: &Weights,
        [up, down]: [&str; 2],
        Widths { outer, inner, bias }: Widths,
        activation: Activation,
    ) -> Result<Self> {
        Ok(Self {
            up: Linear::load(weights, up, outer, inner, bias)?,
            gated: false,
            activation,
            norm: None,
            down: Linear::load(weights, down, inner, outer, bias)?,
        })
    }

    /// Loads one whose gate and what it lets through are one tensor, in this order.
    ///
    /// # Errors
    /// As [`Perceptron::load`].
    pub(crate) fn load_packed(
        weights: &Weights,
        [both, down]: [&str; 2],
        Widths { outer, inner, bias }: Widths,
        activation: Activation,
    ) -> Result<Self> {
        Ok(Self {
            up: Linear::load(weights, both, outer, inner.saturating_mul(2), bias)?,
            gated: true,
            activation,
            norm: None,
            down: Linear::load(weights, down, inner, outer, bias)?,
        })
    }

    /// Loads one whose gate is a layer of its own.
    ///
    /// # Errors
    /// As [`Perceptron::load`].
    pub(crate) fn load_gated(
        weights: &Weights,
        [gate, up, down]: [&str; 3],
        Widths { outer, inner, bias }: Widths,
        activation: Activation,
    ) -> Result<Self> {
        let part = |field, shape: &[usize]| -> Result<Tensor> {
            let [gate, up] = [gate, up].map(|name| weights.get(&format!("{name}.{field}"), shape));
            Ok(Tensor::cat(&[gate?, up?], 0)?)
        };
        let biases = if bias { Some(part("bias", &[inner])?) } else { None };
        Ok(Self {
            up: Linear::new(part("weight", &[inner, outer])?, biases),
            gated: true,
            activation,
            norm: None,
            down: Linear::load(weights, down, inner, outer, bias)?,
        })
    }

    /// Puts a norm before the second layer.
    #[must_use]
    pub(crate) fn with_norm(self, norm: Option<LayerNorm>) -> Self {
        Self { norm, ..self }
    }

    /// Applies it to states `[..., outer]`.
    ///
    /// # Errors
    /// A candle error where the shapes do not fit.
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let mut inner = if self.gated {
            self.activation.gated(&self.up.forward(x)?)?
        } else {
            self.up.activated(x, self.activation)?
        };
        if let Some(norm) = &self.norm {
            inner = norm.forward(&inner)?;
        }
        self.down.forward(&inner)
    }
}
