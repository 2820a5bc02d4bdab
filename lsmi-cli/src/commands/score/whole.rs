//! `lsmi score` of rows with labels that fit in memory.

use lsmi_candle::analysis::Analysis;
use lsmi_candle::estimator::Estimator;

use super::rows::{metadata_of, rows_to_score, say_if_fitted};
use crate::arguments::Score;
use crate::commands::analyze::say_notes;
use crate::commands::write_analysis::{by_id, tell};
use crate::process::failure::Failure;
use crate::process::staging::Staging;
use lsmi_candle::analysis::names::Words;
use lsmi_candle::samples::Format;
use lsmi_candle::samples::ScoredSplit;

/// Scores the rows once their output is known to have a place.
pub(super) fn run(arguments: &Score, format: Format, estimator: Estimator) -> Result<(), Failure> {
    let data = arguments.data.data();
    let file = data.read_with_classes(&arguments.arrays.keys(), estimator.classes())?;
    let notes = file.notes;
    if arguments.common.quiet {
        say_notes(&notes, None);
    }
    let (rows, metadata) = rows_to_score(file.splits, file.metadata, arguments);
    let (data, measures) = (data.path(), arguments.measures.listed());
    let splits = rows
        .iter()
        .map(|split| {
            say_if_fitted(data, &split.features.hash(), &estimator.description().data_hash);
            let scored = ScoredSplit::score(&split.name, &split.features, &estimator, measures)
                .map_err(|error| Failure::from(error).about(data))?;
            Ok::<_, Failure>(scored.with_metadata(metadata_of(&metadata, &split.name)))
        })
        .collect::<Result<Vec<_>, _>>()?;

    let words = Words { names: &arguments.names, label: "the label" };
    let analysis = Analysis::of_scored(estimator, splits, words, &notes)?;
    let mut staging = Staging::default();
    staging.write(&arguments.out, |file| analysis.write_samples(file, format))?;
    staging.commit(&[])?;
    tell(&arguments.common, words, &analysis, &by_id(&analysis))
}
