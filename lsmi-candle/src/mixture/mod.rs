//! Mixtures of normal or heavy-tailed components: the density family of KNIFE and of the generative heads.
//!
//! `p(x) = sum_k w_k N(x; m_k, (W_k' W_k)^-1)`, each component with a lower triangular whitening factor `W_k`, so that
//!
//! `log p(x) = logsumexp_k [ log w_k + log det W_k - d/2 log(2 pi) - 1/2 |W_k (x - m_k)|^2 ]`
//!
//! in nats. This is KNIFE's kernel (Pichler et al. 2022, eq. 9): its `Λ` is the diagonal of `W` and its `T` the strict
//! lower triangle of `W` divided by that diagonal, column by column. Where tails are heavy, components are Student's with `v`
//! degrees of freedom instead,
//!
//! `log p(x|k) = log det W_k + log g((v + d) / 2) - log g(v / 2) - d/2 log(v pi) - (v + d)/2 log(1 + |W_k (x - m_k)|^2 / v)`
//!
//! where `g` is the gamma function (Peel, `McLachlan` 2000).
//!
//! The products over rows run as f32 tensors on the device; constants, exponentials and sums are f64 on the host.

mod covariance;
mod expectation_maximization;
mod k_means;
mod tails;

pub use covariance::Covariance;
pub(crate) use covariance::{ridged_factor, shrink_to_sphere};
pub(crate) use expectation_maximization::{Evidence, Fit, NoEvidence, Settings, Start, fit};
pub(crate) use tails::{FREEDOMS, are_tails_heavy};

use std::fmt;

use candle_core::{D, DType, Device, Result as CandleResult, Tensor};
use lsmi_core::statistics::log_sum_exp;

use crate::linear_algebra::second_moments;

/// Rows on the device with what every fit to them needs, computed once.
pub(crate) struct Sample {
    /// The rows, `[n, d]`, f32.
    pub(crate) tensor: Tensor,
    /// The same rows on the host, row-major.
    pub(crate) values: Vec<f64>,
    /// `X' X`, `[d, d]`, row-major.
    pub(crate) second_moments: Vec<f64>,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

impl Sample {
    pub(crate) fn new(values: Vec<f64>, columns: usize, device: &Device) -> CandleResult<Self> {
        let rows = values.len() / columns;
        let tensor = tensor(&values, columns, device)?;
        let second_moments = second_moments(&values, columns);
        Ok(Self { tensor, values, second_moments, rows, columns })
    }

    /// Mean square of all values: their variance, as coordinates are centred.
    fn mean_square(&self) -> f64 {
        let total: f64 = (0..self.columns).map(|column| self.second_moments[column * (self.columns + 1)]).sum();
        total / (self.rows * self.columns) as f64
    }
}

/// A row-major f64 matrix as an f32 tensor `[n, columns]` on the device.
pub(crate) fn tensor(values: &[f64], columns: usize, device: &Device) -> CandleResult<Tensor> {
    #[expect(clippy::cast_possible_truncation, reason = "tensors are f32 by design")]
    let values: Vec<f32> = values.iter().map(|value| *value as f32).collect();
    let rows = values.len() / columns;
    Tensor::from_vec(values, (rows, columns), device)
}

/// The structure of a mixture's components.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// The structure of the covariances.
    pub covariance: Covariance,
    /// The degrees of freedom of Student's components; none: normal ones.
    pub freedom: Option<f64>,
}

impl From<Covariance> for Shape {
    /// Normal components.
    fn from(covariance: Covariance) -> Self {
        Self { covariance, freedom: None }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.freedom {
            None => self.covariance.fmt(formatter),
            Some(freedom) => write!(formatter, "{} t({freedom})", self.covariance),
        }
    }
}

/// A mixture over `d` dimensions; see the [module](self).
#[derive(Debug, Clone)]
pub struct Mixture {
    shape: Shape,
    log_weights: Vec<f64>,
    /// `[K, d]`
    means: Tensor,
    /// Whitening factors: `[K, d]` (diagonal), `[1, d, d]` (tied) or `[K, d, d]` (full).
    factors: Tensor,
    /// `log w_k + log det W_k` and what else does not depend on the row.
    log_constants: Vec<f64>,
}

