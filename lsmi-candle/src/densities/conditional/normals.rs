//! Predictive distributions: for every row a mixture of normal distributions, and what is known of them at the row's target.

use lsmi_core::statistics::{log_add_exp, log_sum_exp};

/// Half the logarithm of 2 pi.
const HALF_LOG_TAU: f64 = 0.918_938_533_204_672_8;
/// Factors of deviations that unseen rows choose among.
const SPREADS: [f64; 9] = [0.8, 0.87, 0.93, 0.97, 1.0, 1.04, 1.1, 1.2, 1.4];

/// For every row a mixture of normal distributions, `p(y|x) = sum_k w_k N(y; m_k, s_k^2)`: arrays `[n, components]`,
/// row-major.
#[derive(Debug, Clone, Default)]
pub(crate) struct Normals {
    pub(crate) components: usize,
    pub(crate) log_weights: Vec<f64>,
    pub(crate) means: Vec<f64>,
    pub(crate) deviations: Vec<f64>,
}

/// What predictive distributions say at each row's own target. All of it is linear in the distributions but the
/// logarithm, so that it can be pooled and averaged.
#[derive(Debug, Clone, Default)]
pub(crate) struct Predicted {
    /// `log p(y|x)`, in nats.
    pub(crate) log_densities: Vec<f64>,
    /// The probability integral transform `F(y|x)`: uniform for a calibrated distribution (Dawid 1984).
    pub(crate) transforms: Vec<f64>,
    /// The mean of `p(y|x)`.
    pub(crate) means: Vec<f64>,
}

impl Normals {
    /// Moves and scales all distributions of row i by `offsets[i]` and `scale`: those of `offset + scale * y`.
    pub(crate) fn moved(mut self, offsets: &[f64], scale: f64) -> Self {
        for (means, offset) in self.means.chunks_exact_mut(self.components).zip(offsets) {
            for mean in means {
                *mean = offset + scale * *mean;
            }
        }
        for deviation in &mut self.deviations {
            *deviation *= scale;
        }
        self
    }

    /// Appends the distributions of more rows, of as many components.
    pub(crate) fn extend(&mut self, more: &Self) {
        self.components = more.components;
        self.log_weights.extend_from_slice(&more.log_weights);
        self.means.extend_from_slice(&more.means);
        self.deviations.extend_from_slice(&more.deviations);
    }

    /// Returns the distributions of the given rows in a range.
    pub(crate) fn slice(&self, start: usize, end: usize) -> Self {
        let part = |values: &[f64]| values[start * self.components..end * self.components].to_vec();
        Self {
            components: self.components,
            log_weights: part(&self.log_weights),
            means: part(&self.means),
            deviations: part(&self.deviations),
        }
    }

    /// Returns the log density of every row's target, all deviations multiplied by `spread`.
    pub(crate) fn log_densities(&self, targets: &[f64], spread: f64) -> Vec<f64> {
        let mut terms = vec![0.0; self.components];
        let of_row = |(row, target): (usize, &f64)| {
            for (component, term) in terms.iter_mut().enumerate() {
                let at = row * self.components + component;
                let deviation = spread * self.deviations[at];
                let score = (target - self.means[at]) / deviation;
                *term = self.log_weights[at] - deviation.ln() - HALF_LOG_TAU - 0.5 * score * score;
            }
            log_sum_exp(&terms)
        };
        targets.iter().enumerate().map(of_row).collect()
    }

    /// Returns what the distributions say at the targets, all deviations multiplied by `spread`.
    pub(crate) fn at(&self, targets: &[f64], spread: f64) -> Predicted {
        let (mut transforms, mut means) = (Vec::with_capacity(targets.len()), Vec::with_capacity(targets.len()));
        for (row, target) in targets.iter().enumerate() {
            let (mut below, mut mean) = (0.0, 0.0);
            for at in row * self.components..(row + 1) * self.components {
                let weight = self.log_weights[at].exp();
                let score = (target - self.means[at]) / (spread * self.deviations[at]);
                below += weight * 0.5 * libm::erfc(-score * std::f64::consts::FRAC_1_SQRT_2);
                mean += weight * self.means[at];
            }
            transforms.push(below.clamp(0.0, 1.0));
            means.push(mean);
        }
        Predicted { log_densities: self.log_densities(targets, spread), transforms, means }
    }

