//! The vision transformer (Dosovitskiy et al., ICLR 2021) and EVA-02 (Fang et al., 2023) as the library timm lays
//! them out (Wightman, 2019): what has been varied is in the name of the model and in which tensors there are.

mod blocks;
mod name;

use candle_core::Tensor;

use name::{Called, Pool};

use super::block::{Block, forward};
use crate::embedding::encoders::image::patches::{Patches, Sizes, without_leading};
use crate::embedding::encoders::image::towers::Head;
use crate::embedding::encoders::image::width;
use crate::embedding::encoders::layers::{Convolution, CrossAttention, GridRotary, LayerNorm, Linear, Pairs, Window};
use crate::embedding::encoders::{
    Architecture, Config, Encoder, EncoderError, Hidden, ImageEncoder, Modality, Pooling, Result, Weights,
};

/// The classifier, and what restores hidden patches, used in training alone.
const UNUSED: &[&str] = &["*head.weight", "*head.bias", "*mask_token"];
/// Patches of either side of the pictures that EVA-02 was trained on at first; those of larger ones lie between their
/// positions.
const TRAINED_GRID: f64 = 16.0;
/// The base of EVA-02's angles.
const BASE: f64 = 10_000.0;

/// A vision transformer of timm.
#[derive(Debug)]
pub(crate) struct TimmVit {
    patches: Patches,
    /// Tokens before the patches.
    leading: usize,
    has_class_token: bool,
    first_norm: Option<LayerNorm>,
    blocks: Vec<Block>,
    rotary: Option<GridRotary>,
    last_norm: Option<LayerNorm>,
    pool: Pool,
    /// The query that attends to the patches, where the pool is one.
    head: Option<Head>,
    /// Where it comes after the pool and not before it.
    pool_norm: Option<LayerNorm>,
    width: usize,
}

impl TimmVit {
    /// Loads it from timm's file, or from that of the wrapper of transformers around it.
    pub(crate) fn load(config: &Config, weights: &Weights) -> Result<Self> {
        let is_eva02 = config.network(Modality::Image)? == Architecture::TimmEva02;
        let called = Called::read(config, is_eva02)?;
        let body = weights.under_one_of(&["timm_model", ""], "patch_embed.proj.weight");
        let table = body.shape("pos_embed").and_then(|shape| shape.last().copied()).filter(|width| *width > 0);
        let width = config.count(&["num_features"], table)?;
        let heads = called.heads(width);
        let sizes = Sizes { image: called.image, patch: called.patch, width };

        let norm = |name: &str| {
            let norm = || LayerNorm::load(&body, name, width, called.eps);
            body.contains(&format!("{name}.weight")).then(norm).transpose()
        };
        let first_norm = norm("norm_pre")?;
        let pool_norm = norm("fc_norm")?;
        let last_norm =
            if pool_norm.is_some() { None } else { Some(LayerNorm::load(&body, "norm", width, called.eps)?) };

        let count = blocks::count(&body);
        let load = if is_eva02 { blocks::eva02 } else { blocks::vit };
        let shape = blocks::Shape { width, heads, eps: called.eps, activation: called.activation };
        let block = |index| load(&body.under(&format!("blocks.{index}")), &shape);
        let blocks = (0..count).map(block).collect::<Result<Vec<_>>>()?;

        // Before a norm of the patches their layer has no bias.
        let projection =
            Convolution::load(&body, "patch_embed.proj", [3, width], Window::tile(called.patch), first_norm.is_none())?;
        let has_class_token = body.contains("cls_token");
        let tokens = tokens(&body, has_class_token, width)?;
        let leading = tokens.as_ref().map_or(Ok(0), |tokens| tokens.dim(1))?;
        let grid = called.image / called.patch;
        // The table has rows for the tokens or, in newer models, for patches alone.
        let placed = body.shape("pos_embed") != Some(&[1, grid * grid, width]);
        let length = grid * grid + if placed { leading } else { 0 };
        let positions = body.get("pos_embed", &[1, length, width])?;
        let (placed, unplaced) = if placed { (tokens, None) } else { (None, tokens) };

        let pool = called.pool.unwrap_or(if body.contains("attn_pool.latent") {
            Pool::Query
        } else if pool_norm.is_some() || !has_class_token {
            Pool::Mean
        } else {
            Pool::ClassToken
        });
        if pool == Pool::ClassToken && !has_class_token {
            return Err(config.wrong("global_pool", "avg or map: there is no class token", Some(&"token".into())));
        }
        let rotary = if is_eva02 { Some(rotary(grid, leading, shape.head_width()?, &positions)?) } else { None };
        let model = Self {
            patches: Patches::new(projection, placed, positions, sizes)?.with_unplaced(unplaced),
            leading,
            has_class_token,
            first_norm,
            blocks,
            rotary,
            last_norm,
            pool,
            head: if pool == Pool::Query { Some(head(&body.under("attn_pool"), &shape)?) } else { None },
            pool_norm,
            width,
        };
        weights.finish(UNUSED)?;
        Ok(model)
    }
}

