//! The dominant interaction decides: features where a modality alone would do, outputs where only both together tell.
//!
//! ```text
//! lead = s - max(r, u1, u2) - boundary          nats
//! hard  output where lead > 0, else feature
//! soft  output with the share 1 / (1 + exp(-lead' / T)), feature with the rest,
//!       lead' = s - boundary - T log(exp(r/T) + exp(u1/T) + exp(u2/T))
//! ```
//!
//! The soft shares are those of a softmax over the four components at temperature T. What r, u1 or u2 says of the label is
//! in the features of one modality, which the student can be made to share; what s says arises in the fusion, of which
//! only the output shows (Yang, Wang and Hu, ICML 2025).
//!
//! The measure is `ccs` unless another is chosen: of all measures it says best what kind a single sample is, and it needs
//! no densities.

use std::sync::Arc;

use lsmi_core::statistics::log_sum_exp;
use lsmi_core::{Decomposition, Measure};
use serde::{Deserialize, Serialize};

use super::{Policy, Progress};
use crate::decide::interactions::Interactions;
use crate::decide::plan::{Plan, Weights};
use crate::error::{GuideError, Result};

/// The policy `interaction`: outputs are distilled where synergy leads, features elsewhere. [`Choice`] says whether by sides
/// or in shares, [`Boundary`] how far synergy must lead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InteractionPolicy {
    /// The measure of redundancy; `ccs`.
    pub measure: Measure,
    /// Whether a sample goes to one side or is shared; hard, without a margin.
    pub choice: Choice,
    /// How far synergy must lead; by anything.
    pub boundary: Boundary,
    /// The share of the label's surprisal -log p(y) that the largest component must reach for the sample to be
    /// distilled by it; none: every sample is.
    pub least: Option<f64>,
    /// What samples get that fall short of `least`; nothing.
    pub otherwise: Otherwise,
    /// Whether the auxiliary loss of modality m weighs by what r and `u_m` share, or is off; off.
    pub auxiliary: bool,
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

/// How far, in nats, synergy must lead for a sample to be distilled by its output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Boundary {
    /// By this much; negative: it may lag.
    At(f64),
    /// By so much in each class.
    OfClasses(Vec<f64>),
    /// By so much that this share of all samples, rounded to whole ones, leads.
    Share(f64),
    /// By so much in each class that this share of its samples leads: classes then do not differ in how they are distilled.
    ShareOfClass(f64),
}

/// What samples get whose interactions say too little.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Otherwise {
    /// No distillation.
    #[default]
    Neither,
    /// Feature distillation.
    Feature,
    /// Output distillation.
    Output,
    /// Half a share of each.
    Both,
}

impl Default for InteractionPolicy {
    fn default() -> Self {
        Self {
            measure: Measure::Ccs,
            choice: Choice::Hard { margin: 0.0 },
            boundary: Boundary::At(0.0),
            least: None,
            otherwise: Otherwise::Neither,
            auxiliary: false,
        }
    }
}

impl Policy for InteractionPolicy {
    fn name(&self) -> &'static str {
        "interaction"
    }

    fn plan(&self, samples: &Interactions, progress: &Progress) -> Result<Plan> {
        self.check(samples)?;
        let parts = samples.decompose(self.measure);
        let leads = self.leads(&parts);
        let boundaries = self.boundaries(samples, &leads);
        let before = sides_before(samples, progress);
        let mut weights = Weights::off(samples.len());
        for row in 0..samples.len() {
            let components = [parts.r[row], parts.u1[row], parts.u2[row], parts.s[row]];
            let [feature, output] = if self.is_told(samples, row, components) {
                let lead = leads[row] - boundaries[row];
                let output = match self.choice {
                    Choice::Hard { margin } => hard(lead, margin, before.as_ref().and_then(|before| before[row])),
                    Choice::Soft { temperature } => 1.0 / (1.0 + (-lead / temperature).exp()),
                };
                if self.auxiliary {
                    let of_modality = self.shares_of_modalities(components);
                    for (column, share) in weights.auxiliary.iter_mut().zip(of_modality) {
                        column[row] = (1.0 - output) * share;
                    }
                }
                [1.0 - output, output]
            } else {
                self.otherwise.shares()
            };
            weights.feature[row] = feature;
            weights.output[row] = output;
        }
        Plan::by(Arc::clone(samples.lookup()), weights)
    }
}

