//! The forward pass of a network on the host.
//!
//! Rows come row-major; what is computed from them lies unit by unit, `[units, rows]`, so that every pass over it runs along
//! rows however few classes there are, and no sum of a softmax goes across a vector.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use super::layer::{Layer, NetworkHead};
use crate::numbers::simd_math::vectorised;

/// Memory for the forward pass of a network over a block of rows.
pub(super) struct Activations {
    /// The outputs of each layer: the rectified units of a hidden one, the logits of the last, `[outputs, rows]`.
    pub(super) layers: Vec<Vec<f32>>,
}

impl Activations {
    pub(super) fn new(head: &NetworkHead, block: usize) -> Self {
        Self { layers: head.layers.iter().map(|layer| vec![0.0; layer.outputs() * block]).collect() }
    }

    /// Computes the hidden units and logits of rows `[rows, d]`; `change` is applied to each hidden layer's units.
    /// Returns the number of rows.
    pub(super) fn forward(&mut self, head: &NetworkHead, rows: &[f32], mut change: impl FnMut(&mut [f32])) -> usize {
        let count = rows.len() / head.inputs();
        let last = head.layers.len() - 1;
        let mut inputs = MatRef::from_row_major_slice(rows, count, head.inputs());
        for (index, (layer, outputs)) in head.layers.iter().zip(&mut self.layers).enumerate() {
            let outputs = &mut outputs[..count * layer.outputs()];
            layer.apply(inputs, outputs);
            if index < last {
                rectify(outputs);
                change(outputs);
            }
            inputs = MatRef::from_column_major_slice(outputs, count, layer.outputs());
        }
        count
    }

    /// Returns the first `values` values of the last layer.
    pub(super) fn logits(&self, values: usize) -> &[f32] {
        self.layers.last().map_or(&[], |logits| &logits[..values])
    }
}

fn rectify(values: &mut [f32]) {
    vectorised(
        #[inline(always)]
        || {
            for value in values {
                *value = if *value > 0.0 { *value } else { 0.0 };
            }
        },
    );
}

impl Layer {
    /// Computes `x W + b` of inputs `[rows, inputs]`, output by output.
    fn apply(&self, inputs: MatRef<'_, f32>, outputs: &mut [f32]) {
        let count = inputs.nrows();
        for (of_output, bias) in outputs.chunks_exact_mut(count).zip(&self.biases) {
            of_output.fill(*bias);
        }
        let weights = MatRef::from_row_major_slice(&self.weights, self.inputs, self.outputs());
        let outputs = MatMut::from_column_major_slice_mut(outputs, count, self.outputs());
        matmul(outputs, Accum::Add, inputs, weights, 1.0, Par::Seq);
    }
}
