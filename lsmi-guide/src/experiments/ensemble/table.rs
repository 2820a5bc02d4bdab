//! The result of a comparison: figures of every method over seeds, and what `guided` is better by.

use lsmi_core::statistics::mean;
use serde::{Deserialize, Serialize};

use super::methods::{GUIDED, GUIDED_WITH_WEAK, LOG_LINEAR_WITH_WEAK};
use super::settings::{Data, Settings};
use super::{Guidance, Metrics};
use crate::experiments::paired::{OverSeeds, PairedDifference, metrics_over_seeds, paired_metrics};

/// The version of the layout.
const SCHEMA: u32 = 1;

/// The result of [`compare`](super::compare()).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The version of this layout.
    pub schema: u32,
    /// The version of the program.
    pub version: String,
    /// Always `nats`.
    pub units: String,
    /// Number of seeds.
    pub seeds: usize,
    /// The first seed.
    pub seed: u64,
    /// Number of samples.
    pub n: usize,
    /// Number of samples evaluated with each seed.
    pub evaluated: usize,
    /// Class names, in the order of the class indices.
    pub classes: Vec<String>,
    /// The measure of redundancy.
    pub measure: String,
    /// The members.
    pub members: Vec<String>,
    /// The figures of every method.
    pub methods: Vec<MethodRow>,
    /// What `guided` is better by than every other method without a weak member.
    pub advantages: Vec<Difference>,
    /// What `guided` with a weak member is better by than without it, and than stacking with a weak member.
    pub weak_member: Vec<Difference>,
    /// How often each guidance was chosen.
    pub guidance: Vec<Chosen>,
    /// What the weights depend on, where they depend on the sample.
    pub effects: Vec<Effect>,
}

/// The figures of one method, over seeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MethodRow {
    /// The method.
    pub method: String,
    /// Share of samples whose class is found most probable.
    pub accuracy: OverSeeds,
    /// Mean negative log-probability of the label, in nats.
    pub log_loss: OverSeeds,
    /// Expected calibration error.
    pub calibration_error: OverSeeds,
}

/// By how much one method is better than another, paired by seed; above 0 it is better.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The method.
    pub of: String,
    /// The method that it is compared with.
    pub over: String,
    /// By how much its accuracy is higher.
    pub accuracy: PairedDifference,
    /// By how much its log loss is lower, in nats.
    pub log_loss: PairedDifference,
    /// By how much its calibration error is lower.
    pub calibration_error: PairedDifference,
}

/// A choice of cross-validation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Chosen {
    /// What was chosen.
    pub guidance: Guidance,
    /// The number of seeds for which it was.
    pub seeds: usize,
}

/// By how much the weight of a member rises with one standard deviation of a column of the description.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// The member.
    pub member: String,
    /// `constant`, an interaction or a member's confidence.
    pub column: String,
    /// The mean over those seeds for which weights depend on the sample.
    pub weight: f64,
}

/// What one seed found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct SeedResult {
    pub(super) evaluated: usize,
    pub(super) members: Vec<String>,
    /// All methods, in the order of the table.
    pub(super) methods: Vec<(String, Metrics)>,
    pub(super) guidance: Guidance,
    /// For each member, name and weight of every column.
    pub(super) effects: Vec<Vec<(String, f64)>>,
}

impl Comparison {
    /// Of what at least one seed found.
    pub(super) fn new(data: Data<'_>, settings: &Settings, seeds: &[SeedResult]) -> Self {
        let (n, evaluated) = (data.samples.rows(), seeds[0].evaluated);
        let figures = Figures { seeds, ratio: evaluated as f64 / (n - evaluated) as f64 };
        let names: Vec<&str> = seeds[0].methods.iter().map(|(name, _)| name.as_str()).collect();
        let others = names.iter().filter(|name| ![GUIDED, GUIDED_WITH_WEAK, LOG_LINEAR_WITH_WEAK].contains(name));
        Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            units: "nats".to_owned(),
            seeds: seeds.len(),
            seed: settings.seed,
            n,
            evaluated,
            classes: data.classes.names().to_vec(),
            measure: settings.estimator.measure.to_string(),
            members: seeds[0].members.clone(),
            methods: names.iter().map(|name| figures.of_method(name)).collect(),
            advantages: others.map(|other| figures.difference(GUIDED, other)).collect(),
            weak_member: [GUIDED, LOG_LINEAR_WITH_WEAK]
                .map(|other| figures.difference(GUIDED_WITH_WEAK, other))
                .to_vec(),
            guidance: chosen(seeds),
            effects: effects(seeds),
        }
    }

    /// Returns the figures of a method.
    pub fn method(&self, name: &str) -> Option<&MethodRow> {
        self.methods.iter().find(|row| row.method == name)
    }

    /// Returns what `guided` is better by than a method.
    pub fn advantage(&self, over: &str) -> Option<&Difference> {
        self.advantages.iter().find(|difference| difference.over == over)
    }
}

