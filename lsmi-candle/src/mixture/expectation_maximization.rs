//! Expectation maximisation: the fit of a mixture to rows, alone or together with other evidence on their components.
//!
//! Each round computes the responsibility of every component for every row and then the weights, means and covariances
//! that maximise the expected log likelihood (Dempster, Laird, Rubin 1977); it ascends the likelihood that KNIFE's
//! gradient steps ascend, without a step size. Tied covariances are shrunk towards a sphere; full ones towards the tied
//! one, as if `d` rows of every component had been seen with it. Rows far out weigh less in the moments of heavy-tailed
//! components, by `(v + d) / (v + distance^2)` (Peel, `McLachlan` 2000, eq. 20).

use candle_core::{Result as CandleResult, Tensor};
use lsmi_core::random::ChaCha8Rng;
use lsmi_core::statistics::log_sum_exp;

use super::covariance::{ridged_factor, shrink_to_sphere};
use super::k_means::k_means;
use super::{Covariance, Mixture, Sample, Shape, host};

/// A component with less than this many rows keeps no mean of its own.
const LEAST_ROWS: f64 = 1e-3;
/// Variances of a diagonal covariance below this share of the variance of all rows are held there.
const LEAST_VARIANCE: f64 = 1e-6;
/// Starts from different seeds, of which the best after a few rounds goes on.
const STARTS: usize = 4;
/// Columns that every second start looks at alone.
const TELLING_COLUMNS: usize = 4;
/// Rounds that each start gets.
const ROUNDS_OF_A_START: usize = 8;

/// What is known of a row's component besides the row: nothing, or a label.
pub(crate) trait Evidence: Clone {
    /// The maximisation step, from responsibilities `[n, K]`.
    fn maximize(&mut self, responsibilities: &[f64], components: usize);
    /// The log likelihood of what is known of `row` under `component`, in nats.
    fn log_likelihood(&self, row: usize, component: usize) -> f64;
}

/// Rows without labels.
#[derive(Clone)]
pub(crate) struct NoEvidence;

impl Evidence for NoEvidence {
    fn maximize(&mut self, _: &[f64], _: usize) {}

    fn log_likelihood(&self, _: usize, _: usize) -> f64 {
        0.0
    }
}

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) rounds: usize,
    /// Least gain in the mean log likelihood for another round, in nats.
    pub(crate) tolerance: f64,
}

/// Where to start.
pub(crate) enum Start<'a> {
    /// Several draws of k-means++ seeds.
    Clusters { components: usize, random: &'a mut ChaCha8Rng },
    /// A mixture fitted to some of the rows: the same optimum is found again, now with all of them.
    From(Mixture),
    /// Given responsibilities `[n, K]`, and no round beyond the first maximisation: a closed form.
    Given { components: usize, responsibilities: Vec<f64> },
}

/// A fitted mixture with what its evidence learned.
pub(crate) struct Fit<E> {
    pub(crate) mixture: Mixture,
    pub(crate) evidence: E,
}

/// Fits a mixture of the given structure.
pub(crate) fn fit<E: Evidence>(
    sample: &Sample,
    shape: Shape,
    start: Start<'_>,
    evidence: &E,
    settings: Settings,
) -> CandleResult<Fit<E>> {
    match start {
        Start::Given { components, responsibilities } => {
            Ok(State::maximize(sample, shape, &responsibilities, None, components, evidence.clone())?.fit)
        }
        Start::From(mixture) => {
            let fit = Fit { mixture: mixture.with_freedom(shape.freedom)?, evidence: evidence.clone() };
            let mut state = State { fit, log_likelihood: f64::NEG_INFINITY };
            state.ascend(sample, settings.rounds, settings.tolerance)?;
            Ok(state.fit)
        }
        Start::Clusters { components, random } => {
            let starts = if components == 1 { 1 } else { STARTS };
            let mut best: Option<State<E>> = None;
            // In heavy tails single rows would be clusters of their own.
            let squashed: Option<Vec<f64>> =
                shape.freedom.map(|_| sample.values.iter().map(|value| value.asinh()).collect());
            let values = squashed.as_ref().unwrap_or(&sample.values);
            let telling = telling_columns(values, sample.columns);
            for start in 0..starts {
                let clusters = match &telling {
                    Some(values) if start % 2 == 1 => k_means(values, TELLING_COLUMNS, components, random),
                    _ => k_means(values, sample.columns, components, random),
                };
                let mut responsibilities = vec![0.0; sample.rows * components];
                for (row, cluster) in clusters.into_iter().enumerate() {
                    responsibilities[row * components + cluster] = 1.0;
                }
                let mut state = State::maximize(sample, shape, &responsibilities, None, components, evidence.clone())?;
                state.ascend(sample, ROUNDS_OF_A_START, settings.tolerance)?;
                if best.as_ref().is_none_or(|best| state.log_likelihood > best.log_likelihood) {
                    best = Some(state);
                }
            }
            #[expect(clippy::expect_used, reason = "there is at least one start")]
            let mut state = best.expect("at least one start");
            state.ascend(sample, settings.rounds, settings.tolerance)?;
            Ok(state.fit)
        }
    }
}

