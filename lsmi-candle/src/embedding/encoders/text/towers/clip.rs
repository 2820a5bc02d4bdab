//! The text tower of CLIP (Radford et al., ICML 2021): each token sees those before it; the text's vector is at its end.

use candle_core::{DType, Tensor};

use crate::embedding::encoders::hidden::at_positions;
use crate::embedding::encoders::layers::{Band, Biases, Blocks, LayerNorm, Linear, Mask, Names, Shape};
use crate::embedding::encoders::tail::{Entered, Tail, TextStages, last_blocks};
use crate::embedding::encoders::text::embeddings::Embeddings;
use crate::embedding::encoders::text::width;
use crate::embedding::encoders::{Config, Encoder, Hidden, Pooling, Result, TextEncoder, Weights};

/// The other tower, what compares the two, and the classifier of a model built on the other.
const UNUSED: &[&str] = &["*position_ids", "vision_model.*", "visual_projection.*", "logit_scale", "classifier.*"];

/// Configurations written before the end's id was taken from there have this one. The greatest id is meant.
const OLD_END: u32 = 2;

/// The text tower of CLIP.
#[derive(Debug)]
pub(crate) struct ClipText {
    embeddings: Embeddings,
    tail: ClipTextTail,
    end: u32,
}

/// Its blocks, the norm after them, and the projection of the state at the end.
#[derive(Debug)]
pub(crate) struct ClipTextTail {
    blocks: Blocks,
    norm: LayerNorm,
    projection: Option<(Linear, usize)>,
}

/// Loads the last `blocks` blocks and what follows.
pub(crate) fn load_tail(config: &Config, weights: &Weights, blocks: usize) -> Result<ClipTextTail> {
    ClipTextTail::load(config, weights, Some(blocks))
}

/// The part of a configuration that is of texts.
fn text_config(config: &Config) -> Result<Config> {
    let whole = config.architecture()? == "clip";
    if whole { config.section("text_config") } else { Ok(config.clone()) }
}

fn body(weights: &Weights) -> Weights {
    // Newer files of the tower alone leave its name out.
    weights.under_one_of(&["text_model", ""], "embeddings.token_embedding.weight")
}

impl ClipTextTail {
    fn load(config: &Config, weights: &Weights, last: Option<usize>) -> Result<Self> {
        let (text, body) = (text_config(config)?, body(weights));
        let shape = Shape {
            width: text.count(&["hidden_size"], 512)?,
            heads: text.count(&["num_attention_heads"], 8)?,
            inner: text.count(&["intermediate_size"], 2048)?,
            activation: text.activation(&["hidden_act"], "quick_gelu")?,
            eps: text.real(&["layer_norm_eps"], 1e-5)?,
            norm_first: true,
            biases: Biases::All,
            layer_scale: false,
        };
        let blocks = last_blocks(text.count(&["num_hidden_layers"], 12)?, last)?;
        let projection = if weights.contains("text_projection.weight") {
            let projected = config.count(&["projection_dim"], 512)?;
            let weights = weights.read_by(&[Pooling::Projection]);
            Some((Linear::load(&weights, "text_projection", shape.width, projected, false)?, projected))
        } else {
            None
        };
        Ok(Self {
            blocks: Blocks::load_some(&body, "encoder.layers", blocks, &Names::CLIP, &shape)?,
            norm: LayerNorm::load(&body, "final_layer_norm", shape.width, shape.eps)?,
            projection,
        })
    }
}

/// Each token sees those before it.
fn mask(entered: &Entered) -> Result<Mask> {
    let padding = entered.keep.as_ref().map_or(Ok(None), Mask::padding)?;
    Ok(Mask::within_or(padding.as_ref(), Band::CAUSAL))
}

impl Tail for ClipTextTail {
    fn blocks(&self) -> usize {
        self.blocks.count()
    }

