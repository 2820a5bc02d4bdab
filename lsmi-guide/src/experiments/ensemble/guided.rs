//! The guided ensemble: weights of every sample by its label-free interactions and the members' confidences.
//!
//! In the log-linear pool `log p_i(k) = sum_m w_im log p_im(k) - log Z_i` the weight of member m for sample i is
//! `w_im = sum_f theta_mf x_if`, linear in the description of the sample: 1, then r, u1, u2, s and the confidences, all
//! standardised. The log loss is convex in theta (the conditional logit of `McFadden`, 1974). A penalty holds all columns but
//! the constant near zero and the constant near log-linear stacking, which is therefore the guided ensemble of infinite
//! penalty. Cross-validation inside the rows of the fit chooses the penalty by the rule of one standard error (Breiman et al.,
//! "Classification and Regression Trees", 1984): of all choices that predict unseen rows as well as the best one, to within
//! a standard error of the paired difference, the one nearest to stacking, which is a choice itself. A few rare errors
//! decide a log loss where members are nearly always right, and the least loss alone would follow them.

use lsmi_candle::estimator::folds::{LabelledRows, stratified_folds};
use lsmi_candle::features::Groups;
use lsmi_core::Decomposition;
use lsmi_core::random::stream;
use lsmi_core::statistics::{mean, standard_deviation};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::description::{Describer, raw_columns};
use super::newton::{Problem, pooled, weights};
use super::stacking::{GlobalWeights, Pool};
use super::{EnsembleError, Members};
use crate::experiments::metrics::losses;

/// How the weights of a guided ensemble are fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GuidedSettings {
    /// Penalties to choose from, besides log-linear stacking. Default: 0.003 to 3 in steps of about 3.
    pub penalties: Vec<f64>,
    /// Folds of the choice. Default: 5.
    pub folds: usize,
    /// Seed of the folds. Default: 0.
    pub seed: u64,
}

impl Default for GuidedSettings {
    fn default() -> Self {
        Self { penalties: vec![0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0], folds: 5, seed: 0 }
    }
}

impl GuidedSettings {
    /// Checks the settings, without a look at data.
    ///
    /// # Errors
    /// [`EnsembleError::TooFew`] for fewer than two folds.
    pub fn check(&self) -> Result<(), EnsembleError> {
        if self.folds < 2 {
            return Err(EnsembleError::TooFew { what: "folds", found: self.folds, expected: "at least 2".to_owned() });
        }
        Ok(())
    }
}

/// How strongly the weights are held to those of stacking.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guidance {
    /// Weights depend on the sample, under this penalty.
    Penalty(f64),
    /// They do not: log-linear stacking predicts unseen rows as well.
    Stacking,
}

/// A choice of cross-validation and the log loss that it has on rows that the weights have not seen, in nats.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// The choice.
    pub guidance: Guidance,
    /// Its log loss.
    pub log_loss: f64,
    /// The standard error of its difference to the least log loss of all choices, paired by row; 0 for that choice.
    pub standard_error: f64,
}

/// Fitted weights of a guided ensemble.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GuidedWeights {
    members: Vec<String>,
    model: Model,
    /// Stacking, then penalties from the largest on; the first was made that is within a standard error of the best.
    pub choices: Vec<Choice>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Model {
    Guided { describer: Describer, theta: Vec<f64>, penalty: f64 },
    Stacked(GlobalWeights),
}

/// What a guided ensemble says of samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Guided {
    /// Log-probabilities `[n, K]`, row-major.
    pub log_probabilities: Vec<f64>,
    /// The weight of every member for every sample `[n, M]`, row-major. A negative one says that the member is more sure than
    /// the others warrant.
    pub weights: Vec<f64>,
}

/// Rows to fit to, with what is said of them.
struct Rows<'a> {
    members: &'a Members,
    columns: &'a [Vec<f64>],
    labels: &'a [u32],
    /// Which rows belong together, where some do.
    groups: Option<&'a Groups>,
}

