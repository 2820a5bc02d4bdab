//! `summary.json` of several modalities.

use std::collections::BTreeMap;

use lsmi_core::lattice::{Antichain, LatticeColumns};
use lsmi_core::statistics::mean;
use lsmi_core::{Measure, Subset};
use serde::{Deserialize, Serialize};

use super::{PairAnalysis, SeveralSplit};
use crate::analysis::ordered_map::{as_map, from_map};
use crate::analysis::summary::SplitSummary;
use crate::densities::gauge::GaugeKind;
use crate::estimator::Grouping;
use crate::estimator::several::SeveralEstimator;

/// Version of this layout.
const SCHEMA: u32 = 1;

/// All of `summary.json` of several modalities. Sets of modalities are named by their places, as in `13`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SeveralSummary {
    /// Version of this layout.
    pub schema: u32,
    /// Version of the program.
    pub version: String,
    /// Always `nats`.
    pub units: String,
    /// The names of the modalities, in their order.
    pub modalities: Vec<String>,
    /// What the label is called, as in `the label`.
    pub label: String,
    /// Seed of the fit.
    pub seed: u64,
    /// The coordinates in which surprisal is measured.
    pub gauge: GaugeKind,
    /// How the class prior was chosen: `empirical`, `uniform` or `given`.
    pub prior: String,
    /// The probability of each class under it, in the order of `classes`.
    pub class_prior: Vec<f64>,
    /// The measure of redundancy.
    pub measure: Measure,
    /// Rows that the estimator was fitted on.
    pub n: usize,
    /// Columns of the features, and dimensions of the gauge.
    pub dims: SeveralDimensions,
    /// Folds of the cross-fitting.
    pub folds: usize,
    /// Fits, with folds and random draws of their own, that were averaged.
    pub repeats: usize,
    /// SHA-256 of the rows that the estimator was fitted on.
    pub data_hash: String,
    /// Class names, in the order of the class indices.
    pub classes: Vec<String>,
    /// How the rows of the fit were grouped; none where every row is by itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub grouping: Option<Grouping>,
    /// What has to be known before any number, in sentences.
    pub warnings: Vec<String>,
    /// The splits, in the order of the samples.
    #[serde(serialize_with = "as_map", deserialize_with = "from_map")]
    pub splits: Vec<(String, SeveralSplitSummary)>,
    /// What a user should know of the fit, in sentences.
    pub notes: Vec<String>,
}

/// Columns of the features of each modality, and dimensions of the gauge.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SeveralDimensions {
    /// Columns, by `x1`, `x2` and so on.
    #[serde(flatten)]
    pub columns: BTreeMap<String, usize>,
    /// Dimensions in which surprisal is measured, likewise.
    pub gauge: BTreeMap<String, usize>,
}

/// Means over the samples of one split, of several modalities, in nats.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SeveralSplitSummary {
    /// Samples of the split.
    pub n: usize,
    /// Mutual information of each set of modalities with the label: `i1`, ..., `i123`.
    #[serde(with = "information")]
    pub information: BTreeMap<Subset, f64>,
    /// Share of samples whose class the head of each set predicts.
    pub accuracy: BTreeMap<Subset, f64>,
    /// Mean negative log-likelihood of the label under the head of each set.
    pub nll: BTreeMap<Subset, f64>,
    /// What all modalities share; none where the measure needs heads that were not fitted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub redundancy: Option<f64>,
    /// The mean of each atom of the lattice of three modalities, from the bottom to the top.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "as_map", deserialize_with = "from_map", default)]
    pub lattice: Vec<(String, f64)>,
    /// `redundancy` by further measures, where these were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "as_map", deserialize_with = "from_map", default)]
    pub redundancies: Vec<(Measure, f64)>,
    /// `lattice` by further measures, likewise.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "as_map", deserialize_with = "from_map", default)]
    pub lattices: Vec<(Measure, Atoms)>,
    /// The mean Shapley value of each modality, `x1` and so on, where every set has a head.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub shapley: BTreeMap<String, f64>,
    /// The mean interaction index of each pair, likewise.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub interaction: BTreeMap<Subset, f64>,
    /// What `summary.json` has of a split of two modalities, for each pair.
    pub pairs: BTreeMap<Subset, SplitSummary>,
}

/// The mean of each atom of a lattice, from the bottom to the top.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Atoms(
    /// The atoms by their names, with their means in nats.
    #[serde(serialize_with = "as_map", deserialize_with = "from_map")]
    pub Vec<(String, f64)>,
);

