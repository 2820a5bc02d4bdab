//! BERT (Devlin et al., NAACL 2019), and with it MiniLM and most sentence encoders.

use candle_core::Tensor;

use crate::embedding::encoders::layers::{Biases, Blocks, LayerNorm, Linear, Mask, Names, Shape};
use crate::embedding::encoders::tail::{Entered, Tail, TextStages, last_blocks};
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
    tail: BertTail,
    padding: Option<u32>,
}

/// Its blocks, and the layer of the first position.
#[derive(Debug)]
pub(crate) struct BertTail {
    blocks: Blocks,
    pooler: Option<Linear>,
    width: usize,
}

/// BERT, ELECTRA, ERNIE and Splinter.
const BERT: Variant = Variant { prefixes: &["", "bert", "electra", "ernie", "splinter"], padding: None };

/// Loads BERT, ELECTRA, ERNIE or Splinter.
pub(crate) fn load(config: &Config, weights: &Weights) -> Result<Bert> {
    Bert::load(config, weights, &BERT)
}

/// Loads their last `blocks` blocks and what follows.
pub(crate) fn load_tail(config: &Config, weights: &Weights, blocks: usize) -> Result<BertTail> {
    BertTail::load(config, &BERT.body(weights), Some(blocks))
}

impl Variant {
    /// The weights of the encoder.
    pub(super) fn body(&self, weights: &Weights) -> Weights {
        weights.under_one_of(self.prefixes, "embeddings.word_embeddings.weight")
    }
}

impl BertTail {
    /// Loads the last blocks, or all, and what follows.
    pub(super) fn load(config: &Config, body: &Weights, last: Option<usize>) -> Result<Self> {
        let shape = Shape {
            width: config.count(&["hidden_size"], 768)?,
            heads: config.count(&["num_attention_heads"], 12)?,
            inner: config.count(&["intermediate_size"], 3072)?,
            activation: config.activation(&["hidden_act"], "gelu")?,
            eps: eps(config)?,
            norm_first: false,
            biases: Biases::All,
            layer_scale: false,
        };
        let blocks = last_blocks(config.count(&["num_hidden_layers"], 12)?, last)?;
        // Files of masked language models come without a pooler.
        let pooler = if body.contains("pooler.dense.weight") {
            let weights = body.read_by(&[Pooling::Pooler, Pooling::Projection]);
            Some(Linear::load(&weights, "pooler.dense", shape.width, shape.width, true)?)
        } else {
            None
        };
        let blocks = Blocks::load_some(body, "encoder.layer", blocks, &Names::BERT, &shape)?;
        Ok(Self { blocks, pooler, width: shape.width })
    }
}

fn eps(config: &Config) -> Result<f64> {
    config.real(&["layer_norm_eps"], 1e-12)
}

/// Which of the states may be looked at.
pub(super) fn mask(entered: &Entered) -> Result<Option<Mask>> {
    entered.keep.as_ref().map_or(Ok(None), Mask::padding)
}

impl Tail for BertTail {
    fn blocks(&self) -> usize {
        self.blocks.count()
    }

    fn advance(&self, entered: Entered, blocks: usize) -> Result<Entered> {
        let mask = mask(&entered)?;
        Ok(Entered { states: self.blocks.advance(entered.states, mask.as_ref(), blocks)?, ..entered })
    }

    fn finish(&self, entered: &Entered) -> Result<Hidden> {
        let states = self.blocks.forward(entered.states.clone(), mask(entered)?.as_ref())?;
        let pooled = match &self.pooler {
            None => None,
            Some(pooler) => Some(pooler.forward(&states.narrow(1, 0, 1)?.squeeze(1)?)?.tanh()?),
        };
        Ok(Hidden { states, keep: entered.keep.clone(), leading: 0, pooled, projected: None })
    }
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
        config.expect("position_embedding_type", &"absolute".into())?;
        config.expect("is_decoder", &false.into())?;
        let body = variant.body(weights);
        let tail = BertTail::load(config, &body, None)?;
        let table = body.under("embeddings");
        let is_electra = config.architecture()? == "electra";
        let narrow = if is_electra { config.count(&["embedding_size"], 128)? } else { tail.width };
        let embeddings = Embeddings::load(
            &table,
            narrow,
            config.count(&["vocab_size"], None)?,
            config.count(&["max_position_embeddings"], 512)?,
            config.count(&["type_vocab_size"], 2)?,
            variant.padding.map_or(0, |id| id as usize + 1),
        )?;
        // ERNIE adds the vector of a task, of which the first is that of no task in particular.
        let embeddings = if config.flag(&["use_task_id"], false)? {
            let tasks = config.count(&["task_type_vocab_size"], 3)?;
            embeddings.with_everywhere(&table.get("task_type_embeddings.weight", &[tasks, narrow])?.narrow(0, 0, 1)?)?
        } else {
            embeddings
        };
        let widening = if narrow == tail.width {
            None
        } else {
            Some(Linear::load(&body, "embeddings_project", narrow, tail.width, true)?)
        };
        let norm = LayerNorm::load(&table, "LayerNorm", narrow, eps(config)?)?;
        Ok(Self { embeddings, norm, widening, tail, padding: variant.padding })
    }
}

impl Encoder for Bert {
    fn width(&self, pooling: Pooling) -> Result<usize> {
        let BertTail { pooler, width: states, .. } = &self.tail;
        width(pooling, *states, pooler.as_ref().map(|_| *states), None)
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

    fn stages(&self) -> Option<&dyn TextStages> {
        Some(self)
    }

    fn encode(&self, ids: &Tensor, mask: &Tensor, types: Option<&Tensor>) -> Result<Hidden> {
        self.tail.finish(&self.enter(ids, mask, types)?)
    }
}

impl TextStages for Bert {
    fn enter(&self, ids: &Tensor, mask: &Tensor, types: Option<&Tensor>) -> Result<Entered> {
        let x = match self.padding {
            None => self.embeddings.in_order(ids, types)?,
            Some(padding) => self.embeddings.at(ids, &positions_after_padding(ids, padding)?, types)?,
        };
        let mut x = self.norm.forward(&x)?;
        if let Some(widening) = &self.widening {
            x = widening.forward(&x)?;
        }
        Ok(Entered { states: x, keep: Some(mask.clone()), ends: None })
    }

    fn tail(&self) -> &dyn Tail {
        &self.tail
    }
}
