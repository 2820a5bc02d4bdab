//! The text tower of CLIP (Radford et al., ICML 2021): each token sees those before it; the text's vector is at its end.

use candle_core::{DType, Tensor};

use crate::embedding::encoders::hidden::at_positions;
use crate::embedding::encoders::layers::{Band, Biases, Blocks, LayerNorm, Linear, Mask, Names, Shape};
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
    blocks: Blocks,
    norm: LayerNorm,
    projection: Option<(Linear, usize)>,
    end: u32,
}

impl ClipText {
    /// Loads it from the file of the whole model or of the tower alone.
    pub(crate) fn load(config: &Config, weights: &Weights) -> Result<Self> {
        let whole = config.architecture()? == "clip";
        let text = if whole { config.section("text_config")? } else { config.clone() };
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
        // Newer files of the tower alone leave its name out.
        let body = weights.under_one_of(&["text_model", ""], "embeddings.token_embedding.weight");
        let embeddings = two_tables(&body, &text, shape.width, 49408, 77)?;
        let layers = text.count(&["num_hidden_layers"], 12)?;
        let projection = if weights.contains("text_projection.weight") {
            let projected = config.count(&["projection_dim"], 512)?;
            Some((Linear::load(weights, "text_projection", shape.width, projected, false)?, projected))
        } else {
            None
        };
        let model = Self {
            embeddings,
            blocks: Blocks::load(&body, "encoder.layers", layers, &Names::CLIP, &shape)?,
            norm: LayerNorm::load(&body, "final_layer_norm", shape.width, shape.eps)?,
            projection,
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
        width(pooling, states, Some(states), self.projection.as_ref().map(|(_, projected)| *projected))
    }

    fn pooling(&self) -> Pooling {
        if self.projection.is_some() { Pooling::Projection } else { Pooling::Pooler }
    }
}

impl TextEncoder for ClipText {
    fn max_tokens(&self) -> usize {
        self.embeddings.max_tokens()
    }

    fn encode(&self, ids: &Tensor, mask: &Tensor, _types: Option<&Tensor>) -> Result<Hidden> {
        let x = self.embeddings.in_order(ids, None)?;
        let before = Mask::within_or(Mask::padding(mask)?.as_ref(), Band::CAUSAL);
        let states = self.norm.forward(&self.blocks.forward(x, Some(&before))?)?;
        let pooled = at_positions(&states, &self.ends(ids)?)?;
        let projected = self.projection.as_ref().map(|(layer, _)| layer.forward(&pooled)).transpose()?;
        Ok(Hidden { states, keep: Some(mask.clone()), leading: 0, pooled: Some(pooled), projected })
    }
}
