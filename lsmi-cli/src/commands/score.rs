//! `lsmi score`: terms and decomposition of new samples by a saved estimator.

use std::path::Path;

use lsmi_candle::analysis::names::Words;
use lsmi_candle::analysis::{Analysis, encoder_differences};
use lsmi_candle::estimator::Estimator;
use lsmi_candle::features::{MetadataColumn, Split};
use lsmi_candle::samples::{Format, FormatError, ScoredSplit};

use super::analyze::say_notes;
use super::label_free;
use super::saved::read_estimator;
use super::score_stream;
use super::write_analysis::{by_id, tell};
use crate::arguments::Score;
use crate::process::console;
use crate::process::failure::Failure;
use crate::process::staging::{OutputError, Staging, check_file};
use crate::stream::partial::directory_of;

pub(super) const TRAIN_IS_LEFT_OUT: &str =
    "note: the split `train` is not scored; `lsmi analyze` gives its values by models that did not see it";

pub(super) fn run(arguments: &Score) -> Result<(), Failure> {
    let format = arguments.format.map_or_else(|| format_of(&arguments.out), Ok)?;
    let is_free = check_place(&arguments.out, arguments);
    // What is there may be the output of an unfinished job, found out only when the job is known.
    if !directory_of(&arguments.out).exists() {
        is_free?;
    }
    label_free::check_candidates(arguments)?;
    let estimator = read_estimator(&arguments.estimator, arguments.common.device)?;
    let estimator = with_warnings(estimator, arguments);
    if let Some(reader) = score_stream::reader(arguments, &estimator)? {
        return score_stream::run(arguments, format, &estimator, reader);
    }
    check_place(&arguments.out, arguments)?;
    if arguments.label_free {
        return label_free::run(arguments, format, &estimator);
    }
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
            if split.features.hash() == estimator.description().data_hash {
                console::say(&format!(
                    "warning: {}: these are the rows that the estimator was fitted on: their values are far too good; \
                     `lsmi analyze` gives those of models that did not see them",
                    data.display()
                ));
            }
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

/// The estimator with a note on features that other encoders made than those it was fitted on; notes are shown at the end, or
/// at once where nothing else is.
fn with_warnings(estimator: Estimator, arguments: &Score) -> Estimator {
    let data = arguments.data.data();
    let found = data.encoders(&arguments.arrays.keys());
    let warnings = encoder_differences(&data.path().display().to_string(), &estimator.description().encoders, &found);
    if arguments.common.quiet {
        for warning in &warnings {
            console::say(&format!("warning: {warning}"));
        }
    }
    warnings.into_iter().fold(estimator, Estimator::with_note)
}

/// The format that a file's extension announces, csv if it announces none.
pub(super) fn format_of(path: &Path) -> Result<Format, Failure> {
    match Format::of_path(path) {
        Err(FormatError::Unknown { .. }) => Ok(Format::Csv),
        format => Ok(format?),
    }
}

/// Makes sure, before any work, that a file may be written in place of none that is read.
pub(super) fn check_place(path: &Path, arguments: &Score) -> Result<(), OutputError> {
    let data = arguments.data.data();
    let inputs: Vec<&Path> = data.paths().into_iter().chain([arguments.estimator.as_path()]).collect();
    check_file(path, arguments.common.force, &inputs)
}

/// What is carried along with the samples of a split.
pub(super) fn metadata_of<'m>(metadata: &'m [Split<Vec<MetadataColumn>>], split: &str) -> &'m [MetadataColumn] {
    metadata.iter().find(|of_split| of_split.name == split).map(|of_split| &*of_split.features).unwrap_or_default()
}

/// All splits but `train`, and what is carried along with them; rows without a split are called `eval`, as
/// `analyze --eval` calls them.
pub(super) fn rows_to_score<Samples>(
    mut splits: Vec<Split<Samples>>,
    mut metadata: Vec<Split<Vec<MetadataColumn>>>,
    arguments: &Score,
) -> (Vec<Split<Samples>>, Vec<Split<Vec<MetadataColumn>>>) {
    if let [only] = splits.as_mut_slice()
        && only.name == "train"
    {
        "eval".clone_into(&mut only.name);
        for of_split in &mut metadata {
            "eval".clone_into(&mut of_split.name);
        }
        return (splits, metadata);
    }
    let all = splits.len();
    splits.retain(|split| split.name != "train");
    if splits.len() < all && !arguments.common.quiet {
        console::say(TRAIN_IS_LEFT_OUT);
    }
    (splits, metadata)
}
