//! What `demo`, `analyze`, `fit` and `score` have in common at their end: files of an analysis, table, JSON.

use std::fs;
use std::io::Write;
use std::path::Path;

use lsmi_candle::estimator::Estimator;

use super::stale::stale;
use crate::arguments::Common;
use crate::effective::{CONFIGURATION, Effective};
use crate::output::further::FurtherColumns;
use crate::output::made::{Run, SampleTable};
use crate::output::summary::Summary;
use crate::output::{Format, samples};
use crate::process::console::{self, shortened};
use crate::process::failure::Failure;
use crate::process::staging::{OutputError, Staging, check_directory, check_file};
use crate::report::{FIGURES, REPORT, Report, is_report};
use crate::scored::ScoredSplit;
use crate::tables;
use crate::tables::sentence::Words;

const SUMMARY: &str = "summary.json";
const ESTIMATOR: &str = "estimator.safetensors";
const MADE: &str = "made.json";

/// Makes sure, before any work, that the files of an analysis may be written in a directory.
pub(super) fn check_analysis(directory: &Path, force: bool, inputs: &[&Path]) -> Result<(), OutputError> {
    let samples = Format::ALL.map(samples_name);
    let outputs: Vec<&str> =
        samples.iter().map(String::as_str).chain([SUMMARY, ESTIMATOR, CONFIGURATION, MADE, REPORT]).collect();
    check_directory(directory, force, &outputs, inputs)?;
    check_figures(directory)
}

/// Makes sure that a report may be written in a directory: one that this program wrote may be replaced by another.
pub(super) fn check_report(directory: &Path, force: bool) -> Result<(), OutputError> {
    let path = directory.join(REPORT);
    check_file(&path, force || is_report(&path), &[])?;
    check_figures(directory)
}

/// Makes sure that figures may be written.
fn check_figures(directory: &Path) -> Result<(), OutputError> {
    check_directory(&directory.join(FIGURES), true, &[], &[])
}

/// The files of an analysis.
#[derive(Debug, Clone, Copy)]
pub(super) struct Analysis<'a> {
    pub(super) estimator: &'a Estimator,
    pub(super) summary: &'a Summary,
    pub(super) splits: &'a [ScoredSplit],
    /// The run that made them.
    pub(super) run: Run,
    /// Its options.
    pub(super) effective: &'a Effective,
    /// A table that says what the samples are, with its content, to stand beside them.
    pub(super) table: Option<(&'a SampleTable, &'a [u8])>,
}

impl Analysis<'_> {
    /// Writes samples, summary, estimator and what there is to say of the run to a directory, all or nothing.
    pub(super) fn write(&self, directory: &Path, format: Format) -> Result<(), Failure> {
        let bytes = self.estimator.to_bytes()?;
        let mut staging = Staging::default();
        let samples = directory.join(samples_name(format));
        stage_samples(&mut staging, &samples, format, self.estimator, self.splits)?;
        let as_json = |value| console::as_json(value);
        staging.write(&directory.join(SUMMARY), |file| Ok(file.write_all(as_json(self.summary)?.as_bytes())?))?;
        staging.write(&directory.join(ESTIMATOR), |file| Ok(file.write_all(&bytes)?))?;
        let options = self.effective.as_toml();
        staging.write(&directory.join(CONFIGURATION), |file| Ok(file.write_all(options.as_bytes())?))?;
        if let Some((table, content)) = self.table {
            staging.write(&directory.join(&table.file), |file| Ok(file.write_all(content)?))?;
        }
        let made = self.run.end(self.table.map(|(table, _)| table.clone()));
        staging.write(&directory.join(MADE), |file| Ok(file.write_all(console::as_json(&made)?.as_bytes())?))?;
        staging.commit(&stale(directory, format, self.table.map(|(table, _)| table.file.as_str())))?;
        // Where none is left, the report that had figures there is not made again, or makes the directory again.
        let _ = fs::remove_dir(directory.join(FIGURES));
        Ok(())
    }
}

/// Makes the report of a directory whose analysis is written, and says where it is.
pub(super) fn write_report(directory: &Path, quiet: bool) -> Result<(), Failure> {
    let path = Report::new(directory, None)?.write(directory)?;
    if !quiet {
        console::say(&format!("\nreport: {}", path.display()));
    }
    Ok(())
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
    let numbers = splits.first().map(|split| split.further_names().to_vec()).unwrap_or_default();
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
        console::say(&tables::cells::closing(words, summary, splits, describe));
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

pub(super) fn samples_name(format: Format) -> String {
    format!("samples.{format}")
}
