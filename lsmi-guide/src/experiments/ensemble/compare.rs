//! The guided ensemble against its baselines, over seeds that split the same samples anew.
//!
//! For each seed a share of every class is set aside for evaluation. The estimator is cross-fitted on the other rows; all
//! weights are fitted to these rows' held-out predictions, every choice is made on them, and the rows set aside serve for
//! evaluation only.

use std::path::Path;

use lsmi_candle::estimator::{self, CrossFit, cross_fit};
use lsmi_candle::features::{Classes, FeatureSet};
use lsmi_candle::numbers::matrix::Matrix;
use lsmi_core::random::stream;
use lsmi_core::{ClassPrior, Decomposition};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_distr::StandardNormal;

use super::metrics::losses;
use super::table::{Comparison, OfSeed};
use super::weights::SampleWeights;
use super::{EnsembleError, GlobalWeights, GuidedSettings, GuidedWeights, Members, Metrics, Pool};
use crate::experiments::estimation::without_idle_densities;
use crate::experiments::store::{Identity, Store, kept};
use crate::experiments::whole_groups;

/// The name of the member that guesses.
pub const WEAK_MEMBER: &str = "weak";

const BEST_SINGLE: &str = "best single";
const UNIFORM: &str = "uniform";
const BY_ACCURACY: &str = "accuracy-weighted";
const STACKING: &str = "stacking";
const LOG_LINEAR: &str = "stacking, log-linear";
pub(super) const GUIDED: &str = "guided";
pub(super) const LOG_LINEAR_WITH_WEAK: &str = "stacking, log-linear, with a weak member";
pub(super) const GUIDED_WITH_WEAK: &str = "guided, with a weak member";
const ORACLE: &str = "oracle";

/// Samples to compare ensembles on.
#[derive(Debug, Clone, Copy)]
pub struct Data<'a> {
    /// The samples; where a file has splits, all of them together.
    pub samples: &'a FeatureSet,
    /// The classes that labels index.
    pub classes: &'a Classes,
    /// Further members: name and logits `[n, K]` of models that have not seen the labels of the samples.
    pub models: &'a [(String, Matrix)],
}

/// How ensembles are compared.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Number of seeds. Default: 20.
    pub seeds: usize,
    /// The first seed; the others follow. Default: 0.
    pub seed: u64,
    /// The share of the rows set aside for evaluation. Default: 0.3.
    pub evaluated: f64,
    /// How estimators are fitted; the seed is that of each split.
    pub estimator: estimator::Settings,
    /// How the guided ensemble is fitted; its seed is that of each split.
    pub guided: GuidedSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seeds: 20,
            seed: 0,
            evaluated: 0.3,
            estimator: estimator::Settings::default(),
            guided: GuidedSettings::default(),
        }
    }
}

