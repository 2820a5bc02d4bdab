//! One-hot class vectors with Gaussian noise that is correlated between the modalities.

use rand::Rng;
use rand_distr::StandardNormal;

use super::{Draw, Family, check_draw, log_scale, mixture::check_positive};
use crate::{
    error::{Error, Result},
    ids::SampleIds,
    random::ChaCha8Rng,
    statistics::log_sum_exp,
    terms::Terms,
};

/// The family of the reference implementation's demonstration.
///
/// y is uniform on the classes and `e_y` its one-hot vector in the first coordinates; then
///
/// ```text
/// x1 = e_y + u,   x2 = e_y + rho u + sqrt(1 - rho²) v,   u, v = noise * N
/// ```
///
/// with N standard normal. Both modalities have the same marginal distribution. With `a_m = x_m - e_y` the residual
/// of a sample, its log-density ratios between class k and its own class y are
///
/// ```text
/// log p(x_m|k) / p(x_m|y)     = -(1 + a_m[y] - a_m[k]) / noise²
/// log p(x1,x2|k) / p(x1,x2|y) = -(2 + a_1[y] - a_1[k] + a_2[y] - a_2[k]) / (noise² (1 + rho))
/// ```
///
/// in which coordinates beyond the classes do not appear, and no large squares are subtracted.
#[derive(Debug, Clone, PartialEq)]
pub struct Gauss {
    classes: usize,
    dims: usize,
    correlation: f64,
    noise: f64,
}

impl Gauss {
    /// Creates the family from the number of classes, the dimensions of each modality, the correlation rho between the
    /// noises of the modalities, and the standard deviation `noise`.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if `classes` is below 2, `dims` below `classes`, `correlation` not between -1 and 1, or
    /// `noise` not above 0 and finite.
    ///
    /// ```
    /// use lsmi_core::families::Gauss;
    ///
    /// assert!(Gauss::new(2, 2, 0.5, 0.5).is_ok());
    /// let error = Gauss::new(3, 2, 0.5, 0.5).unwrap_err();
    /// assert_eq!(error.to_string(), "`dims` is 2; it must be at least the number of classes");
    /// ```
    pub fn new(classes: usize, dims: usize, correlation: f64, noise: f64) -> Result<Self> {
        if classes < 2 || u32::try_from(classes).is_err() {
            return Err(Error::parameter("classes", "at least 2, and a label must fit in 32 bits", &classes));
        }
        if dims < classes {
            return Err(Error::parameter("dims", "at least the number of classes", &dims));
        }
        if correlation.is_nan() || correlation.abs() >= 1.0 {
            return Err(Error::parameter("correlation", "above -1 and below 1", &correlation));
        }
        check_positive("noise", noise)?;
        Ok(Self { classes, dims, correlation, noise })
    }

    /// Returns -log p(x|y) of a residual.
    fn conditional_surprisal(&self, residual: &[f64]) -> f64 {
        let squares: f64 = residual.iter().map(|value| (value / self.noise).powi(2)).sum();
        squares / 2.0 + residual.len() as f64 * log_scale(self.noise)
    }
}

impl Family for Gauss {
    fn dims(&self) -> (usize, usize) {
        (self.dims, self.dims)
    }

    fn classes(&self) -> usize {
        self.classes
    }

    #[expect(clippy::cast_possible_truncation, reason = "the constructor checks that labels fit")]
    fn sample(&self, n: usize, rng: &mut ChaCha8Rng) -> Draw {
        let own = (1.0 - self.correlation.powi(2)).sqrt();
        let mut draw = Draw {
            x1: Vec::with_capacity(n * self.dims),
            x2: Vec::with_capacity(n * self.dims),
            labels: Vec::with_capacity(n),
            dims: self.dims(),
            classes: self.classes,
            groups: None,
        };
        for _ in 0..n {
            let label = rng.random_range(0..self.classes as u32);
            for coordinate in 0..self.dims {
                let centre = f64::from(coordinate == label as usize);
                let u = self.noise * rng.sample::<f64, _>(StandardNormal);
                let v = self.noise * rng.sample::<f64, _>(StandardNormal);
                draw.x1.push(centre + u);
                draw.x2.push(centre + self.correlation * u + own * v);
            }
            draw.labels.push(label);
        }
        draw
    }

    fn terms(&self, draw: &Draw) -> Result<Terms> {
        check_draw(draw, self.dims(), self.classes)?;
        let n = draw.labels.len();
        let column = || Vec::with_capacity(n);
        let (mut h1, mut h2, mut i1, mut i2, mut i12) = (column(), column(), column(), column(), column());
        let (mut a1, mut a2) = (Vec::new(), Vec::new());
        let (mut one, mut two, mut both) = (Vec::new(), Vec::new(), Vec::new());
        let log_classes = (self.classes as f64).ln();
        let variance = self.noise.powi(2);
        let joint_variance = variance * (1.0 + self.correlation);

        let rows = draw.x1.chunks_exact(self.dims).zip(draw.x2.chunks_exact(self.dims));
        for ((x1, x2), &label) in rows.zip(&draw.labels) {
            let y = label as usize;
            residual(x1, y, &mut a1);
            residual(x2, y, &mut a2);
            one.clear();
            two.clear();
            both.clear();
            for k in 0..self.classes {
                // 0 for the class itself, 1 for any other one.
                let other = f64::from(k != y);
                let (step1, step2) = (other + a1[y] - a1[k], other + a2[y] - a2[k]);
                one.push(-step1 / variance);
                two.push(-step2 / variance);
                both.push(-(step1 + step2) / joint_variance);
            }
            i1.push(log_classes - log_sum_exp(&one));
            i2.push(log_classes - log_sum_exp(&two));
            i12.push(log_classes - log_sum_exp(&both));
            h1.push(self.conditional_surprisal(&a1) + i1[i1.len() - 1]);
            h2.push(self.conditional_surprisal(&a2) + i2[i2.len() - 1]);
        }
        Terms::new(SampleIds::rows(n), h1, h2, i1, i2, i12)
    }
}

/// Computes the difference of a row from the one-hot vector of its class.
fn residual(x: &[f64], class: usize, residual: &mut Vec<f64>) {
    residual.clear();
    residual.extend_from_slice(x);
    residual[class] -= 1.0;
}
