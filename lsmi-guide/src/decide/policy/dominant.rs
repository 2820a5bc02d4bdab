//! The dominant interaction decides: features where a modality alone would do, outputs where only both together tell.
//!
//! ```text
//! lead = s - max(r, u1, u2)          nats
//! hard  output where lead > 0, else feature
//! soft  output with the share exp(s/T) / (exp(r/T) + exp(u1/T) + exp(u2/T) + exp(s/T)), feature with the rest
//! ```
//!
//! What r, u1 or u2 says of the label is in the features of one modality, which the student can be made to share; what s says
//! arises in the fusion, of which only the output shows (Yang, Wang and Hu, ICML 2025).
//!
//! The measure is `ccs` unless another is chosen: of all measures it says best what kind a single sample is, and it needs
//! no densities.

use std::sync::Arc;

use lsmi_core::statistics::log_sum_exp;
use lsmi_core::{Decomposition, Measure};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Policy, Progress};
use crate::decide::interactions::Interactions;
use crate::decide::plan::{Losses, Plan, Weights};
use crate::error::{GuideError, Result};

/// Distils outputs where synergy leads and features elsewhere: the published rule. [`Choice`] says whether by sides or in
/// shares.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DominantPolicy {
    /// The measure of redundancy; `ccs`.
    pub measure: Measure,
    /// Whether a sample goes to one side or is shared; hard, without a margin.
    pub choice: Choice,
}

/// Whether a sample goes to one side or is shared.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Choice {
    /// Each sample is distilled by features or by outputs.
    Hard {
        /// Hysteresis: by how many nats the other side must lead for a sample to change the side that it had in the plan
        /// before.
        margin: f64,
    },
    /// Each sample is distilled by both, in shares.
    Soft {
        /// The temperature, in nats: components that differ by much less share evenly.
        temperature: f64,
    },
}

impl Default for DominantPolicy {
    fn default() -> Self {
        Self { measure: Measure::Ccs, choice: Choice::Hard { margin: 0.0 } }
    }
}

impl Policy for DominantPolicy {
    fn name(&self) -> &'static str {
        "dominant"
    }

    fn losses(&self) -> Losses {
        Losses { feature: true, output: true, auxiliary: false }
    }

    fn identity(&self) -> Value {
        json!({ "name": self.name(), "measure": self.measure, "choice": self.choice })
    }

    fn plan(&self, samples: &Interactions, progress: &Progress) -> Result<Plan> {
        self.check()?;
        let leads = self.leads(&samples.decompose(self.measure));
        let before = sides_before(samples, progress);
        let output: Vec<f64> = match self.choice {
            Choice::Hard { margin } => {
                let side = |(row, lead)| hard(lead, margin, before.as_ref().and_then(|before| before[row]));
                leads.into_iter().enumerate().map(side).collect()
            }
            Choice::Soft { temperature } => {
                leads.into_iter().map(|lead| 1.0 / (1.0 + (-lead / temperature).exp())).collect()
            }
        };
        let feature = output.iter().map(|output| 1.0 - output).collect();
        Plan::by(Arc::clone(samples.lookup()), Weights { feature, output, ..Weights::off(samples.len()) })
    }
}

impl DominantPolicy {
    /// Checks margin and temperature.
    ///
    /// # Errors
    /// [`GuideError::Setting`] for one out of range.
    pub fn check(&self) -> Result<()> {
        let wrong = |name, found: f64, expected: &str| {
            Err(GuideError::Setting { name, found: found.to_string(), expected: expected.to_owned() })
        };
        match self.choice {
            Choice::Hard { margin } if margin.is_nan() || margin < 0.0 => wrong("margin", margin, "at least 0"),
            Choice::Soft { temperature } if !(temperature > 0.0 && temperature.is_finite()) => {
                wrong("temperature", temperature, "above 0")
            }
            _ => Ok(()),
        }
    }

    /// By how much synergy leads.
    fn leads(&self, parts: &Decomposition) -> Vec<f64> {
        let lead = |row: usize| {
            let others = [parts.r[row], parts.u1[row], parts.u2[row]];
            parts.s[row]
                - match self.choice {
                    Choice::Hard { .. } => others.into_iter().fold(f64::NEG_INFINITY, f64::max),
                    Choice::Soft { temperature } => temperature * log_sum_exp(&others.map(|other| other / temperature)),
                }
        };
        (0..parts.len()).map(lead).collect()
    }
}

