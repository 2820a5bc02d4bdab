//! Features whose inner products approximate a Gaussian kernel, for linear heads that bend.
//!
//! With `m` landmarks `l_j` among the rows and `k(x, y) = exp(-|x - y|^2 / (2 h^2))`, the features are those of Nystroem's
//! method (Williams, Seeger 2001, eq. 6 to 9)
//!
//! ```text
//! f(x) = k(x, l) U D^(-1/2)      K = U D U' with K_ij = k(l_i, l_j)      f(x)' f(y) ~ k(x, y)
//! ```
//!
//! `K^(-1/2)` without its last rotation, which no ridge penalty sees: eigenvectors lie in falling order of eigenvalue, their
//! features are almost uncorrelated, and those of negligible eigenvalues are left out. No feature vector is longer than 1.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use lsmi_core::random::ChaCha8Rng;
use rand::Rng;
use rand::seq::index;

use crate::numbers::linear_algebra::symmetric_eigen;
use crate::numbers::simd_math::{exp, vectorised};

/// The number of rows that are landmarks unless there are fewer.
pub(in crate::heads) const MOST_LANDMARKS: usize = 300;

/// Pairs of rows that the bandwidth is taken from.
const PAIRS: usize = 2000;

/// The least eigenvalue of a feature, as a part of the number of landmarks, which is the sum of all.
const LEAST_EIGENVALUE: f64 = 1e-6;

/// Rows whose features are computed at a time.
const ROWS_OF_A_BLOCK: usize = 512;

/// A map from rows to features.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KernelFeatures {
    /// `[m, columns]`, row-major.
    pub(crate) landmarks: Vec<f32>,
    pub(crate) columns: usize,
    pub(crate) bandwidth: f64,
    /// `U D^(-1/2)`, `[m, features]`, row-major.
    pub(crate) factor: Vec<f32>,
}

impl KernelFeatures {
    /// Draws landmarks, at most `most`, among rows `[n, columns]`; the squared bandwidth is `bandwidth_factor` times
    /// the median squared distance of random pairs of rows.
    ///
    /// `None` without rows or columns, or where values are not finite.
    pub(crate) fn fit(
        values: &[f32],
        columns: usize,
        most_landmarks: usize,
        bandwidth_factor: f64,
        random: &mut ChaCha8Rng,
    ) -> Option<Self> {
        if values.is_empty() || columns == 0 || !values.iter().all(|value| value.is_finite()) {
            return None;
        }
        let rows = values.len() / columns;
        let bandwidth = (bandwidth_factor * median_squared_distance(values, columns, random)).sqrt();
        let mut chosen = index::sample(random, rows, most_landmarks.min(rows)).into_vec();
        chosen.sort_unstable();
        let landmarks: Vec<f32> = chosen.iter().flat_map(|row| &values[row * columns..][..columns]).copied().collect();
        let factor = factor(&landmarks, columns, bandwidth)?;
        Some(Self { landmarks, columns, bandwidth, factor })
    }

    /// Returns the number of features of a row.
    pub(crate) fn features(&self) -> usize {
        self.factor.len() / self.landmarks()
    }

    fn landmarks(&self) -> usize {
        self.landmarks.len() / self.columns
    }

    /// Returns the features `[n, features]` of rows `[n, columns]`, both row-major.
    pub(crate) fn apply(&self, rows: &[f32]) -> Vec<f32> {
        let (landmarks, features) = (self.landmarks(), self.features());
        let factor = MatRef::from_row_major_slice(&self.factor, landmarks, features);
        let mut applied = vec![0.0; rows.len() / self.columns * features];
        let mut kernel = vec![0.0; ROWS_OF_A_BLOCK * landmarks];
        let blocks = rows.chunks(ROWS_OF_A_BLOCK * self.columns);
        for (rows, applied) in blocks.zip(applied.chunks_mut(ROWS_OF_A_BLOCK * features)) {
            let count = rows.len() / self.columns;
            let kernel = &mut kernel[..count * landmarks];
            self.kernel(rows, kernel);
            let kernel = MatRef::from_row_major_slice(kernel, count, landmarks);
            let applied = MatMut::from_row_major_slice_mut(applied, count, features);
            matmul(applied, Accum::Replace, kernel, factor, 1.0, Par::Seq);
        }
        applied
    }