/// The figures of all seeds.
struct Figures<'a> {
    seeds: &'a [SeedResult],
    /// The number of evaluated rows to that of fitted rows.
    ratio: f64,
}

impl Figures<'_> {
    fn of(&self, method: &str) -> Vec<Metrics> {
        let of_methods = self.seeds.iter().flat_map(|seed| &seed.methods);
        of_methods.filter(|(name, _)| name == method).map(|(_, metrics)| *metrics).collect()
    }

    fn of_method(&self, method: &str) -> MethodRow {
        let [accuracy, log_loss, calibration_error] = metrics_over_seeds(&self.of(method), self.ratio);
        MethodRow { method: method.to_owned(), accuracy, log_loss, calibration_error }
    }

    fn difference(&self, of: &str, over: &str) -> Difference {
        let [accuracy, log_loss, calibration_error] = paired_metrics(&self.of(of), &self.of(over), self.ratio);
        Difference { of: of.to_owned(), over: over.to_owned(), accuracy, log_loss, calibration_error }
    }
}

/// What was chosen, the most frequent first.
fn chosen(seeds: &[SeedResult]) -> Vec<Chosen> {
    let mut all: Vec<Chosen> = Vec::new();
    for SeedResult { guidance, .. } in seeds {
        match all.iter_mut().find(|other| other.guidance == *guidance) {
            Some(other) => other.seeds += 1,
            None => all.push(Chosen { guidance: *guidance, seeds: 1 }),
        }
    }
    // The sort is stable.
    all.sort_by_key(|chosen| std::cmp::Reverse(chosen.seeds));
    all
}

/// The mean effects over those seeds for which weights depend on the sample.
fn effects(seeds: &[SeedResult]) -> Vec<Effect> {
    let guided: Vec<&SeedResult> = seeds.iter().filter(|seed| matches!(seed.guidance, Guidance::Penalty(_))).collect();
    let Some(first) = guided.first() else { return Vec::new() };
    let mut all = Vec::new();
    for (member, (name, columns)) in first.members.iter().zip(&first.effects).enumerate() {
        for (column, (of_column, _)) in columns.iter().enumerate() {
            let weights: Vec<f64> = guided.iter().map(|seed| seed.effects[member][column].1).collect();
            all.push(Effect { member: name.clone(), column: of_column.clone(), weight: mean(&weights) });
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed(guidance: Guidance, log_loss: f64, weight: f64) -> SeedResult {
        let metrics = |log_loss| Metrics { accuracy: 0.5, log_loss, calibration_error: 0.1 };
        SeedResult {
            evaluated: 3,
            members: vec!["x1".to_owned()],
            methods: vec![("stacking".to_owned(), metrics(1.0)), (GUIDED.to_owned(), metrics(log_loss))],
            guidance,
            effects: vec![vec![("constant".to_owned(), weight)]],
        }
    }

    #[test]
    fn a_lower_loss_is_an_advantage() {
        let seeds = [seed(Guidance::Penalty(0.1), 0.8, 1.0), seed(Guidance::Penalty(0.1), 0.6, 1.0)];
        let found = Figures { seeds: &seeds, ratio: 0.5 }.difference(GUIDED, "stacking");
        assert!((found.log_loss.difference.mean - 0.3).abs() < 1e-12);
        assert_eq!((found.log_loss.positive, found.accuracy.p_value), (2, Some(1.0)));
    }

    #[test]
    fn effects_are_of_seeds_whose_weights_depend_on_the_sample() {
        let stacking = Guidance::Stacking;
        let seeds = [seed(stacking, 0.8, 9.0), seed(Guidance::Penalty(0.1), 0.6, 1.0), seed(stacking, 0.6, 7.0)];
        assert_eq!(effects(&seeds)[0].weight, 1.0);
        assert_eq!(chosen(&seeds)[0], Chosen { guidance: stacking, seeds: 2 });
        assert!(effects(&seeds[..1]).is_empty());
    }
}
