//! `lsmi analyze --target labels`: several labels of the same samples, one decomposition each.

use std::fs;
use std::path::{Path, PathBuf};

use lsmi_candle::analysis::labels::{LabelsAnalysis, LabelsSettings, analyze_labels, estimator_name};
use lsmi_candle::analysis::{SUMMARY, Settings, samples_name};
use lsmi_candle::estimator;
use lsmi_candle::features::{Classes, Data, LabelsFile, Rare};
use lsmi_core::PriorChoice;

use super::{evaluation_name, say_notes, training_rows};
use crate::arguments::Analyze;
use crate::arguments::effective::Effective;
use crate::commands::leftovers::leftovers;
use crate::commands::settings::{has_logits, repeats, settings};
use crate::commands::write_analysis::{check_analysis, commit, stage_run, write_report};
use crate::output::made::Run;
use crate::process::failure::Failure;
use crate::process::staging::Staging;
use crate::process::{console, progress};
use crate::tables;

pub(super) fn run(arguments: &Analyze, effective: &Effective) -> Result<(), Failure> {
    let run = Run::begin();
    let (estimation, common) = (&arguments.estimation, &arguments.common);
    check_options(arguments)?;
    let least = arguments.rare.least(estimation.folds)?;
    let source = arguments.data.data();
    let inputs: Vec<&Path> = source.paths().into_iter().chain(arguments.eval.iter().map(AsRef::as_ref)).collect();
    check_analysis(&arguments.out, common.force, &inputs)?;

    let file = read(arguments, &source)?;
    if common.quiet {
        say_notes(&file.table.notes, None);
    }
    let train = training_rows(&file.table)?;
    if has_logits(train) {
        let error =
            "logits are of one label's classes: leave them out with --target labels, or analyze the labels one by one";
        return Err(Failure::data(error).about(source.path()));
    }
    let repeats = repeats(estimation, common, train.rows());
    let effective = &effective.with("repeats", repeats);
    let two = Classes::new(vec!["0".to_owned(), "1".to_owned()]).map_err(Failure::failed)?;
    let settings = LabelsSettings {
        analysis: Settings {
            fit: estimator::Settings { repeats, ..settings(estimation, common, repeats, false, &two)? },
            repeats: Some(repeats),
            measures: estimation.measures.listed().to_vec(),
            permutations: arguments.null.permutations as usize,
            names: arguments.names.clone(),
            ..Settings::default()
        },
        rare: arguments.rare.rare(),
        least: Some(least),
    };
    let analysis = progress::shown(common.quiet, |sender| analyze_labels(&file, &settings, sender))?;
    write(arguments, &analysis, run, effective)?;
    if !common.quiet {
        console::say(&tables::labels::labels_table(analysis.summary()));
    }
    if common.json {
        console::print_json(analysis.summary())?;
    }
    if arguments.report.no_report { Ok(()) } else { write_report(&arguments.out, common.quiet) }
}

/// Refuses options that say nothing of several labels.
fn check_options(arguments: &Analyze) -> Result<(), Failure> {
    let without =
        |option: &str, why: &str| Err(Failure::usage(format!("{option} {why}: leave it out with --target labels")));
    let Analyze { estimation, .. } = arguments;
    if !arguments.models.files.is_empty() {
        return without("--model", "gives logits of one label's classes");
    }
    if arguments.ratings.is_some() {
        return without("--ratings", "says what people think of one label");
    }
    if arguments.check.check {
        return without("--check", "asks about one label, as `lsmi check` does");
    }
    if estimation.knife_from.is_some() {
        return without("--knife-from", "gives densities in folds of its own, and labels share theirs");
    }
    if estimation.scale_logits {
        return without("--scale-logits", "is about logits of one label's classes");
    }
    if matches!(estimation.prior, PriorChoice::Given(_)) {
        return without("--prior with probabilities", "is about the classes of one label");
    }
    if arguments.rare.rare() == Rare::Prototypes {
        return without("--rare prototypes", "is about classes");
    }
    Ok(())
}

/// Reads the data, and those of every `--eval` as a split of theirs.
fn read(arguments: &Analyze, source: &Data) -> Result<LabelsFile, Failure> {
    let keys = arguments.arrays.keys();
    let mut file = source.read_several_labels(&keys, None)?;
    training_rows(&file.table)?;
    let names = file.labels_of("train").map(|labels| labels.names().to_vec()).unwrap_or_default();
    for (index, path) in arguments.eval.iter().enumerate() {
        let name = evaluation_name(index);
        let other = Data::from(path.as_path()).read_several_labels(&keys, Some(&names))?;
        say_notes(&other.table.notes, Some(path));
        file = file.with_evaluation(&name, other, &keys)?;
    }
    Ok(file)
}

/// Writes samples, summary, the estimator of each label and what there is to say of the run, all or nothing.
fn write(arguments: &Analyze, analysis: &LabelsAnalysis, run: Run, effective: &Effective) -> Result<(), Failure> {
    let (directory, format) = (arguments.out.as_path(), arguments.format);
    let mut staging = Staging::default();
    staging.write(&directory.join(samples_name(format)), |file| analysis.write_samples(file, format))?;
    staging.write(&directory.join(SUMMARY), |file| analysis.write_summary(file))?;
    let analyses = analysis.analyses();
    let mut written = Vec::new();
    for (place, (label, analysis)) in analyses.iter().enumerate() {
        let path = directory.join(estimator_name(place, analyses.len(), label));
        staging.write(&path, |file| analysis.write_estimator(file))?;
        written.push(path);
    }
    stage_run(&mut staging, directory, run, effective, None)?;
    let mut stale = leftovers(directory, format, None);
    stale.extend(other_estimators(directory, &written));
    commit(staging, &stale, directory)
}

/// Estimators of labels that an earlier run left in a directory, beside those that were written.
fn other_estimators(directory: &Path, written: &[PathBuf]) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory.join("labels")) else { return Vec::new() };
    let is_estimator = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with(|first: char| first.is_ascii_digit()) && name.ends_with(".safetensors")
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.filter(|path| is_estimator(path) && !written.contains(path)).collect()
}
