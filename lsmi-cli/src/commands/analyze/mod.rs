//! `lsmi analyze`: cross-fit on the split `train`, score all others, decompose, save.

mod labels;
mod lags;
mod several;
mod targets;

use std::path::{Path, PathBuf};

use lsmi_candle::analysis::names::Words;
use lsmi_candle::analysis::ratings::read_ratings;
use lsmi_candle::analysis::{Analyzer, Evaluation, Settings};
use lsmi_candle::features::{Data, FeatureFile, FeatureSet, Keys, Rare, Split, read_with_classes};

use super::models::read_models;
use super::settings::{gates, has_logits, repeats, settings, with_rare};
use super::write_analysis::{Files, by_id, check_analysis, tell, write_report};
use crate::arguments::effective::Effective;
use crate::arguments::{Analyze, Several, Target};
use crate::output::made::Run;
use crate::process::failure::Failure;
use crate::process::{console, progress};

pub(super) fn run(arguments: &Analyze, effective: &Effective) -> Result<(), Failure> {
    if let Some(lags) = &arguments.lagged.lags {
        return lags::run(arguments, lags, effective);
    }
    check_target(arguments)?;
    match arguments.target.target.unwrap_or_default() {
        Target::Classes => {}
        Target::Continuous => return targets::run(arguments, effective),
        Target::Labels => return labels::run(arguments, effective),
    }
    let run = Run::begin();
    let (rare, least) = (arguments.rare.rare(), arguments.rare.least(arguments.estimation.folds)?);
    let source = arguments.data.data();
    let inputs = source.paths().into_iter().chain(arguments.eval.iter().map(AsRef::as_ref));
    let inputs: Vec<&Path> = inputs
        .chain(arguments.estimation.knife_from.as_deref())
        .chain(arguments.ratings.as_deref())
        .chain(arguments.models.files.iter().map(|model| model.path.as_path()))
        .collect();
    check_analysis(&arguments.out, arguments.common.force, &inputs)?;

    let ratings = arguments.ratings.as_deref().map(|path| Ok::<_, Failure>((read_ratings(path)?, path))).transpose()?;
    let keys = arguments.arrays.keys_with_partial();
    let modalities = several::modalities(arguments, &source, &keys)?;
    let keys = match modalities.as_slice() {
        [x1, x2] => Keys { x1: x1.clone(), x2: x2.clone(), ..keys },
        names => return several::run(arguments, (run, effective), (&source, &keys, names)),
    };
    let file = with_rare(source.read(&keys)?, rare, least)?;
    if arguments.common.quiet {
        say_notes(&file.notes, None);
    }
    let evaluations = read_evaluations(&arguments.eval, &keys, &file)?;
    let train = training_rows(&file)?;
    let (estimation, common) = (&arguments.estimation, &arguments.common);
    let known: Vec<&Split> = file.splits.iter().chain(evaluations.iter().map(Evaluation::split)).collect();
    let models = read_models(&arguments.models, &file.classes, &known, estimation.scale_logits)?;
    let any_logits = has_logits(train) || !models.is_empty();
    let repeats = repeats(estimation, common, train.rows());
    let effective = &effective.with("repeats", repeats);
    let settings = Settings {
        fit: lsmi_candle::estimator::Settings {
            prototypes: rare == Rare::Prototypes,
            ..settings(estimation, common, repeats, any_logits, &file.classes)?
        },
        repeats: estimation.repeats.map(|_| repeats),
        measures: estimation.measures.listed().to_vec(),
        permutations: arguments.null.permutations as usize,
        gates: gates(arguments.check),
        names: arguments.names.clone(),
        ..Settings::default()
    };
    let mut analyzer = Analyzer::new(&file, &settings)
        .with_evaluations(&evaluations)
        .with_models(&models)
        .with_encoders(source.encoders(&keys))
        .with_pooling(source.pooling(&keys));
    if let Some((ratings, path)) = &ratings {
        analyzer = analyzer.with_ratings(ratings, path);
    }
    let analysis = progress::shown(common.quiet, |sender| analyzer.run(sender))?;
    Files { analysis: &analysis, run, effective, table: None }.write(&arguments.out, arguments.format)?;

    let words = Words { names: &arguments.names, label: &settings.label };
    tell(common, words, &analysis, &by_id(&analysis))?;
    if arguments.report.no_report { Ok(()) } else { write_report(&arguments.out, common.quiet) }
}

/// Refuses options that are about another kind of target.
fn check_target(arguments: &Analyze) -> Result<(), Failure> {
    let target = arguments.target.target.unwrap_or_default();
    if arguments.target.jointly && target != Target::Continuous {
        return Err(Failure::usage(
            "--jointly is about several targets that are numbers: give it with --target continuous",
        ));
    }
    let Several { modalities, lattice, shapley } = &arguments.several;
    let given = [("--modalities", modalities.is_some()), ("--lattice", *lattice), ("--shapley", *shapley)];
    match given.into_iter().find(|(_, is_given)| *is_given && target != Target::Classes) {
        Some((option, _)) => Err(Failure::usage(format!("{option} is about targets that are classes: leave it out"))
            .with_hint("choose two of the modalities with --keys")),
        None => Ok(()),
    }
}

/// Says what is to be known of data that were read, where no summary will.
pub(super) fn say_notes(notes: &[String], file: Option<&Path>) {
    for note in notes {
        let file = file.map(|file| format!("{}: ", file.display())).unwrap_or_default();
        console::say(&format!("warning: {file}{note}"));
    }
}

/// The split that an estimator is fitted on.
pub(super) fn training_rows(file: &FeatureFile) -> Result<&FeatureSet, Failure> {
    file.split("train").ok_or_else(|| Failure::data("there is no split `train`").about(&file.path))
}

/// What the rows of an `--eval` are called, by its place.
pub(super) fn evaluation_name(index: usize) -> String {
    if index == 0 { "eval".to_owned() } else { format!("eval{}", index + 1) }
}

/// The samples of every `--eval`, checked against the training data before anything is fitted.
pub(super) fn read_evaluations(
    files: &[PathBuf],
    keys: &Keys,
    training: &FeatureFile,
) -> Result<Vec<Evaluation>, Failure> {
    training_rows(training)?;
    let mut evaluations = Vec::new();
    for (index, path) in files.iter().enumerate() {
        let name = evaluation_name(index);
        if training.split(&name).is_some() {
            let data = training.path.display();
            return Err(Failure::usage(format!(
                "{data}: has a split `{name}` of its own; rename its arrays, or leave out --eval"
            )));
        }
        let file = read_with_classes(path, keys, &training.classes)?;
        say_notes(&file.notes, Some(path));
        let encoders = Data::from(path.as_path()).encoders(keys);
        evaluations.push(Evaluation::new(&name, file, training, keys)?.with_encoders(encoders));
    }
    Ok(evaluations)
}