    /// Computes `k(x, l)`, `[rows, m]`, of rows and all landmarks.
    fn kernel(&self, rows: &[f32], kernel: &mut [f32]) {
        let (columns, landmarks) = (self.columns, self.landmarks());
        let scale = single((self.bandwidth * self.bandwidth).recip());
        let halves = |rows: &[f32]| -> Vec<f32> {
            rows.chunks_exact(columns)
                .map(|row| 0.5 * scale * row.iter().map(|value| value * value).sum::<f32>())
                .collect()
        };
        let (row_halves, landmark_halves) = (halves(rows), halves(&self.landmarks));
        matmul(
            MatMut::from_row_major_slice_mut(kernel, row_halves.len(), landmarks),
            Accum::Replace,
            MatRef::from_row_major_slice(rows, row_halves.len(), columns),
            MatRef::from_row_major_slice(&self.landmarks, landmarks, columns).transpose(),
            scale,
            Par::Seq,
        );
        vectorised(
            #[inline(always)]
            || {
                for (kernel, of_row) in kernel.chunks_exact_mut(landmarks).zip(&row_halves) {
                    for (value, of_landmark) in kernel.iter_mut().zip(&landmark_halves) {
                        // -|x - l|^2 / (2 h^2), above 0 by rounding alone.
                        let exponent = *value - of_row - of_landmark;
                        *value = exp(if exponent > 0.0 { 0.0 } else { exponent });
                    }
                }
            },
        );
    }
}

/// Returns `U D^(-1/2)` of the kernel matrix of the landmarks.
fn factor(landmarks: &[f32], columns: usize, bandwidth: f64) -> Option<Vec<f32>> {
    let count = landmarks.len() / columns;
    let mut kernel = vec![1.0; count * count];
    for (index, row) in landmarks.chunks_exact(columns).enumerate() {
        for (other_index, other) in landmarks.chunks_exact(columns).enumerate().take(index) {
            let value = (-0.5 * squared_distance(row, other) / (bandwidth * bandwidth)).exp();
            kernel[index * count + other_index] = value;
            kernel[other_index * count + index] = value;
        }
    }
    let (values, vectors) = symmetric_eigen(&kernel, count)?;
    let kept = values.iter().take_while(|value| **value > LEAST_EIGENVALUE * count as f64).count();
    let mut factor = vec![0.0; count * kept];
    for (feature, (vector, value)) in vectors.chunks_exact(count).zip(&values[..kept]).enumerate() {
        let scale = value.sqrt().recip();
        for (landmark, entry) in vector.iter().enumerate() {
            factor[landmark * kept + feature] = single(entry * scale);
        }
    }
    (kept > 0).then_some(factor)
}

/// Returns the median squared distance of random pairs of rows that differ; 1 where none do.
fn median_squared_distance(values: &[f32], columns: usize, random: &mut ChaCha8Rng) -> f64 {
    let rows = values.len() / columns;
    let mut row = || &values[random.random_range(0..rows) * columns..][..columns];
    let mut distances: Vec<f64> = (0..PAIRS).map(|_| squared_distance(row(), row())).collect();
    distances.retain(|distance| *distance > 0.0);
    distances.sort_unstable_by(f64::total_cmp);
    distances.get(distances.len() / 2).copied().unwrap_or(1.0)
}

fn squared_distance(left: &[f32], right: &[f32]) -> f64 {
    left.iter().zip(right).map(|(left, right)| (f64::from(*left) - f64::from(*right)).powi(2)).sum()
}

