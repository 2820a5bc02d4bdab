//! Weighs samples by how much of what they tell is not redundant.
//!
//! ```text
//! q = (|u1| + |u2| + |s|) / (|r| + |u1| + |u2| + |s|)        0 where r, u1, u2, s are all 0
//! weight = 1 - strength + strength q / mean(q)               of features and of outputs alike
//! ```
//!
//! A student learns from labels alone what both modalities tell alike: there are two ways to it. The teacher is of most use
//! where only one modality tells, or only both together. Where nothing is redundant, or everything is, all weights are 1 and the policy is
//! [`both`](super::BothPolicy); the strength bounds how uneven weights get, for uneven weights leave fewer samples to learn from.
//!
//! This is not the published rule, which is [`InteractionPolicy`](super::InteractionPolicy): it is the one that did better in
//! the comparisons of [`distill`](crate::distill).

use std::sync::Arc;

use lsmi_core::Measure;
use lsmi_core::statistics::mean;
use serde::{Deserialize, Serialize};

use super::{Policy, Progress};
use crate::error::{GuideError, Result};
use crate::interactions::Interactions;
use crate::plan::{Plan, Weights};

/// Features and outputs by the share of what is not redundant; see the [module](self) for the rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UnsharedPolicy {
    /// The measure of redundancy; `ccs`.
    pub measure: Measure,
    /// How much the share counts, from 0 for not at all to 1; 0.3.
    pub strength: f64,
}

impl Default for UnsharedPolicy {
    fn default() -> Self {
        Self { measure: Measure::Ccs, strength: 0.3 }
    }
}

impl Policy for UnsharedPolicy {
    fn name(&self) -> &'static str {
        "unshared"
    }

    fn plan(&self, samples: &Interactions, _: &Progress) -> Result<Plan> {
        if !(0.0..=1.0).contains(&self.strength) {
            let expected = "between 0 and 1".to_owned();
            return Err(GuideError::Setting { name: "strength", found: self.strength.to_string(), expected });
        }
        let parts = samples.decompose(self.measure);
        let shares: Vec<f64> = (0..parts.len())
            .map(|row| {
                let unshared = parts.u1[row].abs() + parts.u2[row].abs() + parts.s[row].abs();
                let all = unshared + parts.r[row].abs();
                if all > 0.0 { unshared / all } else { 0.0 }
            })
            .collect();
        let average = mean(&shares);
        let weight =
            |share: f64| if average > 0.0 { 1.0 - self.strength + self.strength * share / average } else { 1.0 };
        let weights: Vec<f64> = shares.into_iter().map(weight).collect();
        let columns = Weights { feature: weights.clone(), output: weights, ..Weights::off(samples.len()) };
        Plan::by(Arc::clone(samples.lookup()), columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interactions::tests::five;

    fn plan(strength: f64) -> Result<Plan> {
        UnsharedPolicy { strength, ..UnsharedPolicy::default() }.plan(&five(), &Progress::default())
    }

    #[test]
    fn what_is_redundant_or_tells_nothing_weighs_less() {
        // The shares of r, u1, u2, s and n are 0, 1, 1, 1 and 0, in the mean 0.6.
        let plan = plan(0.3).unwrap();
        let high = 0.7 + 0.3 / 0.6;
        for (weight, expected) in plan.weights().output.iter().zip([0.7, high, high, high, 0.7]) {
            assert!((weight - expected).abs() < 1e-12, "{weight}");
        }
        assert_eq!(plan.weights().feature, plan.weights().output);
    }

    #[test]
    fn without_strength_it_is_both() {
        assert_eq!(plan(0.0).unwrap().weights().feature, [1.0; 5]);
        assert!(matches!(plan(1.5), Err(GuideError::Setting { name: "strength", .. })));
    }
}
