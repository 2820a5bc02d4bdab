//! Solves a symmetric system whose matrix may be singular.

/// A symmetric positive semidefinite matrix, of which the lower triangle is stored row by row.
pub(super) struct Symmetric {
    size: usize,
    values: Vec<f64>,
}

/// A pivot below this share of its diagonal element is rounding: its row depends on those before.
const DEPENDENT: f64 = 1e-14;

impl Symmetric {
    /// Returns the matrix of zeros.
    pub(super) fn zeros(size: usize) -> Self {
        Self { size, values: vec![0.0; size * size] }
    }

    /// Adds to the element in row `row` and column `column`, where `row >= column`.
    #[inline]
    pub(super) fn add(&mut self, row: usize, column: usize, value: f64) {
        self.values[row * self.size + column] += value;
    }

    /// Returns a solution x of `matrix x = right` by Cholesky's decomposition; x is 0 where a row depends on those
    /// before.
    ///
    /// A solution exists where `right` is a product of the matrix, as gradients are.
    pub(super) fn solve(mut self, right: &[f64]) -> Vec<f64> {
        let n = self.size;
        for row in 0..n {
            let (above, rest) = self.values.split_at_mut(row * n);
            let current = &mut rest[..n];
            for column in 0..row {
                let other = &above[column * n..=column * n + column];
                let pivot = other[column];
                let rest = current[column] - dot(&current[..column], &other[..column]);
                current[column] = if pivot > 0.0 { rest / pivot } else { 0.0 };
            }
            let diagonal = current[row];
            let pivot = diagonal - dot(&current[..row], &current[..row]);
            current[row] = if pivot > DEPENDENT * diagonal { pivot.sqrt() } else { 0.0 };
        }
        let mut solution = right.to_vec();
        for row in 0..n {
            let line = &self.values[row * n..=row * n + row];
            let rest = solution[row] - dot(&line[..row], &solution[..row]);
            solution[row] = if line[row] > 0.0 { rest / line[row] } else { 0.0 };
        }
        for row in (0..n).rev() {
            let line = &self.values[row * n..=row * n + row];
            solution[row] = if line[row] > 0.0 { solution[row] / line[row] } else { 0.0 };
            let value = solution[row];
            solution[..row].iter_mut().zip(line).for_each(|(left, element)| *left -= element * value);
        }
        solution
    }
}

/// Returns the inner product, in eight sums that do not wait for each other.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (a8, a_rest) = a.as_chunks::<8>();
    let (b8, b_rest) = b.as_chunks::<8>();
    for (a, b) in a8.iter().zip(b8) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f64>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_singular_system_is_solved() {
        // The last row is the sum of the others.
        let matrix = [[4.0, 1.0, 5.0], [1.0, 3.0, 4.0], [5.0, 4.0, 9.0]];
        let right = [6.0, 7.0, 13.0];
        let mut symmetric = Symmetric::zeros(3);
        for (row, elements) in matrix.iter().enumerate() {
            for (column, element) in elements.iter().enumerate().take(row + 1) {
                symmetric.add(row, column, *element);
            }
        }
        let solution = symmetric.solve(&right);
        for (row, expected) in matrix.iter().zip(right) {
            assert!((dot(row, &solution) - expected).abs() < 1e-12, "{solution:?}");
        }
    }
}
