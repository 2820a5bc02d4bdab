//! A transformer block, with the norm after each half (BERT) or before it (CLIP, SigLIP, ViT, DINOv2, Whisper).

use std::ops::Range;

use candle_core::Tensor;

use super::host_blocks::HostBlocks;
use super::{Activation, Attention, Biases, LayerNorm, Linear, Mask, packed};
use crate::embedding::encoders::error::Result;
use crate::embedding::encoders::weights::Weights;

/// Names of the layers of a block, which differ from one architecture to the next.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names {
    /// Layers of queries, keys, values, and the one after the heads.
    pub(crate) attention: [&'static str; 4],
    /// Norms of the attention and of the perceptron.
    pub(crate) norms: [&'static str; 2],
    /// The two layers of the perceptron.
    pub(crate) perceptron: [&'static str; 2],
}

impl Names {
    /// BERT and XLM-RoBERTa.
    pub(crate) const BERT: Self = Self {
        attention: ["attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"],
        norms: ["attention.output.LayerNorm", "output.LayerNorm"],
        perceptron: ["intermediate.dense", "output.dense"],
    };
    /// DistilBERT.
    pub(crate) const DISTILBERT: Self = Self {
        attention: ["attention.q_lin", "attention.k_lin", "attention.v_lin", "attention.out_lin"],
        norms: ["sa_layer_norm", "output_layer_norm"],
        perceptron: ["ffn.lin1", "ffn.lin2"],
    };
    /// CLIP and SigLIP, both towers.
    pub(crate) const CLIP: Self = Self {
        attention: ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.out_proj"],
        norms: ["layer_norm1", "layer_norm2"],
        perceptron: ["mlp.fc1", "mlp.fc2"],
    };
    /// Whisper.
    pub(crate) const WHISPER: Self = Self {
        attention: Self::CLIP.attention,
        norms: ["self_attn_layer_norm", "final_layer_norm"],
        perceptron: ["fc1", "fc2"],
    };
    /// wav2vec 2.0 and its successors.
    pub(crate) const WAV2VEC2: Self = Self {
        attention: ["attention.q_proj", "attention.k_proj", "attention.v_proj", "attention.out_proj"],
        norms: ["layer_norm", "final_layer_norm"],
        perceptron: ["feed_forward.intermediate_dense", "feed_forward.output_dense"],
    };
    /// ViT.
    pub(crate) const VIT: Self = Self {
        attention: [
            "attention.attention.query",
            "attention.attention.key",
            "attention.attention.value",
            "attention.output.dense",
        ],
        norms: ["layernorm_before", "layernorm_after"],
        perceptron: ["intermediate.dense", "output.dense"],
    };
    /// DINOv2; the layer scales are `layer_scale1.lambda1` and `layer_scale2.lambda1`.
    pub(crate) const DINOV2: Self =
        Self { attention: Self::VIT.attention, norms: ["norm1", "norm2"], perceptron: ["mlp.fc1", "mlp.fc2"] };
}

/// Sizes and kinds of the layers of a block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// Width d of the states.
    pub(crate) width: usize,
    /// Attention heads.
    pub(crate) heads: usize,
    /// Width of the perceptron's inner layer.
    pub(crate) inner: usize,
    /// Activation of the perceptron.
    pub(crate) activation: Activation,
    /// Epsilon of the norms.
    pub(crate) eps: f64,
    /// Whether a norm comes before each half (CLIP) rather than after the sum (BERT).
    pub(crate) norm_first: bool,
    /// Which of queries, keys and values have a bias.
    pub(crate) biases: Biases,
    /// Whether each half is scaled by a vector before it is added (DINOv2).
    pub(crate) layer_scale: bool,
}

/// A transformer block.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub(super) attention: Attention,
    pub(super) norms: [LayerNorm; 2],
    pub(super) perceptron: [Linear; 2],
    pub(super) scales: Option<[Tensor; 2]>,
    pub(super) activation: Activation,
    pub(super) norm_first: bool,
}

impl Block {
    /// Loads a block.
    ///
    /// # Errors
    /// [`EncoderError`](crate::embedding::encoders::EncoderError) naming the tensor that is missing or of another shape.
    pub(crate) fn load(weights: &Weights, names: &Names, shape: &Shape) -> Result<Self> {
        let attention = Attention::load(weights, names.attention, shape.width, shape.heads, shape.biases)?;
        Self::around(attention, weights, names, shape)
    }

