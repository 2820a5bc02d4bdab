//! Auxiliary losses of each modality beside another policy's distillation: dynamic fusion.

use std::sync::Arc;

use super::{BothPolicy, NonePolicy, Policy, Progress};
use crate::decide::interactions::Interactions;
use crate::decide::plan::{Plan, Weights};
use crate::error::Result;

/// How much the auxiliary loss of a sample weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modulation {
    /// All samples alike.
    Alike,
    /// By what the modality tells of the sample.
    Information,
}

/// Adds an auxiliary loss of each modality to what another policy distils: dynamic fusion.
///
/// A network that fuses two modalities may leave the encoder of one untrained, since the other one explains the label (Wang,
/// Tran and Feiszli, CVPR 2020, on why joint training can be worse than one modality). A head on each encoder with the label as
/// its target trains both. Of all samples alike it also asks an encoder for what its modality does not tell; by interaction
/// it weighs
///
/// ```text
/// weight_m = max(r + u_m, 0) = max(i_m, 0)
/// ```
///
/// whatever the measure of redundancy, scaled over samples as every column of a plan is: samples that are unique to the other
/// modality, synergistic or contradicted are left out.
#[derive(Debug)]
pub struct AuxiliaryPolicy {
    /// What it is called.
    pub name: &'static str,
    /// The policy of features and outputs.
    pub of: Box<dyn Policy>,
    /// The weights of auxiliary losses.
    pub by: Modulation,
}

impl AuxiliaryPolicy {
    /// Features, outputs and auxiliary losses of all samples alike.
    pub fn all() -> Self {
        Self { name: "all", of: Box::new(BothPolicy), by: Modulation::Alike }
    }

    /// No distillation, auxiliary losses by what a modality tells.
    pub fn modality() -> Self {
        Self { name: "modality", of: Box::new(NonePolicy), by: Modulation::Information }
    }

    /// No distillation, auxiliary losses of all samples alike.
    pub fn auxiliary() -> Self {
        Self { name: "auxiliary", of: Box::new(NonePolicy), by: Modulation::Alike }
    }
}

impl Policy for AuxiliaryPolicy {
    fn name(&self) -> &'static str {
        self.name
    }

    fn plan(&self, samples: &Interactions, progress: &Progress) -> Result<Plan> {
        let terms = samples.terms();
        let auxiliary = match self.by {
            Modulation::Alike => [vec![1.0; samples.len()], vec![1.0; samples.len()]],
            Modulation::Information => {
                [&terms.i1, &terms.i2].map(|of_modality| of_modality.iter().map(|i| i.max(0.0)).collect())
            }
        };
        let distilled = self.of.plan(samples, progress)?.weights().clone();
        Plan::by(Arc::clone(samples.lookup()), Weights { auxiliary, ..distilled })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::interactions::tests::five;

    #[test]
    fn a_modality_is_trained_on_what_it_tells() {
        let both = AuxiliaryPolicy { of: Box::new(BothPolicy), ..AuxiliaryPolicy::modality() };
        for (policy, distilled) in [(AuxiliaryPolicy::modality(), 0.0), (both, 1.0)] {
            let plan = policy.plan(&five(), &Progress::default()).unwrap();
            // i1 is 0.6 of the first two samples of five, i2 of the first and the third.
            let expected = [[2.5, 2.5, 0.0, 0.0, 0.0], [2.5, 0.0, 2.5, 0.0, 0.0]];
            for (column, expected) in plan.weights().auxiliary.iter().zip(expected) {
                let is_close = |(weight, expected): (&f64, f64)| (weight - expected).abs() < 1e-12;
                assert!(column.iter().zip(expected).all(is_close), "{column:?}");
            }
            assert_eq!(plan.weights().output, [distilled; 5]);
            assert_eq!(plan.weights().feature, [distilled; 5]);
        }
    }

    #[test]
    fn without_modulation_samples_are_alike() {
        for policy in [AuxiliaryPolicy::auxiliary(), AuxiliaryPolicy::all()] {
            let plan = policy.plan(&five(), &Progress::default()).unwrap();
            assert_eq!(plan.weights().auxiliary, [vec![1.0; 5], vec![1.0; 5]]);
        }
    }
}
