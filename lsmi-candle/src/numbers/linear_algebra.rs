//! Small dense linear algebra on the host, in f64, by faer.

use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::linalg::triangular_inverse::invert_lower_triangular;
use faer::traits::RealField;
use faer::traits::math_utils::one;
use faer::{Accum, Mat, MatMut, MatRef, Par, Side};

/// Rows that are widened to f64 at a time.
const ROWS_OF_A_BLOCK: usize = 512;

/// Returns the inverse of the Cholesky factor: the lower triangular `W` with `W A W' = I` for a symmetric positive
/// definite `A`.
///
/// `matrix` and the result are `[size, size]`, row-major; only the lower triangle of `matrix` is read. `None` when the
/// matrix is not positive definite.
pub(crate) fn whitening_factor(matrix: &[f64], size: usize) -> Option<Vec<f64>> {
    let factor = MatRef::from_row_major_slice(matrix, size, size).llt(Side::Lower).ok()?;
    let mut inverse = Mat::zeros(size, size);
    invert_lower_triangular(inverse.as_mut(), factor.L(), Par::Seq);
    Some(row_major(inverse.as_ref()))
}

/// Returns the eigenvalues in falling order and the eigenvectors as rows (`[size, size]`, row-major) of a symmetric
/// matrix.
///
/// Each eigenvector's sign makes its entry of largest magnitude positive, so that the result is one, not one of many.
/// `None` when the iteration does not converge; values that are not finite may give others that are not.
pub(crate) fn symmetric_eigen(matrix: &[f64], size: usize) -> Option<(Vec<f64>, Vec<f64>)> {
    let eigen = MatRef::from_row_major_slice(matrix, size, size).self_adjoint_eigen(Side::Lower).ok()?;
    let rising = eigen.S().column_vector();
    let vectors = eigen.U();
    let mut values = Vec::with_capacity(size);
    let mut rows = Vec::with_capacity(size * size);
    for column in (0..size).rev() {
        values.push(rising[column]);
        let vector: Vec<f64> = (0..size).map(|row| vectors[(row, column)]).collect();
        let largest = vector.iter().fold(0.0f64, |best, value| if value.abs() > best.abs() { *value } else { best });
        rows.extend(vector.iter().map(|value| value * largest.signum()));
    }
    Some((values, rows))
}

/// Returns the product `left * right'` of two row-major matrices, `[rows, inner]` and `[columns, inner]`.
pub(crate) fn product_transposed<Value: RealField + Copy>(left: &[Value], right: &[Value], inner: usize) -> Vec<Value> {
    if inner == 0 {
        return Vec::new();
    }
    let (rows, columns) = (left.len() / inner, right.len() / inner);
    let left = MatRef::from_row_major_slice(left, rows, inner);
    let right = MatRef::from_row_major_slice(right, columns, inner);
    row_major((left * right.transpose()).as_ref())
}

/// Returns the second moments `X' X` (`[columns, columns]`, row-major) of rows row-major `[n, columns]`, summed in f64.
pub(crate) fn second_moments<Value: Copy + Into<f64>>(rows: &[Value], columns: usize) -> Vec<f64> {
    let mut moments = vec![0.0; columns * columns];
    let mut block = Vec::with_capacity(ROWS_OF_A_BLOCK * columns);
    for rows in rows.chunks(ROWS_OF_A_BLOCK * columns) {
        block.clear();
        block.extend(rows.iter().map(|value| (*value).into()));
        add_second_moments(&mut moments, &block, columns);
    }
    mirror(&mut moments, columns);
    moments
}

/// Adds `X' X` of rows row-major `[n, columns]` to the lower triangle of moments `[columns, columns]`.
pub(crate) fn add_second_moments<Value: RealField>(moments: &mut [Value], rows: &[Value], columns: usize) {
    let rows = MatRef::from_row_major_slice(rows, rows.len() / columns, columns);
    triangular::matmul(
        MatMut::from_row_major_slice_mut(moments, columns, columns),
        BlockStructure::TriangularLower,
        Accum::Add,
        rows.transpose(),
        BlockStructure::Rectangular,
        rows,
        BlockStructure::Rectangular,
        one(),
        Par::Seq,
    );
}

/// Copies the lower triangle of a row-major matrix to the upper one.
pub(crate) fn mirror(matrix: &mut [f64], size: usize) {
    for row in 0..size {
        for column in row + 1..size {
            matrix[row * size + column] = matrix[column * size + row];
        }
    }
}

fn row_major<Value: Copy>(matrix: MatRef<'_, Value>) -> Vec<Value> {
    let mut values = Vec::with_capacity(matrix.nrows() * matrix.ncols());
    for row in 0..matrix.nrows() {
        values.extend((0..matrix.ncols()).map(|column| matrix[(row, column)]));
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    const MATRIX: [f64; 9] = [4.0, 1.0, 0.5, 1.0, 3.0, -0.2, 0.5, -0.2, 2.0];

    #[test]
    fn the_whitening_factor_whitens() {
        let factor = whitening_factor(&MATRIX, 3).unwrap();
        let whitened = product_transposed(&product_transposed(&factor, &MATRIX, 3), &factor, 3);
        for row in 0..3 {
            for column in 0..3 {
                let expected = f64::from(u8::from(row == column));
                assert!((whitened[row * 3 + column] - expected).abs() < 1e-12);
            }
        }
        assert_eq!([factor[1], factor[2], factor[5]], [0.0; 3], "lower triangular");
        assert!(whitening_factor(&[1.0, 2.0, 2.0, 1.0], 2).is_none());
    }

    #[test]
    fn eigenvectors_are_ordered_and_reproduce_the_matrix() {
        let (values, vectors) = symmetric_eigen(&MATRIX, 3).unwrap();
        assert!(values[0] >= values[1] && values[1] >= values[2]);
        for row in 0..3 {
            for column in 0..3 {
                let sum: f64 = (0..3).map(|k| values[k] * vectors[k * 3 + row] * vectors[k * 3 + column]).sum();
                assert!((sum - MATRIX[row * 3 + column]).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn second_moments_are_the_product_with_the_transpose() {
        assert_eq!(second_moments(&[1.0f32, 2.0, 3.0, 4.0], 2), [10.0, 14.0, 14.0, 20.0]);
    }
}
