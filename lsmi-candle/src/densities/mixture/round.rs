//! One round of expectation maximisation over rows that come in parts and are not kept.

use std::sync::OnceLock;

use candle_core::{Device, Result as CandleResult};

use super::statistics::Statistics;
use super::{Covariance, Mixture, Moments, Pass, Sample};
use crate::densities::points::Points;
use crate::numbers::linear_algebra::second_moments;

/// A round: a mixture, and the sums over the rows seen so far that improve it.
pub(crate) struct Round<'a> {
    mixture: &'a Mixture,
    statistics: Statistics<'a>,
    log_likelihood: f64,
    rows: usize,
    squares: f64,
    /// `X' X`, where the maximisation needs it.
    second: Option<Vec<f64>>,
}

impl<'a> Round<'a> {
    pub(crate) fn new(mixture: &'a Mixture) -> Self {
        let dims = mixture.dims();
        let needs_second = mixture.shape().covariance == Covariance::Tied && mixture.shape().freedom.is_none();
        Self {
            mixture,
            statistics: Statistics::for_mixture(mixture),
            log_likelihood: 0.0,
            rows: 0,
            squares: 0.0,
            second: needs_second.then(|| vec![0.0; dims * dims]),
        }
    }

    /// Adds rows.
    ///
    /// # Errors
    /// A candle error where the rows have other dimensions or the device fails.
    pub(crate) fn add(&mut self, points: &Points) -> CandleResult<()> {
        let mut pass = Pass::new(self.mixture, points)?;
        while pass.next().is_some() {
            self.log_likelihood += pass.normalise().iter().sum::<f64>();
            pass.add_to(&mut self.statistics);
        }
        self.rows += points.rows();
        self.squares += points.values().iter().map(|value| f64::from(*value) * f64::from(*value)).sum::<f64>();
        if let Some(second) = &mut self.second {
            for (total, value) in second.iter_mut().zip(second_moments(points.values(), points.columns())) {
                *total += value;
            }
        }
        Ok(())
    }

    /// Returns the improved mixture, and the mean log likelihood of the rows under the one before, in nats.
    ///
    /// # Errors
    /// A candle error where the rows leave no mixture.
    pub(crate) fn finish(self) -> CandleResult<(Mixture, f64)> {
        let (rows, dims) = (self.rows as f64, self.mixture.dims());
        let moments = Moments {
            rows,
            mean_square: self.squares / (rows * dims as f64),
            second: self.second.map_or_else(OnceLock::new, OnceLock::from),
        };
        // The rows themselves are no longer there, but only their moments are needed.
        let sample = Sample { points: Points::new(Vec::new(), dims, &Device::Cpu)?, moments };
        Ok((self.statistics.maximize(&sample)?, self.log_likelihood / rows))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Limits, NoEvidence, STARTS, Shape, Start, fit};
    use super::*;
    use lsmi_core::random::stream;
    use rand_distr::{Distribution, StandardNormal};

    #[test]
    fn rounds_over_parts_are_rounds_over_the_whole() {
        const DIMS: usize = 3;
        let mut random = stream(0, "rounds");
        let mut values: Vec<f32> = (0..900 * DIMS).map(|_| StandardNormal.sample(&mut random)).collect();
        for (row, values) in values.chunks_exact_mut(DIMS).enumerate() {
            values[0] += if row % 3 == 0 { 4.0 } else { -1.0 };
        }
        let sample = Sample::new(values.clone(), DIMS, &Device::Cpu).unwrap();
        let covariances = [Covariance::Diagonal, Covariance::Tied, Covariance::Full, Covariance::LowRank(1)];
        for (covariance, freedom) in
            covariances.into_iter().flat_map(|covariance| [(covariance, None), (covariance, Some(5.0))])
        {
            let shape = Shape { covariance, freedom };
            let start = Start::Clusters { components: 2, random: &mut stream(1, "fit") };
            let before = fit(&sample, shape, start, &NoEvidence, Limits { starts: STARTS, rounds: 1, tolerance: 0.0 })
                .unwrap()
                .mixture;
            let next = Start::From(before.clone());
            let whole = fit(&sample, shape, next, &NoEvidence, Limits { starts: STARTS, rounds: 1, tolerance: 0.0 })
                .unwrap()
                .mixture;
            let mut round = Round::new(&before);
            for part in values.chunks(250 * DIMS) {
                round.add(&Points::new(part.to_vec(), DIMS, &Device::Cpu).unwrap()).unwrap();
            }
            let (parts, log_likelihood) = round.finish().unwrap();
            let densities = |mixture: &Mixture| mixture.log_density(&sample.points).unwrap();
            let mean = densities(&before).iter().sum::<f64>() / 900.0;
            assert!((mean - log_likelihood).abs() < 1e-9, "{shape}");
            for (whole, parts) in densities(&whole).iter().zip(densities(&parts)) {
                assert!((whole - parts).abs() < 1e-3, "{shape}: {whole} against {parts}");
            }
        }
    }
}
