//! The guided ensemble: weights of every sample by its label-free interactions and the members' confidences.
//!
//! In the log-linear pool `log p_i(k) = sum_m w_im log p_im(k) - log Z_i` the weight of member m for sample i is
//! `w_im = sum_f theta_mf x_if`, linear in the description of the sample: 1, then r, u1, u2, s and the confidences, all
//! standardised. The log loss is convex in theta (the conditional logit of `McFadden`, 1974). A penalty holds all columns but
//! the constant near zero and the constant near log-linear stacking, which is therefore the guided ensemble of infinite
//! penalty. Cross-validation inside the rows of the fit chooses the penalty, stacking with a log-linear or a linear pool
//! among the choices, so that interactions count as far as they help to predict rows that the weights have not seen.

use lsmi_core::Decomposition;
use lsmi_core::random::stream;
use lsmi_core::statistics::mean;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::description::{Describer, raw_columns};
use super::metrics::losses;
use super::newton::{Problem, pooled, weights};
use super::stacking::{GlobalWeights, Pool};
use super::{EnsembleError, Members};

/// How the weights of a guided ensemble are fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GuidedSettings {
    /// Penalties to choose from; stacking with either pool is chosen from as well. Default: 0.003 to 3 in steps of about 3.
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

/// How strongly the weights are held to those of stacking.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guidance {
    /// Weights depend on the sample, under this penalty.
    Penalty(f64),
    /// They do not: stacking predicts unseen rows better.
    Stacking(Pool),
}

/// A choice of cross-validation and the log loss that it has on rows that the weights have not seen, in nats.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// The choice.
    pub guidance: Guidance,
    /// Its log loss.
    pub log_loss: f64,
}

/// Fitted weights of a guided ensemble.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GuidedWeights {
    members: Vec<String>,
    model: Model,
    /// Of all choices the one with the least log loss was made.
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
}

impl GuidedWeights {
    /// Fits weights to samples that the members have not been fitted to, such as cross-fitted training rows, given the
    /// expectations of their interactions without the label.
    ///
    /// # Errors
    /// [`EnsembleError::TooFew`] for fewer rows than folds or fewer than two folds, [`EnsembleError::Rows`] and
    /// [`EnsembleError::Label`] for interactions or labels that do not fit the members.
    pub fn fit(
        members: &Members,
        interactions: &Decomposition,
        labels: &[u32],
        settings: &GuidedSettings,
    ) -> Result<Self, EnsembleError> {
        members.check_enough()?;
        members.check_labels(labels)?;
        for (what, found, least) in [("folds", settings.folds, 2), ("samples", members.rows(), settings.folds)] {
            if found < least {
                return Err(EnsembleError::TooFew { what, found, expected: format!("at least {least}") });
            }
        }
        let columns = raw_columns(members, interactions)?;
        let rows = Rows { members, columns: &columns, labels };
        let choices = rows.cross_validate(settings)?;
        let best = choices.iter().min_by(|a, b| a.log_loss.total_cmp(&b.log_loss));
        let guidance = best.map_or(Guidance::Stacking(Pool::LogLinear), |best| best.guidance);
        let model = rows.fit(&(0..members.rows()).collect::<Vec<_>>(), guidance)?;
        Ok(Self { members: members.names().to_vec(), model, choices })
    }

    /// How strongly the weights are held to those of stacking.
    pub fn guidance(&self) -> Guidance {
        match &self.model {
            Model::Guided { penalty, .. } => Guidance::Penalty(*penalty),
            Model::Stacked(stacked) => Guidance::Stacking(stacked.pool),
        }
    }

    /// By how much each column of the description moves the weight of each member: for every member the name of the column
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

    /// Predictions and weights of samples, given the expectations of their interactions without the label.
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

impl Rows<'_> {
    /// The log loss of every choice on rows that it has not been fitted to.
    fn cross_validate(&self, settings: &GuidedSettings) -> Result<Vec<Choice>, EnsembleError> {
        let mut order: Vec<usize> = (0..self.members.rows()).collect();
        order.shuffle(&mut stream(settings.seed, "folds of the guided ensemble"));
        let stacking = [Pool::LogLinear, Pool::Linear].map(Guidance::Stacking);
        let guided = settings.penalties.iter().map(|penalty| Guidance::Penalty(*penalty));
        let choose = |guidance| {
            let mut of_rows = Vec::with_capacity(order.len());
            for fold in 0..settings.folds {
                let is_held_out = |place: &usize| place % settings.folds == fold;
                let of_places = |wanted: bool| -> Vec<usize> {
                    (0..order.len()).filter(|place| is_held_out(place) == wanted).map(|place| order[place]).collect()
                };
                let (fitted, held_out) = (of_places(false), of_places(true));
                let members = self.members.select(&held_out);
                let columns: Vec<Vec<f64>> = self.columns.iter().map(|column| pick(column, &held_out)).collect();
                let predicted = self.fit(&fitted, guidance)?.predict(&members, &columns)?;
                of_rows.extend(losses(&predicted.log_probabilities, &pick(self.labels, &held_out), members.classes()));
            }
            Ok(Choice { guidance, log_loss: mean(&of_rows) })
        };
        // Of equals the first is chosen, and stacking comes first.
        stacking.into_iter().chain(guided).map(choose).collect()
    }

    fn fit(&self, rows: &[usize], guidance: Guidance) -> Result<Model, EnsembleError> {
        let members = self.members.select(rows);
        let labels = pick(self.labels, rows);
        let penalty = match guidance {
            Guidance::Stacking(pool) => return Ok(Model::Stacked(GlobalWeights::stacked(&members, &labels, pool)?)),
            Guidance::Penalty(penalty) => penalty,
        };
        let stacked = GlobalWeights::stacked(&members, &labels, Pool::LogLinear)?;
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
