//! The transformer that all towers share, and the head after it.
//!
//! Towers of sound, depth, temperature and movement look at one more key and value, which are learnt and not of the input.

use candle_core::{D, Tensor};

use crate::embedding::encoders::layers::{Activation, LayerNorm, Linear, Mask, attention};
use crate::embedding::encoders::{Config, EncoderError, Hidden, Pooling, Result, Weights};

/// The epsilon of all norms but those of patches.
const EPS: f64 = 1e-6;
/// How much wider the perceptrons are inside.
const INNER: usize = 4;

/// The sizes of a tower, and what is particular to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) width: usize,
    pub(super) blocks: usize,
    pub(super) heads: usize,
    /// Whether a norm comes before the first block.
    pub(super) first_norm: bool,
    /// Whether there is a key and a value that are not of the input.
    pub(super) learnt_key: bool,
    /// Width of the shared space.
    pub(super) outputs: usize,
}

/// A tower without what makes states of its inputs.
#[derive(Debug)]
pub(super) struct Trunk {
    first_norm: Option<LayerNorm>,
    blocks: Vec<Block>,
    norm: LayerNorm,
    projection: Linear,
    width: usize,
}

#[derive(Debug)]
struct Block {
    norms: [LayerNorm; 2],
    /// Queries, scaled, keys and values in one.
    packed: Linear,
    /// A key and a value, `[1, heads, 1, d / heads]`.
    learnt: Option<[Tensor; 2]>,
    output: Linear,
    perceptron: [Linear; 2],
    heads: usize,
}

impl Trunk {
    /// Loads the trunk and the head of a modality; the layers of the head have these numbers.
    pub(super) fn load(weights: &Weights, modality: &str, head: [&str; 2], shape: &Shape) -> Result<Self> {
        let trunk = weights.under(&format!("modality_trunks.{modality}"));
        let first_norm = if shape.first_norm {
            Some(LayerNorm::load(&trunk, "pre_transformer_layer.0", shape.width, EPS)?)
        } else {
            None
        };
        let block = |index| Block::load(&trunk.under(&format!("blocks.{index}")), shape);
        let [norm, projection] = head;
        let head = weights.under(&format!("modality_heads.{modality}"));
        Ok(Self {
            first_norm,
            blocks: (0..shape.blocks).map(block).collect::<Result<_>>()?,
            norm: LayerNorm::load(&head, norm, shape.width, EPS)?,
            projection: Linear::load(&head, projection, shape.width, shape.outputs, false)?,
            width: shape.width,
        })
    }

    /// The last states `[B, T, d]`.
    pub(super) fn forward(&self, mut x: Tensor, mask: Option<&Mask>) -> Result<Tensor> {
        if let Some(norm) = &self.first_norm {
            x = norm.forward(&x)?;
        }
        self.blocks.iter().try_fold(x, |x, block| block.forward(&x, mask))
    }

    /// What the head makes of the states `[B, d]` that stand for the inputs.
    pub(super) fn hidden(&self, states: Tensor, chosen: &Tensor, keep: Tensor) -> Result<Hidden> {
        let pooled = self.norm.forward(&chosen.contiguous()?)?;
        let projected = Some(self.projection.forward(&pooled)?);
        Ok(Hidden { states, keep: Some(keep), leading: 0, pooled: Some(pooled), projected })
    }

    /// The width of a pooling; texts have no class token.
    pub(super) fn width(&self, pooling: Pooling, class_token: bool) -> Result<usize> {
        let of = |pooling: &Pooling| match pooling {
            Pooling::Projection => Some(self.projection.outputs()),
            Pooling::Mean | Pooling::Max | Pooling::Pooler => Some(self.width),
            Pooling::Cls => class_token.then_some(self.width),
            Pooling::Last | Pooling::MeanSqrt | Pooling::WeightedMean => (!class_token).then_some(self.width),
        };
        of(&pooling).ok_or_else(|| EncoderError::Pooling {
            pooling,
            offered: Pooling::ALL.into_iter().filter(|pooling| of(pooling).is_some()).collect(),
        })
    }
}

