//! KNIFE: the surprisal h(x) = -log p(x) by a mixture of Gaussian kernels with learned shapes (Pichler et al. 2022).
//!
//! Three ways to fit the same density:
//!
//! - [`Params::default`]: expectation maximisation from k-means++ clusters, the number of kernels and the structure of
//!   their covariances chosen by held-out likelihood, then fitted to all rows. It converges.
//! - [`Params::Known`]: the same without a search, where number and structure are known.
//! - [`Params::published`]: the settings of LSMI's released code: five kernels from random values, tanh-bounded scales, 30
//!   epochs of Adam; but with fresh gradients in every step, which that code accumulates, and in the gauge's coordinates. In ten dimensions and more it ends far from convergence; it is here for comparison.
//!
//! The default also tries [`Margins`], which take columns that are not normal to ones that are, before the mixture.
//!
//! Rows should come in well-scaled coordinates; see [`crate::densities::gauge`].

mod gradient;
mod held_out;
mod host;
mod known;
mod margins;

pub use gradient::GradientParams;
pub use held_out::HeldOutParams;
pub use known::KnownParams;
pub use margins::Margins;
pub(crate) use margins::{Curve, Knot, Straightened};

use candle_core::Device;

use crate::densities::mixture::{Limits, Mixture, NoEvidence, Sample, Start, fit};
use crate::densities::points::{Points, single};
use crate::error::{EstimatorError, Result};

/// Fewest rows that a density is fitted to.
const LEAST_ROWS: usize = 10;

/// The method by which a KNIFE density is fitted.
#[derive(Debug, Clone, PartialEq)]
pub enum Params {
    /// Expectation maximisation with the structure chosen by held-out likelihood.
    HeldOut(HeldOutParams),
    /// Expectation maximisation of a known structure.
    Known(KnownParams),
    /// Gradient steps on a fixed structure.
    Gradient(GradientParams),
}

impl Default for Params {
    fn default() -> Self {
        Self::HeldOut(HeldOutParams::default())
    }
}

impl Params {
    /// Returns the published settings (Yang, Wang, Hu 2025, released code); see the [module](self) for the differences
    /// that remain.
    pub fn published() -> Self {
        Self::Gradient(GradientParams::default())
    }
}

/// A fitted density.
#[derive(Debug, Clone)]
pub struct Knife {
    margins: Option<Margins>,
    mixture: Mixture,
}

/// Rows that a density is fitted to.
pub(crate) struct Training<'a> {
    /// `[n, dims]`, row-major.
    pub(crate) rows: Vec<f32>,
    pub(crate) dims: usize,
    /// The group of each row, where rows belong together.
    pub(crate) groups: Option<&'a [u32]>,
}

/// A fitted density with the loss that it was chosen or ended with.
pub(crate) struct Fitted {
    pub(crate) knife: Knife,
    /// Mean surprisal of held-out rows (default), of all rows (known) or of the last epoch's (published), in nats.
    pub(crate) loss: f64,
}

impl Knife {
    /// Fits a density to rows `[n, d]`, row-major.
    ///
    /// # Errors
    /// [`EstimatorError::Setting`] for parameters out of range, [`EstimatorError::FewRowsForDensity`] for fewer than ten rows, a
    /// candle error where the device fails.
    ///
    /// ```
    /// use candle_core::Device;
    /// use lsmi_candle::densities::knife::{Knife, Params};
    ///
    /// let rows: Vec<f64> = (0..1000).map(|row| (f64::from(row) + 0.5) / 1000.0).collect();
    /// let knife = Knife::fit(&rows, 1, &Params::default(), 0, &Device::Cpu)?;
    /// let middle = knife.surprisal(&[0.5], 1)?[0];
    /// // A uniform density on [0, 1] has surprisal 0 everywhere.
    /// assert!(middle.abs() < 0.2);
    /// # Ok::<(), lsmi_candle::EstimatorError>(())
    /// ```
    pub fn fit(rows: &[f64], dims: usize, params: &Params, seed: u64, device: &Device) -> Result<Self> {
        Ok(Self::fit_reporting(Training { rows: single(rows), dims, groups: None }, params, seed, device, &|_, _| {
            Ok(())
        })?
        .knife)
    }

