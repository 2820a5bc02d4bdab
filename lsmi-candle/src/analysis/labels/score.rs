//! New rows with several labels, scored by the estimators that an analysis left, one a label.

use lsmi_core::Measure;

use super::rare::Pool;
use super::{LabelsAnalysis, LabelsSummary, table_of, two_classes};
use crate::analysis::names::{Names, Words};
use crate::analysis::{Analysis, AnalysisError};
use crate::error::EstimatorError;
use crate::estimator::Estimator;
use crate::features::{LabelMatrix, LabelsFile, Split};
use crate::samples::ScoredSplit;

/// Scores rows by the estimators of an analysis of several labels, of which `fitted` is the summary: those that have a label by
/// its own estimator. The estimators are in the order of the labels, and the file has the labels of the fit
/// ([`LabelsSummary::columns_to_score`]).
///
/// # Errors
/// [`AnalysisError`] for estimators that are not of these labels, and of rows that one cannot score.
pub fn score_labels(
    file: &LabelsFile,
    fitted: &LabelsSummary,
    estimators: Vec<Estimator>,
    measures: &[Measure],
    names: &Names,
) -> Result<LabelsAnalysis, AnalysisError> {
    let path = file.table.path.display().to_string();
    let labels = pooled_as(fitted, &file.labels);
    let (expected, found) = (fitted.labels.len(), estimators.len());
    if expected != found || expected == 0 {
        return Err(wrong("the number of estimators", found.to_string(), format!("that of the labels, {expected}")));
    }
    let mut analyses = Vec::with_capacity(found);
    for (place, ((name, _), estimator)) in fitted.labels.iter().zip(estimators).enumerate() {
        let classes = estimator.classes().names();
        if labels.iter().any(|split| split.features.names().get(place) != Some(name)) {
            let found = labels.first().map(|split| split.features.names().join(", ")).unwrap_or_default();
            return Err(wrong("the labels of a file", found, fitted.columns_to_score().join(", ")));
        }
        if classes != two_classes().names() {
            let error = wrong("the classes of an estimator", classes.join(", "), "0, 1".to_owned());
            return Err(AnalysisError::of_label(name)(error));
        }
        let table = table_of(file, &labels, place, None);
        let scored = table.splits.iter().map(|split| {
            let scored = ScoredSplit::score(&split.name, &split.features, &estimator, measures);
            let scored = scored.map_err(AnalysisError::about(&path)).map_err(AnalysisError::of_label(name))?;
            Ok(scored.with_metadata(table.metadata_of(&split.name)))
        });
        let splits = scored.collect::<Result<Vec<_>, AnalysisError>>()?;
        let words = Words { names, label: &format!("`{name}`") };
        analyses.push((name.clone(), Analysis::of_scored(estimator, splits, words, &table.notes)?));
    }
    let pool = Pool { pooled: fitted.pooled.clone(), columns: fitted.columns.clone() };
    let notes = file.table.notes.clone();
    let summary = LabelsSummary::new(&analyses, fitted.grouping.clone(), fitted.n, pool, notes);
    Ok(LabelsAnalysis { analyses, summary })
}

fn wrong(what: &'static str, found: String, expected: String) -> AnalysisError {
    EstimatorError::Samples { what, found, expected }.into()
}

/// Returns the labels of every split as those of the fit: those that were pooled there as one.
fn pooled_as(fitted: &LabelsSummary, labels: &[Split<LabelMatrix>]) -> Vec<Split<LabelMatrix>> {
    let Some((pool, _)) = fitted.labels.last().filter(|_| !fitted.pooled.is_empty()) else { return labels.to_vec() };
    let pooled = |split: &Split<LabelMatrix>| {
        let is_pooled: Vec<bool> = split.features.names().iter().map(|name| fitted.pooled.contains(name)).collect();
        Split { name: split.name.clone(), features: split.features.with_any_of(&is_pooled, pool.clone()) }
    };
    labels.iter().map(pooled).collect()
}
