//! The linear-Gaussian density `p(y|x) = N(y; a + b'x, s^2 (1 + 1/n + z'(X'X + l)^-1 z))`: exact for jointly Gaussian data.
//!
//! Ridge regression (Hoerl, Kennard 1970) in the eigenvectors of `X'X`, with the penalty `l` that leaves the least squares of
//! the residuals of rows left out, which have a closed form: `e_i / (1 - h_i)` (Allen 1974). They also give the variance,
//! `s^2 = mean e_i^2 / (1 - h_i)`, and are what the other families are fitted to.

use super::columns::means;
use super::normals::Normals;
use crate::numbers::linear_algebra::{product_transposed, second_moments, symmetric_eigen};

/// Penalties that compete, relative to the number of rows.
const PENALTIES: [f64; 13] = [1e-8, 1e-6, 1e-5, 1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 10.0, 1e3];
/// Eigenvalues below this share of the largest count as 0.
const NEGLIGIBLE: f64 = 1e-9;
/// The least deviation of a standardised target given features: targets that features determine keep a finite density.
const LEAST_DEVIATION: f64 = 1e-4;
/// The most that a row's own share in its fit counts, for the residual of the row left out.
const MOST_LEVERAGE: f64 = 0.999;

/// A fitted linear-Gaussian density.
#[derive(Debug, Clone)]
pub(crate) struct Ridge {
    /// Means of the features, `[width]`.
    pub(crate) means: Vec<f64>,
    /// Eigenvectors of `X'X` as rows, `[rank, width]`.
    pub(crate) axes: Vec<f64>,
    /// `1 / (eigenvalue + penalty)`, `[rank]`.
    pub(crate) shrunk: Vec<f64>,
    /// Coefficients along the eigenvectors, `[rank]`.
    pub(crate) coefficients: Vec<f64>,
    pub(crate) intercept: f64,
    pub(crate) deviation: f64,
    /// Rows of the fit.
    pub(crate) rows: f64,
}

/// A fit with the residuals of its rows, each left out of the fit.
pub(crate) struct Fitted {
    pub(crate) ridge: Ridge,
    pub(crate) residuals: Vec<f64>,
}

impl Ridge {
    /// Fits the density to features `[n, width]`, row-major, and `n` standardised targets.
    ///
    /// Features whose moments have no eigenvectors, as those of a constant, give the density of the targets alone.
    pub(crate) fn fit(features: &[f32], width: usize, targets: &[f64]) -> Fitted {
        let rows = targets.len() as f64;
        let means = means(features, width);
        let centred: Vec<f64> = features
            .chunks_exact(width)
            .flat_map(|row| row.iter().zip(&means).map(|(value, mean)| f64::from(*value) - mean))
            .collect();
        let intercept = lsmi_core::statistics::mean(targets);
        let (mut values, mut axes) = symmetric_eigen(&second_moments(&centred, width), width).unwrap_or_default();
        let largest = values.first().copied().unwrap_or(0.0);
        let rank = values.iter().take_while(|value| **value > NEGLIGIBLE * largest && value.is_finite()).count();
        values.truncate(rank);
        axes.truncate(rank * width);
        // Rows along the eigenvectors, `[n, rank]`.
        let along = if rank == 0 { Vec::new() } else { product_transposed(&centred, &axes, width) };
        let mut products = vec![0.0; rank];
        for (row, target) in along.chunks_exact(rank.max(1)).zip(targets) {
            for (product, value) in products.iter_mut().zip(row) {
                *product += value * (target - intercept);
            }
        }
        let squares: f64 = targets.iter().map(|target| (target - intercept).powi(2)).sum();
        // Without any coefficient every row is predicted by the mean of the others.
        let leverage = rows.recip();
        let alone = squares / (1.0 - leverage).powi(2);
        let mut best = (alone, vec![0.0; rank], vec![0.0; rank]);
        for penalty in PENALTIES {
            let shrunk: Vec<f64> = values.iter().map(|value| (value + penalty * rows).recip()).collect();
            let coefficients: Vec<f64> =
                products.iter().zip(&shrunk).map(|(product, shrunk)| product * shrunk).collect();
            let left_out = residuals(&along, targets, intercept, &coefficients, &shrunk);
            let sum = left_out.iter().map(|(residual, _)| residual * residual).sum();
            if sum < best.0 {
                best = (sum, coefficients, shrunk);
            }
        }
        let (_, coefficients, shrunk) = best;
        let left_out = residuals(&along, targets, intercept, &coefficients, &shrunk);
        let variance =
            left_out.iter().map(|(residual, leverage)| residual * residual * (1.0 - leverage)).sum::<f64>() / rows;
        let ridge = Self {
            means,
            axes,
            shrunk,
            coefficients,
            intercept,
            deviation: variance.sqrt().max(LEAST_DEVIATION),
            rows,
        };
        Fitted { ridge, residuals: left_out.into_iter().map(|(residual, _)| residual).collect() }
    }

