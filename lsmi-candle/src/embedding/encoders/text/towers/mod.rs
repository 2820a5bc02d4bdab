//! The text towers of models that put texts and something else into one space.

pub(super) mod clap;
pub(super) mod clip;
pub(super) mod siglip;