impl InteractionPolicy {
    fn check(&self, samples: &Interactions) -> Result<()> {
        let wrong = |name, found: String, expected: &str| {
            Err(GuideError::Setting { name, found, expected: expected.to_owned() })
        };
        match self.choice {
            Choice::Hard { margin } if margin.is_nan() || margin < 0.0 => {
                return wrong("margin", margin.to_string(), "at least 0");
            }
            Choice::Soft { temperature } if !(temperature > 0.0 && temperature.is_finite()) => {
                return wrong("temperature", temperature.to_string(), "above 0");
            }
            _ => {}
        }
        if let Some(least) = self.least.filter(|least| !least.is_finite()) {
            return wrong("least", least.to_string(), "a finite number");
        }
        match &self.boundary {
            Boundary::At(at) if !at.is_finite() => wrong("boundary", at.to_string(), "a finite number"),
            Boundary::OfClasses(of) if of.len() != samples.prior().classes() || of.iter().any(|at| !at.is_finite()) => {
                let expected = format!("a finite number for each of the {} classes", samples.prior().classes());
                wrong("boundary", format!("{of:?}"), &expected)
            }
            Boundary::Share(share) | Boundary::ShareOfClass(share) if !(0.0..=1.0).contains(share) => {
                wrong("boundary", share.to_string(), "a share between 0 and 1")
            }
            _ => Ok(()),
        }
    }

    /// How far synergy leads, without a boundary.
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

    /// The boundary of each sample.
    fn boundaries(&self, samples: &Interactions, leads: &[f64]) -> Vec<f64> {
        let labels = samples.labels();
        match &self.boundary {
            Boundary::At(at) => vec![*at; leads.len()],
            Boundary::OfClasses(of) => labels.iter().map(|label| of[*label as usize]).collect(),
            Boundary::Share(share) => vec![highest(leads.to_vec(), *share); leads.len()],
            Boundary::ShareOfClass(share) => {
                let mut of_classes = vec![Vec::new(); samples.prior().classes()];
                for (label, lead) in labels.iter().zip(leads) {
                    of_classes[*label as usize].push(*lead);
                }
                let of: Vec<f64> = of_classes.into_iter().map(|leads| highest(leads, *share)).collect();
                labels.iter().map(|label| of[*label as usize]).collect()
            }
        }
    }

    /// Whether a component is large enough to decide.
    fn is_told(&self, samples: &Interactions, row: usize, components: [f64; 4]) -> bool {
        let surprisal = -samples.prior().log_probability(samples.labels()[row] as usize);
        let largest = components.into_iter().fold(f64::NEG_INFINITY, f64::max);
        self.least.is_none_or(|least| largest >= least * surprisal)
    }

    /// Of what the sample owes to single modalities, what it owes to each: redundancy counts for both.
    fn shares_of_modalities(&self, [r, u1, u2, _]: [f64; 4]) -> [f64; 2] {
        match self.choice {
            Choice::Hard { .. } => [f64::from(r.max(u1) >= u2), f64::from(r.max(u2) >= u1)],
            Choice::Soft { temperature } => {
                let normaliser = log_sum_exp(&[r, u1, u2].map(|part| part / temperature));
                let share = |part: f64| (part / temperature - normaliser).exp();
                [share(r) + share(u1), share(r) + share(u2)]
            }
        }
    }
}

