//! DeBERTa of the second and third kind (He et al., ICLR 2021 and 2023): vectors of what a token is and of how far it stands
//! from another one stay apart, and attention is the sum of content to content, content to distance and distance to content.

use candle_core::{D, Tensor};
use serde_json::Value;

use super::block::{Rest, Sizes};
use super::distances::{Rows, Span};
use crate::embedding::encoders::layers::{Activation, LayerNorm, Linear, RelativeAttention, RelativeShape, hidden};
use crate::embedding::encoders::text::embeddings::{check_ids, look_up};
use crate::embedding::encoders::text::width;
use crate::embedding::encoders::{Config, Encoder, Hidden, Pooling, Result, TextEncoder, Weights};

/// Buffers, the heads of training and of other tasks, and positions that files have though the network does not add them.
const UNUSED: &[&str] = &[
    "*position_ids",
    "*position_embeddings.weight",
    "pooler.*",
    "classifier.*",
    "qa_outputs.*",
    "cls.*",
    "lm_predictions.*",
    "mask_predictions.*",
];

/// DeBERTa.
#[derive(Debug)]
pub(crate) struct Deberta {
    tokens: Tensor,
    positions: Option<Tensor>,
    segments: Option<Tensor>,
    /// From the width of the tables to that of the states, where they differ.
    widening: Option<Linear>,
    norm: LayerNorm,
    span: Span,
    blocks: Vec<Block>,
    convolution: Option<NearTokens>,
    longest: usize,
    width: usize,
}

#[derive(Debug)]
struct Block {
    attention: RelativeAttention,
    /// The vectors of distances as keys, `[1, heads, d, 2 span]`, and as scaled queries, where the model has them.
    keys: Option<Tensor>,
    queries: Option<Tensor>,
    rest: Rest,
}

/// The convolution over neighbouring tokens beside the first block (v2-xlarge and v2-xxlarge).
#[derive(Debug)]
struct NearTokens {
    weight: Tensor,
    bias: Tensor,
    groups: usize,
    activation: Activation,
    norm: LayerNorm,
}

impl NearTokens {
    fn load(config: &Config, weights: &Weights, sizes: &Sizes, kernel: usize) -> Result<Self> {
        let width = sizes.width;
        if kernel.is_multiple_of(2) {
            return Err(config.wrong("conv_kernel_size", "an odd number", Some(&kernel.into())));
        }
        let groups = config.count(&["conv_groups"], 1)?;
        if !width.is_multiple_of(groups) {
            return Err(config.wrong("conv_groups", &format!("a divisor of the width {width}"), Some(&groups.into())));
        }
        Ok(Self {
            weight: weights.get("conv.weight", &[width, width / groups, kernel])?,
            bias: weights.get("conv.bias", &[width])?,
            groups,
            activation: config.activation(&["conv_act"], "tanh")?,
            norm: LayerNorm::load(weights, "LayerNorm", width, sizes.eps)?,
        })
    }

    /// Adds what it gives for the states before the first block to those after it.
    fn forward(&self, before: &Tensor, after: &Tensor) -> Result<Tensor> {
        let reach = self.weight.dim(2)? / 2;
        let near = before.transpose(1, 2)?.contiguous()?.conv1d(&self.weight, reach, 1, 1, self.groups)?;
        let near = near.transpose(1, 2)?.broadcast_add(&self.bias)?.contiguous()?;
        self.norm.forward(&(after + self.activation.forward(&near)?)?)
    }
}

