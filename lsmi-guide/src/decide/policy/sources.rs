//! Outputs by what is not known of the label, auxiliary losses by what a modality tells.

use std::sync::Arc;

use lsmi_core::statistics::mean;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{ModalityPolicy, Policy, Progress};
use crate::decide::interactions::Interactions;
use crate::decide::plan::{Losses, Plan, Weights};
use crate::error::{GuideError, Result};

/// Distils all samples, their outputs the more the less is known of the label, and trains each modality on what it tells.
///
/// ```text
/// feature      1
/// output       1 - strength + strength q / mean(q),   q = 1 - p(y | x1, x2) = 1 - p(y) exp(r + u1 + u2 + s)
/// auxiliary m  max(r + u_m, 0)
/// ```
///
/// whatever the measure of redundancy. A label that interactions explain says what the teacher would say, so that its output
/// adds nothing; one that they leave open is a noisy draw, and the teacher's probabilities in its place lower the variance
/// of the student's gradient (Menon et al., "A statistical perspective on distillation", ICML 2021). Why auxiliary losses
/// go by information, [`ModalityPolicy`] says. The strength bounds how uneven weights get: uneven weights leave fewer samples
/// to learn from.
///
/// This is not the published rule, which is [`DominantPolicy`](super::DominantPolicy).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SourcesPolicy {
    /// How much the output's weight goes by what is not known, from 0 for not at all to 1; 0.5.
    pub strength: f64,
}

impl Default for SourcesPolicy {
    fn default() -> Self {
        Self { strength: 0.5 }
    }
}

impl SourcesPolicy {
    /// Checks the strength.
    ///
    /// # Errors
    /// [`GuideError::Setting`] unless it is between 0 and 1.
    pub fn check(&self) -> Result<()> {
        if (0.0..=1.0).contains(&self.strength) {
            return Ok(());
        }
        let expected = "between 0 and 1".to_owned();
        Err(GuideError::Setting { name: "strength", found: self.strength.to_string(), expected })
    }
}

impl Policy for SourcesPolicy {
    fn name(&self) -> &'static str {
        "sources"
    }

    fn losses(&self) -> Losses {
        Losses { feature: true, output: true, auxiliary: true }
    }

    fn identity(&self) -> Value {
        json!({ "name": self.name(), "strength": self.strength })
    }

    fn plan(&self, samples: &Interactions, _: &Progress) -> Result<Plan> {
        self.check()?;
        let of_labels = samples.terms().i12.iter().zip(samples.labels());
        let unknown: Vec<f64> = of_labels
            .map(|(i12, label)| (1.0 - (i12 + samples.prior().log_probability(*label as usize)).exp()).max(0.0))
            .collect();
        let average = mean(&unknown);
        let output = |unknown: f64| {
            if average > 0.0 { 1.0 - self.strength + self.strength * unknown / average } else { 1.0 }
        };
        let weights = Weights {
            feature: vec![1.0; samples.len()],
            output: unknown.into_iter().map(output).collect(),
            auxiliary: ModalityPolicy::information(samples),
        };
        Plan::by(Arc::clone(samples.lookup()), weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::interactions::tests::five;

    fn plan(strength: f64) -> Result<Plan> {
        SourcesPolicy { strength }.plan(&five(), &Progress::default())
    }

    #[test]
    fn outputs_weigh_more_where_the_label_is_not_known() {
        let samples = five();
        let probabilities: Vec<f64> = samples.terms().i12.iter().map(|i12| 0.5 * i12.exp()).collect();
        let average = 1.0 - mean(&probabilities);
        let plan = plan(0.3).unwrap();
        for (weight, probability) in plan.weights().output.iter().zip(&probabilities) {
            assert!((weight - (0.7 + 0.3 * (1.0 - probability) / average)).abs() < 1e-12, "{weight}");
        }
        assert!(plan.weights().output[4] > 1.0 && plan.weights().output[0] < 1.0);
        assert_eq!(plan.weights().feature, [1.0; 5]);
        assert_eq!(plan.weights().auxiliary[0][1], 2.5);
    }

    #[test]
    fn without_strength_outputs_are_alike() {
        assert_eq!(plan(0.0).unwrap().weights().output, [1.0; 5]);
        assert!(matches!(plan(1.5), Err(GuideError::Setting { name: "strength", .. })));
    }
}
