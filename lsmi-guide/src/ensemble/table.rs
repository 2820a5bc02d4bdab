//! The table of a comparison: figures of every method over seeds, and the weights of every sample.

use std::collections::BTreeMap;

use lsmi_candle::features::FeatureSet;
use lsmi_core::SampleIds;
use serde::{Deserialize, Serialize};

use super::metrics::most_probable;
use super::{Guidance, Guided, Metrics};
use crate::paired::{OverSeeds, PairedDifference};

/// What methods are compared with.
const BASELINES: [&str; 2] = ["stacking", "stacking, log-linear"];

/// The result of [`compare`](super::compare()).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Number of seeds.
    pub seeds: usize,
    /// Number of samples.
    pub rows: usize,
    /// Number of samples evaluated with each seed.
    pub evaluated_rows: usize,
    /// The members, in the order of their weights.
    pub members: Vec<String>,
    /// The figures of every method.
    pub methods: Vec<MethodRow>,
    /// Differences of methods, paired by seed.
    pub differences: Vec<Difference>,
    /// How often each guidance was chosen.
    pub guidance: Vec<(Guidance, usize)>,
    /// The guided weights of every sample that was evaluated with some seed.
    pub weights: Vec<SampleWeights>,
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

/// The figures of one method less those of another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The method.
    pub method: String,
    /// The method that it is compared with.
    pub baseline: String,
    /// Of accuracies.
    pub accuracy: PairedDifference,
    /// Of log losses, in nats.
    pub log_loss: PairedDifference,
    /// Of expected calibration errors.
    pub calibration_error: PairedDifference,
}

/// The guided weights of one sample, averaged over the seeds for which it was evaluated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SampleWeights {
    /// The sample.
    pub id: String,
    /// Its class.
    pub label: u32,
    /// The number of seeds for which it was evaluated.
    pub evaluations: usize,
    /// The weight of every member.
    pub weights: Vec<f64>,
    /// The class that the guided ensemble finds most probable, by the probabilities averaged over seeds.
    pub prediction: u32,
    /// The averaged probability of that class.
    pub confidence: f64,
}

/// Figures as they come, seed by seed.
pub(super) struct Table {
    ids: SampleIds,
    labels: Vec<u32>,
    /// The methods in the order in which they first came.
    methods: Vec<(String, Vec<Metrics>)>,
    guidance: Vec<(Guidance, usize)>,
    members: Vec<String>,
    evaluated_rows: usize,
    /// For every row evaluated: how often, and the sums of weights and of probabilities.
    sums: BTreeMap<usize, (usize, Vec<f64>, Vec<f64>)>,
}

impl Table {
    pub(super) fn new(samples: &FeatureSet) -> Self {
        Self {
            ids: samples.ids.clone(),
            labels: samples.labels.clone(),
            methods: Vec::new(),
            guidance: Vec::new(),
            members: Vec::new(),
            evaluated_rows: 0,
            sums: BTreeMap::new(),
        }
    }

    pub(super) fn record(&mut self, method: &str, metrics: Metrics) {
        match self.methods.iter_mut().find(|(name, _)| name == method) {
            Some((_, of_seeds)) => of_seeds.push(metrics),
            None => self.methods.push((method.to_owned(), vec![metrics])),
        }
    }

    pub(super) fn record_guidance(&mut self, guidance: Guidance) {
        match self.guidance.iter_mut().find(|(other, _)| *other == guidance) {
            Some((_, count)) => *count += 1,
            None => self.guidance.push((guidance, 1)),
        }
    }

