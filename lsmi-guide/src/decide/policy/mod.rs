//! Policies: how the losses of a sample are weighed by its interactions.
//!
//! | name | features | outputs | auxiliary losses of each modality |
//! |---|---|---|---|
//! | `interaction` | as [`Options::rule`] says: `sources` unless told otherwise | the same | the same |
//! | [`sources`](SourcesPolicy) | all samples alike | the more, the less is known of the label | by what the modality tells |
//! | [`dominant`](DominantPolicy) | where redundancy or a uniqueness dominates | where synergy dominates | off |
//! | [`random`](RandomPolicy) | the weights of `interaction`, each given to another sample | the same | the same |
//! | [`confidence`](ConfidencePolicy) | where the teacher is unsure | where it is sure | off |
//! | [`modality`](ModalityPolicy) | off | off | by what the modality tells |
//! | [`none`, `feature`, `output`, `both`, `all`, `auxiliary`](Constant) | all samples alike or off | all samples alike or off | all samples alike or off |
//!
//! `dominant` is the rule of Yang, Wang and Hu ("Efficient Quantification of Multimodal Interaction at Sample Level", ICML
//! 2025). The constant ones, `random` and `confidence` are what a rule must be compared with: `random` has the same weights in
//! the same numbers, so what it lacks is only that they fit the sample; `confidence` needs no interactions at all.
//!
//! A name means the same here, in `lsmi guide distill --policies` and in whatever trains by [`named`]: there is one table,
//! [`POLICIES`].
//!
//! A policy holds no state. What it may need of the past, such as the choices that hysteresis clings to, is in [`Progress`];
//! warm-up and smoothing are [settings of the guide](crate::Pacing).
//!
//! A further policy is a file beside these and a line in [`POLICIES`].

mod confidence;
mod constant;
mod dominant;
mod modality;
mod random;
mod sources;

use std::fmt::Debug;
use std::sync::Arc;

use lsmi_core::Measure;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use confidence::ConfidencePolicy;
pub use constant::Constant;
pub use dominant::{Choice, DominantPolicy};
pub use modality::ModalityPolicy;
pub use random::RandomPolicy;
pub use sources::SourcesPolicy;

use crate::decide::interactions::Interactions;
use crate::decide::plan::{Losses, Plan};
use crate::error::{GuideError, Result};

/// How far the training is, and what was planned before.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// The epoch that the plan is for, counted from 0.
    pub epoch: usize,
    /// The plan of the epoch before, if there was one.
    pub previous: Option<Arc<Plan>>,
}

/// A rule that weighs the losses of samples by their interactions.
pub trait Policy: Debug + Send + Sync {
    /// Returns the name that the policy is listed by.
    fn name(&self) -> &'static str;

    /// Returns the losses that the policy may weigh; it leaves the others off, whatever the samples.
    fn losses(&self) -> Losses;

    /// Returns whether plans depend on the interactions of the samples.
    fn needs_interactions(&self) -> bool {
        true
    }

    /// Describes the policy and its settings, so that a run is not resumed under another.
    fn identity(&self) -> Value {
        json!({ "name": self.name() })
    }

    /// Weighs all `samples`. The same samples and progress give the same plan.
    ///
    /// # Errors
    /// [`GuideError::Setting`] for a setting out of range, [`GuideError::NoConfidence`] where a confidence is needed and not
    /// there.
    fn plan(&self, samples: &Interactions, progress: &Progress) -> Result<Plan>;
}

/// The rule that `interaction` stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Outputs by what is not known of the label, auxiliary losses by what each modality tells: [`SourcesPolicy`].
    #[default]
    Sources,
    /// Features or outputs by the dominant component: [`DominantPolicy`], the published rule.
    Dominant,
}

/// What a policy is built with where its name alone does not say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// The rule of `interaction`, and of `random`, which shuffles it; sources.
    pub rule: Rule,
    /// The measure of redundancy of `dominant`; `ccs`.
    pub measure: Measure,
    /// The seed of what `random` draws; 0.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { rule: Rule::Sources, measure: Measure::Ccs, seed: 0 }
    }
}

impl Options {
    fn interaction(&self) -> Box<dyn Policy> {
        match self.rule {
            Rule::Sources => Box::new(SourcesPolicy::default()),
            Rule::Dominant => self.dominant(),
        }
    }

    fn dominant(&self) -> Box<dyn Policy> {
        Box::new(DominantPolicy { measure: self.measure, ..DominantPolicy::default() })
    }
}

/// A policy as it is listed.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The name.
    pub name: &'static str,
    /// What it does, in a few words.
    pub about: &'static str,
    /// Builds it.
    pub build: fn(&Options) -> Box<dyn Policy>,
}

/// All policies.
pub const POLICIES: &[Entry] = &[
    Entry { name: "interaction", about: "by interactions, as the rule says", build: Options::interaction },
    Entry { name: "feature", about: "features of all samples", build: |_| constant(true, false, false) },
    Entry { name: "output", about: "outputs of all samples", build: |_| constant(false, true, false) },
    Entry { name: "both", about: "features and outputs of all samples", build: |_| constant(true, true, false) },
    Entry { name: "none", about: "no distillation", build: |_| constant(false, false, false) },
    Entry {
        name: "random",
        about: "interaction, shuffled",
        build: |options| Box::new(RandomPolicy { of: options.interaction(), seed: options.seed }),
    },
    Entry { name: "confidence", about: "by the teacher's confidence", build: |_| Box::new(ConfidencePolicy) },
    Entry {
        name: "sources",
        about: "outputs by what is not known, auxiliary losses by what a modality tells",
        build: |_| Box::new(SourcesPolicy::default()),
    },
    Entry {
        name: "dominant",
        about: "features or outputs by the dominant interaction, the published rule",
        build: Options::dominant,
    },
    Entry { name: "all", about: "both, with auxiliary losses alike", build: |_| constant(true, true, true) },
    Entry { name: "modality", about: "auxiliary losses by what a modality tells", build: |_| Box::new(ModalityPolicy) },
    Entry { name: "auxiliary", about: "auxiliary losses alike", build: |_| constant(false, false, true) },
];

