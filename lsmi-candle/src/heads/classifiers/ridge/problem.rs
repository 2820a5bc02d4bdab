//! Rows with labels in the form of a softmax regression: centred, with a last column of ones for the biases.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use super::linear::Linear;

/// Rows that a class without any counts as, all at the mean, so that its bias stays finite.
const ROWS_OF_ABSENT: f64 = 0.5;

/// Rows with labels, and one more row for each absent class.
pub(super) struct Problem {
    /// Centred rows that end with a 1, `[rows, inputs]`, row-major.
    pub(super) values: Vec<f32>,
    /// Columns and the 1.
    pub(super) inputs: usize,
    /// The mean of each column.
    pub(super) means: Vec<f64>,
    /// The mean square of each input.
    pub(super) moments: Vec<f64>,
    pub(super) labels: Vec<u32>,
    /// The weight of each row in the loss.
    pub(super) shares: Vec<f32>,
    pub(super) classes: usize,
}

impl Problem {
    pub(super) fn new(values: &[f32], columns: usize, labels: &[u32], classes: usize) -> Self {
        let (count, inputs) = (labels.len().max(1) as f64, columns + 1);
        let rows = || labels.iter().enumerate().map(|(row, _)| &values[row * columns..][..columns]);
        let (mut means, mut moments) = (vec![0.0; columns], vec![0.0; inputs]);
        for row in rows() {
            for (mean, value) in means.iter_mut().zip(row) {
                *mean += f64::from(*value) / count;
            }
        }
        let mut centred = Vec::with_capacity((labels.len() + classes) * inputs);
        for row in rows() {
            centred.extend(row.iter().zip(&means).map(|(value, mean)| single(f64::from(*value) - mean)));
            centred.push(1.0);
        }
        for row in centred.chunks_exact(inputs) {
            for (moment, value) in moments.iter_mut().zip(row) {
                *moment += f64::from(*value * *value) / count;
            }
        }
        let mut is_absent = vec![true; classes];
        for label in labels {
            is_absent[*label as usize] = false;
        }
        let mut shares = vec![single(count.recip()); labels.len()];
        let mut labels = labels.to_vec();
        for (_, label) in is_absent.iter().zip(0..).filter(|(is_absent, _)| **is_absent) {
            centred.resize(centred.len() + columns, 0.0);
            centred.push(1.0);
            shares.push(single(ROWS_OF_ABSENT / count));
            labels.push(label);
        }
        Self { values: centred, inputs, means, moments, labels, shares, classes }
    }

    pub(super) fn rows(&self) -> usize {
        self.labels.len()
    }

    /// Returns the place where the parameters of the biases start.
    pub(super) fn weights(&self) -> usize {
        (self.inputs - 1) * self.classes
    }

    fn matrix(&self) -> MatRef<'_, f32> {
        MatRef::from_row_major_slice(&self.values, self.rows(), self.inputs)
    }

    /// Computes the logits `[classes, rows]` of parameters `[inputs, classes]`.
    pub(super) fn logits(&self, parameters: &[f32], logits: &mut [f32]) {
        let parameters = MatRef::from_row_major_slice(parameters, self.inputs, self.classes);
        let logits = MatMut::from_column_major_slice_mut(logits, self.rows(), self.classes);
        matmul(logits, Accum::Replace, self.matrix(), parameters, 1.0, Par::Seq);
    }

    /// Computes the gradient of the parameters from that of the logits.
    pub(super) fn gradient(&self, logit_gradient: &[f32], gradient: &mut [f32]) {
        let logit_gradient = MatRef::from_column_major_slice(logit_gradient, self.rows(), self.classes);
        let gradient = MatMut::from_row_major_slice_mut(gradient, self.inputs, self.classes);
        matmul(gradient, Accum::Replace, self.matrix().transpose(), logit_gradient, 1.0, Par::Seq);
    }

    /// Returns weights and the biases of rows that are not centred: `(x - mean) W + b = x W + (b - mean W)`.
    pub(super) fn linear(&self, parameters: &[f32]) -> Linear {
        let (weights, biases) = parameters.split_at(self.weights());
        let mut shifted: Vec<f64> = biases.iter().copied().map(f64::from).collect();
        for (mean, weights) in self.means.iter().zip(weights.chunks_exact(self.classes)) {
            for (bias, weight) in shifted.iter_mut().zip(weights) {
                *bias -= mean * f64::from(*weight);
            }
        }
        Linear { weights: weights.to_vec(), biases: shifted.into_iter().map(single).collect() }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "values and parameters are f32 by design")]
pub(super) fn single(value: f64) -> f32 {
    value as f32
}
