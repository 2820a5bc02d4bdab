//! What `demo`, `analyze`, `fit` and `score` have in common at their end: files of an analysis, table, JSON.

use std::io::Write;
use std::path::{Path, PathBuf};

use lsmi_candle::estimator::Estimator;

use crate::arguments::Common;
use crate::console::{self, shortened};
use crate::effective::{CONFIGURATION, Effective};
use crate::failure::Failure;
use crate::output::further::FurtherColumns;
use crate::output::staging::{OutputError, Staging, check_directory};
use crate::output::summary::Summary;
use crate::output::{Format, samples};
use crate::scored::ScoredSplit;
use crate::sentence::Words;
use crate::table;

const SUMMARY: &str = "summary.json";
const ESTIMATOR: &str = "estimator.safetensors";

/// Makes sure, before any work, that the files of an analysis may be written in a directory.
pub(super) fn check_analysis(directory: &Path, force: bool, inputs: &[&Path]) -> Result<(), OutputError> {
    let samples = Format::ALL.map(samples_name);
    let outputs: Vec<&str> = samples.iter().map(String::as_str).chain([SUMMARY, ESTIMATOR, CONFIGURATION]).collect();
    check_directory(directory, force, &outputs, inputs)
}

/// Writes samples, summary, estimator and the options that made them to a directory, all or nothing.
pub(super) fn write_analysis(
    directory: &Path,
    format: Format,
    effective: &Effective,
    (estimator, summary): (&Estimator, &Summary),
    splits: &[ScoredSplit],
) -> Result<(), Failure> {
    let bytes = estimator.to_bytes()?;
    let mut staging = Staging::default();
    stage_samples(&mut staging, &directory.join(samples_name(format)), format, estimator, splits)?;
    staging.write(&directory.join(SUMMARY), |file| Ok(file.write_all(console::as_json(summary)?.as_bytes())?))?;
    staging.write(&directory.join(ESTIMATOR), |file| Ok(file.write_all(&bytes)?))?;
    staging.write(&directory.join(CONFIGURATION), |file| Ok(file.write_all(effective.as_toml().as_bytes())?))?;
    // Samples in another format would be of an earlier run.
    let others = Format::ALL.into_iter().filter(|other| *other != format);
    let stale: Vec<PathBuf> = others.map(|other| directory.join(samples_name(other))).collect();
    Ok(staging.commit(&stale)?)
}

/// Writes the samples of all splits, one after the other, to a file that is not in its place yet.
pub(super) fn stage_samples(
    staging: &mut Staging,
    path: &Path,
    format: Format,
    estimator: &Estimator,
    splits: &[ScoredSplit],
) -> Result<(), OutputError> {
    let classes = estimator.classes().names();
    // All splits were scored by one estimator and the same measures.
    let numbers = splits.first().map(ScoredSplit::further_names).unwrap_or_default();
    let metadata = splits.iter().flat_map(|split| &split.metadata);
    let further = FurtherColumns::new(numbers, metadata.map(|column| (column.name.as_str(), column.values.kind())));
    let samples = splits.iter().flat_map(|split| split.samples(classes, &further));
    staging.write(path, |file| samples::write(file, format, &further, samples))
}

/// Shows the table and prints the JSON, as far as they are wanted. `describe` names a sample of the first split.
pub(super) fn tell(
    common: &Common,
    words: Words<'_>,
    summary: &Summary,
    splits: &[ScoredSplit],
    describe: &dyn Fn(usize) -> String,
) -> Result<(), Failure> {
    if !common.quiet {
        console::say(&table::closing(words, summary, splits, describe));
    }
    if common.json { console::print_json(summary) } else { Ok(()) }
}

/// A sample by its id and class, where nothing more is known of it.
pub(super) fn by_id<'a>(split: Option<&'a ScoredSplit>, classes: &'a [String]) -> impl Fn(usize) -> String + 'a {
    move |row| {
        split.map_or_else(String::new, |split| {
            let label = shortened(&classes[split.scores.labels[row] as usize]);
            // One line a sample, whatever its id holds.
            format!("{} ({label})", shortened(&split.scores.terms.ids.get(row))).replace('\n', "\\n")
        })
    }
}

fn samples_name(format: Format) -> String {
    format!("samples.{format}")
}
