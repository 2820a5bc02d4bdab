//! Newton's method on the dual program, which finishes where alternation is slow, mostly in five to forty steps.
//!
//! The dual program maximises c·z, c the marginals and z = (a, b), subject to t(x1,x2) = -log `sum_y` exp(a + b) >= 0 for
//! every pair that has a cell. A primal-dual interior-point method (Boyd and Vandenberghe, "Convex Optimization", 2004,
//! section 11.7) follows the maximum of c·z + mu `sum` log t to mu = 0. With multipliers r(x1,x2) > 0, whose limit is
//! q(x1,x2), and shares p = exp(a + b + t) of each pair, a step solves
//!
//! ```text
//! sum_pairs [ r (diag p - p p') + (r/t) p p' ] dz = c - sum_pairs (mu/t) p
//! dr = mu/t - r + (r/t) p·dz
//! ```
//!
//! The right-hand side is the gradient of the barrier function and the matrix is positive definite, so that dz always
//! leads uphill (also with what [`FARTHEST`] adds to the diagonal) and halving its length always ends. Where the gradient
//! vanishes, q = (mu/t) p has the right marginals and its f differs from c·z by exactly mu times the number of pairs.

use super::certificate::Bounds;
use super::problem::Problem;
use super::schur::{Curvature, Factor};

/// Share of the way to the border of the feasible region that a step may go.
const FRACTION: f64 = 0.99;

/// The largest change of a dual variable in a step. They are logarithms: where a share is far too small, its curvature
/// is too, and the step would be the inverse of the share.
const FARTHEST: f64 = 3.0;

/// The largest factor between r and mu/t: it keeps the steps uphill by a fixed measure.
const SAFEGUARD: f64 = 1e8;

/// The least share of a step that is tried.
const LEAST_STEP: f64 = 1e-10;

/// Improves the bounds until their gap is at most `tolerance` or `steps` are over, starting from their q and dual
/// variables. Returns the number of steps.
pub(super) fn newton(problem: &Problem, bounds: &mut Bounds, tolerance: f64, steps: usize) -> usize {
    let pairs = problem.pairs() as f64;
    let mut point = Point::start(problem, bounds);
    let mut barrier = bounds.gap().max(tolerance) / pairs;
    let least_barrier = 0.1 * tolerance / pairs;
    for step in 1..=steps {
        let Some((along_dual, along_multipliers)) = point.step(problem, barrier) else { return step };
        bounds.improve_lower(problem, &point.dual);
        let q = problem
            .ranges()
            .zip(&point.multipliers)
            .flat_map(|(range, r)| point.shares[range].iter().map(move |p| r * p));
        bounds.improve_upper(problem, q.collect());
        if bounds.gap() <= tolerance {
            return step;
        }
        let factor = match along_dual.min(along_multipliers) {
            length if length > 0.9 => 0.1,
            length if length > 0.4 => 0.3,
            _ => 1.0,
        };
        barrier = (barrier * factor).max(least_barrier);
    }
    steps
}

/// A strictly feasible point of the dual program with its multipliers.
struct Point {
    /// a(x1, y), then b(x2, y).
    dual: Vec<f64>,
    /// t(x1, x2).
    slacks: Vec<f64>,
    /// p of each cell.
    shares: Vec<f64>,
    /// r(x1, x2).
    multipliers: Vec<f64>,
}

impl Point {
    /// Returns the best point known, shifted into the interior by about its gap.
    fn start(problem: &Problem, bounds: &Bounds) -> Self {
        let (mut sums, mut shares) = (vec![0.0; problem.pairs()], vec![0.0; problem.cells.len()]);
        let mut dual = bounds.dual.clone();
        problem.log_sums(&dual, &mut sums, &mut shares);
        let mut highest = vec![f64::NEG_INFINITY; problem.first];
        for (range, sum) in problem.ranges().zip(&sums) {
            let x1 = problem.cells[range.start].row / problem.classes;
            highest[x1] = highest[x1].max(*sum);
        }
        let inside = bounds.gap().clamp(1e-9, 1.0);
        for (logs, highest) in dual.chunks_mut(problem.classes).zip(highest) {
            for log in logs {
                *log -= highest + inside;
            }
        }
        problem.log_sums(&dual, &mut sums, &mut shares);
        let slacks: Vec<f64> = sums.iter().map(|sum| -sum).collect();
        let barrier = bounds.gap().max(1e-12) / problem.pairs() as f64;
        let pair_sum = |range: std::ops::Range<usize>| bounds.q[range].iter().sum::<f64>();
        let multipliers =
            problem.ranges().zip(&slacks).map(|(range, t)| pair_sum(range).max(1e-3 * barrier / t)).collect();
        Self { dual, slacks, shares, multipliers }
    }

