//! Weighs all samples alike: the policies that need no interactions.

use std::sync::Arc;

use super::{Policy, Progress};
use crate::decide::interactions::Interactions;
use crate::decide::plan::{Losses, Plan, Weights};
use crate::error::Result;

/// Gives every sample the weight 1 in the same losses, whatever its interactions.
///
/// | name | features | outputs | auxiliary losses |
/// |---|---|---|---|
/// | `none` | | | |
/// | `feature` | x | | |
/// | `output` | | x | |
/// | `both` | x | x | |
/// | `all` | x | x | x |
/// | `auxiliary` | | | x |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Constant(pub Losses);

impl Policy for Constant {
    fn name(&self) -> &'static str {
        let Losses { feature, output, auxiliary } = self.0;
        match (feature, output, auxiliary) {
            (false, false, false) => "none",
            (true, false, false) => "feature",
            (false, true, false) => "output",
            (true, true, false) => "both",
            (true, true, true) => "all",
            (false, false, true) => "auxiliary",
            (true, false, true) => "feature and auxiliary",
            (false, true, true) => "output and auxiliary",
        }
    }

    fn losses(&self) -> Losses {
        self.0
    }

    fn needs_interactions(&self) -> bool {
        false
    }

    fn plan(&self, samples: &Interactions, _: &Progress) -> Result<Plan> {
        Plan::by(Arc::clone(samples.lookup()), Weights::alike(samples.len(), self.0))
    }
}
