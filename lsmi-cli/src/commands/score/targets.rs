//! `lsmi score` by an estimator of continuous targets.

use std::path::{Path, PathBuf};

use lsmi_candle::analysis::continuous::{ScoredTargetRows, TargetAnalysis};
use lsmi_candle::estimator::continuous::ContinuousEstimator;
use lsmi_candle::samples::Format;

use super::rows::{RowsToScore, check_place, refuse, say_if_fitted, say_pooling};
use crate::arguments::Score;
use crate::commands::analyze::say_notes;
use crate::process::console;
use crate::process::failure::Failure;
use crate::process::staging::Staging;
use crate::tables;

const KIND: &str = "continuous targets";

/// Scores the rows once their output is known to have a place.
pub(super) fn run(arguments: &Score, format: Format, estimator: ContinuousEstimator) -> Result<(), Failure> {
    let measures = !arguments.measures.listed().is_empty();
    refuse(arguments, KIND, &[("--measures", measures), ("--modalities", arguments.modalities.is_some())])?;
    let outputs = outputs(&arguments.out, estimator.description().references.len());
    for output in &outputs {
        check_place(output, arguments)?;
    }
    let (data, keys) = (arguments.data.data(), arguments.arrays.keys());
    say_pooling(data.path(), estimator.description().pooling, data.pooling(&keys))?;
    let file = data.read_targets(&keys, false)?;
    if arguments.common.quiet {
        say_notes(&file.notes, None);
    }
    let rows = RowsToScore::new(file.splits, Vec::new(), file.metadata, arguments);
    let mut scored_rows = Vec::new();
    for split in &rows.splits {
        say_if_fitted(data.path(), &split.features.hash(), &estimator.description().data_hash);
        let scored = ScoredTargetRows::score(split, &estimator);
        scored_rows.push(scored.map_err(|error| Failure::from(error).about(data.path()))?);
    }
    let analysis = TargetAnalysis::of_scored(estimator, scored_rows, &arguments.names, &file.notes)?;
    let mut staging = Staging::default();
    for (decomposition, output) in outputs.iter().enumerate() {
        staging.write(output, |file| analysis.write_samples(decomposition, file, format))?;
    }
    staging.commit(&[])?;
    if !arguments.common.quiet {
        console::say(&tables::targets::closing(&arguments.names, analysis.summary()));
    }
    if arguments.common.json { console::print_json(analysis.summary()) } else { Ok(()) }
}

/// The files of the samples of so many decompositions: `out` of one, else `samples_0.csv` and so on for `samples.csv`.
fn outputs(out: &Path, decompositions: usize) -> Vec<PathBuf> {
    if decompositions == 1 {
        return vec![out.to_owned()];
    }
    let stem = out.file_stem().unwrap_or_default().to_string_lossy();
    let extension = out.extension().map(|extension| format!(".{}", extension.to_string_lossy())).unwrap_or_default();
    (0..decompositions).map(|place| out.with_file_name(format!("{stem}_{place}{extension}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_decompositions_have_a_file_each() {
        let names = |out: &str, count: usize| outputs(Path::new(out), count);
        assert_eq!(names("made/new.csv", 1), [PathBuf::from("made/new.csv")]);
        assert_eq!(names("made/new.csv", 2), ["made/new_0.csv", "made/new_1.csv"].map(PathBuf::from));
        assert_eq!(names("new", 2), ["new_0", "new_1"].map(PathBuf::from));
    }
}
