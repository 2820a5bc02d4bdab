//! The search for an optimum: steps of the limited-memory method, and searches along them.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use super::problem::{Problem, single};
use crate::numbers::simd_math::{exp, ln, vectorised};

/// Steps that the inverse Hessian is made of.
const MEMORY: usize = 10;

/// The slope at which a line search ends, as a part of that at its start.
const FLAT: f64 = 0.3;

/// Step lengths that a line search tries.
const MOST_TRIES: usize = 12;

/// The least variance of a class, as a part of 1/4, and the least curvature along any parameter.
const LEAST_VARIANCE: f64 = 1e-3;
const LEAST_CURVATURE: f64 = 1e-12;

/// The criteria by which the search for an optimum ends.
#[derive(Debug, Clone, Copy)]
pub(in crate::heads) struct Stop {
    /// After two steps in a row that lessen the objective by less than this part of it.
    pub(in crate::heads) tolerance: f64,
    /// The largest number of steps.
    pub(in crate::heads) most_steps: usize,
}

impl Default for Stop {
    fn default() -> Self {
        Self { tolerance: 1e-4, most_steps: 200 }
    }
}

/// The objective along a direction: its value, slope and curvature at a step length.
#[derive(Clone, Copy, Default)]
struct Along {
    value: f64,
    slope: f64,
    curvature: f64,
}

/// A step, and how the gradient changed over it.
struct Pair {
    step: Vec<f32>,
    change: Vec<f32>,
}

/// A point on its way to the optimum.
pub(super) struct Search<'a> {
    problem: &'a Problem,
    /// `[inputs, classes]`; the last row is of the biases.
    pub(super) parameters: Vec<f32>,
    gradient: Vec<f32>,
    pairs: VecDeque<Pair>,
    /// The penalty that the pairs' changes are of.
    penalty: f64,
    /// `[classes, rows]`, as are the next two.
    logits: Vec<f32>,
    /// The change of the logits over a step of length 1.
    changes: Vec<f32>,
    /// Exponentials of the logits less the row's largest, then the gradient of the logits.
    exponentials: Vec<f32>,
    /// For each row: the largest logit, and sums over classes of exponentials, of these times changes and changes
    /// squared.
    row_statistics: [Vec<f32>; 4],
}

impl<'a> Search<'a> {
    /// Starts where all classes are equally likely.
    pub(super) fn new(problem: &'a Problem) -> Self {
        let parameters = vec![0.0; problem.inputs * problem.classes];
        let of_logits = vec![0.0; problem.rows() * problem.classes];
        Self {
            gradient: parameters.clone(),
            pairs: VecDeque::with_capacity(MEMORY + 1),
            penalty: 0.0,
            changes: of_logits.clone(),
            exponentials: of_logits.clone(),
            row_statistics: std::array::from_fn(|_| vec![0.0; problem.rows()]),
            logits: of_logits,
            parameters,
            problem,
        }
    }

    /// Descends to the optimum of a penalty.
    pub(super) fn descend(&mut self, penalty: f64, stop: Stop) {
        let weights = self.problem.weights();
        for Pair { step, change } in &mut self.pairs {
            add(&mut change[..weights], single(penalty - self.penalty), &step[..weights]);
        }
        self.penalty = penalty;
        self.problem.logits(&self.parameters, &mut self.logits);
        self.changes.fill(0.0);
        let mut value = self.along(0.0, &[]).value;
        self.differentiate();
        let diagonal = self.inverse_diagonal();
        let mut slow = 0;
        for _ in 0..stop.most_steps {
            let direction = self.direction(&diagonal);
            let slope = dot(&direction, &self.gradient);
            if slope >= 0.0 {
                break;
            }
            self.problem.logits(&direction, &mut self.changes);
            let Some((length, lower)) = self.length(&direction, Along { value, slope, curvature: 0.0 }) else { break };
            self.advance(length, direction);
            slow = if value - lower < stop.tolerance * lower { slow + 1 } else { 0 };
            value = lower;
            if slow == 2 {
                break;
            }
        }
    }

