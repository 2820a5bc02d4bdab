//! The weights of another policy, each given to a sample drawn at random: the control of whether weights must fit samples.

use std::sync::Arc;

use lsmi_core::random::stream;
use rand::seq::SliceRandom;
use serde_json::{Value, json};

use super::{Policy, Progress};
use crate::decide::interactions::Interactions;
use crate::decide::plan::{Losses, Plan};
use crate::error::Result;

/// Shuffles the weights of the policy `of` over samples: the same values as often, in rows that stay together.
///
/// The shuffle depends on the seed and the number of samples alone, so a sample keeps its stand-in from epoch to epoch.
#[derive(Debug)]
pub struct RandomPolicy {
    /// The policy whose weights are shuffled.
    pub of: Box<dyn Policy>,
    /// The seed of the shuffle.
    pub seed: u64,
}

impl Policy for RandomPolicy {
    fn name(&self) -> &'static str {
        "random"
    }

    fn losses(&self) -> Losses {
        self.of.losses()
    }

    fn needs_interactions(&self) -> bool {
        self.of.needs_interactions()
    }

    fn identity(&self) -> Value {
        json!({ "name": self.name(), "of": self.of.identity(), "seed": self.seed })
    }

    fn plan(&self, samples: &Interactions, progress: &Progress) -> Result<Plan> {
        let mut stand_ins: Vec<usize> = (0..samples.len()).collect();
        stand_ins.shuffle(&mut stream(self.seed, "random policy"));
        // The plan before was shuffled too; the policy must see it as it made it.
        let previous = progress.previous.as_ref().filter(|previous| previous.ids() == samples.ids()).map(|previous| {
            let mut back = vec![0; stand_ins.len()];
            for (row, stand_in) in stand_ins.iter().enumerate() {
                back[*stand_in] = row;
            }
            Arc::new(previous.permuted(&back))
        });
        let plan = self.of.plan(samples, &Progress { previous, ..progress.clone() })?;
        Ok(plan.permuted(&stand_ins))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::interactions::tests::five;
    use crate::decide::policy::{Choice, DominantPolicy};

    fn sorted(mut column: Vec<f64>) -> Vec<f64> {
        column.sort_by(f64::total_cmp);
        column
    }

    #[test]
    fn weights_are_the_same_but_for_their_order() {
        let samples = five();
        let of = DominantPolicy { choice: Choice::Soft { temperature: 0.2 }, ..DominantPolicy::default() };
        let plan = of.plan(&samples, &Progress::default()).unwrap();
        let plans: Vec<Plan> = (0..20)
            .map(|seed| {
                let random = RandomPolicy { of: Box::new(of), seed };
                random.plan(&samples, &Progress::default()).unwrap()
            })
            .collect();
        for shuffled in &plans {
            assert_eq!(sorted(shuffled.weights().output.clone()), sorted(plan.weights().output.clone()));
        }
        assert!(plans.iter().any(|shuffled| shuffled.weights() != plan.weights()));
        assert_eq!(
            plans[3].weights(),
            RandomPolicy { of: Box::new(of), seed: 3 }.plan(&samples, &Progress::default()).unwrap().weights()
        );
    }

    #[test]
    fn hysteresis_sees_the_choices_of_the_sample_itself() {
        let samples = five();
        let of = DominantPolicy { choice: Choice::Hard { margin: 100.0 }, ..DominantPolicy::default() };
        let random = RandomPolicy { of: Box::new(of), seed: 1 };
        let first = random.plan(&samples, &Progress::default()).unwrap();
        let progress = Progress { epoch: 1, previous: Some(Arc::new(first.clone())) };
        // No lead is large enough to change a choice, so the plan stays as it is.
        assert_eq!(random.plan(&samples, &progress).unwrap().weights(), first.weights());
    }
}
