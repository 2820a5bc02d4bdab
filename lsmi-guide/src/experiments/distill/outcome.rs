//! What a comparison found.

use lsmi_core::statistics::mean;
use serde::{Deserialize, Serialize};

use super::prepared::Prepared;
use super::teacher::TeacherScore;
use super::{Data, Settings};
use crate::experiments::metrics::Metrics;
use crate::experiments::paired::{OverSeeds, PairedDifference, metrics_over_seeds, paired_metrics};

/// The version of the layout.
const SCHEMA: u32 = 1;

/// What a comparison found: scores on the samples to test on, in nats where they are losses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The version of this layout.
    pub schema: u32,
    /// The version of the program.
    pub version: String,
    /// Always `nats`.
    pub units: String,
    /// The number of samples, without those that came to test on.
    pub n: usize,
    /// The samples that a student learns from: the mean over splits.
    pub transfer: f64,
    /// Class names, in the order of the class indices.
    pub classes: Vec<String>,
    /// The settings.
    pub settings: Settings,
    /// How good the teacher is.
    pub teacher: TeacherScore,
    /// Every policy, in the order asked for.
    pub policies: Vec<OfPolicy>,
    /// The advantage of `interaction` over every other policy, where it was asked for.
    pub advantages: Vec<Differences>,
    /// The advantage of `modality` over `auxiliary` and `none`, where they were asked for.
    pub fusion: Vec<Differences>,
    /// Steps that were skipped for losses that are not finite: policy, seed and reason.
    pub skipped: Vec<String>,
}

/// How good students are under a policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OfPolicy {
    /// The policy.
    pub policy: String,
    /// The factor that is best on the validation samples.
    pub factor: f64,
    /// The mean log loss on the validation samples, by which the factor was chosen.
    pub validation_log_loss: f64,
    /// Share of right predictions.
    pub accuracy: OverSeeds,
    /// Negative log probability of the label, in nats.
    pub log_loss: OverSeeds,
    /// Expected calibration error.
    pub calibration_error: OverSeeds,
    /// The runs with that factor, one a seed.
    pub runs: Vec<Run>,
}

/// By how much one policy is better than another; above 0 it is better.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Differences {
    /// The policy that is compared.
    pub of: String,
    /// The policy that it is compared with.
    pub over: String,
    /// By how much its accuracy is higher, on these data.
    pub accuracy: PairedDifference,
    /// By how much its log loss is lower, in nats, on these data.
    pub log_loss: PairedDifference,
    /// By how much its calibration error is lower, on these data.
    pub calibration_error: PairedDifference,
    /// The p-value of no difference in log loss on other data like these: seeds share samples, so that they tell less of
    /// other data than of these (Nadeau and Bengio, 2003). None where there is one seed.
    pub other_data_p_value: Option<f64>,
}

/// One student.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The policy.
    pub policy: String,
    /// The factor of the distillation losses.
    pub factor: f64,
    /// The seed.
    pub seed: u64,
    /// The split of the data.
    pub split: usize,
    /// On the validation samples.
    pub validation: Metrics,
    /// On the samples to test on.
    pub test: Metrics,
    /// Why steps were skipped.
    pub skipped: Vec<String>,
}

impl Comparison {
    pub(super) fn new(data: Data<'_>, settings: &Settings, prepared: &[Prepared], runs: &[Run]) -> Self {
        let skipped = runs.iter().flat_map(|run| {
            run.skipped
                .iter()
                .map(|reason| format!("policy `{}`, factor {}, seed {}: {reason}", run.policy, run.factor, run.seed))
        });
        let skipped = skipped.collect();
        let policies: Vec<OfPolicy> =
            settings.policies.iter().filter_map(|policy| OfPolicy::new(policy, runs)).collect();
        let of_test = |value: fn(&Metrics) -> f64| {
            mean(&prepared.iter().map(|split| value(&split.taught.test)).collect::<Vec<_>>())
        };
        let transfers: Vec<f64> = prepared
            .iter()
            .map(|split| super::split::transfer(&split.train.labels, settings.transfer, settings.seed).len() as f64)
            .collect();
        let ratio = mean(
            &prepared
                .iter()
                .map(|split| split.test.labels.len() as f64 / split.train.labels.len() as f64)
                .collect::<Vec<_>>(),
        );
        Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            units: "nats".to_owned(),
            n: data.samples.rows(),
            transfer: mean(&transfers),
            classes: data.classes.names().to_vec(),
            settings: Settings { threads: 0, ..settings.clone() },
            teacher: TeacherScore {
                accuracy: of_test(|score| score.accuracy),
                log_loss: of_test(|score| score.log_loss),
            },
            advantages: advantages("interaction", |_| true, &policies, ratio),
            fusion: advantages("modality", |over| ["auxiliary", "none"].contains(&over), &policies, ratio),
            policies,
            skipped,
        }
    }

    /// Returns what was found of a policy.
    pub fn policy(&self, name: &str) -> Option<&OfPolicy> {
        self.policies.iter().find(|policy| policy.policy == name)
    }

    /// Returns the advantage of `interaction` over a policy.
    pub fn advantage(&self, over: &str) -> Option<&Differences> {
        self.advantages.iter().find(|differences| differences.over == over)
    }
}

