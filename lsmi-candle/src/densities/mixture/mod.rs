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
//! Products over rows are f32, on the CPU as few large products with all elementwise work fused around them (`pass`), on other
//! devices as tensors (`device`); constants, log-likelihoods and what sums over many rows are f64.

mod covariance;
mod device;
mod expectation_maximization;
mod k_means;
mod kernels;
mod low_rank;
mod margins;
mod pass;
mod round;
mod statistics;
mod tails;

pub use covariance::Covariance;
pub(crate) use covariance::{ridged_factor, shrink_to_sphere};
pub(crate) use expectation_maximization::{Evidence, Fit, Limits, NoEvidence, STARTS, Start, fit};
pub(crate) use k_means::{Rounds, cluster, nearest_centres};
pub(crate) use kernels::{BLOCK, Lanes};
pub(crate) use pass::Pass;
pub(crate) use round::Round;
pub(crate) use tails::{FREEDOMS, are_tails_heavy};

use std::fmt;
use std::sync::OnceLock;

use candle_core::{Device, Result as CandleResult};

use crate::densities::points::Points;
use crate::numbers::linear_algebra::second_moments;

/// Rows with the statistics that every fit to them needs, computed once.
pub(crate) struct Sample {
    pub(crate) points: Points,
    pub(crate) moments: Moments,
}

/// Sufficient statistics of all rows.
#[derive(Debug)]
pub(crate) struct Moments {
    /// The number of rows.
    pub(crate) rows: f64,
    /// Mean square of all values: their variance, as coordinates are centred.
    mean_square: f64,
    /// `X' X`, `[d, d]`, row-major: computed when it is first asked for.
    second: OnceLock<Vec<f64>>,
}

impl Sample {
    pub(crate) fn new(values: Vec<f32>, columns: usize, device: &Device) -> CandleResult<Self> {
        let squares: f64 = values.iter().map(|value| f64::from(*value) * f64::from(*value)).sum();
        let moments = Moments {
            rows: (values.len() / columns) as f64,
            mean_square: squares / values.len() as f64,
            second: OnceLock::new(),
        };
        Ok(Self { points: Points::new(values, columns, device)?, moments })
    }

    /// Returns `X' X`, `[d, d]`, row-major.
    pub(crate) fn second_moments(&self) -> &[f64] {
        self.moments.second.get_or_init(|| second_moments(self.points.values(), self.points.columns()))
    }
}

/// The structure of a mixture's components.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Shape {
    /// The structure of the covariances.
    pub(crate) covariance: Covariance,
    /// The degrees of freedom of Student's components; none: normal ones.
    pub(crate) freedom: Option<f64>,
}

impl From<Covariance> for Shape {
    /// Returns the shape of normal components.
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
    means: Vec<f32>,
    /// Whitening factors: `[K, d]` (diagonal), `[1, d, d]` (tied) or `[K, d, d]` (full); the noise's inverse deviations and
    /// the factors in its units, `[K, d, 1 + q]` (low rank).
    factors: Vec<f32>,
    /// The other terms of distances: `W m_k`, `[K, d]` (tied), `(I + U'U)^-1`, `[K, q, q]` (low rank), else none.
    derived: Vec<f32>,
    /// `log w_k + log det W_k` and the other terms that do not depend on the row.
    log_constants: Vec<f64>,
}

impl Mixture {
    /// Creates a mixture of normal components from its parts: `K` logarithms of weights, means `[K, d]` and whitening
    /// factors `[K, d]` (diagonal), `[1, d, d]` (tied) or `[K, d, d]` (full), lower triangular with positive diagonals,
    /// or, of low rank, `[K, d, 1 + q]`: in each coordinate the inverse deviation of its noise, then its factors in
    /// units of that deviation; all row-major.
    ///
    /// # Errors
    /// A candle error where the lengths do not fit, the weights do not sum to 1 or a diagonal is not positive.
    pub fn new(
        covariance: Covariance,
        log_weights: Vec<f64>,
        means: Vec<f32>,
        factors: Vec<f32>,
    ) -> CandleResult<Self> {
        let components = log_weights.len();
        let dims = means.len() / components.max(1);
        let expected = covariance.factor_shape(components, dims);
        if dims == 0 || means.len() != components * dims || factors.len() != expected.iter().product::<usize>() {
            candle_core::bail!(
                "mixture of {components} components in {dims} dimensions: expected factors {expected:?}, found {} values",
                factors.len()
            );
        }
        let weight: f64 = log_weights.iter().map(|weight| weight.exp()).sum();
        // Components that lost their rows keep a trace of weight, so the sum is not exact.
        if (weight - 1.0).abs() > 0.01 {
            candle_core::bail!("mixture: expected weights with sum 1, found {weight}");
        }
        let mut log_constants: Vec<f64> = (0..components)
            .map(|component| {
                let log_determinant: f64 = (0..dims)
                    .map(|dim| match covariance {
                        Covariance::Diagonal => factors[component * dims + dim],
                        Covariance::Tied => factors[dim * dims + dim],
                        Covariance::Full => factors[(component * dims + dim) * dims + dim],
                        Covariance::LowRank(rank) => factors[(component * dims + dim) * (1 + rank)],
                    })
                    .map(|value| f64::from(value).ln())
                    .sum();
                log_weights[component] + log_determinant + tails::log_normaliser(None, dims)
            })
            .collect();
        let mut derived = Vec::new();
        match covariance {
            Covariance::Diagonal | Covariance::Full => {}
            Covariance::Tied => derived = pass::project_centres(&factors, &means, dims),
            Covariance::LowRank(rank) => {
                for (factors, constant) in factors.chunks_exact(dims * (1 + rank)).zip(&mut log_constants) {
                    let Some((posterior, log_determinant)) = low_rank::posterior(factors, rank) else {
                        candle_core::bail!("mixture: expected finite factors");
                    };
                    derived.extend(posterior);
                    *constant -= 0.5 * log_determinant;
                }
            }
        }
        if log_constants.iter().any(|constant| !constant.is_finite()) {
            candle_core::bail!("mixture: expected whitening factors with positive diagonals");
        }
        Ok(Self { shape: covariance.into(), log_weights, means, factors, derived, log_constants })
    }

