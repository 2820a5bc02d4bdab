//! The picture towers of models that put pictures and texts into one space.

pub(super) mod clip;
pub(super) mod siglip;

pub(super) use siglip::Head;
