//! Newton's method for the weights of a log-linear pool.
//!
//! The pool gives class k of sample i the log-probability
//!
//! ```text
//! log p_i(k) = sum_m w_im l_im(k) - log Z_i,    w_im = sum_f theta_mf x_if
//! ```
//!
//! with `l_im` the log-probabilities of member m and `x_i` the description of the sample. This is the conditional logit of
//! `McFadden` ("Conditional logit analysis of qualitative choice behavior", 1974) with the attributes `x_if l_im(k)`, so that
//! its mean log loss is convex in theta. To it comes the penalty `1/2 sum_mf lambda_f (theta_mf - centre_mf)^2`.

use super::Members;

/// Steps at most; a convex loss needs about ten.
const STEPS: usize = 50;
/// The decrease that a step promises, in nats, below which it is the last.
const TOLERANCE: f64 = 1e-10;
/// The least penalty, which keeps members that say the same apart.
const LEAST_PENALTY: f64 = 1e-8;

/// What the weights are fitted to.
pub(super) struct Problem<'a> {
    pub(super) members: &'a Members,
    pub(super) labels: &'a [u32],
    /// `[n, F]`, row-major.
    pub(super) descriptions: &'a [f64],
    /// The penalty of each column of the descriptions, `[F]`.
    pub(super) penalties: &'a [f64],
    /// Where the penalty is zero, `[M, F]`, row-major.
    pub(super) centre: &'a [f64],
}

/// Loss, gradient and Hessian at a point.
struct Expansion {
    loss: f64,
    gradient: Vec<f64>,
    hessian: Vec<f64>,
}

impl Problem<'_> {
    /// The penalised weights theta `[M, F]`, row-major.
    pub(super) fn solve(&self) -> Vec<f64> {
        let mut theta = self.centre.to_vec();
        let mut at = self.expand(&theta);
        for _ in 0..STEPS {
            let Some(step) = solve(at.hessian, at.gradient.clone()) else { break };
            let promise: f64 = step.iter().zip(&at.gradient).map(|(step, slope)| step * slope).sum();
            if promise.is_nan() || promise < TOLERANCE {
                break;
            }
            let Some((next, expansion)) = self.descend(&theta, &step, at.loss, promise) else { break };
            (theta, at) = (next, expansion);
        }
        theta
    }

    /// The first of ever shorter steps that lowers the loss as it should.
    fn descend(&self, theta: &[f64], step: &[f64], loss: f64, promise: f64) -> Option<(Vec<f64>, Expansion)> {
        let mut length = 1.0;
        for _ in 0..30 {
            let next: Vec<f64> = theta.iter().zip(step).map(|(theta, step)| theta - length * step).collect();
            let expansion = self.expand(&next);
            if expansion.loss <= loss - 1e-4 * length * promise {
                return Some((next, expansion));
            }
            length /= 2.0;
        }
        None
    }

    fn expand(&self, theta: &[f64]) -> Expansion {
        let (count, features) = (self.members.len(), self.penalties.len());
        let size = count * features;
        let mut sums = Expansion { loss: 0.0, gradient: vec![0.0; size], hessian: vec![0.0; size * size] };
        for (row, description) in self.descriptions.chunks_exact(features).enumerate() {
            let weights = weights(theta, description);
            let log_posterior = pooled(self.members, row, &weights);
            let label = self.labels[row] as usize;
            sums.loss -= log_posterior[label];
            let posterior: Vec<f64> = log_posterior.iter().map(|value| value.exp()).collect();
            self.add_row(&mut sums, row, &posterior, description);
        }
        self.finish(sums, theta)
    }

    /// Adds a sample: with respect to its weights the gradient is `E[l_m] - l_m(y)`, the Hessian `cov(l_m, l_m')`.
    fn add_row(&self, sums: &mut Expansion, row: usize, posterior: &[f64], description: &[f64]) {
        let (count, features) = (self.members.len(), self.penalties.len());
        let label = self.labels[row] as usize;
        let values = |member| self.members.log_probabilities(member, row);
        let expect = |member| -> f64 { values(member).iter().zip(posterior).map(|(value, p)| value * p).sum() };
        let means: Vec<f64> = (0..count).map(expect).collect();
        for first in 0..count {
            let slope = means[first] - values(first)[label];
            for (sum, value) in sums.gradient[first * features..][..features].iter_mut().zip(description) {
                *sum += slope * value;
            }
            for second in 0..=first {
                let pairs = values(first).iter().zip(values(second)).zip(posterior);
                let products = pairs.map(|((a, b), p)| (a - means[first]) * (b - means[second]) * p);
                let covariance: f64 = products.sum();
                for (a, of_a) in description.iter().enumerate() {
                    let line = (first * features + a) * count * features + second * features;
                    for (sum, of_b) in sums.hessian[line..][..features].iter_mut().zip(description) {
                        *sum += covariance * of_a * of_b;
                    }
                }
            }
        }
    }

    /// Sums become means, and the penalty is added; the Hessian's upper half is left as it is.
    fn finish(&self, mut sums: Expansion, theta: &[f64]) -> Expansion {
        let rows = self.members.rows() as f64;
        let size = theta.len();
        sums.loss /= rows;
        sums.gradient.iter_mut().chain(&mut sums.hessian).for_each(|sum| *sum /= rows);
        for (index, (theta, centre)) in theta.iter().zip(self.centre).enumerate() {
            let penalty = self.penalties[index % self.penalties.len()].max(LEAST_PENALTY);
            sums.loss += 0.5 * penalty * (theta - centre).powi(2);
            sums.gradient[index] += penalty * (theta - centre);
            sums.hessian[index * size + index] += penalty;
        }
        sums
    }
}