/// The few columns whose rows fall apart into clusters most clearly, which are those of the lowest kurtosis: among many
/// columns of equal variance, clusters along some of them are lost in the noise of the others. None where there are no more.
fn telling_columns(values: &[f64], columns: usize) -> Option<Vec<f64>> {
    if columns <= TELLING_COLUMNS {
        return None;
    }
    let rows = (values.len() / columns) as f64;
    let kurtosis = |column: usize| {
        let values = || values.iter().skip(column).step_by(columns);
        let mean = values().sum::<f64>() / rows;
        let (mut second, mut fourth) = (0.0, 0.0);
        for value in values() {
            let square = (value - mean) * (value - mean);
            second += square;
            fourth += square * square;
        }
        // A column that does not vary tells nothing.
        if second > 0.0 { fourth / (second * second) } else { f64::INFINITY }
    };
    let mut telling: Vec<(usize, f64)> = (0..columns).map(|column| (column, kurtosis(column))).collect();
    telling.sort_by(|a, b| a.1.total_cmp(&b.1));
    let rows = values.chunks_exact(columns);
    Some(rows.flat_map(|row| telling[..TELLING_COLUMNS].iter().map(|(column, _)| row[*column])).collect())
}

struct State<E> {
    fit: Fit<E>,
    log_likelihood: f64,
}

impl<E: Evidence> State<E> {
    fn ascend(&mut self, sample: &Sample, rounds: usize, tolerance: f64) -> CandleResult<()> {
        for _ in 0..rounds {
            let components = self.fit.mixture.components();
            let mut responsibilities = self.fit.mixture.log_joint(&sample.tensor)?;
            let row_weights = self.fit.mixture.row_weights(&responsibilities);
            let mut total = 0.0;
            for (row, joint) in responsibilities.chunks_exact_mut(components).enumerate() {
                for (component, value) in joint.iter_mut().enumerate() {
                    *value += self.fit.evidence.log_likelihood(row, component);
                }
                let normaliser = log_sum_exp(joint);
                total += normaliser;
                for value in joint {
                    *value = (*value - normaliser).exp();
                }
            }
            let log_likelihood = total / sample.rows as f64;
            let gain = log_likelihood - self.log_likelihood;
            self.log_likelihood = log_likelihood;
            if gain < tolerance {
                break;
            }
            let evidence = self.fit.evidence.clone();
            let shape = self.fit.mixture.shape();
            self.fit =
                Self::maximize(sample, shape, &responsibilities, row_weights.as_deref(), components, evidence)?.fit;
        }
        Ok(())
    }

    fn maximize(
        sample: &Sample,
        shape: Shape,
        responsibilities: &[f64],
        row_weights: Option<&[f64]>,
        components: usize,
        mut evidence: E,
    ) -> CandleResult<Self> {
        evidence.maximize(responsibilities, components);
        let mixture = maximize(sample, shape, responsibilities, row_weights, components)?;
        Ok(Self { fit: Fit { mixture, evidence }, log_likelihood: f64::NEG_INFINITY })
    }
}