    fn advance(&self, entered: Entered, blocks: usize) -> Result<Entered> {
        let mask = mask(&entered)?;
        Ok(Entered { states: self.blocks.advance(entered.states, Some(&mask), blocks)?, ..entered })
    }

    fn finish(&self, entered: &Entered) -> Result<Hidden> {
        let mask = mask(entered)?;
        let states = self.norm.forward(&self.blocks.forward(entered.states.clone(), Some(&mask))?)?;
        let pooled = entered.ends.as_ref().map(|ends| at_positions(&states, ends)).transpose()?;
        let projected = match (&self.projection, &pooled) {
            (Some((layer, _)), Some(pooled)) => Some(layer.forward(pooled)?),
            _ => None,
        };
        Ok(Hidden { states, keep: entered.keep.clone(), leading: 0, pooled, projected })
    }
}

impl ClipText {
    /// Loads it from the file of the whole model or of the tower alone.
    pub(crate) fn load(config: &Config, weights: &Weights) -> Result<Self> {
        let text = text_config(config)?;
        let model = Self {
            embeddings: two_tables(&body(weights), &text, text.count(&["hidden_size"], 512)?, 49408, 77)?,
            tail: ClipTextTail::load(config, weights, None)?,
            end: text.token(&["eos_token_id"], 49407)?,
        };
        weights.finish(UNUSED)?;
        Ok(model)
    }

    /// Where texts end, `[B]`: at the first id of the end.
    fn ends(&self, ids: &Tensor) -> Result<Tensor> {
        // On the host: which of several equal numbers `argmax` takes depends on the device.
        let rows = ids.to_dtype(DType::U32)?.to_vec2::<u32>()?;
        let end = |row: &Vec<u32>| {
            let greatest = row.iter().max().copied().unwrap_or(0);
            let end = if self.end == OLD_END { greatest } else { self.end };
            let position = row.iter().position(|id| *id == end).unwrap_or(0);
            u32::try_from(position).unwrap_or(u32::MAX)
        };
        Ok(Tensor::new(rows.iter().map(end).collect::<Vec<_>>(), ids.device())?)
    }
}

/// The tables of CLIP and SigLIP.
pub(crate) fn two_tables(
    body: &Weights,
    text: &Config,
    width: usize,
    vocabulary: usize,
    positions: usize,
) -> Result<Embeddings> {
    let vocabulary = text.count(&["vocab_size"], vocabulary)?;
    let positions = text.count(&["max_position_embeddings"], positions)?;
    let tables = body.under("embeddings");
    let tokens = tables.get("token_embedding.weight", &[vocabulary, width])?;
    Embeddings::new(tokens, tables.get("position_embedding.weight", &[positions, width])?, None, 0)
}

impl Encoder for ClipText {
    fn width(&self, pooling: Pooling) -> Result<usize> {
        let states = self.embeddings.width();
        width(pooling, states, Some(states), self.tail.projection.as_ref().map(|(_, projected)| *projected))
    }

    fn pooling(&self) -> Pooling {
        if self.tail.projection.is_some() { Pooling::Projection } else { Pooling::Pooler }
    }
}

impl TextEncoder for ClipText {
    fn max_tokens(&self) -> usize {
        self.embeddings.max_tokens()
    }

    fn stages(&self) -> Option<&dyn TextStages> {
        Some(self)
    }

    fn encode(&self, ids: &Tensor, mask: &Tensor, types: Option<&Tensor>) -> Result<Hidden> {
        self.tail.finish(&self.enter(ids, mask, types)?)
    }
}

impl TextStages for ClipText {
    fn enter(&self, ids: &Tensor, mask: &Tensor, _types: Option<&Tensor>) -> Result<Entered> {
        let states = self.embeddings.in_order(ids, None)?;
        Ok(Entered { states, keep: Some(mask.clone()), ends: Some(self.ends(ids)?) })
    }

    fn tail(&self) -> &dyn Tail {
        &self.tail
    }
}