    /// Loads a block around an attention that is at hand.
    ///
    /// # Errors
    /// As [`Block::load`].
    pub(crate) fn around(attention: Attention, weights: &Weights, names: &Names, shape: &Shape) -> Result<Self> {
        let Shape { width, inner, eps, .. } = *shape;
        let norm = |name| LayerNorm::load(weights, name, width, eps);
        let [up, down] = names.perceptron;
        let scale = |name| weights.get(name, &[width]);
        Ok(Self {
            attention,
            norms: [norm(names.norms[0])?, norm(names.norms[1])?],
            perceptron: [
                Linear::load(weights, up, width, inner, true)?,
                Linear::load(weights, down, inner, width, true)?,
            ],
            scales: if shape.layer_scale {
                Some([scale("layer_scale1.lambda1")?, scale("layer_scale2.lambda1")?])
            } else {
                None
            },
            activation: shape.activation,
            norm_first: shape.norm_first,
        })
    }

    /// Applies it to the states `[B, T, d]`.
    ///
    /// # Errors
    /// A candle error where shapes do not fit.
    pub(crate) fn forward(&self, x: &Tensor, mask: Option<&Mask>) -> Result<Tensor> {
        let attend = |x: &Tensor| self.attention.forward(x, mask);
        let perceive = |x: &Tensor| self.perceptron[1].forward(&self.perceptron[0].activated(x, self.activation)?);
        self.half(1, &self.half(0, x, attend)?, perceive)
    }

    /// Whether its weights are trained.
    fn is_trained(&self) -> bool {
        self.norms.iter().any(LayerNorm::is_trained)
    }

    fn half(&self, index: usize, x: &Tensor, layer: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
        let norm = &self.norms[index];
        let mut change = if self.norm_first { layer(&norm.forward(x)?)? } else { layer(x)? };
        if let Some(scales) = &self.scales {
            change = change.broadcast_mul(&scales[index])?;
        }
        let sum = (x + change)?;
        if self.norm_first { Ok(sum) } else { norm.forward(&sum) }
    }
}

/// The blocks of a transformer, one after the other.
#[derive(Debug, Clone)]
pub(crate) struct Blocks {
    blocks: Vec<Block>,
    /// The same, where all are on the processor in f32.
    on_host: Option<HostBlocks>,
}

impl Blocks {
    /// Blocks that are at hand.
    ///
    /// # Errors
    /// A candle error where their norms or scales cannot be read.
    pub(crate) fn new(blocks: Vec<Block>) -> Result<Self> {
        let on_host = HostBlocks::of(&blocks)?;
        Ok(Self { blocks, on_host })
    }

    /// Loads `count` blocks `part.0`, `part.1`, ...
    ///
    /// # Errors
    /// As [`Block::load`].
    pub(crate) fn load(weights: &Weights, part: &str, count: usize, names: &Names, shape: &Shape) -> Result<Self> {
        Self::load_some(weights, part, 0..count, names, shape)
    }

    /// Loads the blocks of these numbers.
    ///
    /// # Errors
    /// As [`Block::load`].
    pub(crate) fn load_some(
        weights: &Weights,
        part: &str,
        numbers: Range<usize>,
        names: &Names,
        shape: &Shape,
    ) -> Result<Self> {
        let block = |number| Block::load(&weights.under(&format!("{part}.{number}")), names, shape);
        Self::new(numbers.map(block).collect::<Result<_>>()?)
    }

    /// Returns the number of blocks.
    pub(crate) fn count(&self) -> usize {
        self.blocks.len()
    }

    /// Applies them to the states `[B, T, d]`.
    ///
    /// # Errors
    /// As [`Block::forward`].
    pub(crate) fn forward(&self, x: Tensor, mask: Option<&Mask>) -> Result<Tensor> {
        self.advance(x, mask, self.count())
    }

    /// Applies the first `count` of them to the states `[B, T, d]`.
    ///
    /// # Errors
    /// As [`Block::forward`].
    pub(crate) fn advance(&self, x: Tensor, mask: Option<&Mask>, count: usize) -> Result<Tensor> {
        let blocks = &self.blocks[..count.min(self.count())];
        let all = |x, mask: Option<&Mask>| blocks.iter().try_fold(x, |x: Tensor, block| block.forward(&x, mask));
        // Attention with gradients computes what it hides, which is the more the more sequences are in one row.
        if blocks.iter().any(Block::is_trained) {
            return all(x, mask);
        }
        packed(x, mask, |x, mask, _| {
            let on_host = self.on_host.as_ref().map(|host| host.forward(&x, mask, count)).transpose()?.flatten();
            on_host.map_or_else(|| all(x, mask), Ok)
        })
    }
}