/// The class token and the registers, `[1, n, d]`.
fn tokens(weights: &Weights, has_class_token: bool, width: usize) -> Result<Option<Tensor>> {
    let mut tokens = Vec::new();
    if has_class_token {
        tokens.push(weights.get("cls_token", &[1, 1, width])?);
    }
    if let Some(&[_, registers, _]) = weights.shape("reg_token") {
        tokens.push(weights.get("reg_token", &[1, registers, width])?);
    }
    Ok(if tokens.is_empty() { None } else { Some(Tensor::cat(&tokens, 1)?) })
}

/// The angles of a square of patches.
fn rotary(grid: usize, leading: usize, head_width: usize, like: &Tensor) -> Result<GridRotary> {
    if !head_width.is_multiple_of(4) {
        return Err(EncoderError::Input {
            what: "the width of an attention head",
            expected: "a multiple of 4".to_owned(),
            found: head_width.to_string(),
        });
    }
    let places: Vec<f64> = (0..grid).map(|place| place as f64 / grid as f64 * TRAINED_GRID).collect();
    let frequencies: Vec<f64> =
        (0..head_width / 4).map(|index| BASE.powf(-4.0 * index as f64 / head_width as f64)).collect();
    GridRotary::new(leading, [&places, &places], &frequencies, Pairs::Neighbours, like.dtype(), like.device())
}

/// A query that attends to the patches, and a perceptron.
fn head(weights: &Weights, shape: &blocks::Shape) -> Result<Head> {
    let blocks::Shape { width, heads, eps, activation } = *shape;
    let inner = blocks::rows(weights, "mlp.fc1");
    let part = |field: &str, shape: [&[usize]; 2]| -> Result<Tensor> {
        let [query, rest] = ["q", "kv"].map(|name| format!("{name}.{field}"));
        Ok(Tensor::cat(&[weights.get(&query, shape[0])?, weights.get(&rest, shape[1])?], 0)?)
    };
    let weight = part("weight", [&[width, width], &[2 * width, width]])?;
    let bias = part("bias", [&[width], &[2 * width]])?;
    let output = Linear::load(weights, "proj", width, width, true)?;
    Ok(Head {
        query: weights.get("latent", &[1, 1, width])?,
        attention: CrossAttention::new(&weight, Some(&bias), output, heads)?,
        norm: LayerNorm::load(weights, "norm", width, eps)?,
        perceptron: [
            Linear::load(weights, "mlp.fc1", width, inner, true)?,
            Linear::load(weights, "mlp.fc2", inner, width, true)?,
        ],
        activation,
    })
}

impl Encoder for TimmVit {
    fn width(&self, pooling: Pooling) -> Result<usize> {
        width(pooling, self.width, self.has_class_token, Some(self.width), None)
    }

    fn pooling(&self) -> Pooling {
        Pooling::Pooler
    }
}

impl ImageEncoder for TimmVit {
    fn encode(&self, pixels: &Tensor) -> Result<Hidden> {
        let mut x = self.patches.forward(pixels)?;
        if let Some(norm) = &self.first_norm {
            x = norm.forward(&x)?;
        }
        let mut states = forward(&self.blocks, x, self.rotary.as_ref())?;
        if let Some(norm) = &self.last_norm {
            states = norm.forward(&states)?;
        }
        let patches = || states.narrow(1, self.leading, states.dim(1)? - self.leading);
        let mut pooled = match (&self.head, self.pool) {
            (Some(head), _) => head.forward(&patches()?.contiguous()?)?,
            (None, Pool::ClassToken) => states.narrow(1, 0, 1)?.squeeze(1)?.contiguous()?,
            (None, Pool::Greatest) => patches()?.max(1)?,
            (None, Pool::Mean | Pool::Query) => patches()?.mean(1)?,
        };
        if let Some(norm) = &self.pool_norm {
            pooled = norm.forward(&pooled)?;
        }
        let keep = Some(without_leading(&states, self.leading)?);
        Ok(Hidden { keep, states, leading: 0, pooled: Some(pooled), projected: None })
    }
}
