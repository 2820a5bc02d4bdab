//! The layers that encoders share, for inference alone.
//!
//! Weights have no gradients. On the processor, in f32, products, attention and what lies between them (norms, activations) are
//! our own and run on the thread that calls them; elsewhere, and in f16 and bf16, they are candle's, with norms and softmax
//! summed in f32.

mod activation;
mod attention;
mod batch_norm;
mod block;
mod convolution;
mod depthwise;
mod grid_rotary;
mod linear;
mod norm;
mod passes;
mod perceptron;
mod rectifier;
mod rotary;
mod window;

pub use activation::Activation;
pub(crate) use attention::{Attention, Band, Biases, CrossAttention, Mask, attention, biased_attention, packed};
pub(crate) use block::{Blocks, Names, Shape};
pub(crate) use convolution::Convolution;
pub(crate) use depthwise::Depthwise;
pub(crate) use grid_rotary::{GridRotary, Pairs};
pub(crate) use linear::Linear;
pub(crate) use norm::LayerNorm;
pub(crate) use perceptron::{Perceptron, Widths};
pub(crate) use rectifier::Rectifier;
pub(crate) use rotary::Rotary;
pub(crate) use window::{Padding, Window};
