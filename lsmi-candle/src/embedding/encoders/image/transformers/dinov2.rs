//! DINOv2 (Oquab et al., TMLR 2024): a vision transformer with layer scales, for pictures of any number of patches;
//! and the same with registers (Darcet et al., ICLR 2024), tokens without positions that are looked at and left out
//! of what is made. The largest model of either has gated perceptrons.

use candle_core::Tensor;

use super::block::{Block, PatchAttention, forward, packed};
use super::vit::tokens_and_positions;
use crate::embedding::encoders::image::patches::{Patches, Sizes, without_leading};
use crate::embedding::encoders::image::positions::{resize, resize_smoothly};
use crate::embedding::encoders::image::width;
use crate::embedding::encoders::layers::{
    Activation, Biases, Blocks, LayerNorm, Linear, Names, Perceptron, Shape, Widths,
};
use crate::embedding::encoders::tail::{Entered, ImageStages, Tail, last_blocks};
use crate::embedding::encoders::{
    Architecture, Config, Encoder, EncoderError, Hidden, ImageEncoder, Modality, Pooling, Result, Weights,
};
use crate::embedding::preprocess::image::Filter;

/// The classifier, and the token of hidden patches, used in training alone.
const UNUSED: &[&str] = &["classifier.*", "*mask_token"];

/// DINOv2.
#[derive(Debug)]
pub(crate) struct Dinov2 {
    patches: Patches,
    tail: Dinov2Tail,
}

/// Its blocks, and the norm after them.
#[derive(Debug)]
pub(crate) struct Dinov2Tail {
    blocks: Body,
    norm: LayerNorm,
    width: usize,
    /// Tokens between the class token and the patches; without any the table of positions is resized as before there
    /// were.
    registers: usize,
}

#[derive(Debug)]
enum Body {
    Plain(Blocks),
    Gated(Vec<Block>),
}

/// Loads the last `blocks` blocks and what follows; the gated ones of the largest model cannot be trained.
pub(crate) fn load_tail(config: &Config, weights: &Weights, blocks: usize) -> Result<Dinov2Tail> {
    if config.flag(&["use_swiglu_ffn"], false)? {
        return Err(EncoderError::Input {
            what: "use_swiglu_ffn of the model whose blocks are to be trained",
            expected: "false".to_owned(),
            found: "true".to_owned(),
        });
    }
    Dinov2Tail::load(config, weights, Some(blocks))
}

fn has_registers(config: &Config) -> Result<bool> {
    Ok(config.network(Modality::Image)? == Architecture::Dinov2WithRegisters)
}

fn body(config: &Config, weights: &Weights) -> Result<Weights> {
    let name = if has_registers(config)? { "dinov2_with_registers" } else { "dinov2" };
    Ok(weights.under_one_of(&[name, ""], "embeddings.cls_token"))
}

impl Dinov2Tail {
    fn load(config: &Config, weights: &Weights, last: Option<usize>) -> Result<Self> {
        let body = body(config, weights)?;
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
        let blocks = last_blocks(config.count(&["num_hidden_layers"], 12)?, last)?;
        Ok(Self {
            blocks: if config.flag(&["use_swiglu_ffn"], false)? {
                let block = |index| gated(&body.under(&format!("encoder.layer.{index}")), &shape);
                Body::Gated(blocks.map(block).collect::<Result<_>>()?)
            } else {
                Body::Plain(Blocks::load_some(&body, "encoder.layer", blocks, &Names::DINOV2, &shape)?)
            },
            norm: LayerNorm::load(&body, "layernorm", width, shape.eps)?,
            width,
            registers: if has_registers(config)? { config.index(&["num_register_tokens"], 4)? } else { 0 },
        })
    }
}

impl Tail for Dinov2Tail {
    fn blocks(&self) -> usize {
        match &self.blocks {
            Body::Plain(blocks) => blocks.count(),
            Body::Gated(blocks) => blocks.len(),
        }
    }

