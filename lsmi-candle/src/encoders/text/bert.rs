//! BERT (Devlin et al., NAACL 2019), and with it MiniLM and most sentence encoders.

use candle_core::Tensor;

use super::embeddings::Embeddings;
use super::width;
use crate::encoders::layers::{Biases, Blocks, LayerNorm, Linear, Mask, Names, Shape};
use crate::encoders::{Config, Encoder, Hidden, Pooling, Result, TextEncoder, Weights};

/// What files of BERT and RoBERTa have beside the encoder: buffers, and the heads of training and of other tasks.
pub(super) const UNUSED: &[&str] =
    &["*position_ids", "*token_type_ids", "cls.*", "lm_head.*", "classifier.*", "qa_outputs.*"];

/// BERT or a model of its form.
#[derive(Debug)]
pub(super) struct Bert {
    embeddings: Embeddings,
    norm: LayerNorm,
    blocks: Blocks,
    pooler: Option<Linear>,
    padding: Option<u32>,
}

/// Loads BERT.
pub(super) fn load(config: &Config, weights: &Weights) -> Result<Bert> {
    Bert::load(config, weights, "bert", None, 1e-12)
}

impl Bert {
    /// Loads a model whose tensors may all be under `prefix`. Where there is an id of padding, positions begin after it
    /// and count the tokens that are not padding.
    pub(super) fn load(
        config: &Config,
        weights: &Weights,
        prefix: &str,
        padding: Option<u32>,
        eps: f64,
    ) -> Result<Self> {
        config.expect("position_embedding_type", &"absolute".into())?;
        config.expect("is_decoder", &false.into())?;
        let body = weights.under_one_of(&["", prefix], "embeddings.word_embeddings.weight");
        let shape = Shape {
            width: config.count(&["hidden_size"], 768)?,
            heads: config.count(&["num_attention_heads"], 12)?,
            inner: config.count(&["intermediate_size"], 3072)?,
            activation: config.activation(&["hidden_act"], "gelu")?,
            eps: config.real(&["layer_norm_eps"], eps)?,
            norm_first: false,
            biases: Biases::All,
            layer_scale: false,
        };
        let table = body.under("embeddings");
        let embeddings = Embeddings::load(
            &table,
            shape.width,
            config.count(&["vocab_size"], None)?,
            config.count(&["max_position_embeddings"], 512)?,
            config.count(&["type_vocab_size"], 2)?,
            padding.map_or(0, |id| id as usize + 1),
        )?;
        let layers = config.count(&["num_hidden_layers"], 12)?;
        // Files of masked language models come without a pooler.
        let pooler = if body.contains("pooler.dense.weight") {
            Some(Linear::load(&body, "pooler.dense", shape.width, shape.width, true)?)
        } else {
            None
        };
        let bert = Self {
            embeddings,
            norm: LayerNorm::load(&table, "LayerNorm", shape.width, shape.eps)?,
            blocks: Blocks::load(&body, "encoder.layer", layers, &Names::BERT, &shape)?,
            pooler,
            padding,
        };
        weights.finish(UNUSED)?;
        Ok(bert)
    }
}

impl Encoder for Bert {
    fn width(&self, pooling: Pooling) -> Result<usize> {
        let states = self.embeddings.width();
        width(pooling, states, self.pooler.as_ref().map(|_| states), None)
    }

    fn pooling(&self) -> Pooling {
        Pooling::Mean
    }
}

impl TextEncoder for Bert {
    fn max_tokens(&self) -> usize {
        self.embeddings.max_tokens()
    }

    fn padding_token(&self) -> Option<u32> {
        self.padding
    }

    fn encode(&self, ids: &Tensor, mask: &Tensor, types: Option<&Tensor>) -> Result<Hidden> {
        let x = match self.padding {
            None => self.embeddings.in_order(ids, types)?,
            Some(padding) => self.embeddings.at(ids, &super::xlm_roberta::positions(ids, padding)?, types)?,
        };
        let states = self.blocks.forward(self.norm.forward(&x)?, Mask::padding(mask)?.as_ref())?;
        let pooled = match &self.pooler {
            None => None,
            Some(pooler) => Some(pooler.forward(&states.narrow(1, 0, 1)?.squeeze(1)?)?.tanh()?),
        };
        Ok(Hidden { states, keep: Some(mask.clone()), pooled, projected: None })
    }
}
