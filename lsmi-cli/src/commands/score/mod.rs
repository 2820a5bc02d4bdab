//! `lsmi score`: terms and decomposition of new samples by a saved estimator.
//!
//! [`whole`] scores rows that fit in memory, [`stream`] more than that, [`label_free`] rows without labels; [`several`] those of
//! more than two modalities, [`targets`] those with continuous targets, [`labels`] those with several labels. [`rows`] says which rows are scored and where their values may go.

mod label_free;
mod labels;
mod plan;
mod rows;
mod several;
mod stream;
mod targets;
mod whole;

use lsmi_candle::estimator::{Estimator, SavedEstimator};
use lsmi_candle::jobs::directory_of;
use lsmi_candle::samples::Format;

use super::saved::read_saved;
use crate::arguments::Score;
use crate::process::console;
use crate::process::failure::Failure;
use lsmi_candle::analysis::{encoder_differences, pooling_difference};

pub(super) fn run(arguments: &Score) -> Result<(), Failure> {
    let format = arguments.format.map_or_else(|| rows::format_of(&arguments.out), Ok)?;
    let is_free = rows::check_place(&arguments.out, arguments);
    // What is there may be the output of an unfinished job, found out only when the job is known.
    if !directory_of(&arguments.out).exists() {
        is_free?;
    }
    label_free::check_candidates(arguments)?;
    if arguments.estimator.is_dir() {
        return labels::run(arguments, format);
    }
    match read_saved(&arguments.estimator, arguments.common.device)? {
        SavedEstimator::Two(estimator) => of_two(arguments, format, *estimator),
        SavedEstimator::Several(estimator) => {
            rows::check_place(&arguments.out, arguments)?;
            several::run(arguments, format, *estimator)
        }
        SavedEstimator::Continuous(estimator) => targets::run(arguments, format, *estimator),
    }
}

/// Scores rows by an estimator of two modalities and classes.
fn of_two(arguments: &Score, format: Format, estimator: Estimator) -> Result<(), Failure> {
    if arguments.modalities.is_some() {
        return Err(Failure::usage("--modalities is of more than two modalities, and the estimator is of two")
            .with_hint("name the arrays with --keys X1,X2,LABEL"));
    }
    let estimator = with_warnings(estimator, arguments)?;
    if let Some(reader) = stream::reader(arguments, &estimator)? {
        return stream::run(arguments, format, &estimator, reader);
    }
    rows::check_place(&arguments.out, arguments)?;
    if arguments.label_free {
        label_free::run(arguments, format, &estimator)
    } else {
        whole::run(arguments, format, estimator)
    }
}

/// Adds a note on features that other encoders made than those the estimator was fitted on, or that were pooled where those were
/// not; notes are shown at the end, or at once where nothing else is. Another pooling is refused.
fn with_warnings(estimator: Estimator, arguments: &Score) -> Result<Estimator, Failure> {
    let data = arguments.data.data();
    let (file, keys) = (data.path().display().to_string(), arguments.arrays.keys());
    let mut warnings = encoder_differences(&file, &estimator.description().encoders, &data.encoders(&keys));
    warnings.extend(pooling_difference(&file, estimator.description().pooling, data.pooling(&keys))?);
    if arguments.common.quiet {
        for warning in &warnings {
            console::say(&format!("warning: {warning}"));
        }
    }
    Ok(warnings.into_iter().fold(estimator, Estimator::with_note))
}
