//! Expectation maximisation: fits a mixture to rows, alone or together with other evidence on their components.
//!
//! Each round computes the responsibility of every component for every row and then the weights, means and covariances
//! that maximise the expected log likelihood (Dempster, Laird, Rubin 1977); it ascends the likelihood that KNIFE's
//! gradient steps ascend, without a step size. Rows far out weigh less in the moments of heavy-tailed components, by
//! `(v + d) / (v + distance^2)` (Peel, `McLachlan` 2000, eq. 20). A round is one pass over the rows, block by block.

use candle_core::{Device, Result as CandleResult, Tensor};
use lsmi_core::random::ChaCha8Rng;

use super::k_means::k_means;
use super::kernels::{BLOCK, Lanes};
use super::low_rank;
use super::statistics::{LEAST_VARIANCE, Statistics, log_weights};
use super::{Covariance, Mixture, Pass, Sample, Shape};
use crate::densities::points::{gather, single};

/// The number of starts that finds most mixtures.
pub(crate) const STARTS: usize = 4;
/// Columns that every second start looks at alone.
const CLUSTERED_COLUMNS: usize = 4;
/// The largest number of rows that starts compete on; the fit from the best start sees all.
const ROWS_OF_A_START: usize = 4096;
/// Rounds that each start gets.
const ROUNDS_OF_A_START: usize = 8;

/// Evidence on a row's component besides the row: none, or a label. Rows come in blocks from `start` on, values of
/// components as `[K][BLOCK]`.
pub(crate) trait Evidence: Clone {
    /// Adds the log likelihood of the evidence on rows under every component, in nats.
    fn add_log_likelihoods(&self, start: usize, joint: &mut [Lanes<f64>]);
    /// Takes note of the responsibilities of rows, for the next maximisation step.
    fn observe(&mut self, start: usize, responsibilities: &[Lanes<f32>]);
    /// Makes the maximisation step for a mixture of `components` components, from the observations since the last.
    fn maximize(&mut self, components: usize);
    /// Returns the evidence on some of the rows.
    fn of_rows(&self, rows: &[usize]) -> Self;
    /// Returns the evidence on these rows with the parameters learned from others.
    fn having_learned(&self, from: Self) -> Self;
}

/// Rows without labels.
#[derive(Clone)]
pub(crate) struct NoEvidence;

impl Evidence for NoEvidence {
    fn add_log_likelihoods(&self, _: usize, _: &mut [Lanes<f64>]) {}

    fn observe(&mut self, _: usize, _: &[Lanes<f32>]) {}

    fn maximize(&mut self, _: usize) {}

    fn of_rows(&self, _: &[usize]) -> Self {
        Self
    }

    fn having_learned(&self, _: Self) -> Self {
        Self
    }
}

/// The criteria by which a fit stops.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// The number of starts from different seeds; the best after a few rounds is fitted further.
    pub(crate) starts: usize,
    pub(crate) rounds: usize,
    /// The least gain in the mean log likelihood for another round, in nats.
    pub(crate) tolerance: f64,
}

/// The start of a fit.
pub(crate) enum Start<'a> {
    /// Several draws of k-means++ seeds.
    Clusters { components: usize, random: &'a mut ChaCha8Rng },
    /// A mixture fitted to some of the rows: the same optimum is found again, now with all of them.
    From(Mixture),
    /// The component of every row, and no round beyond the first maximisation: a closed form.
    Given { components: usize, assignment: &'a [u32] },
}

/// A fitted mixture with the learned evidence.
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
    limits: Limits,
) -> CandleResult<Fit<E>> {
    match start {
        Start::Given { components, assignment } => {
            Ok(State::assigned(sample, shape, assignment, components, evidence.clone())?.fit)
        }
        Start::From(mixture) => {
            let fit = Fit { mixture: mixture.with_freedom(shape.freedom)?, evidence: evidence.clone() };
            let mut state = State { fit, log_likelihood: f64::NEG_INFINITY };
            state.ascend(sample, limits.rounds, limits.tolerance)?;
            Ok(state.fit)
        }
        Start::Clusters { components, random } if components > 1 && sample.points.rows() > ROWS_OF_A_START => {
            let part = Part::draw(sample)?;
            let part_evidence = evidence.of_rows(&part.rows);
            let Fit { mixture, evidence: learned } =
                best_start(&part.sample, shape, components, random, &part_evidence, limits)?.fit;
            let fit = Fit { mixture, evidence: evidence.having_learned(learned) };
            let mut state = State { fit, log_likelihood: f64::NEG_INFINITY };
            state.ascend(sample, limits.rounds, limits.tolerance)?;
            Ok(state.fit)
        }
        Start::Clusters { components, random } => {
            let mut state = best_start(sample, shape, components, random, evidence, limits)?;
            state.ascend(sample, limits.rounds, limits.tolerance)?;
            Ok(state.fit)
        }
    }
}