fn constant(feature: bool, output: bool, auxiliary: bool) -> Box<dyn Policy> {
    Box::new(Constant(Losses { feature, output, auxiliary }))
}

/// Builds the policy of a name.
///
/// # Errors
/// [`GuideError::UnknownName`] with the names there are.
///
/// ```
/// use lsmi_guide::decide::policy::{self, Options, Rule};
///
/// assert_eq!(policy::named("random", &Options::default())?.name(), "random");
/// // What `interaction` stands for is an option.
/// assert_eq!(policy::named("interaction", &Options::default())?.name(), "sources");
/// let published = Options { rule: Rule::Dominant, ..Options::default() };
/// assert_eq!(policy::named("interaction", &published)?.name(), "dominant");
///
/// let error = policy::named("best", &Options::default()).unwrap_err();
/// assert!(error.to_string().starts_with("`best` is no policy; use one of interaction,"));
/// # Ok::<(), lsmi_guide::GuideError>(())
/// ```
pub fn named(name: &str, options: &Options) -> Result<Box<dyn Policy>> {
    let unknown = || {
        let expected = POLICIES.iter().map(|entry| entry.name).collect::<Vec<_>>().join(", ");
        GuideError::UnknownName { kind: "policy", found: name.to_owned(), expected }
    };
    let entry = POLICIES.iter().find(|entry| entry.name == name).ok_or_else(unknown)?;
    Ok((entry.build)(options))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::interactions::tests::five;
    use crate::decide::plan::Weights;

    #[test]
    fn every_policy_is_listed_by_its_name_and_weighs_the_losses_that_it_says() {
        let samples = five().with_confidence(vec![0.9, 0.6, 0.5, 0.7, 0.8]).unwrap();
        for entry in POLICIES {
            let policy = named(entry.name, &Options { seed: 3, ..Options::default() }).unwrap();
            assert!(policy.name() == entry.name || (entry.name, policy.name()) == ("interaction", "sources"));
            let plan = policy.plan(&samples, &Progress::default()).unwrap();
            assert_eq!(plan.ids(), samples.ids());
            let is_on = |column: &[f64]| column.iter().any(|weight| *weight > 0.0);
            let Weights { feature, output, auxiliary: [first, second] } = plan.weights();
            let found = Losses { feature: is_on(feature), output: is_on(output), auxiliary: is_on(first) };
            assert_eq!(found, policy.losses(), "{}", entry.name);
            assert_eq!(is_on(first), is_on(second));
            // Without interactions to tell samples apart, only a policy that goes by them plans otherwise.
            let terms = lsmi_core::Terms::new(
                samples.ids().clone(),
                vec![0.0; 5],
                vec![0.0; 5],
                vec![0.0; 5],
                vec![0.0; 5],
                vec![0.0; 5],
            );
            let silent = Interactions::new(terms.unwrap(), samples.labels().to_vec(), samples.prior().clone()).unwrap();
            let silent = silent.with_confidence(vec![0.9, 0.6, 0.5, 0.7, 0.8]).unwrap();
            let other = policy.plan(&silent, &Progress::default()).unwrap();
            assert_eq!(other.weights() != plan.weights(), policy.needs_interactions(), "{}", entry.name);
        }
    }

    #[test]
    fn constant_policies_treat_samples_alike() {
        let on = |name: &str| {
            let plan = named(name, &Options::default()).unwrap().plan(&five(), &Progress::default()).unwrap();
            let columns = plan.weights().columns().map(|(_, column)| column.to_vec());
            assert!(columns.iter().all(|column| column.iter().all(|weight| *weight == column[0])));
            columns.map(|column| column[0])
        };
        assert_eq!(
            ["feature", "output", "both", "none", "all", "auxiliary"].map(on),
            [
                [1.0, 0.0, 0.0, 0.0],
                [0.0, 1.0, 0.0, 0.0],
                [1.0, 1.0, 0.0, 0.0],
                [0.0; 4],
                [1.0; 4],
                [0.0, 0.0, 1.0, 1.0]
            ]
        );
    }

    #[test]
    fn interaction_and_random_stand_for_one_rule() {
        for (rule, name) in [(Rule::Sources, "sources"), (Rule::Dominant, "dominant")] {
            let options = Options { rule, ..Options::default() };
            let plan = |name: &str| {
                let plan = named(name, &options).unwrap().plan(&five(), &Progress::default()).unwrap();
                plan.weights().clone()
            };
            assert_eq!(plan("interaction"), plan(name));
            let sorted = |weights: Weights| {
                weights.columns().map(|(_, column)| {
                    let mut column = column.to_vec();
                    column.sort_by(f64::total_cmp);
                    column
                })
            };
            assert_eq!(sorted(plan("random")), sorted(plan(name)));
        }
    }
}
