//! `lsmi analyze`: cross-fit on the split `train`, score all others, decompose, save.

use std::path::{Path, PathBuf};

use lsmi_candle::EstimatorError;
use lsmi_candle::estimator::{Estimator, Settings, cross_fit, seen_rows};
use lsmi_candle::features::{
    Data, FeatureError, FeatureFile, FeatureSet, Keys, MetadataColumn, Split, read_with_classes,
};

use super::finish::{Analysis, by_id, check_analysis, tell, write_report};
use super::gates::gates;
use super::models::{read_models, summarise};
use super::null::null;
use super::settings::{has_logits, repeats, settings};
use crate::arguments::Analyze;
use crate::effective::Effective;
use crate::encoders::differences;
use crate::output::made::Run;
use crate::output::ratings::RatingsSummary;
use crate::output::summary::Summary;
use crate::process::console;
use crate::process::failure::Failure;
use crate::process::progress;
use crate::ratings::{Rated, Ratings, read_ratings};
use crate::scored::{ScoredSplit, evaluation_rows};
use crate::tables::sentence::Words;

pub(super) fn run(arguments: &Analyze, effective: &Effective) -> Result<(), Failure> {
    let run = Run::begin();
    let source = arguments.data.data();
    let data = source.path();
    let inputs = source.paths().into_iter().chain(arguments.eval.iter().map(AsRef::as_ref));
    let inputs: Vec<&Path> = inputs
        .chain(arguments.estimation.knife_from.as_deref())
        .chain(arguments.ratings.as_deref())
        .chain(arguments.models.files.iter().map(|model| model.path.as_path()))
        .collect();
    check_analysis(&arguments.out, arguments.common.force, &inputs)?;

    let ratings = arguments.ratings.as_deref().map(read_ratings).transpose()?;
    let keys = arguments.arrays.keys();
    let file = source.read(&keys)?;
    if arguments.common.quiet {
        say_notes(&file.notes, None);
    }
    let (evaluations, metadata) = read_evaluations(&arguments.eval, &keys, &file)?;
    let train = training_rows(&file)?;
    let scale = arguments.estimation.scale_logits;
    let known: Vec<&Split> = file.splits.iter().chain(&evaluations).collect();
    let not_found = unknown(arguments, ratings.as_ref(), &known, file.classes.names())?;
    let models = read_models(&arguments.models, &file.classes, &known, scale)?;
    let any_logits = has_logits(train) || !models.is_empty();
    let (estimation, common) = (&arguments.estimation, &arguments.common);
    let repeats = repeats(estimation, common, train.rows());
    let effective = &effective.with("repeats", repeats);
    let settings = settings(estimation, common, repeats, any_logits, &file.classes)?;
    let fit = progress::shown(arguments.common.quiet, |sender| cross_fit(train, &file.classes, &settings, sender))
        .map_err(|error| Failure::from(error).about(data))?;

    let null = null(arguments.null, &arguments.common, &fit, train, &settings)?;

    let measures = arguments.estimation.measures.listed();
    let mut others = Vec::new();
    for split in file.splits.iter().filter(|split| split.name != "train") {
        let scored = ScoredSplit::score(&split.name, &split.features, &fit.estimator, measures, data)?;
        let seen = seen_rows(train, &split.features);
        others.push(scored.with_metadata(file.metadata_of(&split.name)).with_seen(seen));
    }
    for ((path, split), metadata) in arguments.eval.iter().zip(&evaluations).zip(&metadata) {
        let scored = ScoredSplit::score(&split.name, &split.features, &fit.estimator, measures, path)?;
        others.push(scored.with_metadata(metadata).with_seen(seen_rows(train, &split.features)));
    }
    // A gate is asked of one fit unless more were asked for: three times as many take three times as long.
    let of_gates = Settings { repeats: estimation.repeats_or_one(), ..settings };
    let gates = gates(arguments.check, common, &fit, (train, &file.classes), &others, &of_gates)?;
    let models = summarise(&models, &fit, scale, measures)?;
    let encoders = source.encoders(&keys);
    let others_differ = arguments.eval.iter().flat_map(|path| {
        differences(&path.display().to_string(), &encoders, &Data::from(path.as_path()).encoders(&keys))
    });
    let estimator = others_differ.fold(fit.estimator, Estimator::with_note).with_encoders(encoders.clone());
    let (training, estimator) = ScoredSplit::of_training(train, fit.scores, estimator, measures)?;
    let mut splits = vec![training.with_metadata(file.metadata_of("train"))];
    splits.extend(others);
    let classes = estimator.classes().names();
    let ratings =
        ratings.map(|ratings| RatingsSummary::new(&ratings, &splits, classes, estimator.measure(), not_found));
    let words = Words { names: &arguments.names, label: "the label" };
    let summary = Summary::new(&estimator, &splits)?
        .with_null(null, estimator.description().given_heads.contains(&true))
        .with_models(models)
        .with_gates(gates)
        .with_ratings(ratings)
        .with_words(words)
        .with_warnings()
        .with_notes_of_data(&file.notes);
    let (estimator, splits) = (&estimator, splits.as_slice());
    let analysis = Analysis { estimator, summary: &summary, splits, run, effective, table: None };
    analysis.write(&arguments.out, arguments.format)?;

    tell(&arguments.common, words, &summary, splits, &by_id(splits.first(), estimator.classes().names()))?;
    if arguments.report.no_report { Ok(()) } else { write_report(&arguments.out, arguments.common.quiet) }
}

