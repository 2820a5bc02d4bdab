//! BERT (Devlin et al., NAACL 2019), and with it MiniLM and most sentence encoders.

use candle_core::Tensor;

use crate::embedding::encoders::layers::{Biases, Blocks, LayerNorm, Linear, Mask, Names, Shape};
use crate::embedding::encoders::text::embeddings::{Embeddings, positions_after_padding};
use crate::embedding::encoders::text::width;
use crate::embedding::encoders::{Config, Encoder, Hidden, Pooling, Result, TextEncoder, Weights};

/// What files of BERT and RoBERTa have beside the encoder: buffers, and the heads of training and of other tasks.
pub(crate) const UNUSED: &[&str] = &[
    "*position_ids",
    "*token_type_ids",
    "cls.*",
    "lm_head.*",
    "classifier.*",
    "qa_outputs.*",
    "discriminator_predictions.*",
    "generator_predictions.*",
    "generator_lm_head.*",
    "sequence_summary.*",
    "splinter_qass.*",
];

/// What models of BERT's form differ in.
pub(crate) struct Variant {
    /// What the names of all tensors may begin with.
    pub(crate) prefixes: &'static [&'static str],
    /// The id of padding, where positions begin after it and count the tokens that are not padding.
    pub(crate) padding: Option<u32>,
}

/// BERT or a model of its form.
#[derive(Debug)]
pub(crate) struct Bert {
    embeddings: Embeddings,
    norm: LayerNorm,
    /// From the width of the tables to that of the states, where they differ (ELECTRA).
    widening: Option<Linear>,
    blocks: Blocks,
    pooler: Option<Linear>,
    padding: Option<u32>,
    width: usize,
}

/// Loads BERT, ELECTRA, ERNIE or Splinter.
pub(crate) fn load(config: &Config, weights: &Weights) -> Result<Bert> {
    let variant = Variant { prefixes: &["", "bert", "electra", "ernie", "splinter"], padding: None };
    Bert::load(config, weights, &variant)
}

impl Bert {
    /// Loads a model of BERT's form.
    pub(crate) fn load(config: &Config, weights: &Weights, variant: &Variant) -> Result<Self> {
        let bert = Self::part(config, weights, variant)?;
        weights.finish(UNUSED)?;
        Ok(bert)
    }

    /// Loads a model of BERT's form that is part of another: what else there is in the checkpoint is not looked at.
    pub(crate) fn part(config: &Config, weights: &Weights, variant: &Variant) -> Result<Self> {
        let Variant { prefixes, padding } = *variant;
        config.expect("position_embedding_type", &"absolute".into())?;
        config.expect("is_decoder", &false.into())?;
        let body = weights.under_one_of(prefixes, "embeddings.word_embeddings.weight");
        let shape = Shape {
            width: config.count(&["hidden_size"], 768)?,
            heads: config.count(&["num_attention_heads"], 12)?,
            inner: config.count(&["intermediate_size"], 3072)?,
            activation: config.activation(&["hidden_act"], "gelu")?,
            eps: config.real(&["layer_norm_eps"], 1e-12)?,
            norm_first: false,
            biases: Biases::All,
            layer_scale: false,
        };
        let table = body.under("embeddings");
        let is_electra = config.architecture()? == "electra";
        let narrow = if is_electra { config.count(&["embedding_size"], 128)? } else { shape.width };
        let embeddings = Embeddings::load(
            &table,
            narrow,
            config.count(&["vocab_size"], None)?,
            config.count(&["max_position_embeddings"], 512)?,
            config.count(&["type_vocab_size"], 2)?,
            padding.map_or(0, |id| id as usize + 1),
        )?;
        // ERNIE adds the vector of a task, of which the first is that of no task in particular.
        let embeddings = if config.flag(&["use_task_id"], false)? {
            let tasks = config.count(&["task_type_vocab_size"], 3)?;
            embeddings.with_everywhere(&table.get("task_type_embeddings.weight", &[tasks, narrow])?.narrow(0, 0, 1)?)?
        } else {
            embeddings
        };
        let widening = if narrow == shape.width {
            None
        } else {
            Some(Linear::load(&body, "embeddings_project", narrow, shape.width, true)?)
        };
        let layers = config.count(&["num_hidden_layers"], 12)?;
        // Files of masked language models come without a pooler.
        let pooler = if body.contains("pooler.dense.weight") {
            Some(Linear::load(&body, "pooler.dense", shape.width, shape.width, true)?)
        } else {
            None
        };
        Ok(Self {
            embeddings,
            norm: LayerNorm::load(&table, "LayerNorm", narrow, shape.eps)?,
            widening,
            blocks: Blocks::load(&body, "encoder.layer", layers, &Names::BERT, &shape)?,
            pooler,
            padding,
            width: shape.width,
        })
    }
}

impl Encoder for Bert {
    fn width(&self, pooling: Pooling) -> Result<usize> {
        width(pooling, self.width, self.pooler.as_ref().map(|_| self.width), None)
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
            Some(padding) => self.embeddings.at(ids, &positions_after_padding(ids, padding)?, types)?,
        };
        let mut x = self.norm.forward(&x)?;
        if let Some(widening) = &self.widening {
            x = widening.forward(&x)?;
        }
        let states = self.blocks.forward(x, Mask::padding(mask)?.as_ref())?;
        let pooled = match &self.pooler {
            None => None,
            Some(pooler) => Some(pooler.forward(&states.narrow(1, 0, 1)?.squeeze(1)?)?.tanh()?),
        };
        Ok(Hidden { states, keep: Some(mask.clone()), leading: 0, pooled, projected: None })
    }
}
