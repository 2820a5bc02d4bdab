//! The program for the conic solver clarabel.
//!
//! Of each cell there are q and e, of each pair its sum r, and (e, q, r) lies in the exponential cone:
//! q exp(e / q) <= r, hence e <= -q log(q / r). Then -`sum` e is minimal:
//!
//! ```text
//! minimise   - sum e
//! subject to sum_y q = r,  sum_x2 q = p(x1, y),  sum_x1 q = p(x2, y),  (e, q, r) in the exponential cone
//! ```
//!
//! The multipliers of the marginals are, but for their sign, the dual variables a and b. Of the forms that were tried, the
//! dual program with a cone a cell takes half as many steps again, and one without r fills the factor with the classes'
//! square. Cells where a marginal is 0 are left out before, since they have no interior.
//!
//! What comes back is a proposal: status and values of the solver are not looked at, since the bounds say what its point
//! is worth, also when it stopped early (`InsufficientProgress` happens with these cones). Nothing here catches panics:
//! the one that is known of came of exponential together with semidefinite cones and is mended.

use clarabel::algebra::CscMatrix;
use clarabel::solver::{DefaultSettingsBuilder, DefaultSolver, ExponentialConeT, IPSolver, SupportedConeT, ZeroConeT};

use super::certificate::Bounds;
use super::problem::Problem;

/// Bytes that the solver takes for a cell, measured with a table 50 x 50 x 10.
pub(super) const BYTES_OF_A_CELL: usize = 4096;

/// Improves the bounds by the solver's point; the number of its steps, or None if it could not start.
pub(super) fn solve(problem: &Problem, bounds: &mut Bounds, tolerance: f64, steps: usize) -> Option<usize> {
    let (cells, pairs) = (problem.cells.len(), problem.pairs());
    // Marginals without a cell have no row: it would say 0 = 0.
    let mut rows = vec![usize::MAX; problem.marginals.len()];
    let mut equalities = pairs;
    let mut right = vec![0.0; pairs];
    for (row, &marginal) in rows.iter_mut().zip(&problem.marginals) {
        if marginal > 0.0 {
            *row = equalities;
            equalities += 1;
            right.push(marginal);
        }
    }
    let height = equalities + 3 * cells;
    right.resize(height, 0.0);

    let mut matrix = Triplets::default();
    let (q, r) = (cells, 2 * cells);
    for (pair, range) in problem.ranges().enumerate() {
        matrix.add(pair, r + pair, 1.0);
        for index in range {
            let cell = problem.cells[index];
            let cone = equalities + 3 * index;
            matrix.add(pair, q + index, -1.0);
            matrix.add(rows[cell.row], q + index, 1.0);
            matrix.add(rows[cell.column], q + index, 1.0);
            matrix.add(cone, index, -1.0);
            matrix.add(cone + 1, q + index, -1.0);
            matrix.add(cone + 2, r + pair, -1.0);
        }
    }
    let width = 2 * cells + pairs;
    let mut objective = vec![0.0; width];
    objective[..cells].fill(-1.0);
    let mut cones: Vec<SupportedConeT<f64>> = vec![ZeroConeT(equalities)];
    cones.resize(1 + cells, ExponentialConeT());

    let goal = (0.02 * tolerance).max(1e-13);
    let settings = DefaultSettingsBuilder::default()
        .verbose(false)
        .max_iter(u32::try_from(steps).unwrap_or(u32::MAX))
        .tol_gap_abs(goal)
        .tol_gap_rel(goal)
        .tol_feas(goal)
        .build()
        .ok()?;
    let quadratic = CscMatrix::zeros((width, width));
    let matrix = matrix.into_csc(height, width);
    let mut solver = DefaultSolver::new(&quadratic, &objective, &matrix, &right, &cones, settings).ok()?;
    solver.solve();

    let multipliers = &solver.solution.z;
    let dual: Vec<f64> = rows.iter().map(|&row| if row == usize::MAX { 0.0 } else { -multipliers[row] }).collect();
    bounds.improve_lower(problem, &dual);
    bounds.improve_upper(problem, solver.solution.x[q..r].to_vec());
    usize::try_from(solver.solution.iterations).ok()
}

/// The entries of a sparse matrix.
#[derive(Default)]
struct Triplets {
    rows: Vec<usize>,
    columns: Vec<usize>,
    values: Vec<f64>,
}

impl Triplets {
    fn add(&mut self, row: usize, column: usize, value: f64) {
        self.rows.push(row);
        self.columns.push(column);
        self.values.push(value);
    }

    fn into_csc(self, height: usize, width: usize) -> CscMatrix<f64> {
        CscMatrix::new_from_triplets(height, width, self.rows, self.columns, self.values)
    }
}
