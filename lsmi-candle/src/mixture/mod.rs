//! Gaussian mixtures: the density family of KNIFE and of the generative heads.
//!
//! `p(x) = sum_k w_k N(x; m_k, (W_k' W_k)^-1)`, each component with a lower triangular whitening factor `W_k`, so that
//!
//! `log p(x) = logsumexp_k [ log w_k + log det W_k - d/2 log(2 pi) - 1/2 |W_k (x - m_k)|^2 ]`
//!
//! in nats. This is KNIFE's kernel (Pichler et al. 2022, eq. 9): its `Λ` is the diagonal of `W` and its `T` the strict
//! lower triangle of `W` divided by that diagonal, column by column.
//!
//! The products over rows run as f32 tensors on the device; constants, exponentials and sums are f64 on the host.

mod covariance;
mod expectation_maximization;
mod k_means;

pub use covariance::Covariance;
pub(crate) use covariance::{ridged_factor, shrink_to_sphere};
pub(crate) use expectation_maximization::{Evidence, Fit, NoEvidence, Settings, Start, fit};

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

/// A Gaussian mixture over `d` dimensions; see the [module](self).
#[derive(Debug, Clone)]
pub struct Mixture {
    covariance: Covariance,
    log_weights: Vec<f64>,
    /// `[K, d]`
    means: Tensor,
    /// Whitening factors: `[K, d]` (diagonal), `[1, d, d]` (tied) or `[K, d, d]` (full).
    factors: Tensor,
    /// `log w_k + log det W_k - d/2 log(2 pi)`
    log_constants: Vec<f64>,
}

impl Mixture {
    /// A mixture from its parts: `K` logarithms of weights, means `[K, d]` and whitening factors `[K, d]` (diagonal),
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
                log_weights[component] + log_determinant - 0.5 * dims as f64 * std::f64::consts::TAU.ln()
            })
            .collect();
        if log_constants.iter().any(|constant| !constant.is_finite()) {
            candle_core::bail!("mixture: expected whitening factors with positive diagonals");
        }
        Ok(Self { covariance, log_weights, means, factors, log_constants })
    }

    /// Number of components.
    pub fn components(&self) -> usize {
        self.log_weights.len()
    }

    /// Number of dimensions.
    pub fn dims(&self) -> usize {
        self.means.dims()[1]
    }

    /// The structure of the covariances.
    pub fn covariance(&self) -> Covariance {
        self.covariance
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

    /// `log w_k + log N(x; m_k, ...)` of each row and component: `[n, K]`, row-major, from rows `[n, d]`.
    ///
    /// # Errors
    /// A candle error where the rows have other dimensions or the device fails.
    pub fn log_joint(&self, rows: &Tensor) -> CandleResult<Vec<f64>> {
        let mut distances = Vec::with_capacity(self.components());
        let (projected, centres) = match self.covariance {
            Covariance::Tied => {
                let factor = self.factors.get(0)?.t()?;
                (rows.matmul(&factor)?, self.means.matmul(&factor)?)
            }
            Covariance::Diagonal | Covariance::Full => (rows.clone(), self.means.clone()),
        };
        for component in 0..self.components() {
            let centred = projected.broadcast_sub(&centres.get(component)?)?;
            let whitened = match self.covariance {
                Covariance::Tied => centred,
                Covariance::Diagonal => centred.broadcast_mul(&self.factors.get(component)?)?,
                Covariance::Full => centred.matmul(&self.factors.get(component)?.t()?)?,
            };
            distances.push(whitened.sqr()?.sum(D::Minus1)?);
        }
        let mut joint = host(&Tensor::stack(&distances, 1)?)?;
        for row in joint.chunks_exact_mut(self.components()) {
            for (value, constant) in row.iter_mut().zip(&self.log_constants) {
                *value = constant - 0.5 * *value;
            }
        }
        Ok(joint)
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
