//! Dense matrices of features in host memory.
//!
//! Statistics are computed in `f64` whatever the device computes in, so a [`Matrix`] is row-major `f64`: one row a
//! sample, one column a feature. Tensors are made from it where a device is known.

use thiserror::Error;

/// The number of values does not fit the shape that a [`Matrix`] was to have.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "a matrix of {rows} rows and {columns} columns cannot be made of {found} values; pass rows * columns of them, row after row"
)]
#[non_exhaustive]
pub struct MatrixError {
    /// Rows asked for.
    pub rows: usize,
    /// Columns asked for.
    pub columns: usize,
    /// Values given.
    pub found: usize,
}

/// A row-major matrix of `f64`: one row a sample, one column a feature.
///
/// ```
/// use lsmi_candle::numbers::matrix::Matrix;
///
/// let matrix = Matrix::new(2, 3, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0])?;
/// assert_eq!(matrix.row(1), [4.0, 5.0, 6.0]);
/// assert!(Matrix::new(2, 3, vec![1.0]).is_err());
/// # Ok::<(), lsmi_candle::numbers::matrix::MatrixError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    values: Vec<f64>,
}

impl Matrix {
    /// Creates a matrix from its values, row after row.
    ///
    /// # Errors
    /// [`MatrixError`] if there are not exactly `rows * columns` values.
    pub fn new(rows: usize, columns: usize, values: Vec<f64>) -> Result<Self, MatrixError> {
        if rows.checked_mul(columns) == Some(values.len()) {
            Ok(Self { rows, columns, values })
        } else {
            Err(MatrixError { rows, columns, found: values.len() })
        }
    }

    /// Joins matrices of the same columns, one below the other.
    pub(crate) fn joined(parts: &[&Self]) -> Self {
        let columns = parts.first().map_or(0, |part| part.columns);
        debug_assert!(parts.iter().all(|part| part.columns == columns));
        let mut values = Vec::with_capacity(parts.iter().map(|part| part.values.len()).sum());
        for part in parts {
            values.extend_from_slice(&part.values);
        }
        Self { rows: parts.iter().map(|part| part.rows).sum(), columns, values }
    }

    /// Returns the number of rows (samples).
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Returns the number of columns (features).
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Returns all values, row after row.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Returns one row, `columns()` values long.
    ///
    /// # Panics
    /// If `index` is not below [`rows`](Self::rows), as indexing a slice does.
    pub fn row(&self, index: usize) -> &[f64] {
        assert!(index < self.rows, "row {index} of a matrix of {} rows", self.rows);
        &self.values[index * self.columns..][..self.columns]
    }

    /// Returns the given rows in the given order; a row may be taken more than once.
    ///
    /// # Panics
    /// If an index is not below [`rows`](Self::rows), as indexing a slice does.
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        let mut values = Vec::with_capacity(indices.len() * self.columns);
        for &index in indices {
            values.extend_from_slice(self.row(index));
        }
        Self { rows: indices.len(), columns: self.columns, values }
    }
}

#[cfg(test)]
mod tests {
    use super::Matrix;

    #[test]
    fn values_must_fill_the_shape() {
        let error = Matrix::new(2, 3, vec![0.0; 5]).unwrap_err();
        assert_eq!((error.rows, error.columns, error.found), (2, 3, 5));
        assert!(Matrix::new(usize::MAX, 2, Vec::new()).is_err());
        assert!(Matrix::new(0, 4, Vec::new()).is_ok());
    }

    #[test]
    fn rows_are_selected_in_the_order_given() {
        let matrix = Matrix::new(3, 2, vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        let selected = matrix.select(&[2, 0, 2]);
        assert_eq!(selected.values(), [4.0, 5.0, 0.0, 1.0, 4.0, 5.0]);
        assert_eq!((selected.rows(), selected.columns()), (3, 2));
    }

    #[test]
    fn a_matrix_without_columns_still_has_rows() {
        let matrix = Matrix::new(3, 0, Vec::new()).unwrap();
        assert!(matrix.row(2).is_empty());
        assert_eq!(matrix.select(&[1, 1]).rows(), 2);
    }
}
