//! `lsmi score` of rows with labels that fit in memory.

use lsmi_candle::estimator::Estimator;

use super::rows::{metadata_of, rows_to_score};
use crate::arguments::Score;
use crate::commands::analyze::say_notes;
use crate::commands::finish::{by_id, stage_samples, tell};
use crate::output::Format;
use crate::output::summary::Summary;
use crate::process::failure::Failure;
use crate::process::staging::Staging;
use crate::scored::ScoredSplit;
use crate::tables::sentence::Words;

/// Scores the rows once their output is known to have a place.
pub(super) fn run(arguments: &Score, format: Format, estimator: &Estimator) -> Result<(), Failure> {
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
            let scored = ScoredSplit::score(&split.name, &split.features, estimator, measures, data)?;
            Ok::<_, Failure>(scored.with_metadata(metadata_of(&metadata, &split.name)))
        })
        .collect::<Result<Vec<_>, _>>()?;

    let mut staging = Staging::default();
    stage_samples(&mut staging, &arguments.out, format, estimator, &splits)?;
    staging.commit(&[])?;

    let words = Words { names: &arguments.names, label: "the label" };
    let summary = Summary::new(estimator, &splits)?.with_words(words).with_warnings().with_notes_of_data(&notes);
    tell(&arguments.common, words, &summary, &splits, &by_id(splits.first(), estimator.classes().names()))
}
