//! What nomic-bert and GTE have in common: BERT with rotary positions, and perceptrons that may be gated. A norm follows
//! each half of a block.

use candle_core::{DType, Tensor};
use serde_json::Value;

use super::experts::Experts;
use crate::embedding::encoders::layers::{
    Activation, Attention, GatedPerceptron, LayerNorm, Linear, Mask, Rotary, packed,
};
use crate::embedding::encoders::text::angles::Angles;
use crate::embedding::encoders::text::embeddings::{check_ids, look_up};
use crate::embedding::encoders::text::width;
use crate::embedding::encoders::{Config, Encoder, EncoderError, Hidden, Pooling, Result, TextEncoder, Weights};

/// BERT with rotary positions.
#[derive(Debug)]
pub(crate) struct Body {
    pub(super) tokens: Tensor,
    pub(super) segments: Option<Tensor>,
    pub(super) norm: LayerNorm,
    pub(super) blocks: Vec<Block>,
    pub(super) pooler: Option<Linear>,
    pub(super) angles: Angles,
    pub(super) positions: usize,
    pub(super) pooling: Pooling,
}

/// A block.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) attention: Attention,
    pub(super) perceptron: Perceptron,
    pub(super) norms: [LayerNorm; 2],
}

/// The second half of a block.
#[derive(Debug)]
pub(super) enum Perceptron {
    /// One layer of the states through an activation, times another.
    Gated(GatedPerceptron),
    /// Two layers.
    Plain([Linear; 2], Activation),
    /// Several of which each token takes a few.
    Mixture(Experts),
}

impl Perceptron {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::Gated(gated) => gated.forward(x),
            Self::Plain([inward, outward], activation) => outward.forward(&inward.activated(x, *activation)?),
            Self::Mixture(experts) => experts.forward(x),
        }
    }
}

impl Block {
    fn forward(&self, x: &Tensor, rotary: &Rotary, mask: Option<&Mask>) -> Result<Tensor> {
        let x = self.norms[0].forward(&(x + self.attention.forward_rotated(x, rotary, mask)?)?)?;
        self.norms[1].forward(&(&x + self.perceptron.forward(&x)?)?)
    }
}

/// Width of a head, where the heads share the width out.
pub(super) fn head_width(config: &Config, width: usize, heads: usize) -> Result<usize> {
    if !width.is_multiple_of(heads) {
        let expected = format!("a divisor of the width {width}");
        return Err(config.wrong("num_attention_heads", &expected, Some(&Value::from(heads))));
    }
    let head_width = config.count(&["head_dim"], width / heads)?;
    if head_width != width / heads {
        let expected = format!("the width divided by the heads, {}", width / heads);
        return Err(config.wrong("head_dim", &expected, Some(&Value::from(head_width))));
    }
    Ok(head_width)
}

/// Loads attention whose queries, keys and values are one tensor or three.
pub(super) fn attention(
    weights: &Weights,
    packed: &str,
    output: &str,
    [width, heads]: [usize; 2],
    bias: bool,
) -> Result<Attention> {
    let part = |kind: &str, shape: &[usize]| {
        let whole = format!("{packed}.{kind}");
        if weights.contains(&format!("{packed}.weight")) {
            let shape: Vec<usize> = std::iter::once(3 * shape[0]).chain(shape[1..].iter().copied()).collect();
            return weights.get(&whole, &shape);
        }
        let of = |name| weights.get(&format!("{name}.{kind}"), shape);
        let parts = ["q_proj", "k_proj", "v_proj"];
        let parent = packed.rsplit_once('.').map_or("", |(parent, _)| parent);
        let parts = parts.map(|part| format!("{parent}.{part}"));
        Ok(Tensor::cat(&parts.iter().map(of).collect::<Result<Vec<_>>>()?, 0)?)
    };
    let weight = part("weight", &[width, width])?;
    let bias_of_all = if bias { Some(part("bias", &[width])?) } else { None };
    Attention::new(&weight, bias_of_all.as_ref(), Linear::load(weights, output, width, width, bias)?, heads)
}

/// Loads the layer of BERT's pooling, where the checkpoint has it.
pub(super) fn pooler(weights: &Weights, width: usize) -> Result<Option<Linear>> {
    if !weights.contains("pooler.dense.weight") {
        return Ok(None);
    }
    Ok(Some(Linear::load(weights, "pooler.dense", width, width, true)?))
}

impl Body {
    /// The vectors of tokens before the first block.
    fn embed(&self, ids: &Tensor, types: Option<&Tensor>) -> Result<Tensor> {
        let x = look_up(&self.tokens, ids)?;
        let x = match (&self.segments, types) {
            (None, _) => x,
            (Some(table), None) => x.broadcast_add(&table.narrow(0, 0, 1)?)?,
            (Some(table), Some(types)) => {
                // Not left to the look-up: some devices would read past the table.
                let greatest = types.to_dtype(DType::U32)?.max_all()?.to_scalar::<u32>()?;
                if greatest as usize >= table.dim(0)? {
                    return Err(EncoderError::Input {
                        what: "the number of a segment",
                        expected: format!("below {}, the segments that the model knows", table.dim(0)?),
                        found: greatest.to_string(),
                    });
                }
                (x + look_up(table, types)?)?
            }
        };
        self.norm.forward(&x)
    }
}

impl Encoder for Body {
    fn width(&self, pooling: Pooling) -> Result<usize> {
        let states = self.tokens.dim(1)?;
        width(pooling, states, self.pooler.as_ref().map(|_| states), None)
    }

    fn pooling(&self) -> Pooling {
        self.pooling
    }
}

impl TextEncoder for Body {
    fn max_tokens(&self) -> usize {
        self.angles.most_of(self.positions)
    }

    fn encode(&self, ids: &Tensor, mask: &Tensor, types: Option<&Tensor>) -> Result<Hidden> {
        let length = check_ids(ids, self.tokens.dim(0)?, self.max_tokens())?;
        let x = self.embed(ids, types)?;
        let states = packed(x, Mask::padding(mask)?.as_ref(), |mut x, mask, positions| {
            let rotary = Rotary::of(&self.angles.frequencies, length, x.dtype(), x.device())?.at(positions)?;
            for block in &self.blocks {
                x = block.forward(&x, &rotary, mask)?;
            }
            Ok(x)
        })?;
        let pooled = match &self.pooler {
            None => None,
            Some(pooler) => Some(pooler.forward(&states.narrow(1, 0, 1)?.squeeze(1)?)?.tanh()?),
        };
        Ok(Hidden { states, keep: Some(mask.clone()), leading: 0, pooled, projected: None })
    }
}
