//! Ensembles with one weight a member, the same for all samples: what a guided ensemble has to beat.

use serde::{Deserialize, Serialize};

use super::newton::{Problem, pooled};
use super::{EnsembleError, Members};
use crate::experiments::metrics::Metrics;

/// Rounds of expectation-maximisation at most.
const ROUNDS: usize = 2000;
/// The largest change of a weight at which the rounds end.
const TOLERANCE: f64 = 1e-7;
/// Penalty of log-linear weights, which keeps them finite where members are never wrong and apart where they agree.
pub(super) const PENALTY: f64 = 1e-3;

/// How the opinions of members are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pool {
    /// Probabilities are averaged: `p(k) = sum_m w_m p_m(k)`, the weights at least 0 and of sum 1.
    Linear,
    /// Log-probabilities are added: `p(k) = prod_m p_m(k)^w_m / Z`, the weights of any size.
    LogLinear,
}

/// One weight a member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GlobalWeights {
    /// How opinions are combined.
    pub pool: Pool,
    /// The weight of every member, in their order.
    pub weights: Vec<f64>,
}

impl GlobalWeights {
    /// Counts every member alike, in a linear pool.
    pub fn uniform(members: &Members) -> Self {
        Self { pool: Pool::Linear, weights: vec![1.0 / members.len() as f64; members.len()] }
    }

    /// Counts only the member with the least log loss.
    ///
    /// # Errors
    /// As [`GlobalWeights::stacked`].
    pub fn best_single(members: &Members, labels: &[u32]) -> Result<Self, EnsembleError> {
        let metrics = metrics_of_members(members, labels)?;
        let best = (0..members.len()).min_by(|a, b| metrics[*a].log_loss.total_cmp(&metrics[*b].log_loss));
        let weight = |member| f64::from(u8::from(Some(member) == best));
        Ok(Self { pool: Pool::Linear, weights: (0..members.len()).map(weight).collect() })
    }

    /// Counts members in proportion to their accuracy, in a linear pool; all alike where none is ever right.
    ///
    /// # Errors
    /// As [`GlobalWeights::stacked`].
    pub fn by_accuracy(members: &Members, labels: &[u32]) -> Result<Self, EnsembleError> {
        let metrics = metrics_of_members(members, labels)?;
        let total: f64 = metrics.iter().map(|metrics| metrics.accuracy).sum();
        if total <= 0.0 {
            return Ok(Self::uniform(members));
        }
        let weights = metrics.iter().map(|metrics| metrics.accuracy / total).collect();
        Ok(Self { pool: Pool::Linear, weights })
    }

    /// Stacks (Wolpert 1992; Yao et al., Bayesian Analysis 2018): fits the weights of least log loss on rows that the members
    /// have not been fitted to.
    ///
    /// The linear pool's come from expectation-maximisation for the proportions of a mixture, the log-linear pool's from
    /// Newton's method under a penalty of 1/2000 of the squared distance from equal weights.
    ///
    /// # Errors
    /// [`EnsembleError::TooFew`] without members or rows, [`EnsembleError::Rows`] and [`EnsembleError::Label`] for labels that
    /// do not fit.
    ///
    /// ```
    /// use lsmi_guide::experiments::ensemble::{GlobalWeights, Members, Pool};
    ///
    /// let mut members = Members::new(4, 2);
    /// members.push("knows", vec![2.0, 0.0, 0.0, 2.0, 2.0, 0.0, 0.0, 2.0])?;
    /// members.push("guesses", vec![0.0; 8])?;
    /// let stacked = GlobalWeights::stacked(&members, &[0, 1, 0, 1], Pool::Linear)?;
    /// assert!(stacked.weights[0] > 0.999);
    /// # Ok::<(), lsmi_guide::experiments::ensemble::EnsembleError>(())
    /// ```
    pub fn stacked(members: &Members, labels: &[u32], pool: Pool) -> Result<Self, EnsembleError> {
        members.check_enough()?;
        members.check_labels(labels)?;
        let weights = match pool {
            Pool::Linear => mixture_proportions(members, labels),
            Pool::LogLinear => {
                let (descriptions, centre) =
                    (vec![1.0; members.rows()], vec![1.0 / members.len() as f64; members.len()]);
                let penalties = [PENALTY];
                Problem { members, labels, descriptions: &descriptions, penalties: &penalties, centre: &centre }.solve()
            }
        };
        Ok(Self { pool, weights })
    }

    /// Computes the log-probabilities of the ensemble `[n, K]`, row-major.
    ///
    /// # Errors
    /// [`EnsembleError::Others`] for another number of members.
    pub fn predict(&self, members: &Members) -> Result<Vec<f64>, EnsembleError> {
        if members.len() != self.weights.len() {
            let (expected, found) = (self.weights.len().to_string(), members.len().to_string());
            return Err(EnsembleError::Others { what: "members", expected, found });
        }
        let row = |row| match self.pool {
            Pool::Linear => mixed(members, row, &self.weights),
            Pool::LogLinear => pooled(members, row, &self.weights),
        };
        Ok((0..members.rows()).flat_map(row).collect())
    }
}

