//! `lsmi score --label-free`: expectations of terms and interactions over the labels that samples could have.

use std::path::Path;

use lsmi_candle::EstimatorError;
use lsmi_candle::estimator::Estimator;

use super::rows::{RowsToScore, check_place, format_of};
use crate::arguments::Score;
use crate::process::console;
use crate::process::failure::Failure;
use crate::process::staging::Staging;
use crate::tables;
use lsmi_candle::analysis::summary::ExpectedSummary;
use lsmi_candle::samples::ExpectedSplit;
use lsmi_candle::samples::ExtraColumns;
use lsmi_candle::samples::PartialSamples;
use lsmi_candle::samples::{Format, FormatError, candidates, write};

/// Checks, before any work, that the file of candidates may be written.
pub(super) fn check_candidates(arguments: &Score) -> Result<(), Failure> {
    let Some(path) = &arguments.candidates else { return Ok(()) };
    if let found @ Format::Parquet = format_of(path)? {
        return Err(FormatError::NotOfCandidates { found }.into());
    }
    check_place(path, arguments)?;
    if is_same(path, &arguments.out) {
        let path = path.display();
        return Err(Failure::usage(format!("{path}: is named by both --out and --candidates; name two files")));
    }
    Ok(())
}

/// Scores the rows once their output is known to have a place.
pub(super) fn run(arguments: &Score, format: Format, estimator: &Estimator) -> Result<(), Failure> {
    let data = arguments.data.data();
    let file = data.read_unlabelled(&arguments.arrays.keys_with_partial(), estimator.classes())?;
    let rows = RowsToScore::new(file.splits, file.partial, file.metadata, arguments);
    let splits = rows
        .splits
        .iter()
        .map(|split| {
            let partial = rows.partial_of(&split.name);
            let partial = partial.map(|rows| PartialSamples::expect(rows, estimator)).transpose()?;
            let expected = ExpectedSplit::new(split, estimator, rows.metadata_of(&split.name))?;
            Ok(expected.with_partial(partial))
        })
        .collect::<Result<Vec<_>, EstimatorError>>()
        .map_err(|error| Failure::from(error).about(data.path()))?;

    let classes = estimator.classes().names();
    let mut staging = Staging::default();
    let metadata = splits.iter().flat_map(|split| &split.metadata);
    let kinds = metadata.map(|column| (column.name.as_str(), column.values.kind()));
    let further = ExtraColumns::new(Vec::new(), kinds);
    let has_gaps = splits.iter().any(|split| split.partial.is_some());
    let further = if has_gaps { further.with_presence() } else { further };
    let rows = splits.iter().flat_map(|split| split.samples(classes, &further));
    staging.write(&arguments.out, |file| write::write(file, format, &further, rows))?;
    if let Some(path) = &arguments.candidates {
        let format = format_of(path)?;
        staging.write(path, |file| candidates::write(file, format, estimator, &splits))?;
    }
    staging.commit(&[])?;

    let summary = ExpectedSummary::new(estimator, &splits);
    if !arguments.common.quiet {
        console::say(&tables::label_free::closing(&arguments.names, &summary));
    }
    if arguments.common.json { console::print_json(&summary) } else { Ok(()) }
}

/// Whether two paths, of files that need not be there, are of one file.
fn is_same(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| {
        let directory = std::path::absolute(path).ok()?.parent()?.to_owned();
        Some(directory.canonicalize().unwrap_or(directory).join(path.file_name()?))
    };
    place(one) == place(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_one_file() {
        let root = tempfile::tempdir().unwrap();
        let [plain, around, other] = ["a.csv", "../a.csv", "b.csv"].map(|name| root.path().join("new").join(name));
        assert!(is_same(Path::new("a.csv"), Path::new("./a.csv")));
        assert!(!is_same(&plain, &other) && !is_same(&plain, &around));
        let (directory, name) = (root.path(), root.path().file_name().unwrap());
        assert!(is_same(&directory.join("a.csv"), &directory.join("..").join(name).join("a.csv")));
    }
}
