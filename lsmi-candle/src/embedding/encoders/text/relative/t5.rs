//! T5 (Raffel et al., JMLR 2020), its encoder alone: no positions but a bias for distances, norms without a mean and before
//! each half, unscaled attention, no biases anywhere. With it mT5 and UMT5, whose every layer has a bias of its own.

use candle_core::{DType, Tensor};

use crate::embedding::encoders::layers::{
    Activation, Buckets, DistanceBias, Linear, Mask, RelativeAttention, RelativeShape, RmsNorm, packed,
};
use crate::embedding::encoders::text::embeddings::{check_ids, look_up};
use crate::embedding::encoders::text::width;
use crate::embedding::encoders::{Config, Encoder, Hidden, Pooling, Result, TextEncoder, Weights};

/// The decoder, the heads of other tasks, and copies of the table of tokens.
const UNUSED: &[&str] = &[
    "decoder.*",
    "transformer.decoder.*",
    "*embed_tokens.weight",
    "lm_head.*",
    "classification_head.*",
    "classifier.*",
    "qa_outputs.*",
];

/// The network bears texts of any length; what limits them is their tokenizer, or else this.
const MOST_TOKENS: usize = 1 << 15;

/// T5.
#[derive(Debug)]
pub(crate) struct T5 {
    tokens: Tensor,
    /// One for all blocks, or one for each.
    biases: Vec<DistanceBias>,
    blocks: Vec<Block>,
    norm: RmsNorm,
    padding: u32,
}

#[derive(Debug)]
struct Block {
    attention_norm: RmsNorm,
    attention: RelativeAttention,
    perceptron_norm: RmsNorm,
    perceptron: Perceptron,
}

/// A perceptron without biases, plain or gated.
#[derive(Debug)]
struct Perceptron {
    /// Where it is gated, the layer that goes through the activation and the one beside it, one above the other.
    inward: Linear,
    /// Of the type of sums.
    outward: Linear,
    activation: Activation,
    is_gated: bool,
}

/// What the blocks have in common.
struct Sizes {
    attention: RelativeShape,
    inner: usize,
    activation: Activation,
    is_gated: bool,
    eps: f64,
}

/// Loads the encoder of T5, mT5 or UMT5.
pub(crate) fn load(config: &Config, weights: &Weights) -> Result<T5> {
    config.expect("is_decoder", &false.into())?;
    let kind = config.architecture()?;
    let is_first = kind == "t5";
    let body = weights.under_one_of(&["", "transformer"], "encoder.final_layer_norm.weight");
    let count = |names: &[&str], first: usize, later: usize| config.count(names, if is_first { first } else { later });
    let width = config.count(&["d_model", "hidden_size"], 512)?;
    let heads = count(&["num_heads", "num_attention_heads"], 8, 6)?;
    let head_width = config.count(&["d_kv", "head_dim"], 64)?;
    let (activation, is_gated) = perceptron(config, if is_first { "relu" } else { "gated-gelu" })?;
    let sizes = Sizes {
        attention: RelativeShape { width, heads, head_width, bias: false, scale: 1.0 },
        inner: count(&["d_ff"], 2048, 1024)?,
        activation,
        is_gated,
        eps: config.real(&["layer_norm_epsilon"], 1e-6)?,
    };
    let buckets = buckets(config)?;
    let layers = count(&["num_layers", "num_hidden_layers"], 6, 8)?;
    let vocabulary = count(&["vocab_size"], 32_128, 250_112)?;
    let encoder = body.under("encoder");
    let blocks = (0..layers).map(|index| Block::load(&encoder.under(&format!("block.{index}.layer")), &sizes));
    let bias = |index| {
        let name = format!("block.{index}.layer.0.SelfAttention.relative_attention_bias.weight");
        DistanceBias::load(&encoder, &name, buckets, heads)
    };
    let blocks = blocks.collect::<Result<_>>()?;
    // Files have the table under one of two names, or under both.
    let table = if body.contains("shared.weight") { "shared.weight" } else { "encoder.embed_tokens.weight" };
    let model = T5 {
        tokens: body.get(table, &[vocabulary, width])?,
        biases: (0..if kind == "umt5" { layers } else { 1 }).map(bias).collect::<Result<_>>()?,
        blocks,
        norm: RmsNorm::load(&encoder, "final_layer_norm", width, sizes.eps, 0.0)?,
        padding: config.token(&["pad_token_id"], 0)?,
    };
    weights.finish(UNUSED)?;
    Ok(model)
}

/// The activation of the perceptrons, and whether they are gated: `relu`, `gated-gelu` and the like.
fn perceptron(config: &Config, default: &str) -> Result<(Activation, bool)> {
    let name = config.text(&["feed_forward_proj"], default)?;
    let (is_gated, activation) = match name.strip_prefix("gated-") {
        // The authors mean its approximation.
        Some("gelu") => (true, "gelu_new"),
        Some(activation) => (true, activation),
        None => (false, name),
    };
    let wrong = || {
        let expected = format!("one of {}, or that after `gated-`", Activation::EXPECTED);
        config.wrong("feed_forward_proj", &expected, Some(&name.into()))
    };
    let activation = Activation::named(activation).ok_or_else(wrong)?;
    // Where the parts are written down too, they count.
    let activation = if config.has(&["dense_act_fn"]) { config.activation(&["dense_act_fn"], "")? } else { activation };
    Ok((activation, config.flag(&["is_gated_act"], is_gated)?))
}

