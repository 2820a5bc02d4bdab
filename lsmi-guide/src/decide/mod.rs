//! From the interactions of samples to decisions about them: parts, policies, weights.

pub mod partition;
pub mod policy;

pub(crate) mod interactions;
pub(crate) mod lookup;
pub(crate) mod plan;
