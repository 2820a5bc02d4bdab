//! Low-rank covariances: independent noise in every coordinate and a few common factors, so that a component in many
//! dimensions costs `d q` numbers and not `d^2`.
//!
//! A component is `N(m, D + V V')` with diagonal `D` and `V [d, q]` (factor analysis). In coordinates scaled by the noise,
//! `z = D^-1/2 (x - m)` and `U = D^-1/2 V`, the factors of a row are `w = (I + U'U)^-1 U'z` and its squared distance is
//! `|z - U w|^2 + |w|^2`, which loses no digits where the factors are large. Expectation maximisation regresses rows on their
//! factors (Ghahramani, Hinton 1996, eq. 5 to 9); it starts from the principal axes of clusters.

use faer::linalg::matmul::matmul;
use faer::linalg::solvers::Solve;
use faer::{Accum, Mat, MatMut, MatRef, Par, Side};

use super::kernels::BLOCK;
use crate::densities::points::{gather, single};
use crate::numbers::simd_math::vectorised;

/// Rounds of subspace iteration that look for principal axes.
const ROUNDS: usize = 4;
/// The least share of a coordinate's variance that is noise at the start.
const LEAST_NOISE: f64 = 0.05;

/// Low-rank components: views of a mixture's factors `[K, d, 1 + q]`, the inverse deviation of the noise and then `U`.
#[derive(Clone, Copy)]
pub(super) struct Component<'a> {
    factors: &'a [f32],
    /// `(I + U'U)^-1`, `[q, q]`.
    posterior: &'a [f32],
    mean: &'a [f32],
    rank: usize,
}

/// The rows of a component in its own coordinates.
pub(super) struct Scratch {
    /// `z`, then `z - U w`, `[BLOCK, d]`.
    pub(super) scaled: Vec<f32>,
    /// `U'z`, `[BLOCK, q]`.
    projected: Vec<f32>,
    /// `w`, `[BLOCK, q]`.
    pub(super) weights: Vec<f32>,
    /// The inverse deviations of a component's noise, `[d]`.
    scales: Vec<f32>,
}

impl Scratch {
    pub(super) fn new(dims: usize, rank: usize) -> Self {
        Self {
            scaled: vec![0.0; BLOCK * dims],
            projected: vec![0.0; BLOCK * rank],
            weights: vec![0.0; BLOCK * rank],
            scales: vec![0.0; dims],
        }
    }
}

/// Returns `(I + U'U)^-1`, `[q, q]`, and `log det (I + U'U)` of a component's factors `[d, 1 + q]`; `None` if they are
/// not finite.
pub(super) fn posterior(factors: &[f32], rank: usize) -> Option<(Vec<f32>, f64)> {
    let mut precision = Mat::<f64>::identity(rank, rank);
    for row in factors.chunks_exact(rank + 1) {
        for (left, of_left) in row[1..].iter().enumerate() {
            for (right, of_right) in row[1..].iter().enumerate() {
                precision[(left, right)] += f64::from(*of_left) * f64::from(*of_right);
            }
        }
    }
    let factor = precision.llt(Side::Lower).ok()?;
    let log_determinant = (0..rank).map(|index| 2.0 * factor.L()[(index, index)].ln()).sum::<f64>();
    let inverse = factor.solve(Mat::<f64>::identity(rank, rank));
    let values: Vec<f64> = (0..rank * rank).map(|index| inverse[(index / rank, index % rank)]).collect();
    log_determinant.is_finite().then(|| (single(&values), log_determinant))
}

impl<'a> Component<'a> {
    pub(super) fn new(factors: &'a [f32], posterior: &'a [f32], mean: &'a [f32], rank: usize) -> Self {
        Self { factors, posterior, mean, rank }
    }

