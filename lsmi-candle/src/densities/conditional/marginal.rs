//! The marginal density p(y) of a target by KNIFE, with its distribution function.
//!
//! A share of a Cauchy density, that of a single row, is mixed in: KNIFE's tails are those of normal distributions, under which
//! a target far from the rows of a fit would be all but impossible, and i = log p(y|x) - log p(y) as large as one likes.

use std::f64::consts::PI;

use candle_core::Device;

use super::normals::Predicted;
use crate::densities::knife::{Fitted, Knife, Params, Training};
use crate::densities::points::{Points, single};
use crate::error::Result;

/// Points at which the distribution function is tabulated.
const POINTS: usize = 4096;
/// Deviations beyond the extreme targets that the table covers.
const BEYOND: f64 = 4.0;

/// The density of a standardised target, and a table of its distribution function.
#[derive(Debug, Clone)]
pub(crate) struct Marginal {
    pub(crate) knife: Knife,
    /// The ends of the table.
    pub(crate) range: [f64; 2],
    /// The distribution function at `POINTS` points, evenly spread over the range.
    below: Vec<f64>,
    mean: f64,
    /// The share of the Cauchy density.
    pub(crate) share_of_tails: f64,
}

impl Marginal {
    /// Fits the density to standardised targets. Also returns its loss, in nats.
    pub(crate) fn fit(
        targets: &[f64],
        groups: Option<&[u32]>,
        params: &Params,
        seed: u64,
        report: &dyn Fn(String, f64) -> Result<()>,
    ) -> Result<(Self, f64)> {
        let training = Training { rows: single(targets), dims: 1, groups };
        let Fitted { knife, loss } = Knife::fit_reporting(training, params, seed, &Device::Cpu, report)?;
        let lowest = targets.iter().copied().fold(f64::INFINITY, f64::min) - BEYOND;
        let highest = targets.iter().copied().fold(f64::NEG_INFINITY, f64::max) + BEYOND;
        let share_of_tails = (targets.len() as f64 + 2.0).recip();
        Ok((Self::new(knife, [lowest, highest], share_of_tails)?, loss))
    }

    /// Tabulates the distribution function of a density over a range, by the trapezoidal rule.
    pub(crate) fn new(knife: Knife, range: [f64; 2], share_of_tails: f64) -> Result<Self> {
        let step = (range[1] - range[0]) / (POINTS - 1) as f64;
        let points: Vec<f64> = (0..POINTS).map(|index| range[0] + step * index as f64).collect();
        let densities: Vec<f64> = log_density(&knife, &points)?.into_iter().map(f64::exp).collect();
        let (mut below, mut mean) = (vec![0.0], 0.0);
        for (pair, at) in densities.windows(2).zip(points.windows(2)) {
            let mass = 0.5 * step * (pair[0] + pair[1]);
            mean += 0.5 * (at[0] + at[1]) * mass;
            below.push(below[below.len() - 1] + mass);
        }
        let total = below[POINTS - 1].max(f64::MIN_POSITIVE);
        for value in &mut below {
            *value /= total;
        }
        Ok(Self { knife, range, below, mean: mean / total, share_of_tails })
    }

    /// Returns what the density says at targets, which does not depend on any features.
    pub(crate) fn at(&self, targets: &[f64]) -> Result<Predicted> {
        let means = vec![self.mean; targets.len()];
        // A Cauchy distribution has no mean; that of the others takes its place.
        let tails = Predicted {
            log_densities: targets.iter().map(|target| -(PI * (1.0 + target * target)).ln()).collect(),
            transforms: targets.iter().map(|target| 0.5 + target.atan() / PI).collect(),
            means: means.clone(),
        };
        let knife = Predicted {
            log_densities: log_density(&self.knife, targets)?,
            transforms: targets.iter().map(|target| self.below(*target)).collect(),
            means,
        };
        Ok(knife.with_floor(self.share_of_tails, &tails))
    }

    fn below(&self, target: f64) -> f64 {
        let [lowest, highest] = self.range;
        let place = ((target - lowest) / (highest - lowest)).clamp(0.0, 1.0) * (POINTS - 1) as f64;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in the table")]
        let index = (place as usize).min(POINTS - 2);
        let share = place - index as f64;
        self.below[index] + share * (self.below[index + 1] - self.below[index])
    }
}

fn log_density(knife: &Knife, targets: &[f64]) -> Result<Vec<f64>> {
    knife.log_density(&Points::new(single(targets), 1, &Device::Cpu)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsmi_core::random::stream;
    use rand_distr::{Distribution, StandardNormal};

    #[test]
    fn the_marginal_of_normal_targets() {
        let mut random = stream(0, "marginal");
        let targets: Vec<f64> = (0..2000).map(|_| StandardNormal.sample(&mut random)).collect();
        let (marginal, _) = Marginal::fit(&targets, None, &Params::default(), 0, &|_, _| Ok(())).unwrap();
        let found = marginal.at(&[-1.0, 0.0, 1.0, 90.0]).unwrap();
        // Mean and deviation of 2,000 draws are known to .022, the distribution function at 0 to .009.
        assert!((found.transforms[0] - 0.158_655).abs() < 0.03 && (found.transforms[1] - 0.5).abs() < 0.03);
        assert!((found.log_densities[1] + 0.919).abs() < 0.1 && found.means[0].abs() < 0.07);
        // But for the tails: 1 / 2,002 of 1 / (90 pi).
        assert!(found.transforms[3] < 1.0 && found.transforms[3] > 1.0 - 2e-6);
    }

    #[test]
    fn a_target_far_from_all_others_is_not_impossible() {
        // Three narrow clusters, whose normal distributions end long before 9.
        let targets: Vec<f64> = (0..60).map(|row| f64::from(row % 3 - 1) + f64::from(row) * 1e-4).collect();
        let (marginal, _) = Marginal::fit(&targets, None, &Params::default(), 0, &|_, _| Ok(())).unwrap();
        let found = marginal.at(&[9.0]).unwrap().log_densities[0];
        // A row's share of the Cauchy density, 1 / (62 * 82 pi).
        assert!((found + (62.0 * 82.0 * PI).ln()).abs() < 1e-6, "{found}");
    }
}
