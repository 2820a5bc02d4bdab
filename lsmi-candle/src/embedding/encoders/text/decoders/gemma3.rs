//! Gemma 3 (Gemma Team, 2025) as an encoder, `EmbeddingGemma` (Schechter Vera et al., 2025): positions look both ways,
//! most layers look at a window, and norms stand before and after each half of a block.

use serde_json::Value;

use super::decoder::{Block, Decoder, LAYERS, PREFIXES, TOKENS, UNUSED, listed_kinds};
use crate::embedding::encoders::layers::{GatedPerceptron, GroupedAttention, GroupedShape, HeadNorms, RmsNorm};
use crate::embedding::encoders::text::angles::Angles;
use crate::embedding::encoders::{Config, Pooling, Result, Weights};

/// What the weights of norms count from.
const OFFSET: f64 = 1.0;

/// Loads Gemma 3.
pub(crate) fn load(config: &Config, weights: &Weights) -> Result<Decoder> {
    config.expect("attn_logit_softcapping", &Value::Null)?;
    let body = weights.under_one_of(PREFIXES, TOKENS);
    let width = config.count(&["hidden_size"], 2304)?;
    let layers = config.count(LAYERS, 26)?;
    let eps = config.real(&["rms_norm_eps"], 1e-6)?;
    let bias = config.flag(&["attention_bias"], false)?;
    let scalar = config.real(&["query_pre_attn_scalar"], 256.0)?;
    if scalar <= 0.0 {
        return Err(config.wrong("query_pre_attn_scalar", "more than 0", Some(&Value::from(scalar))));
    }
    let shape = GroupedShape {
        width,
        heads: config.count(&["num_attention_heads"], 8)?,
        key_heads: config.count(&["num_key_value_heads"], 4)?,
        head_width: config.count(&["head_dim"], 256)?,
        biases: [bias, bias],
        scale: scalar.powf(-0.5),
        norms: Some(HeadNorms { eps, offset: OFFSET }),
    };
    let inner = config.count(&["intermediate_size"], 9216)?;
    let activation = config.activation(&["hidden_activation"], "gelu_pytorch_tanh")?;
    let listed = listed_kinds(config, layers)?;
    let every = config.count(&["sliding_window_pattern", "_sliding_window_pattern"], 6)?;
    let is_local = |index: usize| listed.as_ref().map_or(!(index + 1).is_multiple_of(every), |locals| locals[index]);
    let both_ways = config.flag(&["use_bidirectional_attention"], false)?;
    let block = |index: usize| -> Result<Block> {
        let weights = body.under(&format!("layers.{index}"));
        let norm = |name| RmsNorm::load(&weights, name, width, eps, OFFSET);
        let names = ["mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"];
        Ok(Block {
            local: is_local(index),
            attention: GroupedAttention::load(&weights.under("self_attn"), &shape)?,
            perceptron: GatedPerceptron::load(&weights, names, [width, inner], [false, false], activation)?,
            before: [norm("input_layernorm")?, norm("pre_feedforward_layernorm")?],
            after: Some([norm("post_attention_layernorm")?, norm("post_feedforward_layernorm")?]),
        })
    };
    let vocabulary = config.count(&["vocab_size"], 262_208)?;
    let decoder = Decoder {
        tokens: body.get(TOKENS, &[vocabulary, width])?,
        scale: (width as f64).sqrt(),
        blocks: (0..layers).map(block).collect::<Result<_>>()?,
        norm: RmsNorm::load(&body, "norm", width, eps, OFFSET)?,
        angles: angles(config, shape.head_width)?,
        causal: !both_ways,
        window: window(config, both_ways)?,
        positions: config.count(&["max_position_embeddings"], 131_072)?,
        pooling: Pooling::Mean,
    };
    weights.finish(UNUSED)?;
    Ok(decoder)
}

/// How far away what is looked at within a window may not be.
fn window(config: &Config, both_ways: bool) -> Result<usize> {
    if config.is_null("sliding_window") {
        return Err(config.wrong("sliding_window", "a number of tokens", Some(&Value::Null)));
    }
    let window = config.count(&["sliding_window"], 4096)?;
    // Looking both ways, half of it lies on either side.
    Ok(if both_ways { window / 2 + 1 } else { window })
}

/// Angles of the layers that look at all of the text, and of those that look at a window. What makes room for longer
/// texts concerns the former alone.
fn angles(config: &Config, head_width: usize) -> Result<[Angles; 2]> {
    let sections = config.section("rope_parameters")?;
    let (old, all, near) =
        (config.section("rope_scaling")?, sections.section("full_attention")?, sections.section("sliding_attention")?);
    let base = |section: &Config, old: &str, default: f64| section.real(&["rope_theta"], config.real(&[old], default)?);
    let bases = [base(&all, "rope_theta", 1_000_000.0)?, base(&near, "rope_local_base_freq", 10_000.0)?];
    let all = if config.has(&["rope_scaling"]) { old } else { all };
    Ok([Angles::of(config, &all, head_width, bases[0])?, Angles::of(config, &near, head_width, bases[1])?])
}