impl Otherwise {
    fn shares(self) -> [f64; 2] {
        match self {
            Self::Neither => [0.0, 0.0],
            Self::Feature => [1.0, 0.0],
            Self::Output => [0.0, 1.0],
            Self::Both => [0.5, 0.5],
        }
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

/// What lies between the highest share of the values and the rest.
fn highest(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(|a, b| b.total_cmp(a));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of the count is no larger")]
    let count = (share * values.len() as f64).round() as usize;
    match count {
        0 => f64::INFINITY,
        count if count >= values.len() => f64::NEG_INFINITY,
        count => f64::midpoint(values[count - 1], values[count]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::interactions::tests::five;
    use lsmi_core::{SampleIds, Terms};

    fn plan(policy: &InteractionPolicy) -> Weights {
        policy.plan(&five(), &Progress::default()).unwrap().weights().clone()
    }

    fn with(boundary: Boundary) -> InteractionPolicy {
        InteractionPolicy { boundary, ..InteractionPolicy::default() }
    }

    #[test]
    fn synergy_goes_to_the_output_and_the_rest_to_features() {
        let weights = plan(&InteractionPolicy::default());
        assert_eq!(weights.feature, [1.25, 1.25, 1.25, 0.0, 1.25]);
        assert_eq!(weights.output, [0.0, 0.0, 0.0, 5.0, 0.0]);
        assert_eq!(weights.auxiliary, [vec![0.0; 5], vec![0.0; 5]]);
    }

    #[test]
    fn what_tells_little_is_left_out_or_shared() {
        let policy = InteractionPolicy { least: Some(0.25), ..InteractionPolicy::default() };
        assert_eq!(plan(&policy).feature[4], 0.0);
        let weights = plan(&InteractionPolicy { otherwise: Otherwise::Both, ..policy });
        assert_eq!(weights.feature[4] / weights.feature[0], 0.5);
        assert_eq!(weights.output[4] / weights.output[3], 0.5);
    }

    #[test]
    fn soft_shares_are_those_of_a_softmax_and_become_hard_as_it_cools() {
        let soft = |temperature| {
            plan(&InteractionPolicy { choice: Choice::Soft { temperature }, ..InteractionPolicy::default() })
        };
        let weights = soft(0.3);
        // Before they are scaled, the weights of a sample are shares. s = .6 against three zeros; one .6 against them.
        let share = |s: f64, others: f64| s / (s + others);
        let raw = [share(1.0, 2.0 + 2f64.exp()), share(2f64.exp(), 3.0), share(1.0, 3.0)];
        let ratio = weights.output[3] / weights.output[0];
        assert!((ratio - raw[1] / raw[0]).abs() < 1e-9, "{ratio}");
        let ratio = weights.output[4] / weights.output[0];
        assert!((ratio - raw[2] / raw[0]).abs() < 1e-9, "{ratio}");
        let (cold, hard) = (soft(1e-3), plan(&InteractionPolicy::default()));
        // The sample that tells nothing has a quarter of its share at any temperature; all others have the hard choice.
        for row in 0..4 {
            assert_eq!(cold.output[row] > 0.1, hard.output[row] > 0.1);
        }
    }

    #[test]
    fn boundaries_move_samples_from_one_side_to_the_other() {
        let sides = |boundary| plan(&with(boundary)).output.iter().map(|weight| *weight > 0.0).collect::<Vec<_>>();
        assert_eq!(sides(Boundary::At(0.7)), [false; 5]);
        assert_eq!(sides(Boundary::At(-0.1)), [false, false, false, true, true]);
        // Class 0 is r, u2 and n; class 1 is u1 and s.
        assert_eq!(sides(Boundary::OfClasses(vec![-0.1, 0.7])), [false, false, false, false, true]);
        assert_eq!(sides(Boundary::Share(0.4)), [false, false, false, true, true]);
        assert_eq!(sides(Boundary::ShareOfClass(0.34)), [false, false, false, true, true]);
        assert_eq!(sides(Boundary::Share(0.0)), [false; 5]);
        assert_eq!(sides(Boundary::ShareOfClass(1.0)), [true; 5]);
    }

    #[test]
    fn a_choice_changes_only_where_the_other_side_leads_by_the_margin() {
        let at = |lead: f64| {
            let one = |value: f64| vec![value];
            let terms = Terms::new(SampleIds::rows(1), one(0.0), one(0.0), one(0.0), one(0.0), one(lead)).unwrap();
            Interactions::new(terms, vec![0], lsmi_core::ClassPrior::uniform(2).unwrap()).unwrap()
        };
        let policy = InteractionPolicy { choice: Choice::Hard { margin: 0.2 }, ..InteractionPolicy::default() };
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
    fn auxiliary_losses_follow_the_modality_that_tells() {
        let weights = plan(&InteractionPolicy { auxiliary: true, ..InteractionPolicy::default() });
        let on = weights.auxiliary.map(|column| column.iter().map(|weight| *weight > 0.0).collect::<Vec<_>>());
        assert_eq!(on[0], [true, true, false, false, true]);
        assert_eq!(on[1], [true, false, true, false, true]);
    }

    #[test]
    fn settings_out_of_range_are_named() {
        for (policy, expected) in [
            (InteractionPolicy { choice: Choice::Hard { margin: -1.0 }, ..InteractionPolicy::default() }, "margin"),
            (
                InteractionPolicy { choice: Choice::Soft { temperature: 0.0 }, ..InteractionPolicy::default() },
                "temperature",
            ),
            (with(Boundary::Share(1.5)), "boundary"),
            (with(Boundary::OfClasses(vec![0.0])), "boundary"),
            (InteractionPolicy { least: Some(f64::NAN), ..InteractionPolicy::default() }, "least"),
        ] {
            let error = policy.plan(&five(), &Progress::default()).unwrap_err();
            assert!(matches!(error, GuideError::Setting { name, .. } if name == expected), "{error}");
        }
    }
}
