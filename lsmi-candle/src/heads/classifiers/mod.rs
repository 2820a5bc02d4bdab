//! Classifiers: the kinds of models that families fit, each with its fit and its posteriors.

pub(super) mod network;
pub(super) mod ridge;
pub(super) mod trees;

mod generative;

pub(crate) use generative::GenerativeHead;
