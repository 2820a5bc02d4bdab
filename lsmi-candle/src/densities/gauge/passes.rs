//! Rows that a gauge is fitted on, read several times, some at a time, from memory or from a file.

use crate::features::FeatureError;
use crate::numbers::matrix::Matrix;

/// Rows standardised and projected at a time where they are in memory: enough to fill the products.
pub(super) const ROWS_AT_A_TIME: usize = 1024;

/// Rows of all modalities that can be read again and again.
pub(crate) trait Passes {
    /// Returns the number of columns of each modality.
    fn columns(&self) -> Vec<usize>;

    /// Calls `visit` with all rows in one order, row-major, equally many rows of every modality at a time.
    fn pass(&mut self, visit: &mut dyn FnMut(&[&[f64]])) -> Result<(), FeatureError>;
}

/// Rows in memory.
pub(super) struct InMemory<'a>(pub(super) &'a [&'a Matrix]);

impl Passes for InMemory<'_> {
    fn columns(&self) -> Vec<usize> {
        self.0.iter().map(|x| x.columns()).collect()
    }

    fn pass(&mut self, visit: &mut dyn FnMut(&[&[f64]])) -> Result<(), FeatureError> {
        let mut chunks: Vec<_> = self.0.iter().map(|x| x.values().chunks(ROWS_AT_A_TIME * x.columns())).collect();
        while let Some(rows) = chunks.iter_mut().map(Iterator::next).collect::<Option<Vec<&[f64]>>>() {
            visit(&rows);
        }
        Ok(())
    }
}