fn buckets(config: &Config) -> Result<Buckets> {
    let [number, distance] = ["relative_attention_num_buckets", "relative_attention_max_distance"];
    let buckets = Buckets { count: config.count(&[number], 32)?, greatest: config.count(&[distance], 128)? };
    if buckets.count < 4 {
        return Err(config.wrong(number, "at least 4", Some(&buckets.count.into())));
    }
    if buckets.greatest <= buckets.count / 4 {
        let expected = format!("more than a quarter of the {} buckets", buckets.count);
        return Err(config.wrong(distance, &expected, Some(&buckets.greatest.into())));
    }
    Ok(buckets)
}

impl Block {
    fn load(weights: &Weights, sizes: &Sizes) -> Result<Self> {
        let width = sizes.attention.width;
        let attention = weights.under("0.SelfAttention");
        Ok(Self {
            attention_norm: RmsNorm::load(weights, "0.layer_norm", width, sizes.eps, 0.0)?,
            attention: RelativeAttention::load(&attention, ["q", "k", "v", "o"], &sizes.attention)?,
            perceptron_norm: RmsNorm::load(weights, "1.layer_norm", width, sizes.eps, 0.0)?,
            // The name is from when all were rectifiers.
            perceptron: Perceptron::load(&weights.under("1.DenseReluDense"), sizes)?,
        })
    }
}

impl Perceptron {
    fn load(weights: &Weights, sizes: &Sizes) -> Result<Self> {
        let Sizes { attention: RelativeShape { width, .. }, inner, activation, is_gated, .. } = *sizes;
        let names = if is_gated { &["wi_0.weight", "wi_1.weight"][..] } else { &["wi.weight"] };
        let inward = names.iter().map(|name| weights.get(name, &[inner, width])).collect::<Result<Vec<_>>>()?;
        let outward = weights.get("wo.weight", &[width, inner])?;
        Ok(Self {
            inward: Linear::new(Tensor::cat(&inward, 0)?, None)?,
            outward: Linear::new(outward.to_dtype(of_sums(outward.dtype()))?, None)?,
            activation,
            is_gated,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let inner = if self.is_gated {
            self.activation.gated(&self.inward.forward(x)?)?
        } else {
            self.inward.activated(x, self.activation)?
        };
        self.outward.forward(&inner.to_dtype(of_sums(x.dtype()))?)
    }
}

/// The type of the states that halves are added to, which grow beyond the numbers of f16.
fn of_sums(dtype: DType) -> DType {
    if dtype == DType::F16 { DType::F32 } else { dtype }
}

impl Encoder for T5 {
    fn width(&self, pooling: Pooling) -> Result<usize> {
        width(pooling, self.tokens.dim(1)?, None, None)
    }

    fn pooling(&self) -> Pooling {
        Pooling::Mean
    }
}

impl TextEncoder for T5 {
    fn max_tokens(&self) -> usize {
        MOST_TOKENS
    }

    fn padding_token(&self) -> Option<u32> {
        Some(self.padding)
    }

    fn encode(&self, ids: &Tensor, mask: &Tensor, _types: Option<&Tensor>) -> Result<Hidden> {
        let length = check_ids(ids, self.tokens.dim(0)?, MOST_TOKENS)?;
        let (dtype, sums) = (self.tokens.dtype(), of_sums(self.tokens.dtype()));
        let normal = |norm: &RmsNorm, x: &Tensor| -> Result<Tensor> { Ok(norm.forward(x)?.to_dtype(dtype)?) };
        let x = look_up(&self.tokens, ids)?.to_dtype(sums)?;
        let layers = |mut x: Tensor, mask: Option<&Mask>| -> Result<Tensor> {
            let mut distances = self.biases[0].of(length)?;
            for (index, block) in self.blocks.iter().enumerate() {
                if let Some(own) = self.biases.get(index).filter(|_| index > 0) {
                    distances = own.of(length)?;
                }
                let states = normal(&block.attention_norm, &x)?;
                let attended = block.attention.forward(&states, mask, &distances)?;
                x = (x + attended.to_dtype(sums)?)?;
                x = (&x + block.perceptron.forward(&normal(&block.perceptron_norm, &x)?)?)?;
            }
            normal(&self.norm, &x)
        };
        let padding = Mask::padding(mask)?;
        let states = if dtype == sums {
            packed(x, padding.as_ref(), |x, mask, _| layers(x, mask))?
        } else {
            // Sums are f32, but attention is of 16 bits and takes whole batches.
            layers(x, padding.as_ref())?
        };
        Ok(Hidden { states, keep: Some(mask.clone()), leading: 0, pooled: None, projected: None })
    }
}
