//! `lsmi score` by an estimator of more than two modalities.

use lsmi_candle::analysis::names::Names;
use lsmi_candle::analysis::several::{ScoredRows, SeveralAnalysis};
use lsmi_candle::estimator::several::SeveralEstimator;
use lsmi_candle::features::Keys;
use lsmi_candle::samples::Format;

use super::rows::{RowsToScore, refuse, say_if_fitted, say_pooling};
use crate::arguments::Score;
use crate::commands::analyze::say_notes;
use crate::process::console;
use crate::process::failure::Failure;
use crate::process::staging::Staging;
use crate::tables;

const KIND: &str = "more than two modalities";

/// Scores the rows; their output is known to have a place.
pub(super) fn run(arguments: &Score, format: Format, estimator: SeveralEstimator) -> Result<(), Failure> {
    refuse(arguments, KIND, &[("--names", arguments.names != Names::default())])?;
    let names = modalities(arguments, &estimator)?;
    let (data, measures) = (arguments.data.data(), arguments.measures.listed());
    let keys = arguments.arrays.keys();
    say_pooling(data.path(), estimator.description().pooling, data.pooling_of_several(&names, &keys))?;
    let file = data.read_several_with_classes(&names, &keys, estimator.classes())?;
    if arguments.common.quiet {
        say_notes(&file.notes, None);
    }
    let rows = RowsToScore::new(file.splits, Vec::new(), file.metadata, arguments);
    let mut scored_rows = Vec::new();
    for split in &rows.splits {
        say_if_fitted(data.path(), &split.features.hash(), &estimator.description().data_hash);
        let scored = ScoredRows::score(split, &estimator, rows.metadata_of(&split.name));
        scored_rows.push(scored.map_err(|error| Failure::from(error).about(data.path()))?);
    }
    let analysis = SeveralAnalysis::of_scored(estimator, scored_rows, measures, "the label", &file.notes)?;
    let mut staging = Staging::default();
    staging.write(&arguments.out, |file| analysis.write_samples(file, format))?;
    staging.commit(&[])?;
    if !arguments.common.quiet {
        console::say(&tables::several::closing(analysis.summary()));
    }
    if arguments.common.json { console::print_json(analysis.summary()) } else { Ok(()) }
}

/// The arrays of the modalities, in the order of the fit: those that were named, else those of the names that the estimator
/// knows.
fn modalities(arguments: &Score, estimator: &SeveralEstimator) -> Result<Vec<String>, Failure> {
    let fitted = &estimator.description().modalities;
    let (keys, usual) = (arguments.arrays.keys(), Keys::default());
    let names = match &arguments.modalities {
        Some(named) => named.names(),
        None if (&keys.x1, &keys.x2) == (&usual.x1, &usual.x2) => fitted,
        None => {
            let found = [keys.x1.as_str(), &keys.x2].join(", ");
            return Err(Failure::usage(format!("--keys names two modalities, {found}, and the estimator has more"))
                .with_hint(format!("name all with --modalities; those of the fit were {}", fitted.join(","))));
        }
    };
    if names.len() == fitted.len() {
        return Ok(names.to_vec());
    }
    let (expected, found) = (fitted.len(), names.len());
    Err(Failure::usage(format!("--modalities names {found}, and the estimator was fitted on {expected}"))
        .with_hint(format!("name them in the order of those of the fit, {}", fitted.join(","))))
}