impl OfPolicy {
    fn new(policy: &str, runs: &[Run]) -> Option<Self> {
        let of_policy: Vec<&Run> = runs.iter().filter(|run| run.policy == policy).collect();
        let mut factors: Vec<f64> = of_policy.iter().map(|run| run.factor).collect();
        factors.dedup();
        let loss = |factor: f64| {
            let of_factor = of_policy.iter().filter(|run| run.factor == factor);
            mean(&of_factor.map(|run| run.validation.log_loss).collect::<Vec<_>>())
        };
        let factor = factors.into_iter().min_by(|a, b| loss(*a).total_cmp(&loss(*b)))?;
        let runs: Vec<Run> = of_policy.iter().copied().filter(|run| run.factor == factor).cloned().collect();
        let [accuracy, log_loss, calibration_error] = metrics_over_seeds(&tested(&runs), 0.0);
        Some(Self {
            policy: policy.to_owned(),
            factor,
            validation_log_loss: loss(factor),
            accuracy,
            log_loss,
            calibration_error,
            runs,
        })
    }
}

fn tested(runs: &[Run]) -> Vec<Metrics> {
    runs.iter().map(|run| run.test).collect()
}

fn advantages(name: &str, is_asked: impl Fn(&str) -> bool, policies: &[OfPolicy], ratio: f64) -> Vec<Differences> {
    let Some(of) = policies.iter().find(|policy| policy.policy == name) else { return Vec::new() };
    let others = policies.iter().filter(|over| over.policy != name && is_asked(&over.policy));
    let difference = |over: &OfPolicy| {
        let (first, second) = (tested(&of.runs), tested(&over.runs));
        let [accuracy, log_loss, calibration_error] = paired_metrics(&first, &second, 0.0);
        let [_, of_other_data, _] = paired_metrics(&first, &second, ratio);
        Differences {
            of: name.to_owned(),
            over: over.policy.clone(),
            accuracy,
            log_loss,
            calibration_error,
            other_data_p_value: of_other_data.p_value,
        }
    };
    others.map(difference).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(policy: &str, factor: f64, seed: u64, validation: f64, test: f64) -> Run {
        let score = |log_loss| Metrics { accuracy: 0.5, log_loss, calibration_error: 0.1 };
        let (validation, test) = (score(validation), score(test));
        Run { policy: policy.to_owned(), factor, seed, split: 0, validation, test, skipped: Vec::new() }
    }

    #[test]
    fn the_factor_is_chosen_on_validation_samples_and_pairs_are_kept() {
        let runs = [
            run("interaction", 0.1, 0, 1.0, 0.1),
            run("interaction", 0.1, 1, 1.0, 0.1),
            run("interaction", 1.0, 0, 0.9, 5.0),
            run("interaction", 1.0, 1, 0.9, 7.0),
            run("both", 1.0, 0, 0.9, 5.5),
            run("both", 1.0, 1, 0.9, 8.5),
        ];
        let policies: Vec<OfPolicy> =
            ["interaction", "both"].iter().filter_map(|policy| OfPolicy::new(policy, &runs)).collect();
        assert_eq!((policies[0].factor, policies[0].log_loss.mean), (1.0, 6.0));
        let found = advantages("interaction", |_| true, &policies, 0.25);
        // 5.5 - 5 and 8.5 - 7: the standard error is 0.5, and for other data, of one and a half times the variance, 0.612.
        let log_loss = found[0].log_loss;
        assert_eq!((found.len(), log_loss.difference.mean, log_loss.positive), (1, 1.0, 2));
        let p_value = |t: f64| 1.0 - t.atan() * std::f64::consts::FRAC_2_PI;
        assert!((log_loss.p_value.unwrap() - p_value(2.0)).abs() < 1e-12);
        assert!((found[0].other_data_p_value.unwrap() - p_value(2.0 / 1.5f64.sqrt())).abs() < 1e-12);
    }
}
