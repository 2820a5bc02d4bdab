//! Trains each modality on what it tells of the sample: dynamic fusion.

use std::sync::Arc;

use super::{Policy, Progress};
use crate::decide::interactions::Interactions;
use crate::decide::plan::{Losses, Plan, Weights};
use crate::error::Result;

/// Adds an auxiliary loss of each modality, by what the modality tells of the sample, and distils nothing.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ModalityPolicy;

impl ModalityPolicy {
    /// What each modality tells of every sample, where it tells anything.
    pub(super) fn information(samples: &Interactions) -> [Vec<f64>; 2] {
        let terms = samples.terms();
        [&terms.i1, &terms.i2].map(|of_modality| of_modality.iter().map(|i| i.max(0.0)).collect())
    }
}

impl Policy for ModalityPolicy {
    fn name(&self) -> &'static str {
        "modality"
    }

    fn losses(&self) -> Losses {
        Losses { auxiliary: true, ..Losses::default() }
    }

    fn plan(&self, samples: &Interactions, _: &Progress) -> Result<Plan> {
        let weights = Weights { auxiliary: Self::information(samples), ..Weights::off(samples.len()) };
        Plan::by(Arc::clone(samples.lookup()), weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::interactions::tests::five;

    #[test]
    fn a_modality_is_trained_on_what_it_tells() {
        let plan = ModalityPolicy.plan(&five(), &Progress::default()).unwrap();
        // i1 is 0.6 of the first two samples of five, i2 of the first and the third.
        let expected = [[2.5, 2.5, 0.0, 0.0, 0.0], [2.5, 0.0, 2.5, 0.0, 0.0]];
        for (column, expected) in plan.weights().auxiliary.iter().zip(expected) {
            let is_close = |(weight, expected): (&f64, f64)| (weight - expected).abs() < 1e-12;
            assert!(column.iter().zip(expected).all(is_close), "{column:?}");
        }
        assert_eq!((&plan.weights().output, &plan.weights().feature), (&vec![0.0; 5], &vec![0.0; 5]));
    }
}