    /// Returns a component of low rank.
    fn low_rank(&self, component: usize, rank: usize) -> low_rank::Component<'_> {
        let dims = self.dims();
        low_rank::Component::new(
            &self.factors[component * dims * (1 + rank)..][..dims * (1 + rank)],
            &self.derived[component * rank * rank..][..rank * rank],
            &self.means[component * dims..][..dims],
            rank,
        )
    }

    /// Returns the mixture with the same means and factors and other tails: Student's with `freedom` degrees of
    /// freedom, or normal.
    ///
    /// # Errors
    /// A candle error where the degrees of freedom are not positive and finite.
    pub(crate) fn with_freedom(mut self, freedom: Option<f64>) -> CandleResult<Self> {
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

    /// Returns the number of components.
    pub fn components(&self) -> usize {
        self.log_weights.len()
    }

    /// Returns the number of dimensions.
    pub fn dims(&self) -> usize {
        self.means.len() / self.components()
    }

    /// Returns the structure of the components.
    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }

    /// Logarithms of the weights, `[K]`.
    pub fn log_weights(&self) -> &[f64] {
        &self.log_weights
    }

    /// Returns the means of the components, `[K, d]`, row-major.
    pub fn means(&self) -> &[f32] {
        &self.means
    }

    /// Factors of the components as [`Mixture::new`] takes them, row-major.
    pub fn factors(&self) -> &[f32] {
        &self.factors
    }

    /// Returns `log p(x)` of each row, in nats.
    ///
    /// # Errors
    /// A candle error where the rows have other dimensions or the device fails.
    pub(crate) fn log_density(&self, rows: &Points) -> CandleResult<Vec<f64>> {
        let mut densities = Vec::with_capacity(rows.rows());
        let mut pass = Pass::new(self, rows)?;
        while pass.next().is_some() {
            densities.extend_from_slice(pass.normalise());
        }
        Ok(densities)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_density_of_a_known_mixture() {
        let full = vec![1.0f32, 0.0, 0.5, 2.0, 1.0, 0.0, 0.0, 1.0];
        let weights = vec![0.25f64.ln(), 0.75f64.ln()];
        let mixture = Mixture::new(Covariance::Full, weights, vec![0.0, 0.0, 2.0, 1.0], full).unwrap();
        let rows = Points::new(vec![1.0, -1.0], 2, &Device::Cpu).unwrap();
        // W(x - m) is (1, -1.5) for the first component and (-1, -2) for the second.
        let normal = |square: f64, determinant: f64| determinant / std::f64::consts::TAU * (-0.5 * square).exp();
        let expected = (0.25 * normal(3.25, 2.0) + 0.75 * normal(5.0, 1.0)).ln();
        assert!((mixture.log_density(&rows).unwrap()[0] - expected).abs() < 1e-6);
        let others = Points::new(vec![1.0; 3], 3, &Device::Cpu).unwrap();
        assert!(mixture.log_density(&others).is_err());
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let (means, weights) = (vec![0.0; 6], vec![0.5f64.ln(); 2]);
        let diagonal = |factors| Mixture::new(Covariance::Diagonal, weights.clone(), means.clone(), factors);
        assert!(diagonal(vec![1.0; 4]).is_err());
        assert!(diagonal(vec![-1.0; 6]).is_err());
        assert!(diagonal(vec![1.0; 6]).is_ok());
        assert!(Mixture::new(Covariance::Diagonal, vec![50.0; 2], means, vec![1.0; 6]).is_err());
        assert!(Mixture::new(Covariance::Diagonal, vec![], vec![], vec![]).is_err());
    }
}