    /// Returns the objective at a step length, and computes the exponentials there; an empty direction stands for 0.
    fn along(&mut self, length: f32, direction: &[f32]) -> Along {
        let problem = self.problem;
        let rows = problem.rows();
        let [largest, sums, firsts, seconds] = &mut self.row_statistics;
        largest.fill(f32::NEG_INFINITY);
        for sums in [&mut *sums, firsts, seconds] {
            sums.fill(0.0);
        }
        let (logits, changes, exponentials) = (&self.logits, &self.changes, &mut self.exponentials);
        vectorised(
            #[inline(always)]
            || {
                for (logits, changes) in logits.chunks_exact(rows).zip(changes.chunks_exact(rows)) {
                    for ((largest, logit), change) in largest.iter_mut().zip(logits).zip(changes) {
                        let logit = logit + length * change;
                        *largest = if logit > *largest { logit } else { *largest };
                    }
                }
                let of_classes = exponentials.chunks_exact_mut(rows).zip(logits.chunks_exact(rows));
                for ((exponentials, logits), changes) in of_classes.zip(changes.chunks_exact(rows)) {
                    let sums = sums.iter_mut().zip(&mut *firsts).zip(&mut *seconds).zip(&*largest);
                    let given = exponentials.iter_mut().zip(logits).zip(changes);
                    for (((exponential, logit), change), (((sum, first), second), largest)) in given.zip(sums) {
                        *exponential = exp(logit + length * change - largest);
                        let weighted = *exponential * change;
                        *sum += *exponential;
                        *first += weighted;
                        *second += weighted * change;
                    }
                }
            },
        );
        let mut along = Along::default();
        for (row, (label, share)) in problem.labels.iter().zip(&problem.shares).enumerate() {
            let of_label = *label as usize * rows + row;
            let (share, change, sum) = (f64::from(*share), f64::from(changes[of_label]), f64::from(sums[row]));
            let logit = f64::from(logits[of_label]) + f64::from(length) * change;
            let (first, second) = (f64::from(firsts[row]) / sum, f64::from(seconds[row]) / sum);
            along.value += share * (f64::from(largest[row]) + ln(sum) - logit);
            along.slope += share * (first - change);
            along.curvature += share * (second - first * first);
        }
        let length = f64::from(length);
        let weights = &self.parameters[..problem.weights()];
        along.value += 0.5 * self.penalty * dot(weights, weights);
        if !direction.is_empty() {
            let direction = &direction[..weights.len()];
            let (cross, square) = (dot(weights, direction), dot(direction, direction));
            along.value += self.penalty * length * (cross + 0.5 * length * square);
            along.slope += self.penalty * (cross + length * square);
            along.curvature += self.penalty * square;
        }
        along
    }

    /// Returns the step length at which the slope is small, by Newton's method within bounds, and the objective there.
    /// Returns `None` if the objective does not fall.
    fn length(&mut self, direction: &[f32], start: Along) -> Option<(f32, f64)> {
        let (mut length, mut lower, mut upper) = (1.0, 0.0, f32::INFINITY);
        for _ in 0..MOST_TRIES {
            let along = self.along(length, direction);
            if along.slope.abs() <= FLAT * start.slope.abs() && along.value < start.value {
                return Some((length, along.value));
            }
            // NaN means too far.
            if along.slope < 0.0 {
                lower = length;
            } else {
                upper = length;
            }
            let next = length - single(along.slope / along.curvature);
            let is_within = next > lower && next < upper.min(10.0 * length);
            length = if is_within {
                next
            } else if upper.is_finite() {
                0.5 * (lower + upper)
            } else {
                4.0 * length
            };
        }
        None
    }

    /// Makes a step, at whose end the exponentials are.
    fn advance(&mut self, length: f32, mut step: Vec<f32>) {
        for value in &mut step {
            *value *= length;
        }
        add(&mut self.parameters, 1.0, &step);
        add(&mut self.logits, length, &self.changes);
        let mut change = self.gradient.clone();
        self.differentiate();
        for (change, gradient) in change.iter_mut().zip(&self.gradient) {
            *change = gradient - *change;
        }
        if dot(&step, &change) > 0.0 {
            self.pairs.push_back(Pair { step, change });
        }
        if self.pairs.len() > MEMORY {
            self.pairs.pop_front();
        }
    }