/// Loads DeBERTa v2 or v3.
pub(crate) fn load(config: &Config, weights: &Weights) -> Result<Deberta> {
    let body = weights.under_one_of(&["", "deberta"], "embeddings.word_embeddings.weight");
    let sizes = Sizes::read(config, [1536, 24, 24, 6144], 1e-7)?;
    let Sizes { width, eps, .. } = sizes;
    config.expect("attention_head_size", &sizes.head_width.into())?;
    let narrow = config.count(&["embedding_size"], width)?;
    let (table, encoder) = (body.under("embeddings"), body.under("encoder"));
    let longest = config.count(&["max_position_embeddings"], 512)?;
    let tokens = table.get("word_embeddings.weight", &[config.count(&["vocab_size"], 128_100)?, narrow])?;
    let positions = if config.flag(&["position_biased_input"], true)? {
        Some(table.get("position_embeddings.weight", &[longest, narrow])?)
    } else {
        None
    };
    let segments = match config.index(&["type_vocab_size"], 0)? {
        0 => None,
        segments => Some(table.get("token_type_embeddings.weight", &[segments, narrow])?),
    };
    let widening = if narrow == width { None } else { Some(Linear::load(&table, "embed_proj", narrow, width, false)?) };
    let ways = Ways::read(config)?;
    let normalises = config.text(&["norm_rel_ebd"], "none")?.split('|').any(|word| word.trim() == "layer_norm");
    let norm = if normalises { Some(LayerNorm::load(&encoder, "LayerNorm", width, eps)?) } else { None };
    let span = Span::read(config)?;
    let distances = if config.flag(&["relative_attention"], false)? {
        let distances = encoder.get("rel_embeddings.weight", &[2 * span.half, width])?;
        Some(norm.map_or(Ok(distances.clone()), |norm| norm.forward(&distances))?)
    } else {
        None
    };
    let block = |index| Block::load(&encoder.under(&format!("layer.{index}")), &sizes, &ways, distances.as_ref());
    let blocks = (0..sizes.layers).map(block).collect::<Result<_>>()?;
    let convolution = match config.index(&["conv_kernel_size"], 0)? {
        0 => None,
        kernel => Some(NearTokens::load(config, &encoder.under("conv"), &sizes, kernel)?),
    };
    let norm = LayerNorm::load(&table, "LayerNorm", width, eps)?;
    weights.finish(UNUSED)?;
    Ok(Deberta { tokens, positions, segments, widening, norm, span, blocks, convolution, longest, width })
}

/// Which parts of attention there are beside that of content to content.
struct Ways {
    content_to_distance: bool,
    distance_to_content: bool,
    /// Whether distances go through the layers of keys and queries of content rather than their own.
    shared: bool,
}

impl Ways {
    fn read(config: &Config) -> Result<Self> {
        let name = "pos_att_type";
        // A list, or in older files one string.
        let words = match config.text(&[name], "") {
            Ok(words) => words.to_lowercase().split('|').map(|word| word.trim().to_owned()).collect(),
            Err(_) => config.texts(&[name], None)?,
        };
        let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| !word.is_empty()).collect();
        if words.iter().any(|word| !["c2p", "p2c"].contains(word)) {
            return Err(config.wrong(name, "`c2p` and `p2c` alone", Some(&Value::from(words))));
        }
        Ok(Self {
            content_to_distance: words.contains(&"c2p"),
            distance_to_content: words.contains(&"p2c"),
            shared: config.flag(&["share_att_key"], false)?,
        })
    }

    /// What scores are multiplied by: each of the parts has a share.
    fn scale(&self, head_width: usize) -> f64 {
        let parts = 1 + usize::from(self.content_to_distance) + usize::from(self.distance_to_content);
        1.0 / ((head_width * parts) as f64).sqrt()
    }
}

