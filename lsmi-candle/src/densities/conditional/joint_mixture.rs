//! The conditional density of a mixture of normal components fitted to features and target together.
//!
//! With the target last, a component's lower triangular whitening factor `W` has in its last row all that `p(y|x, k)` needs,
//! `y|x, k ~ N(m_y - W_yx (x - m_x) / W_yy, 1 / W_yy^2)`, and in the rows above the factor of `p(x|k)`; so that
//! `p(y|x) = sum_k p(k|x) p(y|x, k)` follows without another fit (Ghahramani, Jordan 1994).

use candle_core::Device;
use lsmi_core::random::stream;
use lsmi_core::statistics::log_sum_exp;

use super::columns::Scales;
use super::normals::Normals;
use crate::densities::mixture::{Covariance, Limits, Mixture, NoEvidence, Sample, Shape, Start, fit};
use crate::densities::points::single;
use crate::error::Result;

/// The least deviation of a component, in deviations of the residual.
const LEAST_DEVIATION: f64 = 5e-3;
const LIMITS: Limits = Limits { starts: 3, rounds: 100, tolerance: 1e-4 };

/// A fitted mixture over features and target.
#[derive(Debug, Clone)]
pub(crate) struct JointMixture {
    pub(crate) scales: Scales,
    pub(crate) mixture: Mixture,
}

impl JointMixture {
    /// Fits full covariances to features `[n, width]`, row-major, and targets of about unit variance.
    pub(crate) fn fit(features: &[f32], width: usize, targets: &[f64], components: usize, seed: u64) -> Result<Self> {
        let mut joint = Vec::with_capacity(targets.len() * (width + 1));
        let scales = Scales::of(features, width);
        for (row, target) in scales.apply(features).chunks_exact(width).zip(single(targets)) {
            joint.extend_from_slice(row);
            joint.push(target);
        }
        let sample = Sample::new(joint, width + 1, &Device::Cpu)?;
        let mut random = stream(seed, &format!("joint mixture {components}"));
        let start = Start::Clusters { components, random: &mut random };
        Ok(Self { scales, mixture: fit(&sample, Shape::from(Covariance::Full), start, &NoEvidence, LIMITS)?.mixture })
    }

    /// Returns the predictive distributions of rows `[n, width]`, row-major.
    pub(crate) fn predict(&self, features: &[f32]) -> Normals {
        let (components, dims) = (self.mixture.components(), self.mixture.dims());
        let width = dims - 1;
        let mut predicted = Normals { components, ..Normals::default() };
        let mut scores = vec![0.0; components];
        for row in self.scales.apply(features).chunks_exact(width) {
            for (component, score) in scores.iter_mut().enumerate() {
                let means = &self.mixture.means()[component * dims..][..dims];
                let factor = &self.mixture.factors()[component * dims * dims..][..dims * dims];
                let centred = |column: usize| f64::from(row[column]) - f64::from(means[column]);
                let mut of_features = self.mixture.log_weights()[component];
                for (line, factor) in factor.chunks_exact(dims).take(width).enumerate() {
                    let product: f64 = (0..=line).map(|column| f64::from(factor[column]) * centred(column)).sum();
                    of_features += f64::from(factor[line]).ln() - 0.5 * product * product;
                }
                *score = of_features;
                let last = &factor[width * dims..];
                let product: f64 = (0..width).map(|column| f64::from(last[column]) * centred(column)).sum();
                let precision = f64::from(last[width]);
                predicted.means.push(f64::from(means[width]) - product / precision);
                predicted.deviations.push(precision.recip().max(LEAST_DEVIATION));
            }
            let normaliser = log_sum_exp(&scores);
            predicted.log_weights.extend(scores.iter().map(|score| score - normaliser));
        }
        predicted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_conditional_of_two_known_components() {
        // Covariances [[1, .6], [.6, 1]] about (-2, 0) and the identity about (2, 1): W is the inverse Cholesky factor.
        let first = [1.0f32, 0.0, -0.75, 1.25];
        let second = [1.0f32, 0.0, 0.0, 1.0];
        let halves = vec![0.5f64.ln(); 2];
        let factors = [first, second].concat();
        let mixture = Mixture::new(Covariance::Full, halves, vec![-2.0, 0.0, 2.0, 1.0], factors).unwrap();
        let found = JointMixture { scales: Scales::of(&[-1.0, 1.0], 1), mixture }.predict(&[0.0, -3.0]);
        assert!((found.log_weights[0].exp() - 0.5).abs() < 1e-6 && found.log_weights[2].exp() > 0.999);
        assert!((found.means[0] - 1.2).abs() < 1e-6 && (found.deviations[0] - 0.8).abs() < 1e-6);
        assert!((found.means[3] - 1.0).abs() < 1e-6 && (found.deviations[3] - 1.0).abs() < 1e-6);
    }
}