impl Mixture {
    /// A mixture of normal components from its parts: `K` logarithms of weights, means `[K, d]` and whitening factors `[K, d]` (diagonal),
    /// `[1, d, d]` (tied) or `[K, d, d]` (full), lower triangular with positive diagonals.
    ///
    /// # Errors
    /// A candle error where the shapes do not fit, the weights do not sum to 1 or a diagonal is not positive.
    pub fn new(covariance: Covariance, log_weights: Vec<f64>, means: Tensor, factors: Tensor) -> CandleResult<Self> {
        let (components, dims) = means.dims2()?;
        let expected = covariance.factor_shape(components, dims);
        if factors.dims() != expected || log_weights.len() != components {
            candle_core::bail!(
                "mixture of {components} components in {dims} dimensions: expected factors {expected:?}, found {:?}",
                factors.dims()
            );
        }
        let diagonals = host(&factors)?;
        let weight: f64 = log_weights.iter().map(|weight| weight.exp()).sum();
        // Components that lost their rows keep a trace of weight, so the sum is not exact.
        if (weight - 1.0).abs() > 0.01 {
            candle_core::bail!("mixture: expected weights with sum 1, found {weight}");
        }
        let log_constants: Vec<f64> = (0..components)
            .map(|component| {
                let log_determinant: f64 = (0..dims)
                    .map(|dim| match covariance {
                        Covariance::Diagonal => diagonals[component * dims + dim].ln(),
                        Covariance::Tied => diagonals[dim * dims + dim].ln(),
                        Covariance::Full => diagonals[(component * dims + dim) * dims + dim].ln(),
                    })
                    .sum();
                log_weights[component] + log_determinant + tails::log_normaliser(None, dims)
            })
            .collect();
        if log_constants.iter().any(|constant| !constant.is_finite()) {
            candle_core::bail!("mixture: expected whitening factors with positive diagonals");
        }
        Ok(Self { shape: covariance.into(), log_weights, means, factors, log_constants })
    }

    /// The same means and factors with components of other tails: Student's with so many degrees of freedom, or normal.
    ///
    /// # Errors
    /// A candle error where the degrees of freedom are not positive and finite.
    pub fn with_freedom(mut self, freedom: Option<f64>) -> CandleResult<Self> {
        if let Some(found) = freedom.filter(|freedom| !(*freedom > 0.0 && freedom.is_finite())) {
            candle_core::bail!("mixture: expected degrees of freedom above 0, found {found}");
        }
        let dims = self.dims();
        let change = tails::log_normaliser(freedom, dims) - tails::log_normaliser(self.shape.freedom, dims);
        for constant in &mut self.log_constants {
            *constant += change;
        }
        self.shape.freedom = freedom;
        Ok(self)
    }

    /// Number of components.
    pub fn components(&self) -> usize {
        self.log_weights.len()
    }

    /// Number of dimensions.
    pub fn dims(&self) -> usize {
        self.means.dims()[1]
    }

    /// The structure of the components.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Logarithms of the weights, `[K]`.
    pub fn log_weights(&self) -> &[f64] {
        &self.log_weights
    }

    /// Means of the components, `[K, d]`.
    pub fn means(&self) -> &Tensor {
        &self.means
    }

    /// Whitening factors of the components: `[K, d]`, `[1, d, d]` or `[K, d, d]`.
    pub fn factors(&self) -> &Tensor {
        &self.factors
    }

