//! How well wrong labels are found, when it is known which are wrong.
//!
//! For each seed some labels are made wrong, the estimator is cross-fitted to all samples with these labels, and samples are
//! ranked without a look at which labels were changed.

use std::path::Path;

use lsmi_candle::estimator::{self, cross_fit};
use lsmi_candle::features::{Classes, FeatureSet};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Noise, average_precision, contradictions, precision_at, recall_at};
use crate::experiments::ensemble::{EnsembleError, Members};
use crate::experiments::estimation::{self, with_simplest_densities};
use crate::experiments::paired::{OverSeeds, PairedDifference};
use crate::experiments::store::{self, Store, kept};
use crate::identity::{Identity, sha256};

/// The ranking by what contradicts labels.
const CONTRADICTION: &str = "contradiction";
/// The ranking to beat.
const LOSS: &str = "loss";
/// All seeds rank the same samples: there are none that one sees and another does not.
const SHARED: f64 = 0.0;

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

impl PlantedSettings {
    /// Checks the settings, without a look at data.
    ///
    /// # Errors
    /// [`EnsembleError::TooFew`] for no seeds.
    pub fn check(&self) -> Result<(), EnsembleError> {
        match self.seeds {
            0 => Err(EnsembleError::TooFew { what: "seeds", found: 0, expected: "at least 1".to_owned() }),
            _ => Ok(()),
        }
    }
}

/// How well rankings find planted labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    /// Number of seeds.
    pub seeds: usize,
    /// The first seed.
    pub seed: u64,
    /// Number of samples.
    pub rows: usize,
    /// Number of labels made wrong for the first seed.
    pub planted: usize,
    /// Which class a wrong label names.
    pub noise: Noise,
    /// `contradiction`, then `loss`, minus the log-probability of the label under the joint head.
    pub scores: Vec<ScoreRow>,
    /// Average precision by contradiction less that by loss, paired by seed.
    pub average_precision: PairedDifference,
    /// The same of precision (and recall) at the planted number.
    pub precision: PairedDifference,
    /// The same of recall at twice the planted number.
    pub recall_at_twice: PairedDifference,
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
    /// Recall among twice as many samples as were planted.
    pub recall_at_twice: OverSeeds,
}

/// What one seed found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct SeedResult {
    planted: usize,
    contradiction: Figures,
    loss: Figures,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Figures {
    average_precision: f64,
    precision: f64,
    recall_at_twice: f64,
}

