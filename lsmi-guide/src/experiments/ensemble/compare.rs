//! The guided ensemble against its baselines, over seeds that split the same samples anew.
//!
//! For each seed a share of every class is set aside for evaluation. The estimator is cross-fitted on the other rows; all
//! weights are fitted to these rows' held-out predictions, every choice is made on them, and the rows set aside serve for
//! evaluation only.

use std::path::Path;

use lsmi_candle::estimator::{self, CrossFit, cross_fit};
use lsmi_candle::features::Groups;
use lsmi_core::random::stream;
use lsmi_core::{ClassPrior, Decomposition};
use rand::Rng;
use rand_distr::StandardNormal;

use super::methods::{
    BEST_SINGLE, BY_ACCURACY, GUIDED, GUIDED_WITH_WEAK, LOG_LINEAR, LOG_LINEAR_WITH_WEAK, ORACLE, STACKING, UNIFORM,
    WEAK_MEMBER,
};
use super::settings::{Data, Settings};
use super::table::{Comparison, SeedResult};
use super::weights::SampleWeights;
use super::{EnsembleError, GlobalWeights, GuidedSettings, GuidedWeights, Members, Metrics, Pool};
use crate::experiments::estimation::without_idle_densities;
use crate::experiments::metrics::losses;
use crate::experiments::store::{Store, kept};
use crate::experiments::whole_groups;

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
    settings.check()?;
    data.check()?;
    let store = store.map(|folder| Store::open(folder, &data.identity(settings)?)).transpose()?;
    let samples = whole_groups::with_groups(data.samples, estimation(settings, settings.seed).folds);
    let mut seeds = Vec::with_capacity(settings.seeds);
    for (done, seed) in (settings.seed..).take(settings.seeds).enumerate() {
        progress(done, settings.seeds);
        seeds.push(kept(store.as_ref(), &format!("seed-{seed}"), || {
            let (fitted, evaluated) = whole_groups::set_aside(&samples, data.classes.len(), settings.evaluated, seed);
            if evaluated.is_empty() {
                let expected = "at least 1; give more samples or a larger share".to_owned();
                return Err(EnsembleError::TooFew { what: "rows to evaluate", found: 0, expected });
            }
            let groups = samples.groups.as_ref().map(|groups| groups.select(&fitted));
            Parts::of(data, settings, seed, &fitted, &evaluated)?.evaluate(settings, seed, groups.as_ref())
        })?);
    }
    progress(settings.seeds, settings.seeds);
    Ok(Comparison::new(data, settings, &seeds))
}

/// Computes the weight of every member for every sample, held out: the estimator is cross-fitted on all samples, and the weights of
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
    let groups = whole_groups::with_groups(data.samples, settings.estimator.folds).groups;
    let Part { members, interactions, labels } = &part;
    let (guidance, held_out) = GuidedWeights::held_out(members, interactions, labels, groups.as_ref(), &guided)?;
    let (ids, members) = (data.samples.ids.clone(), part.members.names().to_vec());
    Ok(SampleWeights { ids, members, guidance, weights: held_out.weights })
}

/// How the estimator of a seed is fitted.
fn estimation(settings: &Settings, seed: u64) -> estimator::Settings {
    without_idle_densities(estimator::Settings { seed, ..settings.estimator.clone() })
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

    /// Evaluates all methods; `groups` are those of the fitted rows.
    fn evaluate(&self, settings: &Settings, seed: u64, groups: Option<&Groups>) -> Result<SeedResult, EnsembleError> {
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
            |part: &Part| GuidedWeights::fit(&part.members, &part.interactions, &part.labels, groups, &guided_settings);
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
        Ok(SeedResult {
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
    fn the_oracle_knows_who_is_right() {
        let mut members = Members::new(2, 2);
        members.push("a", vec![1.0, 0.0, 1.0, 0.0]).unwrap();
        members.push("b", vec![0.0, 1.0, 0.0, 1.0]).unwrap();
        let oracle = oracle(&members, &[0, 1]);
        assert_eq!(oracle[..2], *members.log_probabilities(0, 0));
        assert_eq!(oracle[2..], *members.log_probabilities(1, 1));
    }
}
