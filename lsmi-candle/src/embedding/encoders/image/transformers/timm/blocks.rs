//! The blocks of timm's transformers, whose tensors say what they have.

use candle_core::Tensor;

use super::super::block::{Block, PatchAttention, head_width, packed};
use crate::embedding::encoders::layers::{Activation, LayerNorm, Linear, Perceptron, Widths};
use crate::embedding::encoders::{Result, Weights};

/// What the tensors do not say, or not alone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) width: usize,
    pub(super) heads: usize,
    pub(super) eps: f64,
    pub(super) activation: Activation,
}

impl Shape {
    pub(super) fn head_width(&self) -> Result<usize> {
        head_width(self.width, self.heads)
    }
}

/// How many blocks there are; at least one, so that it is found missing.
pub(super) fn count(weights: &Weights) -> usize {
    let mut count = 1;
    while weights.contains(&format!("blocks.{count}.norm1.weight")) {
        count += 1;
    }
    count
}

/// The rows of a layer's weight, 1 where there is none, so that it is found missing.
pub(super) fn rows(weights: &Weights, name: &str) -> usize {
    let shape = weights.shape(&format!("{name}.weight"));
    shape.and_then(|shape| shape.first().copied()).filter(|rows| *rows > 0).unwrap_or(1)
}

/// A block of the vision transformer: also with normed queries and keys, with scales, and (the giant DINOv2) with a
/// gate.
pub(super) fn vit(weights: &Weights, shape: &Shape) -> Result<Block> {
    let Shape { width, eps, activation, .. } = *shape;
    let attention = weights.under("attn");
    let head_norms = if attention.contains("q_norm.weight") {
        let norm = |name| LayerNorm::load(&attention, name, shape.head_width()?, eps);
        Some([norm("q_norm")?, norm("k_norm")?])
    } else {
        None
    };
    let bias = attention.contains("qkv.bias");
    let scales = if weights.contains("ls1.gamma") {
        Some([weights.get("ls1.gamma", &[width])?, weights.get("ls2.gamma", &[width])?])
    } else {
        None
    };
    let (up, down) = (rows(weights, "mlp.fc1"), inner(weights, "mlp.fc2"));
    let layers = ["mlp.fc1", "mlp.fc2"];
    let widths = Widths { outer: width, inner: down, bias: true };
    block(weights, shape, scales, head_norms, Linear::load(&attention, "qkv", width, 3 * width, bias)?, {
        if up == 2 * down {
            Perceptron::load_packed(weights, layers, widths, Activation::Silu)?
        } else {
            Perceptron::load(weights, layers, widths, activation)?
        }
    })
}

/// A block of EVA-02: no bias of the keys, a gate, and in the larger models norms inside either half. The smaller
/// ones have queries, keys and values as one tensor, and the gate and what it lets through.
pub(super) fn eva02(weights: &Weights, shape: &Shape) -> Result<Block> {
    let Shape { width, eps, .. } = *shape;
    let attention = weights.under("attn");
    let silu = Activation::Silu;
    let widths = Widths { outer: width, inner: inner(weights, "mlp.fc2"), bias: true };
    let layer = if attention.contains("q_proj.weight") {
        packed(&attention, ["q_proj", "k_proj", "v_proj"], width, [true, false, true])?
    } else {
        let weight = attention.get("qkv.weight", &[3 * width, width])?;
        let [queries, values] = ["q_bias", "v_bias"].map(|name| attention.get(name, &[width]));
        let (queries, values) = (queries?, values?);
        Linear::new(weight, Some(Tensor::cat(&[&queries, &queries.zeros_like()?, &values], 0)?))
    };
    let perceptron = if weights.contains("mlp.fc1_g.weight") {
        let norm = || LayerNorm::load(weights, "mlp.norm", widths.inner, eps);
        let norm = weights.contains("mlp.norm.weight").then(norm).transpose()?;
        Perceptron::load_gated(weights, ["mlp.fc1_g", "mlp.fc1_x", "mlp.fc2"], widths, silu)?.with_norm(norm)
    } else {
        Perceptron::load_packed(weights, ["mlp.fc1", "mlp.fc2"], widths, silu)?
    };
    block(weights, shape, None, None, layer, perceptron)
}

fn block(
    weights: &Weights,
    shape: &Shape,
    scales: Option<[Tensor; 2]>,
    head_norms: Option<[LayerNorm; 2]>,
    packed: Linear,
    perceptron: Perceptron,
) -> Result<Block> {
    let Shape { width, heads, eps, .. } = *shape;
    let norm = |name| LayerNorm::load(weights, name, width, eps);
    let inner_norm = weights.contains("attn.norm.weight").then(|| norm("attn.norm")).transpose()?;
    let output = Linear::load(weights, "attn.proj", width, width, true)?;
    Ok(Block {
        norms: [norm("norm1")?, norm("norm2")?],
        attention: PatchAttention::new(packed, output, heads)?.with_norms(head_norms, inner_norm),
        perceptron,
        scales,
    })
}

/// The columns of a layer's weight, 1 where there is none.
fn inner(weights: &Weights, name: &str) -> usize {
    let shape = weights.shape(&format!("{name}.weight"));
    shape.and_then(|shape| shape.get(1).copied()).filter(|columns| *columns > 0).unwrap_or(1)
}
