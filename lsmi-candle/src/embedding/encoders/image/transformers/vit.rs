//! The vision transformer (Dosovitskiy et al., ICLR 2021).

use candle_core::Tensor;

use crate::embedding::encoders::image::patches::{PatchNames, Patches, Sizes, without_class_token};
use crate::embedding::encoders::image::width;
use crate::embedding::encoders::layers::{Activation, Biases, Blocks, LayerNorm, Linear, Names, Shape};
use crate::embedding::encoders::tail::{Entered, ImageStages, Tail, last_blocks};
use crate::embedding::encoders::{Config, Encoder, Hidden, ImageEncoder, Pooling, Result, Weights};

/// The classifier, and the token of hidden patches and what restores them, used in training alone.
const UNUSED: &[&str] = &["classifier.*", "*mask_token", "decoder.*"];

/// ViT.
#[derive(Debug)]
pub(crate) struct Vit {
    patches: Patches,
    tail: VitTail,
}

/// Its blocks, the norm after them, and the pooling layer.
#[derive(Debug)]
pub(crate) struct VitTail {
    blocks: Blocks,
    norm: LayerNorm,
    /// The pooling layer, the activation after it, and the width that it gives.
    pooler: Option<(Linear, Activation, usize)>,
    width: usize,
}

/// Loads the last `blocks` blocks and what follows.
pub(crate) fn load_tail(config: &Config, weights: &Weights, blocks: usize) -> Result<VitTail> {
    VitTail::load(config, &body(weights), Some(blocks))
}

fn body(weights: &Weights) -> Weights {
    weights.under_one_of(&["vit", ""], "embeddings.cls_token")
}

impl VitTail {
    fn load(config: &Config, body: &Weights, last: Option<usize>) -> Result<Self> {
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
        let blocks = last_blocks(config.count(&["num_hidden_layers"], 12)?, last)?;
        // Classifiers are saved without the pooling layer.
        let pooler = if body.contains("pooler.dense.weight") {
            let pooled = config.count(&["pooler_output_size"], width)?;
            let weights = body.read_by(&[Pooling::Pooler]);
            let layer = Linear::load(&weights, "pooler.dense", width, pooled, true)?;
            Some((layer, config.activation(&["pooler_act"], "tanh")?, pooled))
        } else {
            None
        };
        Ok(Self {
            blocks: Blocks::load_some(body, "encoder.layer", blocks, &Names::VIT, &shape)?,
            norm: LayerNorm::load(body, "layernorm", width, shape.eps)?,
            pooler,
            width,
        })
    }
}

impl Tail for VitTail {
    fn blocks(&self) -> usize {
        self.blocks.count()
    }

    fn advance(&self, entered: Entered, blocks: usize) -> Result<Entered> {
        Ok(Entered { states: self.blocks.advance(entered.states, None, blocks)?, ..entered })
    }

    fn finish(&self, entered: &Entered) -> Result<Hidden> {
        let states = self.norm.forward(&self.blocks.forward(entered.states.clone(), None)?)?;
        let pool = |(layer, activation, _): &(Linear, Activation, usize)| -> Result<Tensor> {
            activation.forward(&layer.forward(&states.narrow(1, 0, 1)?.squeeze(1)?.contiguous()?)?)
        };
        let pooled = self.pooler.as_ref().map(pool).transpose()?;
        Ok(Hidden { keep: Some(without_class_token(&states)?), states, leading: 0, pooled, projected: None })
    }
}

impl Vit {
    /// Loads it from the file of the model or of a classifier built on it.
    pub(crate) fn load(config: &Config, weights: &Weights) -> Result<Self> {
        let body = body(weights);
        let tail = VitTail::load(config, &body, None)?;
        let width = tail.width;
        let sizes =
            Sizes { image: config.count(&["image_size"], 224)?, patch: config.count(&["patch_size"], 16)?, width };
        let patches = Patches::load(&body.under("embeddings"), tokens_and_positions(width), sizes)?;
        let model = Self { patches, tail };
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
        let VitTail { pooler, width: states, .. } = &self.tail;
        width(pooling, *states, true, pooler.as_ref().map(|(.., pooled)| *pooled), None)
    }

    fn pooling(&self) -> Pooling {
        Pooling::Cls
    }
}

impl ImageEncoder for Vit {
    fn stages(&self) -> Option<&dyn ImageStages> {
        Some(self)
    }

    fn encode(&self, pixels: &Tensor) -> Result<Hidden> {
        self.tail.finish(&self.enter(pixels)?)
    }
}

impl ImageStages for Vit {
    fn enter(&self, pixels: &Tensor) -> Result<Entered> {
        Ok(Entered { states: self.patches.forward(pixels)?, keep: None, ends: None })
    }

    fn tail(&self) -> &dyn Tail {
        &self.tail
    }
}
