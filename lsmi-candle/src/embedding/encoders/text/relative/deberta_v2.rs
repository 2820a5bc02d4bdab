//! DeBERTa of the second and third kind (He et al., ICLR 2021 and 2023): vectors of what a token is and of how far it stands
//! from another one stay apart, and attention is the sum of content to content, content to distance and distance to content.

use std::ops::Range;

use candle_core::{D, Device, Tensor};
use serde_json::Value;

use super::block::{Rest, Sizes};
use crate::embedding::encoders::layers::{
    Activation, LayerNorm, Linear, RelativeAttention, RelativeShape, hidden, pairs,
};
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

/// Of longer texts the pairs of positions are not laid out all at once.
const MOST_WHOLE: usize = 1 << 12;

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

/// How distances are told apart.
#[derive(Debug, Clone, Copy)]
struct Span {
    /// Half the number of vectors of distances.
    half: usize,
    /// The number of those whose distances grow by more than one, where some do, and the greatest of these.
    logarithmic: Option<(usize, usize)>,
}

impl Span {
    fn read(config: &Config) -> Result<Self> {
        // -1 stands for the number of positions, and for none.
        let number = |name: &str| match config.expect(name, &(-1).into()) {
            Ok(()) => Ok(None),
            Err(_) => config.count(&[name], None).map(Some),
        };
        let positions = config.count(&["max_position_embeddings"], 512)?;
        let greatest = number("max_relative_positions")?.unwrap_or(positions);
        match number("position_buckets")? {
            None => Ok(Self { half: greatest, logarithmic: None }),
            Some(1) => Err(config.wrong("position_buckets", "at least 2, or -1", Some(&1.into()))),
            Some(buckets) => Ok(Self { half: buckets, logarithmic: Some((buckets, greatest)) }),
        }
    }

    /// The row of the table of distances for a position that looks at another one.
    fn row(self, from: usize, to: usize) -> usize {
        let distance = from.abs_diff(to);
        let bucket = self.logarithmic.map_or(distance, |(buckets, greatest)| bucket(distance, buckets / 2, greatest));
        if from >= to {
            self.half.saturating_add(bucket).min(2 * self.half - 1)
        } else {
            self.half.saturating_sub(bucket)
        }
    }
}

/// The class of a distance: up to `exact` of its own, then growing with its logarithm.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "what is below 0 counts as 0")]
fn bucket(distance: usize, exact: usize, greatest: usize) -> usize {
    if distance <= exact {
        return distance;
    }
    // In f32 and in this order, as the models were trained: a number just above a whole one is rounded up.
    let logarithm = |of: usize| (of as f32 / exact as f32).ln();
    let share = logarithm(distance) / logarithm(greatest - 1) * (exact - 1) as f32;
    exact.saturating_add(share.ceil() as usize)
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
        let attended = self.attention.forward(x, hidden, |queries, keys, range| {
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

/// Which row of the table of distances belongs to which pair of positions, for texts of a length.
struct Rows<'device> {
    span: Span,
    length: usize,
    /// Of all pairs, where these are not too many.
    whole: Option<[Tensor; 2]>,
    device: &'device Device,
}

impl<'device> Rows<'device> {
    fn new(span: Span, length: usize, device: &'device Device) -> Result<Self> {
        let mut rows = Self { span, length, whole: None, device };
        if length <= MOST_WHOLE {
            rows.whole = Some([rows.by_query(0..length)?, rows.by_key(0..length)?]);
        }
        Ok(rows)
    }

    /// The places in the scores of some queries with all rows of the table.
    fn by_query(&self, range: Range<usize>) -> Result<Tensor> {
        let first = range.start;
        self.of(0, range, |from, _| from - first)
    }

    /// The places in the scores of all keys with all rows of the table.
    fn by_key(&self, range: Range<usize>) -> Result<Tensor> {
        self.of(1, range, |_, to| to)
    }

    fn of(&self, way: usize, range: Range<usize>, content: impl Fn(usize, usize) -> usize) -> Result<Tensor> {
        if let Some(whole) = self.whole.as_ref().filter(|_| range.len() == self.length) {
            return Ok(whole[way].clone());
        }
        let place = |from, to| content(from, to) * 2 * self.span.half + self.span.row(from, to);
        pairs(range, self.length, place, self.device)
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
