//! Transformers over the patches of a picture.

pub(super) mod dinov2;
pub(super) mod swin;
pub(super) mod vit;