    /// Does the same as [`Self::fit`] and calls `report` with every structure or epoch and its loss.
    pub(crate) fn fit_reporting(
        training: Training<'_>,
        params: &Params,
        seed: u64,
        device: &Device,
        report: &dyn Fn(String, f64) -> Result<()>,
    ) -> Result<Fitted> {
        let dims = training.dims;
        if dims == 0 {
            return Err(EstimatorError::Samples {
                what: "the number of dimensions",
                found: "0".to_owned(),
                expected: "at least 1".to_owned(),
            });
        }
        let count = training.rows.len() / dims;
        if count < LEAST_ROWS {
            return Err(EstimatorError::FewRowsForDensity { rows: count, least: LEAST_ROWS });
        }
        match params {
            Params::HeldOut(params) => held_out::fit(training, params, seed, device, report),
            Params::Known(params) => known::fit(training.rows, dims, params, seed, device, report),
            Params::Gradient(params) => {
                let sample = Sample::new(training.rows, dims, device)?;
                gradient::fit(&sample, params, seed, report)
            }
        }
    }

    /// Returns the density fitted further, to rows `[n, dims]`, row-major, in the same coordinates: at most `rounds`
    /// rounds of expectation maximisation, with the number and the structure of the kernels, and the margins, as they
    /// are.
    ///
    /// Where rows have moved only a little since, a round or two is all that it takes: a density can so follow the features
    /// of a network in training.
    ///
    /// # Errors
    /// [`EstimatorError::FewRowsForDensity`] for fewer than ten rows, [`EstimatorError::Samples`] for rows of other
    /// dimensions, a candle error where the fit fails.
    ///
    /// ```
    /// use candle_core::Device;
    /// use lsmi_candle::densities::knife::{Knife, KnownParams, Params};
    /// use lsmi_candle::densities::mixture::Covariance;
    ///
    /// let rows = |shift: f64| -> Vec<f64> { (0..400).map(|row| f64::from(row % 20) / 20.0 + shift).collect() };
    /// let params = Params::Known(KnownParams::new(1, Covariance::Full));
    /// let before = Knife::fit(&rows(0.0), 1, &params, 0, &Device::Cpu)?;
    /// let after = before.refit(&rows(0.3), 1, 3)?;
    /// assert!(after.surprisal(&[0.8], 1)?[0] < before.surprisal(&[0.8], 1)?[0]);
    /// # Ok::<(), lsmi_candle::EstimatorError>(())
    /// ```
    pub fn refit(&self, rows: &[f64], dims: usize, rounds: usize) -> Result<Self> {
        if dims != self.mixture.dims() || !rows.len().is_multiple_of(dims) {
            let (what, found) = ("the number of dimensions", dims.to_string());
            return Err(EstimatorError::Samples { what, found, expected: self.mixture.dims().to_string() });
        }
        if rows.len() / dims < LEAST_ROWS {
            return Err(EstimatorError::FewRowsForDensity { rows: rows.len() / dims, least: LEAST_ROWS });
        }
        let sample = Sample::new(self.straightened(single(rows)).values, dims, &Device::Cpu)?;
        // A tolerance of 0 continues while the likelihood grows at all.
        let limits = Limits { starts: 1, rounds, tolerance: 0.0 };
        let start = Start::From(self.mixture.clone());
        let mixture = fit(&sample, self.mixture.shape(), start, &NoEvidence, limits)?.mixture;
        Ok(Self { margins: self.margins.clone(), mixture })
    }

    /// Returns a density from a mixture fitted elsewhere, without margins.
    pub fn from_mixture(mixture: Mixture) -> Self {
        Self { margins: None, mixture }
    }

    /// Returns a density from a mixture over as many columns as the margins have.
    pub(crate) fn from_parts(margins: Option<Margins>, mixture: Mixture) -> Self {
        Self { margins, mixture }
    }

    /// Returns the curves that columns pass through before the mixture, if there are any.
    pub fn margins(&self) -> Option<&Margins> {
        self.margins.as_ref()
    }

    /// Returns the mixture: the density of the rows or, with margins, of the rows' normal scores.
    pub fn mixture(&self) -> &Mixture {
        &self.mixture
    }

    /// Returns the surprisal `-log p(x)` of rows `[n, dims]`, row-major, in nats.
    ///
    /// # Errors
    /// A candle error where the rows have other dimensions or the device fails.
    pub fn surprisal(&self, rows: &[f64], dims: usize) -> Result<Vec<f64>> {
        let rows = Points::new(single(rows), dims, &Device::Cpu)?;
        Ok(self.log_density(&rows)?.into_iter().map(|value| -value).collect())
    }

    pub(crate) fn log_density(&self, rows: &Points) -> Result<Vec<f64>> {
        match &self.margins {
            None => Ok(self.mixture.log_density(rows)?),
            Some(margins) => margins.log_density(&self.mixture, rows),
        }
    }

    /// Maps rows `[n, dims]`, row-major, to the coordinates of the mixture.
    pub(crate) fn straightened(&self, rows: Vec<f32>) -> Straightened {
        match &self.margins {
            None => Straightened { log_derivatives: vec![0.0; rows.len() / self.mixture.dims()], values: rows },
            Some(margins) => margins.apply(&rows),
        }
    }
}