/// Compares ensembles of an estimator's heads, their late fusion and further models; `progress` is told the number of seeds
/// done and of all. `store` is a folder for what each seed found, from which a comparison that was stopped goes on to the
/// same result.
///
/// The methods are every member alone, `best single`, `uniform`, `accuracy-weighted`, `stacking` (linear pool),
/// `stacking, log-linear`, `guided`, the last two again `with a weak member` that draws its logits at random, and `oracle`,
/// which knows for each sample the member that gives the label the highest probability.
///
/// # Errors
/// [`EnsembleError`] for no seeds, a share outside (0, 1), logits that do not fit the samples, for what the estimator
/// refuses, such as a class with fewer rows than folds, and where `store` is of another comparison or cannot be used.
pub fn compare(
    data: Data<'_>,
    settings: &Settings,
    store: Option<&Path>,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Comparison, EnsembleError> {
    if settings.seeds == 0 {
        return Err(EnsembleError::TooFew { what: "seeds", found: 0, expected: "at least 1".to_owned() });
    }
    if !(settings.evaluated > 0.0 && settings.evaluated < 1.0) {
        return Err(EnsembleError::Share { found: settings.evaluated });
    }
    data.check()?;
    let store = store.map(|folder| Store::open(folder, &data.identity(settings))).transpose()?;
    let samples = whole_groups::with_groups(data.samples, estimation(settings, settings.seed).folds);
    let mut seeds = Vec::with_capacity(settings.seeds);
    for (done, seed) in (settings.seed..).take(settings.seeds).enumerate() {
        progress(done, settings.seeds);
        seeds.push(kept(store.as_ref(), &format!("seed-{seed}"), || {
            let (fitted, evaluated) = divided(&samples, data.classes.len(), settings.evaluated, seed);
            if evaluated.is_empty() {
                let expected = "at least 1; give more samples or a larger share".to_owned();
                return Err(EnsembleError::TooFew { what: "rows to evaluate", found: 0, expected });
            }
            Parts::of(data, settings, seed, &fitted, &evaluated)?.evaluate(settings, seed)
        })?);
    }
    progress(settings.seeds, settings.seeds);
    Ok(Comparison::new(data, settings, &seeds))
}

/// The weight of every member for every sample, held out: the estimator is cross-fitted on all samples, and the weights of
/// each are by a fit to the other folds.
///
/// # Errors
/// As [`compare`].
pub fn weights(data: Data<'_>, settings: &Settings) -> Result<SampleWeights, EnsembleError> {
    data.check()?;
    let (seed, all) = (settings.seed, (0..data.samples.rows()).collect::<Vec<_>>());
    let fit = cross_fit(data.samples, data.classes, &estimation(settings, seed), None)?;
    let part = Part::of(&fit.candidates(data.samples)?, &fit, data, &all, fit.estimator.prior())?;
    let guided = GuidedSettings { seed, ..settings.guided.clone() };
    let (guidance, held_out) = GuidedWeights::held_out(&part.members, &part.interactions, &part.labels, &guided)?;
    let (ids, members) = (data.samples.ids.clone(), part.members.names().to_vec());
    Ok(SampleWeights { ids, members, guidance, weights: held_out.weights })
}

/// How the estimator of a seed is fitted.
fn estimation(settings: &Settings, seed: u64) -> estimator::Settings {
    without_idle_densities(estimator::Settings { seed, ..settings.estimator.clone() })
}

impl Data<'_> {
    /// Every model has a name of its own and logits for every sample.
    fn check(&self) -> Result<(), EnsembleError> {
        let expected = self.samples.rows();
        let mut taken: Vec<&str> = super::members::HEADS.iter().copied().chain([WEAK_MEMBER]).collect();
        for (name, logits) in self.models {
            if taken.contains(&name.as_str()) {
                return Err(EnsembleError::DuplicateMember { member: name.clone() });
            }
            if logits.rows() != expected {
                return Err(EnsembleError::Rows { what: "a model's logits", expected, found: logits.rows() });
            }
            taken.push(name);
        }
        Ok(())
    }

    /// What tells comparisons apart: all settings but the number of threads, which changes no result.
    fn identity(&self, settings: &Settings) -> Identity {
        let estimator = estimator::Settings { threads: 0, ..settings.estimator.clone() };
        let settings = format!("{:?}", Settings { estimator, ..settings.clone() });
        let mut data = vec![self.samples.hash(), self.classes.names().join(",")];
        for (name, logits) in self.models {
            let with_logits = FeatureSet { logits: [None, None, Some(logits.clone())], ..self.samples.clone() };
            data.push(format!("{name} {}", with_logits.hash()));
        }
        Identity::new(settings, data.join(" "))
    }
}

/// Rows to fit to and rows to evaluate, groups whole: where there are groups, the share is the nearest of one half, a third, a
/// quarter and so on.
fn divided(samples: &FeatureSet, classes: usize, share: f64, seed: u64) -> (Vec<usize>, Vec<usize>) {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "beyond 2^32 parts are too many rows")]
    let parts = (1.0 / share).round().max(2.0) as u32;
    let rows: Vec<usize> = (0..samples.rows()).collect();
    whole_groups::divide(samples, &rows, (0, parts), seed, "evaluated rows")
        .unwrap_or_else(|| split(&samples.labels, classes, share, seed))
}

/// Rows to fit to and rows to evaluate, the share of the latter the same in all classes; in ascending order.
fn split(labels: &[u32], classes: usize, share: f64, seed: u64) -> (Vec<usize>, Vec<usize>) {
    let mut random = stream(seed, "evaluated rows");
    let mut is_evaluated = vec![false; labels.len()];
    for class in 0..classes {
        let mut rows: Vec<usize> = (0..labels.len()).filter(|row| labels[*row] as usize == class).collect();
        rows.shuffle(&mut random);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of the rows of a class")]
        let count = (share * rows.len() as f64).round() as usize;
        rows[..count].iter().for_each(|row| is_evaluated[*row] = true);
    }
    (0..labels.len()).partition(|row| !is_evaluated[*row])
}

/// What members say of some rows, and what is known of the rows.
struct Part {
    members: Members,
    interactions: Decomposition,
    labels: Vec<u32>,
}

/// The rows to fit to, held out by cross-fitting, and the rows to evaluate.
struct Parts {
    fitted: Part,
    evaluated: Part,
}

impl Part {
    fn of(
        candidates: &estimator::Candidates,
        fit: &CrossFit,
        data: Data<'_>,
        rows: &[usize],
        prior: &ClassPrior,
    ) -> Result<Self, EnsembleError> {
        let mut members = Members::of_heads(candidates, prior)?;
        for (name, logits) in data.models {
            members.push_logits(name, &logits.select(rows))?;
        }
        let labels = rows.iter().map(|row| data.samples.labels[*row]).collect();
        Ok(Self { members, interactions: fit.estimator.expect(candidates)?.decomposition, labels })
    }

    /// The same with a member that draws its logits from the standard normal distribution.
    fn with_weak_member(&self, seed: u64, name: &str) -> Result<Self, EnsembleError> {
        let mut members = self.members.clone();
        let random = stream(seed, name);
        let logits = random.sample_iter::<f64, _>(StandardNormal).take(members.rows() * members.classes()).collect();
        members.push(WEAK_MEMBER, logits)?;
        Ok(Self { members, interactions: self.interactions.clone(), labels: self.labels.clone() })
    }
}

