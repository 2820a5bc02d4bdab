//! Continuous targets whose densities are known: Gaussian, heteroscedastic and bimodal.
//!
//! Both modalities are standard normal in d dimensions. Each has one direction that tells of the target, s1 and s2, with
//! correlation .4; the target is a mixture of two normal distributions whose parameters depend on s1 and s2:
//!
//! | family | y given s1 and s2 |
//! |---|---|
//! | `gaussian` | N(.8 s1 + .6 s2, .7^2) |
//! | `noise-of-one` | N(.7 s1 + .5 s2, (.6 exp(.4 s1))^2) |
//! | `noise-of-both` | N(.6 s1, (.5 exp(.35 (s1 - s2)))^2) |
//! | `scale` | N(0, exp(.5 s1 + .4 s2)^2) |
//! | `bimodal` | N(±(1.5 + .8 s1) + .4 s2, .4^2), either sign as likely |
//!
//! Densities given one modality and the target's own are integrals over the other's direction, by the trapezoidal rule, which
//! converges faster than any power of the step for such integrands.

use std::{fmt, str::FromStr};

use rand_distr::{Distribution, StandardNormal};

use crate::{
    error::{Error, Result, from_name},
    ids::SampleIds,
    random::ChaCha8Rng,
    statistics::log_sum_exp,
    terms::Terms,
};

/// The correlation of the directions that tell of the target.
const CORRELATION: f64 = 0.4;
/// Half the logarithm of 2 pi.
const HALF_LOG_TAU: f64 = 0.918_938_533_204_672_8;
/// Points of an integral over a standard normal variable, from -7 to 7.
const POINTS: usize = 225;
/// Points at which the target's density is tabulated.
const TABLE: usize = 1201;

/// A family of data with a continuous target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContinuousFamily {
    /// Jointly Gaussian.
    Gaussian,
    /// The noise depends on modality 1.
    NoiseOfOne,
    /// The noise depends on both modalities.
    NoiseOfBoth,
    /// The mean is 0, and the features tell of the noise alone.
    Scale,
    /// Two modes, at distances that depend on modality 1.
    Bimodal,
}

/// Samples of a continuous family.
#[derive(Debug, Clone, PartialEq)]
pub struct ContinuousDraw {
    /// Modality 1, n rows of d values, row after row.
    pub x1: Vec<f64>,
    /// Modality 2, the same.
    pub x2: Vec<f64>,
    /// The targets.
    pub targets: Vec<f64>,
    /// Both directions that tell of the target, for each sample.
    pub directions: Vec<[f64; 2]>,
}

/// A normal component: the logarithm of its weight, mean and deviation.
type Component = (f64, f64, f64);

impl ContinuousFamily {
    /// All families.
    pub const ALL: [Self; 5] = [Self::Gaussian, Self::NoiseOfOne, Self::NoiseOfBoth, Self::Scale, Self::Bimodal];