fn metrics_of_members(members: &Members, labels: &[u32]) -> Result<Vec<Metrics>, EnsembleError> {
    members.check_enough()?;
    members.check_labels(labels)?;
    Ok((0..members.len()).map(|member| Metrics::of(members.of_member(member), labels, members.classes())).collect())
}

/// The log-posterior `[K]` of a sample in the linear pool with these weights.
fn mixed(members: &Members, row: usize, weights: &[f64]) -> Vec<f64> {
    let mut mixed = vec![0.0; members.classes()];
    for (member, weight) in weights.iter().enumerate() {
        for (sum, value) in mixed.iter_mut().zip(members.log_probabilities(member, row)) {
            *sum += weight * value.exp();
        }
    }
    // A class to which all members give no probability at all has the least there is.
    mixed.iter().map(|value| value.max(f64::MIN_POSITIVE).ln()).collect()
}

/// The proportions of a mixture whose components have the members' probabilities of the labels as densities.
fn mixture_proportions(members: &Members, labels: &[u32]) -> Vec<f64> {
    let count = members.len();
    let densities: Vec<Vec<f64>> = (0..members.rows())
        .map(|row| {
            let of_label = |member| members.log_probabilities(member, row)[labels[row] as usize];
            let logs: Vec<f64> = (0..count).map(of_label).collect();
            // The largest is put to 1, so that not all vanish.
            let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            logs.iter().map(|value| (value - largest).exp()).collect()
        })
        .collect();
    let mut weights = vec![1.0 / count as f64; count];
    for _ in 0..ROUNDS {
        let mut next = vec![0.0; count];
        for of_row in &densities {
            let total: f64 = of_row.iter().zip(&weights).map(|(density, weight)| density * weight).sum();
            for ((sum, density), weight) in next.iter_mut().zip(of_row).zip(&weights) {
                *sum += density * weight / total / members.rows() as f64;
            }
        }
        let change = next.iter().zip(&weights).map(|(next, weight)| (next - weight).abs()).fold(0.0, f64::max);
        weights = next;
        if change < TOLERANCE {
            break;
        }
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of ten samples member a gives the label 0.8 for six and 0.2 for four, member b the other way round.
    fn complementary() -> (Members, Vec<u32>) {
        let mut members = Members::new(10, 2);
        let (sure, unsure) = ([0.8_f64.ln(), 0.2_f64.ln()], [0.2_f64.ln(), 0.8_f64.ln()]);
        members.push("a", [sure, sure, sure, sure, sure, sure, unsure, unsure, unsure, unsure].concat()).unwrap();
        members.push("b", [unsure, unsure, unsure, unsure, unsure, unsure, sure, sure, sure, sure].concat()).unwrap();
        (members, vec![0; 10])
    }

    #[test]
    fn linear_stacking_has_the_least_loss() {
        let (members, labels) = complementary();
        let stacked = GlobalWeights::stacked(&members, &labels, Pool::Linear).unwrap();
        // 6 log(0.2 + 0.6 w) + 4 log(0.8 - 0.6 w) is greatest where 6 (0.8 - 0.6 w) = 4 (0.2 + 0.6 w).
        assert!((stacked.weights[0] - 2.0 / 3.0).abs() < 1e-4, "{:?}", stacked.weights);
        assert!((stacked.weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn log_linear_stacking_has_no_slope_left() {
        let (members, labels) = complementary();
        let loss = |weights: [f64; 2]| {
            let of = GlobalWeights { pool: Pool::LogLinear, weights: weights.to_vec() };
            let penalty = weights.iter().map(|weight| 0.5 * PENALTY * (weight - 0.5).powi(2)).sum::<f64>();
            Metrics::of(&of.predict(&members).unwrap(), &labels, 2).log_loss + penalty
        };
        let found = GlobalWeights::stacked(&members, &labels, Pool::LogLinear).unwrap().weights;
        let found = [found[0], found[1]];
        for index in 0..2 {
            let moved = |by: f64| {
                let mut weights = found;
                weights[index] += by;
                loss(weights)
            };
            assert!((moved(1e-4) - moved(-1e-4)).abs() / 2e-4 < 1e-6);
        }
    }

    #[test]
    fn baselines_weigh_as_they_say() {
        let (members, labels) = complementary();
        assert_eq!(GlobalWeights::best_single(&members, &labels).unwrap().weights, [1.0, 0.0]);
        let by_accuracy = GlobalWeights::by_accuracy(&members, &labels).unwrap().weights;
        assert!((by_accuracy[0] - 0.6).abs() < 1e-12, "{by_accuracy:?}");
        let uniform = GlobalWeights::uniform(&members).predict(&members).unwrap();
        assert!(uniform.iter().all(|value| (value - 0.5_f64.ln()).abs() < 1e-12));
        let error = GlobalWeights::uniform(&members).predict(&Members::new(3, 2)).unwrap_err();
        assert!(matches!(error, EnsembleError::Others { what: "members", .. }));
    }
}
