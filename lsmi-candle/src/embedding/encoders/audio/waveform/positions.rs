//! Positions by convolutions over the frames, instead of a table.

use candle_core::{DType, Tensor};

use super::convolution::{Convolution, Window};
use crate::embedding::encoders::layers::{Activation, LayerNorm};
use crate::embedding::encoders::{Config, EncoderError, Result, Weights};

/// PyTorch's epsilon.
const EPS: f64 = 1e-5;

/// The convolutions, whose outcome is added to the frames.
#[derive(Debug)]
pub(super) struct Positions {
    /// A factor and a summand for each channel, before the first convolution.
    affine: Option<[Tensor; 2]>,
    convolutions: Vec<Convolution>,
    /// After each convolution.
    norm: Option<LayerNorm>,
    activation: Activation,
}

/// How they are made.
pub(super) enum Kind {
    /// One convolution, with a weight norm (wav2vec 2.0).
    WeightNorm,
    /// One convolution, after a batch norm (some of `HuBERT`).
    BatchNorm,
    /// Several, each with a layer norm without weights (data2vec).
    Several,
}

impl Positions {
    /// Loads `encoder.pos_conv_embed`.
    pub(super) fn load(config: &Config, weights: &Weights, width: usize, kind: &Kind) -> Result<Self> {
        let weights = weights.under("encoder.pos_conv_embed");
        let groups = config.count(&["num_conv_pos_embedding_groups"], 16)?;
        if !width.is_multiple_of(groups) {
            let expected = format!("a divisor of the width {width}");
            return Err(config.wrong("num_conv_pos_embedding_groups", &expected, Some(&groups.into())));
        }
        let activation = config.activation(&["feat_extract_activation"], "gelu")?;
        let widths = [width, width];
        if matches!(kind, Kind::Several) {
            let count = config.count(&["num_conv_pos_embeddings"], 5)?;
            let window = Window::same(config.count(&["conv_pos_kernel_size"], 19)?);
            let load =
                |index| Convolution::load(&weights, &format!("layers.{index}.conv"), widths, window, groups, true);
            let ones = Tensor::ones(width, weights.dtype(), weights.device())?;
            let zeros = ones.zeros_like()?;
            return Ok(Self {
                affine: None,
                convolutions: (0..count).map(load).collect::<Result<_>>()?,
                norm: Some(LayerNorm::new(ones, zeros, EPS)),
                activation,
            });
        }
        let window = Window::same(config.count(&["num_conv_pos_embeddings"], 128)?);
        let (affine, convolution) = if matches!(kind, Kind::BatchNorm) {
            let affine = affine(&weights.under("batch_norm"), width)?;
            (Some(affine), Convolution::load(&weights, "conv", widths, window, groups, true)?)
        } else {
            (None, Convolution::load_normed(&weights, "conv", widths, window, groups)?)
        };
        Ok(Self { affine, convolutions: vec![convolution], norm: None, activation })
    }

    /// Adds the positions to the frames `[1, T, d]`.
    pub(super) fn add(&self, frames: &Tensor) -> Result<Tensor> {
        let mut x = frames.clone();
        if let Some([factor, summand]) = &self.affine {
            x = x.broadcast_mul(factor)?.broadcast_add(summand)?;
        }
        for convolution in &self.convolutions {
            x = convolution.forward(&x)?;
            if let Some(norm) = &self.norm {
                x = norm.forward(&x)?;
            }
            x = self.activation.forward(&x)?;
        }
        Ok((frames + x)?)
    }
}

/// A batch norm as a factor and a summand for each channel. Zeros around the frames are not normed, so it cannot be part of
/// the convolution.
fn affine(weights: &Weights, width: usize) -> Result<[Tensor; 2], EncoderError> {
    let get = |name| Ok::<_, EncoderError>(weights.get(name, &[width])?.to_dtype(DType::F32)?);
    let factor = get("weight")?.div(&(get("running_var")? + EPS)?.sqrt()?)?;
    let summand = (get("bias")? - get("running_mean")?.mul(&factor)?)?;
    Ok([factor.to_dtype(weights.dtype())?, summand.to_dtype(weights.dtype())?])
}