/// 1 for output and 0 for feature, clinging to the side before.
fn hard(lead: f64, margin: f64, before: Option<bool>) -> f64 {
    let needed = match before {
        Some(true) => -margin,
        Some(false) => margin,
        None => 0.0,
    };
    f64::from(lead > needed || (before == Some(true) && lead == needed))
}

/// Whether each sample was distilled by its output in the plan before, where it was distilled by one side alone.
fn sides_before(samples: &Interactions, progress: &Progress) -> Option<Vec<Option<bool>>> {
    let plan = progress.previous.as_ref()?;
    let side = |row: usize| match (plan.weights().feature[row] > 0.0, plan.weights().output[row] > 0.0) {
        (true, false) => Some(false),
        (false, true) => Some(true),
        _ => None,
    };
    if plan.ids() == samples.ids() {
        return Some((0..samples.len()).map(side).collect());
    }
    Some(samples.ids().iter().map(|id| plan.row(&id).and_then(side)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::interactions::tests::five;
    use lsmi_core::{SampleIds, Terms};

    fn plan(choice: Choice) -> Weights {
        let policy = DominantPolicy { choice, ..DominantPolicy::default() };
        policy.plan(&five(), &Progress::default()).unwrap().weights().clone()
    }

    #[test]
    fn synergy_goes_to_the_output_and_the_rest_to_features() {
        let weights = plan(Choice::Hard { margin: 0.0 });
        assert_eq!(weights.feature, [1.25, 1.25, 1.25, 0.0, 1.25]);
        assert_eq!(weights.output, [0.0, 0.0, 0.0, 5.0, 0.0]);
        assert_eq!(weights.auxiliary, [vec![0.0; 5], vec![0.0; 5]]);
    }

    #[test]
    fn soft_shares_are_those_of_a_softmax_and_become_hard_as_it_cools() {
        let weights = plan(Choice::Soft { temperature: 0.3 });
        // Before they are scaled, the weights of a sample are shares. s = .6 against three zeros; one .6 against them.
        let share = |s: f64, others: f64| s / (s + others);
        let raw = [share(1.0, 2.0 + 2f64.exp()), share(2f64.exp(), 3.0), share(1.0, 3.0)];
        let ratio = weights.output[3] / weights.output[0];
        assert!((ratio - raw[1] / raw[0]).abs() < 1e-9, "{ratio}");
        let ratio = weights.output[4] / weights.output[0];
        assert!((ratio - raw[2] / raw[0]).abs() < 1e-9, "{ratio}");
        let (cold, hard) = (plan(Choice::Soft { temperature: 1e-3 }), plan(Choice::Hard { margin: 0.0 }));
        // The sample that tells nothing has a quarter of its share at any temperature; all others have the hard choice.
        for row in 0..4 {
            assert_eq!(cold.output[row] > 0.1, hard.output[row] > 0.1);
        }
    }

    #[test]
    fn a_choice_changes_only_where_the_other_side_leads_by_the_margin() {
        let at = |lead: f64| {
            let one = |value: f64| vec![value];
            let terms = Terms::new(SampleIds::rows(1), one(0.0), one(0.0), one(0.0), one(0.0), one(lead)).unwrap();
            Interactions::new(terms, vec![0], lsmi_core::ClassPrior::uniform(2).unwrap()).unwrap()
        };
        let policy = DominantPolicy { choice: Choice::Hard { margin: 0.2 }, ..DominantPolicy::default() };
        let mut progress = Progress::default();
        let sides = [0.1, -0.1, -0.19, -0.21, 0.1, 0.19, 0.21].map(|lead| {
            let plan = policy.plan(&at(lead), &progress).unwrap();
            let side = plan.weights().output[0] > 0.0;
            progress = Progress { epoch: progress.epoch + 1, previous: Some(Arc::new(plan)) };
            side
        });
        assert_eq!(sides, [true, true, true, false, false, false, true]);
    }

    #[test]
    fn settings_out_of_range_are_named() {
        for (choice, expected) in
            [(Choice::Hard { margin: -1.0 }, "margin"), (Choice::Soft { temperature: 0.0 }, "temperature")]
        {
            let policy = DominantPolicy { choice, ..DominantPolicy::default() };
            for error in [policy.check().unwrap_err(), policy.plan(&five(), &Progress::default()).unwrap_err()] {
                assert!(matches!(error, GuideError::Setting { name, .. } if name == expected), "{error}");
            }
        }
    }
}