/// Returns the best of several starts after a few rounds each.
fn best_start<E: Evidence>(
    sample: &Sample,
    shape: Shape,
    components: usize,
    random: &mut ChaCha8Rng,
    evidence: &E,
    limits: Limits,
) -> CandleResult<State<E>> {
    let starts = if components == 1 { 1 } else { limits.starts };
    let mut best: Option<State<E>> = None;
    let columns = sample.points.columns();
    // In heavy tails single rows would be clusters of their own.
    let squashed: Option<Vec<f32>> =
        shape.freedom.map(|_| sample.points.values().iter().map(|value| value.asinh()).collect());
    let values = squashed.as_deref().unwrap_or(sample.points.values());
    let clustered = if components == 1 { None } else { clustered_columns(values, columns) };
    for start in 0..starts {
        let clusters = match &clustered {
            Some(values) if start % 2 == 1 => k_means(values, CLUSTERED_COLUMNS, components, random),
            _ => k_means(values, columns, components, random),
        };
        let mut state = State::assigned(sample, shape, &clusters, components, evidence.clone())?;
        state.ascend(sample, ROUNDS_OF_A_START, limits.tolerance)?;
        if best.as_ref().is_none_or(|best| state.log_likelihood > best.log_likelihood) {
            best = Some(state);
        }
    }
    #[expect(clippy::expect_used, reason = "there is at least one start")]
    Ok(best.expect("at least one start"))
}

/// Rows evenly spread over all, on which starts compete where all are many.
struct Part {
    rows: Vec<usize>,
    sample: Sample,
}

impl Part {
    fn draw(all: &Sample) -> CandleResult<Self> {
        let (points, count) = (&all.points, all.points.rows());
        let rows: Vec<usize> = (0..ROWS_OF_A_START).map(|index| index * count / ROWS_OF_A_START).collect();
        let values = gather(points.values(), points.columns(), &rows);
        let device = points.on_device().map_or(&Device::Cpu, Tensor::device);
        Ok(Self { rows, sample: Sample::new(values, points.columns(), device)? })
    }
}

/// Returns the few columns in which rows fall apart into clusters most clearly, those of the lowest kurtosis: among
/// many columns of equal variance, clusters along some of them are lost in the noise of the others. Returns `None` if
/// there are no more columns than that.
fn clustered_columns(values: &[f32], columns: usize) -> Option<Vec<f32>> {
    if columns <= CLUSTERED_COLUMNS {
        return None;
    }
    let rows = (values.len() / columns) as f64;
    let mut means = vec![0.0; columns];
    for row in values.chunks_exact(columns) {
        for (mean, value) in means.iter_mut().zip(row) {
            *mean += f64::from(*value) / rows;
        }
    }
    let (mut second, mut fourth) = (vec![0.0; columns], vec![0.0; columns]);
    for row in values.chunks_exact(columns) {
        for (column, (value, mean)) in row.iter().zip(&means).enumerate() {
            let square = (f64::from(*value) - mean) * (f64::from(*value) - mean);
            second[column] += square;
            fourth[column] += square * square;
        }
    }
    let kurtosis = |column: usize| {
        // A column that does not vary tells nothing.
        if second[column] > 0.0 { fourth[column] / (second[column] * second[column]) } else { f64::INFINITY }
    };
    let mut clustered: Vec<(usize, f64)> = (0..columns).map(|column| (column, kurtosis(column))).collect();
    clustered.sort_by(|a, b| a.1.total_cmp(&b.1));
    let rows = values.chunks_exact(columns);
    Some(rows.flat_map(|row| clustered[..CLUSTERED_COLUMNS].iter().map(|(column, _)| row[*column])).collect())
}

struct State<E> {
    fit: Fit<E>,
    log_likelihood: f64,
}

impl<E: Evidence> State<E> {
    /// Returns the maximum of the likelihood for known components of every row.
    fn assigned(
        sample: &Sample,
        shape: Shape,
        assignment: &[u32],
        components: usize,
        mut evidence: E,
    ) -> CandleResult<Self> {
        let dims = sample.points.columns();
        let values = sample.points.values();
        let (means, counts) = means_of_clusters(values, dims, assignment, components);
        // The tails weigh rows only once there is a mixture.
        let normal = Shape { freedom: None, ..shape };
        let mut statistics = Statistics::new(normal, means.clone(), dims);
        // Factors start from the principal axes of clusters, not from sums.
        let is_low_rank = matches!(shape.covariance, Covariance::LowRank(_));
        let mut shares = vec![[0.0; BLOCK]; components];
        for (block, assignment) in assignment.chunks(BLOCK).enumerate() {
            shares.fill([0.0; BLOCK]);
            for (lane, component) in assignment.iter().enumerate() {
                shares[*component as usize][lane] = 1.0;
            }
            let start = block * BLOCK;
            if !is_low_rank {
                statistics.add(&values[start * dims..(start + assignment.len()) * dims], &shares, &shares);
            }
            evidence.observe(start, &shares);
        }
        evidence.maximize(components);
        let mixture = match shape.covariance {
            Covariance::LowRank(rank) => {
                let least = LEAST_VARIANCE * sample.moments.mean_square;
                let factors = low_rank::of_clusters(values, assignment, &means, (dims, rank), least);
                Mixture::new(shape.covariance, log_weights(&counts, sample.moments.rows), means, factors)?
            }
            Covariance::Diagonal | Covariance::Tied | Covariance::Full => statistics.maximize(sample)?,
        };
        let mixture = mixture.with_freedom(shape.freedom)?;
        Ok(Self { fit: Fit { mixture, evidence }, log_likelihood: f64::NEG_INFINITY })
    }

