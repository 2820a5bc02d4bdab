//! nomic-bert (Nussbaum et al., 2024): BERT with rotary positions and gated perceptrons; the second version
//! (Nussbaum and Duderstadt, 2025) has a mixture of experts in every other block.

use serde_json::Value;

use super::body::{Block, Body, Perceptron, attention, head_width, pooler};
use super::experts::Experts;
use crate::embedding::encoders::layers::{Activation, GatedPerceptron, LayerNorm, Linear};
use crate::embedding::encoders::text::angles::Angles;
use crate::embedding::encoders::{Config, Pooling, Result, Weights};

/// Heads of training and of other tasks.
const UNUSED: &[&str] = &["cls.*", "classifier.*", "*position_ids", "*token_type_ids", "*inv_freq"];
/// Inner widths of gated perceptrons are rounded up to multiples of this by the authors' code.
const INNER_STEP: usize = 256;

/// Names of the tensors: of the authors' code, or of transformers.
struct Names {
    blocks: &'static str,
    packed: &'static str,
    output: &'static str,
    perceptron: [&'static str; 3],
    norms: [&'static str; 2],
}

const AUTHORS: Names = Names {
    blocks: "encoder.layers",
    packed: "attn.Wqkv",
    output: "attn.out_proj",
    perceptron: ["mlp.fc12", "mlp.fc11", "mlp.fc2"],
    norms: ["norm1", "norm2"],
};
const TRANSFORMERS: Names = Names {
    blocks: "layers",
    packed: "self_attn.qkv_proj",
    output: "self_attn.o_proj",
    perceptron: ["mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"],
    norms: ["post_attention_layernorm", "post_mlp_layernorm"],
};

/// Sizes and kinds of the blocks.
struct Shape {
    width: usize,
    heads: usize,
    inner: usize,
    eps: f64,
    is_gated: bool,
    activation: Activation,
    attention_bias: bool,
    perceptron_biases: [bool; 2],
    /// In every so-manieth block, so many experts, of which each token takes so many.
    experts: Option<[usize; 3]>,
}

/// Loads nomic-bert.
pub(crate) fn load(config: &Config, weights: &Weights) -> Result<Body> {
    for field in
        ["prenorm", "parallel_block", "use_rms_norm", "causal", "rotary_emb_interleaved", "norm_mlp", "rotary_head_dim"]
    {
        config.expect(field, &false.into())?;
    }
    config.expect("rotary_emb_scale_base", &Value::Null)?;
    // Files of the authors' code have its fields and its defaults; where those of transformers stand beside them, theirs.
    let is_authors = config.has(&["n_embd", "n_layer", "n_head"]) && !config.has(&["hidden_size"]);
    let body = weights.under_one_of(&["", "bert", "nomic_bert"], "embeddings.word_embeddings.weight");
    let shape = shape(config, is_authors)?;
    let width = shape.width;
    let head_width = head_width(config, width, shape.heads)?;
    let rows = config.count(&["vocab_size"], if is_authors { 50257 } else { 30528 })?;
    let rows = rows.next_multiple_of(config.count(&["pad_vocab_size_multiple"], 1)?);
    let segments = match config.index(&["type_vocab_size"], 2)? {
        0 => None,
        count => Some(body.get("embeddings.token_type_embeddings.weight", &[count, width])?),
    };
    let (names, norm) = if body.contains("emb_ln.weight") {
        (AUTHORS, LayerNorm::load(&body, "emb_ln", width, shape.eps)?)
    } else {
        (TRANSFORMERS, LayerNorm::load(&body, "embeddings.LayerNorm", width, shape.eps)?)
    };
    let count = config.count(&["n_layer", "num_hidden_layers"], 12)?;
    let blocks =
        (0..count).map(|index| block(&body.under(&format!("{}.{index}", names.blocks)), &names, &shape, index));
    let model = Body {
        tokens: body.get("embeddings.word_embeddings.weight", &[rows, width])?,
        segments,
        norm,
        blocks: blocks.collect::<Result<_>>()?,
        pooler: pooler(&body, width)?,
        angles: angles(config, head_width, is_authors)?,
        positions: match config.index(&["n_positions", "max_position_embeddings"], 2048)? {
            0 => 2048,
            positions => positions,
        },
        pooling: Pooling::Mean,
    };
    weights.finish(UNUSED)?;
    Ok(model)
}

fn shape(config: &Config, is_authors: bool) -> Result<Shape> {
    let width = config.count(&["n_embd", "hidden_size"], 768)?;
    let heads = config.count(&["n_head", "num_attention_heads"], 12)?;
    config.expect("num_heads_kv", &heads.into())?;
    let (is_gated, activation) =
        match config.text(&["activation_function"], if is_authors { None } else { Some("") })? {
            // The exact function, also where the name is that of an approximation: so do the authors.
            "gelu" | "gelu_new" | "gelu_fast" | "gelu_pytorch_tanh" => (false, Activation::Gelu),
            "swiglu" => (true, Activation::Silu),
            "geglu" => (true, Activation::Gelu),
            "glu" => (true, Activation::Sigmoid),
            "" => (true, config.activation(&["hidden_act"], "silu")?),
            other => {
                let expected = "`gelu`, `swiglu`, `geglu` or `glu`";
                return Err(config.wrong("activation_function", expected, Some(&Value::from(other))));
            }
        };
    let inner = match (is_authors, is_gated) {
        (false, _) => config.count(&["intermediate_size"], 3072)?,
        (true, false) => config.count(&["n_inner"], 4 * width)?,
        (true, true) => config.count(&["n_inner"], 8 * width / 3)?.next_multiple_of(INNER_STEP),
    };
    let experts = match config.index(&["num_experts"], 0)? {
        0 => None,
        _ if is_gated => {
            let found = config.text(&["activation_function"], "missing")?;
            return Err(config.wrong("activation_function", "`gelu`, as there are experts", Some(&Value::from(found))));
        }
        count => {
            config.expect("expert_choice_router", &false.into())?;
            config.expect("moe_normalize_expert_weights", &false.into())?;
            let every = config.count(&["moe_every_n_layers"], None)?;
            Some([every, count, config.count(&["moe_top_k"], None)?.min(count)])
        }
    };
    let bias = |field| config.flag(&[field], is_authors);
    Ok(Shape {
        width,
        heads,
        inner,
        eps: config.real(&["layer_norm_epsilon", "layer_norm_eps"], if is_authors { 1e-5 } else { 1e-12 })?,
        is_gated,
        activation,
        attention_bias: bias("qkv_proj_bias")?,
        perceptron_biases: [bias("mlp_fc1_bias")?, bias("mlp_fc2_bias")?],
        experts,
    })
}

fn angles(config: &Config, head_width: usize, is_authors: bool) -> Result<Angles> {
    // The fraction of a head that is turned; none would mean a table of positions.
    let part = config.real(&["rotary_emb_fraction"], if is_authors { 0.0 } else { 1.0 })?;
    if part != 1.0 {
        return Err(config.wrong("rotary_emb_fraction", "1", Some(&Value::from(part))));
    }
    if !is_authors || config.has(&["rope_parameters", "rope_scaling"]) {
        return Angles::read(config, head_width, 1000.0);
    }
    let base = config.real(&["rotary_emb_base"], None)?;
    let mut angles = Angles::of(config, &config.section("rope_parameters")?, head_width, base)?;
    // As a scaling that is `dynamic`.
    if config.real(&["rotary_scaling_factor"], 0.0)? != 0.0 {
        angles.most = Some(config.count(&["max_trained_positions"], 2048)?);
    }
    Ok(angles)
}

fn block(weights: &Weights, names: &Names, shape: &Shape, index: usize) -> Result<Block> {
    let Shape { width, heads, inner, eps, activation, .. } = *shape;
    let [in_bias, out_bias] = shape.perceptron_biases;
    let has_experts = |[every, ..]: &[usize; 3]| index % every == 1;
    let perceptron = match shape.experts.filter(has_experts) {
        Some([_, count, chosen]) => {
            Perceptron::Mixture(Experts::load(&weights.under("mlp"), [width, inner], [count, chosen], activation)?)
        }
        None if shape.is_gated => Perceptron::Gated(GatedPerceptron::load(
            weights,
            names.perceptron,
            [width, inner],
            [in_bias, out_bias],
            activation,
        )?),
        None => {
            let inward = Linear::load(weights, "mlp.fc1", width, inner, in_bias)?;
            Perceptron::Plain([inward, Linear::load(weights, "mlp.fc2", inner, width, out_bias)?], activation)
        }
    };
    let norm = |name| LayerNorm::load(weights, name, width, eps);
    Ok(Block {
        attention: attention(weights, names.packed, names.output, [width, heads], shape.attention_bias)?,
        perceptron,
        norms: [norm(names.norms[0])?, norm(names.norms[1])?],
    })
}
