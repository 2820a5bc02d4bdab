//! Weighs samples by the teacher's confidence alone: outputs where it is sure, features where it is not.
//!
//! With c the probability of the teacher's most probable class, output distillation weighs c and feature distillation
//! 1 - c. No interaction enters: what a policy by interactions gains beyond this one is not owed to samples being easy or hard
//! for the teacher.

use std::sync::Arc;

use super::{Policy, Progress};
use crate::decide::interactions::Interactions;
use crate::decide::plan::{Losses, Plan, Weights};
use crate::error::{GuideError, Result};

/// Weighs outputs by the teacher's confidence and features by what it lacks.
#[derive(Debug, Clone, Copy, Default)]
pub struct ConfidencePolicy;

impl Policy for ConfidencePolicy {
    fn name(&self) -> &'static str {
        "confidence"
    }

    fn losses(&self) -> Losses {
        Losses { feature: true, output: true, auxiliary: false }
    }

    fn needs_interactions(&self) -> bool {
        false
    }

    fn plan(&self, samples: &Interactions, _: &Progress) -> Result<Plan> {
        let confidence = samples.confidence().ok_or(GuideError::NoConfidence { policy: self.name() })?;
        let weights = Weights {
            feature: confidence.iter().map(|confidence| (1.0 - confidence).max(0.0)).collect(),
            output: confidence.to_vec(),
            ..Weights::off(samples.len())
        };
        Plan::by(Arc::clone(samples.lookup()), weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::interactions::tests::five;

    #[test]
    fn shares_follow_the_confidence() {
        let samples = five().with_confidence(vec![0.5, 1.0, 0.5, 1.0, 0.5]).unwrap();
        let plan = ConfidencePolicy.plan(&samples, &Progress::default()).unwrap();
        assert_eq!(plan.weights().feature, [5.0 / 3.0, 0.0, 5.0 / 3.0, 0.0, 5.0 / 3.0]);
        assert_eq!(plan.weights().output[1] / plan.weights().output[0], 2.0);
    }

    #[test]
    fn without_confidence_there_is_no_plan() {
        let error = ConfidencePolicy.plan(&five(), &Progress::default()).unwrap_err();
        assert!(matches!(error, GuideError::NoConfidence { policy: "confidence" }));
    }
}