/// Weights, means and covariances from responsibilities `[n, K]` and, in heavy tails, the weights of rows in the moments of
/// components, `[n, K]`.
fn maximize(
    sample: &Sample,
    shape: Shape,
    responsibilities: &[f64],
    row_weights: Option<&[f64]>,
    components: usize,
) -> CandleResult<Mixture> {
    let (rows, dims) = (sample.rows as f64, sample.columns);
    let counts = sums_of_columns(responsibilities, components);
    let shares: Option<Vec<f64>> =
        row_weights.map(|weights| responsibilities.iter().zip(weights).map(|(r, weight)| r * weight).collect());
    let shares = shares.as_deref().unwrap_or(responsibilities);
    let sums = sums_of_columns(shares, components);
    let device = sample.tensor.device();
    let share_tensor = super::tensor(shares, components, device)?;
    let mut means = host(&share_tensor.t()?.matmul(&sample.tensor)?)?;
    for (mean, sum) in means.chunks_exact_mut(dims).zip(&sums) {
        for value in mean {
            *value = if *sum > LEAST_ROWS { *value / sum } else { 0.0 };
        }
    }
    let mean_tensor = super::tensor(&means, dims, device)?;
    let factors = match shape.covariance {
        Covariance::Tied => {
            let mut tied = match row_weights {
                None => sample.second_moments.clone(),
                Some(_) => weighted_second_moments(sample, &share_tensor.sum_keepdim(1)?)?,
            };
            subtract_outer_products(&mut tied, &means, &sums, dims);
            for value in &mut tied {
                *value /= rows;
            }
            shrink_to_sphere(&mut tied, dims, (rows - components as f64).max(1.0));
            ridged_factor(&tied, dims, sample.mean_square())
        }
        Covariance::Diagonal => {
            let squares = host(&share_tensor.t()?.matmul(&sample.tensor.sqr()?)?)?;
            let least = sample.mean_square() * LEAST_VARIANCE;
            let variance = |index: usize| {
                let (count, sum) = (counts[index / dims].max(LEAST_ROWS), sums[index / dims]);
                ((squares[index] - sum * means[index] * means[index]) / count).max(least)
            };
            (0..components * dims).map(|index| variance(index).sqrt().recip()).collect()
        }
        Covariance::Full => full_factors(sample, &share_tensor, &mean_tensor, &counts)?,
    };
    #[expect(clippy::cast_possible_truncation, reason = "tensors are f32 by design")]
    let factors: Vec<f32> = factors.into_iter().map(|value| value as f32).collect();
    let factors = Tensor::from_vec(factors, shape.covariance.factor_shape(components, dims), device)?;
    let log_weights = counts.iter().map(|count| (count.max(LEAST_ROWS) / rows).ln()).collect();
    Mixture::new(shape.covariance, log_weights, mean_tensor, factors)?.with_freedom(shape.freedom)
}

fn sums_of_columns(values: &[f64], columns: usize) -> Vec<f64> {
    let mut sums = vec![0.0; columns];
    for row in values.chunks_exact(columns) {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += value;
        }
    }
    sums
}

/// `X' diag(weights) X` for the rows' weights `[n, 1]`.
fn weighted_second_moments(sample: &Sample, weights: &Tensor) -> CandleResult<Vec<f64>> {
    let scaled = sample.tensor.broadcast_mul(&weights.sqrt()?)?;
    host(&scaled.t()?.matmul(&scaled)?)
}

/// Factors of full covariances from the shares `[n, K]` of rows in the moments of components.
fn full_factors(sample: &Sample, shares: &Tensor, means: &Tensor, counts: &[f64]) -> CandleResult<Vec<f64>> {
    let (rows, dims) = (sample.rows as f64, sample.columns);
    let mut scatters = Vec::with_capacity(counts.len());
    let mut tied = vec![0.0; dims * dims];
    for component in 0..counts.len() {
        let weights = shares.narrow(1, component, 1)?.sqrt()?;
        let centred = sample.tensor.broadcast_sub(&means.get(component)?)?.broadcast_mul(&weights)?;
        let scatter = host(&centred.t()?.matmul(&centred)?)?;
        for (total, value) in tied.iter_mut().zip(&scatter) {
            *total += value / rows;
        }
        scatters.push(scatter);
    }
    shrink_to_sphere(&mut tied, dims, (rows - counts.len() as f64).max(1.0));
    let prior = dims as f64;
    let mut factors = Vec::with_capacity(counts.len() * dims * dims);
    for (scatter, count) in scatters.iter().zip(counts) {
        let covariance: Vec<f64> =
            scatter.iter().zip(&tied).map(|(own, tied)| (own + prior * tied) / (count + prior)).collect();
        factors.extend(ridged_factor(&covariance, dims, sample.mean_square()));
    }
    Ok(factors)
}

