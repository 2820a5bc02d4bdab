//! `lsmi fit`: only the estimator.

use std::io::Write;
use std::path::Path;

use lsmi_candle::estimator::cross_fit;
use lsmi_candle::features::read;

use super::analyze::training_rows;
use super::finish::{by_id, tell};
use super::settings::settings;
use crate::arguments::Fit;
use crate::failure::Failure;
use crate::output::staging::{Staging, check_file};
use crate::output::summary::Summary;
use crate::progress;
use crate::scored::ScoredSplit;
use crate::sentence::Words;

pub(super) fn run(arguments: &Fit) -> Result<(), Failure> {
    let inputs: Vec<&Path> =
        std::iter::once(arguments.data.as_path()).chain(arguments.estimation.knife_from.as_deref()).collect();
    check_file(&arguments.out, arguments.common.force, &inputs)?;
    let file = read(&arguments.data, &arguments.arrays.keys())?;
    let train = training_rows(&file)?;
    let settings = settings(&arguments.estimation, &arguments.common, train, &file.classes)?;
    let fit = progress::shown(arguments.common.quiet, |sender| cross_fit(train, &file.classes, &settings, sender))
        .map_err(|error| Failure::from(error).about(&arguments.data))?;
    let estimator = fit.estimator;

    let bytes = estimator.to_bytes()?;
    let mut staging = Staging::default();
    staging.write(&arguments.out, |file| Ok(file.write_all(&bytes)?))?;
    staging.commit(&[])?;

    let measures = arguments.estimation.measures.listed();
    let splits = [ScoredSplit::of_training(train, fit.scores, &estimator, measures)?];
    let summary = Summary::new(&estimator, &splits)?;
    let words = Words { names: &arguments.names, label: "the label" };
    tell(&arguments.common, words, &summary, &splits, &by_id(splits.first(), estimator.classes().names()))
}