    /// Returns the factor of all deviations under which unseen targets are most likely.
    pub(crate) fn best_spread(&self, targets: &[f64]) -> f64 {
        let likelihood = |spread: f64| lsmi_core::statistics::sum(&self.log_densities(targets, spread));
        let start = (1.0, likelihood(1.0));
        let best = SPREADS.iter().fold(start, |best, spread| {
            let found = likelihood(*spread);
            if found > best.1 { (*spread, found) } else { best }
        });
        best.0
    }
}

impl Predicted {
    /// Returns the linear pool `p(y|x) = sum_m w_m p_m(y|x)` (Stone 1961) of members with weights of sum 1.
    pub(crate) fn pooled(members: &[&Self], weights: &[f64]) -> Self {
        let rows = members.first().map_or(0, |member| member.log_densities.len());
        let mut terms = vec![0.0; members.len()];
        let mut pooled = Self::default();
        for row in 0..rows {
            let (mut transform, mut mean) = (0.0, 0.0);
            for ((term, member), weight) in terms.iter_mut().zip(members).zip(weights) {
                *term = weight.ln() + member.log_densities[row];
                transform += weight * member.transforms[row];
                mean += weight * member.means[row];
            }
            pooled.log_densities.push(log_sum_exp(&terms));
            pooled.transforms.push(transform);
            pooled.means.push(mean);
        }
        pooled
    }

    /// Mixes in a share of another distribution, which no row's density then falls below by more.
    pub(crate) fn with_floor(mut self, share: f64, floor: &Self) -> Self {
        let logs = [(-share).ln_1p(), share.ln()];
        for (value, floor) in self.log_densities.iter_mut().zip(&floor.log_densities) {
            *value = log_add_exp(logs[0] + *value, logs[1] + floor);
        }
        for (own, floor) in [(&mut self.transforms, &floor.transforms), (&mut self.means, &floor.means)] {
            for (own, floor) in own.iter_mut().zip(floor) {
                *own += share * (floor - *own);
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_mixture() {
        let halves = vec![0.5f64.ln(); 2];
        let normals =
            Normals { components: 2, log_weights: halves, means: vec![-1.0, 3.0], deviations: vec![1.0, 2.0] };
        let found = normals.at(&[1.0], 1.0);
        let normal = |score: f64, deviation: f64| (-0.5 * score * score).exp() / deviation / 2.506_628_274_631;
        let expected = (0.5 * normal(2.0, 1.0) + 0.5 * normal(-1.0, 2.0)).ln();
        assert!((found.log_densities[0] - expected).abs() < 1e-12);
        // Phi(2) = .977250, Phi(-1) = .158655.
        assert!((found.transforms[0] - 0.5 * (0.977_250 + 0.158_655)).abs() < 1e-6);
        assert!((found.means[0] - 1.0).abs() < 1e-12);
        let moved = normals.moved(&[10.0], 2.0).at(&[12.0], 1.0);
        assert!((moved.log_densities[0] - (expected - 2.0f64.ln())).abs() < 1e-12, "the Jacobian is log 2");
        assert!((moved.transforms[0] - found.transforms[0]).abs() < 1e-12);
    }

    #[test]
    fn the_floor_bounds_what_a_mistake_costs() {
        let one = |density: f64| Predicted { log_densities: vec![density], transforms: vec![0.5], means: vec![0.0] };
        let floored = one(-1e6).with_floor(0.01, &one(-1.0));
        assert!((floored.log_densities[0] - (0.01f64.ln() - 1.0)).abs() < 1e-12);
    }

    #[test]
    fn too_narrow_distributions_are_widened() {
        let targets: Vec<f64> = (0..400).map(|row| 1.2 * (f64::from(row) / 200.0 - 1.0) * 3.0f64.sqrt()).collect();
        let normals =
            Normals { components: 1, log_weights: vec![0.0; 400], means: vec![0.0; 400], deviations: vec![1.0; 400] };
        assert_eq!(normals.best_spread(&targets), 1.2, "targets of deviation 1.2");
    }
}
