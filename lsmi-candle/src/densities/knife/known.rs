//! Fits a known structure to all rows, without a search.

use candle_core::Device;
use lsmi_core::random::stream;

use super::{Fitted, Knife};
use crate::densities::mixture::{Covariance, Limits, NoEvidence, Sample, Start, fit as fit_mixture};
use crate::error::{EstimatorError, Result};

/// A structure and the length of its fit.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownParams {
    /// Number of kernels.
    pub components: usize,
    /// The structure of their covariances.
    pub covariance: Covariance,
    /// The number of starts from different seeds; the best after a few rounds is fitted further.
    pub starts: usize,
    /// Rounds of expectation maximisation at most.
    pub rounds: usize,
    /// The least gain in the mean log likelihood for another round, in nats.
    pub tolerance: f64,
}

impl KnownParams {
    /// Creates the settings of a fit with `components` kernels of this structure: two starts and at most 100 rounds,
    /// until one gains less than 0.001 nats.
    pub fn new(components: usize, covariance: Covariance) -> Self {
        Self { components, covariance, starts: 2, rounds: 100, tolerance: 1e-3 }
    }

    fn check(&self, rows: usize) -> Result<()> {
        let expected = if !(1..=rows).contains(&self.components) {
            ("knife components", self.components, format!("between 1 and the number of rows, {rows}"))
        } else if self.starts == 0 {
            ("knife starts", self.starts, "at least 1".to_owned())
        } else {
            return Ok(());
        };
        let (name, found, expected) = expected;
        Err(EstimatorError::Setting { name, found: found.to_string(), expected })
    }
}

pub(super) fn fit(
    rows: Vec<f32>,
    dims: usize,
    params: &KnownParams,
    seed: u64,
    device: &Device,
    report: &dyn Fn(String, f64) -> Result<()>,
) -> Result<Fitted> {
    let &KnownParams { components, covariance, starts, rounds, tolerance } = params;
    params.check(rows.len() / dims)?;
    let sample = Sample::new(rows, dims, device)?;
    let start = Start::Clusters { components, random: &mut stream(seed, &format!("knife {covariance} {components}")) };
    let limits = Limits { starts, rounds, tolerance };
    let mixture = fit_mixture(&sample, covariance.into(), start, &NoEvidence, limits)?.mixture;
    let densities = mixture.log_density(&sample.points)?;
    let loss = -densities.iter().sum::<f64>() / densities.len() as f64;
    report(format!("density with {components} {covariance} kernels"), loss)?;
    Ok(Fitted { knife: Knife::from_mixture(mixture), loss })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::densities::points::single;
    use rand_distr::{Distribution, StandardNormal};

    #[test]
    fn a_known_structure_is_fitted_to_all_rows() {
        let mut random = stream(0, "rows");
        let mut rows: Vec<f64> = (0..2000 * 2).map(|_| StandardNormal.sample(&mut random)).collect();
        for (index, row) in rows.chunks_exact_mut(2).enumerate() {
            row[0] += [0.0, 12.0][index % 2];
        }
        let params = KnownParams::new(2, Covariance::Full);
        let fitted = fit(single(&rows), 2, &params, 0, &Device::Cpu, &|_, _| Ok(())).unwrap();
        assert_eq!(fitted.knife.mixture().components(), 2);
        // 2,000 rows of standard deviation 1 in surprisal leave .022 as its error; eleven parameters gain .003.
        let truth = 2.0f64.ln() + (std::f64::consts::TAU * std::f64::consts::E).ln();
        assert!((fitted.loss - truth).abs() < 0.07, "{} against {truth}", fitted.loss);
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        let rows = || vec![0.5; 20];
        for params in [
            KnownParams::new(0, Covariance::Tied),
            KnownParams::new(21, Covariance::Tied),
            KnownParams { starts: 0, ..KnownParams::new(1, Covariance::Tied) },
        ] {
            let result = fit(rows(), 1, &params, 0, &Device::Cpu, &|_, _| Ok(()));
            assert!(matches!(result, Err(EstimatorError::Setting { .. })));
        }
    }
}
