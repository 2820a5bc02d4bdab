//! The audio spectrogram transformer (Gong et al., Interspeech 2021): a vision transformer over overlapping patches
//! of a filter bank, with a class token and a distillation token, whose mean is the sound's vector.

use candle_core::Tensor;

use super::patches::{PatchWindow, Patches};
use crate::embedding::encoders::layers::{Biases, Blocks, LayerNorm, Names, Shape};
use crate::embedding::encoders::{AudioEncoder, Config, Encoder, EncoderError, Hidden, Pooling, Result, Weights};

/// The classifier.
const UNUSED: &[&str] = &["classifier.*"];
/// The class token and the distillation token.
const TOKENS: usize = 2;

/// The audio spectrogram transformer.
#[derive(Debug)]
pub(super) struct Ast {
    patches: Patches,
    /// `[1, 2, d]`.
    tokens: Tensor,
    /// `[1, 2 + patches, d]`.
    positions: Tensor,
    blocks: Blocks,
    norm: LayerNorm,
    bins: usize,
    frames: usize,
}

impl Ast {
    /// Loads it from the file of the model or of a classifier built on it.
    pub(super) fn load(config: &Config, weights: &Weights) -> Result<Self> {
        let width = config.count(&["hidden_size"], 768)?;
        let shape = Shape {
            width,
            heads: config.count(&["num_attention_heads"], 12)?,
            inner: config.count(&["intermediate_size"], 3072)?,
            activation: config.activation(&["hidden_act"], "gelu")?,
            eps: config.real(&["layer_norm_eps"], 1e-12)?,
            norm_first: true,
            biases: if config.flag(&["qkv_bias"], true)? { Biases::All } else { Biases::None },
            layer_scale: false,
        };
        let patch = config.count(&["patch_size"], 16)?;
        let window = PatchWindow {
            kernel: [patch; 2],
            stride: [config.count(&["frequency_stride"], 10)?, config.count(&["time_stride"], 10)?],
            padding: [0; 2],
        };
        let (bins, frames) = (config.count(&["num_mel_bins"], 128)?, config.count(&["max_length"], 1024)?);
        let Some([rows, columns]) = window.counts([bins, frames]) else {
            let expected = "at most `num_mel_bins` and `max_length`";
            return Err(config.wrong("patch_size", expected, Some(&patch.into())));
        };
        let body = weights.under_one_of(&["audio_spectrogram_transformer", ""], "embeddings.cls_token");
        let table = body.under("embeddings");
        let token = |name| table.get(name, &[1, 1, width]);
        let layers = config.count(&["num_hidden_layers"], 12)?;
        let model = Self {
            tokens: Tensor::cat(&[token("cls_token")?, token("distillation_token")?], 1)?,
            positions: table.get("position_embeddings", &[1, rows * columns + TOKENS, width])?,
            patches: Patches::load(&table, "patch_embeddings.projection", width, window)?,
            blocks: Blocks::load(&body, "encoder.layer", layers, &Names::VIT, &shape)?,
            norm: LayerNorm::load(&body, "layernorm", width, shape.eps)?,
            bins,
            frames,
        };
        weights.finish(UNUSED)?;
        Ok(model)
    }
}

impl Encoder for Ast {
    fn width(&self, pooling: Pooling) -> Result<usize> {
        let offered = [Pooling::Pooler, Pooling::Cls, Pooling::Mean, Pooling::Max];
        if offered.contains(&pooling) {
            return Ok(self.positions.dim(2)?);
        }
        Err(EncoderError::Pooling { pooling, offered: offered.to_vec() })
    }

    fn pooling(&self) -> Pooling {
        Pooling::Pooler
    }
}

impl AudioEncoder for Ast {
    fn leaves_padding_out(&self) -> bool {
        false
    }

    fn encode(&self, features: &Tensor, _frames: Option<&[usize]>) -> Result<Hidden> {
        if !matches!(*features.dims(), [batch, bins, frames] if batch > 0 && [bins, frames] == [self.bins, self.frames])
        {
            return Err(EncoderError::Input {
                what: "the shape of the spectrograms",
                expected: format!("[sounds, {}, {}]", self.bins, self.frames),
                found: format!("{:?}", features.dims()),
            });
        }
        let patches = self.patches.forward(&features.to_dtype(self.positions.dtype())?)?.flatten(1, 2)?;
        let (batch, count, width) = patches.dims3()?;
        let x = Tensor::cat(&[&self.tokens.expand((batch, TOKENS, width))?, &patches], 1)?;
        let x = self.blocks.forward(x.broadcast_add(&self.positions)?, None)?;
        let states = self.norm.forward(&x)?;
        let pooled = states.narrow(1, 0, TOKENS)?.mean(1)?;
        // Means are over the patches alone.
        let keep = Tensor::from_iter((0..count + TOKENS).map(|place| u32::from(place >= TOKENS)), states.device())?;
        let keep = keep.unsqueeze(0)?.expand((batch, count + TOKENS))?.contiguous()?;
        Ok(Hidden { states, keep: Some(keep), leading: 0, pooled: Some(pooled), projected: None })
    }
}
