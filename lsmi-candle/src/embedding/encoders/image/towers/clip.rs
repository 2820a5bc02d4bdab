//! The picture tower of CLIP (Radford et al., ICML 2021).

use candle_core::Tensor;

use crate::embedding::encoders::image::patches::{PatchNames, Patches, Sizes, without_class_token};
use crate::embedding::encoders::image::width;
use crate::embedding::encoders::layers::{Biases, Blocks, LayerNorm, Linear, Names, Shape};
use crate::embedding::encoders::{Config, Encoder, Hidden, ImageEncoder, Pooling, Result, Weights};

/// The other tower, what compares the two, and the classifier of a model built on this one.
const UNUSED: &[&str] = &["*position_ids", "text_model.*", "text_projection.*", "logit_scale", "classifier.*"];

/// The picture tower of CLIP.
#[derive(Debug)]
pub(crate) struct ClipVision {
    patches: Patches,
    first_norm: LayerNorm,
    blocks: Blocks,
    last_norm: LayerNorm,
    projection: Option<(Linear, usize)>,
    width: usize,
}

impl ClipVision {
    /// Loads it from the file of the whole model or of the tower alone.
    pub(crate) fn load(config: &Config, weights: &Weights) -> Result<Self> {
        let whole = config.architecture()? == "clip";
        let vision = if whole { config.section("vision_config")? } else { config.clone() };
        let shape = Shape {
            width: vision.count(&["hidden_size"], 768)?,
            heads: vision.count(&["num_attention_heads"], 12)?,
            inner: vision.count(&["intermediate_size"], 3072)?,
            activation: vision.activation(&["hidden_act"], "quick_gelu")?,
            eps: vision.real(&["layer_norm_eps"], 1e-5)?,
            norm_first: true,
            biases: Biases::All,
            layer_scale: false,
        };
        let width = shape.width;
        let sizes =
            Sizes { image: vision.count(&["image_size"], 224)?, patch: vision.count(&["patch_size"], 32)?, width };
        let names = PatchNames {
            projection: ("patch_embedding", false),
            class_token: Some(("class_embedding", vec![width])),
            positions: ("position_embedding.weight", false),
        };
        // Newer files of the tower alone leave its name out.
        let body = weights.under_one_of(&["vision_model", ""], "embeddings.patch_embedding.weight");
        let layers = vision.count(&["num_hidden_layers"], 12)?;
        // The tower alone, and classifiers built on it, are saved without it.
        let projection = if weights.contains("visual_projection.weight") {
            let projected = config.count(&["projection_dim"], 512)?;
            Some((Linear::load(weights, "visual_projection", width, projected, false)?, projected))
        } else {
            None
        };
        let model = Self {
            patches: Patches::load(&body.under("embeddings"), names, sizes)?,
            // The name is spelt so in the checkpoints.
            first_norm: LayerNorm::load(&body, "pre_layrnorm", width, shape.eps)?,
            blocks: Blocks::load(&body, "encoder.layers", layers, &Names::CLIP, &shape)?,
            last_norm: LayerNorm::load(&body, "post_layernorm", width, shape.eps)?,
            projection,
            width,
        };
        weights.finish(UNUSED)?;
        Ok(model)
    }
}

impl Encoder for ClipVision {
    fn width(&self, pooling: Pooling) -> Result<usize> {
        width(pooling, self.width, true, Some(self.width), self.projection.as_ref().map(|(_, projected)| *projected))
    }

    fn pooling(&self) -> Pooling {
        if self.projection.is_some() { Pooling::Projection } else { Pooling::Pooler }
    }
}

impl ImageEncoder for ClipVision {
    fn encode(&self, pixels: &Tensor) -> Result<Hidden> {
        let x = self.first_norm.forward(&self.patches.forward(pixels)?)?;
        let states = self.blocks.forward(x, None)?;
        let pooled = self.last_norm.forward(&states.narrow(1, 0, 1)?.squeeze(1)?.contiguous()?)?;
        let projected = self.projection.as_ref().map(|(layer, _)| layer.forward(&pooled)).transpose()?;
        Ok(Hidden { keep: Some(without_class_token(&states)?), states, leading: 0, pooled: Some(pooled), projected })
    }
}
