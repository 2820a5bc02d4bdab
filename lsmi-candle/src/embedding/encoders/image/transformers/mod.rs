//! Transformers over the patches of a picture.

mod block;
pub(super) mod dinov2;
pub(super) mod dinov3;
pub(super) mod swin;
pub(super) mod timm;
pub(super) mod vit;