    /// Adds the guided weights of rows of the samples.
    pub(super) fn record_weights(&mut self, rows: &[usize], guided: &Guided, members: &[String], classes: usize) {
        self.members = members.to_vec();
        self.evaluated_rows = rows.len();
        let of_rows = guided.weights.chunks_exact(members.len()).zip(guided.log_probabilities.chunks_exact(classes));
        for (row, (weights, log_probabilities)) in rows.iter().zip(of_rows) {
            let none = || (0, vec![0.0; members.len()], vec![0.0; classes]);
            let (count, of_weights, of_probabilities) = self.sums.entry(*row).or_insert_with(none);
            *count += 1;
            of_weights.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight);
            of_probabilities.iter_mut().zip(log_probabilities).for_each(|(sum, value)| *sum += value.exp());
        }
    }

    pub(super) fn finish(self) -> Comparison {
        let fitted = self.labels.len() - self.evaluated_rows;
        let ratio = self.evaluated_rows as f64 / fitted as f64;
        let seeds = self.methods.first().map_or(0, |(_, of_seeds)| of_seeds.len());
        let over_seeds = |of_seeds: &[Metrics], figure: fn(&Metrics) -> f64| {
            OverSeeds::of(&of_seeds.iter().map(figure).collect::<Vec<_>>(), ratio)
        };
        let methods = self.methods.iter().map(|(method, of_seeds)| MethodRow {
            method: method.clone(),
            accuracy: over_seeds(of_seeds, |metrics| metrics.accuracy),
            log_loss: over_seeds(of_seeds, |metrics| metrics.log_loss),
            calibration_error: over_seeds(of_seeds, |metrics| metrics.calibration_error),
        });
        Comparison {
            seeds,
            rows: self.labels.len(),
            evaluated_rows: self.evaluated_rows,
            methods: methods.collect(),
            differences: self.differences(ratio),
            weights: self.weights(),
            members: self.members,
            guidance: self.guidance,
        }
    }

    /// Every method against both kinds of stacking, and methods with a weak member against themselves without it.
    fn differences(&self, ratio: f64) -> Vec<Difference> {
        let of = |name: &str| self.methods.iter().find(|(method, _)| method == name);
        let against_stacking = BASELINES.into_iter().flat_map(|baseline| {
            let others = self.methods.iter().filter(move |(method, _)| method != baseline);
            others.map(move |(method, of_seeds)| (method, of_seeds, baseline))
        });
        let with_weak = self
            .methods
            .iter()
            .filter_map(|(method, of_seeds)| Some((method, of_seeds, method.strip_suffix(", with a weak member")?)));
        let differ = |(method, first, baseline): (&String, &Vec<Metrics>, &str)| {
            let second = &of(baseline)?.1;
            let paired = |figure: fn(&Metrics) -> f64| {
                let values = |of_seeds: &[Metrics]| of_seeds.iter().map(figure).collect::<Vec<_>>();
                PairedDifference::of(&values(first), &values(second), ratio)
            };
            Some(Difference {
                method: method.clone(),
                baseline: baseline.to_owned(),
                accuracy: paired(|metrics| metrics.accuracy),
                log_loss: paired(|metrics| metrics.log_loss),
                calibration_error: paired(|metrics| metrics.calibration_error),
            })
        };
        let mut differences: Vec<Difference> = Vec::new();
        for difference in against_stacking.chain(with_weak).filter_map(differ) {
            let is_same =
                |other: &Difference| (&other.method, &other.baseline) == (&difference.method, &difference.baseline);
            if !differences.iter().any(is_same) {
                differences.push(difference);
            }
        }
        differences
    }

    fn weights(&self) -> Vec<SampleWeights> {
        let of_row = |(row, (count, weights, probabilities)): (&usize, &(usize, Vec<f64>, Vec<f64>))| {
            let (prediction, probability) = most_probable(probabilities);
            #[expect(
                clippy::cast_possible_truncation,
                reason = "labels are 32 bits wide, so there are no more classes"
            )]
            let prediction = prediction as u32;
            SampleWeights {
                id: self.ids.get(*row).into_owned(),
                label: self.labels[*row],
                evaluations: *count,
                weights: weights.iter().map(|sum| sum / *count as f64).collect(),
                prediction,
                confidence: probability / *count as f64,
            }
        };
        self.sums.iter().map(of_row).collect()
    }
}
