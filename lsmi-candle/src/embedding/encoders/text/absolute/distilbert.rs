//! DistilBERT (Sanh et al., 2019): BERT without segments and without a pooler, under other names.

use candle_core::Tensor;

use crate::embedding::encoders::layers::{Biases, Blocks, LayerNorm, Mask, Names, Shape};
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
    blocks: Blocks,
}

/// Loads DistilBERT.
pub(crate) fn load(config: &Config, weights: &Weights) -> Result<DistilBert> {
    let body = weights.under_one_of(&["", "distilbert"], "embeddings.word_embeddings.weight");
    let shape = Shape {
        width: config.count(&["dim", "hidden_size"], 768)?,
        heads: config.count(&["n_heads", "num_attention_heads"], 12)?,
        inner: config.count(&["hidden_dim", "intermediate_size"], 3072)?,
        activation: config.activation(&["activation"], "gelu")?,
        // The architecture has it fixed.
        eps: 1e-12,
        norm_first: false,
        biases: Biases::All,
        layer_scale: false,
    };
    let table = body.under("embeddings");
    let vocabulary = config.count(&["vocab_size"], 30522)?;
    let positions = config.count(&["max_position_embeddings"], 512)?;
    let layers = config.count(&["n_layers", "num_hidden_layers"], 6)?;
    let model = DistilBert {
        embeddings: Embeddings::load(&table, shape.width, vocabulary, positions, 0, 0)?,
        norm: LayerNorm::load(&table, "LayerNorm", shape.width, shape.eps)?,
        blocks: Blocks::load(&body, "transformer.layer", layers, &Names::DISTILBERT, &shape)?,
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

    fn encode(&self, ids: &Tensor, mask: &Tensor, _types: Option<&Tensor>) -> Result<Hidden> {
        let x = self.norm.forward(&self.embeddings.in_order(ids, None)?)?;
        let states = self.blocks.forward(x, Mask::padding(mask)?.as_ref())?;
        Ok(Hidden { states, keep: Some(mask.clone()), leading: 0, pooled: None, projected: None })
    }
}