#[expect(clippy::cast_possible_truncation, reason = "features are f32 by design")]
fn single(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heads::classifiers::ridge::{Stop, path};
    use rand::SeedableRng;
    use rand_distr::{Distribution, StandardNormal};

    fn rows(count: usize, columns: usize, seed: u64) -> Vec<f32> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        (0..count * columns).map(|_| StandardNormal.sample(&mut random)).collect()
    }

    fn fitted(rows: &[f32], columns: usize, landmarks: usize, factor: f64) -> KernelFeatures {
        KernelFeatures::fit(rows, columns, landmarks, factor, &mut ChaCha8Rng::seed_from_u64(3)).unwrap()
    }

    #[test]
    fn inner_products_are_the_kernel_at_the_landmarks() {
        let rows = rows(60, 5, 0);
        let kernel = fitted(&rows, 5, 60, 0.25);
        let features = kernel.apply(&rows);
        let of_row = |row: usize| &features[row * kernel.features()..][..kernel.features()];
        for left in 0..60 {
            for right in 0..60 {
                let distance = squared_distance(&rows[left * 5..][..5], &rows[right * 5..][..5]);
                let expected = (-0.5 * distance / kernel.bandwidth.powi(2)).exp();
                let found: f64 = of_row(left).iter().zip(of_row(right)).map(|(a, b)| f64::from(a * b)).sum();
                assert!((found - expected).abs() < 1e-3, "{left}, {right}: {found} against {expected}");
            }
        }
    }

    #[test]
    fn an_exclusive_or_is_learnt() {
        let label = |row: &[f32]| u32::from((row[0] > 0.0) != (row[1] > 0.0));
        let (known, fresh) = (rows(600, 2, 1), rows(600, 2, 2));
        let labels: Vec<u32> = known.chunks_exact(2).map(label).collect();
        let kernel = fitted(&known, 2, 100, 0.25);
        let features = kernel.features();
        let heads = path(&kernel.apply(&known), features, &labels, 2, &[1e-2, 1e-4], Stop::default());
        let head = &heads[1];
        let is_right = |(features, row): (&[f32], &[f32])| {
            let logit = |class: usize| {
                let weights = head.weights.iter().skip(class).step_by(2);
                head.biases[class] + features.iter().zip(weights).map(|(value, weight)| value * weight).sum::<f32>()
            };
            u32::from(logit(1) > logit(0)) == label(row)
        };
        let applied = kernel.apply(&fresh);
        let right = applied.chunks_exact(features).zip(fresh.chunks_exact(2)).filter(|pair| is_right(*pair)).count();
        assert!(right > 560, "{right} of 600");
    }

    #[test]
    fn the_same_random_numbers_give_the_same_features() {
        let rows = rows(700, 3, 4);
        let kernel = fitted(&rows, 3, 50, 1.0);
        assert_eq!(kernel, fitted(&rows, 3, 50, 1.0));
        // Blocks of rows change nothing but rounding.
        let (features, all, last) = (kernel.features(), kernel.apply(&rows), kernel.apply(&rows[699 * 3..]));
        for (all, last) in all[699 * features..].iter().zip(last) {
            assert!((all - last).abs() < 1e-3, "{all} against {last}");
        }
    }

    #[test]
    fn rows_that_are_all_the_same_have_one_feature() {
        let kernel = fitted(&[0.5; 40], 4, 10, 1.0);
        assert_eq!(kernel.features(), 1);
        assert!(kernel.apply(&[0.5; 4]).iter().all(|value| (value.abs() - 1.0).abs() < 1e-5));
        assert!(KernelFeatures::fit(&[], 4, 10, 1.0, &mut ChaCha8Rng::seed_from_u64(0)).is_none());
        assert!(KernelFeatures::fit(&[f32::NAN; 4], 4, 10, 1.0, &mut ChaCha8Rng::seed_from_u64(0)).is_none());
    }
}
