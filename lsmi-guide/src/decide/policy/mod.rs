//! Policies: what a sample's interactions say about how it should be trained on.
//!
//! | policy | feature distillation | output distillation |
//! |---|---|---|
//! | [`interaction`](InteractionPolicy) | where redundancy or a uniqueness dominates | where synergy dominates |
//! | [`sources`](SourcesPolicy) | all samples alike; auxiliary losses by what each modality tells | the more the less is known |
//! | [`feature`](FeaturePolicy) | all samples alike | off |
//! | [`output`](OutputPolicy) | off | all samples alike |
//! | [`both`](BothPolicy) | all samples alike | all samples alike |
//! | [`none`](NonePolicy) | off | off |
//! | [`random`](RandomPolicy) | the weights of `interaction`, each given to another sample | the same |
//! | [`confidence`](ConfidencePolicy) | where the teacher is unsure | where it is sure |
//! | [`all`](AuxiliaryPolicy::all) | all samples alike; auxiliary losses too | all samples alike |
//! | [`modality`](AuxiliaryPolicy::modality) | off; auxiliary losses by what each modality tells | off |
//! | [`auxiliary`](AuxiliaryPolicy::auxiliary) | off; auxiliary losses of all samples alike | off |
//!
//! The first is the rule of Yang, Wang and Hu ("Efficient Quantification of Multimodal Interaction at Sample Level", ICML
//! 2025); the others are what it must be compared with. `random` has the same weights in the same numbers, so what it
//! lacks is only that they fit the sample; `confidence` needs no interactions at all.
//!
//! A policy holds no state. What it may need of the past, such as the choices that hysteresis clings to, is in [`Progress`];
//! warm-up and smoothing are [settings of the guide](crate::Steadiness).
//!
//! A further policy is a file beside these and a line in [`POLICIES`].

mod auxiliary;
mod both;
mod confidence;
mod feature;
mod interaction;
mod none;
mod output;
mod random;
mod sources;

use std::fmt::Debug;
use std::sync::Arc;

pub use auxiliary::{AuxiliaryPolicy, Modulation};
pub use both::BothPolicy;
pub use confidence::ConfidencePolicy;
pub use feature::FeaturePolicy;
pub use interaction::{Boundary, Choice, InteractionPolicy, Otherwise};
pub use none::NonePolicy;
pub use output::OutputPolicy;
pub use random::RandomPolicy;
pub use sources::SourcesPolicy;

use crate::decide::interactions::Interactions;
use crate::decide::plan::{Plan, Weights};
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
    /// The name that the policy is listed by.
    fn name(&self) -> &'static str;

    /// The weights of all `samples`. The same samples and progress give the same plan.
    ///
    /// # Errors
    /// [`GuideError::Setting`] for a setting out of range, [`GuideError::NoConfidence`] where a confidence is needed and not
    /// there.
    fn plan(&self, samples: &Interactions, progress: &Progress) -> Result<Plan>;
}

/// A policy as it is listed.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The name.
    pub name: &'static str,
    /// What it does, in a few words.
    pub about: &'static str,
    /// Makes it, with its usual settings and the seed of what it draws.
    pub build: fn(u64) -> Box<dyn Policy>,
}

/// All policies.
pub const POLICIES: &[Entry] = &[
    Entry {
        name: "interaction",
        about: "by the dominant interaction",
        build: |_| Box::new(InteractionPolicy::default()),
    },
    Entry { name: "feature", about: "features of all samples", build: |_| Box::new(FeaturePolicy) },
    Entry { name: "output", about: "outputs of all samples", build: |_| Box::new(OutputPolicy) },
    Entry { name: "both", about: "features and outputs of all samples", build: |_| Box::new(BothPolicy) },
    Entry { name: "none", about: "no distillation", build: |_| Box::new(NonePolicy) },
    Entry { name: "random", about: "interaction, shuffled", build: |seed| Box::new(RandomPolicy::new(seed)) },
    Entry { name: "confidence", about: "by the teacher's confidence", build: |_| Box::new(ConfidencePolicy) },
    Entry {
        name: "sources",
        about: "outputs by what is not known, auxiliary losses by what a modality tells",
        build: |_| Box::new(SourcesPolicy::default()),
    },
    Entry { name: "all", about: "both, with auxiliary losses alike", build: |_| Box::new(AuxiliaryPolicy::all()) },
    Entry {
        name: "modality",
        about: "auxiliary losses by what a modality tells",
        build: |_| Box::new(AuxiliaryPolicy::modality()),
    },
    Entry { name: "auxiliary", about: "auxiliary losses alike", build: |_| Box::new(AuxiliaryPolicy::auxiliary()) },
];

/// The policy of a name, with its usual settings; `seed` is that of what it draws.
///
/// # Errors
/// [`GuideError::UnknownName`] with the names there are.
///
/// ```
/// use lsmi_guide::decide::policy;
///
/// assert_eq!(policy::named("random", 0)?.name(), "random");
/// assert!(policy::named("best", 0).unwrap_err().to_string().starts_with("`best` is no policy; use one of interaction,"));
/// # Ok::<(), lsmi_guide::GuideError>(())
/// ```
pub fn named(name: &str, seed: u64) -> Result<Box<dyn Policy>> {
    let unknown = || {
        let expected = POLICIES.iter().map(|entry| entry.name).collect::<Vec<_>>().join(", ");
        GuideError::UnknownName { kind: "policy", found: name.to_owned(), expected }
    };
    let entry = POLICIES.iter().find(|entry| entry.name == name).ok_or_else(unknown)?;
    Ok((entry.build)(seed))
}

/// The plan that gives all samples the same weights: 1 in a column that is on, 0 in one that is off.
fn alike(samples: &Interactions, feature: f64, output: f64) -> Result<Plan> {
    let n = samples.len();
    let weights = Weights { feature: vec![feature; n], output: vec![output; n], ..Weights::off(n) };
    Plan::by(Arc::clone(samples.lookup()), weights)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::interactions::tests::five;

    #[test]
    fn every_policy_is_listed_by_its_name_and_plans() {
        let samples = five().with_confidence(vec![0.9, 0.6, 0.5, 0.7, 0.8]).unwrap();
        for entry in POLICIES {
            let policy = named(entry.name, 3).unwrap();
            assert_eq!(policy.name(), entry.name);
            let plan = policy.plan(&samples, &Progress::default()).unwrap();
            assert_eq!(plan.ids(), samples.ids());
        }
    }

    #[test]
    fn constant_policies_treat_samples_alike() {
        let on = |name: &str| {
            let plan = named(name, 0).unwrap().plan(&five(), &Progress::default()).unwrap();
            let Weights { feature, output, .. } = plan.weights();
            assert!(feature.iter().all(|weight| *weight == feature[0]) && output.iter().all(|w| *w == output[0]));
            (feature[0], output[0])
        };
        assert_eq!(["feature", "output", "both", "none"].map(on), [(1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.0, 0.0)]);
    }
}
