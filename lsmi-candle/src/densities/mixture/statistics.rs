//! Sufficient statistics of a mixture's fit, and the weights, means and covariances that maximise the likelihood given them.
//!
//! They are sums over rows, so that those of several parts of the data add up. Sums over some blocks are f32, as the products
//! are, and those of all f64. Tied covariances are shrunk towards a sphere; full ones towards the tied one, as if `d` rows
//! of every component had been seen with it.

use candle_core::Result as CandleResult;
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use super::covariance::{ridged_factor, shrink_to_sphere};
use super::kernels::{BLOCK, Lanes};
use super::low_rank::{self, Scratch};
use super::{Covariance, Mixture, Sample, Shape};
use crate::densities::points::single;
use crate::numbers::linear_algebra::{add_second_moments, mirror};
use crate::numbers::simd_math::vectorised;

/// A component with less than this many rows keeps no mean of its own.
const LEAST_ROWS: f64 = 1e-3;
/// The share of the variance of all rows that variances of a diagonal covariance, or of the noise beside common
/// factors, do not fall below.
pub(super) const LEAST_VARIANCE: f64 = 1e-6;
/// Blocks whose sums are added up in f32.
const BLOCKS_OF_A_SUM: usize = 32;
/// The weight below which rows add nothing to a full covariance that f32 could hold.
const LEAST_SHARE: f32 = 1e-12;

/// Sums over rows, for each of `K` components.
pub(super) struct Statistics<'a> {
    shape: Shape,
    dims: usize,
    /// The centres of the moments, `[K, d]`; for a stable sum, the means before.
    centres: Vec<f32>,
    /// The mixture before, whose factors explain the rows of components of low rank.
    before: Option<&'a Mixture>,
    /// Rows of each component.
    pub(super) counts: Vec<f64>,
    /// Weights of rows in the moments of each component; with normal components the same.
    shares: Vec<f64>,
    /// Weighted sums of rows less the centre, `[K, d]`.
    sums: Sum,
    /// Weighted second moments: about the centres, `[K, d, d]` (full) or the diagonals `[K, d]` (diagonal); about 0 and
    /// over all components `[d, d]` (tied, in heavy tails; else those of all rows are known). Of low rank, for each
    /// component, the inputs of [`low_rank::maximize`]: `[d, 1 + q]`, `[1 + q, 1 + q]` and `[d]`, one after the other.
    moments: Sum,
    blocks: usize,
    /// Weighted rows of one component, `[BLOCK, d]`.
    weighted: Vec<f32>,
    explained: Option<Scratch>,
}

/// A sum whose latest terms are f32.
struct Sum {
    latest: Vec<f32>,
    total: Vec<f64>,
}

impl Sum {
    fn new(length: usize) -> Self {
        Self { latest: vec![0.0; length], total: vec![0.0; length] }
    }

    fn settle(&mut self) {
        for (total, latest) in self.total.iter_mut().zip(&mut self.latest) {
            *total += f64::from(std::mem::take(latest));
        }
    }
}

impl<'a> Statistics<'a> {
    /// Creates the statistics of no rows, to improve a mixture.
    pub(super) fn for_mixture(mixture: &'a Mixture) -> Self {
        Self { before: Some(mixture), ..Self::new(mixture.shape, mixture.means.clone(), mixture.dims()) }
    }

    /// Creates the statistics of no rows. `centres` are near the means, `[K, d]`.
    pub(super) fn new(shape: Shape, centres: Vec<f32>, dims: usize) -> Self {
        let components = centres.len() / dims;
        let moments = match (shape.covariance, shape.freedom) {
            (Covariance::Tied, None) => 0,
            (Covariance::Tied, Some(_)) => dims * dims,
            (Covariance::Diagonal, _) => components * dims,
            (Covariance::Full, _) => components * dims * dims,
            (Covariance::LowRank(rank), _) => components * low_rank_length(dims, rank),
        };
        Self {
            shape,
            dims,
            counts: vec![0.0; components],
            shares: vec![0.0; components],
            sums: Sum::new(components * dims),
            moments: Sum::new(moments),
            blocks: 0,
            weighted: vec![0.0; BLOCK * dims],
            centres,
            before: None,
            explained: None,
        }
    }