    fn advance(&self, entered: Entered, count: usize) -> Result<Entered> {
        let states = match &self.blocks {
            Body::Plain(blocks) => blocks.advance(entered.states, None, count)?,
            Body::Gated(blocks) => forward(&blocks[..count.min(blocks.len())], entered.states, None)?,
        };
        Ok(Entered { states, keep: entered.keep, ends: entered.ends })
    }

    fn finish(&self, entered: &Entered) -> Result<Hidden> {
        let states = self.norm.forward(&self.advance(entered.clone(), self.blocks())?.states)?;
        let pooled = states.narrow(1, 0, 1)?.squeeze(1)?;
        Ok(Hidden {
            keep: Some(without_leading(&states, 1 + self.registers)?),
            states,
            leading: 0,
            pooled: Some(pooled),
            projected: None,
        })
    }
}

impl Dinov2 {
    /// Loads it from the file of the model or of a classifier built on it.
    pub(crate) fn load(config: &Config, weights: &Weights) -> Result<Self> {
        let patch = if has_registers(config)? { 16 } else { 14 };
        let tail = Dinov2Tail::load(config, weights, None)?;
        let (width, registers) = (tail.width, tail.registers);
        let sizes =
            Sizes { image: config.count(&["image_size"], 224)?, patch: config.count(&["patch_size"], patch)?, width };
        let embeddings = body(config, weights)?.under("embeddings");
        let tokens = if registers > 0 || embeddings.contains("register_tokens") {
            Some(embeddings.get("register_tokens", &[1, registers, width])?)
        } else {
            None
        };
        let patches = Patches::load(&embeddings, tokens_and_positions(width), sizes)?
            .with_unplaced(tokens.filter(|_| registers > 0));
        let model = Self { patches, tail };
        weights.finish(UNUSED)?;
        Ok(model)
    }
}

/// A block of the largest model. Of the width that the ratio says, the perceptron has two thirds, rounded up to a
/// multiple of 8, and its activation is always SiLU.
fn gated(weights: &Weights, shape: &Shape) -> Result<Block> {
    let Shape { width, heads, inner, eps, biases, .. } = *shape;
    let [query, key, value, output] = Names::DINOV2.attention;
    let bias = [biases == Biases::All; 3];
    let widths = Widths { outer: width, inner: (inner * 2 / 3).div_ceil(8) * 8, bias: true };
    let silu = Activation::Silu;
    Ok(Block {
        norms: [LayerNorm::load(weights, "norm1", width, eps)?, LayerNorm::load(weights, "norm2", width, eps)?],
        attention: PatchAttention::new(
            packed(weights, [query, key, value], width, bias)?,
            Linear::load(weights, output, width, width, true)?,
            heads,
        )?,
        perceptron: if weights.contains("mlp.weights_in.weight") {
            Perceptron::load_packed(weights, ["mlp.weights_in", "mlp.weights_out"], widths, silu)?
        } else {
            // As newer libraries have them in memory.
            Perceptron::load_gated(weights, ["mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"], widths, silu)?
        },
        scales: Some([weights.get("layer_scale1.lambda1", &[width])?, weights.get("layer_scale2.lambda1", &[width])?]),
    })
}

impl Encoder for Dinov2 {
    fn width(&self, pooling: Pooling) -> Result<usize> {
        width(pooling, self.tail.width, true, Some(self.tail.width), None)
    }

    fn pooling(&self) -> Pooling {
        Pooling::Cls
    }
}

impl ImageEncoder for Dinov2 {
    fn stages(&self) -> Option<&dyn ImageStages> {
        Some(self)
    }

    fn encode(&self, pixels: &Tensor) -> Result<Hidden> {
        self.tail.finish(&self.enter(pixels)?)
    }
}

impl ImageStages for Dinov2 {
    fn enter(&self, pixels: &Tensor) -> Result<Entered> {
        let states = if self.tail.registers > 0 {
            // The table's filter is widened where it shrinks, which that of the model without registers is not.
            self.patches.forward_resized(pixels, |table, from, to| resize_smoothly(table, from, to, Filter::Bicubic))?
        } else {
            self.patches.forward_resized(pixels, resize)?
        };
        Ok(Entered { states, keep: None, ends: None })
    }

    fn tail(&self) -> &dyn Tail {
        &self.tail
    }
}
