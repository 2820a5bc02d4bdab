//! Bounds on the minimum from below and above that any point proves, whatever solver proposed it.
//!
//! **Below.** Let a(x1, y) and b(x2, y) be any numbers and l(x1, x2) = log `sum_y` exp(a + b). For every feasible q, the
//! log-sum inequality gives
//!
//! ```text
//! f(q) - sum q (a + b) = sum q(x1,x2) KL( q(y|x1,x2) | exp(a + b) ) >= - sum q(x1,x2) l(x1,x2)
//! ```
//!
//! The marginals fix the sum of q (a + b), and those of q(x1, x2) are p(x1) and p(x2), so that
//!
//! ```text
//! f(q) >= sum p(x1,y) a + sum p(x2,y) b - sum p(x1) max_x2 l(x1,x2)
//! ```
//!
//! and likewise with x1 and x2 exchanged. That is the value of the dual program after a shift that makes its constraints
//! `sum_y` exp(a + b) <= 1 hold.
//!
//! **Above.** Any q is repaired to one whose marginals are right to rounding: rows and columns of each class are scaled
//! in turn, those that still exceed their marginal are scaled down, and what is missing is added as a matrix of rank one
//! (Altschuler, Weed, Rigollet, "Near-linear time approximation algorithms for optimal transport via Sinkhorn iteration",
//! Advances in Neural Information Processing Systems 30, 2017, algorithm 2). Its f is attained.
//!
//! Both hold to the rounding of sums of f64, some 1e-15.

use super::problem::Problem;

/// Rounds of scaling before the rest is repaired.
const ROUNDS: usize = 30;

/// The best bounds found so far.
#[derive(Debug, Clone)]
pub(super) struct Bounds {
    /// f of `q`.
    pub(super) upper: f64,
    /// A feasible q.
    pub(super) q: Vec<f64>,
    pub(super) lower: f64,
    /// The dual variables of `lower`: a(x1, y), then b(x2, y).
    pub(super) dual: Vec<f64>,
}

impl Bounds {
    /// Creates the bounds that need no solver: from independence of x1 and x2 given y, and from the posteriors of one
    /// modality alone.
    pub(super) fn new(problem: &Problem) -> Self {
        let q = problem.product();
        let columns = problem.first * problem.classes;
        let posterior = |side: std::ops::Range<usize>| {
            let mut dual = vec![0.0; problem.marginals.len()];
            for (logs, state) in
                dual[side.clone()].chunks_mut(problem.classes).zip(problem.marginals[side].chunks(problem.classes))
            {
                let total: f64 = state.iter().sum();
                for (log, value) in logs.iter_mut().zip(state).filter(|(_, value)| **value > 0.0) {
                    *log = (value / total).ln();
                }
            }
            dual
        };
        let mut bounds = Self { upper: value(problem, &q), q, lower: f64::NEG_INFINITY, dual: Vec::new() };
        bounds.improve_lower(problem, &posterior(0..columns));
        bounds.improve_lower(problem, &posterior(columns..problem.marginals.len()));
        bounds
    }

    pub(super) fn gap(&self) -> f64 {
        // Negative by rounding only.
        (self.upper - self.lower).max(0.0)
    }

    /// Takes the dual variables if their bound is higher.
    pub(super) fn improve_lower(&mut self, problem: &Problem, dual: &[f64]) {
        let lower = lower_bound(problem, dual);
        if lower > self.lower {
            self.lower = lower;
            self.dual = dual.to_vec();
        }
    }

    /// Repairs q and takes it if its f is lower.
    pub(super) fn improve_upper(&mut self, problem: &Problem, mut q: Vec<f64>) {
        repair(problem, &mut q);
        let upper = value(problem, &q);
        if upper < self.upper {
            self.upper = upper;
            self.q = q;
        }
    }
}

/// Returns f(q).
pub(super) fn value(problem: &Problem, q: &[f64]) -> f64 {
    let mut sum = 0.0;
    for range in problem.ranges() {
        let total: f64 = q[range.clone()].iter().sum();
        sum += q[range].iter().filter(|q| **q > 0.0).map(|q| q * (q / total).ln()).sum::<f64>();
    }
    sum
}

/// Returns the bound from below of any dual variables; minus infinity if one is no number.
pub(super) fn lower_bound(problem: &Problem, dual: &[f64]) -> f64 {
    let (mut sums, mut shares) = (vec![0.0; problem.pairs()], vec![0.0; problem.cells.len()]);
    problem.log_sums(dual, &mut sums, &mut shares);
    let mut highest = vec![f64::NEG_INFINITY; problem.first + problem.second];
    for (range, sum) in problem.ranges().zip(&sums) {
        let cell = problem.cells[range.start];
        for state in [cell.row / problem.classes, cell.column / problem.classes] {
            highest[state] = highest[state].max(*sum);
        }
    }
    let mut shift = [0.0; 2];
    for (state, (highest, joint)) in highest.iter().zip(problem.marginals.chunks(problem.classes)).enumerate() {
        let probability: f64 = joint.iter().sum();
        if probability > 0.0 {
            shift[usize::from(state >= problem.first)] += probability * highest;
        }
    }
    let bound = problem.linear(dual) - shift[0].min(shift[1]);
    if bound.is_nan() { f64::NEG_INFINITY } else { bound }
}

