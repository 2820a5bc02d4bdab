//! `lsmi analyze --target continuous`: the analysis of targets that are numbers.

use std::path::Path;

use lsmi_candle::analysis::continuous::{TargetAnalysis, TargetAnalysisSettings, analyze_targets, target_samples_name};
use lsmi_candle::analysis::{ESTIMATOR, SUMMARY};
use lsmi_candle::estimator::continuous::{TargetSettings, Targets};
use lsmi_candle::features::{Data, Keys, Missing, Rare, TargetFile};
use lsmi_core::PriorChoice;

use super::{evaluation_name, say_notes};
use crate::arguments::Analyze;
use crate::arguments::effective::Effective;
use crate::commands::leftovers::leftovers;
use crate::commands::settings::{repeats, settings};
use crate::commands::write_analysis::{check_analysis, commit, stage_run, write_report};
use crate::output::made::Run;
use crate::process::failure::Failure;
use crate::process::staging::Staging;
use crate::process::{console, progress};
use crate::tables;

pub(super) fn run(arguments: &Analyze, effective: &Effective) -> Result<(), Failure> {
    let run = Run::begin();
    check_options(arguments)?;
    let source = arguments.data.data();
    let inputs: Vec<&Path> = source.paths().into_iter().chain(arguments.eval.iter().map(AsRef::as_ref)).collect();
    let (common, estimation) = (&arguments.common, &arguments.estimation);
    check_analysis(&arguments.out, common.force, &inputs)?;
    let keys = arguments.arrays.keys();
    let file = with_evaluations(arguments, source.read_targets(&keys, true)?, &keys)?;
    if common.quiet {
        say_notes(&file.notes, None);
    }
    let rows = file.split("train").map_or(0, lsmi_candle::features::TargetSet::rows);
    let repeats = repeats(estimation, common, rows);
    let effective = effective.with("repeats", repeats);
    // There are no classes that a prior or logits could be held against.
    let classes = lsmi_candle::features::Classes::new(Vec::new()).map_err(Failure::failed)?;
    let settings = TargetAnalysisSettings {
        fit: TargetSettings {
            estimation: settings(estimation, common, repeats, false, &classes)?,
            targets: if arguments.target.jointly { Targets::Jointly } else { Targets::Each },
        },
        repeats: Some(repeats),
        names: arguments.names.clone(),
    };
    let analysis = progress::shown(common.quiet, |sender| analyze_targets(&file, &settings, sender))?;
    let analysis = analysis.with_pooling(source.pooling(&keys));
    write(arguments, &effective, &analysis, run)?;
    if !common.quiet {
        console::say(&tables::targets::closing(&arguments.names, analysis.summary()));
    }
    if common.json {
        console::print_json(analysis.summary())?;
    }
    if arguments.report.no_report { Ok(()) } else { write_report(&arguments.out, common.quiet) }
}

/// Reads the samples of every `--eval` as a split of the table.
fn with_evaluations(arguments: &Analyze, mut table: TargetFile, keys: &Keys) -> Result<TargetFile, Failure> {
    for (index, path) in arguments.eval.iter().enumerate() {
        let other = Data::from(path.as_path()).read_targets(keys, false)?;
        say_notes(&other.notes, Some(path));
        table = table.with_evaluation(&evaluation_name(index), other, keys)?;
    }
    Ok(table)
}

/// Writes samples, summary, estimator and what there is to say of the run, all or nothing.
fn write(arguments: &Analyze, effective: &Effective, analysis: &TargetAnalysis, run: Run) -> Result<(), Failure> {
    let (directory, format) = (&arguments.out, arguments.format);
    let mut staging = Staging::default();
    for decomposition in 0..analysis.len() {
        let path = directory.join(target_samples_name(decomposition, analysis.len(), format));
        staging.write(&path, |file| analysis.write_samples(decomposition, file, format))?;
    }
    staging.write(&directory.join(SUMMARY), |file| analysis.write_summary(file))?;
    staging.write(&directory.join(ESTIMATOR), |file| analysis.write_estimator(file))?;
    stage_run(&mut staging, directory, run, effective, None)?;
    commit(staging, &leftovers(directory, format, None), directory)
}

/// Refuses options that mean nothing where there are no classes.
fn check_options(arguments: &Analyze) -> Result<(), Failure> {
    let estimation = &arguments.estimation;
    let given = [
        (arguments.ratings.is_some(), "--ratings", "leave it out"),
        (!arguments.models.files.is_empty(), "--model", "leave it out: logits are those of classes"),
        (arguments.null.permutations > 0, "--null", "leave it out"),
        (arguments.check.check, "--check", "leave it out"),
        (estimation.knife_from.is_some(), "--knife-from", "leave it out"),
        (arguments.rare.rare() != Rare::Refuse, "--rare", "leave it out: there are no classes"),
        (estimation.scale_logits, "--scale-logits", "leave it out: logits are those of classes"),
        (estimation.prior != PriorChoice::Empirical, "--prior", "leave it out: p(y) is fitted"),
        (!estimation.measures.listed().is_empty(), "--measures", "name one with --measure"),
        (arguments.arrays.keys().missing == Missing::Drop, "--missing drop", "remove such rows first"),
    ];
    match given.into_iter().find(|(is_given, _, _)| *is_given) {
        Some((_, option, advice)) => {
            Err(Failure::usage(format!("{option} means nothing with --target continuous: {advice}")))
        }
        None => Ok(()),
    }
}