    /// `log w_k + log p(x|k)` of each row and component: `[n, K]`, row-major, from rows `[n, d]`.
    ///
    /// # Errors
    /// A candle error where the rows have other dimensions or the device fails.
    pub fn log_joint(&self, rows: &Tensor) -> CandleResult<Vec<f64>> {
        let mut distances = Vec::with_capacity(self.components());
        let (projected, centres) = match self.shape.covariance {
            Covariance::Tied => {
                let factor = self.factors.get(0)?.t()?;
                (rows.matmul(&factor)?, self.means.matmul(&factor)?)
            }
            Covariance::Diagonal | Covariance::Full => (rows.clone(), self.means.clone()),
        };
        for component in 0..self.components() {
            let centred = projected.broadcast_sub(&centres.get(component)?)?;
            let whitened = match self.shape.covariance {
                Covariance::Tied => centred,
                Covariance::Diagonal => centred.broadcast_mul(&self.factors.get(component)?)?,
                Covariance::Full => centred.matmul(&self.factors.get(component)?.t()?)?,
            };
            distances.push(whitened.sqr()?.sum(D::Minus1)?);
        }
        let mut joint = host(&Tensor::stack(&distances, 1)?)?;
        for row in joint.chunks_exact_mut(self.components()) {
            for (value, constant) in row.iter_mut().zip(&self.log_constants) {
                *value = constant + tails::log_kernel(self.shape.freedom, self.dims(), *value);
            }
        }
        Ok(joint)
    }

    /// The weights of rows in the moments of components, `[n, K]`, from [`Self::log_joint`]; none: all 1, for normal ones.
    fn row_weights(&self, joint: &[f64]) -> Option<Vec<f64>> {
        let freedom = self.shape.freedom?;
        let total = freedom + self.dims() as f64;
        // log_joint = constant - total / 2 log(1 + distance / freedom)
        let weight = |(joint, constant): (&f64, &f64)| total / freedom * (2.0 * (joint - constant) / total).exp();
        Some(joint.iter().zip(self.log_constants.iter().cycle()).map(weight).collect())
    }

    /// `log p(x)` of each row, in nats, from rows `[n, d]`.
    ///
    /// # Errors
    /// A candle error where the rows have other dimensions or the device fails.
    pub fn log_density(&self, rows: &Tensor) -> CandleResult<Vec<f64>> {
        Ok(self.log_joint(rows)?.chunks_exact(self.components()).map(log_sum_exp).collect())
    }
}

/// The values of a tensor on the host, in row-major order.
pub(crate) fn host(tensor: &Tensor) -> CandleResult<Vec<f64>> {
    tensor
        .flatten_all()?
        .to_dtype(DType::F32)?
        .to_vec1::<f32>()
        .map(|values| values.into_iter().map(f64::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_density_of_a_known_mixture() {
        let device = Device::Cpu;
        let means = Tensor::new(&[[0.0f32, 0.0], [2.0, 1.0]], &device).unwrap();
        let full = Tensor::new(&[[[1.0f32, 0.0], [0.5, 2.0]], [[1.0, 0.0], [0.0, 1.0]]], &device).unwrap();
        let weights = vec![0.25f64.ln(), 0.75f64.ln()];
        let mixture = Mixture::new(Covariance::Full, weights, means, full).unwrap();
        let rows = Tensor::new(&[[1.0f32, -1.0]], &device).unwrap();
        // W(x - m) is (1, -1.5) for the first component and (-1, -2) for the second.
        let normal = |square: f64, determinant: f64| determinant / std::f64::consts::TAU * (-0.5 * square).exp();
        let expected = (0.25 * normal(3.25, 2.0) + 0.75 * normal(5.0, 1.0)).ln();
        assert!((mixture.log_density(&rows).unwrap()[0] - expected).abs() < 1e-6);
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        let device = Device::Cpu;
        let means = Tensor::zeros((2, 3), DType::F32, &device).unwrap();
        let factors = Tensor::ones((2, 2), DType::F32, &device).unwrap();
        assert!(Mixture::new(Covariance::Diagonal, vec![0.5f64.ln(); 2], means.clone(), factors).is_err());
        let factors = (Tensor::ones((2, 3), DType::F32, &device).unwrap() * -1.0).unwrap();
        assert!(Mixture::new(Covariance::Diagonal, vec![0.5f64.ln(); 2], means.clone(), factors).is_err());
        let factors = Tensor::ones((2, 3), DType::F32, &device).unwrap();
        assert!(Mixture::new(Covariance::Diagonal, vec![50.0; 2], means, factors).is_err());
    }
}