    /// Adds a block of rows `[count, d]`, row-major, with responsibilities and the weights in moments, both `[K][BLOCK]`.
    pub(super) fn add(&mut self, rows: &[f32], responsibilities: &[Lanes<f32>], shares: &[Lanes<f32>]) {
        let count = rows.len() / self.dims;
        add_sums_of_rows(&mut self.counts, responsibilities);
        add_sums_of_rows(&mut self.shares, shares);
        match self.shape.covariance {
            Covariance::Full => {
                for (component, shares) in shares.iter().enumerate() {
                    self.add_to_component(component, rows, &shares[..count]);
                }
            }
            Covariance::LowRank(rank) => {
                let mut scratch = self.explained.take().unwrap_or_else(|| Scratch::new(self.dims, rank));
                for (component, shares) in shares.iter().enumerate() {
                    self.add_to_low_rank(component, rank, rows, &shares[..count], &mut scratch);
                }
                self.explained = Some(scratch);
            }
            Covariance::Tied => {
                self.add_rows(rows, shares, count);
                if self.shape.freedom.is_some() {
                    self.add_to_tied(rows, shares);
                }
            }
            Covariance::Diagonal => {
                self.add_rows(rows, shares, count);
                let weighted = &mut self.weighted[..rows.len()];
                vectorised(
                    #[inline(always)]
                    || {
                        for (square, value) in weighted.iter_mut().zip(rows) {
                            *square = value * value;
                        }
                    },
                );
                add_product(&mut self.moments.latest, shares, weighted, count, self.dims);
            }
        }
        self.blocks += 1;
        if self.blocks.is_multiple_of(BLOCKS_OF_A_SUM) {
            self.settle();
        }
    }

    fn settle(&mut self) {
        self.sums.settle();
        self.moments.settle();
    }

    /// Adds the products of shares and rows: `sums += shares rows`.
    fn add_rows(&mut self, rows: &[f32], shares: &[Lanes<f32>], count: usize) {
        add_product(&mut self.sums.latest, shares, rows, count, self.dims);
    }

    /// Adds first and second moments of the rows about a component's centre; rows without weight are left out.
    fn add_to_component(&mut self, component: usize, rows: &[f32], shares: &[f32]) {
        let dims = self.dims;
        let centre = &self.centres[component * dims..][..dims];
        let sums = &mut self.sums.latest[component * dims..][..dims];
        let weighted = &mut self.weighted;
        let mut kept = 0;
        vectorised(
            #[inline(always)]
            || {
                for (row, share) in shares.iter().enumerate() {
                    if *share <= LEAST_SHARE {
                        continue;
                    }
                    let root = share.sqrt();
                    let (row, weighted) = (&rows[row * dims..][..dims], &mut weighted[kept * dims..][..dims]);
                    for column in 0..dims {
                        let scaled = root * (row[column] - centre[column]);
                        weighted[column] = scaled;
                        sums[column] += root * scaled;
                    }
                    kept += 1;
                }
            },
        );
        if kept == 0 {
            return;
        }
        let moments = &mut self.moments.latest[component * dims * dims..][..dims * dims];
        add_second_moments(moments, &self.weighted[..kept * dims], dims);
    }

    /// Adds the sums for the regression of a component's rows on its factors; rows without weight are left out.
    fn add_to_low_rank(&mut self, component: usize, rank: usize, rows: &[f32], shares: &[f32], scratch: &mut Scratch) {
        let Some(before) = self.before else { return };
        let (dims, width) = (self.dims, rank + 1);
        let kept: Vec<usize> = (0..shares.len()).filter(|row| shares[*row] > LEAST_SHARE).collect();
        if kept.is_empty() {
            return;
        }
        for (weighted, row) in self.weighted.chunks_exact_mut(dims).zip(&kept) {
            weighted.copy_from_slice(&rows[row * dims..][..dims]);
        }
        let weighted = &mut self.weighted[..kept.len() * dims];
        before.low_rank(component, rank).explain(weighted, scratch);
        // Both sides of every product are weighted by the root.
        let mut regressors = Vec::with_capacity(kept.len() * width);
        let explained = scratch.scaled.chunks_exact(dims).zip(scratch.weights.chunks_exact(rank));
        for ((weighted, row), (scaled, factors)) in weighted.chunks_exact_mut(dims).zip(&kept).zip(explained) {
            let root = shares[*row].sqrt();
            for (weighted, scaled) in weighted.iter_mut().zip(scaled) {
                *weighted = root * scaled;
            }
            regressors.extend(factors.iter().chain(&[1.0]).map(|factor| root * factor));
        }
        let length = low_rank_length(dims, rank);
        let sums = &mut self.moments.latest[component * length..][..length];
        let (cross, rest) = sums.split_at_mut(dims * width);
        let (second, squares) = rest.split_at_mut(width * width);
        let regressors = MatRef::from_row_major_slice(&regressors, kept.len(), width);
        let explained = MatRef::from_row_major_slice(weighted, kept.len(), dims);
        for (sums, left, size) in [(cross, explained, dims), (second, regressors, width)] {
            let sums = MatMut::from_row_major_slice_mut(sums, size, width);
            matmul(sums, Accum::Add, left.transpose(), regressors, 1.0, Par::Seq);
        }
        for weighted in weighted.chunks_exact(dims) {
            for (sum, value) in squares.iter_mut().zip(weighted) {
                *sum += value * value;
            }
        }
    }