impl GuidedWeights {
    /// Fits weights to samples that the members have not been fitted to, such as cross-fitted training rows, given the
    /// expectations of their interactions without the label. No group of `groups` is divided between the folds that choose.
    ///
    /// # Errors
    /// [`EnsembleError::TooFew`] for fewer rows or groups than folds or fewer than two folds, [`EnsembleError::Rows`] and
    /// [`EnsembleError::Label`] for interactions or labels that do not fit the members.
    pub fn fit(
        members: &Members,
        interactions: &Decomposition,
        labels: &[u32],
        groups: Option<&Groups>,
        settings: &GuidedSettings,
    ) -> Result<Self, EnsembleError> {
        let columns = checked(members, interactions, labels, groups, settings)?;
        let rows = Rows { members, columns: &columns, labels, groups };
        let choices = rows.cross_validate(settings)?;
        let model = rows.fit(&(0..members.rows()).collect::<Vec<_>>(), best(&choices))?;
        Ok(Self { members: members.names().to_vec(), model, choices })
    }

    /// Predicts the very samples that weights are fitted to, with their weights, each by weights fitted to the other folds, and
    /// the guidance, which is chosen once for all of them. The arguments are those of [`GuidedWeights::fit`].
    ///
    /// # Errors
    /// As [`GuidedWeights::fit`].
    pub fn held_out(
        members: &Members,
        interactions: &Decomposition,
        labels: &[u32],
        groups: Option<&Groups>,
        settings: &GuidedSettings,
    ) -> Result<(Guidance, Guided), EnsembleError> {
        let columns = checked(members, interactions, labels, groups, settings)?;
        let rows = Rows { members, columns: &columns, labels, groups };
        let guidance = best(&rows.cross_validate(settings)?);
        Ok((guidance, rows.held_out(guidance, settings)?))
    }

    /// Returns how strongly the weights are held to those of stacking.
    pub fn guidance(&self) -> Guidance {
        match &self.model {
            Model::Guided { penalty, .. } => Guidance::Penalty(*penalty),
            Model::Stacked(_) => Guidance::Stacking,
        }
    }

    /// Returns by how much each column of the description moves the weight of each member: for every member the name of the column
    /// and the change of weight for one standard deviation, the constant first; only the constant where guidance is stacking.
    pub fn effects(&self) -> Vec<Vec<(String, f64)>> {
        match &self.model {
            Model::Guided { describer, theta, .. } => theta
                .chunks_exact(describer.len())
                .map(|theta| describer.names().into_iter().zip(theta.iter().copied()).collect())
                .collect(),
            Model::Stacked(stacked) => {
                stacked.weights.iter().map(|weight| vec![("constant".to_owned(), *weight)]).collect()
            }
        }
    }

    /// Predicts samples and gives their weights, given the expectations of their interactions without the label.
    ///
    /// # Errors
    /// [`EnsembleError::Others`] for other members than those of the fit, [`EnsembleError::Rows`] for interactions of another
    /// number of samples.
    pub fn predict(&self, members: &Members, interactions: &Decomposition) -> Result<Guided, EnsembleError> {
        if members.names() != self.members {
            let (expected, found) = (self.members.join(", "), members.names().join(", "));
            return Err(EnsembleError::Others { what: "members", expected, found });
        }
        let columns = raw_columns(members, interactions)?;
        self.model.predict(members, &columns)
    }
}

/// The columns of the description of samples that weights can be fitted to.
fn checked(
    members: &Members,
    interactions: &Decomposition,
    labels: &[u32],
    groups: Option<&Groups>,
    settings: &GuidedSettings,
) -> Result<Vec<Vec<f64>>, EnsembleError> {
    members.check_enough()?;
    members.check_labels(labels)?;
    settings.check()?;
    let of_groups = groups.map_or(members.rows(), Groups::rows);
    if of_groups != members.rows() {
        return Err(EnsembleError::Rows { what: "the groups", expected: members.rows(), found: of_groups });
    }
    let count = groups.map_or(members.rows(), Groups::count);
    for (what, found, least) in [("samples", members.rows(), settings.folds), ("groups", count, settings.folds)] {
        if found < least {
            return Err(EnsembleError::TooFew { what, found, expected: format!("at least {least}") });
        }
    }
    raw_columns(members, interactions)
}

/// The choice nearest to stacking of those that are within a standard error of the best.
fn best(choices: &[Choice]) -> Guidance {
    let least = choices.iter().map(|choice| choice.log_loss).fold(f64::INFINITY, f64::min);
    let is_as_good = |choice: &&Choice| choice.log_loss - choice.standard_error <= least;
    choices.iter().find(is_as_good).map_or(Guidance::Stacking, |choice| choice.guidance)
}

