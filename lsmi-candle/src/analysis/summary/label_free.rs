//! The summary of samples without labels: means of expectations, in nats, and what they were estimated with.
//!
//! The fields that it shares with `summary.json` are called and mean the same, but every value that depends on a label is
//! the expectation over labels under the joint head. What only labels can tell (accuracy, log loss) is not there.

use crate::densities::gauge::GaugeKind;
use crate::estimator::{Candidates, Estimator};
use lsmi_core::{ClassPrior, Means, Measure, TermMeans, statistics};
use serde::Serialize;

use super::streamed::means;
use super::{Heads, Information, MissingSummary};
use crate::analysis::ordered_map::as_map;
use crate::samples::ExpectedSplit;
use crate::samples::Sums;

/// Version of this layout.
const SCHEMA: u32 = 1;

/// The means of all splits.
#[derive(Debug, Clone, Serialize)]
pub struct ExpectedSummary {
    /// Version of this layout.
    pub schema: u32,
    /// Version of the program.
    pub version: &'static str,
    /// Always true: no label was used.
    pub label_free: bool,
    /// Always `nats`.
    pub units: &'static str,
    /// Seed of the fit.
    pub seed: u64,
    /// The coordinates in which surprisal is measured.
    pub gauge: GaugeKind,
    /// How the class prior was chosen: `empirical`, `uniform` or `given`.
    pub prior: String,
    /// The measure of redundancy.
    pub measure: Measure,
    /// Rows that the estimator was fitted on.
    pub n: usize,
    /// SHA-256 of those rows.
    pub data_hash: String,
    /// Class names, in the order of the class indices.
    pub classes: Vec<String>,
    /// The splits, in the order of the samples.
    #[serde(serialize_with = "as_map")]
    pub splits: Vec<(String, ExpectedMeans)>,
    /// What a user should know of the fit, in sentences.
    pub notes: Vec<String>,
}

/// Means over the samples of one split.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct ExpectedMeans {
    /// Samples of the split; where some lack a modality, those that have both.
    pub n: usize,
    /// The samples that lack a modality, where there are any: nothing else here is about them. Information is expected under
    /// the head of the modality that they have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<MissingSummary>,
    /// Means of the expected i1, i2 and i12.
    pub information: Information,
    /// Means of the expected r, u1, u2 and s.
    pub raw: Means,
    /// Mean probability that each head gives to the class that it predicts; not told of rows from a stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Heads>,
}

impl ExpectedSummary {
    /// Summarises splits that an estimator scored without labels.
    pub fn new(estimator: &Estimator, splits: &[ExpectedSplit]) -> Self {
        let means = |split: &ExpectedSplit| (split.name.clone(), ExpectedMeans::new(split, estimator.prior()));
        Self::of_means(estimator, splits.iter().map(means).collect())
    }

    /// Summarises splits of whose rows there are only sums.
    pub fn of_sums(estimator: &Estimator, splits: &[(String, Sums)]) -> Self {
        let means = |(name, sums): &(String, Sums)| {
            let (information, raw) = means(sums);
            (
                name.clone(),
                ExpectedMeans { n: sums.n, missing: MissingSummary::of_sums(sums), information, raw, confidence: None },
            )
        };
        Self::of_means(estimator, splits.iter().map(means).collect())
    }

    fn of_means(estimator: &Estimator, splits: Vec<(String, ExpectedMeans)>) -> Self {
        let description = estimator.description();
        Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            label_free: true,
            units: "nats",
            seed: description.seed,
            gauge: description.gauge,
            prior: description.prior.clone(),
            measure: description.measure,
            n: description.rows,
            data_hash: description.data_hash.clone(),
            classes: estimator.classes().names().to_vec(),
            splits,
            notes: estimator.notes().to_vec(),
        }
    }
}

impl ExpectedMeans {
    fn new(split: &ExpectedSplit, prior: &ClassPrior) -> Self {
        let TermMeans { i1, i2, i12, .. } = split.expected.terms.means();
        Self {
            n: split.expected.decomposition.len(),
            missing: MissingSummary::of_sums(&Sums::expected(split)),
            information: Information { i1, i2, i12 },
            raw: split.expected.decomposition.means(),
            confidence: Some([0, 1, 2].map(|head| confidence(&split.candidates, prior, head)).into()),
        }
    }
}

/// The mean of p(y|x) = p(y) exp(i) for the label y that a head predicts.
fn confidence(candidates: &Candidates, prior: &ClassPrior, head: usize) -> f64 {
    let information = candidates.information[head].chunks_exact(candidates.classes);
    let probabilities: Vec<f64> = information
        .zip(&candidates.predictions[head])
        .map(|(information, class)| {
            let class = *class as usize;
            (information[class] + prior.log_probability(class)).exp()
        })
        .collect();
    statistics::mean(&probabilities)
}
