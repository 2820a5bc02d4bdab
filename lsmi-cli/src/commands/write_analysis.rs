//! What `demo`, `analyze`, `fit` and `score` have in common at their end: files of an analysis, table, JSON.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use lsmi_candle::analysis::names::Words;
use lsmi_candle::analysis::{Analysis, ESTIMATOR, SUMMARY, samples_name};
use lsmi_candle::samples::Format;

use super::leftovers::leftovers;
use crate::arguments::Common;
use crate::arguments::effective::{CONFIGURATION, Effective};
use crate::output::made::{Run, SampleTable};
use crate::process::console::{self, shortened};
use crate::process::failure::Failure;
use crate::process::staging::{OutputError, Staging, check_directory, check_file};
use crate::report::{FIGURES, REPORT, Report, is_report};
use crate::tables;

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

/// The files of an analysis, with what there is to say of the run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Files<'a> {
    pub(super) analysis: &'a Analysis,
    /// The run that made them.
    pub(super) run: Run,
    /// Its options.
    pub(super) effective: &'a Effective,
    /// A table that says what the samples are, with its content, to stand beside them.
    pub(super) table: Option<(&'a SampleTable, &'a [u8])>,
}

impl Files<'_> {
    /// Writes samples, summary, estimator and what there is to say of the run to a directory, all or nothing.
    pub(super) fn write(&self, directory: &Path, format: Format) -> Result<(), Failure> {
        let mut staging = Staging::default();
        let stale = self.stage(&mut staging, directory, format)?;
        commit(staging, &stale, directory)
    }

    /// Writes the same files without putting them in their places. Returns those of an earlier run that are to go.
    pub(super) fn stage(
        &self,
        staging: &mut Staging,
        directory: &Path,
        format: Format,
    ) -> Result<Vec<PathBuf>, Failure> {
        staging.write(&directory.join(samples_name(format)), |file| self.analysis.write_samples(file, format))?;
        staging.write(&directory.join(SUMMARY), |file| self.analysis.write_summary(file))?;
        staging.write(&directory.join(ESTIMATOR), |file| self.analysis.write_estimator(file))?;
        if let Some((table, content)) = self.table {
            staging.write(&directory.join(&table.file), |file| Ok(file.write_all(content)?))?;
        }
        stage_run(staging, directory, self.run, self.effective, self.table.map(|(table, _)| table.clone()))?;
        Ok(leftovers(directory, format, self.table.map(|(table, _)| table.file.as_str())))
    }
}

/// Puts the files of an analysis in their places, in place of those of an earlier run.
pub(super) fn commit(staging: Staging, stale: &[PathBuf], directory: &Path) -> Result<(), Failure> {
    staging.commit(stale)?;
    // Where none is left, the report that had figures there is not made again, or makes the directory again.
    let _ = fs::remove_dir(directory.join(FIGURES));
    Ok(())
}

/// Writes the options of a run, and how it was made, without putting the files in their places.
pub(super) fn stage_run(
    staging: &mut Staging,
    directory: &Path,
    run: Run,
    effective: &Effective,
    table: Option<SampleTable>,
) -> Result<(), Failure> {
    let options = effective.as_toml();
    staging.write(&directory.join(CONFIGURATION), |file| Ok(file.write_all(options.as_bytes())?))?;
    let made = run.end(effective.words(), table);
    staging.write(&directory.join(MADE), |file| Ok(file.write_all(console::as_json(&made)?.as_bytes())?))?;
    Ok(())
}

/// Makes the report of a directory whose analysis is written, and says where it is.
pub(super) fn write_report(directory: &Path, quiet: bool) -> Result<(), Failure> {
    let path = Report::new(directory, None)?.write(directory)?;
    if !quiet {
        console::say(&format!("\nreport: {}", path.display()));
    }
    Ok(())
}

/// Shows the table and prints the JSON, as far as they are wanted. `describe` names a sample of the first split.
pub(super) fn tell(
    common: &Common,
    words: Words<'_>,
    analysis: &Analysis,
    describe: &dyn Fn(usize) -> String,
) -> Result<(), Failure> {
    if !common.quiet {
        console::say(&tables::closing::closing(words, analysis.summary(), analysis.splits(), describe));
    }
    if common.json { console::print_json(analysis.summary()) } else { Ok(()) }
}

/// A sample of the first split by its id and class, where nothing more is known of it.
pub(super) fn by_id(analysis: &Analysis) -> impl Fn(usize) -> String + '_ {
    let classes = analysis.estimator().classes().names();
    move |row| {
        analysis.splits().first().map_or_else(String::new, |split| {
            let label = shortened(&classes[split.scores.labels[row] as usize]);
            // One line a sample, whatever its id holds.
            format!("{} ({label})", shortened(&split.scores.terms.ids.get(row))).replace('\n', "\\n")
        })
    }
}
