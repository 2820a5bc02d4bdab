//! Alternating minimisation, which takes sums and products alone.
//!
//! f(q) is the least Kullback-Leibler divergence of q from r(x1, x2), constant in y, over all r; the best r is q(x1, x2).
//! So q and r are improved in turn: q = r u(x1, y) v(x2, y) is scaled towards the marginals, rows then columns of each
//! class, and r becomes q(x1, x2). At the fixed point a = log u and b = log v solve the dual program. Each round is
//! linear in the cells, but convergence is sublinear where a q(x1, x2) vanishes, so that what is left after
//! [`ROUNDS`] is for [`newton`](super::newton), which starts there.

use super::certificate::Bounds;
use super::problem::Problem;

/// Rounds at most.
pub(super) const ROUNDS: usize = 200;

/// Rounds between two looks at the gap.
const ROUNDS_TO_A_LOOK: usize = 20;

/// Improves the bounds until their gap is at most `tolerance` or `rounds` are over, starting from their q and dual
/// variables. Returns the number of rounds.
pub(super) fn alternate(problem: &Problem, bounds: &mut Bounds, tolerance: f64, rounds: usize) -> usize {
    let mut factors: Vec<f64> = bounds.dual.iter().map(|dual| dual.exp()).collect();
    let mut r: Vec<f64> = problem.ranges().map(|range| bounds.q[range].iter().sum()).collect();
    let mut q = vec![0.0; problem.cells.len()];
    for round in 1..=rounds {
        for side in 0..2 {
            let mut sums = vec![0.0; problem.marginals.len()];
            for (range, r) in problem.ranges().zip(&r) {
                for cell in &problem.cells[range] {
                    let q = r * factors[cell.row] * factors[cell.column];
                    sums[if side == 0 { cell.row } else { cell.column }] += q;
                }
            }
            for (factor, (sum, marginal)) in factors.iter_mut().zip(sums.iter().zip(&problem.marginals)) {
                if *sum > 0.0 {
                    *factor *= marginal / sum;
                }
            }
        }
        for (range, r) in problem.ranges().zip(&mut r) {
            let mut sum = 0.0;
            for (cell, q) in problem.cells[range.clone()].iter().zip(&mut q[range]) {
                *q = *r * factors[cell.row] * factors[cell.column];
                sum += *q;
            }
            *r = sum;
        }
        if round % ROUNDS_TO_A_LOOK == 0 || round == rounds {
            let dual: Vec<f64> = factors.iter().map(|factor| factor.ln()).collect();
            bounds.improve_lower(problem, &dual);
            bounds.improve_upper(problem, q.clone());
            if bounds.gap() <= tolerance {
                return round;
            }
        }
    }
    rounds
}
