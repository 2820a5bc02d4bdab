//! The vision transformer (Dosovitskiy et al., ICLR 2021).

use candle_core::Tensor;

use crate::embedding::encoders::image::patches::{PatchNames, Patches, Sizes, without_class_token};
use crate::embedding::encoders::image::width;
use crate::embedding::encoders::layers::{Activation, Biases, Blocks, LayerNorm, Linear, Names, Shape};
use crate::embedding::encoders::{Config, Encoder, Hidden, ImageEncoder, Pooling, Result, Weights};

/// The classifier, and the token of hidden patches and what restores them, used in training alone.
const UNUSED: &[&str] = &["classifier.*", "*mask_token", "decoder.*"];

/// ViT.
#[derive(Debug)]
pub(crate) struct Vit {
    patches: Patches,
    blocks: Blocks,
    norm: LayerNorm,
    /// The pooling layer, the activation after it, and the width that it gives.
    pooler: Option<(Linear, Activation, usize)>,
    width: usize,
}

impl Vit {
    /// Loads it from the file of the model or of a classifier built on it.
    pub(crate) fn load(config: &Config, weights: &Weights) -> Result<Self> {
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
        let sizes =
            Sizes { image: config.count(&["image_size"], 224)?, patch: config.count(&["patch_size"], 16)?, width };
        let body = weights.under_one_of(&["vit", ""], "embeddings.cls_token");
        let layers = config.count(&["num_hidden_layers"], 12)?;
        // Classifiers are saved without the pooling layer.
        let pooler = if body.contains("pooler.dense.weight") {
            let pooled = config.count(&["pooler_output_size"], width)?;
            let layer = Linear::load(&body, "pooler.dense", width, pooled, true)?;
            Some((layer, config.activation(&["pooler_act"], "tanh")?, pooled))
        } else {
            None
        };
        let model = Self {
            patches: Patches::load(&body.under("embeddings"), tokens_and_positions(width), sizes)?,
            blocks: Blocks::load(&body, "encoder.layer", layers, &Names::VIT, &shape)?,
            norm: LayerNorm::load(&body, "layernorm", width, shape.eps)?,
            pooler,
            width,
        };
        weights.finish(UNUSED)?;
        Ok(model)
    }
}

/// The names of ViT and DINOv2.
pub(crate) fn tokens_and_positions(width: usize) -> PatchNames<'static> {
    PatchNames {
        projection: ("patch_embeddings.projection", true),
        class_token: Some(("cls_token", vec![1, 1, width])),
        positions: ("position_embeddings", true),
    }
}

impl Encoder for Vit {
    fn width(&self, pooling: Pooling) -> Result<usize> {
        width(pooling, self.width, true, self.pooler.as_ref().map(|(.., pooled)| *pooled), None)
    }

    fn pooling(&self) -> Pooling {
        Pooling::Cls
    }
}

impl ImageEncoder for Vit {
    fn encode(&self, pixels: &Tensor) -> Result<Hidden> {
        let states = self.norm.forward(&self.blocks.forward(self.patches.forward(pixels)?, None)?)?;
        let pool = |(layer, activation, _): &(Linear, Activation, usize)| -> Result<Tensor> {
            activation.forward(&layer.forward(&states.narrow(1, 0, 1)?.squeeze(1)?.contiguous()?)?)
        };
        let pooled = self.pooler.as_ref().map(pool).transpose()?;
        Ok(Hidden { keep: Some(without_class_token(&states)?), states, leading: 0, pooled, projected: None })
    }
}
