//! Distils features and outputs of all samples alike.

use super::{Policy, Progress, alike};
use crate::decide::interactions::Interactions;
use crate::decide::plan::Plan;
use crate::error::Result;

/// Distils features and outputs of all samples alike.
#[derive(Debug, Clone, Copy, Default)]
pub struct BothPolicy;

impl Policy for BothPolicy {
    fn name(&self) -> &'static str {
        "both"
    }

    fn plan(&self, samples: &Interactions, _: &Progress) -> Result<Plan> {
        alike(samples, 1.0, 1.0)
    }
}
