//! Distils features of all samples alike.

use super::{Policy, Progress, alike};
use crate::decide::interactions::Interactions;
use crate::decide::plan::Plan;
use crate::error::Result;

/// Distils features of all samples alike.
#[derive(Debug, Clone, Copy, Default)]
pub struct FeaturePolicy;

impl Policy for FeaturePolicy {
    fn name(&self) -> &'static str {
        "feature"
    }

    fn plan(&self, samples: &Interactions, _: &Progress) -> Result<Plan> {
        alike(samples, 1.0, 0.0)
    }
}
