//! Distils nothing: the student learns from labels alone.

use super::{Policy, Progress, alike};
use crate::decide::interactions::Interactions;
use crate::decide::plan::Plan;
use crate::error::Result;

/// Distils nothing: the student learns from labels alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct NonePolicy;

impl Policy for NonePolicy {
    fn name(&self) -> &'static str {
        "none"
    }

    fn plan(&self, samples: &Interactions, _: &Progress) -> Result<Plan> {
        alike(samples, 0.0, 0.0)
    }
}
