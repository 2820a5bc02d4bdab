//! The layers that encoders share, for inference alone.
//!
//! Weights are plain tensors without gradients. Products are left to candle; what lies between them (norms, softmax,
//! activations) goes over the numbers once. In f16 and bf16 their sums are f32.

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
mod shifted_windows;
mod window;

pub use activation::Activation;
pub(crate) use attention::{Attention, Biases, Mask, attention};
pub(crate) use block::{Blocks, Names, Shape};
pub(crate) use convolution::Convolution;
pub(crate) use depthwise::Depthwise;
pub(crate) use grid_rotary::{GridRotary, Pairs};
pub(crate) use linear::Linear;
pub(crate) use norm::LayerNorm;
pub(crate) use perceptron::{Perceptron, Widths};
pub(crate) use rectifier::Rectifier;
pub(crate) use rotary::Rotary;
pub(crate) use shifted_windows::{WindowNames, WindowShape, WindowStages};
pub(crate) use window::{Padding, Window};