    /// Returns the predictive distributions of rows `[n, width]`, row-major.
    pub(crate) fn predict(&self, features: &[f32]) -> Normals {
        let width = self.means.len();
        let rank = self.coefficients.len();
        let centred: Vec<f64> = features
            .chunks_exact(width)
            .flat_map(|row| row.iter().zip(&self.means).map(|(value, mean)| f64::from(*value) - mean))
            .collect();
        let rows = features.len() / width;
        let along = if rank == 0 { Vec::new() } else { product_transposed(&centred, &self.axes, width) };
        let (mut means, mut deviations) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        for row in 0..rows {
            let along = along.get(row * rank..(row + 1) * rank).unwrap_or_default();
            let mean: f64 = along.iter().zip(&self.coefficients).map(|(value, coefficient)| value * coefficient).sum();
            let spread: f64 = along.iter().zip(&self.shrunk).map(|(value, shrunk)| value * value * shrunk).sum();
            means.push(self.intercept + mean);
            deviations.push(self.deviation * (1.0 + self.rows.recip() + spread).sqrt());
        }
        Normals { components: 1, log_weights: vec![0.0; rows], means, deviations }
    }
}

/// Returns each row's residual with the row left out, and its leverage.
fn residuals(along: &[f64], targets: &[f64], intercept: f64, coefficients: &[f64], shrunk: &[f64]) -> Vec<(f64, f64)> {
    let rank = coefficients.len();
    let least = (targets.len() as f64).recip();
    let of_row = |(row, target): (usize, &f64)| {
        let along = along.get(row * rank..(row + 1) * rank).unwrap_or_default();
        let (mut fitted, mut leverage) = (intercept, least);
        for ((value, coefficient), shrunk) in along.iter().zip(coefficients).zip(shrunk) {
            fitted += value * coefficient;
            leverage += value * value * shrunk;
        }
        let leverage = leverage.min(MOST_LEVERAGE);
        ((target - fitted) / (1.0 - leverage), leverage)
    };
    targets.iter().enumerate().map(of_row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsmi_core::random::stream;
    use rand_distr::{Distribution, StandardNormal};

    /// Rows of two features, and targets `1 + 2 x1 - x2 + .5 noise`.
    fn linear(rows: usize) -> (Vec<f32>, Vec<f64>) {
        let mut random = stream(1, "ridge test");
        let features: Vec<f32> = (0..2 * rows).map(|_| StandardNormal.sample(&mut random)).collect();
        let targets = features
            .chunks_exact(2)
            .map(|row| {
                let noise: f64 = StandardNormal.sample(&mut random);
                1.0 + 2.0 * f64::from(row[0]) - f64::from(row[1]) + 0.5 * noise
            })
            .collect();
        (features, targets)
    }

    #[test]
    fn residuals_are_those_of_fits_without_the_row() {
        let (features, targets) = linear(40);
        let whole = Ridge::fit(&features, 2, &targets);
        for row in [0, 17, 39] {
            let others: Vec<usize> = (0..40).filter(|other| *other != row).collect();
            let part: Vec<f32> =
                others.iter().flat_map(|other| [features[2 * other], features[2 * other + 1]]).collect();
            let part_targets: Vec<f64> = others.iter().map(|other| targets[*other]).collect();
            let without = Ridge::fit(&part, 2, &part_targets).ridge.predict(&features[2 * row..2 * row + 2]);
            // The penalty, 1e-8 of the rows, is not quite that of one row less.
            assert!((targets[row] - without.means[0] - whole.residuals[row]).abs() < 1e-3, "row {row}");
        }
    }

    #[test]
    fn a_linear_target_and_one_that_is_not_there() {
        let (features, targets) = linear(4000);
        let ridge = Ridge::fit(&features, 2, &targets).ridge;
        let found = ridge.predict(&[1.0, 1.0]);
        // Standard errors: .5 / sqrt(4000) = .008 a coefficient, .0056 of the deviation.
        assert!((found.means[0] - 2.0).abs() < 0.04 && (found.deviations[0] - 0.5).abs() < 0.02);
        let constant = Ridge::fit(&vec![3.0; 8000], 2, &targets).ridge.predict(&[3.0, 3.0]);
        assert!((constant.means[0] - lsmi_core::statistics::mean(&targets)).abs() < 1e-12);
    }
}
