//! The layers that encoders share, for inference alone.
//!
//! Weights have no gradients. On the processor, in f32, products, attention and what lies between them (norms, activations) are
//! our own and run on the thread that calls them; elsewhere, and in f16 and bf16, they are candle's, with norms and softmax
//! summed in f32.

mod activation;
mod attention;
mod batch_norm;
mod biased;
mod block;
mod convolution;
mod depthwise;
mod grid_rotary;
mod gated;
mod grouped;
mod linear;
mod norm;
mod passes;
mod perceptron;
mod rectifier;
mod relative;
mod rms_norm;
mod rotary;
mod shifted_windows;
mod tubelets;
mod window;

pub use activation::Activation;
pub(crate) use attention::{Attention, Band, Biases, CrossAttention, Mask, attention, biased_attention, packed};
pub(crate) use block::{Blocks, Names, Shape};
pub(crate) use attention::{Attention, Biases, Mask, attention};
pub(crate) use batch_norm::BatchNorm;
pub(crate) use biased::biased_attention;
pub(crate) use block::{Block, Blocks, Names, Shape};
pub(crate) use convolution::Convolution;
pub(crate) use depthwise::Depthwise;
pub(crate) use grid_rotary::{GridRotary, Pairs};
pub(crate) use gated::GatedPerceptron;
pub(crate) use grouped::{GroupedAttention, GroupedShape, HeadNorms};
pub(crate) use linear::Linear;
pub(crate) use norm::LayerNorm;
pub(crate) use perceptron::{Perceptron, Widths};
pub(crate) use rectifier::Rectifier;
pub(crate) use relative::{Buckets, DistanceBias, Distances, RelativeAttention, RelativeShape, hidden, pairs};
pub(crate) use rms_norm::RmsNorm;
pub(crate) use rotary::Rotary;
pub(crate) use shifted_windows::{WindowNames, WindowShape, WindowStages};
pub(crate) use tubelets::{TubeletSize, Tubelets};
pub(crate) use window::{Padding, Window};