    /// Returns the name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gaussian => "gaussian",
            Self::NoiseOfOne => "noise-of-one",
            Self::NoiseOfBoth => "noise-of-both",
            Self::Scale => "scale",
            Self::Bimodal => "bimodal",
        }
    }

    /// Draws samples whose modalities have `dims` columns each.
    ///
    /// # Panics
    /// If `dims` is 0.
    pub fn sample(self, samples: usize, dims: usize, random: &mut ChaCha8Rng) -> ContinuousDraw {
        assert!(dims > 0, "modalities have at least one column");
        let mut normal = || -> f64 { StandardNormal.sample(random) };
        let axis = (dims as f64).sqrt().recip();
        let along = |row: &[f64]| axis * row.iter().sum::<f64>();
        let mut draw = ContinuousDraw { x1: Vec::new(), x2: Vec::new(), targets: Vec::new(), directions: Vec::new() };
        for _ in 0..samples {
            let first: Vec<f64> = (0..dims).map(|_| normal()).collect();
            let mut second: Vec<f64> = (0..dims).map(|_| normal()).collect();
            let (s1, own) = (along(&first), along(&second));
            let s2 = CORRELATION * s1 + (1.0 - CORRELATION * CORRELATION).sqrt() * own;
            for value in &mut second {
                *value += axis * (s2 - own);
            }
            let [lower, upper] = self.components(s1, s2);
            let (_, mean, deviation) = if normal() < 0.0 { lower } else { upper };
            draw.targets.push(mean + deviation * normal());
            draw.x1.extend(first);
            draw.x2.extend(second);
            draw.directions.push([s1, s2]);
        }
        draw
    }

    /// Returns both components of the target's distribution, of the same weight.
    fn components(self, s1: f64, s2: f64) -> [Component; 2] {
        let half = -std::f64::consts::LN_2;
        let one = |mean: f64, deviation: f64| [(half, mean, deviation); 2];
        match self {
            Self::Gaussian => one(0.8 * s1 + 0.6 * s2, 0.7),
            Self::NoiseOfOne => one(0.7 * s1 + 0.5 * s2, 0.6 * (0.4 * s1).exp()),
            Self::NoiseOfBoth => one(0.6 * s1, 0.5 * (0.35 * (s1 - s2)).exp()),
            Self::Scale => one(0.0, (0.5 * s1 + 0.4 * s2).exp()),
            Self::Bimodal => {
                let distance = 1.5 + 0.8 * s1;
                [(half, 0.4 * s2 - distance, 0.4), (half, 0.4 * s2 + distance, 0.4)]
            }
        }
    }

    /// Returns `log p(y|s1,s2)`.
    fn log_density(self, target: f64, s1: f64, s2: f64) -> f64 {
        let of = |(log_weight, mean, deviation): Component| {
            let score = (target - mean) / deviation;
            log_weight - deviation.ln() - HALF_LOG_TAU - 0.5 * score * score
        };
        log_sum_exp(&self.components(s1, s2).map(of))
    }

    /// Returns the density of a target given the direction of one modality: 0 (x1) or 1 (x2).
    fn density_given(self, target: f64, modality: usize, value: f64) -> f64 {
        let spread = (1.0 - CORRELATION * CORRELATION).sqrt();
        integral(|z| {
            let other = CORRELATION * value + spread * z;
            let (s1, s2) = if modality == 0 { (value, other) } else { (other, value) };
            self.log_density(target, s1, s2).exp()
        })
    }

    /// Returns the exact terms of samples in the raw gauge, in nats.
    ///
    /// # Errors
    /// The errors of [`Terms::new`], for samples far outside the family.
    ///
    /// ```
    /// use lsmi_core::families::ContinuousFamily;
    /// use lsmi_core::random::stream;
    ///
    /// let draw = ContinuousFamily::Gaussian.sample(500, 2, &mut stream(0, "example"));
    /// let means = ContinuousFamily::Gaussian.terms(&draw)?.means();
    /// // The variance of y is .8^2 + .6^2 + 2 .4 .8 .6 + .7^2 = 1.874, of which .49 is left.
    /// assert!((means.i12 - 0.5 * (1.874_f64 / 0.49).ln()).abs() < 0.1);
    /// # Ok::<(), lsmi_core::Error>(())
    /// ```
    pub fn terms(self, draw: &ContinuousDraw) -> Result<Terms> {
        let marginal = Table::new(self, &draw.targets);
        let dims = draw.x1.len() / draw.targets.len().max(1);
        let surprisals = |x: &[f64]| -> Vec<f64> {
            let of_row = |row: &[f64]| row.iter().map(|value| HALF_LOG_TAU + 0.5 * value * value).sum();
            x.chunks_exact(dims.max(1)).map(of_row).collect()
        };
        let (mut i1, mut i2, mut i12) = (Vec::new(), Vec::new(), Vec::new());
        for (target, [s1, s2]) in draw.targets.iter().zip(&draw.directions) {
            let own = marginal.log_density(*target);
            i1.push(self.density_given(*target, 0, *s1).ln() - own);
            i2.push(self.density_given(*target, 1, *s2).ln() - own);
            i12.push(self.log_density(*target, *s1, *s2) - own);
        }
        let ids = SampleIds::rows(draw.targets.len());
        Terms::new(ids, surprisals(&draw.x1), surprisals(&draw.x2), i1, i2, i12)
    }
}

