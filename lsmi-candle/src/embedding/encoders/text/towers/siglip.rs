//! The text tower of SigLIP (Zhai et al., ICCV 2023): texts are filled up to the full length, and padding is looked at
//! like any token; the text's vector is at the last position. SigLIP 2 (Tschannen et al., 2025) has the same.

use candle_core::{DType, Tensor};

use super::clip::two_tables;
use crate::embedding::encoders::layers::{Biases, Blocks, LayerNorm, Linear, Names, Shape};
use crate::embedding::encoders::text::embeddings::Embeddings;
use crate::embedding::encoders::text::width;
use crate::embedding::encoders::{Config, Encoder, Hidden, Padding, Pooling, Result, TextEncoder, Weights};

/// The other tower, and what compares the two.
const UNUSED: &[&str] = &["*position_ids", "vision_model.*", "logit_scale", "logit_bias"];

/// The text tower of SigLIP.
#[derive(Debug)]
pub(crate) struct SiglipText {
    embeddings: Embeddings,
    blocks: Blocks,
    norm: LayerNorm,
    head: Linear,
    projected: usize,
    padding: u32,
}

impl SiglipText {
    /// Loads it from the file of the whole model or of the tower alone.
    pub(crate) fn load(config: &Config, weights: &Weights) -> Result<Self> {
        let whole = matches!(config.architecture()?, "siglip" | "siglip2");
        let text = if whole { config.section("text_config")? } else { config.clone() };
        let shape = Shape {
            width: text.count(&["hidden_size"], 768)?,
            heads: text.count(&["num_attention_heads"], 12)?,
            inner: text.count(&["intermediate_size"], 3072)?,
            activation: text.activation(&["hidden_act"], "gelu_pytorch_tanh")?,
            eps: text.real(&["layer_norm_eps"], 1e-6)?,
            norm_first: true,
            biases: Biases::All,
            layer_scale: false,
        };
        // Newer files of the tower alone leave its name out.
        let body = weights.under_one_of(&["text_model", ""], "embeddings.token_embedding.weight");
        let embeddings = two_tables(&body, &text, shape.width, 32000, 64)?;
        let layers = text.count(&["num_hidden_layers"], 12)?;
        let projected = text.count(&["projection_size"], shape.width)?;
        let model = Self {
            embeddings,
            blocks: Blocks::load(&body, "encoder.layers", layers, &Names::CLIP, &shape)?,
            norm: LayerNorm::load(&body, "final_layer_norm", shape.width, shape.eps)?,
            head: Linear::load(&body, "head", shape.width, projected, true)?,
            projected,
            padding: text.token(&["pad_token_id"], 1)?,
        };
        weights.finish(UNUSED)?;
        Ok(model)
    }
}

impl Encoder for SiglipText {
    fn width(&self, pooling: Pooling) -> Result<usize> {
        width(pooling, self.embeddings.width(), Some(self.projected), Some(self.projected))
    }

    fn pooling(&self) -> Pooling {
        Pooling::Projection
    }
}

impl TextEncoder for SiglipText {
    fn max_tokens(&self) -> usize {
        self.embeddings.max_tokens()
    }

    fn padding(&self) -> Padding {
        Padding::Full
    }

    fn padding_token(&self) -> Option<u32> {
        Some(self.padding)
    }

    /// The mask is for pooling alone. Shorter texts are filled up with the configuration's padding.
    fn encode(&self, ids: &Tensor, mask: &Tensor, _types: Option<&Tensor>) -> Result<Hidden> {
        let (batch, length) = ids.dims2()?;
        let missing = self.max_tokens().saturating_sub(length);
        let ids = ids.to_dtype(DType::U32)?;
        let filling = Tensor::full(self.padding, (batch, missing), ids.device())?;
        let ids = Tensor::cat(&[&ids, &filling], 1)?;
        let keep = mask.pad_with_zeros(1, 0, missing)?;
        let x = self.embeddings.in_order(&ids, None)?;
        let states = self.norm.forward(&self.blocks.forward(x, None)?)?;
        let last = states.narrow(1, self.max_tokens() - 1, 1)?.squeeze(1)?;
        let pooled = self.head.forward(&last)?;
        Ok(Hidden { states, keep: Some(keep), leading: 0, pooled: Some(pooled.clone()), projected: Some(pooled) })
    }
}
