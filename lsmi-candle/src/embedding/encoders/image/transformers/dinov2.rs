//! DINOv2 (Oquab et al., TMLR 2024): a vision transformer with layer scales, for pictures of any number of patches.

use candle_core::Tensor;
use serde_json::Value;

use super::vit::tokens_and_positions;
use crate::embedding::encoders::image::patches::{Patches, Sizes, without_class_token};
use crate::embedding::encoders::image::positions::resize;
use crate::embedding::encoders::image::width;
use crate::embedding::encoders::layers::{Biases, Blocks, LayerNorm, Names, Shape};
use crate::embedding::encoders::{Config, Encoder, Hidden, ImageEncoder, Pooling, Result, Weights};

/// The classifier, and the token of hidden patches, used in training alone.
const UNUSED: &[&str] = &["classifier.*", "*mask_token"];

/// DINOv2.
#[derive(Debug)]
pub(crate) struct Dinov2 {
    patches: Patches,
    blocks: Blocks,
    norm: LayerNorm,
    width: usize,
}

impl Dinov2 {
    /// Loads it from the file of the model or of a classifier built on it.
    pub(crate) fn load(config: &Config, weights: &Weights) -> Result<Self> {
        // The largest model's gated perceptron.
        config.expect("use_swiglu_ffn", &Value::Bool(false))?;
        let width = config.count(&["hidden_size"], 768)?;
        let shape = Shape {
            width,
            heads: config.count(&["num_attention_heads"], 12)?,
            inner: width * config.count(&["mlp_ratio"], 4)?,
            activation: config.activation(&["hidden_act"], "gelu")?,
            eps: config.real(&["layer_norm_eps"], 1e-6)?,
            norm_first: true,
            biases: if config.flag(&["qkv_bias"], true)? { Biases::All } else { Biases::None },
            layer_scale: true,
        };
        let sizes =
            Sizes { image: config.count(&["image_size"], 224)?, patch: config.count(&["patch_size"], 14)?, width };
        let body = weights.under_one_of(&["dinov2", ""], "embeddings.cls_token");
        let layers = config.count(&["num_hidden_layers"], 12)?;
        let model = Self {
            patches: Patches::load(&body.under("embeddings"), tokens_and_positions(width), sizes)?,
            blocks: Blocks::load(&body, "encoder.layer", layers, &Names::DINOV2, &shape)?,
            norm: LayerNorm::load(&body, "layernorm", width, shape.eps)?,
            width,
        };
        weights.finish(UNUSED)?;
        Ok(model)
    }
}

impl Encoder for Dinov2 {
    fn width(&self, pooling: Pooling) -> Result<usize> {
        width(pooling, self.width, true, Some(self.width), None)
    }

    fn pooling(&self) -> Pooling {
        Pooling::Cls
    }
}

impl ImageEncoder for Dinov2 {
    fn encode(&self, pixels: &Tensor) -> Result<Hidden> {
        let x = self.patches.forward_resized(pixels, resize)?;
        let states = self.norm.forward(&self.blocks.forward(x, None)?)?;
        let pooled = states.narrow(1, 0, 1)?.squeeze(1)?;
        Ok(Hidden {
            keep: Some(without_class_token(&states)?),
            states,
            leading: 0,
            pooled: Some(pooled),
            projected: None,
        })
    }
}
