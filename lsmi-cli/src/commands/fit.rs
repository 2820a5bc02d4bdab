//! `lsmi fit`: only the estimator.

use std::io::Write;
use std::path::Path;

use lsmi_candle::EstimatorError;
use lsmi_candle::analysis::Analysis;
use lsmi_candle::analysis::names::Words;
use lsmi_candle::densities::gauge::GaugeError;
use lsmi_candle::estimator::{Settings, StreamFit, cross_fit, cross_fit_partial, fit_stream};
use lsmi_candle::features::{Data, Rare, RowReader};
use lsmi_candle::samples::{PartialSamples, ScoredSplit};

use super::analyze::{say_notes, training_rows};
use super::settings::{has_logits, repeats, settings, with_rare};
use super::write_analysis::{by_id, tell};
use crate::arguments::Fit;
use crate::process::failure::Failure;
use crate::process::progress;
use crate::process::staging::{Staging, check_file};

pub(super) fn run(arguments: &Fit) -> Result<(), Failure> {
    let data = arguments.data.data();
    let inputs: Vec<&Path> = data.paths().into_iter().chain(arguments.estimation.knife_from.as_deref()).collect();
    check_file(&arguments.out, arguments.common.force, &inputs)?;
    let (StreamFit { fit, drawn, .. }, partial) = match arguments.rows_in_memory {
        None => in_memory(&data, arguments)?,
        Some(most) => (from_a_stream(&data, arguments, usize::try_from(most).unwrap_or(usize::MAX))?, None),
    };
    let keys = arguments.arrays.keys();
    let estimator = fit.estimator.with_encoders(data.encoders(&keys)).with_pooling(data.pooling(&keys));

    let measures = arguments.estimation.measures.listed();
    let (training, estimator) = ScoredSplit::of_training(&drawn, fit.scores, estimator, measures)?;
    let bytes = estimator.to_bytes()?;
    let mut staging = Staging::default();
    staging.write(&arguments.out, |file| Ok(file.write_all(&bytes)?))?;
    staging.commit(&[])?;

    let words = Words { names: &arguments.names, label: "the label" };
    let analysis = Analysis::of_scored(estimator, vec![training.with_partial(partial)], words, &[])?;
    tell(&arguments.common, words, &analysis, &by_id(&analysis))
}

/// A fit to all rows of a file at once, and the rows that lack a modality, if there are any.
fn in_memory(data: &Data, arguments: &Fit) -> Result<(StreamFit, Option<PartialSamples>), Failure> {
    let (rare, least) = (arguments.rare.rare(), arguments.rare.least(arguments.estimation.folds)?);
    let file = with_rare(data.read(&arguments.arrays.keys_with_partial())?, rare, least)?;
    say_notes(&file.notes, None);
    let train = training_rows(&file)?;
    let repeats = repeats(&arguments.estimation, &arguments.common, train.rows());
    let settings = settings(&arguments.estimation, &arguments.common, repeats, has_logits(train), &file.classes)?;
    let settings = Settings { prototypes: rare == Rare::Prototypes, ..settings };
    let (fit, partial) = progress::shown(arguments.common.quiet, |sender| match file.partial_of("train") {
        None => Ok((cross_fit(train, &file.classes, &settings, sender)?, None)),
        Some(partial) => {
            let (fit, scores) = cross_fit_partial(train, partial, &file.classes, &settings, sender)?;
            Ok((fit, Some(PartialSamples::new(scores, partial))))
        }
    })
    .map_err(|error: EstimatorError| Failure::from(error).about(data.path()))?;
    Ok((StreamFit { fit, drawn: train.clone(), rows: train.rows() }, partial))
}

/// A fit to a file of which so many rows are in memory at most.
fn from_a_stream(data: &Data, arguments: &Fit, most: usize) -> Result<StreamFit, Failure> {
    if arguments.rare.rare() != Rare::Refuse {
        return Err(Failure::usage("--rare counts the rows of each class in memory: leave out --rows-in-memory"));
    }
    let mut reader = RowReader::open_for_training(data, &arguments.arrays.keys())?;
    let split = &reader.splits()[0];
    let has_logits = split.numbers > split.dims.iter().sum();
    let repeats = repeats(&arguments.estimation, &arguments.common, split.rows.min(most));
    let settings = settings(&arguments.estimation, &arguments.common, repeats, has_logits, reader.classes())?;
    progress::shown(arguments.common.quiet, |sender| fit_stream(&mut reader, most, &settings, sender)).map_err(
        |error| {
            match error {
                // They name their file.
                EstimatorError::Features(_) | EstimatorError::Gauge(GaugeError::Rows(_)) => error.into(),
                _ => Failure::from(error).about(data.path()),
            }
        },
    )
}