    /// Adds second moments about 0 of rows weighted by all components together.
    fn add_to_tied(&mut self, rows: &[f32], shares: &[Lanes<f32>]) {
        let mut row_weights = [0.0f32; BLOCK];
        for shares in shares {
            for (sum, share) in row_weights.iter_mut().zip(shares) {
                *sum += share;
            }
        }
        let weighted = &mut self.weighted[..rows.len()];
        let row_weights = rows.chunks_exact(self.dims).zip(&row_weights);
        for (weighted, (row, share)) in weighted.chunks_exact_mut(self.dims).zip(row_weights) {
            let root = share.sqrt();
            for (weighted, value) in weighted.iter_mut().zip(row) {
                *weighted = root * value;
            }
        }
        add_second_moments(&mut self.moments.latest, weighted, self.dims);
    }

    /// Returns the mixture that maximises the expected likelihood of the rows, which are those of `sample`.
    pub(super) fn maximize(mut self, sample: &Sample) -> CandleResult<Mixture> {
        self.settle();
        let (dims, components) = (self.dims, self.counts.len());
        let is_full = self.shape.covariance == Covariance::Full;
        let mut means = vec![0.0; components * dims];
        for (index, mean) in means.iter_mut().enumerate() {
            let share = self.shares[index / dims];
            if share > LEAST_ROWS {
                *mean = self.sums.total[index] / share;
                if is_full {
                    *mean += f64::from(self.centres[index]);
                }
            }
        }
        let factors = match self.shape.covariance {
            Covariance::Tied => self.tied_factor(&means, sample),
            Covariance::Diagonal => self.diagonal_factors(&means, sample),
            Covariance::Full => self.full_factors(sample),
            Covariance::LowRank(rank) => return self.low_rank(rank, sample),
        };
        Mixture::new(
            self.shape.covariance,
            log_weights(&self.counts, sample.moments.rows),
            single(&means),
            single(&factors),
        )?
        .with_freedom(self.shape.freedom)
    }

    /// Components of low rank; one without rows, or whose regression fails, stays as it was.
    fn low_rank(&self, rank: usize, sample: &Sample) -> CandleResult<Mixture> {
        let Some(before) = self.before else {
            candle_core::bail!("mixture: factors of low rank are improved from some before, and there are none")
        };
        let (dims, width) = (self.dims, rank + 1);
        let least = sample.moments.mean_square * LEAST_VARIANCE;
        let (mut means, mut factors) = (Vec::new(), Vec::new());
        for (component, sums) in self.moments.total.chunks_exact(low_rank_length(dims, rank)).enumerate() {
            let (cross, rest) = sums.split_at(dims * width);
            let (second, squares) = rest.split_at(width * width);
            let component_before = before.low_rank(component, rank);
            let count = self.counts[component];
            let improved = (count > LEAST_ROWS)
                .then(|| low_rank::maximize(component_before, count, cross, second, squares, least))
                .flatten();
            if let Some((mean, of_mean)) = improved {
                means.extend(mean);
                factors.extend(of_mean);
            } else {
                means.extend_from_slice(&before.means[component * dims..][..dims]);
                factors.extend_from_slice(&before.factors[component * dims * width..][..dims * width]);
            }
        }
        Mixture::new(self.shape.covariance, log_weights(&self.counts, sample.moments.rows), means, factors)?
            .with_freedom(self.shape.freedom)
    }

