//! Convolutional networks.

pub(super) mod convnext;
pub(super) mod efficientnet_lite;
pub(super) mod resnet;