impl Block {
    fn load(weights: &Weights, shape: &Shape) -> Result<Self> {
        let Shape { width, heads, .. } = *shape;
        if heads == 0 || width % heads != 0 {
            return Err(EncoderError::Input {
                what: "the number of attention heads",
                expected: format!("a divisor of the width {width}"),
                found: heads.to_string(),
            });
        }
        let layer = weights.under("attn");
        let scale = 1.0 / ((width / heads) as f64).sqrt();
        let scaled = |rows: &Tensor| -> Result<Tensor> {
            Ok(Tensor::cat(&[(rows.narrow(0, 0, width)? * scale)?, rows.narrow(0, width, 2 * width)?], 0)?)
        };
        let weight = scaled(&layer.get("in_proj_weight", &[3 * width, width])?)?;
        let bias = scaled(&layer.get("in_proj_bias", &[3 * width])?)?;
        let one =
            |name| -> Result<Tensor> { Ok(layer.get(name, &[1, 1, width])?.reshape((1, heads, 1, width / heads))?) };
        Ok(Self {
            norms: [LayerNorm::load(weights, "norm_1", width, EPS)?, LayerNorm::load(weights, "norm_2", width, EPS)?],
            packed: Linear::new(weight, Some(bias))?,
            learnt: if shape.learnt_key { Some([one("bias_k")?, one("bias_v")?]) } else { None },
            output: Linear::load(&layer, "out_proj", width, width, true)?,
            perceptron: [
                Linear::load(weights, "mlp.fc1", width, INNER * width, true)?,
                Linear::load(weights, "mlp.fc2", INNER * width, width, true)?,
            ],
            heads,
        })
    }

    fn forward(&self, x: &Tensor, mask: Option<&Mask>) -> Result<Tensor> {
        let x = (x + self.attend(&self.norms[0].forward(x)?, mask)?)?;
        let inner = self.perceptron[0].activated(&self.norms[1].forward(&x)?, Activation::Gelu)?;
        Ok((&x + self.perceptron[1].forward(&inner)?)?)
    }

    fn attend(&self, x: &Tensor, mask: Option<&Mask>) -> Result<Tensor> {
        let (batch, length, width) = x.dims3()?;
        let packed = self.packed.forward(x)?.reshape((batch, length, 3, self.heads, width / self.heads))?;
        let part = |index| packed.narrow(2, index, 1)?.squeeze(2)?.transpose(1, 2)?.contiguous();
        let [queries, mut keys, mut values] = [part(0)?, part(1)?, part(2)?];
        if let Some([key, value]) = &self.learnt {
            let behind = |all: &Tensor, one: &Tensor| {
                Tensor::cat(&[all, &one.expand((batch, self.heads, 1, all.dim(D::Minus1)?))?], 2)?.contiguous()
            };
            (keys, values) = (behind(&keys, key)?, behind(&values, value)?);
        }
        let heads = attention(&queries, &keys, &values, mask)?;
        self.output.forward(&heads.transpose(1, 2)?.reshape((batch, length, width))?)
    }
}

/// The sizes as the authors' constructor calls them. A file that says none of them is of the released model; one that says
/// some leaves out those that are as the constructor has them.
pub(super) struct Sizes<'config> {
    config: &'config Config,
    released: bool,
}

/// Fields that tell a file that says sizes from one that says none.
const SAID: [&str; 3] = ["out_embed_dim", "vision_embed_dim", "text_embed_dim"];

impl<'config> Sizes<'config> {
    pub(super) fn of(config: &'config Config) -> Self {
        Self { config, released: !config.has(&SAID[..1]) && !config.has(&SAID[1..]) }
    }

    /// A size: the constructor's, and that of the released model.
    pub(super) fn count(&self, name: &str, [usual, released]: [usize; 2]) -> Result<usize> {
        self.config.count(&[name], if self.released { released } else { usual })
    }

    /// The shape of a tower; `sizes` are pairs of width, blocks and heads.
    pub(super) fn shape(&self, modality: &str, sizes: [[usize; 2]; 3]) -> Result<Shape> {
        let size = |part: &str, pair| self.count(&format!("{modality}_{part}"), pair);
        Ok(Shape {
            width: size("embed_dim", sizes[0])?,
            blocks: size("num_blocks", sizes[1])?,
            heads: size("num_heads", sizes[2])?,
            first_norm: false,
            learnt_key: false,
            outputs: self.count("out_embed_dim", [768, 1024])?,
        })
    }
}
