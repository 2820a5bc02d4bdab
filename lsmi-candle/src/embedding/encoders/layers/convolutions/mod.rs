//! Layers of convolutional networks, over maps whose channels lie together.

mod batch_norm;
mod convolution;
mod depthwise;
mod frames;
mod rectifier;
mod tubelets;
mod window;

pub(crate) use batch_norm::BatchNorm;
pub(crate) use convolution::Convolution;
pub(crate) use depthwise::Depthwise;
pub(crate) use frames::FrameConvolution;
pub(crate) use rectifier::Rectifier;
pub(crate) use tubelets::{TubeletSize, Tubelets};
pub(crate) use window::{Padding, Window};