    /// Computes `z` and `w` of rows `[count, d]`.
    pub(super) fn explain(&self, rows: &[f32], scratch: &mut Scratch) {
        let (dims, rank) = (self.mean.len(), self.rank);
        let count = rows.len() / dims;
        for (scale, factors) in scratch.scales.iter_mut().zip(self.factors.chunks_exact(rank + 1)) {
            *scale = factors[0];
        }
        let (scaled, scales) = (&mut scratch.scaled, &scratch.scales[..dims]);
        vectorised(
            #[inline(always)]
            || {
                for row in 0..count {
                    let (scaled, row) = (&mut scaled[row * dims..][..dims], &rows[row * dims..][..dims]);
                    for dim in 0..dims {
                        scaled[dim] = (row[dim] - self.mean[dim]) * scales[dim];
                    }
                }
            },
        );
        let projected = &mut scratch.projected[..count * rank];
        matmul(
            MatMut::from_row_major_slice_mut(projected, count, rank),
            Accum::Replace,
            MatRef::from_row_major_slice(&scratch.scaled[..count * dims], count, dims),
            self.loadings(),
            1.0,
            Par::Seq,
        );
        matmul(
            MatMut::from_row_major_slice_mut(&mut scratch.weights[..count * rank], count, rank),
            Accum::Replace,
            MatRef::from_row_major_slice(projected, count, rank),
            MatRef::from_row_major_slice(self.posterior, rank, rank),
            1.0,
            Par::Seq,
        );
    }

    /// Computes the squared distances of rows `[count, d]`.
    pub(super) fn squared_distances(&self, rows: &[f32], scratch: &mut Scratch, distances: &mut [f32]) {
        let (dims, rank) = (self.mean.len(), self.rank);
        let count = rows.len() / dims;
        self.explain(rows, scratch);
        matmul(
            MatMut::from_row_major_slice_mut(&mut scratch.scaled[..count * dims], count, dims),
            Accum::Add,
            MatRef::from_row_major_slice(&scratch.weights[..count * rank], count, rank),
            self.loadings().transpose(),
            -1.0,
            Par::Seq,
        );
        vectorised(
            #[inline(always)]
            || {
                for (row, distance) in distances[..count].iter_mut().enumerate() {
                    let rest = &scratch.scaled[row * dims..][..dims];
                    *distance = sum_of_squares(rest) + sum_of_squares(&scratch.weights[row * rank..][..rank]);
                }
            },
        );
    }

    fn loadings(&self) -> MatRef<'a, f32> {
        let (dims, width) = (self.mean.len(), self.rank + 1);
        MatRef::from_row_major_slice(self.factors, dims, width).subcols(1, self.rank)
    }
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
fn sum_of_squares(values: &[f32]) -> f32 {
    // Sixteen running sums let the compiler use vector registers.
    let mut sums = [0.0f32; 16];
    let (chunks, rest) = values.as_chunks::<16>();
    for chunk in chunks {
        for lane in 0..16 {
            sums[lane] += chunk[lane] * chunk[lane];
        }
    }
    for (lane, value) in rest.iter().enumerate() {
        sums[lane] += value * value;
    }
    sums.iter().sum()
}

/// Returns the mean and the factors `[d, 1 + q]` of a component that maximise the expected likelihood, from those
/// before and sums over its rows of `count`; `least` is the least variance of noise.
///
/// `cross` is the sum of `z (w, 1)'`, `[d, 1 + q]`, `second` that of `(w, 1) (w, 1)'`, `squares` that of `z^2`.
pub(super) fn maximize(
    before: Component<'_>,
    count: f64,
    cross: &[f64],
    second: &[f64],
    squares: &[f64],
    least: f64,
) -> Option<(Vec<f32>, Vec<f32>)> {
    let (dims, rank, width) = (before.mean.len(), before.rank, before.rank + 1);
    let mut moments = Mat::from_fn(width, width, |row, column| second[row * width + column]);
    for row in 0..rank {
        for column in 0..rank {
            moments[(row, column)] += count * f64::from(before.posterior[row * rank + column]);
        }
    }
    let cross_product = MatRef::from_row_major_slice(cross, dims, width);
    let loadings = moments.llt(Side::Lower).ok()?.solve(cross_product.transpose());
    let (mut mean, mut factors) = (Vec::with_capacity(dims), Vec::with_capacity(dims * width));
    for dim in 0..dims {
        let scale = f64::from(before.factors[dim * width]);
        let explained: f64 = (0..width).map(|column| loadings[(column, dim)] * cross[dim * width + column]).sum();
        let noise = ((squares[dim] - explained) / count).max(least * scale * scale).sqrt();
        mean.push(f64::from(before.mean[dim]) + loadings[(rank, dim)] / scale);
        factors.push(scale / noise);
        factors.extend((0..rank).map(|column| loadings[(column, dim)] / noise));
    }
    let is_finite = mean.iter().chain(&factors).all(|value| value.is_finite());
    is_finite.then(|| (single(&mean), single(&factors)))
}

