//! The linear system of a Newton step, solved through its blocks.
//!
//! The matrix `sum_pairs [ r (diag p - p p') + (r/t) p p' ]` couples a(x1, .) of one x1 only with itself and with b, so
//! the a of every x1 is eliminated by a factor of as many rows as there are classes. What is left is the Schur complement
//! of b, dense and as large as the states of x2 times the classes: x2 should be the modality with fewer states. The
//! direction in which a(., y) rises and b(., y) falls by the same amount changes nothing, so that one b of each class
//! stays where it is.

use super::problem::{PANEL, Problem};

/// The share of its original value below which a pivot is lost to rounding; its variable stays where it is.
const LOST: f64 = 1e-14;

/// The matrix.
pub(super) struct Curvature<'a> {
    pub(super) problem: &'a Problem,
    /// p of each cell.
    pub(super) shares: &'a [f64],
    /// r of each pair.
    pub(super) multipliers: &'a [f64],
    /// r/t of each pair.
    pub(super) ratios: Vec<f64>,
    /// The summand of the diagonal.
    pub(super) damping: Vec<f64>,
}

impl Curvature<'_> {
    /// Returns `sum_y` p (a + b) of each pair, for z = (a, b).
    pub(super) fn along_shares(&self, z: &[f64]) -> Vec<f64> {
        let of_cell = |index: usize| {
            let cell = self.problem.cells[index];
            self.shares[index] * (z[cell.row] + z[cell.column])
        };
        self.problem.ranges().map(|range| range.map(of_cell).sum()).collect()
    }

    /// Returns the matrix times z.
    fn times(&self, z: &[f64]) -> Vec<f64> {
        let mut product: Vec<f64> = self.damping.iter().zip(z).map(|(damping, z)| damping * z).collect();
        for (pair, (range, along)) in self.problem.ranges().zip(self.along_shares(z)).enumerate() {
            let common = (self.ratios[pair] - self.multipliers[pair]) * along;
            for index in range {
                let cell = self.problem.cells[index];
                let value = self.shares[index] * (self.multipliers[pair] * (z[cell.row] + z[cell.column]) + common);
                product[cell.row] += value;
                product[cell.column] += value;
            }
        }
        product
    }
}

/// The factors of the blocks of a and of the Schur complement of b.
pub(super) struct Factor {
    /// A lower triangular factor `[classes, classes]` for each x1.
    blocks: Vec<f64>,
    /// The places in the marginals of the b that are free.
    free: Vec<usize>,
    /// The lower triangular factor of their Schur complement, row-major.
    schur: Vec<f64>,
}

impl Factor {
    pub(super) fn new(curvature: &Curvature<'_>) -> Self {
        let problem = curvature.problem;
        let (classes, columns) = (problem.classes, problem.first * problem.classes);
        let free = free(problem);
        let size = free.len();
        let mut place = vec![usize::MAX; problem.marginals.len()];
        for (index, &column) in free.iter().enumerate() {
            place[column] = index;
        }

        let mut schur = vec![0.0; size * size];
        for (index, &column) in free.iter().enumerate() {
            schur[index * size + index] = curvature.damping[column];
        }
        let mut blocks = vec![0.0; columns * classes];
        let mut panel = Panel::new(size);
        let mut coupling = vec![0.0; classes * size];
        let mut pairs = problem.ranges().enumerate().peekable();
        for (x1, block) in blocks.chunks_mut(classes * classes).enumerate() {
            coupling.fill(0.0);
            for class in 0..classes {
                block[class * classes + class] = curvature.damping[x1 * classes + class];
            }
            while let Some((pair, range)) = pairs.next_if(|(_, range)| problem.cells[range.start].row / classes == x1) {
                let (r, common) = (curvature.multipliers[pair], curvature.ratios[pair] - curvature.multipliers[pair]);
                for left in range.clone() {
                    let (class, column) = (problem.cells[left].row % classes, place[problem.cells[left].column]);
                    for right in range.clone() {
                        let (other, across) = (problem.cells[right].row % classes, place[problem.cells[right].column]);
                        let mut value = common * curvature.shares[left] * curvature.shares[right];
                        if left == right {
                            value += r * curvature.shares[left];
                        }
                        block[class * classes + other] += value;
                        if across != usize::MAX {
                            coupling[class * size + across] += value;
                            if column != usize::MAX {
                                schur[column * size + across] += value;
                            }
                        }
                    }
                }
            }
            cholesky(block, classes);
            for class in 0..classes {
                let (above, row) = coupling.split_at_mut(class * size);
                let row = &mut row[..size];
                for (other, above) in above.chunks_exact(size.max(1)).enumerate() {
                    let factor = block[class * classes + other];
                    if factor != 0.0 {
                        row.iter_mut().zip(above).for_each(|(value, above)| *value -= factor * above);
                    }
                }
                let pivot = block[class * classes + class];
                for value in &mut *row {
                    *value /= pivot;
                }
                if pivot.is_finite() {
                    panel.add(row, &mut schur);
                }
            }
        }
        panel.subtract_from(&mut schur);
        cholesky(&mut schur, size);
        Self { blocks, free, schur }
    }

    /// Returns the solution, with two rounds of refinement.
    pub(super) fn solve(&self, curvature: &Curvature<'_>, right: &[f64]) -> Vec<f64> {
        let mut solution = self.solve_once(curvature, right);
        for _ in 0..2 {
            let product = curvature.times(&solution);
            let rest: Vec<f64> = right.iter().zip(&product).map(|(right, product)| right - product).collect();
            let correction = self.solve_once(curvature, &rest);
            solution.iter_mut().zip(correction).for_each(|(value, correction)| *value += correction);
        }
        solution
    }

