//! Convolutional networks.

pub(super) mod convnext;
mod convnext_names;
pub(super) mod efficientnet_lite;
pub(super) mod resnet;