/// The weights of the members for a sample so described.
pub(super) fn weights(theta: &[f64], description: &[f64]) -> Vec<f64> {
    let of_member = |theta: &[f64]| theta.iter().zip(description).map(|(theta, value)| theta * value).sum();
    theta.chunks_exact(description.len()).map(of_member).collect()
}

/// The log-posterior `[K]` of a sample in the log-linear pool with these weights.
pub(super) fn pooled(members: &Members, row: usize, weights: &[f64]) -> Vec<f64> {
    let mut pooled = vec![0.0; members.classes()];
    for (member, weight) in weights.iter().enumerate() {
        for (sum, value) in pooled.iter_mut().zip(members.log_probabilities(member, row)) {
            *sum += weight * value;
        }
    }
    super::members::normalised(pooled, members.classes())
}

/// Solves `A x = b` for a positive definite A, of which the lower half is given, by Cholesky's factors; none where A is not.
fn solve(mut a: Vec<f64>, mut b: Vec<f64>) -> Option<Vec<f64>> {
    let size = b.len();
    for row in 0..size {
        for column in 0..=row {
            let products = (0..column).map(|k| a[row * size + k] * a[column * size + k]);
            let rest = a[row * size + column] - products.sum::<f64>();
            a[row * size + column] = if row > column {
                rest / a[column * size + column]
            } else if rest > 0.0 {
                rest.sqrt()
            } else {
                return None;
            };
        }
    }
    for row in 0..size {
        let known: f64 = (0..row).map(|k| a[row * size + k] * b[k]).sum();
        b[row] = (b[row] - known) / a[row * size + row];
    }
    for row in (0..size).rev() {
        let known: f64 = (row + 1..size).map(|k| a[k * size + row] * b[k]).sum();
        b[row] = (b[row] - known) / a[row * size + row];
    }
    Some(b)
}

#[cfg(test)]
mod tests {
    use lsmi_core::random::stream;
    use rand::Rng;

    use super::*;

    /// Three classes, two members, a constant and one feature, all at random.
    fn draw(rows: usize) -> (Members, Vec<u32>, Vec<f64>) {
        let mut random = stream(0, "newton test");
        let mut members = Members::new(rows, 3);
        for name in ["a", "b"] {
            members.push(name, (0..3 * rows).map(|_| random.random_range(-2.0..2.0)).collect()).unwrap();
        }
        let descriptions = (0..rows).flat_map(|_| [1.0, random.random_range(-1.0..1.0)]).collect();
        let labels = (0..rows).map(|_| random.random_range(0..3)).collect();
        (members, labels, descriptions)
    }

    #[test]
    fn a_known_system_is_solved() {
        let x = solve(vec![4.0, f64::NAN, 2.0, 3.0], vec![8.0, 7.0]).unwrap();
        assert!((x[0] - 1.25).abs() < 1e-12 && (x[1] - 1.5).abs() < 1e-12, "{x:?}");
        assert!(solve(vec![1.0, 0.0, 2.0, 1.0], vec![1.0, 1.0]).is_none());
    }

    #[test]
    fn gradient_and_hessian_are_those_of_finite_differences() {
        let (members, labels, descriptions) = draw(40);
        let centre = [0.5, 0.0, 0.5, 0.0];
        let problem = Problem {
            members: &members,
            labels: &labels,
            descriptions: &descriptions,
            penalties: &[0.1, 0.3],
            centre: &centre,
        };
        let theta = [0.4, -0.2, 0.9, 0.3];
        let at = problem.expand(&theta);
        for index in 0..4 {
            let moved = |by: f64| {
                let mut theta = theta;
                theta[index] += by;
                problem.expand(&theta)
            };
            let (up, down) = (moved(1e-5), moved(-1e-5));
            let slope = (up.loss - down.loss) / 2e-5;
            assert!((slope - at.gradient[index]).abs() < 1e-8, "{slope} {}", at.gradient[index]);
            for other in index..4 {
                let curvature = (up.gradient[other] - down.gradient[other]) / 2e-5;
                assert!((curvature - at.hessian[other * 4 + index]).abs() < 1e-8);
            }
        }
    }

    #[test]
    fn weights_that_made_the_labels_are_found() {
        let (members, _, descriptions) = draw(20_000);
        let truth = [0.8, 0.5, 0.3, -0.6];
        let mut random = stream(1, "newton test");
        let labels: Vec<u32> = (0..members.rows())
            .map(|row| {
                let log_posterior = pooled(&members, row, &weights(&truth, &descriptions[2 * row..][..2]));
                let drawn: f64 = random.random();
                let cumulated = [log_posterior[0].exp(), log_posterior[0].exp() + log_posterior[1].exp()];
                cumulated.iter().map(|bound| u32::from(drawn > *bound)).sum()
            })
            .collect();
        let problem = Problem {
            members: &members,
            labels: &labels,
            descriptions: &descriptions,
            penalties: &[0.0, 0.0],
            centre: &[0.0; 4],
        };
        let theta = problem.solve();
        // The standard error of a weight is about 1 / sqrt(20000 * 0.2 * 0.33) = 0.03 for the feature; four of them.
        assert!(theta.iter().zip(truth).all(|(found, truth)| (found - truth).abs() < 0.11), "{theta:?}");
        let gradient = problem.expand(&theta).gradient;
        assert!(gradient.iter().all(|slope| slope.abs() < 1e-5), "{gradient:?}");
    }
}
