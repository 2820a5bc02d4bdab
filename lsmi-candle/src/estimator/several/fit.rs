//! Cross-fitting of several modalities: every fold's models see the rows outside the fold, and score the rows inside it.

use std::collections::BTreeMap;

use crossbeam_channel::Sender;
use lsmi_core::Subset;

use super::models::Plan;
use super::{SeveralDescription, SeveralEstimator, SeveralScores};
use crate::densities::gauge::ModalityGauge;
use crate::error::{EstimatorError, Result};
use crate::estimator::checks::{check_inputs, wrong};
use crate::estimator::fitting::{Fit, few_rows_note, notes_on_coordinates, numbers_of, prior_name, prior_note};
use crate::estimator::grouping::find_groups_of_several;
use crate::estimator::partition::Partition;
use crate::estimator::scoring::ModelInputs;
use crate::estimator::{Progress, Settings};
use crate::features::{Classes, Inputs, SeveralSet};
use crate::numbers::matrix::Matrix;

/// The largest number of modalities for which heads of every set are fitted.
const MOST_WITH_ALL_HEADS: usize = 6;

/// Settings of a fit to several modalities beyond those of every fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SeveralSettings {
    /// Whether heads of all `2^M - 1` sets of the modalities are fitted, which Shapley values need; for up to six
    /// modalities. Those of three have them in any case. Default: no.
    pub all_heads: bool,
}

/// An estimator of several modalities and the terms of its training rows, each from models that did not see the row.
#[derive(Debug, Clone)]
pub struct SeveralFit {
    /// The estimator, which scores new rows.
    pub estimator: SeveralEstimator,
    /// The training rows' terms, predictions and folds.
    pub scores: SeveralScores,
}

/// Fits an estimator to training rows of two to eight modalities and computes their terms by cross-fitting.
///
/// `classes` are those that the labels index. As with two modalities the result is the same to the bit for one seed,
/// whatever the number of threads; another order of the modalities gives the same terms by their new names, but for the
/// draws of models of several modalities together.
///
/// # Errors
/// As [`cross_fit`](crate::estimator::cross_fit), and [`EstimatorError::Setting`] for fewer than two or more than eight
/// modalities, all heads of more than six, and densities that would be reused.
pub fn cross_fit_several(
    train: &SeveralSet,
    classes: &Classes,
    settings: &Settings,
    further: SeveralSettings,
    progress: Option<&Sender<Progress>>,
) -> Result<SeveralFit> {
    check_several(train, classes.len())?;
    check_settings(train, settings, further)?;
    settings.check(&train.labels, classes.names())?;
    let prior = settings.prior.resolve(&train.labels, classes.len())?;
    let gauge = ModalityGauge::fit(settings.gauge, settings.dims, &train.modalities.iter().collect::<Vec<_>>())?;
    let device = settings.device.open()?;
    let (groups, grouping) = find_groups_of_several(train, settings.folds);
    let groups = groups.map(|groups| numbers_of(&groups, settings.folds)).transpose()?;
    let inputs = ModelInputs::of_several(&gauge, &train.modalities);
    let fit = Fit {
        inputs: &inputs,
        labels: &train.labels,
        groups: groups.as_deref(),
        classes: classes.len(),
        settings,
        device: &device,
    };
    let partitions: Vec<Partition> =
        (0..settings.repeats).map(|repeat| Partition::for_repeat(&fit.rows(), settings, repeat)).collect();
    let repeats = Plan::new(gauge.len(), further.all_heads).fit(&fit, &partitions, progress)?;

    let coordinates = train.names.iter().map(String::as_str).zip(gauge.iter().map(|of| &of.coordinates));
    let mut notes = notes_on_coordinates(settings.gauge, coordinates);
    notes.extend(prior_note(&settings.prior, &prior, &train.labels));
    notes.extend(few_rows_note(train.rows(), train.modalities.iter().map(Matrix::columns).sum()));
    let description = SeveralDescription {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        modalities: train.names.clone(),
        gauge: settings.gauge,
        gauge_dims: gauge.iter().map(|of| of.coordinates.dims()).collect(),
        dims: train.modalities.iter().map(Matrix::columns).collect(),
        classes: classes.clone(),
        prior: prior_name(&settings.prior).to_owned(),
        measure: settings.measure,
        seed: settings.seed,
        folds: settings.folds,
        repeats: settings.repeats,
        rows: train.rows(),
        data_hash: train.hash(),
        pooling: None,
        pairs: BTreeMap::new(),
        grouping,
        notes,
    };
    let mut estimator = SeveralEstimator { description, prior, gauge, repeats, device };
    let assignments: Vec<Vec<u32>> = partitions.into_iter().map(|partition| partition.folds).collect();
    let scores = SeveralScores { groups, ..estimator.score_rows(train, Some(&assignments))? };
    estimator.description.pairs = estimator.describe_pairs(train, settings, &scores)?;
    Ok(SeveralFit { estimator, scores })
}

/// Checks samples that may have been put together by hand; those read from a file pass.
pub(super) fn check_several(samples: &SeveralSet, classes: usize) -> Result<()> {
    let SeveralSet { names, ids, modalities, labels, groups } = samples;
    if names.len() != modalities.len() {
        let expected = format!("the number of modalities, {}", modalities.len());
        return wrong("the number of names", names.len().to_string(), expected);
    }
    if !(2..=Subset::MOST_MODALITIES).contains(&modalities.len()) {
        return wrong("the number of modalities", modalities.len().to_string(), "from 2 to 8".to_owned());
    }
    for x2 in &modalities[1..] {
        check_inputs(&Inputs { ids, x1: &modalities[0], x2, logits: [None; 3] }, labels.len())?;
    }
    if let Some(groups) = groups.as_ref().filter(|groups| groups.rows() != labels.len()) {
        let expected = format!("the number of labels, {}", labels.len());
        return wrong("the number of rows in groups", groups.rows().to_string(), expected);
    }
    match labels.iter().find(|label| **label as usize >= classes) {
        Some(label) => wrong("a label", label.to_string(), format!("the index of one of {classes} classes")),
        None => Ok(()),
    }
}

fn check_settings(train: &SeveralSet, settings: &Settings, further: SeveralSettings) -> Result<()> {
    if settings.densities.is_some() {
        return Err(EstimatorError::Setting {
            name: "densities",
            found: "those of an estimator".to_owned(),
            expected: "none, as an estimator of two modalities has not those of several".to_owned(),
        });
    }
    let modalities = train.modalities.len();
    if further.all_heads && modalities > MOST_WITH_ALL_HEADS {
        return Err(EstimatorError::Setting {
            name: "all heads",
            found: format!("those of {modalities} modalities"),
            expected: format!(
                "at most {MOST_WITH_ALL_HEADS} modalities, which have {} sets",
                (1 << MOST_WITH_ALL_HEADS) - 1
            ),
        });
    }
    Ok(())
}