    fn tied_factor(&self, means: &[f64], sample: &Sample) -> Vec<f64> {
        let dims = self.dims;
        let mut tied =
            if self.shape.freedom.is_some() { self.moments.total.clone() } else { sample.second_moments().to_vec() };
        for (mean, share) in means.chunks_exact(dims).zip(&self.shares) {
            for (row, left) in mean.iter().enumerate() {
                for (moment, right) in tied[row * dims..][..=row].iter_mut().zip(mean) {
                    *moment -= share * left * right;
                }
            }
        }
        for value in &mut tied {
            *value /= sample.moments.rows;
        }
        mirror(&mut tied, dims);
        shrink_to_sphere(&mut tied, dims, (sample.moments.rows - self.counts.len() as f64).max(1.0));
        ridged_factor(&tied, dims, sample.moments.mean_square)
    }

    fn diagonal_factors(&self, means: &[f64], sample: &Sample) -> Vec<f64> {
        let least = sample.moments.mean_square * LEAST_VARIANCE;
        let variance = |index: usize| {
            let component = index / self.dims;
            let (count, share) = (self.counts[component].max(LEAST_ROWS), self.shares[component]);
            ((self.moments.total[index] - share * means[index] * means[index]) / count).max(least)
        };
        (0..means.len()).map(|index| variance(index).sqrt().recip()).collect()
    }

    fn full_factors(&mut self, sample: &Sample) -> Vec<f64> {
        let dims = self.dims;
        let mut tied = vec![0.0; dims * dims];
        for (component, scatter) in self.moments.total.chunks_exact_mut(dims * dims).enumerate() {
            let (sums, share) = (&self.sums.total[component * dims..][..dims], self.shares[component]);
            if share > LEAST_ROWS {
                for (row, left) in sums.iter().enumerate() {
                    for (moment, right) in scatter[row * dims..][..=row].iter_mut().zip(sums) {
                        *moment -= left * right / share;
                    }
                }
            }
            mirror(scatter, dims);
            for (total, value) in tied.iter_mut().zip(&*scatter) {
                *total += value / sample.moments.rows;
            }
        }
        shrink_to_sphere(&mut tied, dims, (sample.moments.rows - self.counts.len() as f64).max(1.0));
        let prior = dims as f64;
        let mut factors = Vec::with_capacity(self.moments.total.len());
        for (scatter, count) in self.moments.total.chunks_exact(dims * dims).zip(&self.counts) {
            let covariance: Vec<f64> =
                scatter.iter().zip(&tied).map(|(own, tied)| (own + prior * tied) / (count + prior)).collect();
            factors.extend(ridged_factor(&covariance, dims, sample.moments.mean_square));
        }
        factors
    }
}

/// Returns the logarithms of weights by rows; every component has some.
pub(super) fn log_weights(counts: &[f64], rows: f64) -> Vec<f64> {
    counts.iter().map(|count| (count.max(LEAST_ROWS) / rows).ln()).collect()
}

/// Returns the number of sums of a component of low rank.
fn low_rank_length(dims: usize, rank: usize) -> usize {
    let width = rank + 1;
    dims * width + width * width + dims
}

/// Adds the sums over the rows of a block.
fn add_sums_of_rows(sums: &mut [f64], values: &[Lanes<f32>]) {
    vectorised(
        #[inline(always)]
        || {
            for (sum, values) in sums.iter_mut().zip(values) {
                let mut lanes = [0.0f32; 16];
                for values in values.as_chunks::<16>().0 {
                    for lane in 0..16 {
                        lanes[lane] += values[lane];
                    }
                }
                *sum += lanes.iter().map(|lane| f64::from(*lane)).sum::<f64>();
            }
        },
    );
}

/// Adds the products of shares and rows: `sums += shares rows`, `[K, d]`, of shares `[K][BLOCK]` and rows `[count, d]`.
fn add_product(sums: &mut [f32], shares: &[Lanes<f32>], rows: &[f32], count: usize, dims: usize) {
    let components = sums.len() / dims;
    matmul(
        MatMut::from_row_major_slice_mut(sums, components, dims),
        Accum::Add,
        MatRef::from_row_major_slice_with_stride(shares.as_flattened(), components, count, BLOCK),
        MatRef::from_row_major_slice(rows, count, dims),
        1.0,
        Par::Seq,
    );
}
