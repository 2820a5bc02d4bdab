//! `summary.json` of several labels: a table over labels, and the summary of each.

use lsmi_core::{Adjusted, Means, Measure};
use serde::{Deserialize, Serialize};

use super::files::estimator_name;
use super::rare::Pool;
use crate::analysis::Analysis;
use crate::analysis::names::Names;
use crate::analysis::ordered_map::{as_map, from_map};
use crate::analysis::summary::{Dimensions, Heads, Information, Summary};
use crate::densities::gauge::GaugeKind;
use crate::estimator::Grouping;

/// Version of the layout.
const SCHEMA: u32 = 1;

/// All of `summary.json` of several labels.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LabelsSummary {
    /// Version of this layout.
    pub schema: u32,
    /// Version of the program.
    pub version: String,
    /// Always `nats`.
    pub units: String,
    /// What the two modalities are called.
    pub names: Names,
    /// Seed of the fits.
    pub seed: u64,
    /// The coordinates in which surprisal is measured.
    pub gauge: GaugeKind,
    /// How the class prior of each label was chosen.
    pub prior: String,
    /// The measure of redundancy.
    pub measure: Measure,
    /// Rows that gauge and densities were fitted on; a label has at most as many.
    pub n: usize,
    /// Columns of the features, and dimensions of the gauge.
    pub dims: Dimensions,
    /// Folds of the cross-fitting, the same for all labels.
    pub folds: usize,
    /// Fits, with folds and random draws of their own, that were averaged.
    pub repeats: usize,
    /// How the rows were grouped; none where every row is by itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub grouping: Option<Grouping>,
    /// The labels that are one, the last, as too few rows have either value.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub pooled: Vec<String>,
    /// The labels of the file, in the order of its columns, where some of them are one.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub columns: Vec<String>,
    /// What has to be known before any number, in sentences.
    pub warnings: Vec<String>,
    /// The table: a row for every label and split, labels in the order of the columns.
    pub table: Vec<LabelRow>,
    /// The summary of each label, as of an analysis of this label alone.
    #[serde(serialize_with = "as_map", deserialize_with = "from_map")]
    pub labels: Vec<(String, Summary)>,
}

/// What the modalities tell of one label in the rows of one split.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LabelRow {
    /// The name of the label.
    pub label: String,
    /// The name of the split.
    pub split: String,
    /// Rows of which the label is known.
    pub rows: usize,
    /// Rows in which it is 1.
    pub positives: usize,
    /// Mutual information of the modalities with the label.
    pub information: Information,
    /// Means of r, u1, u2 and s as they are.
    pub raw: Means,
    /// The same after the shift by one constant.
    pub adjusted: Adjusted,
    /// Share of rows whose value each head predicts.
    pub accuracy: Heads,
    /// The file of the estimator, in the directory of the analysis.
    pub estimator: String,
}

impl LabelsSummary {
    /// Returns the labels that a file to be scored must have, in the order of its columns.
    pub fn columns_to_score(&self) -> Vec<String> {
        if self.columns.is_empty() {
            self.labels.iter().map(|(name, _)| name.clone()).collect()
        } else {
            self.columns.clone()
        }
    }

    /// Puts the summaries of labels together; there is at least one.
    pub(super) fn new(
        analyses: &[(String, Analysis)],
        grouping: Option<Grouping>,
        rows: usize,
        Pool { pooled, columns }: Pool,
        warnings: Vec<String>,
    ) -> Self {
        let Summary { version, units, names, seed, gauge, prior, measure, dims, folds, repeats, .. } =
            analyses[0].1.summary().clone();
        let table = analyses.iter().enumerate().flat_map(|(place, (label, analysis))| {
            let estimator = estimator_name(place, analyses.len(), label);
            let splits = analysis.splits().iter().zip(&analysis.summary().splits);
            splits.map(move |(scored, (split, summary))| LabelRow {
                label: label.clone(),
                split: split.clone(),
                rows: summary.n,
                positives: scored.scores.labels.iter().filter(|value| **value == 1).count(),
                information: summary.information,
                raw: summary.raw,
                adjusted: summary.adjusted,
                accuracy: summary.accuracy,
                estimator: estimator.clone(),
            })
        });
        Self {
            schema: SCHEMA,
            version,
            units,
            names,
            seed,
            gauge,
            prior,
            measure,
            n: rows,
            dims,
            folds,
            repeats,
            grouping,
            pooled,
            columns,
            warnings,
            table: table.collect(),
            labels: analyses.iter().map(|(label, analysis)| (label.clone(), analysis.summary().clone())).collect(),
        }
    }
}
