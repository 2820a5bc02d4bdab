//! What follows attention in a block with the norm after each half: both norms, and the perceptron between them.

use candle_core::Tensor;

use crate::embedding::encoders::layers::{Activation, LayerNorm, Linear};
use crate::embedding::encoders::{Config, EncoderError, Result, Weights};

/// The sizes of all blocks, as the configuration has them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) width: usize,
    pub(super) heads: usize,
    pub(super) head_width: usize,
    inner: usize,
    activation: Activation,
    pub(super) eps: f64,
    pub(super) layers: usize,
}

impl Sizes {
    /// Reads them; `defaults` are width, layers, heads and the perceptron's inner width.
    pub(super) fn read(config: &Config, defaults: [usize; 4], eps: f64) -> Result<Self> {
        let [width, layers, heads, inner] = defaults;
        let width = config.count(&["hidden_size"], width)?;
        let heads = config.count(&["num_attention_heads"], heads)?;
        if !width.is_multiple_of(heads) {
            return Err(EncoderError::Input {
                what: "the number of attention heads",
                expected: format!("a divisor of the width {width}"),
                found: heads.to_string(),
            });
        }
        Ok(Self {
            width,
            heads,
            head_width: width / heads,
            inner: config.count(&["intermediate_size"], inner)?,
            activation: config.activation(&["hidden_act"], "gelu")?,
            eps: config.real(&["layer_norm_eps"], eps)?,
            layers: config.count(&["num_hidden_layers"], layers)?,
        })
    }
}

/// The norm of the attention, the perceptron and its norm.
#[derive(Debug)]
pub(super) struct Rest {
    norms: [LayerNorm; 2],
    perceptron: [Linear; 2],
    activation: Activation,
}

impl Rest {
    /// Loads it; `norm` is the name of the first norm.
    pub(super) fn load(weights: &Weights, norm: &str, sizes: &Sizes) -> Result<Self> {
        let Sizes { width, inner, activation, eps, .. } = *sizes;
        Ok(Self {
            norms: [
                LayerNorm::load(weights, norm, width, eps)?,
                LayerNorm::load(weights, "output.LayerNorm", width, eps)?,
            ],
            perceptron: [
                Linear::load(weights, "intermediate.dense", width, inner, true)?,
                Linear::load(weights, "output.dense", inner, width, true)?,
            ],
            activation,
        })
    }

    /// Applies it to the states that attention was of, and what it gave.
    pub(super) fn forward(&self, x: &Tensor, attended: &Tensor) -> Result<Tensor> {
        let [first, last] = &self.norms;
        let [up, down] = &self.perceptron;
        let x = first.forward(&(x + attended)?)?;
        last.forward(&(&x + down.forward(&up.activated(&x, self.activation)?)?)?)
    }
}
