//! `lsmi score` by the estimators of an analysis of several labels: `--estimator` names its directory.

use std::fs;
use std::path::Path;

use lsmi_candle::analysis::SUMMARY;
use lsmi_candle::analysis::labels::{LabelsSummary, estimator_name, score_labels};
use lsmi_candle::features::{FeatureFile, LabelsFile, Split};
use lsmi_candle::samples::Format;

use super::rows::{RowsToScore, check_place, refuse};
use crate::arguments::Score;
use crate::commands::analyze::say_notes;
use crate::commands::saved::read_estimator;
use crate::process::console;
use crate::process::failure::Failure;
use crate::process::staging::Staging;
use crate::tables;

const KIND: &str = "several labels";

/// Scores the rows once their output is known to have a place.
pub(super) fn run(arguments: &Score, format: Format) -> Result<(), Failure> {
    refuse(arguments, KIND, &[("--modalities", arguments.modalities.is_some())])?;
    check_place(&arguments.out, arguments)?;
    let directory = arguments.estimator.as_path();
    let fitted = read_summary(directory)?;
    let count = fitted.labels.len();
    let estimators = fitted.labels.iter().enumerate().map(|(place, (label, _))| {
        read_estimator(&directory.join(estimator_name(place, count, label)), arguments.common.device)
    });
    let estimators = estimators.collect::<Result<Vec<_>, _>>()?;

    let data = arguments.data.data();
    let file = data.read_several_labels(&arguments.arrays.keys(), Some(&fitted.columns_to_score()))?;
    if arguments.common.quiet {
        say_notes(&file.table.notes, None);
    }
    let file = to_score(file, arguments);
    let analysis = score_labels(&file, &fitted, estimators, arguments.measures.listed(), &arguments.names)?;
    let mut staging = Staging::default();
    staging.write(&arguments.out, |file| analysis.write_samples(file, format))?;
    staging.commit(&[])?;
    if !arguments.common.quiet {
        console::say(&tables::labels::labels_table(analysis.summary()));
    }
    if arguments.common.json { console::print_json(analysis.summary()) } else { Ok(()) }
}

/// Reads what an analysis of several labels says of itself.
fn read_summary(directory: &Path) -> Result<LabelsSummary, Failure> {
    let path = directory.join(SUMMARY);
    let none =
        "is no summary of an analysis of several labels; give an estimator, or the directory of such an analysis";
    let text = fs::read_to_string(&path).map_err(|error| Failure::data(error).about(&path))?;
    let summary: LabelsSummary = serde_json::from_str(&text).map_err(|_| Failure::data(none).about(&path))?;
    if !summary.pooled.is_empty() && summary.columns.is_empty() {
        return Err(Failure::data("does not say which columns were pooled; analyze the labels again").about(&path));
    }
    Ok(summary)
}

/// The rows that are scored, with their labels.
fn to_score(file: LabelsFile, arguments: &Score) -> LabelsFile {
    let LabelsFile { table: FeatureFile { splits, partial, metadata, classes, notes, path }, labels } = file;
    let both = splits.into_iter().zip(labels).map(|(split, labels)| {
        let Split { name, features } = split;
        Split { name, features: (features, labels.features) }
    });
    let RowsToScore { splits, partial, metadata } = RowsToScore::new(both.collect(), partial, metadata, arguments);
    let apart = splits.into_iter().map(|Split { name, features: (features, labels) }| {
        (Split { name: name.clone(), features }, Split { name, features: labels })
    });
    let (splits, labels) = apart.unzip();
    LabelsFile { table: FeatureFile { splits, partial, metadata, classes, notes, path }, labels }
}
