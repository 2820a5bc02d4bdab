//! Dynamic fusion: the auxiliary loss of a modality weighs by how much that modality tells of the sample.
//!
//! ```text
//! weight_m = max(r + u_m, 0) = max(i_m, 0)
//! ```
//!
//! scaled over samples as every column of a plan is. Nothing is distilled. [`AuxiliaryPolicy`] is the same without
//! modulation: all samples alike.

use std::sync::Arc;

use super::{Policy, Progress};
use crate::error::Result;
use crate::interactions::Interactions;
use crate::plan::{Plan, Weights};

/// Auxiliary losses by what the modality tells; no distillation.
#[derive(Debug, Clone, Copy, Default)]
pub struct ModalityPolicy;

/// Auxiliary losses of all samples alike; no distillation.
#[derive(Debug, Clone, Copy, Default)]
pub struct AuxiliaryPolicy;

impl Policy for ModalityPolicy {
    fn name(&self) -> &'static str {
        "modality"
    }

    fn plan(&self, samples: &Interactions, _: &Progress) -> Result<Plan> {
        let terms = samples.terms();
        let auxiliary = [&terms.i1, &terms.i2].map(|of_modality| of_modality.iter().map(|i| i.max(0.0)).collect());
        Plan::by(Arc::clone(samples.lookup()), Weights { auxiliary, ..Weights::off(samples.len()) })
    }
}

impl Policy for AuxiliaryPolicy {
    fn name(&self) -> &'static str {
        "auxiliary"
    }

    fn plan(&self, samples: &Interactions, _: &Progress) -> Result<Plan> {
        let ones = vec![1.0; samples.len()];
        let weights = Weights { auxiliary: [ones.clone(), ones], ..Weights::off(samples.len()) };
        Plan::by(Arc::clone(samples.lookup()), weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interactions::tests::five;

    #[test]
    fn a_modality_is_trained_on_what_it_tells() {
        let plan = ModalityPolicy.plan(&five(), &Progress::default()).unwrap();
        // i1 is 0.6 of the first two samples of five, i2 of the first and the third.
        let expected = [[2.5, 2.5, 0.0, 0.0, 0.0], [2.5, 0.0, 2.5, 0.0, 0.0]];
        for (column, expected) in plan.weights().auxiliary.iter().zip(expected) {
            assert!(
                column.iter().zip(expected).all(|(weight, expected)| (weight - expected).abs() < 1e-12),
                "{column:?}"
            );
        }
        assert_eq!(plan.weights().output, [0.0; 5]);
    }

    #[test]
    fn without_modulation_samples_are_alike() {
        let plan = AuxiliaryPolicy.plan(&five(), &Progress::default()).unwrap();
        assert_eq!(plan.weights().auxiliary[0], [1.0; 5]);
    }
}
