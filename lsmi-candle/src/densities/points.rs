//! Rows of features as inputs of models: f32, in host memory and, if there is another device, on it.

use candle_core::{Device, Result, Tensor};

/// Rows of features, `[n, columns]`.
#[derive(Debug, Clone)]
pub struct Points {
    values: Vec<f32>,
    columns: usize,
    /// The same rows on a device that is not the CPU.
    tensor: Option<Tensor>,
}

impl Points {
    /// Creates rows from their values, row after row.
    ///
    /// # Errors
    /// A candle error where the device cannot hold them.
    pub fn new(values: Vec<f32>, columns: usize, device: &Device) -> Result<Self> {
        let tensor = if device.is_cpu() {
            None
        } else {
            Some(Tensor::from_slice(&values, (values.len() / columns, columns), device)?)
        };
        Ok(Self { values, columns, tensor })
    }

    /// Returns all values, row after row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Returns the number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Returns the number of rows.
    pub fn rows(&self) -> usize {
        self.values.len() / self.columns
    }

    /// Returns the rows on their device, or `None` if that is the CPU.
    pub(crate) fn on_device(&self) -> Option<&Tensor> {
        self.tensor.as_ref()
    }
}

/// Returns the nearest single-precision numbers.
#[expect(clippy::cast_possible_truncation, reason = "models are f32 by design")]
pub(crate) fn single(values: &[f64]) -> Vec<f32> {
    values.iter().map(|value| *value as f32).collect()
}

/// Returns the given rows of row-major values, in the given order.
pub(crate) fn gather(values: &[f32], columns: usize, rows: &[usize]) -> Vec<f32> {
    let mut gathered = Vec::with_capacity(rows.len() * columns);
    for row in rows {
        gathered.extend_from_slice(&values[row * columns..][..columns]);
    }
    gathered
}
