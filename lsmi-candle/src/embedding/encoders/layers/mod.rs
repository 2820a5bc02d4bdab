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
mod gated;
mod grouped;
mod linear;
mod norm;
mod passes;
mod rectifier;
mod rms_norm;
mod rotary;
mod window;

pub use activation::Activation;
pub(crate) use attention::{Attention, Biases, Mask};
pub(crate) use block::{Blocks, Names, Shape};
pub(crate) use convolution::Convolution;
pub(crate) use depthwise::Depthwise;
pub(crate) use gated::GatedPerceptron;
pub(crate) use grouped::{GroupedAttention, GroupedShape, HeadNorms};
pub(crate) use linear::Linear;
pub(crate) use norm::LayerNorm;
pub(crate) use rectifier::Rectifier;
pub(crate) use rms_norm::RmsNorm;
pub(crate) use rotary::Rotary;
pub(crate) use window::{Padding, Window};
