//! The analysis of several labels at once: one decomposition a label, with the gauge, the folds and the densities of all
//! rows.
//!
//! h1 and h2 do not depend on a label, and are fitted once. A row without a label is left out of the heads and means of that
//! label alone; its fold and its densities stay. Every label is analysed as one of two classes, `0` and `1`, and all that an
//! [`Analysis`] has is there for each.

mod evaluation;
mod files;
mod rare;
mod score;
mod summary;

use crossbeam_channel::Sender;

pub use files::estimator_name;
pub use score::score_labels;
pub use summary::{LabelRow, LabelsSummary};

use super::evaluation::training_rows;
use super::{Analysis, AnalysisError, Analyzer, Settings};
use crate::estimator::{Progress, SharedFit, fit_shared};
use crate::features::{
    Classes, FeatureFile, FeatureSet, Groups, LabelMatrix, LabelsFile, MetadataColumn, MetadataValues, Rare, Split,
};

/// The column of a file of samples that names the label.
pub const TARGET: &str = "target";
/// What stands before the name of a column of the input that is called so, too.
const PREFIX: &str = "input_";

/// Settings of the analysis of several labels.
#[derive(Debug, Clone, Default)]
pub struct LabelsSettings {
    /// Settings of the analysis of each. The gates are not asked, and densities of another estimator are not reused.
    pub analysis: Settings,
    /// What becomes of labels of which too few training rows have either value. Default: refused.
    pub rare: Rare,
    /// The fewest rows that are enough. Default: as many as there are folds.
    pub least: Option<usize>,
}

/// Analyses of several labels of the same samples.
#[derive(Debug)]
pub struct LabelsAnalysis {
    /// The labels, in the order of the columns, and their analyses.
    analyses: Vec<(String, Analysis)>,
    summary: LabelsSummary,
}

impl LabelsAnalysis {
    /// Returns the labels, in the order of the columns, and the analysis of each.
    pub fn analyses(&self) -> &[(String, Analysis)] {
        &self.analyses
    }

    /// Returns what `summary.json` holds.
    pub fn summary(&self) -> &LabelsSummary {
        &self.summary
    }
}

/// Analyses every label of a file: fits the rows of the split `train` that have it, scores those of the others.
///
/// # Errors
/// [`AnalysisError::RareLabel`] for a label of which too few training rows have either value, unless such labels are pooled,
/// [`AnalysisError::RareLabels`] if that is so of the pool; [`AnalysisError`] as for [`analyze`](super::analyze).
pub fn analyze_labels(
    file: &LabelsFile,
    settings: &LabelsSettings,
    progress: Option<&Sender<Progress>>,
) -> Result<LabelsAnalysis, AnalysisError> {
    let train = training_rows(&file.table)?;
    let rare::Usable { labels, pool, notes } = rare::usable(file, settings)?;
    let of_training = labels.iter().find(|split| split.name == "train").map(|split| &split.features);
    let Some(of_training) = of_training.filter(|labels| labels.rows() == train.rows()) else {
        return Err(AnalysisError::NoTraining { file: file.table.path.display().to_string() });
    };
    let fit = crate::estimator::Settings {
        repeats: settings.analysis.repeats_for(train.rows()),
        densities: None,
        folds_of_rows: None,
        ..settings.analysis.fit.clone()
    };
    let strata = strata(of_training);
    let shared = fit_shared(train, (&strata, 2 * of_training.names().len()), &fit, progress)
        .map_err(AnalysisError::about(&file.table.path.display().to_string()))?;

    let mut analyses = Vec::new();
    for (label, name) in of_training.names().iter().enumerate() {
        let table = table_of(file, &labels, label, Some(&shared));
        let (rows, _) = of_training.known(label);
        let settings = Settings {
            fit: shared.settings_for(&rows, &fit),
            repeats: Some(fit.repeats),
            gates: None,
            label: format!("`{name}`"),
            ..settings.analysis.clone()
        };
        let analysis = Analyzer::new(&table, &settings).run(progress).map_err(AnalysisError::of_label(name))?;
        analyses.push((name.clone(), analysis));
    }
    let notes = file.table.notes.iter().cloned().chain(notes).collect();
    let summary = LabelsSummary::new(&analyses, shared.grouping().cloned(), train.rows(), pool, notes);
    Ok(LabelsAnalysis { analyses, summary })
}

/// Returns the classes that folds spread: two for each label, of the rows in which it is 0 and 1.
fn strata(labels: &LabelMatrix) -> Vec<Vec<u32>> {
    let mut strata = vec![Vec::new(); labels.rows()];
    for (label, first) in (0..labels.names().len()).zip((0u32..).step_by(2)) {
        for (row, value) in labels.column(label).enumerate() {
            strata[row].extend(value.map(|value| first + u32::from(value)));
        }
    }
    strata
}

/// Returns the rows that have a label, as a table of two classes; those of the split `train` in the groups of a fit, where there
/// is one.
fn table_of(file: &LabelsFile, labels: &[Split<LabelMatrix>], label: usize, shared: Option<&SharedFit>) -> FeatureFile {
    let table = &file.table;
    let (mut splits, mut metadata, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    for (split, of_split) in table.splits.iter().zip(labels) {
        let (rows, values) = of_split.features.known(label);
        let (name, all) = (&split.name, split.features.rows());
        if rows.len() < all {
            notes.push(format!(
                "{} rows of {all} of the split `{name}` have no such label and were left out",
                all - rows.len()
            ));
        }
        if rows.is_empty() {
            continue;
        }
        let mut features = FeatureSet { labels: values, ..split.features.select(&rows) };
        if let Some(shared) = shared.filter(|_| split.name == "train") {
            // Rows that are together stay so, whatever the others: they share their folds.
            let found = shared.groups().map(|groups| groups.select(&rows));
            features.groups = found.or(features.groups).or_else(|| Some(Groups::each_alone(rows.len())));
        }
        let target = vec![Some(of_split.features.names()[label].clone()); rows.len()];
        let target = MetadataColumn { name: TARGET.to_owned(), values: MetadataValues::Texts(target) };
        let of_input = table.metadata_of(name).iter().map(|column| MetadataColumn {
            name: if column.name == TARGET { format!("{PREFIX}{TARGET}") } else { column.name.clone() },
            values: column.values.select(&rows),
        });
        metadata.push(Split { name: name.clone(), features: std::iter::once(target).chain(of_input).collect() });
        splits.push(Split { name: name.clone(), features });
    }
    let (partial, path) = (Vec::new(), table.path.clone());
    FeatureFile { splits, partial, metadata, classes: two_classes(), notes, path }
}

/// Returns the classes of a label: 0 and 1.
fn two_classes() -> Classes {
    Classes::new(vec!["0".to_owned(), "1".to_owned()]).unwrap_or_else(|_| unreachable!("two names"))
}

#[cfg(test)]
mod tests;