impl Parts {
    fn of(
        data: Data<'_>,
        settings: &Settings,
        seed: u64,
        fitted: &[usize],
        evaluated: &[usize],
    ) -> Result<Self, EnsembleError> {
        let (train, eval) = (data.samples.select(fitted), data.samples.select(evaluated));
        let fit = cross_fit(&train, data.classes, &estimation(settings, seed), None)?;
        let prior = fit.estimator.prior();
        let of_fitted = fit.candidates(&train)?;
        let of_evaluated = fit.estimator.candidates(&(&eval).into())?;
        Ok(Self {
            fitted: Part::of(&of_fitted, &fit, data, fitted, prior)?,
            evaluated: Part::of(&of_evaluated, &fit, data, evaluated, prior)?,
        })
    }

    fn evaluate(&self, settings: &Settings, seed: u64) -> Result<OfSeed, EnsembleError> {
        let Self { fitted, evaluated } = self;
        let mut methods = Vec::new();
        let mut record = |method: &str, log_probabilities: &[f64]| {
            let metrics = Metrics::of(log_probabilities, &evaluated.labels, evaluated.members.classes());
            methods.push((method.to_owned(), metrics));
        };
        for (member, name) in evaluated.members.names().iter().enumerate() {
            record(name, evaluated.members.of_member(member));
        }
        let baselines = [
            (BEST_SINGLE, GlobalWeights::best_single(&fitted.members, &fitted.labels)?),
            (UNIFORM, GlobalWeights::uniform(&fitted.members)),
            (BY_ACCURACY, GlobalWeights::by_accuracy(&fitted.members, &fitted.labels)?),
            (STACKING, GlobalWeights::stacked(&fitted.members, &fitted.labels, Pool::Linear)?),
            (LOG_LINEAR, GlobalWeights::stacked(&fitted.members, &fitted.labels, Pool::LogLinear)?),
        ];
        for (name, weights) in baselines {
            record(name, &weights.predict(&evaluated.members)?);
        }
        let guided_settings = GuidedSettings { seed, ..settings.guided.clone() };
        let fit_guided =
            |part: &Part| GuidedWeights::fit(&part.members, &part.interactions, &part.labels, &guided_settings);
        let weights = fit_guided(fitted)?;
        record(GUIDED, &weights.predict(&evaluated.members, &evaluated.interactions)?.log_probabilities);

        let weak = [
            fitted.with_weak_member(seed, "weak member, fitted rows")?,
            evaluated.with_weak_member(seed, "weak member, evaluated rows")?,
        ];
        let stacked = GlobalWeights::stacked(&weak[0].members, &weak[0].labels, Pool::LogLinear)?;
        record(LOG_LINEAR_WITH_WEAK, &stacked.predict(&weak[1].members)?);
        let with_weak = fit_guided(&weak[0])?.predict(&weak[1].members, &weak[1].interactions)?;
        record(GUIDED_WITH_WEAK, &with_weak.log_probabilities);
        record(ORACLE, &oracle(&evaluated.members, &evaluated.labels));
        Ok(OfSeed {
            evaluated: evaluated.labels.len(),
            members: evaluated.members.names().to_vec(),
            methods,
            guidance: weights.guidance(),
            effects: weights.effects(),
        })
    }
}

/// For every sample the log-probabilities of the member that gives its label the highest probability.
fn oracle(members: &Members, labels: &[u32]) -> Vec<f64> {
    let of_members: Vec<Vec<f64>> =
        (0..members.len()).map(|member| losses(members.of_member(member), labels, members.classes())).collect();
    let best = |row: usize| (0..members.len()).min_by(|a, b| of_members[*a][row].total_cmp(&of_members[*b][row]));
    (0..members.rows()).flat_map(|row| members.log_probabilities(best(row).unwrap_or(0), row)).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_takes_the_same_share_of_every_class() {
        let labels: Vec<u32> = (0..100).map(|row| u32::from(row >= 60)).collect();
        let (fitted, evaluated) = split(&labels, 2, 0.3, 0);
        assert_eq!(evaluated.iter().filter(|row| labels[**row] == 0).count(), 18);
        assert_eq!((fitted.len(), evaluated.len()), (70, 30));
        assert_ne!(evaluated, split(&labels, 2, 0.3, 1).1);
    }

    #[test]
    fn the_oracle_knows_who_is_right() {
        let mut members = Members::new(2, 2);
        members.push("a", vec![1.0, 0.0, 1.0, 0.0]).unwrap();
        members.push("b", vec![0.0, 1.0, 0.0, 1.0]).unwrap();
        let oracle = oracle(&members, &[0, 1]);
        assert_eq!(oracle[..2], *members.log_probabilities(0, 0));
        assert_eq!(oracle[2..], *members.log_probabilities(1, 1));
    }
}
