//! Distils outputs of all samples alike.

use super::{Policy, Progress, alike};
use crate::decide::interactions::Interactions;
use crate::decide::plan::Plan;
use crate::error::Result;

/// Distils outputs of all samples alike.
#[derive(Debug, Clone, Copy, Default)]
pub struct OutputPolicy;

impl Policy for OutputPolicy {
    fn name(&self) -> &'static str {
        "output"
    }

    fn plan(&self, samples: &Interactions, _: &Progress) -> Result<Plan> {
        alike(samples, 0.0, 1.0)
    }
}