impl Atoms {
    fn of(lattice: &LatticeColumns) -> Self {
        Self(lattice.means().into_iter().map(|node| (node_name(&node.node), node.atom)).collect())
    }
}

/// Writes the informations of sets under the names of the columns, as in `i13`.
mod information {
    use std::collections::BTreeMap;

    use lsmi_core::Subset;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(of: &BTreeMap<Subset, f64>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(of.iter().map(|(subset, value)| (format!("i{subset}"), value)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Subset, f64>, D::Error> {
        let named = BTreeMap::<String, f64>::deserialize(deserializer)?;
        let subset = |name: &str| name.strip_prefix('i').unwrap_or(name).parse().map_err(D::Error::custom);
        named.into_iter().map(|(name, value)| Ok((subset(&name)?, value))).collect()
    }
}

impl SeveralSummary {
    /// Summarises splits; `pairs` have the analyses of all pairs of modalities of these very splits.
    pub(super) fn new(
        estimator: &SeveralEstimator,
        splits: &[SeveralSplit],
        pairs: &[PairAnalysis],
        label: &str,
        notes_of_data: &[String],
    ) -> Self {
        let description = estimator.description();
        let of_pair = |pair: &PairAnalysis| {
            let [one, two] = [&pair.summary.names.x1, &pair.summary.names.x2];
            let warnings = pair.summary.warnings.iter();
            warnings.map(|warning| format!("{one} and {two}: {warning}")).collect::<Vec<_>>()
        };
        let by_modality = |numbers: &[usize]| {
            numbers.iter().enumerate().map(|(place, number)| (format!("x{}", place + 1), *number)).collect()
        };
        let of_split = |(place, split): (usize, &SeveralSplit)| {
            let of_pairs = pairs.iter().map(|pair| (pair.pair, pair.summary.splits[place].1.clone())).collect();
            (split.name.clone(), SeveralSplitSummary::new(estimator, split, of_pairs))
        };
        Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            units: "nats".to_owned(),
            modalities: description.modalities.clone(),
            label: label.to_owned(),
            seed: description.seed,
            gauge: description.gauge,
            prior: description.prior.clone(),
            class_prior: estimator.prior().log_probabilities().iter().map(|value| value.exp()).collect(),
            measure: description.measure,
            n: description.rows,
            dims: SeveralDimensions {
                columns: by_modality(&description.dims),
                gauge: by_modality(&description.gauge_dims),
            },
            folds: description.folds,
            repeats: description.repeats,
            data_hash: description.data_hash.clone(),
            classes: estimator.classes().names().to_vec(),
            grouping: description.grouping.clone(),
            warnings: notes_of_data.iter().cloned().chain(pairs.iter().flat_map(of_pair)).collect(),
            splits: splits.iter().enumerate().map(of_split).collect(),
            notes: description.notes.clone(),
        }
    }
}

/// Returns the name of a node of the lattice in files: its sets in alphabetical order, as in `{12}{3}`.
pub fn node_name(node: &Antichain) -> String {
    let mut sets: Vec<String> = node.subsets().map(|set| format!("{{{set}}}")).collect();
    sets.sort_unstable();
    sets.concat()
}

impl SeveralSplitSummary {
    fn new(estimator: &SeveralEstimator, split: &SeveralSplit, pairs: BTreeMap<Subset, SplitSummary>) -> Self {
        let scores = &split.scores;
        let shapley = split.shapley.as_ref();
        let others = || split.measures.iter().filter(|by| by.measure != estimator.description().measure);
        let redundancies = others().filter_map(|by| Some((by.measure, mean(by.redundancy.as_ref()?))));
        let lattices = others().filter_map(|by| Some((by.measure, Atoms::of(by.lattice.as_ref()?))));
        let values = shapley.map(|of| {
            of.values.iter().enumerate().map(|(place, values)| (format!("x{}", place + 1), mean(values))).collect()
        });
        let interactions =
            shapley.map(|of| of.pairs.iter().copied().zip(of.interactions.iter().map(|of| mean(of))).collect());
        Self {
            n: scores.labels.len(),
            information: scores.columns.informations.iter().map(|(set, values)| (*set, mean(values))).collect(),
            accuracy: scores.accuracy(),
            nll: scores.negative_log_likelihood(estimator.prior()),
            redundancy: split.redundancy.as_ref().map(|values| mean(values)),
            lattice: split.lattice.as_ref().map(|lattice| Atoms::of(lattice).0).unwrap_or_default(),
            redundancies: redundancies.collect(),
            lattices: lattices.collect(),
            shapley: values.unwrap_or_default(),
            interaction: interactions.unwrap_or_default(),
            pairs,
        }
    }
}
