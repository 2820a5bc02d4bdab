//! `lsmi analyze --lags`: an analysis for every lag of a table of sequences.
//!
//! Each lag has a directory of its own, `lag-K`, which holds what `analyze` writes: `report`, `diff` and `score` take it as any
//! other. Beside them stand a summary and a report of all.

use std::path::{Path, PathBuf};

use lsmi_candle::analysis::names::Words;
use lsmi_candle::analysis::{LagAnalyses, SUMMARY, Settings, analyze_lags};
use lsmi_candle::features::Lags;

use super::say_notes;
use crate::arguments::Analyze;
use crate::arguments::effective::Effective;
use crate::commands::settings::{gates, repeats, settings};
use crate::commands::write_analysis::{Files, check_analysis, commit, write_report};
use crate::output::made::Run;
use crate::process::failure::Failure;
use crate::process::staging::{Staging, check_directory};
use crate::process::{console, progress};
use crate::report::{self, REPORT};
use crate::tables;

pub(super) fn run(arguments: &Analyze, lags: &Lags, effective: &Effective) -> Result<(), Failure> {
    let run = Run::begin();
    let (estimation, common) = (&arguments.estimation, &arguments.common);
    let source = arguments.data.data();
    let inputs: Vec<&Path> = source.paths();
    check_directory(&arguments.out, common.force, &[SUMMARY, REPORT], &inputs)?;
    for lag in lags.steps() {
        check_analysis(&directory(&arguments.out, *lag), common.force, &inputs)?;
    }

    let table = source.read_sequences(&arguments.arrays.keys(), lags)?;
    if common.quiet {
        say_notes(&table.notes, None);
    }
    let rows = table.splits.first().map_or(0, |split| split.features.rows());
    let repeats = repeats(estimation, common, rows);
    let effective = &effective.with("repeats", repeats);
    let settings = Settings {
        fit: settings(estimation, common, repeats, false, &table.classes)?,
        repeats: estimation.repeats.map(|_| repeats),
        measures: estimation.measures.listed().to_vec(),
        permutations: arguments.null.permutations as usize,
        gates: gates(arguments.check),
        names: arguments.names.clone(),
        ..Settings::default()
    };
    let analyses = progress::shown(common.quiet, |sender| analyze_lags(&table, &settings, sender))?;

    let mut staging = Staging::default();
    let mut stale = report::written(&arguments.out);
    staging.write(&arguments.out.join(SUMMARY), |file| analyses.write_summary(file))?;
    for (lag, analysis) in &analyses.lags {
        let files = Files { analysis, run, effective, table: None };
        stale.extend(files.stage(&mut staging, &directory(&arguments.out, *lag), arguments.format)?);
    }
    commit(staging, &stale, &arguments.out)?;

    let words = Words { names: &arguments.names, label: &settings.label };
    if !common.quiet {
        console::say(&tables::lags::closing(words, &analyses));
    }
    if common.json {
        console::print_json(&analyses.summary())?;
    }
    if !arguments.report.no_report {
        for lag in lags.steps() {
            write_report(&directory(&arguments.out, *lag), common.quiet)?;
        }
        write_report(&arguments.out, common.quiet)?;
    }
    Ok(())
}

/// The directory of a lag's analysis.
fn directory(out: &Path, lag: usize) -> PathBuf {
    out.join(LagAnalyses::directory_name(lag))
}
