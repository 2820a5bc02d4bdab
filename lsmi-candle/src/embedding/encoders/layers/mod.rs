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
mod linear;
mod norm;
mod passes;
mod rectifier;
mod rotary;
mod window;

pub use activation::Activation;
pub use attention::{Attention, Biases, Mask};
pub use block::{Block, Blocks, Names, Shape};
pub use convolution::Convolution;
pub use depthwise::Depthwise;
pub use linear::Linear;
pub use norm::LayerNorm;
pub use rectifier::Rectifier;
pub use rotary::Rotary;
pub use window::{Padding, Window};
