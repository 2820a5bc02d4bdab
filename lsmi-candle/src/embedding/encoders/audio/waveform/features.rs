//! From samples to frames: the convolutions over the wave, and the layer that brings what comes out to the width of the
//! transformer.

use candle_core::{DType, Tensor};

use super::convolution::{Convolution, Window};
use crate::embedding::encoders::layers::{Activation, LayerNorm, Linear};
use crate::embedding::encoders::{Config, Result, Weights};

/// PyTorch's epsilon, which no configuration changes for these norms.
const EPS: f64 = 1e-5;
/// Those of wav2vec 2.0: one frame in 20 milliseconds.
const WIDTHS: [usize; 7] = [512; 7];
const KERNELS: [usize; 7] = [10, 3, 3, 3, 3, 2, 2];
const STRIDES: [usize; 7] = [5, 2, 2, 2, 2, 2, 2];

/// The convolutions and the projection.
#[derive(Debug)]
pub(super) struct Features {
    layers: Vec<Layer>,
    activation: Activation,
    norm: Option<LayerNorm>,
    projection: Linear,
    least: usize,
}

#[derive(Debug)]
struct Layer {
    convolution: Convolution,
    norm: Norm,
}

#[derive(Debug)]
enum Norm {
    None,
    /// Over the channels of each step.
    Layer(LayerNorm),
    /// Over the steps of each channel: the whole sound counts.
    Group {
        weight: Tensor,
        bias: Tensor,
    },
}

/// What differs between architectures.
pub(super) struct Kind {
    /// Whether there is a norm over the channels after every convolution, whatever the configuration says.
    pub(super) always_layer_norm: bool,
    /// Whether there is a norm before the projection.
    pub(super) norm_before_projection: bool,
}

impl Features {
    /// Loads `feature_extractor` and `feature_projection`.
    pub(super) fn load(config: &Config, weights: &Weights, width: usize, eps: f64, kind: &Kind) -> Result<Self> {
        let widths = config.counts(&["conv_dim"], Some(&WIDTHS))?;
        let kernels = config.counts(&["conv_kernel"], Some(&KERNELS))?;
        let strides = config.counts(&["conv_stride"], Some(&STRIDES))?;
        for (name, list) in [("conv_dim", &widths), ("conv_kernel", &kernels), ("conv_stride", &strides)] {
            if list.is_empty() || list.len() != widths.len() || list.contains(&0) {
                let expected = "a list of as many positive numbers as there are convolutions";
                return Err(config.wrong(name, expected, Some(&format!("{list:?}").into())));
            }
        }
        if strides.iter().zip(&kernels).any(|(stride, kernel)| stride > kernel) {
            let expected = "at most `conv_kernel`, so that no sample is left out";
            return Err(config.wrong("conv_stride", expected, Some(&format!("{strides:?}").into())));
        }
        let norms = if kind.always_layer_norm { "layer" } else { config.text(&["feat_extract_norm"], "group")? };
        if !["group", "layer"].contains(&norms) {
            return Err(config.wrong("feat_extract_norm", "`group` or `layer`", Some(&norms.into())));
        }
        let has_bias = config.flag(&["conv_bias"], false)?;
        let mut layers = Vec::new();
        let (mut inputs, mut least, mut apart) = (1, 1_usize, 1_usize);
        for (index, ((&outputs, &kernel), &stride)) in widths.iter().zip(&kernels).zip(&strides).enumerate() {
            least = least.saturating_add(apart.saturating_mul(kernel - 1));
            apart = apart.saturating_mul(stride);
            let weights = weights.under(&format!("feature_extractor.conv_layers.{index}"));
            let window = Window { kernel, stride, zeros: [0; 2] };
            let convolution = Convolution::load(&weights, "conv", [inputs, outputs], window, 1, has_bias)?;
            let norm = match (norms, index) {
                ("layer", _) => Norm::Layer(LayerNorm::load(&weights, "layer_norm", outputs, EPS)?),
                (_, 0) => Norm::Group {
                    weight: weights.get("layer_norm.weight", &[outputs])?.to_dtype(DType::F32)?,
                    bias: weights.get("layer_norm.bias", &[outputs])?.to_dtype(DType::F32)?,
                },
                _ => Norm::None,
            };
            layers.push(Layer { convolution, norm });
            inputs = outputs;
        }
        let weights = weights.under("feature_projection");
        let norm = kind.norm_before_projection.then(|| LayerNorm::load(&weights, "layer_norm", inputs, eps));
        Ok(Self {
            layers,
            activation: config.activation(&["feat_extract_activation"], "gelu")?,
            norm: norm.transpose()?,
            projection: Linear::load(&weights, "projection", inputs, width, true)?,
            least,
        })
    }

    /// The samples that one frame is made of.
    pub(super) fn least(&self) -> usize {
        self.least
    }

    /// The samples `[1, T, 1]` of one sound to its frames `[1, frames, d]`.
    pub(super) fn forward(&self, samples: &Tensor) -> Result<Tensor> {
        let mut x = samples.clone();
        for Layer { convolution, norm } in &self.layers {
            x = convolution.forward(&x)?;
            x = match norm {
                Norm::None => x,
                Norm::Layer(norm) => norm.forward(&x)?,
                Norm::Group { weight, bias } => over_time(&x, weight, bias)?,
            };
            x = self.activation.forward(&x)?;
        }
        if let Some(norm) = &self.norm {
            x = norm.forward(&x)?;
        }
        self.projection.forward(&x)
    }
}

/// Brings each channel of `[1, T, channels]` to mean zero and variance one over the steps, in f32.
fn over_time(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let states = x.to_dtype(DType::F32)?;
    let steps = states.dim(1)?;
    // As a product, whose sums lose fewer digits over many steps than one after the other.
    let shares = Tensor::full(1.0 / steps as f32, (1, 1, steps), states.device())?;
    let centred = states.broadcast_sub(&shares.matmul(&states)?)?;
    let variance = shares.matmul(&centred.sqr()?)?;
    let scale = weight.broadcast_div(&(variance + EPS)?.sqrt()?)?;
    Ok(centred.broadcast_mul(&scale)?.broadcast_add(bias)?.to_dtype(x.dtype())?)
}
