//! The forward pass of a network on the host.
//!
//! Rows come row-major; what is computed from them lies unit by unit, `[units, rows]`, so that every pass over it runs along
//! rows however few classes there are, and no sum of a softmax goes across a vector.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use super::{Layer, NetworkHead};
use crate::elementary::{exp, ln, vectorised};

/// Memory for the forward pass of a network over so many rows at a time.
pub(super) struct Activations {
    block: usize,
    /// `relu(x W1 + b1)`, `[hidden, rows]`; empty without a hidden layer.
    pub(super) hidden: Vec<f32>,
    /// `[classes, rows]`
    pub(super) logits: Vec<f32>,
    /// The largest logit of each row.
    largest: Vec<f32>,
    /// The sum of each row's exponentials.
    pub(super) sums: Vec<f32>,
}

impl Activations {
    pub(super) fn new(head: &NetworkHead, block: usize) -> Self {
        let hidden = head.hidden.as_ref().map_or(0, Layer::outputs);
        Self {
            block,
            hidden: vec![0.0; hidden * block],
            logits: vec![0.0; head.output.outputs() * block],
            largest: vec![0.0; block],
            sums: vec![0.0; block],
        }
    }

    /// The hidden units and logits of rows `[rows, d]`; how many rows.
    pub(super) fn forward(&mut self, head: &NetworkHead, rows: &[f32]) -> usize {
        let count = rows.len() / head.inputs();
        let mut inputs = MatRef::from_row_major_slice(rows, count, head.inputs());
        if let Some(layer) = &head.hidden {
            let hidden = &mut self.hidden[..count * layer.outputs()];
            layer.apply(inputs, hidden);
            vectorised(
                #[inline(always)]
                || {
                    for value in &mut *hidden {
                        *value = if *value > 0.0 { *value } else { 0.0 };
                    }
                },
            );
            inputs = MatRef::from_column_major_slice(hidden, count, layer.outputs());
        }
        head.output.apply(inputs, &mut self.logits[..count * head.output.outputs()]);
        count
    }

    /// Puts `exp(logit - largest)` in the place of the logits, and their sums over the classes beside them.
    pub(super) fn exponentiate(&mut self, head: &NetworkHead, count: usize) {
        let logits = &mut self.logits[..count * head.output.outputs()];
        let (largest, sums) = (&mut self.largest[..count], &mut self.sums[..count]);
        largest.fill(f32::NEG_INFINITY);
        sums.fill(0.0);
        vectorised(
            #[inline(always)]
            || {
                for of_class in logits.chunks_exact(count) {
                    for (largest, logit) in largest.iter_mut().zip(of_class) {
                        *largest = if *logit > *largest { *logit } else { *largest };
                    }
                }
                for of_class in logits.chunks_exact_mut(count) {
                    for ((logit, largest), sum) in of_class.iter_mut().zip(&*largest).zip(&mut *sums) {
                        *logit = exp(*logit - *largest);
                        *sum += *logit;
                    }
                }
            },
        );
    }

    /// Mean negative log posterior of the labels of rows `[n, d]`, in nats.
    pub(super) fn log_loss(&mut self, head: &NetworkHead, rows: &[f32], labels: &[u32]) -> f64 {
        let mut total = 0.0;
        for (rows, labels) in rows.chunks(self.block * head.inputs()).zip(labels.chunks(self.block)) {
            let count = self.forward(head, rows);
            let logits = labels.iter().enumerate().map(|(row, label)| self.logits[*label as usize * count + row]);
            total -= logits.map(f64::from).sum::<f64>();
            self.exponentiate(head, count);
            for (largest, sum) in self.largest[..count].iter().zip(&self.sums) {
                total += f64::from(*largest) + ln(f64::from(*sum));
            }
        }
        total / labels.len() as f64
    }
}

impl Layer {
    /// `x W + b` of inputs `[rows, inputs]`, output by output.
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
