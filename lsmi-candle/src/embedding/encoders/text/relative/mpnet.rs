//! MPNet (Song et al., NeurIPS 2020): BERT with a bias for the distance of two positions that all layers share, and
//! positions that begin after the id of padding.

use candle_core::Tensor;

use super::block::{Rest, Sizes};
use crate::embedding::encoders::layers::{
    Buckets, DistanceBias, LayerNorm, Linear, Mask, RelativeAttention, RelativeShape, packed,
};
use crate::embedding::encoders::text::embeddings::{Embeddings, positions_after_padding};
use crate::embedding::encoders::text::width;
use crate::embedding::encoders::{Config, Encoder, Hidden, Pooling, Result, TextEncoder, Weights};

/// The token that takes no position, whatever the configuration says of padding.
const PADDING: u32 = 1;

/// The architecture has both fixed.
const BUCKETS: Buckets = Buckets { count: 32, greatest: 128 };

/// Buffers, and the heads of training and of other tasks.
const UNUSED: &[&str] = &["*position_ids", "lm_head.*", "classifier.*", "qa_outputs.*"];

/// MPNet.
#[derive(Debug)]
pub(crate) struct MpNet {
    embeddings: Embeddings,
    norm: LayerNorm,
    bias: DistanceBias,
    blocks: Vec<(RelativeAttention, Rest)>,
    pooler: Option<Linear>,
    padding: u32,
    width: usize,
}

/// Loads MPNet.
pub(crate) fn load(config: &Config, weights: &Weights) -> Result<MpNet> {
    config.expect("relative_attention_num_buckets", &BUCKETS.count.into())?;
    let body = weights.under_one_of(&["", "mpnet"], "embeddings.word_embeddings.weight");
    let sizes = Sizes::read(config, [768, 12, 12, 3072], 1e-12)?;
    let Sizes { width, heads, head_width, .. } = sizes;
    let scale = 1.0 / (head_width as f64).sqrt();
    let shape = RelativeShape { width, heads, head_width, bias: true, scale };
    let table = body.under("embeddings");
    let vocabulary = config.count(&["vocab_size"], 30527)?;
    let positions = config.count(&["max_position_embeddings"], 512)?;
    let block = |index| -> Result<_> {
        let block = body.under(&format!("encoder.layer.{index}"));
        let names = ["attention.attn.q", "attention.attn.k", "attention.attn.v", "attention.attn.o"];
        let attention = RelativeAttention::load(&block, names, &shape)?;
        Ok((attention, Rest::load(&block, "attention.LayerNorm", &sizes)?))
    };
    let model = MpNet {
        embeddings: Embeddings::load(&table, width, vocabulary, positions, 0, PADDING as usize + 1)?,
        norm: LayerNorm::load(&table, "LayerNorm", width, sizes.eps)?,
        bias: DistanceBias::load(&body, "encoder.relative_attention_bias.weight", BUCKETS, heads)?,
        blocks: (0..sizes.layers).map(block).collect::<Result<_>>()?,
        // Files of masked language models come without a pooler.
        pooler: if body.contains("pooler.dense.weight") {
            Some(Linear::load(&body, "pooler.dense", width, width, true)?)
        } else {
            None
        },
        padding: config.token(&["pad_token_id"], PADDING)?,
        width,
    };
    weights.finish(UNUSED)?;
    Ok(model)
}

impl Encoder for MpNet {
    fn width(&self, pooling: Pooling) -> Result<usize> {
        width(pooling, self.width, self.pooler.as_ref().map(|_| self.width), None)
    }

    fn pooling(&self) -> Pooling {
        Pooling::Mean
    }
}

impl TextEncoder for MpNet {
    fn max_tokens(&self) -> usize {
        self.embeddings.max_tokens()
    }

    fn padding_token(&self) -> Option<u32> {
        Some(self.padding)
    }

    fn encode(&self, ids: &Tensor, mask: &Tensor, _types: Option<&Tensor>) -> Result<Hidden> {
        let x = self.embeddings.at(ids, &positions_after_padding(ids, PADDING)?, None)?;
        let x = self.norm.forward(&x)?;
        let bias = self.bias.of(x.dim(1)?)?;
        let x = packed(x, Mask::padding(mask)?.as_ref(), |mut x, mask, _| {
            for (attention, rest) in &self.blocks {
                let attended = attention.forward(&x, mask, &bias)?;
                x = rest.forward(&x, &attended)?;
            }
            Ok(x)
        })?;
        let pooled = match &self.pooler {
            None => None,
            Some(pooler) => Some(pooler.forward(&x.narrow(1, 0, 1)?.squeeze(1)?)?.tanh()?),
        };
        Ok(Hidden { states: x, keep: Some(mask.clone()), leading: 0, pooled, projected: None })
    }
}
