//! How well wrong labels are found, when it is known which are wrong.
//!
//! For each seed some labels are made wrong, the estimator is cross-fitted to all samples with these labels, and samples are
//! ranked without a look at which labels were changed.

use lsmi_candle::estimator::{self, cross_fit};
use lsmi_candle::features::{Classes, FeatureSet};
use serde::{Deserialize, Serialize};

use super::{Noise, average_precision, contradictions, precision_at};
use crate::ensemble::{EnsembleError, Members};
use crate::paired::{OverSeeds, PairedDifference};

/// The ranking to beat.
const LOSS: &str = "loss";

/// How labels are made wrong and found again.
#[derive(Debug, Clone)]
pub struct PlantedSettings {
    /// The share of the labels made wrong. Default: 0.1.
    pub rate: f64,
    /// Which class a wrong label names. Default: any other alike.
    pub noise: Noise,
    /// Number of seeds. Default: 20.
    pub seeds: usize,
    /// The first seed; the others follow. Default: 0.
    pub seed: u64,
    /// How estimators are fitted; the seed is that of the labels.
    pub estimator: estimator::Settings,
}

impl Default for PlantedSettings {
    fn default() -> Self {
        Self { rate: 0.1, noise: Noise::Uniform, seeds: 20, seed: 0, estimator: estimator::Settings::default() }
    }
}

/// How well rankings find planted labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    /// Number of seeds.
    pub seeds: usize,
    /// Number of samples.
    pub rows: usize,
    /// Number of labels made wrong for the first seed.
    pub planted: usize,
    /// `contradiction`, then `loss`, minus the log-probability of the label under the joint head.
    pub scores: Vec<ScoreRow>,
    /// Average precision by contradiction less that by loss, paired by seed.
    pub average_precision: PairedDifference,
    /// The same of precision (and recall) at the planted number.
    pub precision: PairedDifference,
}

/// How well one ranking finds planted labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreRow {
    /// The score that samples are ranked by.
    pub score: String,
    /// The area under the precision-recall curve.
    pub average_precision: OverSeeds,
    /// Precision, and recall, among as many samples as were planted.
    pub precision: OverSeeds,
}

/// Plants wrong labels and ranks samples to find them; `progress` is told the number of seeds done and of all.
///
/// The labels of `samples` are taken for right: those that are wrong already count against every ranking alike.
///
/// # Errors
/// [`EnsembleError::TooFew`] for no seeds or a share of wrong labels that changes none, and what the estimator refuses.
pub fn find_planted(
    samples: &FeatureSet,
    classes: &Classes,
    settings: &PlantedSettings,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Experiment, EnsembleError> {
    if settings.seeds == 0 {
        return Err(EnsembleError::TooFew { what: "seeds", found: 0, expected: "at least 1".to_owned() });
    }
    let mut planted = 0;
    // For contradiction, then for loss: average precision and precision of every seed.
    let mut found: [[Vec<f64>; 2]; 2] = Default::default();
    for (done, seed) in (settings.seed..).take(settings.seeds).enumerate() {
        progress(done, settings.seeds);
        // Every class keeps the rows that cross-fitting needs.
        let kept = settings.estimator.folds;
        let wrong = settings.noise.plant(&samples.labels, classes.len(), settings.rate, kept, seed);
        let count = wrong.is_wrong.iter().filter(|is_wrong| **is_wrong).count();
        if done == 0 {
            planted = count;
        }
        let noisy = FeatureSet { labels: wrong.labels, ..samples.clone() };
        for (figures, scores) in found.iter_mut().zip(rank(&noisy, classes, settings, seed)?) {
            let of_scores =
                [average_precision(&scores, &wrong.is_wrong), precision_at(&scores, &wrong.is_wrong, count)];
            for (figures, figure) in figures.iter_mut().zip(of_scores) {
                let none =
                    || EnsembleError::TooFew { what: "planted labels", found: 0, expected: "at least 1".to_owned() };
                figures.push(figure.ok_or_else(none)?);
            }
        }
    }
    progress(settings.seeds, settings.seeds);
    // All seeds rank the same samples.
    let row = |name: &str, [area, precision]: &[Vec<f64>; 2]| ScoreRow {
        score: name.to_owned(),
        average_precision: OverSeeds::of(area, 0.0),
        precision: OverSeeds::of(precision, 0.0),
    };
    let [contradiction, loss] = &found;
    Ok(Experiment {
        seeds: settings.seeds,
        rows: samples.rows(),
        planted,
        scores: vec![row("contradiction", contradiction), row(LOSS, loss)],
        average_precision: PairedDifference::of(&contradiction[0], &loss[0], 0.0),
        precision: PairedDifference::of(&contradiction[1], &loss[1], 0.0),
    })
}

/// The contradiction and the loss of every sample.
fn rank(
    noisy: &FeatureSet,
    classes: &Classes,
    settings: &PlantedSettings,
    seed: u64,
) -> Result<[Vec<f64>; 2], EnsembleError> {
    let fit = cross_fit(noisy, classes, &estimator::Settings { seed, ..settings.estimator.clone() }, None)?;
    let prior = fit.estimator.prior();
    let members = Members::of_heads(&fit.candidates(noisy)?, prior)?;
    let contradictions = contradictions(&members, &noisy.labels)?.iter().map(|sample| sample.score).collect();
    let of_label = |(information, label): (&f64, &u32)| -information - prior.log_probability(*label as usize);
    let losses = fit.scores.terms.i12.iter().zip(&noisy.labels).map(of_label).collect();
    Ok([contradictions, losses])
}
