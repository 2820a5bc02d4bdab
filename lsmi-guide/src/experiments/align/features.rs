//! The features of rows that heads project: as they came, or made anew by an encoder that is trained.

use candle_core::Tensor;

use crate::error::Result;

/// Features of rows of a modality, scaled.
pub(super) trait Features {
    /// Of some rows, `[rows, columns]`; with gradients, where an encoder makes them that is trained.
    fn rows(&self, rows: &[u32]) -> Result<Tensor>;

    /// Of all rows, without gradients.
    fn all(&self) -> Result<Tensor>;
}

/// As they came, `[n, columns]`.
impl Features for Tensor {
    fn rows(&self, rows: &[u32]) -> Result<Tensor> {
        Ok(self.index_select(&Self::from_slice(rows, rows.len(), self.device())?, 0)?)
    }

    fn all(&self) -> Result<Tensor> {
        Ok(self.clone())
    }
}