/// What was rated, but is in none of the splits, before anything is fitted.
fn unknown(
    arguments: &Analyze,
    ratings: Option<&Ratings>,
    splits: &[&Split],
    classes: &[String],
) -> Result<Vec<String>, Failure> {
    let (Some(ratings), Some(path)) = (ratings, &arguments.ratings) else { return Ok(Vec::new()) };
    let unknown = match ratings.of {
        Rated::Classes => {
            let known = classes.first().cloned().unwrap_or_default();
            ratings.unknown(path, |name| classes.iter().any(|class| class == name), known)
        }
        Rated::Samples => {
            let indices: Vec<_> = splits.iter().map(|split| split.features.ids.index()).collect();
            let known = splits.first().and_then(|split| split.features.ids.iter().next()).unwrap_or_default();
            let is_known = |id: &str| indices.iter().any(|index| index.position(id).is_some());
            ratings.unknown(path, is_known, known.into_owned())
        }
    };
    Ok(unknown?)
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

/// The samples of every `--eval`, checked against the training data before anything is fitted, and what is carried along
/// with them.
pub(super) fn read_evaluations(
    files: &[PathBuf],
    keys: &Keys,
    training: &FeatureFile,
) -> Result<(Vec<Split>, Vec<Vec<MetadataColumn>>), Failure> {
    let train = training_rows(training)?;
    let mut splits: Vec<Split> = Vec::new();
    let mut metadata = Vec::new();
    for (index, path) in files.iter().enumerate() {
        let name = if index == 0 { "eval".to_owned() } else { format!("eval{}", index + 1) };
        if training.split(&name).is_some() {
            let data = training.path.display();
            return Err(Failure::usage(format!(
                "{data}: has a split `{name}` of its own; rename its arrays, or leave out --eval"
            )));
        }
        let file = read_with_classes(path, keys, &training.classes)?;
        say_notes(&file.notes, Some(path));
        let (split, carried) = evaluation_rows(file, &name, path)?;
        for (array, expected, found) in
            [(&keys.x1, &train.x1, &split.features.x1), (&keys.x2, &train.x2, &split.features.x2)]
        {
            if expected.columns() != found.columns() {
                return Err(Failure::from(FeatureError::ColumnCount {
                    file: path.display().to_string(),
                    array: array.clone(),
                    found: found.columns(),
                    reference: format!("{array} of {}", training.path.display()),
                    expected: expected.columns(),
                }));
            }
        }
        check_logits(train, &split.features).map_err(|error| Failure::from(error).about(path))?;
        splits.push(split);
        metadata.push(carried);
    }
    Ok((splits, metadata))
}

/// Samples to evaluate have the logits that stand in for heads.
fn check_logits(train: &FeatureSet, features: &FeatureSet) -> Result<(), EstimatorError> {
    for (name, (of_train, logits)) in
        ["logits1", "logits2", "logits12"].into_iter().zip(train.logits.iter().zip(&features.logits))
    {
        if of_train.is_some() && logits.is_none() {
            return Err(EstimatorError::MissingLogits { name });
        }
    }
    Ok(())
}
