//! Rows that a gauge is fitted on, read several times, some at a time, from memory or from a file.

use crate::features::FeatureError;
use crate::numbers::matrix::Matrix;

/// Rows standardised and projected at a time where they are in memory: enough to fill the products.
pub(super) const ROWS_AT_A_TIME: usize = 1024;

/// Rows of both modalities that can be read again and again.
pub(crate) trait Passes {
    /// Returns the numbers of columns of x1 and x2.
    fn columns(&self) -> [usize; 2];

    /// Calls `visit` with all rows in one order, row-major, x1 and x2 of equally many rows at a time.
    fn pass(&mut self, visit: &mut dyn FnMut([&[f64]; 2])) -> Result<(), FeatureError>;
}

/// Rows in memory.
pub(super) struct InMemory<'a>(pub(super) [&'a Matrix; 2]);

impl Passes for InMemory<'_> {
    fn columns(&self) -> [usize; 2] {
        self.0.map(Matrix::columns)
    }

    fn pass(&mut self, visit: &mut dyn FnMut([&[f64]; 2])) -> Result<(), FeatureError> {
        let [first, second] = self.0.map(|x| x.values().chunks(ROWS_AT_A_TIME * x.columns()));
        for (x1, x2) in first.zip(second) {
            visit([x1, x2]);
        }
        Ok(())
    }
}
