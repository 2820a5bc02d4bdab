//! The program of BROJA for the conic solver clarabel: another method by other hands.
//!
//! Of each cell there are q and e, of each pair its sum r, and (e, q, r) lies in the exponential cone:
//! q exp(e / q) <= r, hence e <= -q log(q / r). Then -`sum` e is minimal:
//!
//! ```text
//! minimise   - sum e
//! subject to sum_y q = r,  sum_x2 q = p(x1, y),  sum_x1 q = p(x2, y),  (e, q, r) in the exponential cone
//! ```
//!
//! Cells where a marginal is 0 are left out, since they have no interior.

use clarabel::algebra::CscMatrix;
use clarabel::solver::{
    DefaultSettingsBuilder, DefaultSolver, ExponentialConeT, IPSolver, SolverStatus, SupportedConeT, ZeroConeT,
};

/// The gap at which the solver stops.
const GOAL: f64 = 1e-10;

/// Returns the union information of two marginals `[states, classes]` in nats, or `None` if the solver fails.
pub(crate) fn union_information(x1_y: &[f64], x2_y: &[f64], classes: usize) -> Option<f64> {
    let marginals: Vec<f64> = x1_y.iter().chain(x2_y).copied().collect();
    // The occupied cells of every pair, each as its places in the two marginals.
    let mut pairs: Vec<Vec<[usize; 2]>> = Vec::new();
    for x1 in (0..x1_y.len()).step_by(classes) {
        for x2 in (x1_y.len()..marginals.len()).step_by(classes) {
            let cells = (0..classes).map(|class| [x1 + class, x2 + class]);
            pairs.push(cells.filter(|cell| cell.iter().all(|place| marginals[*place] > 0.0)).collect());
        }
    }
    pairs.retain(|cells| !cells.is_empty());
    let count: usize = pairs.iter().map(Vec::len).sum();

    // Marginals of 0 have no row: it would say 0 = 0.
    let mut rows = vec![usize::MAX; marginals.len()];
    let mut right = vec![0.0; pairs.len()];
    for (row, marginal) in rows.iter_mut().zip(&marginals).filter(|(_, marginal)| **marginal > 0.0) {
        *row = right.len();
        right.push(*marginal);
    }
    let equalities = right.len();
    let height = equalities + 3 * count;
    right.resize(height, 0.0);

    let width = 2 * count + pairs.len();
    let mut entries: Vec<(usize, usize, f64)> = Vec::new();
    let mut index = 0;
    for (pair, cells) in pairs.iter().enumerate() {
        let (sum, r) = (pair, 2 * count + pair);
        entries.push((sum, r, 1.0));
        for [first, second] in cells {
            let (e, q, cone) = (index, count + index, equalities + 3 * index);
            entries.extend([(sum, q, -1.0), (rows[*first], q, 1.0), (rows[*second], q, 1.0)]);
            entries.extend([(cone, e, -1.0), (cone + 1, q, -1.0), (cone + 2, r, -1.0)]);
            index += 1;
        }
    }
    let mut objective = vec![0.0; width];
    objective[..count].fill(-1.0);
    let mut cones: Vec<SupportedConeT<f64>> = vec![ZeroConeT(equalities)];
    cones.resize(1 + count, ExponentialConeT());

    let settings = DefaultSettingsBuilder::default()
        .verbose(false)
        .tol_gap_abs(GOAL)
        .tol_gap_rel(GOAL)
        .tol_feas(GOAL)
        .build()
        .ok()?;
    let matrix = CscMatrix::new_from_triplets(
        height,
        width,
        entries.iter().map(|entry| entry.0).collect(),
        entries.iter().map(|entry| entry.1).collect(),
        entries.iter().map(|entry| entry.2).collect(),
    );
    let quadratic = CscMatrix::zeros((width, width));
    let mut solver = DefaultSolver::new(&quadratic, &objective, &matrix, &right, &cones, settings).ok()?;
    solver.solve();
    if !matches!(solver.solution.status, SolverStatus::Solved | SolverStatus::AlmostSolved) {
        return None;
    }
    let of_class = |class: usize| x1_y.iter().skip(class).step_by(classes).sum::<f64>();
    let entropy: f64 = (0..classes).map(of_class).filter(|p| *p > 0.0).map(|p| -p * p.ln()).sum();
    Some(entropy + solver.solution.obj_val)
}
