//! ALBERT (Lan et al., ICLR 2020): BERT whose layers are one and the same, or those of a few groups, and whose tables are
//! narrower than the states.

use candle_core::Tensor;

use crate::embedding::encoders::layers::{Biases, Blocks, LayerNorm, Linear, Mask, Names, Shape};
use crate::embedding::encoders::text::embeddings::Embeddings;
use crate::embedding::encoders::text::width;
use crate::embedding::encoders::{Config, Encoder, Hidden, Pooling, Result, TextEncoder, Weights};

/// The most layers. As they share their weights, a configuration could ask for any number of them.
const MOST_LAYERS: usize = 1024;

/// Buffers, and the heads of training and of other tasks.
const UNUSED: &[&str] =
    &["*position_ids", "*token_type_ids", "predictions.*", "sop_classifier.*", "classifier.*", "qa_outputs.*"];

const NAMES: Names = Names {
    attention: ["attention.query", "attention.key", "attention.value", "attention.dense"],
    norms: ["attention.LayerNorm", "full_layer_layer_norm"],
    perceptron: ["ffn", "ffn_output"],
};

/// ALBERT.
#[derive(Debug)]
pub(crate) struct Albert {
    embeddings: Embeddings,
    norm: LayerNorm,
    widening: Linear,
    /// The blocks of each group.
    groups: Vec<Blocks>,
    /// How many times each group is applied, one time after the other.
    times: usize,
    pooler: Option<Linear>,
    width: usize,
}

/// Loads ALBERT.
pub(crate) fn load(config: &Config, weights: &Weights) -> Result<Albert> {
    config.expect("position_embedding_type", &"absolute".into())?;
    let body = weights.under_one_of(&["", "albert"], "embeddings.word_embeddings.weight");
    let shape = Shape {
        width: config.count(&["hidden_size"], 4096)?,
        heads: config.count(&["num_attention_heads"], 64)?,
        inner: config.count(&["intermediate_size"], 16_384)?,
        activation: config.activation(&["hidden_act"], "gelu_new")?,
        eps: config.real(&["layer_norm_eps"], 1e-12)?,
        norm_first: false,
        biases: Biases::All,
        layer_scale: false,
    };
    let narrow = config.count(&["embedding_size"], 128)?;
    let layers = config.count(&["num_hidden_layers"], 12)?;
    if layers > MOST_LAYERS {
        let expected = format!("at most {MOST_LAYERS}");
        return Err(config.wrong("num_hidden_layers", &expected, Some(&layers.into())));
    }
    let groups = config.count(&["num_hidden_groups"], 1)?;
    if !layers.is_multiple_of(groups) {
        let expected = format!("a divisor of the {layers} layers");
        return Err(config.wrong("num_hidden_groups", &expected, Some(&groups.into())));
    }
    let inner_layers = config.count(&["inner_group_num"], 1)?;
    let table = body.under("embeddings");
    let group = |index| {
        let part = format!("encoder.albert_layer_groups.{index}.albert_layers");
        Blocks::load(&body, &part, inner_layers, &NAMES, &shape)
    };
    let model = Albert {
        embeddings: Embeddings::load(
            &table,
            narrow,
            config.count(&["vocab_size"], 30_000)?,
            config.count(&["max_position_embeddings"], 512)?,
            config.count(&["type_vocab_size"], 2)?,
            0,
        )?,
        norm: LayerNorm::load(&table, "LayerNorm", narrow, shape.eps)?,
        widening: Linear::load(&body, "encoder.embedding_hidden_mapping_in", narrow, shape.width, true)?,
        groups: (0..groups).map(group).collect::<Result<_>>()?,
        times: layers / groups,
        // Files of masked language models come without a pooler.
        pooler: if body.contains("pooler.weight") {
            Some(Linear::load(&body, "pooler", shape.width, shape.width, true)?)
        } else {
            None
        },
        width: shape.width,
    };
    weights.finish(UNUSED)?;
    Ok(model)
}

impl Encoder for Albert {
    fn width(&self, pooling: Pooling) -> Result<usize> {
        width(pooling, self.width, self.pooler.as_ref().map(|_| self.width), None)
    }

    fn pooling(&self) -> Pooling {
        Pooling::Mean
    }
}

impl TextEncoder for Albert {
    fn max_tokens(&self) -> usize {
        self.embeddings.max_tokens()
    }

    fn encode(&self, ids: &Tensor, mask: &Tensor, types: Option<&Tensor>) -> Result<Hidden> {
        let x = self.norm.forward(&self.embeddings.in_order(ids, types)?)?;
        let mut states = self.widening.forward(&x)?;
        let mask_of_scores = Mask::padding(mask)?;
        for blocks in &self.groups {
            for _ in 0..self.times {
                states = blocks.forward(states, mask_of_scores.as_ref())?;
            }
        }
        let pooled = match &self.pooler {
            None => None,
            Some(pooler) => Some(pooler.forward(&states.narrow(1, 0, 1)?.squeeze(1)?)?.tanh()?),
        };
        Ok(Hidden { states, keep: Some(mask.clone()), leading: 0, pooled, projected: None })
    }
}
