//! `lsmi score`: terms and decomposition of new samples by a saved estimator.

use std::path::Path;

use lsmi_candle::features::{Split, read_with_classes};

use super::finish::{by_id, stage_samples, tell};
use super::label_free;
use super::saved::read_estimator;
use super::score_stream;
use crate::arguments::Score;
use crate::console;
use crate::failure::Failure;
use crate::output::staging::{Staging, check_file};
use crate::output::summary::Summary;
use crate::output::{Format, FormatError};
use crate::scored::ScoredSplit;
use crate::sentence::Words;
use crate::stream::partial::directory_of;

pub(super) const TRAIN_IS_LEFT_OUT: &str =
    "note: the split `train` is not scored; `lsmi analyze` gives its values by models that did not see it";

pub(super) fn run(arguments: &Score) -> Result<(), Failure> {
    let format = arguments.format.map_or_else(|| format_of(&arguments.out), Ok)?;
    let is_free = check_file(&arguments.out, arguments.common.force, &[&arguments.data, &arguments.estimator]);
    // What is there may be the output of an unfinished job, found out only when the job is known.
    if !directory_of(&arguments.out).exists() {
        is_free?;
    }
    label_free::check_candidates(arguments)?;
    let estimator = read_estimator(&arguments.estimator, arguments.common.device)?;
    if let Some(reader) = score_stream::reader(arguments, &estimator)? {
        return score_stream::run(arguments, format, &estimator, reader);
    }
    check_file(&arguments.out, arguments.common.force, &[&arguments.data, &arguments.estimator])?;
    if arguments.label_free {
        return label_free::run(arguments, format, &estimator);
    }
    let file = read_with_classes(&arguments.data, &arguments.arrays.keys(), estimator.classes())?;
    let rows = rows_to_score(file.splits, arguments);
    let (data, measures) = (arguments.data.as_path(), arguments.measures.listed());
    let splits = rows
        .iter()
        .map(|split| ScoredSplit::score(&split.name, &split.features, &estimator, measures, data))
        .collect::<Result<Vec<_>, _>>()?;

    let mut staging = Staging::default();
    stage_samples(&mut staging, &arguments.out, format, &estimator, &splits)?;
    staging.commit(&[])?;

    let words = Words { names: &arguments.names, label: "the label" };
    let summary = Summary::new(&estimator, &splits)?.with_words(words);
    tell(&arguments.common, words, &summary, &splits, &by_id(splits.first(), estimator.classes().names()))
}

/// The format that a file's extension announces, csv if it announces none.
pub(super) fn format_of(path: &Path) -> Result<Format, Failure> {
    match Format::of_path(path) {
        Err(FormatError::Unknown { .. }) => Ok(Format::Csv),
        format => Ok(format?),
    }
}

/// All splits but `train`; rows without a split are called `eval`, as `analyze --eval` calls them.
pub(super) fn rows_to_score<Samples>(mut splits: Vec<Split<Samples>>, arguments: &Score) -> Vec<Split<Samples>> {
    if let [only] = splits.as_mut_slice()
        && only.name == "train"
    {
        "eval".clone_into(&mut only.name);
        return splits;
    }
    let all = splits.len();
    splits.retain(|split| split.name != "train");
    if splits.len() < all && !arguments.common.quiet {
        console::say(TRAIN_IS_LEFT_OUT);
    }
    splits
}
