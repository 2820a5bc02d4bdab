//! The layers that encoders share.
//!
//! On the processor, in f32, products, attention and what lies between them (norms, activations) are our own, have no gradients
//! and run on the thread that calls them; elsewhere, and in f16 and bf16, they are candle's, with norms and softmax
//! summed in f32. Linear layers, attention, norms and activations of weights that are trained ([`Weights::is_trained`]), and
//! those behind them, are candle's too, with their gradients. A layer that has none refuses states that one is asked of.
//!
//! [`Weights::is_trained`]: super::Weights::is_trained

mod activation;
mod attention;
mod block;
mod convolutions;
mod gated;
#[cfg(test)]
mod gradients;
mod host_blocks;
mod linear;
mod norm;
mod passes;
mod perceptron;
mod rms_norm;
mod rotary;
mod shifted_windows;

pub use activation::Activation;
pub(crate) use attention::{
    Attention, Band, Biases, Buckets, CrossAttention, DistanceBias, GroupedAttention, GroupedShape, HeadNorms, Mask,
    RelativeAttention, RelativeShape, attention, attention_by_heads, hidden, packed, pairs,
};
pub(crate) use block::{Block, Blocks, Names, Shape};
pub(crate) use convolutions::{
    BatchNorm, Convolution, Depthwise, FrameConvolution, Padding, Rectifier, TubeletSize, Tubelets, Window,
};
pub(crate) use gated::GatedPerceptron;
pub(crate) use linear::Linear;
pub(crate) use norm::LayerNorm;
pub(crate) use perceptron::{Perceptron, Widths};
pub(crate) use rms_norm::RmsNorm;
pub(crate) use rotary::{GridRotary, Pairs, Rotary};
pub(crate) use shifted_windows::{WindowNames, WindowShape, WindowStages};