    /// Computes the gradient from exponentials, which become the gradient of the logits.
    fn differentiate(&mut self) {
        let problem = self.problem;
        let rows = problem.rows();
        let [scales, sums, ..] = &mut self.row_statistics;
        let gradients = &mut self.exponentials;
        vectorised(
            #[inline(always)]
            || {
                for ((scale, sum), share) in scales.iter_mut().zip(&*sums).zip(&problem.shares) {
                    *scale = share / sum;
                }
                for gradients in gradients.chunks_exact_mut(rows) {
                    for (gradient, scale) in gradients.iter_mut().zip(&*scales) {
                        *gradient *= scale;
                    }
                }
            },
        );
        for (row, (label, share)) in problem.labels.iter().zip(&problem.shares).enumerate() {
            gradients[*label as usize * rows + row] -= share;
        }
        problem.gradient(gradients, &mut self.gradient);
        let weights = problem.weights();
        add(&mut self.gradient[..weights], single(self.penalty), &self.parameters[..weights]);
    }

    /// Returns the inverse of a Hessian without its correlations, `[inputs, classes]`.
    fn inverse_diagonal(&self) -> Vec<f32> {
        let Problem { labels, shares, moments, inputs, classes, .. } = self.problem;
        let rows = labels.len();
        // The gradients of the logits are a share of p, less a share at the label.
        let mut variances = vec![0.0; *classes];
        for (class, (variance, gradients)) in variances.iter_mut().zip(self.exponentials.chunks_exact(rows)).enumerate()
        {
            for ((gradient, label), share) in gradients.iter().zip(labels).zip(shares) {
                let of_label = if *label as usize == class { 1.0 } else { 0.0 };
                let probability = f64::from(gradient / share + of_label);
                *variance += f64::from(*share) * probability * (1.0 - probability);
            }
            *variance = variance.max(0.25 * LEAST_VARIANCE);
        }
        let mut inverse = Vec::with_capacity(inputs * classes);
        for (input, moment) in moments.iter().enumerate() {
            let penalty = if input + 1 < *inputs { self.penalty } else { 0.0 };
            let of_class = |variance: &f64| single((moment * variance + penalty).max(LEAST_CURVATURE).recip());
            inverse.extend(variances.iter().map(of_class));
        }
        inverse
    }

    /// Returns the descent direction: the gradient times the inverse Hessian that steps and diagonal give (Nocedal
    /// 1980, p. 779).
    fn direction(&self, diagonal: &[f32]) -> Vec<f32> {
        let mut direction: Vec<f32> = self.gradient.iter().map(|value| -value).collect();
        let mut parts = Vec::with_capacity(MEMORY);
        for Pair { step, change } in self.pairs.iter().rev() {
            let curvature = dot(step, change);
            let part = dot(step, &direction) / curvature;
            add(&mut direction, single(-part), change);
            parts.push((part, curvature));
        }
        for (value, inverse) in direction.iter_mut().zip(diagonal) {
            *value *= inverse;
        }
        if let Some(Pair { step, change }) = self.pairs.back() {
            let scaled: Vec<f32> = change.iter().zip(diagonal).map(|(value, inverse)| value * inverse).collect();
            let scale = single(dot(step, change) / dot(change, &scaled));
            for value in &mut direction {
                *value *= scale;
            }
        }
        for (Pair { step, change }, (part, curvature)) in self.pairs.iter().zip(parts.into_iter().rev()) {
            let other = dot(change, &direction) / curvature;
            add(&mut direction, single(part - other), step);
        }
        direction
    }
}

/// Adds a multiple of a vector.
fn add(sum: &mut [f32], factor: f32, values: &[f32]) {
    vectorised(
        #[inline(always)]
        || {
            for (sum, value) in sum.iter_mut().zip(values) {
                *sum += factor * value;
            }
        },
    );
}

/// Returns the scalar product in f64, in sixteen sums side by side.
fn dot(left: &[f32], right: &[f32]) -> f64 {
    vectorised(
        #[inline(always)]
        || {
            let mut sums = [0.0f64; 16];
            let (lefts, rights) = (left.chunks_exact(sums.len()), right.chunks_exact(sums.len()));
            let pairs = lefts.remainder().iter().zip(rights.remainder());
            let rest: f64 = pairs.map(|(left, right)| f64::from(*left) * f64::from(*right)).sum();
            for (left, right) in lefts.zip(rights) {
                for ((sum, left), right) in sums.iter_mut().zip(left).zip(right) {
                    *sum += f64::from(*left) * f64::from(*right);
                }
            }
            sums.iter().sum::<f64>() + rest
        },
    )
}
