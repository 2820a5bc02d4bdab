//! DINOv3 (Siméoni et al., 2025): a vision transformer with registers whose patches are told apart by rotary
//! positions alone, of coordinates that run from -1 to 1 over any picture.

use std::f64::consts::TAU;

use candle_core::Tensor;

use super::block::{Block, PatchAttention, forward, head_width, packed};
use crate::embedding::encoders::image::patches::without_leading;
use crate::embedding::encoders::image::{map, width};
use crate::embedding::encoders::layers::{
    Convolution, GridRotary, LayerNorm, Linear, Pairs, Perceptron, Widths, Window,
};
use crate::embedding::encoders::{Config, Encoder, EncoderError, Hidden, ImageEncoder, Pooling, Result, Weights};

/// The token of hidden patches, used in training alone.
const UNUSED: &[&str] = &["*mask_token"];

/// DINOv3.
#[derive(Debug)]
pub(crate) struct Dinov3 {
    projection: Convolution,
    /// The class token and the registers, `[1, n, d]`.
    tokens: Tensor,
    blocks: Vec<Block>,
    norm: LayerNorm,
    patch: usize,
    width: usize,
    /// Of the angles, a quarter as many as a head is wide.
    frequencies: Vec<f64>,
}

impl Dinov3 {
    /// Loads it from the file of the model.
    pub(crate) fn load(config: &Config, weights: &Weights) -> Result<Self> {
        let width = config.count(&["hidden_size"], 384)?;
        let heads = config.count(&["num_attention_heads"], 6)?;
        let patch = config.count(&["patch_size"], 16)?;
        let registers = config.index(&["num_register_tokens"], 0)?;
        let layers = config.count(&["num_hidden_layers"], 12)?;
        let of_head = head_width(width, heads)?;
        if of_head % 4 != 0 {
            return Err(EncoderError::Input {
                what: "the width of an attention head",
                expected: "a multiple of 4".to_owned(),
                found: of_head.to_string(),
            });
        }
        let base = config.real(&["rope_theta"], 100.0)?;
        if base <= 0.0 {
            return Err(config.wrong("rope_theta", "a number above 0", Some(&base.into())));
        }
        let embeddings = weights.under("embeddings");
        let tokens =
            [embeddings.get("cls_token", &[1, 1, width])?, embeddings.get("register_tokens", &[1, registers, width])?];
        // Older files leave the name of the encoder inside the model out.
        let body = weights.under_one_of(&["model", ""], "layer.0.norm1.weight");
        let block = |index| block(config, &body.under(&format!("layer.{index}")), width, heads);
        let model = Self {
            projection: Convolution::load(&embeddings, "patch_embeddings", [3, width], Window::tile(patch), true)?,
            tokens: if registers > 0 { Tensor::cat(&tokens, 1)? } else { tokens[0].clone() },
            blocks: (0..layers).map(block).collect::<Result<_>>()?,
            norm: LayerNorm::load(weights, "norm", width, config.real(&["layer_norm_eps"], 1e-5)?)?,
            patch,
            width,
            frequencies: (0..of_head / 4).map(|index| base.powf(-4.0 * index as f64 / of_head as f64)).collect(),
        };
        weights.finish(UNUSED)?;
        Ok(model)
    }
}

fn block(config: &Config, weights: &Weights, width: usize, heads: usize) -> Result<Block> {
    let eps = config.real(&["layer_norm_eps"], 1e-5)?;
    let biases =
        [config.flag(&["query_bias"], true)?, config.flag(&["key_bias"], false)?, config.flag(&["value_bias"], true)?];
    let attention = weights.under("attention");
    let output = Linear::load(&attention, "o_proj", width, width, config.flag(&["proj_bias"], true)?)?;
    let widths = Widths {
        outer: width,
        inner: config.count(&["intermediate_size"], 1536)?,
        bias: config.flag(&["mlp_bias"], true)?,
    };
    let activation = config.activation(&["hidden_act"], "gelu")?;
    let layers = weights.under("mlp");
    Ok(Block {
        norms: [LayerNorm::load(weights, "norm1", width, eps)?, LayerNorm::load(weights, "norm2", width, eps)?],
        attention: PatchAttention::new(
            packed(&attention, ["q_proj", "k_proj", "v_proj"], width, biases)?,
            output,
            heads,
        )?,
        perceptron: if config.flag(&["use_gated_mlp"], false)? {
            Perceptron::load_gated(&layers, ["gate_proj", "up_proj", "down_proj"], widths, activation)?
        } else {
            Perceptron::load(&layers, ["up_proj", "down_proj"], widths, activation)?
        },
        scales: Some([weights.get("layer_scale1.lambda1", &[width])?, weights.get("layer_scale2.lambda1", &[width])?]),
    })
}

impl Encoder for Dinov3 {
    fn width(&self, pooling: Pooling) -> Result<usize> {
        width(pooling, self.width, true, Some(self.width), None)
    }

    fn pooling(&self) -> Pooling {
        Pooling::Cls
    }
}

impl ImageEncoder for Dinov3 {
    fn encode(&self, pixels: &Tensor) -> Result<Hidden> {
        let map = map(pixels, self.projection.dtype())?;
        let (batch, height, columns, _) = map.dims4()?;
        if height % self.patch != 0 || columns % self.patch != 0 {
            return Err(EncoderError::Input {
                what: "the size of the pictures",
                expected: format!("multiples of {} pixels", self.patch),
                found: format!("{height} x {columns}"),
            });
        }
        let leading = self.tokens.dim(1)?;
        // The centres of patches, the picture's edges at -1 and 1, in turns of a circle.
        let centres = |pixels: usize| -> Vec<f64> {
            let patches = pixels / self.patch;
            (0..patches).map(|patch| TAU * ((2 * patch + 1) as f64 / patches as f64 - 1.0)).collect()
        };
        let rotary = GridRotary::new(
            leading,
            [&centres(height), &centres(columns)],
            &self.frequencies,
            Pairs::Halves,
            map.dtype(),
            map.device(),
        )?;
        let patches = self.projection.forward(&map)?.flatten(1, 2)?;
        let tokens = self.tokens.expand((batch, leading, self.width))?;
        let x = Tensor::cat(&[&tokens, &patches], 1)?;
        let states = self.norm.forward(&forward(&self.blocks, x, Some(&rotary))?)?;
        let pooled = states.narrow(1, 0, 1)?.squeeze(1)?;
        let keep = Some(without_leading(&states, leading)?);
        Ok(Hidden { keep, states, leading: 0, pooled: Some(pooled), projected: None })
    }
}
