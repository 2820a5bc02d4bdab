//! `lsmi analyze` of more than two modalities: all pairs, what all share, and of three the whole lattice.

use lsmi_candle::analysis::several::{SeveralAnalysis, analyze_several};
use lsmi_candle::analysis::{ESTIMATOR, SUMMARY, Settings, samples_name};
use lsmi_candle::estimator::several::SeveralSettings;
use lsmi_candle::features::{Data, Keys, Rare, SeveralFile};
use lsmi_core::Measure;

use super::{evaluation_name, say_notes};
use crate::arguments::Analyze;
use crate::arguments::effective::Effective;
use crate::commands::leftovers::leftovers;
use crate::commands::settings::{repeats, settings};
use crate::commands::write_analysis::{commit, stage_run, write_report};
use crate::output::made::Run;
use crate::process::failure::Failure;
use crate::process::staging::Staging;
use crate::process::{console, progress};
use crate::tables;

/// The modalities to analyse: those that were named, else those that the file has under the usual names.
pub(super) fn modalities(arguments: &Analyze, source: &Data, keys: &Keys) -> Result<Vec<String>, Failure> {
    let usual = Keys::default();
    let names = match &arguments.several.modalities {
        Some(named) => named.names().to_vec(),
        None if keys.x1 == usual.x1 && keys.x2 == usual.x2 => source.modalities(keys)?,
        None => vec![keys.x1.clone(), keys.x2.clone()],
    };
    let wanted = [(arguments.several.lattice, "--lattice", 3), (arguments.several.shapley, "--shapley", 3)];
    match wanted.into_iter().find(|(is_wanted, _, least)| *is_wanted && names.len() < *least) {
        Some((_, option, _)) => {
            let found = names.join(", ");
            Err(Failure::usage(format!("{option} needs three modalities or more, and there are only {found}")))
        }
        None if arguments.several.lattice && names.len() > 3 => {
            let found = names.join(", ");
            Err(Failure::usage(format!("--lattice is of three modalities, and there are {found}"))
                .with_hint("choose three of them with --modalities"))
        }
        None => Ok(names),
    }
}

/// Analyses these modalities of the data; the place of the files has been checked.
pub(super) fn run(
    arguments: &Analyze,
    (run, effective): (Run, &Effective),
    (source, keys, names): (&Data, &Keys, &[String]),
) -> Result<(), Failure> {
    refuse(arguments, names)?;
    let table = with_evaluations(arguments, source.read_several(names, keys)?, keys)?;
    let train = table.split("train").ok_or_else(|| Failure::data("there is no split `train`").about(&table.path))?;
    let (estimation, common) = (&arguments.estimation, &arguments.common);
    let repeats = repeats(estimation, common, train.rows());
    let effective = &effective.with("repeats", repeats);
    let settings = Settings {
        fit: settings(estimation, common, repeats, false, &table.classes)?,
        repeats: estimation.repeats.map(|_| repeats),
        measures: estimation.measures.listed().to_vec(),
        ..Settings::default()
    };
    let further = SeveralSettings { all_heads: arguments.several.shapley };
    let analysis = progress::shown(common.quiet, |sender| analyze_several(&table, &settings, further, sender))?;
    let analysis = analysis.with_pooling(source.pooling_of_several(names, keys));
    write(arguments, effective, run, &analysis)?;
    if !common.quiet {
        console::say(&tables::several::closing(analysis.summary()));
    }
    if common.json {
        console::print_json(analysis.summary())?;
    }
    if arguments.report.no_report { Ok(()) } else { write_report(&arguments.out, common.quiet) }
}

/// Reads the samples of every `--eval` as a split of the table.
fn with_evaluations(arguments: &Analyze, mut table: SeveralFile, keys: &Keys) -> Result<SeveralFile, Failure> {
    for (index, path) in arguments.eval.iter().enumerate() {
        let other = Data::from(path.as_path()).read_several_with_classes(&table.names, keys, &table.classes)?;
        say_notes(&other.notes, Some(path));
        table = table.with_evaluation(&evaluation_name(index), other)?;
    }
    Ok(table)
}

/// Writes samples, summary, estimator and what there is to say of the run, all or nothing.
fn write(arguments: &Analyze, effective: &Effective, run: Run, analysis: &SeveralAnalysis) -> Result<(), Failure> {
    let (directory, format) = (arguments.out.as_path(), arguments.format);
    let mut staging = Staging::default();
    staging.write(&directory.join(samples_name(format)), |file| analysis.write_samples(file, format))?;
    staging.write(&directory.join(SUMMARY), |file| analysis.write_summary(file))?;
    staging.write(&directory.join(ESTIMATOR), |file| analysis.write_estimator(file))?;
    stage_run(&mut staging, directory, run, effective, None)?;
    commit(staging, &leftovers(directory, format, None), directory)
}

/// Refuses options that are of two modalities.
fn refuse(arguments: &Analyze, names: &[String]) -> Result<(), Failure> {
    let given = [
        ("--names", arguments.names != lsmi_candle::analysis::names::Names::default()),
        ("--rare", arguments.rare.rare() != Rare::Refuse),
        ("--ratings", arguments.ratings.is_some()),
        ("--model", !arguments.models.files.is_empty()),
        ("--knife-from", arguments.estimation.knife_from.is_some()),
        ("--scale-logits", arguments.estimation.scale_logits),
        ("--null", arguments.null.permutations > 0),
        ("--check", arguments.check.check),
        ("--measure mmi", arguments.estimation.measure == Measure::Mmi),
        ("--measure min", arguments.estimation.measure == Measure::Min),
    ];
    let Some((option, _)) = given.into_iter().find(|(_, is_given)| *is_given) else { return Ok(()) };
    Err(Failure::usage(format!(
        "{option} is of two modalities, and {} would be analysed together: leave it out, or choose two",
        names.join(", ")
    ))
    .with_hint(format!("choose two of them with --modalities {},{}", names[0], names[1])))
}
