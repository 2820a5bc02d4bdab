//! The picture tower of CLIP (Radford et al., ICML 2021).

use candle_core::Tensor;

use crate::embedding::encoders::image::patches::{PatchNames, Patches, Sizes, without_class_token};
use crate::embedding::encoders::image::width;
use crate::embedding::encoders::layers::{Biases, Blocks, LayerNorm, Linear, Names, Shape};
use crate::embedding::encoders::tail::{Entered, ImageStages, Tail, last_blocks};
use crate::embedding::encoders::{Config, Encoder, Hidden, ImageEncoder, Pooling, Result, Weights};

/// The other tower, what compares the two, and the classifier of a model built on this one.
const UNUSED: &[&str] = &["*position_ids", "text_model.*", "text_projection.*", "logit_scale", "classifier.*"];

/// The picture tower of CLIP.
#[derive(Debug)]
pub(crate) struct ClipVision {
    patches: Patches,
    first_norm: LayerNorm,
    tail: ClipVisionTail,
}

/// Its blocks, the norm of the class token after them, and its projection.
#[derive(Debug)]
pub(crate) struct ClipVisionTail {
    blocks: Blocks,
    last_norm: LayerNorm,
    projection: Option<(Linear, usize)>,
    width: usize,
}

/// Loads the last `blocks` blocks and what follows.
pub(crate) fn load_tail(config: &Config, weights: &Weights, blocks: usize) -> Result<ClipVisionTail> {
    ClipVisionTail::load(config, weights, Some(blocks))
}

/// The part of a configuration that is of pictures.
fn vision_config(config: &Config) -> Result<Config> {
    let whole = config.architecture()? == "clip";
    if whole { config.section("vision_config") } else { Ok(config.clone()) }
}

fn body(weights: &Weights) -> Weights {
    // Newer files of the tower alone leave its name out.
    weights.under_one_of(&["vision_model", ""], "embeddings.patch_embedding.weight")
}

fn eps(vision: &Config) -> Result<f64> {
    vision.real(&["layer_norm_eps"], 1e-5)
}

impl ClipVisionTail {
    fn load(config: &Config, weights: &Weights, last: Option<usize>) -> Result<Self> {
        let (vision, body) = (vision_config(config)?, body(weights));
        let shape = Shape {
            width: vision.count(&["hidden_size"], 768)?,
            heads: vision.count(&["num_attention_heads"], 12)?,
            inner: vision.count(&["intermediate_size"], 3072)?,
            activation: vision.activation(&["hidden_act"], "quick_gelu")?,
            eps: eps(&vision)?,
            norm_first: true,
            biases: Biases::All,
            layer_scale: false,
        };
        let width = shape.width;
        let blocks = last_blocks(vision.count(&["num_hidden_layers"], 12)?, last)?;
        // The tower alone, and classifiers built on it, are saved without it.
        let projection = if weights.contains("visual_projection.weight") {
            let projected = config.count(&["projection_dim"], 512)?;
            let weights = weights.read_by(&[Pooling::Projection]);
            Some((Linear::load(&weights, "visual_projection", width, projected, false)?, projected))
        } else {
            None
        };
        let pooled = body.read_by(&[Pooling::Pooler, Pooling::Projection]);
        Ok(Self {
            blocks: Blocks::load_some(&body, "encoder.layers", blocks, &Names::CLIP, &shape)?,
            last_norm: LayerNorm::load(&pooled, "post_layernorm", width, shape.eps)?,
            projection,
            width,
        })
    }
}

impl Tail for ClipVisionTail {
    fn blocks(&self) -> usize {
        self.blocks.count()
    }

    fn advance(&self, entered: Entered, blocks: usize) -> Result<Entered> {
        Ok(Entered { states: self.blocks.advance(entered.states, None, blocks)?, ..entered })
    }

    fn finish(&self, entered: &Entered) -> Result<Hidden> {
        let states = self.blocks.forward(entered.states.clone(), None)?;
        let pooled = self.last_norm.forward(&states.narrow(1, 0, 1)?.squeeze(1)?.contiguous()?)?;
        let projected = self.projection.as_ref().map(|(layer, _)| layer.forward(&pooled)).transpose()?;
        Ok(Hidden { keep: Some(without_class_token(&states)?), states, leading: 0, pooled: Some(pooled), projected })
    }
}

impl ClipVision {
    /// Loads it from the file of the whole model or of the tower alone.
    pub(crate) fn load(config: &Config, weights: &Weights) -> Result<Self> {
        let (vision, body) = (vision_config(config)?, body(weights));
        let tail = ClipVisionTail::load(config, weights, None)?;
        let width = tail.width;
        let sizes =
            Sizes { image: vision.count(&["image_size"], 224)?, patch: vision.count(&["patch_size"], 32)?, width };
        let names = PatchNames {
            projection: ("patch_embedding", false),
            class_token: Some(("class_embedding", vec![width])),
            positions: ("position_embedding.weight", false),
        };
        let model = Self {
            patches: Patches::load(&body.under("embeddings"), names, sizes)?,
            // The name is spelt so in the checkpoints.
            first_norm: LayerNorm::load(&body, "pre_layrnorm", width, eps(&vision)?)?,
            tail,
        };
        weights.finish(UNUSED)?;
        Ok(model)
    }
}

impl Encoder for ClipVision {
    fn width(&self, pooling: Pooling) -> Result<usize> {
        let ClipVisionTail { projection, width: states, .. } = &self.tail;
        width(pooling, *states, true, Some(*states), projection.as_ref().map(|(_, projected)| *projected))
    }

    fn pooling(&self) -> Pooling {
        if self.tail.projection.is_some() { Pooling::Projection } else { Pooling::Pooler }
    }
}

impl ImageEncoder for ClipVision {
    fn stages(&self) -> Option<&dyn ImageStages> {
        Some(self)
    }

    fn encode(&self, pixels: &Tensor) -> Result<Hidden> {
        self.tail.finish(&self.enter(pixels)?)
    }
}

impl ImageStages for ClipVision {
    fn enter(&self, pixels: &Tensor) -> Result<Entered> {
        let states = self.first_norm.forward(&self.patches.forward(pixels)?)?;
        Ok(Entered { states, keep: None, ends: None })
    }

    fn tail(&self) -> &dyn Tail {
        &self.tail
    }
}