fn subtract_outer_products(moments: &mut [f64], means: &[f64], counts: &[f64], dims: usize) {
    for (mean, count) in means.chunks_exact(dims).zip(counts) {
        for (row, left) in moments.chunks_exact_mut(dims).zip(mean) {
            for (moment, right) in row.iter_mut().zip(mean) {
                *moment -= count * left * right;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use lsmi_core::random::stream;
    use rand_distr::{Distribution, StandardNormal};

    const SETTINGS: Settings = Settings { rounds: 200, tolerance: 1e-6 };

    /// Two components, at -3 and 3 in the first of two dimensions, with standard deviations 1 and 2 in the second.
    fn two_components(rows: usize, seed: u64) -> Sample {
        let mut random = stream(seed, "two components");
        let mut values = Vec::new();
        for row in 0..rows {
            let side = if row % 4 == 0 { -1.0 } else { 1.0 };
            let noise: [f64; 2] = [StandardNormal.sample(&mut random), StandardNormal.sample(&mut random)];
            values.extend([3.0 * side + noise[0], noise[1] * (1.5 + 0.5 * side)]);
        }
        Sample::new(values, 2, &Device::Cpu).unwrap()
    }

    fn fitted(sample: &Sample, covariance: Covariance, components: usize) -> Mixture {
        let mut random = stream(0, "fit");
        let start = Start::Clusters { components, random: &mut random };
        fit(sample, covariance.into(), start, &NoEvidence, SETTINGS).unwrap().mixture
    }

    #[test]
    fn full_covariances_reach_the_entropy_of_the_truth() {
        let mixture = fitted(&two_components(4000, 0), Covariance::Full, 2);
        let fresh = two_components(4000, 1);
        let surprisal = -mixture.log_density(&fresh.tensor).unwrap().iter().sum::<f64>() / 4000.0;
        // Entropy of the label (.25, .75) and of the normals, the components hardly overlapping; a Monte Carlo error of
        // about 1.1 / sqrt(4000) = .017 and a fit of 9 parameters (.001) leave .06 as three deviations.
        let label = -(0.25 * 0.25f64.ln() + 0.75 * 0.75f64.ln());
        let truth = label + 2.0 * 0.5 * (std::f64::consts::TAU * std::f64::consts::E).ln() + 0.75 * 2.0f64.ln();
        assert!((surprisal - truth).abs() < 0.06, "surprisal {surprisal}, truth {truth}");
    }

    #[test]
    fn structures_nest_in_likelihood() {
        let sample = two_components(4000, 0);
        let mean = |covariance, components| {
            let mixture = fitted(&sample, covariance, components);
            mixture.log_density(&sample.tensor).unwrap().iter().sum::<f64>() / 4000.0
        };
        assert!(mean(Covariance::Full, 2) > mean(Covariance::Tied, 2));
        assert!(mean(Covariance::Tied, 2) > mean(Covariance::Tied, 1));
        assert!(mean(Covariance::Diagonal, 2) > mean(Covariance::Diagonal, 1));
    }

    #[test]
    fn rows_all_alike_give_a_finite_density() {
        let sample = Sample::new(vec![1.0; 40], 2, &Device::Cpu).unwrap();
        for covariance in [Covariance::Diagonal, Covariance::Tied, Covariance::Full] {
            let density = fitted(&sample, covariance, 3).log_density(&sample.tensor).unwrap();
            assert!(density.iter().all(|value| value.is_finite()), "{covariance}");
        }
    }
}
