//! From pictures, texts, sounds and videos to vectors: pretrained encoders, how their input is prepared, and where they come
//! from.
//!
//! [`hub`] fetches and checks files of the Hugging Face hub, [`manifests`] describe how each model is meant to be used,
//! [`preprocess`] turns files into tensors, [`encoders`] are the networks, and [`embedder`] joins the four. [`pipeline`] embeds
//! all rows of a table.

pub mod embedder;
pub mod encoders;
pub mod hub;
pub mod manifests;
pub mod pipeline;
pub mod preprocess;