/// Plants wrong labels and ranks samples to find them; `progress` is told the number of seeds done and of all. `store` is a
/// folder for what each seed found, from which an experiment that was stopped goes on to the same result.
///
/// The labels of `samples` are taken for right: those that are wrong already count against every ranking alike.
///
/// # Errors
/// [`EnsembleError::TooFew`] for no seeds or a share of wrong labels that changes none, what the estimator refuses, and
/// where `store` is of another experiment or cannot be used.
pub fn find_planted(
    samples: &FeatureSet,
    classes: &Classes,
    settings: &PlantedSettings,
    store: Option<&Path>,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Experiment, EnsembleError> {
    settings.check()?;
    let store = store.map(|folder| Store::open(folder, &identity(samples, classes, settings))).transpose()?;
    let mut found: Vec<SeedResult> = Vec::with_capacity(settings.seeds);
    for (done, seed) in (settings.seed..).take(settings.seeds).enumerate() {
        progress(done, settings.seeds);
        let of_seed = || SeedResult::new(samples, classes, settings, seed);
        found.push(kept(store.as_ref(), &format!("seed-{seed}"), of_seed)?);
    }
    progress(settings.seeds, settings.seeds);

    let contradiction: Vec<&Figures> = found.iter().map(|seed| &seed.contradiction).collect();
    let loss: Vec<&Figures> = found.iter().map(|seed| &seed.loss).collect();
    let paired = |figure| PairedDifference::of(&values(&contradiction, figure), &values(&loss, figure), SHARED);
    Ok(Experiment {
        seeds: settings.seeds,
        seed: settings.seed,
        rows: samples.rows(),
        planted: found[0].planted,
        noise: settings.noise,
        scores: vec![ScoreRow::new(CONTRADICTION, &contradiction), ScoreRow::new(LOSS, &loss)],
        average_precision: paired(|figures| figures.average_precision),
        precision: paired(|figures| figures.precision),
        recall_at_twice: paired(|figures| figures.recall_at_twice),
    })
}

fn values(figures: &[&Figures], figure: fn(&Figures) -> f64) -> Vec<f64> {
    figures.iter().map(|figures| figure(figures)).collect()
}

impl ScoreRow {
    fn new(score: &str, figures: &[&Figures]) -> Self {
        let over_seeds = |figure| OverSeeds::of(&values(figures, figure), SHARED);
        Self {
            score: score.to_owned(),
            average_precision: over_seeds(|figures| figures.average_precision),
            precision: over_seeds(|figures| figures.precision),
            recall_at_twice: over_seeds(|figures| figures.recall_at_twice),
        }
    }
}

/// What tells experiments apart.
fn identity(samples: &FeatureSet, classes: &Classes, settings: &PlantedSettings) -> Identity {
    let PlantedSettings { rate, noise, seeds, seed, estimator } = settings;
    let settings = json!({
        "rate": rate,
        "noise": noise,
        "seeds": seeds,
        "seed": seed,
        "estimator": estimation::identity(estimator),
    });
    let hash = samples.hash();
    let parts = std::iter::once(&hash).chain(classes.names()).map(String::as_bytes);
    store::identity(settings, sha256(parts))
}

impl SeedResult {
    fn new(
        samples: &FeatureSet,
        classes: &Classes,
        settings: &PlantedSettings,
        seed: u64,
    ) -> Result<Self, EnsembleError> {
        // Every class keeps the rows that cross-fitting needs.
        let kept = settings.estimator.folds;
        let wrong = settings.noise.plant(&samples.labels, classes.len(), settings.rate, kept, seed);
        let planted = wrong.is_wrong.iter().filter(|is_wrong| **is_wrong).count();
        let noisy = FeatureSet { labels: wrong.labels, ..samples.clone() };
        let [contradiction, loss] =
            rank(&noisy, classes, settings, seed)?.map(|scores| Figures::of(&scores, &wrong.is_wrong, planted));
        let none = || EnsembleError::TooFew { what: "planted labels", found: 0, expected: "at least 1".to_owned() };
        Ok(Self { planted, contradiction: contradiction.ok_or_else(none)?, loss: loss.ok_or_else(none)? })
    }
}

impl Figures {
    fn of(scores: &[f64], is_wrong: &[bool], planted: usize) -> Option<Self> {
        Some(Self {
            average_precision: average_precision(scores, is_wrong)?,
            precision: precision_at(scores, is_wrong, planted)?,
            recall_at_twice: recall_at(scores, is_wrong, 2 * planted)?,
        })
    }
}

/// The contradiction and the loss of every sample.
fn rank(
    noisy: &FeatureSet,
    classes: &Classes,
    settings: &PlantedSettings,
    seed: u64,
) -> Result<[Vec<f64>; 2], EnsembleError> {
    let estimation = with_simplest_densities(estimator::Settings { seed, ..settings.estimator.clone() });
    let fit = cross_fit(noisy, classes, &estimation, None)?;
    let prior = fit.estimator.prior();
    let members = Members::of_heads(&fit.candidates(noisy)?, prior)?;
    let contradictions = contradictions(&members, &noisy.labels)?.iter().map(|sample| sample.score).collect();
    let of_label = |(information, label): (&f64, &u32)| -information - prior.log_probability(*label as usize);
    let losses = fit.scores.terms.i12.iter().zip(&noisy.labels).map(of_label).collect();
    Ok([contradictions, losses])
}
