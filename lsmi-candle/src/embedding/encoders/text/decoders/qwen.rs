//! Qwen3 (Yang et al., 2025; as an encoder Zhang et al., 2025), Qwen2 (Yang et al., 2024) and Mistral (Jiang et al.,
//! 2023): queries share keys and values in groups, and in Qwen3 the heads of both have norms.

use super::decoder::{Block, Decoder, LAYERS, PREFIXES, TOKENS, UNUSED, listed_kinds};
use crate::embedding::encoders::layers::{GatedPerceptron, GroupedAttention, GroupedShape, HeadNorms, RmsNorm};
use crate::embedding::encoders::text::angles::Angles;
use crate::embedding::encoders::{Config, Pooling, Result, Weights};

/// What the three differ in.
struct Variant {
    key_heads: usize,
    head_width: Option<usize>,
    inner: usize,
    positions: usize,
    /// Whether queries, keys and values have biases, and whether the layer after the heads has one.
    biases: [bool; 2],
    head_norms: bool,
    windows: Windows,
}

/// Which layers look at a window alone.
enum Windows {
    /// Those that configurations of Qwen say, if they say that any do.
    Qwen,
    /// All of them, where there is a window.
    Mistral,
}

/// Loads Qwen3.
pub(crate) fn load_qwen3(config: &Config, weights: &Weights) -> Result<Decoder> {
    let bias = config.flag(&["attention_bias"], false)?;
    let variant = Variant {
        key_heads: 32,
        head_width: Some(128),
        inner: 22016,
        positions: 32768,
        biases: [bias, bias],
        head_norms: true,
        windows: Windows::Qwen,
    };
    load(config, weights, &variant)
}

/// Loads Qwen2.
pub(crate) fn load_qwen2(config: &Config, weights: &Weights) -> Result<Decoder> {
    let variant = Variant {
        key_heads: 32,
        head_width: None,
        inner: 22016,
        positions: 32768,
        biases: [true, false],
        head_norms: false,
        windows: Windows::Qwen,
    };
    load(config, weights, &variant)
}

/// Loads Mistral.
pub(crate) fn load_mistral(config: &Config, weights: &Weights) -> Result<Decoder> {
    let variant = Variant {
        key_heads: 8,
        head_width: None,
        inner: 14336,
        positions: 4096 * 32,
        biases: [false, false],
        head_norms: false,
        windows: Windows::Mistral,
    };
    load(config, weights, &variant)
}

fn load(config: &Config, weights: &Weights, variant: &Variant) -> Result<Decoder> {
    let body = weights.under_one_of(PREFIXES, TOKENS);
    let width = config.count(&["hidden_size"], 4096)?;
    let heads = config.count(&["num_attention_heads"], 32)?;
    let layers = config.count(LAYERS, 32)?;
    let eps = config.real(&["rms_norm_eps"], 1e-6)?;
    let default = variant.head_width.unwrap_or(width / heads);
    let key_heads = if config.is_null("num_key_value_heads") { heads } else { variant.key_heads };
    let shape = GroupedShape {
        width,
        heads,
        key_heads: config.count(&["num_key_value_heads"], key_heads)?,
        head_width: config.count(&["head_dim"], default)?,
        biases: variant.biases,
        scale: 0.0,
        norms: variant.head_norms.then_some(HeadNorms { eps, offset: 0.0 }),
    };
    let shape = GroupedShape { scale: (shape.head_width as f64).powf(-0.5), ..shape };
    let inner = config.count(&["intermediate_size"], variant.inner)?;
    let activation = config.activation(&["hidden_act"], "silu")?;
    let sight = sight(config, layers, &variant.windows)?;
    let block = |index: usize| -> Result<Block> {
        let weights = body.under(&format!("layers.{index}"));
        let norm = |name| RmsNorm::load(&weights, name, width, eps, 0.0);
        let names = ["mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"];
        Ok(Block {
            local: sight.is_local(index),
            attention: GroupedAttention::load(&weights.under("self_attn"), &shape)?,
            perceptron: GatedPerceptron::load(&weights, names, [width, inner], [false, false], activation)?,
            before: [norm("input_layernorm")?, norm("post_attention_layernorm")?],
            after: None,
        })
    };
    let vocabulary = config.count(&["vocab_size"], None)?;
    let angles = || Angles::read(config, shape.head_width, 10_000.0);
    let decoder = Decoder {
        tokens: body.get(TOKENS, &[vocabulary, width])?,
        scale: 1.0,
        blocks: (0..layers).map(block).collect::<Result<_>>()?,
        norm: RmsNorm::load(&body, "norm", width, eps, 0.0)?,
        angles: [angles()?, angles()?],
        causal: sight.causal,
        window: sight.window,
        positions: config.count(&["max_position_embeddings"], variant.positions)?,
        pooling: Pooling::Last,
    };
    weights.finish(UNUSED)?;
    Ok(decoder)
}

/// What the layers look at.
struct Sight {
    /// No position looks at a later one.
    causal: bool,
    window: usize,
    /// Layers from this one on look at a window alone, where there is no list.
    first: usize,
    listed: Option<Vec<bool>>,
}

impl Sight {
    fn is_local(&self, index: usize) -> bool {
        self.listed.as_ref().map_or(index >= self.first, |locals| locals[index])
    }
}

fn sight(config: &Config, layers: usize, windows: &Windows) -> Result<Sight> {
    let has_window = !config.is_null("sliding_window")
        && match windows {
            Windows::Qwen => config.flag(&["use_sliding_window"], false)?,
            Windows::Mistral => true,
        };
    let first = match windows {
        _ if !has_window => layers,
        Windows::Qwen => config.index(&["max_window_layers"], 28)?,
        Windows::Mistral => 0,
    };
    let listed = match windows {
        Windows::Qwen => listed_kinds(config, layers)?,
        Windows::Mistral => {
            config.expect("layer_types", &serde_json::Value::Null)?;
            None
        }
    };
    let sight = Sight {
        causal: config.flag(&["is_causal"], true)?,
        window: config.count(&["sliding_window"], 4096)?,
        first,
        listed,
    };
    let any = (0..layers).any(|index| sight.is_local(index));
    if any && !sight.causal {
        return Err(config.wrong("is_causal", "true, as there is a window", Some(&false.into())));
    }
    if any && !has_window {
        return Err(config.wrong("layer_types", "`full_attention` alone, as there is no window", None));
    }
    Ok(sight)
}
