//! A gated perceptron (Shazeer, 2020): one layer of the states, through an activation, times another, before the last.

use candle_core::Tensor;

use super::{Activation, Linear};
use crate::embedding::encoders::error::Result;
use crate::embedding::encoders::weights::Weights;

/// A gated perceptron: the layer that goes through the activation and the one beside it are one above the other.
#[derive(Debug, Clone)]
pub(crate) struct GatedPerceptron {
    inward: Linear,
    outward: Linear,
    activation: Activation,
}

impl GatedPerceptron {
    /// From the weights `[inner, width]` of the layer that goes through the activation and of the one beside it, their
    /// biases, and the last layer.
    ///
    /// # Errors
    /// A candle error where the shapes differ.
    pub(crate) fn new(
        weights: &[Tensor; 2],
        biases: Option<[Tensor; 2]>,
        outward: Linear,
        activation: Activation,
    ) -> Result<Self> {
        let bias = biases.map(|biases| Tensor::cat(&biases, 0)).transpose()?;
        Ok(Self { inward: Linear::new(Tensor::cat(weights, 0)?, bias)?, outward, activation })
    }

    /// Loads the layer that goes through the activation, the one beside it, and the last; `biases` says whether the first
    /// two have one, and the last.
    ///
    /// # Errors
    /// [`EncoderError`](crate::embedding::encoders::EncoderError) naming the tensor that is missing or of another shape.
    pub(crate) fn load(
        weights: &Weights,
        [gate, up, down]: [&str; 3],
        [width, inner]: [usize; 2],
        biases: [bool; 2],
        activation: Activation,
    ) -> Result<Self> {
        let outward = Linear::load(weights, down, inner, width, biases[1])?;
        let weight = |name: &str| weights.get(&format!("{name}.weight"), &[inner, width]);
        let bias = |name: &str| weights.get(&format!("{name}.bias"), &[inner]);
        let inward_biases = if biases[0] { Some([bias(gate)?, bias(up)?]) } else { None };
        Self::new(&[weight(gate)?, weight(up)?], inward_biases, outward, activation)
    }

    /// Applies it along the last axis.
    ///
    /// # Errors
    /// A candle error where shapes do not fit.
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.outward.forward(&self.activation.gated(&self.inward.forward(x)?)?)
    }
}