/// Factors `[K, d, 1 + q]` from the principal axes of the rows of every cluster about its mean.
pub(super) fn of_clusters(
    values: &[f32],
    assignment: &[u32],
    means: &[f32],
    (dims, rank): (usize, usize),
    least: f64,
) -> Vec<f32> {
    let of_cluster = |(cluster, mean): (usize, &[f32])| {
        let rows: Vec<usize> = (0..assignment.len()).filter(|row| assignment[*row] as usize == cluster).collect();
        of_rows(&gather(values, dims, &rows), mean, rank, least)
    };
    means.chunks_exact(dims).enumerate().flat_map(of_cluster).collect()
}

/// Factors `[d, 1 + q]` from the principal axes of rows `[n, d]` about their mean; `least` is the least variance of noise.
fn of_rows(rows: &[f32], mean: &[f32], rank: usize, least: f64) -> Vec<f32> {
    let dims = mean.len();
    let count = rows.len() / dims;
    let centred: Vec<f32> = rows.iter().zip(mean.iter().cycle()).map(|(value, mean)| value - mean).collect();
    let centred = MatRef::from_row_major_slice(&centred, count, dims);
    let least = least.max(f64::from(f32::MIN_POSITIVE));
    let variance = |dim: usize| {
        let squares: f64 = (0..count).map(|row| f64::from(centred[(row, dim)]).powi(2)).sum();
        (squares / count.max(1) as f64).max(least)
    };
    let variances: Vec<f64> = (0..dims).map(variance).collect();
    let loadings = principal_axes(centred, rank);
    let mut factors = Vec::with_capacity(dims * (rank + 1));
    for (dim, variance) in variances.into_iter().enumerate() {
        let loading_at = |column: usize| loadings.as_ref().map_or(0.0, |loadings| f64::from(loadings[(dim, column)]));
        let common: f64 = (0..rank).map(|column| loading_at(column).powi(2)).sum();
        let noise = (variance - common).max(LEAST_NOISE * variance).sqrt();
        factors.push(noise.recip());
        factors.extend((0..rank).map(|column| loading_at(column) / noise));
    }
    single(&factors)
}

/// Returns the leading `rank` principal axes `[d, rank]` of centred rows, each as long as the deviation along it;
/// `None` if there are too few rows.
fn principal_axes(centred: MatRef<'_, f32>, rank: usize) -> Option<Mat<f32>> {
    let count = centred.nrows();
    if count <= rank {
        return None;
    }
    // Rows themselves span what their covariance does.
    let mut axes = Mat::from_fn(centred.ncols(), rank, |dim, column| centred[(column * count / rank, dim)]);
    for _ in 0..ROUNDS {
        axes = axes.qr().compute_thin_Q();
        axes = centred.transpose() * (centred * &axes);
    }
    axes = axes.qr().compute_thin_Q();
    let projected = centred * &axes;
    let within = projected.transpose() * &projected;
    let eigen = within.self_adjoint_eigen(Side::Lower).ok()?;
    let mut turned = &axes * eigen.U();
    for column in 0..rank {
        let deviation = (eigen.S()[column].max(0.0) / count as f32).sqrt();
        for dim in 0..turned.nrows() {
            turned[(dim, column)] *= deviation;
        }
    }
    let is_finite = (0..rank).all(|column| (0..turned.nrows()).all(|dim| turned[(dim, column)].is_finite()));
    is_finite.then_some(turned)
}

