//! GTE (Zhang et al., EMNLP 2024), and with it Arctic-Embed 2 (Yu et al., 2024): BERT with rotary positions, whose
//! frequencies may be those of longer texts, and gated perceptrons.

use serde_json::Value;

use super::body::{Block, Body, Perceptron, attention, head_width, pooler};
use crate::embedding::encoders::layers::{Activation, GatedPerceptron, LayerNorm, Linear};
use crate::embedding::encoders::text::angles::Angles;
use crate::embedding::encoders::{Config, Pooling, Result, Weights};

/// Heads of training and of other tasks.
const UNUSED: &[&str] = &["lm_head.*", "classifier.*", "*position_ids", "*inv_freq"];

/// Names of the tensors: of the authors' code, or of transformers.
struct Names {
    blocks: &'static str,
    packed: &'static str,
    output: &'static str,
    norms: [&'static str; 2],
}

const AUTHORS: Names = Names {
    blocks: "encoder.layer",
    packed: "attention.qkv_proj",
    output: "attention.o_proj",
    norms: ["attn_ln", "mlp_ln"],
};
const TRANSFORMERS: Names = Names {
    blocks: "layers",
    packed: "self_attn.qkv_proj",
    output: "self_attn.o_proj",
    norms: ["post_attention_layernorm", "post_mlp_layernorm"],
};

/// Sizes and kinds of the blocks.
struct Shape {
    width: usize,
    heads: usize,
    inner: usize,
    eps: f64,
    activation: Activation,
}

/// Loads GTE.
pub(crate) fn load(config: &Config, weights: &Weights) -> Result<Body> {
    config.expect("layer_norm_type", &"layer_norm".into())?;
    config.expect("position_embedding_type", &"rope".into())?;
    config.expect("logn_attention_scale", &false.into())?;
    let body = weights.under_one_of(&["", "new", "gte"], "embeddings.word_embeddings.weight");
    let shape = Shape {
        width: config.count(&["hidden_size"], 768)?,
        heads: config.count(&["num_attention_heads"], 12)?,
        inner: config.count(&["intermediate_size"], 3072)?,
        eps: config.real(&["layer_norm_eps"], 1e-12)?,
        activation: config.activation(&["hidden_act"], "gelu")?,
    };
    let width = shape.width;
    let head_width = head_width(config, width, shape.heads)?;
    let segments = match config.index(&["type_vocab_size"], 1)? {
        0 => None,
        count => Some(body.get("embeddings.token_type_embeddings.weight", &[count, width])?),
    };
    let names = if body.contains("encoder.layer.0.attn_ln.weight") { AUTHORS } else { TRANSFORMERS };
    let count = config.count(&["num_hidden_layers"], 12)?;
    let blocks = (0..count).map(|index| block(&body.under(&format!("{}.{index}", names.blocks)), &names, &shape));
    let model = Body {
        // The two sources of configurations have other defaults.
        tokens: body.get("embeddings.word_embeddings.weight", &[config.count(&["vocab_size"], None)?, width])?,
        segments,
        norm: LayerNorm::load(&body, "embeddings.LayerNorm", width, shape.eps)?,
        blocks: blocks.collect::<Result<_>>()?,
        pooler: pooler(&body, width)?,
        angles: angles(config, head_width)?,
        positions: config.count(&["max_position_embeddings"], None)?,
        pooling: Pooling::Cls,
    };
    weights.finish(UNUSED)?;
    Ok(model)
}

fn angles(config: &Config, head_width: usize) -> Result<Angles> {
    let scaling = config.section("rope_scaling")?;
    if scaling.text(&["type", "rope_type"], "")? != "ntk" {
        // The authors' code has another default than transformers, so it must be said.
        if !config.has(&["rope_theta"]) && !config.section("rope_parameters")?.has(&["rope_theta"]) {
            return Err(config.wrong("rope_theta", "a number", None));
        }
        return Angles::read(config, head_width, 0.0);
    }
    scaling.expect("mixed_b", &Value::Null)?;
    let factor = Angles::factor(&scaling)?;
    let base = config.real(&["rope_theta"], None)? * factor;
    let mut angles = Angles::of(config, &config.section("rope_parameters")?, head_width, base)?;
    angles.slow_down(factor.powf(2.0 / head_width as f64));
    Ok(angles)
}

fn block(weights: &Weights, names: &Names, shape: &Shape) -> Result<Block> {
    let Shape { width, heads, inner, eps, activation } = *shape;
    let perceptron = if weights.contains("mlp.up_gate_proj.weight") {
        let packed = weights.get("mlp.up_gate_proj.weight", &[2 * inner, width])?;
        let outward = Linear::load(weights, "mlp.down_proj", inner, width, true)?;
        // What is gated stands first in the file.
        let layers = [packed.narrow(0, inner, inner)?, packed.narrow(0, 0, inner)?];
        GatedPerceptron::new(&layers, None, outward, activation)?
    } else {
        let names = ["mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"];
        GatedPerceptron::load(weights, names, [width, inner], [false, true], activation)?
    };
    let norm = |name| LayerNorm::load(weights, name, width, eps);
    Ok(Block {
        attention: attention(weights, names.packed, names.output, [width, heads], true)?,
        perceptron: Perceptron::Gated(perceptron),
        norms: [norm(names.norms[0])?, norm(names.norms[1])?],
    })
}
