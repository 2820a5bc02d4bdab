//! Decoders of language models that were trained further to encode: a norm stands before each half of a block, and
//! positions are told by rotation.

mod decoder;
pub(super) mod gemma3;
pub(super) mod qwen;
