//! Which rows are scored, what is carried along with them, and where their values may go.

use std::path::Path;

use lsmi_candle::features::{MetadataColumn, PartialRows, Split};

use crate::arguments::Score;
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

/// What is scored: splits, the rows of them that lack a modality, and the columns carried along.
pub(super) struct RowsToScore<Samples> {
    pub(super) splits: Vec<Split<Samples>>,
    partial: Vec<Split<PartialRows>>,
    metadata: Vec<Split<Vec<MetadataColumn>>>,
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
