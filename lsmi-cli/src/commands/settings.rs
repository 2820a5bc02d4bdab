//! The settings of a fit: the options, held against the data, with the estimator whose densities are reused.

use std::sync::Arc;

use lsmi_candle::analysis;
use lsmi_candle::densities::knife;
use lsmi_candle::estimator::Settings;
use lsmi_candle::features::{Classes, FeatureFile, FeatureSet, Rare};
use lsmi_core::PriorChoice;

use super::saved::read_estimator;
use crate::arguments::{CheckToo, Common, Estimation};
use crate::process::console;
use crate::process::failure::Failure;

/// Training rows below which single values hang on folds and random draws so much that several fits are averaged.
const FEW_ROWS: usize = 5000;
/// How many fits are averaged then.
const REPEATS_OF_FEW_ROWS: usize = 3;

/// How many fits to so many rows are averaged: as many as was asked for, else three of few rows, which is told with what it
/// costs, and one of many.
pub(super) fn repeats(options: &Estimation, common: &Common, rows: usize) -> usize {
    if options.repeats.is_some() || rows >= FEW_ROWS {
        return options.repeats_or_one();
    }
    if !common.quiet {
        console::say(&format!(
            "{REPEATS_OF_FEW_ROWS} repeats as there are fewer than 5,000 training rows; --repeats 1 takes a third of the time"
        ));
    }
    REPEATS_OF_FEW_ROWS
}

/// What the options make of so many fits to rows, with or without logits, before anything is fitted.
pub(super) fn settings(
    options: &Estimation,
    common: &Common,
    repeats: usize,
    has_logits: bool,
    classes: &Classes,
) -> Result<Settings, Failure> {
    check_prior(&options.prior, classes.names())?;
    if options.scale_logits && !has_logits {
        return Err(Failure::usage(
            "--scale-logits needs logits1, logits2 or logits12 in the file, but there are none: leave it out",
        ));
    }
    let reused = options.knife_from.as_deref().map(|path| read_estimator(path, common.device)).transpose()?;
    Ok(Settings {
        seed: common.seed,
        folds: usize::from(options.folds),
        repeats,
        gauge: options.gauge,
        dims: options.dims,
        prior: options.prior.clone(),
        measure: options.measure,
        knife: if options.published_knife { knife::Params::published() } else { knife::Params::default() },
        densities: reused.map(Arc::new),
        folds_of_rows: None,
        prototypes: false,
        scale_logits: options.scale_logits,
        threads: common.threads.map_or(0, usize::from),
        device: common.device,
    })
}

/// The data with its rare classes treated as the option says, before evaluation data are read with its classes; `least` rows
/// are enough.
pub(super) fn with_rare(file: FeatureFile, rare: Rare, least: usize) -> Result<FeatureFile, Failure> {
    Ok(if rare == Rare::Pool { file.with_rare_pooled(least)? } else { file })
}

/// The gates that `--check` asks after a fit; none without it.
pub(super) fn gates(options: CheckToo) -> Option<analysis::Gates> {
    options.check.then_some(analysis::Gates { strength: options.gates.strength, rows: options.gates.rows as usize })
}

/// Whether rows come with logits.
pub(super) fn has_logits(rows: &FeatureSet) -> bool {
    rows.logits.iter().any(Option::is_some)
}

/// A given prior has a probability for each class.
fn check_prior(prior: &PriorChoice, classes: &[String]) -> Result<(), Failure> {
    match prior {
        PriorChoice::Given(given) if given.len() != classes.len() => Err(Failure::usage(format!(
            "--prior gives {} probabilities for {} classes: give one for each of {}, in this order",
            given.len(),
            classes.len(),
            classes.join(", ")
        ))),
        _ => Ok(()),
    }
}