#[cfg(test)]
mod tests {
    use super::super::{Covariance, Limits, Mixture, NoEvidence, STARTS, Sample, Start, fit};
    use super::*;
    use candle_core::Device;
    use lsmi_core::random::stream;
    use rand_distr::{Distribution, StandardNormal};

    const DIMS: usize = 30;

    /// Rows with two common factors, of deviation 3 in each coordinate together, and noise of deviation 0.5.
    fn rows(count: usize, seed: u64) -> Vec<f32> {
        let mut of_loadings = stream(0, "loadings");
        let loadings: Vec<f64> = (0..DIMS * 2).map(|_| StandardNormal.sample(&mut of_loadings)).collect();
        let mut random = stream(seed, "rows");
        let mut normal = || -> f64 { StandardNormal.sample(&mut random) };
        let mut values = Vec::new();
        for _ in 0..count {
            let factors = [normal(), normal()];
            for loading in loadings.chunks_exact(2) {
                values.push(2.0 * (loading[0] * factors[0] + loading[1] * factors[1]) + 0.5 * normal() + 1.0);
            }
        }
        single(&values)
    }

    fn surprisal(train: &Sample, covariance: Covariance, fresh: &Sample) -> f64 {
        let start = Start::Clusters { components: 1, random: &mut stream(0, "fit") };
        let limits = Limits { starts: STARTS, rounds: 100, tolerance: 1e-6 };
        let mixture = fit(train, covariance.into(), start, &NoEvidence, limits).unwrap().mixture;
        let densities = mixture.log_density(&fresh.points).unwrap();
        -densities.iter().sum::<f64>() / densities.len() as f64
    }

    #[test]
    fn common_factors_are_found() {
        let train = Sample::new(rows(400, 1), DIMS, &Device::Cpu).unwrap();
        let fresh = Sample::new(rows(4000, 2), DIMS, &Device::Cpu).unwrap();
        let of = |covariance| surprisal(&train, covariance, &fresh);
        let many = Sample::new(rows(20_000, 3), DIMS, &Device::Cpu).unwrap();
        // With 20,000 rows 495 parameters of a full covariance cost 495 / 40,000 = .012 nats; with 400, .6.
        let truth = surprisal(&many, Covariance::Tied, &fresh);
        let low_rank = of(Covariance::LowRank(2));
        // 30 means, 30 noises and 60 factors from 400 rows cost 120 / 800 = .15 nats.
        assert!(low_rank < truth + 0.25, "{low_rank} against {truth}");
        assert!(of(Covariance::LowRank(1)) > truth + 5.0);
        assert!(of(Covariance::Diagonal) > truth + 10.0);
    }

    #[test]
    fn a_known_component_has_its_density() {
        // Two coordinates with noise of deviation 1 and 2 and one factor (3, 1): covariance ((10, 3), (3, 5)).
        let factors = vec![1.0, 3.0, 0.5, 0.5];
        let mixture = Mixture::new(Covariance::LowRank(1), vec![0.0], vec![1.0, -1.0], factors).unwrap();
        let rows = Sample::new(vec![2.0, 1.0], 2, &Device::Cpu).unwrap();
        // The inverse is ((5, -3), (-3, 10)) / 41, and the row is (1, 2) off the mean.
        let square = (5.0 - 2.0 * 6.0 + 40.0) / 41.0;
        let expected = -0.5 * (square + 41.0f64.ln()) - std::f64::consts::TAU.ln();
        assert!((mixture.log_density(&rows.points).unwrap()[0] - expected).abs() < 1e-6);
    }

    #[test]
    fn clusters_with_few_rows_are_no_failure() {
        let rows = rows(20, 4);
        let sample = Sample::new(rows, DIMS, &Device::Cpu).unwrap();
        for components in [1, 4] {
            let start = Start::Clusters { components, random: &mut stream(0, "fit") };
            let limits = Limits { starts: STARTS, rounds: 20, tolerance: 1e-6 };
            let fitted = fit(&sample, Covariance::LowRank(8).into(), start, &NoEvidence, limits).unwrap();
            assert!(fitted.mixture.log_density(&sample.points).unwrap().iter().all(|value| value.is_finite()));
        }
    }
}
