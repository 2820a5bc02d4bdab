//! `lsmi score` of rows with labels that fit in memory.

use lsmi_candle::analysis::Analysis;
use lsmi_candle::estimator::Estimator;

use super::rows::{RowsToScore, say_if_fitted};
use crate::arguments::Score;
use crate::commands::analyze::say_notes;
use crate::commands::write_analysis::{by_id, tell};
use crate::process::failure::Failure;
use crate::process::staging::Staging;
use lsmi_candle::analysis::names::Words;
use lsmi_candle::samples::Format;
use lsmi_candle::samples::{PartialSamples, ScoredSplit};

/// Scores the rows once their output is known to have a place.
pub(super) fn run(arguments: &Score, format: Format, estimator: Estimator) -> Result<(), Failure> {
    let data = arguments.data.data();
    let file = data.read_with_classes(&arguments.arrays.keys_with_partial(), estimator.classes())?;
    let notes = file.notes;
    if arguments.common.quiet {
        say_notes(&notes, None);
    }
    let rows = RowsToScore::new(file.splits, file.partial, file.metadata, arguments);
    let (data, measures) = (data.path(), arguments.measures.listed());
    let splits = rows
        .splits
        .iter()
        .map(|split| {
            let partial = rows.partial_of(&split.name);
            say_if_fitted(data, &split.features.hash_with(partial), &estimator.description().data_hash);
            let scored = ScoredSplit::score(&split.name, &split.features, &estimator, measures)
                .map_err(|error| Failure::from(error).about(data))?;
            let of_partial = partial.map(|rows| PartialSamples::score(rows, &estimator)).transpose();
            let of_partial = of_partial.map_err(|error| Failure::from(error).about(data))?;
            Ok::<_, Failure>(scored.with_metadata(rows.metadata_of(&split.name)).with_partial(of_partial))
        })
        .collect::<Result<Vec<_>, _>>()?;

    let words = Words { names: &arguments.names, label: "the label" };
    let analysis = Analysis::of_scored(estimator, splits, words, &notes)?;
    let mut staging = Staging::default();
    staging.write(&arguments.out, |file| analysis.write_samples(file, format))?;
    staging.commit(&[])?;
    tell(&arguments.common, words, &analysis, &by_id(&analysis))
}
