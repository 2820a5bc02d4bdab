//! From the interactions of samples to decisions about them: parts, policies, weights.
//!
//! 1. [`partition`]: the samples high in an interaction, those low in it and those between.
//! 2. [`crate::Interactions`]: what is known of samples, by id.
//! 3. [`policy`]: rules that weigh the losses of samples by their interactions, as a [`crate::Plan`].

pub mod partition;
pub mod policy;

pub(crate) mod interactions;
pub(crate) mod lookup;
pub(crate) mod plan;
