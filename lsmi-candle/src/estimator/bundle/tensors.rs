//! Reads and writes the named tensors of a bundle, in the order of their names.

use std::collections::BTreeMap;

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, SafeTensorError, TensorView};

use crate::error::BundleError;

struct Stored {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

/// Collects tensors to be written.
#[derive(Default)]
pub(super) struct Writer {
    tensors: BTreeMap<String, Stored>,
}

impl Writer {
    /// Adds f64 values.
    pub(super) fn numbers(&mut self, name: &str, shape: &[usize], values: &[f64]) {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.tensors.insert(name.to_owned(), Stored { dtype: Dtype::F64, shape: shape.to_vec(), bytes });
    }

    /// Adds f32 values.
    pub(super) fn single(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.tensors.insert(name.to_owned(), Stored { dtype: Dtype::F32, shape: shape.to_vec(), bytes });
    }

    /// Adds whole numbers.
    pub(super) fn indices(&mut self, name: &str, values: &[usize]) {
        let bytes = values.iter().flat_map(|value| (*value as u64).to_le_bytes()).collect();
        self.tensors.insert(name.to_owned(), Stored { dtype: Dtype::U64, shape: vec![values.len()], bytes });
    }

    pub(super) fn views(&self) -> Result<Vec<(&str, TensorView<'_>)>, SafeTensorError> {
        let mut views = Vec::with_capacity(self.tensors.len());
        for (name, stored) in &self.tensors {
            views.push((name.as_str(), TensorView::new(stored.dtype, stored.shape.clone(), &stored.bytes)?));
        }
        Ok(views)
    }
}

/// Looks tensors up and checks them.
pub(super) struct Reader<'a> {
    file: &'a str,
    tensors: &'a SafeTensors<'a>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(file: &'a str, tensors: &'a SafeTensors<'a>) -> Self {
        Self { file, tensors }
    }

    /// Returns whether there is a tensor of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.tensors.tensor(name).is_ok()
    }

    /// Returns the length of a tensor of one dimension.
    pub(super) fn length(&self, name: &str) -> Result<usize, BundleError> {
        let found = self.tensors.tensor(name).map_err(|_| self.wrong(name, "a list", "missing"))?;
        match found.shape() {
            [length] => Ok(*length),
            shape => Err(self.wrong(name, "a list", &format!("{shape:?}"))),
        }
    }

    /// Returns the number of rows of a tensor with `columns` columns.
    pub(super) fn rows(&self, name: &str, columns: usize) -> Result<usize, BundleError> {
        let found = self.tensors.tensor(name).map_err(|_| self.wrong(name, "a matrix", "missing"))?;
        match found.shape() {
            [rows, found] if *found == columns && *rows > 0 => Ok(*rows),
            shape => Err(self.wrong(name, &format!("a matrix of {columns} columns"), &format!("{shape:?}"))),
        }
    }

    /// Returns the error that a tensor differs from what is expected.
    pub(super) fn wrong(&self, tensor: &str, expected: &str, found: &str) -> BundleError {
        BundleError::Tensor {
            file: self.file.to_owned(),
            tensor: tensor.to_owned(),
            expected: expected.to_owned(),
            found: found.to_owned(),
        }
    }

    fn view(&self, name: &str, dtype: Dtype, shape: &[usize]) -> Result<TensorView<'a>, BundleError> {
        let expected = format!("{dtype:?} {shape:?}");
        let view = self.tensors.tensor(name).map_err(|_| self.wrong(name, &expected, "missing"))?;
        if view.dtype() == dtype && view.shape() == shape {
            Ok(view)
        } else {
            Err(self.wrong(name, &expected, &format!("{:?} {:?}", view.dtype(), view.shape())))
        }
    }

    /// Reads finite f64 values of the given shape.
    pub(super) fn numbers(&self, name: &str, shape: &[usize]) -> Result<Vec<f64>, BundleError> {
        let view = self.view(name, Dtype::F64, shape)?;
        let values: Vec<f64> = view.data().chunks_exact(8).map(|bytes| f64::from_le_bytes(eight(bytes))).collect();
        match values.iter().find(|value| !value.is_finite()) {
            Some(value) => Err(self.wrong(name, "finite", &value.to_string())),
            None => Ok(values),
        }
    }

    /// Reads finite f32 values of the given shape.
    pub(super) fn single(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, BundleError> {
        let view = self.view(name, Dtype::F32, shape)?;
        let mut values = Vec::with_capacity(view.data().len() / 4);
        for bytes in view.data().chunks_exact(4) {
            let value = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            if !value.is_finite() {
                return Err(self.wrong(name, "finite", &value.to_string()));
            }
            values.push(value);
        }
        Ok(values)
    }

    /// Reads `count` whole numbers.
    pub(super) fn indices(&self, name: &str, count: usize) -> Result<Vec<usize>, BundleError> {
        let view = self.view(name, Dtype::U64, &[count])?;
        let values = view.data().chunks_exact(8).map(|bytes| usize::try_from(u64::from_le_bytes(eight(bytes))));
        values.map(|value| value.map_err(|error| self.wrong(name, "whole numbers", &error.to_string()))).collect()
    }
}

fn eight(bytes: &[u8]) -> [u8; 8] {
    let mut array = [0; 8];
    array.copy_from_slice(bytes);
    array
}

/// Returns whether all values are above 0 and their sum is 1.
pub(super) fn is_distribution(probabilities: &[f64]) -> bool {
    probabilities.iter().all(|probability| *probability > 0.0) && (probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-6
}
