//! DistilBERT (Sanh et al., 2019): BERT without segments and without a pooler, under other names.

use candle_core::Tensor;

use super::bert::mask;
use crate::embedding::encoders::layers::{Biases, Blocks, LayerNorm, Names, Shape};
use crate::embedding::encoders::tail::{Entered, Tail, TextStages, last_blocks};
use crate::embedding::encoders::text::embeddings::Embeddings;
use crate::embedding::encoders::text::width;
use crate::embedding::encoders::{Config, Encoder, Hidden, Pooling, Result, TextEncoder, Weights};

/// Buffers, and the heads of training and of other tasks.
const UNUSED: &[&str] = &[
    "*position_ids",
    "vocab_transform.*",
    "vocab_layer_norm.*",
    "vocab_projector.*",
    "pre_classifier.*",
    "classifier.*",
    "qa_outputs.*",
];

/// DistilBERT.
#[derive(Debug)]
pub(crate) struct DistilBert {
    embeddings: Embeddings,
    norm: LayerNorm,
    tail: DistilBertTail,
}

/// Its blocks.
#[derive(Debug)]
pub(crate) struct DistilBertTail(Blocks);

/// Loads the last `blocks` blocks.
pub(crate) fn load_tail(config: &Config, weights: &Weights, blocks: usize) -> Result<DistilBertTail> {
    DistilBertTail::load(config, &body(weights), Some(blocks))
}

fn body(weights: &Weights) -> Weights {
    weights.under_one_of(&["", "distilbert"], "embeddings.word_embeddings.weight")
}

impl DistilBertTail {
    fn load(config: &Config, body: &Weights, last: Option<usize>) -> Result<Self> {
        let blocks = last_blocks(config.count(&["n_layers", "num_hidden_layers"], 6)?, last)?;
        Ok(Self(Blocks::load_some(body, "transformer.layer", blocks, &Names::DISTILBERT, &shape(config)?)?))
    }
}

impl Tail for DistilBertTail {
    fn blocks(&self) -> usize {
        self.0.count()
    }

    fn advance(&self, entered: Entered, blocks: usize) -> Result<Entered> {
        let mask = mask(&entered)?;
        Ok(Entered { states: self.0.advance(entered.states, mask.as_ref(), blocks)?, ..entered })
    }

    fn finish(&self, entered: &Entered) -> Result<Hidden> {
        let states = self.0.forward(entered.states.clone(), mask(entered)?.as_ref())?;
        Ok(Hidden { states, keep: entered.keep.clone(), leading: 0, pooled: None, projected: None })
    }
}

fn shape(config: &Config) -> Result<Shape> {
    Ok(Shape {
        width: config.count(&["dim", "hidden_size"], 768)?,
        heads: config.count(&["n_heads", "num_attention_heads"], 12)?,
        inner: config.count(&["hidden_dim", "intermediate_size"], 3072)?,
        activation: config.activation(&["activation"], "gelu")?,
        // The architecture has it fixed.
        eps: 1e-12,
        norm_first: false,
        biases: Biases::All,
        layer_scale: false,
    })
}

/// Loads DistilBERT.
pub(crate) fn load(config: &Config, weights: &Weights) -> Result<DistilBert> {
    let (body, shape) = (body(weights), shape(config)?);
    let table = body.under("embeddings");
    let vocabulary = config.count(&["vocab_size"], 30522)?;
    let positions = config.count(&["max_position_embeddings"], 512)?;
    let model = DistilBert {
        embeddings: Embeddings::load(&table, shape.width, vocabulary, positions, 0, 0)?,
        norm: LayerNorm::load(&table, "LayerNorm", shape.width, shape.eps)?,
        tail: DistilBertTail::load(config, &body, None)?,
    };
    weights.finish(UNUSED)?;
    Ok(model)
}

impl Encoder for DistilBert {
    fn width(&self, pooling: Pooling) -> Result<usize> {
        width(pooling, self.embeddings.width(), None, None)
    }

    fn pooling(&self) -> Pooling {
        Pooling::Mean
    }
}

impl TextEncoder for DistilBert {
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

impl TextStages for DistilBert {
    fn enter(&self, ids: &Tensor, mask: &Tensor, _types: Option<&Tensor>) -> Result<Entered> {
        let states = self.norm.forward(&self.embeddings.in_order(ids, None)?)?;
        Ok(Entered { states, keep: Some(mask.clone()), ends: None })
    }

    fn tail(&self) -> &dyn Tail {
        &self.tail
    }
}
