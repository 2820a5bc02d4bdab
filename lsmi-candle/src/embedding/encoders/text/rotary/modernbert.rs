//! ModernBERT (Warner et al., 2024): rotary positions, gated perceptrons, and layers that look at a window of the text
//! between those that look at all of it.

use candle_core::Tensor;
use serde_json::Value;

use crate::embedding::encoders::layers::{Activation, Attention, Band, LayerNorm, Linear, Mask, Rotary, packed};
use crate::embedding::encoders::text::embeddings::{check_ids, look_up};
use crate::embedding::encoders::text::width;
use crate::embedding::encoders::{Config, Encoder, Hidden, Pooling, Result, TextEncoder, Weights};

const LAYERS: &[&str] = &["num_hidden_layers"];

/// Heads of training and of other tasks.
const UNUSED: &[&str] = &["head.*", "decoder.*", "classifier.*", "qa_outputs.*", "*inv_freq"];

/// ModernBERT.
#[derive(Debug)]
pub(crate) struct ModernBert {
    tokens: Tensor,
    norm: LayerNorm,
    blocks: Vec<Block>,
    last_norm: LayerNorm,
    /// Width of a head, and the bases of the angles of the layers that look at all of the text, and of those that look at
    /// a window.
    head_width: usize,
    bases: [f64; 2],
    /// Greatest distance that is looked at within a window.
    reach: usize,
    positions: usize,
}

#[derive(Debug)]
struct Block {
    local: bool,
    /// The first block has none, as it follows the norm of the embeddings.
    attention_norm: Option<LayerNorm>,
    attention: Attention,
    perceptron_norm: LayerNorm,
    inward: Linear,
    outward: Linear,
    activation: Activation,
}

impl ModernBert {
    pub(crate) fn load(config: &Config, weights: &Weights) -> Result<Self> {
        let body = weights.under_one_of(&["", "model"], "embeddings.tok_embeddings.weight");
        let width = config.count(&["hidden_size"], 768)?;
        let heads = config.count(&["num_attention_heads"], 12)?;
        let vocabulary = config.count(&["vocab_size"], 50368)?;
        let positions = config.count(&["max_position_embeddings"], 8192)?;
        let kinds = kinds(config)?;
        let norms = Norms {
            width,
            eps: config.real(&["norm_eps", "layer_norm_eps"], 1e-5)?,
            bias: config.flag(&["norm_bias"], false)?,
        };
        let block = |index| {
            let weights = body.under(&format!("layers.{index}"));
            Block::load(config, &weights, &norms, heads, index == 0, kinds.is_local(index))
        };
        let model = Self {
            tokens: body.get("embeddings.tok_embeddings.weight", &[vocabulary, width])?,
            norm: norms.load(&body, "embeddings.norm")?,
            blocks: (0..config.count(LAYERS, 22)?).map(block).collect::<Result<_>>()?,
            last_norm: norms.load(&body, "final_norm")?,
            head_width: width / heads,
            bases: bases(config)?,
            reach: config.count(&["local_attention"], 128)? / 2,
            positions,
        };
        weights.finish(UNUSED)?;
        Ok(model)
    }
}

/// What the norms have in common.
struct Norms {
    width: usize,
    eps: f64,
    bias: bool,
}

impl Norms {
    fn load(&self, weights: &Weights, name: &str) -> Result<LayerNorm> {
        if self.bias {
            LayerNorm::load(weights, name, self.width, self.eps)
        } else {
            LayerNorm::load_without_bias(weights, name, self.width, self.eps)
        }
    }
}

/// Which layers look at a window alone.
enum Kinds {
    /// All but every `n`th, as old configurations say.
    Every(usize),
    /// Those that a list says, as in new ones.
    Listed(Vec<bool>),
}

impl Kinds {
    fn is_local(&self, index: usize) -> bool {
        match self {
            Self::Every(every) => !index.is_multiple_of(*every),
            Self::Listed(kinds) => kinds[index],
        }
    }
}