impl Rows<'_> {
    /// The log loss of every choice on rows that it has not been fitted to, the choices nearest to stacking first.
    fn cross_validate(&self, settings: &GuidedSettings) -> Result<Vec<Choice>, EnsembleError> {
        let mut penalties = settings.penalties.clone();
        penalties.sort_by(|a, b| b.total_cmp(a));
        let guidances: Vec<Guidance> =
            std::iter::once(Guidance::Stacking).chain(penalties.into_iter().map(Guidance::Penalty)).collect();
        let of_rows = |guidance: &Guidance| {
            let held_out = self.held_out(*guidance, settings)?;
            Ok(losses(&held_out.log_probabilities, self.labels, self.members.classes()))
        };
        let of_choices: Vec<Vec<f64>> = guidances.iter().map(of_rows).collect::<Result<_, EnsembleError>>()?;
        let log_losses: Vec<f64> = of_choices.iter().map(|of_rows| mean(of_rows)).collect();
        let best = (0..log_losses.len()).min_by(|a, b| log_losses[*a].total_cmp(&log_losses[*b])).unwrap_or(0);
        let choose = |(index, guidance): (usize, Guidance)| {
            let pairs = of_choices[index].iter().zip(&of_choices[best]);
            let differences: Vec<f64> = pairs.map(|(of_choice, of_best)| of_choice - of_best).collect();
            let standard_error = standard_deviation(&differences) / (differences.len() as f64).sqrt();
            Choice { guidance, log_loss: log_losses[index], standard_error }
        };
        Ok(guidances.into_iter().enumerate().map(choose).collect())
    }

    /// What each fold of the rows is told by weights that are fitted to the other folds.
    fn held_out(&self, guidance: Guidance, settings: &GuidedSettings) -> Result<Guided, EnsembleError> {
        let (rows, count, classes) = (self.members.rows(), self.members.len(), self.members.classes());
        let order = self.folds(settings);
        let mut all = Guided { log_probabilities: vec![0.0; rows * classes], weights: vec![0.0; rows * count] };
        for fold in 0..settings.folds {
            let of_fold = |is_held_out: bool| -> Vec<usize> {
                order.iter().filter(|(_, of_row)| (*of_row == fold) == is_held_out).map(|(row, _)| *row).collect()
            };
            let (fitted, held_out) = (of_fold(false), of_fold(true));
            let members = self.members.select(&held_out);
            let columns: Vec<Vec<f64>> = self.columns.iter().map(|column| pick(column, &held_out)).collect();
            let predicted = self.fit(&fitted, guidance)?.predict(&members, &columns)?;
            for (place, row) in held_out.iter().enumerate() {
                all.log_probabilities[row * classes..][..classes]
                    .copy_from_slice(&predicted.log_probabilities[place * classes..][..classes]);
                all.weights[row * count..][..count].copy_from_slice(&predicted.weights[place * count..][..count]);
            }
        }
        Ok(all)
    }

    /// The rows in the order in which they are fitted to, each with its fold; groups are whole.
    fn folds(&self, settings: &GuidedSettings) -> Vec<(usize, usize)> {
        const STREAM: &str = "folds of the guided ensemble";
        let rows = self.members.rows();
        if let Some(groups) = self.groups.filter(|groups| !groups.are_single_rows()) {
            let numbers = groups.numbers();
            let labelled =
                LabelledRows { labels: self.labels, classes: self.members.classes(), groups: Some(&numbers) };
            let count = u32::try_from(settings.folds).unwrap_or(u32::MAX);
            let folds = stratified_folds(&labelled, count, settings.seed, STREAM);
            return folds.into_iter().enumerate().map(|(row, fold)| (row, fold as usize)).collect();
        }
        let mut order: Vec<usize> = (0..rows).collect();
        order.shuffle(&mut stream(settings.seed, STREAM));
        order.into_iter().enumerate().map(|(place, row)| (row, place % settings.folds)).collect()
    }

    fn fit(&self, rows: &[usize], guidance: Guidance) -> Result<Model, EnsembleError> {
        let members = self.members.select(rows);
        let labels = pick(self.labels, rows);
        let stacked = GlobalWeights::stacked(&members, &labels, Pool::LogLinear)?;
        let penalty = match guidance {
            Guidance::Stacking => return Ok(Model::Stacked(stacked)),
            Guidance::Penalty(penalty) => penalty,
        };
        let names = ["r", "u1", "u2", "s"].into_iter().map(str::to_owned);
        let names = names.chain(members.names().iter().map(|name| format!("confidence of {name}"))).collect();
        let describer = Describer::fit(names, self.columns, rows);
        let descriptions = describer.apply(self.columns, rows);
        let mut centre = vec![0.0; members.len() * describer.len()];
        for (centre, weight) in centre.iter_mut().step_by(describer.len()).zip(&stacked.weights) {
            *centre = *weight;
        }
        let penalties = vec![penalty; describer.len()];
        let problem = Problem {
            members: &members,
            labels: &labels,
            descriptions: &descriptions,
            penalties: &penalties,
            centre: &centre,
        };
        Ok(Model::Guided { theta: problem.solve(), describer, penalty })
    }
}

