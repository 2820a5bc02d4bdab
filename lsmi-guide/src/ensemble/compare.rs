//! The guided ensemble against its baselines, over seeds that split the same samples anew.
//!
//! For each seed a share of every class is set aside for evaluation. The estimator is cross-fitted on the other rows; all
//! weights are fitted to these rows' held-out predictions, every choice is made on them, and the rows set aside serve for
//! evaluation only.

use lsmi_candle::estimator::{self, CrossFit, cross_fit};
use lsmi_candle::features::{Classes, FeatureSet};
use lsmi_candle::matrix::Matrix;
use lsmi_core::random::stream;
use lsmi_core::{ClassPrior, Decomposition};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_distr::StandardNormal;

use super::metrics::losses;
use super::table::{Comparison, Table};
use super::{EnsembleError, GlobalWeights, GuidedSettings, GuidedWeights, Members, Metrics, Pool};

/// The name of the member that guesses.
pub const WEAK_MEMBER: &str = "weak";

/// Samples to compare ensembles on.
#[derive(Debug, Clone, Copy)]
pub struct Data<'a> {
    /// The samples; where a file has splits, all of them together.
    pub samples: &'a FeatureSet,
    /// The classes that labels index.
    pub classes: &'a Classes,
    /// Further members: name and logits `[n, K]` of models that have not seen the samples.
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
/// done and of all.
///
/// The methods are every member alone, `best single`, `uniform`, `accuracy-weighted`, `stacking` (linear pool),
/// `stacking, log-linear`, `guided`, the last three again `with a weak member` that draws its logits at random, and `oracle`,
/// which knows for each sample the member that gives the label the highest probability.
///
/// # Errors
/// [`EnsembleError`] for no seeds, a share outside (0, 1), logits that do not fit the samples, and for what the estimator
/// refuses, such as a class with fewer rows than folds.
pub fn compare(
    data: Data<'_>,
    settings: &Settings,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Comparison, EnsembleError> {
    if settings.seeds == 0 {
        return Err(EnsembleError::TooFew { what: "seeds", found: 0, expected: "at least 1".to_owned() });
    }
    if !(settings.evaluated > 0.0 && settings.evaluated < 1.0) {
        return Err(EnsembleError::Share { found: settings.evaluated });
    }
    let mut table = Table::new(data.samples);
    for (done, seed) in (settings.seed..).take(settings.seeds).enumerate() {
        progress(done, settings.seeds);
        let (fitted, evaluated) = split(&data.samples.labels, data.classes.len(), settings.evaluated, seed);
        let parts = Parts::of(data, settings, seed, &fitted, &evaluated)?;
        parts.evaluate(settings, seed, &evaluated, &mut table)?;
    }
    progress(settings.seeds, settings.seeds);
    Ok(table.finish())
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
            if logits.rows() != data.samples.rows() {
                let (expected, found) = (data.samples.rows(), logits.rows());
                return Err(EnsembleError::Rows { what: "a model's logits", expected, found });
            }
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
        let fit = cross_fit(&train, data.classes, &estimator::Settings { seed, ..settings.estimator.clone() }, None)?;
        let prior = fit.estimator.prior();
        let of_fitted = fit.candidates(&train)?;
        let of_evaluated = fit.estimator.candidates(&(&eval).into())?;
        Ok(Self {
            fitted: Part::of(&of_fitted, &fit, data, fitted, prior)?,
            evaluated: Part::of(&of_evaluated, &fit, data, evaluated, prior)?,
        })
    }

    fn evaluate(&self, settings: &Settings, seed: u64, rows: &[usize], table: &mut Table) -> Result<(), EnsembleError> {
        let Self { fitted, evaluated } = self;
        let classes = evaluated.members.classes();
        let mut record = |method: &str, log_probabilities: &[f64]| {
            table.record(method, Metrics::of(log_probabilities, &evaluated.labels, classes));
        };
        for (member, name) in evaluated.members.names().iter().enumerate() {
            record(name, evaluated.members.of_member(member));
        }
        let baselines = [
            ("best single", GlobalWeights::best_single(&fitted.members, &fitted.labels)?),
            ("uniform", GlobalWeights::uniform(&fitted.members)),
            ("accuracy-weighted", GlobalWeights::by_accuracy(&fitted.members, &fitted.labels)?),
            ("stacking", GlobalWeights::stacked(&fitted.members, &fitted.labels, Pool::Linear)?),
            ("stacking, log-linear", GlobalWeights::stacked(&fitted.members, &fitted.labels, Pool::LogLinear)?),
        ];
        for (name, weights) in baselines {
            record(name, &weights.predict(&evaluated.members)?);
        }
        let guided_settings = GuidedSettings { seed, ..settings.guided.clone() };
        let fit_guided =
            |part: &Part| GuidedWeights::fit(&part.members, &part.interactions, &part.labels, &guided_settings);
        let weights = fit_guided(fitted)?;
        let guided = weights.predict(&evaluated.members, &evaluated.interactions)?;
        record("guided", &guided.log_probabilities);

        let weak = [
            fitted.with_weak_member(seed, "weak member, fitted rows")?,
            evaluated.with_weak_member(seed, "weak member, evaluated rows")?,
        ];
        let stacked = GlobalWeights::stacked(&weak[0].members, &weak[0].labels, Pool::LogLinear)?;
        record("stacking, log-linear, with a weak member", &stacked.predict(&weak[1].members)?);
        let with_weak = fit_guided(&weak[0])?.predict(&weak[1].members, &weak[1].interactions)?;
        record("guided, with a weak member", &with_weak.log_probabilities);
        record("oracle", &oracle(&evaluated.members, &evaluated.labels));
        table.record_guidance(weights.guidance());
        table.record_weights(rows, &guided, evaluated.members.names(), classes);
        Ok(())
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