/// Makes the marginals of q right to rounding.
pub(super) fn repair(problem: &Problem, q: &mut [f64]) {
    for value in &mut *q {
        if !value.is_finite() || *value < 0.0 {
            *value = 0.0;
        }
    }
    let columns = problem.first * problem.classes;
    for _ in 0..ROUNDS {
        let scale =
            |sums: &[f64], index: usize| if sums[index] > 0.0 { problem.marginals[index] / sums[index] } else { 1.0 };
        let sums = problem.marginals_of(q);
        let wrong: f64 = sums.iter().zip(&problem.marginals).map(|(sum, marginal)| (sum - marginal).abs()).sum();
        if wrong < 1e-15 {
            break;
        }
        for (cell, q) in problem.cells.iter().zip(&mut *q) {
            *q *= scale(&sums, cell.row);
        }
        let sums = problem.marginals_of(q);
        for (cell, q) in problem.cells.iter().zip(&mut *q) {
            *q *= scale(&sums, cell.column);
        }
    }
    let excess = |sums: &[f64], index: usize| (problem.marginals[index] / sums[index]).min(1.0);
    let sums = problem.marginals_of(q);
    for (cell, q) in problem.cells.iter().zip(&mut *q).filter(|(_, q)| **q > 0.0) {
        *q *= excess(&sums, cell.row);
    }
    let sums = problem.marginals_of(q);
    for (cell, q) in problem.cells.iter().zip(&mut *q).filter(|(_, q)| **q > 0.0) {
        *q *= excess(&sums, cell.column);
    }
    let sums = problem.marginals_of(q);
    let missing: Vec<f64> = sums.iter().zip(&problem.marginals).map(|(sum, all)| (all - sum).max(0.0)).collect();
    let mut missing_by_class = vec![0.0; problem.classes];
    for (column, missing) in missing[columns..].iter().enumerate() {
        missing_by_class[column % problem.classes] += missing;
    }
    for (cell, q) in problem.cells.iter().zip(q) {
        let total = missing_by_class[cell.row % problem.classes];
        if total > 0.0 {
            *q += missing[cell.row] * (missing[cell.column] / total);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Settings;
    use super::*;

    const SIZES: (usize, usize, usize) = (4, 3, 2);

    fn any_problem() -> impl Strategy<Value = Problem> {
        let (first, second, classes) = SIZES;
        prop::collection::vec(prop_oneof![0.001..1.0f64, Just(0.0)], first * second * classes)
            .prop_filter("some outcome has a probability", |weights| weights.iter().any(|weight| *weight > 0.0))
            .prop_map(move |weights| {
                let total: f64 = weights.iter().sum();
                let (mut x1_y, mut x2_y) = (vec![0.0; first * classes], vec![0.0; second * classes]);
                for (index, weight) in weights.iter().enumerate() {
                    x1_y[index / classes / second * classes + index % classes] += weight / total;
                    x2_y[index / classes % second * classes + index % classes] += weight / total;
                }
                Problem::new(&x1_y, &x2_y, classes, &Settings::default()).unwrap()
            })
    }

    fn worst_marginal(problem: &Problem, q: &[f64]) -> f64 {
        let sums = problem.marginals_of(q);
        sums.iter().zip(&problem.marginals).map(|(sum, marginal)| (sum - marginal).abs()).fold(0.0, f64::max)
    }

    proptest! {
        #[test]
        fn any_dual_variables_bound_any_repaired_q(
            problem in any_problem(),
            dual in prop::collection::vec(-9.0..3.0f64, 14),
            q in prop::collection::vec(prop_oneof![0.0..1.0f64, Just(0.0), Just(f64::NAN), Just(-1.0)], 24),
        ) {
            let mut q = q[..problem.cells.len()].to_vec();
            repair(&problem, &mut q);
            prop_assert!(worst_marginal(&problem, &q) < 1e-14);
            prop_assert!(q.iter().all(|q| *q >= 0.0));
            prop_assert!(lower_bound(&problem, &dual) <= value(&problem, &q) + 1e-12);
        }

        #[test]
        fn what_is_feasible_is_not_repaired(problem in any_problem()) {
            let product = problem.product();
            let mut q = product.clone();
            repair(&problem, &mut q);
            prop_assert!(q.iter().zip(&product).all(|(q, product)| (q - product).abs() < 1e-15));
        }
    }

    #[test]
    fn nothing_and_no_numbers_are_no_better_than_what_is_known() {
        let half = [0.5, 0.0, 0.25, 0.25];
        let problem = Problem::new(&half, &half, 2, &Settings::default()).unwrap();
        let known = Bounds::new(&problem);
        let mut bounds = known.clone();
        bounds.improve_upper(&problem, vec![0.0; problem.cells.len()]);
        bounds.improve_lower(&problem, &[f64::NAN; 8]);
        assert!((bounds.upper - known.upper).abs() < 1e-15 && bounds.lower == known.lower);
    }
}