    /// Returns the barrier function.
    fn value(problem: &Problem, dual: &[f64], slacks: &[f64], barrier: f64) -> f64 {
        problem.linear(dual) + barrier * slacks.iter().map(|t| t.ln()).sum::<f64>()
    }

    /// Makes one step. Returns the shares of its full length that z and r went, or `None` if rounding prevents an
    /// ascent.
    fn step(&mut self, problem: &Problem, barrier: f64) -> Option<(f64, f64)> {
        let mut gradient = problem.marginals.clone();
        let mut diagonal = vec![0.0; gradient.len()];
        for (range, (t, r)) in problem.ranges().zip(self.slacks.iter().zip(&self.multipliers)) {
            for (cell, p) in problem.cells[range.clone()].iter().zip(&self.shares[range]) {
                for index in [cell.row, cell.column] {
                    gradient[index] -= barrier / t * p;
                    diagonal[index] += r * p * (1.0 - p + p / t);
                }
            }
        }
        let damping = |(gradient, diagonal): (&f64, &f64)| (gradient.abs() / FARTHEST - diagonal).max(0.0);
        let curvature = Curvature {
            problem,
            shares: &self.shares,
            multipliers: &self.multipliers,
            ratios: self.multipliers.iter().zip(&self.slacks).map(|(r, t)| r / t).collect(),
            damping: gradient.iter().zip(&diagonal).map(damping).collect(),
        };
        let direction = Factor::new(&curvature).solve(&curvature, &gradient);
        let slope: f64 = gradient.iter().zip(&direction).map(|(gradient, change)| gradient * change).sum();
        if !slope.is_finite() {
            return None;
        }

        let along_pairs = curvature.along_shares(&direction);
        let changes: Vec<f64> = (along_pairs.iter().zip(&self.slacks).zip(&self.multipliers))
            .map(|((along, t), r)| barrier / t - r + r / t * along)
            .collect();
        let towards_border = |values: &[f64], changes: &mut dyn Iterator<Item = f64>| {
            let ends = values.iter().zip(changes).filter(|(_, change)| *change < 0.0);
            ends.fold(1.0f64, |length, (value, change)| length.min(-FRACTION * value / change))
        };
        let along_multipliers = towards_border(&self.multipliers, &mut changes.iter().copied());
        let mut length = towards_border(&self.slacks, &mut along_pairs.iter().map(|along| -along));

        let before = Self::value(problem, &self.dual, &self.slacks, barrier);
        // What rounding alone makes of the barrier function.
        let rounding = 1e-14 * (1.0 + before.abs());
        let mut sums = vec![0.0; problem.pairs()];
        loop {
            let dual: Vec<f64> = self.dual.iter().zip(&direction).map(|(z, change)| z + length * change).collect();
            problem.log_sums(&dual, &mut sums, &mut self.shares);
            let inside = sums.iter().zip(&self.slacks).all(|(sum, t)| -sum > (1.0 - FRACTION) * 0.1 * t);
            if inside {
                let slacks: Vec<f64> = sums.iter().map(|sum| -sum).collect();
                let after = Self::value(problem, &dual, &slacks, barrier);
                if after >= before + 1e-4 * length * slope - rounding {
                    self.dual = dual;
                    self.slacks = slacks;
                    break;
                }
            }
            length *= 0.5;
            if length < LEAST_STEP {
                return None;
            }
        }
        for ((r, change), t) in self.multipliers.iter_mut().zip(&changes).zip(&self.slacks) {
            let central = barrier / t;
            *r = (*r + along_multipliers * change).clamp(central / SAFEGUARD, central * SAFEGUARD);
        }
        Some((length, along_multipliers))
    }
}
