//! What decoders have in common.

use candle_core::Tensor;
use serde_json::Value;

use crate::embedding::encoders::layers::{Band, GatedPerceptron, GroupedAttention, Mask, RmsNorm, Rotary, packed};
use crate::embedding::encoders::text::angles::Angles;
use crate::embedding::encoders::text::embeddings::{check_ids, look_up};
use crate::embedding::encoders::text::width;
use crate::embedding::encoders::{Config, Encoder, Hidden, Pooling, Result, TextEncoder};

/// What files have beside the body: heads of training and of other tasks.
pub(super) const UNUSED: &[&str] = &["lm_head.*", "score.*", "*inv_freq"];
/// What the names of all tensors may begin with.
pub(super) const PREFIXES: &[&str] = &["", "model"];
/// A tensor of the body.
pub(super) const TOKENS: &str = "embed_tokens.weight";
pub(super) const LAYERS: &[&str] = &["num_hidden_layers"];

/// A decoder.
#[derive(Debug)]
pub(crate) struct Decoder {
    pub(super) tokens: Tensor,
    /// What the vectors of tokens are multiplied by.
    pub(super) scale: f64,
    pub(super) blocks: Vec<Block>,
    pub(super) norm: RmsNorm,
    /// Angles of the layers that look at all of the text, and of those that look at a window.
    pub(super) angles: [Angles; 2],
    /// Whether no position looks at a later one.
    pub(super) causal: bool,
    /// The layers that look at a window look at what is less than so far away.
    pub(super) window: usize,
    pub(super) positions: usize,
    pub(super) pooling: Pooling,
}

/// A block.
#[derive(Debug)]
pub(super) struct Block {
    /// Whether it looks at a window alone.
    pub(super) local: bool,
    pub(super) attention: GroupedAttention,
    pub(super) perceptron: GatedPerceptron,
    /// Norms of what each half takes.
    pub(super) before: [RmsNorm; 2],
    /// Norms of what each half gives, where there are some.
    pub(super) after: Option<[RmsNorm; 2]>,
}

/// Which layers look at a window alone, as `layer_types` says; none where that is missing.
pub(super) fn listed_kinds(config: &Config, layers: usize) -> Result<Option<Vec<bool>>> {
    if !config.has(&["layer_types"]) {
        return Ok(None);
    }
    let kinds = config.texts(&["layer_types"], None)?;
    let known = |kind: &String| match kind.as_str() {
        "full_attention" => Some(false),
        "sliding_attention" => Some(true),
        _ => None,
    };
    let locals: Option<Vec<bool>> = kinds.iter().map(known).collect();
    let locals = locals.filter(|locals| locals.len() == layers).ok_or_else(|| {
        let expected = format!("{layers} times `full_attention` or `sliding_attention`");
        config.wrong("layer_types", &expected, Some(&Value::from(kinds)))
    })?;
    Ok(Some(locals))
}

impl Block {
    fn forward(&self, x: &Tensor, rotary: &Rotary, mask: Option<&Mask>) -> Result<Tensor> {
        let after =
            |index: usize, x: Tensor| self.after.as_ref().map_or(Ok(x.clone()), |norms| norms[index].forward(&x));
        let attended = self.attention.forward(&self.before[0].forward(x)?, rotary, mask)?;
        let x = (x + after(0, attended)?)?;
        let perceived = self.perceptron.forward(&self.before[1].forward(&x)?)?;
        Ok((x + after(1, perceived)?)?)
    }
}

impl Decoder {
    /// What a layer may look at; `padding` is what no layer may.
    fn mask(&self, local: bool, padding: Option<&Mask>) -> Mask {
        let window = if local { Band::window(self.window.saturating_sub(1)) } else { Band::ALL };
        Mask::within_or(padding, if self.causal { window.and(Band::CAUSAL) } else { window })
    }
}

impl Encoder for Decoder {
    fn width(&self, pooling: Pooling) -> Result<usize> {
        width(pooling, self.tokens.dim(1)?, None, None)
    }

    fn pooling(&self) -> Pooling {
        self.pooling
    }
}

impl TextEncoder for Decoder {
    fn max_tokens(&self) -> usize {
        let [all, near] = &self.angles;
        near.most_of(all.most_of(self.positions))
    }

    fn encode(&self, ids: &Tensor, mask: &Tensor, _types: Option<&Tensor>) -> Result<Hidden> {
        let length = check_ids(ids, self.tokens.dim(0)?, self.max_tokens())?;
        let mut x = look_up(&self.tokens, ids)?;
        if self.scale != 1.0 {
            x = (x * self.scale)?;
        }
        let states = packed(x, Mask::padding(mask)?.as_ref(), |mut x, padding, positions| {
            let kind = |local: bool| -> Result<(Rotary, Mask)> {
                let frequencies = &self.angles[usize::from(local)].frequencies;
                let rotary = Rotary::of(frequencies, length, x.dtype(), x.device())?.at(positions)?;
                Ok((rotary, self.mask(local, padding)))
            };
            let kinds = [kind(false)?, kind(true)?];
            for block in &self.blocks {
                let (rotary, mask) = &kinds[usize::from(block.local)];
                x = block.forward(&x, rotary, Some(mask))?;
            }
            self.norm.forward(&x)
        })?;
        Ok(Hidden { states, keep: Some(mask.clone()), leading: 0, pooled: None, projected: None })
    }
}
