//! Which rows are scored, what is carried along with them, and where their values may go.

use std::path::Path;

use lsmi_candle::analysis::pooling_difference;
use lsmi_candle::features::{MetadataColumn, PartialRows, Pooling, Split};

use crate::arguments::{Score, Streaming};
use crate::process::console;
use crate::process::failure::Failure;
use crate::process::staging::{OutputError, check_file};
use lsmi_candle::samples::{Format, FormatError};

pub(super) const TRAIN_IS_LEFT_OUT: &str =
    "note: the split `train` is not scored; `lsmi analyze` gives its values by models that did not see it";

/// Returns the format that a file's extension announces, csv if it announces none.
pub(super) fn format_of(path: &Path) -> Result<Format, Failure> {
    match Format::of_path(path) {
        Err(FormatError::Unknown { .. }) => Ok(Format::Csv),
        format => Ok(format?),
    }
}

/// Checks, before any work, that a file may be written in place of none that is read.
pub(super) fn check_place(path: &Path, arguments: &Score) -> Result<(), OutputError> {
    let data = arguments.data.data();
    let inputs: Vec<&Path> = data.paths().into_iter().chain([arguments.estimator.as_path()]).collect();
    check_file(path, arguments.common.force, &inputs)
}

/// Refuses options that an estimator of this kind has not: those of all such kinds, and further ones, where they are given.
pub(super) fn refuse(arguments: &Score, kind: &str, further: &[(&str, bool)]) -> Result<(), Failure> {
    let Streaming { shard, rows_of_a_group } = arguments.streaming;
    let given = [
        ("--label-free", arguments.label_free),
        ("--shard", shard.is_some()),
        ("--rows-of-a-group", rows_of_a_group.is_some()),
    ];
    match given.iter().chain(further).find(|(_, is_given)| *is_given) {
        Some((option, _)) => {
            let file = arguments.estimator.display();
            Err(Failure::usage(format!("{option} is not there for {file}, an estimator of {kind}: leave it out")))
        }
        None => Ok(()),
    }
}

/// Warns of rows that the estimator was fitted on.
pub(super) fn say_if_fitted(data: &Path, rows: &str, fitted: &str) {
    if rows == fitted {
        console::say(&format!(
            "warning: {}: these are the rows that the estimator was fitted on: their values are far too good; \
             `lsmi analyze` gives those of models that did not see them",
            data.display()
        ));
    }
}

/// Warns of rows that are not sequences where those of the fit were, or the other way round. Another pooling is refused.
pub(super) fn say_pooling(data: &Path, fitted: Option<Pooling>, found: Option<Pooling>) -> Result<(), Failure> {
    if let Some(warning) = pooling_difference(&data.display().to_string(), fitted, found)? {
        console::say(&format!("warning: {warning}"));
    }
    Ok(())
}

/// What is scored: splits, the rows of them that lack a modality, and the columns carried along.
pub(super) struct RowsToScore<Samples> {
    pub(super) splits: Vec<Split<Samples>>,
    pub(super) partial: Vec<Split<PartialRows>>,
    pub(super) metadata: Vec<Split<Vec<MetadataColumn>>>,
}

impl<Samples> RowsToScore<Samples> {
    /// Takes all splits but `train`; rows without a split are called `eval`, as `analyze --eval` calls them.
    pub(super) fn new(
        splits: Vec<Split<Samples>>,
        partial: Vec<Split<PartialRows>>,
        metadata: Vec<Split<Vec<MetadataColumn>>>,
        arguments: &Score,
    ) -> Self {
        let mut all = Self { splits, partial, metadata };
        if let [only] = all.splits.as_mut_slice()
            && only.name == "train"
        {
            "eval".clone_into(&mut only.name);
            for of_split in &mut all.partial {
                "eval".clone_into(&mut of_split.name);
            }
            for of_split in &mut all.metadata {
                "eval".clone_into(&mut of_split.name);
            }
            return all;
        }
        let count = all.splits.len();
        all.splits.retain(|split| split.name != "train");
        if all.splits.len() < count && !arguments.common.quiet {
            console::say(TRAIN_IS_LEFT_OUT);
        }
        all
    }

    /// Returns the rows of a split that lack a modality, if there are any.
    pub(super) fn partial_of(&self, split: &str) -> Option<&PartialRows> {
        self.partial.iter().find(|of_split| of_split.name == split).map(|of_split| &of_split.features)
    }

    /// Returns the columns that are carried along with the complete rows of a split.
    pub(super) fn metadata_of(&self, split: &str) -> &[MetadataColumn] {
        let found = self.metadata.iter().find(|of_split| of_split.name == split);
        found.map(|of_split| &*of_split.features).unwrap_or_default()
    }
}