impl Block {
    fn load(weights: &Weights, sizes: &Sizes, ways: &Ways, distances: Option<&Tensor>) -> Result<Self> {
        let Sizes { width, heads, head_width, .. } = *sizes;
        let scale = ways.scale(head_width);
        let attention = weights.under("attention");
        let names = ["self.query_proj", "self.key_proj", "self.value_proj", "output.dense"];
        let shape = RelativeShape { width, heads, head_width, bias: true, scale };
        // These are the same for every text, so once is enough.
        let projected = |of_content: &str, own: &str, scale: f64| -> Result<Option<Tensor>> {
            let Some(distances) = distances else { return Ok(None) };
            let layer = Linear::load(&attention, if ways.shared { of_content } else { own }, width, width, true)?;
            let rows = distances.dim(0)?;
            let heads = (layer.forward(distances)? * scale)?.reshape((1, rows, heads, head_width))?;
            Ok(Some(heads.permute((0, 2, 3, 1))?.contiguous()?))
        };
        Ok(Self {
            attention: RelativeAttention::load(&attention, names, &shape)?,
            keys: if ways.content_to_distance { projected(names[1], "self.pos_key_proj", 1.0)? } else { None },
            queries: if ways.distance_to_content { projected(names[0], "self.pos_query_proj", scale)? } else { None },
            rest: Rest::load(weights, "attention.output.LayerNorm", sizes)?,
        })
    }

    fn forward(&self, x: &Tensor, hidden: Option<&Tensor>, rows: &Rows) -> Result<Tensor> {
        let attended = self.attention.forward_added(x, hidden, |queries, keys, range| {
            let (count, length) = (range.len(), keys.dim(2)?);
            let (batch, heads, ..) = queries.dims4()?;
            // The score with every row of the table, of which those of the pairs at hand are taken.
            let score = |content: &Tensor, distances: &Tensor, pairs: &Tensor| -> Result<Tensor> {
                let scores = content.broadcast_matmul(distances)?;
                let scores = scores.reshape((batch * heads, ()))?.index_select(pairs, D::Minus1)?;
                Ok(scores.reshape((batch, heads, count, length))?)
            };
            let of_queries = match &self.keys {
                Some(distances) => Some(score(queries, distances, &rows.by_query(range.clone())?)?),
                None => None,
            };
            let of_keys = match &self.queries {
                Some(distances) => Some(score(keys, distances, &rows.by_key(range)?)?),
                None => None,
            };
            Ok(match (of_queries, of_keys) {
                (Some(queries), Some(keys)) => (queries + keys)?,
                (Some(one), None) | (None, Some(one)) => one,
                (None, None) => Tensor::zeros((1, heads, 1, 1), x.dtype(), x.device())?,
            })
        })?;
        self.rest.forward(x, &attended)
    }
}

impl Encoder for Deberta {
    fn width(&self, pooling: Pooling) -> Result<usize> {
        width(pooling, self.width, None, None)
    }

    fn pooling(&self) -> Pooling {
        Pooling::Mean
    }
}

impl TextEncoder for Deberta {
    fn max_tokens(&self) -> usize {
        self.longest
    }

    fn encode(&self, ids: &Tensor, mask: &Tensor, types: Option<&Tensor>) -> Result<Hidden> {
        let length = check_ids(ids, self.tokens.dim(0)?, self.longest)?;
        let mut x = look_up(&self.tokens, ids)?;
        if let Some(positions) = &self.positions {
            x = x.broadcast_add(&positions.narrow(0, 0, length)?)?;
        }
        if let Some(segments) = &self.segments {
            x = match types {
                None => x.broadcast_add(&segments.narrow(0, 0, 1)?)?,
                Some(types) => (x + look_up(segments, types)?)?,
            };
        }
        if let Some(widening) = &self.widening {
            x = widening.forward(&x)?;
        }
        x = self.norm.forward(&x)?;
        if self.convolution.is_some() {
            // What is near the end of a text is near padding too.
            x = x.broadcast_mul(&mask.to_dtype(x.dtype())?.unsqueeze(2)?)?;
        }
        let hidden = hidden(mask)?;
        let rows = Rows::new(self.span, length, ids.device())?;
        let before = x.clone();
        for (index, block) in self.blocks.iter().enumerate() {
            x = block.forward(&x, hidden.as_ref(), &rows)?;
            if let Some(convolution) = self.convolution.as_ref().filter(|_| index == 0) {
                x = convolution.forward(&before, &x)?;
            }
        }
        Ok(Hidden { states: x, keep: Some(mask.clone()), leading: 0, pooled: None, projected: None })
    }
}