    fn ascend(&mut self, sample: &Sample, rounds: usize, tolerance: f64) -> CandleResult<()> {
        for _ in 0..rounds {
            let Fit { mixture, evidence } = &self.fit;
            let mut next = evidence.clone();
            let mut statistics = Statistics::for_mixture(mixture);
            let mut pass = Pass::new(mixture, &sample.points)?;
            let mut total = 0.0;
            while let Some(rows) = pass.next() {
                evidence.add_log_likelihoods(rows.start, &mut pass.joint);
                total += pass.normalise().iter().sum::<f64>();
                next.observe(rows.start, &pass.responsibilities);
                pass.add_to(&mut statistics);
            }
            let log_likelihood = total / sample.points.rows() as f64;
            let gain = log_likelihood - self.log_likelihood;
            self.log_likelihood = log_likelihood;
            if gain < tolerance {
                break;
            }
            next.maximize(mixture.components());
            self.fit = Fit { mixture: statistics.maximize(sample)?, evidence: next };
        }
        Ok(())
    }
}

/// Returns the mean of the rows of every cluster, `[K, d]`, 0 of none, and their numbers.
fn means_of_clusters(values: &[f32], dims: usize, assignment: &[u32], clusters: usize) -> (Vec<f32>, Vec<f64>) {
    let (mut sums, mut counts) = (vec![0.0; clusters * dims], vec![0.0f64; clusters]);
    for (row, cluster) in values.chunks_exact(dims).zip(assignment) {
        counts[*cluster as usize] += 1.0;
        for (sum, value) in sums[*cluster as usize * dims..][..dims].iter_mut().zip(row) {
            *sum += f64::from(*value);
        }
    }
    for (sums, count) in sums.chunks_exact_mut(dims).zip(&counts) {
        for sum in sums {
            *sum /= count.max(1.0);
        }
    }
    (single(&sums), counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsmi_core::random::stream;
    use rand_distr::{Distribution, StandardNormal};

    const LIMITS: Limits = Limits { starts: STARTS, rounds: 200, tolerance: 1e-6 };

    /// Two components, at -3 and 3 in the first of two dimensions, with standard deviations 1 and 2 in the second.
    fn two_components(rows: usize, seed: u64) -> Sample {
        let mut random = stream(seed, "two components");
        let mut values = Vec::new();
        for row in 0..rows {
            let side = if row % 4 == 0 { -1.0 } else { 1.0 };
            let noise: [f64; 2] = [StandardNormal.sample(&mut random), StandardNormal.sample(&mut random)];
            values.extend(single(&[3.0 * side + noise[0], noise[1] * (1.5 + 0.5 * side)]));
        }
        Sample::new(values, 2, &Device::Cpu).unwrap()
    }

    fn fitted(sample: &Sample, covariance: Covariance, components: usize) -> Mixture {
        let mut random = stream(0, "fit");
        let start = Start::Clusters { components, random: &mut random };
        fit(sample, covariance.into(), start, &NoEvidence, LIMITS).unwrap().mixture
    }

    #[test]
    fn full_covariances_reach_the_entropy_of_the_truth() {
        let mixture = fitted(&two_components(4000, 0), Covariance::Full, 2);
        let fresh = two_components(4000, 1);
        let surprisal = -mixture.log_density(&fresh.points).unwrap().iter().sum::<f64>() / 4000.0;
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
            mixture.log_density(&sample.points).unwrap().iter().sum::<f64>() / 4000.0
        };
        assert!(mean(Covariance::Full, 2) > mean(Covariance::Tied, 2));
        assert!(mean(Covariance::Tied, 2) > mean(Covariance::Tied, 1));
        assert!(mean(Covariance::Diagonal, 2) > mean(Covariance::Diagonal, 1));
    }

    #[test]
    fn rows_all_alike_give_a_finite_density() {
        let sample = Sample::new(vec![1.0; 40], 2, &Device::Cpu).unwrap();
        for covariance in [Covariance::Diagonal, Covariance::Tied, Covariance::Full] {
            let density = fitted(&sample, covariance, 3).log_density(&sample.points).unwrap();
            assert!(density.iter().all(|value| value.is_finite()), "{covariance}");
        }
    }
}