impl Model {
    fn predict(&self, members: &Members, columns: &[Vec<f64>]) -> Result<Guided, EnsembleError> {
        match self {
            Self::Stacked(stacked) => Ok(Guided {
                log_probabilities: stacked.predict(members)?,
                weights: stacked.weights.repeat(members.rows()),
            }),
            Self::Guided { describer, theta, .. } => {
                let rows: Vec<usize> = (0..members.rows()).collect();
                let mut guided = Guided { log_probabilities: Vec::new(), weights: Vec::new() };
                for (row, description) in describer.apply(columns, &rows).chunks_exact(describer.len()).enumerate() {
                    let weights = weights(theta, description);
                    guided.log_probabilities.extend(pooled(members, row, &weights));
                    guided.weights.extend(weights);
                }
                Ok(guided)
            }
        }
    }
}

fn pick<T: Copy>(values: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().map(|row| values[*row]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_keep_groups_whole() {
        let labels: Vec<u32> = (0..60).map(|row| row / 6 % 2).collect();
        let mut members = Members::new(60, 2);
        members.push("a", vec![0.0; 120]).unwrap();
        let groups = Groups::of_values((0..60).map(|row| row / 6));
        let settings = GuidedSettings::default();
        let of = |groups| Rows { members: &members, columns: &[], labels: &labels, groups };
        let folds = of(Some(&groups)).folds(&settings);
        assert_eq!(folds.iter().map(|(row, _)| *row).collect::<Vec<_>>(), (0..60).collect::<Vec<_>>());
        assert!(folds.chunks(6).all(|group| group.iter().all(|(_, fold)| *fold == group[0].1)), "{folds:?}");
        // Rows that are apart are dealt as they were before there were groups.
        let apart = Groups::each_alone(60);
        assert_eq!(of(Some(&apart)).folds(&settings), of(None).folds(&settings));

        let few = Groups::of_values((0..60).map(|row| row / 20));
        let none = || vec![0.0; 60];
        let interactions =
            Decomposition { ids: lsmi_core::SampleIds::rows(60), r: none(), u1: none(), u2: none(), s: none() };
        let error = GuidedWeights::fit(&members, &interactions, &labels, Some(&few), &settings).unwrap_err();
        assert!(matches!(error, EnsembleError::TooFew { what: "groups", found: 3, .. }), "{error}");
    }

    #[test]
    fn what_is_nearest_to_stacking_is_chosen_of_what_is_as_good() {
        let choice = |guidance, log_loss, standard_error| Choice { guidance, log_loss, standard_error };
        let of = |of_stacking, of_three| {
            best(&[
                choice(Guidance::Stacking, 0.5, of_stacking),
                choice(Guidance::Penalty(3.0), 0.45, of_three),
                choice(Guidance::Penalty(1.0), 0.4, 0.0),
            ])
        };
        assert_eq!(of(0.11, 0.01), Guidance::Stacking);
        assert_eq!(of(0.09, 0.06), Guidance::Penalty(3.0));
        assert_eq!(of(0.09, 0.04), Guidance::Penalty(1.0));
    }
}