    fn solve_once(&self, curvature: &Curvature<'_>, right: &[f64]) -> Vec<f64> {
        let classes = curvature.problem.classes;
        let columns = curvature.problem.first * classes;
        let blocks = || self.blocks.chunks(classes * classes);
        let mut eliminated = vec![0.0; right.len()];
        eliminated[..columns].copy_from_slice(&right[..columns]);
        for (part, block) in eliminated[..columns].chunks_mut(classes).zip(blocks()) {
            solve_triangles(block, part);
        }
        let product = curvature.times(&eliminated);
        let mut free_right: Vec<f64> = self.free.iter().map(|&column| right[column] - product[column]).collect();
        solve_triangles(&self.schur, &mut free_right);
        let mut solution = vec![0.0; right.len()];
        for (&column, value) in self.free.iter().zip(free_right) {
            solution[column] = value;
        }
        let product = curvature.times(&solution);
        for row in 0..columns {
            solution[row] = right[row] - product[row];
        }
        for (part, block) in solution[..columns].chunks_mut(classes).zip(blocks()) {
            solve_triangles(block, part);
        }
        solution
    }
}

/// Returns the b that occur, without the most probable one of each class.
fn free(problem: &Problem) -> Vec<usize> {
    let columns = problem.first * problem.classes;
    let mut fixed = vec![None; problem.classes];
    for column in columns..problem.marginals.len() {
        let fixed = &mut fixed[column % problem.classes];
        if fixed.is_none_or(|fixed: usize| problem.marginals[column] > problem.marginals[fixed]) {
            *fixed = Some(column);
        }
    }
    let is_free = |column: &usize| problem.marginals[*column] > 0.0 && fixed[column % problem.classes] != Some(*column);
    (columns..problem.marginals.len()).filter(is_free).collect()
}

/// Rows whose products with themselves are subtracted many at a time.
struct Panel {
    /// `[size, PANEL]`: the rows as columns, so that a product runs along memory.
    values: Vec<f64>,
    filled: usize,
    size: usize,
}

impl Panel {
    fn new(size: usize) -> Self {
        Self { values: vec![0.0; size * PANEL], filled: 0, size }
    }

    fn add(&mut self, row: &[f64], schur: &mut [f64]) {
        for (values, value) in self.values.chunks_exact_mut(PANEL).zip(row) {
            values[self.filled] = *value;
        }
        self.filled += 1;
        if self.filled == PANEL {
            self.subtract_from(schur);
        }
    }

    fn subtract_from(&mut self, schur: &mut [f64]) {
        let rows = || self.values.chunks_exact(PANEL).map(|row| &row[..self.filled]);
        for (index, (row, left)) in schur.chunks_exact_mut(self.size.max(1)).zip(rows()).enumerate() {
            for (value, right) in row[..=index].iter_mut().zip(rows()) {
                *value -= dot(left, right);
            }
        }
        self.filled = 0;
    }
}

/// Replaces the lower triangle of a symmetric positive semidefinite matrix by its Cholesky factor.
///
/// A pivot that is lost to rounding becomes infinite, so that its variable is solved to 0.
fn cholesky(matrix: &mut [f64], size: usize) {
    for row in 0..size {
        let (above, rest) = matrix.split_at_mut(row * size);
        let current = &mut rest[..size];
        for column in 0..row {
            let other = &above[column * size..][..=column];
            current[column] = (current[column] - dot(&current[..column], &other[..column])) / other[column];
        }
        let whole = current[row];
        let pivot = whole - dot(&current[..row], &current[..row]);
        current[row] = if pivot > LOST * whole { pivot.sqrt() } else { f64::INFINITY };
    }
}

/// Solves `L L' x = right` in place.
fn solve_triangles(factor: &[f64], right: &mut [f64]) {
    let size = right.len();
    for row in 0..size {
        let (solved, rest) = right.split_at_mut(row);
        rest[0] = (rest[0] - dot(&factor[row * size..][..row], solved)) / factor[row * size + row];
    }
    for row in (0..size).rev() {
        let (rest, solved) = right.split_at_mut(row);
        solved[0] /= factor[row * size + row];
        let value = solved[0];
        rest.iter_mut().zip(&factor[row * size..]).for_each(|(rest, factor)| *rest -= factor * value);
    }
}

/// Returns the sum of products, in eight sums at once so that they need not wait for each other.
fn dot(left: &[f64], right: &[f64]) -> f64 {
    let (left, left_rest) = left.as_chunks::<8>();
    let (right, right_rest) = right.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (left, right) in left.iter().zip(right) {
        for lane in 0..8 {
            sums[lane] += left[lane] * right[lane];
        }
    }
    let rest: f64 = left_rest.iter().zip(right_rest).map(|(left, right)| left * right).sum();
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_solved_and_lost_pivots_stay_at_zero() {
        let mut matrix = vec![4.0, 0.0, 0.0, 2.0, 3.0, 0.0, 2.0, 3.0, 3.0];
        cholesky(&mut matrix, 3);
        let mut solution = [8.0, 7.0, 7.0];
        solve_triangles(&matrix, &mut solution);
        for (found, expected) in solution.iter().zip([1.25, 1.5, 0.0]) {
            assert!((found - expected).abs() < 1e-14);
        }
    }

    #[test]
    fn products_of_any_length() {
        let values: Vec<f64> = (0..21u8).map(f64::from).collect();
        for length in 0..21 {
            let expected: f64 = values[..length].iter().map(|value| value * value).sum();
            assert!((dot(&values[..length], &values[..length]) - expected).abs() < 1e-9);
        }
    }
}