impl fmt::Display for ContinuousFamily {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for ContinuousFamily {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        from_name("continuous family", name, &Self::ALL, Self::name)
    }
}

/// Returns the mean of a function of a standard normal variable.
fn integral(of: impl Fn(f64) -> f64) -> f64 {
    let step = 14.0 / (POINTS - 1) as f64;
    let term = |index: usize| {
        let z = step * index as f64 - 7.0;
        step * (-0.5 * z * z - HALF_LOG_TAU).exp() * of(z)
    };
    (0..POINTS).map(term).sum()
}

/// The target's own log density, tabulated.
struct Table {
    start: f64,
    step: f64,
    log_densities: Vec<f64>,
}

impl Table {
    /// Tabulates the density over the range of targets.
    fn new(family: ContinuousFamily, targets: &[f64]) -> Self {
        let start = targets.iter().copied().fold(f64::INFINITY, f64::min);
        let end = targets.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let step = (end - start).max(f64::MIN_POSITIVE) / (TABLE - 1) as f64;
        let at = |index: usize| {
            let target = start + step * index as f64;
            integral(|s1| family.density_given(target, 0, s1)).ln()
        };
        Self { start, step, log_densities: (0..TABLE).map(at).collect() }
    }

    fn log_density(&self, target: f64) -> f64 {
        let place = ((target - self.start) / self.step).clamp(0.0, (TABLE - 1) as f64);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in the table")]
        let index = (place as usize).min(TABLE - 2);
        let share = place - index as f64;
        self.log_densities[index] + share * (self.log_densities[index + 1] - self.log_densities[index])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::stream;

    #[test]
    fn gaussian_terms_are_those_of_the_closed_form() {
        let draw = ContinuousFamily::Gaussian.sample(50, 3, &mut stream(0, "continuous test"));
        let terms = ContinuousFamily::Gaussian.terms(&draw).unwrap();
        let normal = |y: f64, mean: f64, variance: f64| -0.5 * (y - mean).powi(2) / variance - 0.5 * variance.ln();
        for (row, (y, [s1, s2])) in draw.targets.iter().zip(&draw.directions).enumerate() {
            let own = normal(*y, 0.0, 1.874);
            // y given s1: mean (.8 + .6 rho) s1, variance .6^2 (1 - rho^2) + .49; given s2 likewise.
            let first = normal(*y, 1.04 * s1, 0.36 * 0.84 + 0.49) - own;
            let second = normal(*y, 0.92 * s2, 0.64 * 0.84 + 0.49) - own;
            let both = normal(*y, 0.8 * s1 + 0.6 * s2, 0.49) - own;
            assert!((terms.i1[row] - first).abs() < 1e-4, "row {row}: {} against {first}", terms.i1[row]);
            assert!((terms.i2[row] - second).abs() < 1e-4 && (terms.i12[row] - both).abs() < 1e-4, "row {row}");
        }
    }

    #[test]
    fn every_target_density_is_one() {
        for family in ContinuousFamily::ALL {
            let targets: Vec<f64> = (0..2).map(|end| 60.0 * f64::from(end) - 30.0).collect();
            let table = Table::new(family, &targets);
            let mass: f64 = table.log_densities.iter().map(|value| value.exp() * table.step).sum();
            // Beyond 30, seven deviations of a scale's logarithm below e^3.4, lies less than 1e-3.
            assert!((mass - 1.0).abs() < 2e-3, "{family}: {mass}");
        }
    }
}