fn kinds(config: &Config) -> Result<Kinds> {
    if !config.has(&["layer_types"]) {
        return Ok(Kinds::Every(config.count(&["global_attn_every_n_layers"], 3)?));
    }
    let layers = config.count(LAYERS, 22)?;
    let kinds = config.texts(&["layer_types"], None)?;
    let known = |kind: &String| match kind.as_str() {
        "full_attention" => Some(false),
        "sliding_attention" => Some(true),
        _ => None,
    };
    let locals: Option<Vec<bool>> = kinds.iter().map(known).collect();
    locals.filter(|locals| locals.len() == layers).map(Kinds::Listed).ok_or_else(|| {
        let expected = format!("{layers} times `full_attention` or `sliding_attention`");
        config.wrong("layer_types", &expected, Some(&Value::from(kinds)))
    })
}

/// Bases of the angles of the layers that look at all of the text, and of those that look at a window.
fn bases(config: &Config) -> Result<[f64; 2]> {
    let sections = config.section("rope_parameters")?;
    let base = |section: &str, old: &str, default: f64| {
        let section = sections.section(section)?;
        section.expect("rope_type", &"default".into())?;
        section.real(&["rope_theta"], config.real(&[old], default)?)
    };
    let all = base("full_attention", "global_rope_theta", 160_000.0)?;
    // Old configurations may have `null` here, which means the same as for all of the text.
    let default = if config.has(&["global_rope_theta"]) { all } else { 10_000.0 };
    Ok([all, base("sliding_attention", "local_rope_theta", default)?])
}

impl Block {
    fn load(config: &Config, weights: &Weights, norms: &Norms, heads: usize, first: bool, local: bool) -> Result<Self> {
        let width = norms.width;
        let inner = config.count(&["intermediate_size"], 1152)?;
        let (attention_bias, mlp_bias) = (config.flag(&["attention_bias"], false)?, config.flag(&["mlp_bias"], false)?);
        let weight = weights.get("attn.Wqkv.weight", &[3 * width, width])?;
        let bias = if attention_bias { Some(weights.get("attn.Wqkv.bias", &[3 * width])?) } else { None };
        let output = Linear::load(weights, "attn.Wo", width, width, attention_bias)?;
        Ok(Self {
            local,
            attention_norm: if first { None } else { Some(norms.load(weights, "attn_norm")?) },
            attention: Attention::new(&weight, bias.as_ref(), output, heads)?,
            perceptron_norm: norms.load(weights, "mlp_norm")?,
            inward: Linear::load(weights, "mlp.Wi", width, 2 * inner, mlp_bias)?,
            outward: Linear::load(weights, "mlp.Wo", inner, width, mlp_bias)?,
            activation: config.activation(&["hidden_activation"], "gelu")?,
        })
    }

    fn forward(&self, x: &Tensor, rotary: &Rotary, mask: Option<&Mask>) -> Result<Tensor> {
        let attended = match &self.attention_norm {
            None => self.attention.forward_rotated(x, rotary, mask)?,
            Some(norm) => self.attention.forward_rotated(&norm.forward(x)?, rotary, mask)?,
        };
        let x = (x + attended)?;
        let gated = self.activation.gated(&self.inward.forward(&self.perceptron_norm.forward(&x)?)?)?;
        Ok((x + self.outward.forward(&gated)?)?)
    }
}

impl Encoder for ModernBert {
    fn width(&self, pooling: Pooling) -> Result<usize> {
        width(pooling, self.tokens.dim(1)?, None, None)
    }

    fn pooling(&self) -> Pooling {
        Pooling::Mean
    }
}

impl TextEncoder for ModernBert {
    fn max_tokens(&self) -> usize {
        self.positions
    }

    fn encode(&self, ids: &Tensor, mask: &Tensor, _types: Option<&Tensor>) -> Result<Hidden> {
        let length = check_ids(ids, self.tokens.dim(0)?, self.positions)?;
        let x = self.norm.forward(&look_up(&self.tokens, ids)?)?;
        let states = packed(x, Mask::padding(mask)?.as_ref(), |mut x, all, positions| {
            let window = Mask::within_or(all, Band::window(self.reach));
            // For the length at hand: a configuration may speak of more positions than there is memory for.
            let rotary = |base| Rotary::new(length, self.head_width, base, x.dtype(), x.device())?.at(positions);
            let rotary = [rotary(self.bases[0])?, rotary(self.bases[1])?];
            for block in &self.blocks {
                let mask = if block.local { Some(&window) } else { all };
                x = block.forward(&x, &rotary[usize::from(block.local)], mask)?;
            }
            self.last_norm.forward(&x)
        })?;
        Ok(Hidden { states, keep: Some(mask.clone()), leading: 0, pooled: None, projected: None })
    }
}
