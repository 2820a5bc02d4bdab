//! The layers that encoders share, for inference alone.
//!
//! Weights are plain tensors without gradients. Products are left to candle; what lies between them (norms, softmax,
//! activations) goes over the numbers once. In f16 and bf16 their sums are f32.

mod activation;
mod attention;
mod batch_norm;
mod biased;
mod block;
mod convolution;
mod depthwise;
mod linear;
mod norm;
mod passes;
mod rectifier;
mod rotary;
mod shifted_windows;
mod tubelets;
mod window;

pub use activation::Activation;
pub(crate) use attention::{Attention, Biases, Mask, attention};
pub(crate) use batch_norm::BatchNorm;
pub(crate) use biased::biased_attention;
pub(crate) use block::{Block, Blocks, Names, Shape};
pub(crate) use convolution::Convolution;
pub(crate) use depthwise::Depthwise;
pub(crate) use linear::Linear;
pub(crate) use norm::LayerNorm;
pub(crate) use rectifier::Rectifier;
pub(crate) use rotary::Rotary;
pub(crate) use shifted_windows::{WindowNames, WindowShape, WindowStages};
pub(crate) use tubelets::{TubeletSize, Tubelets};
pub(crate) use window::{Padding, Window};
