//! Mixture density networks (Bishop 1994): weights, means and deviations of normal components as functions of the features.
//!
//! `[a, m, log s] = [x, H_L] W + b` with `H_k = relu(H_(k-1) W_k + b_k)`, `H_0 = x`, and
//! `p(y|x) = sum_k softmax(a)_k N(y; m_k, s_k^2)`. The features lead straight to the outputs, too: without hidden layers the
//! network is a heteroscedastic linear regression (one component) or a mixture of such (several), and hidden units have only
//! to learn what these do not tell.

mod training;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use lsmi_core::statistics::log_sum_exp;

pub(crate) use self::training::train;
use super::columns::Scales;
use super::normals::Normals;
use crate::heads::Layer;

/// The bounds of the logarithms of deviations, in deviations of the residual.
const LOG_DEVIATIONS: [f32; 2] = [-5.3, 2.5];
/// Rows whose distributions are computed at a time.
const BLOCK: usize = 256;

/// The shape of a network and of its training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct NetworkParams {
    /// Units of each hidden layer, the one next to the features first.
    pub(crate) hidden: &'static [usize],
    /// The number of normal components.
    pub(crate) components: usize,
    /// Adam's step size.
    pub(crate) rate: f64,
    /// Decoupled weight decay.
    pub(crate) decay: f64,
}

/// A trained network.
#[derive(Debug, Clone)]
pub(crate) struct DensityNetwork {
    pub(crate) scales: Scales,
    /// Hidden layers, the one next to the features first.
    pub(crate) hidden: Vec<Layer>,
    /// The outputs: the features' weights, then those of the last hidden layer.
    pub(crate) output: Layer,
}

/// The values of all units for a batch of rows, `[rows, units]` each, row-major.
struct Activations {
    features: Vec<f32>,
    hidden: Vec<Vec<f32>>,
    outputs: Vec<f32>,
}

impl DensityNetwork {
    pub(crate) fn components(&self) -> usize {
        self.output.outputs() / 3
    }

    /// Computes all units for standardised rows.
    fn forward(&self, features: Vec<f32>) -> Activations {
        let width = self.scales.width();
        let rows = features.len() / width;
        let mut hidden: Vec<Vec<f32>> = Vec::with_capacity(self.hidden.len());
        for layer in &self.hidden {
            let inputs = hidden.last().unwrap_or(&features);
            let mut units = repeated(&layer.biases, rows);
            multiply(&mut units, inputs, &layer.weights, layer.inputs);
            for unit in &mut units {
                *unit = unit.max(0.0);
            }
            hidden.push(units);
        }
        let mut outputs = repeated(&self.output.biases, rows);
        let (of_features, of_hidden) = self.output.weights.split_at(width * self.output.outputs());
        multiply(&mut outputs, &features, of_features, width);
        if let Some(last) = hidden.last() {
            multiply(&mut outputs, last, of_hidden, self.output.inputs - width);
        }
        Activations { features, hidden, outputs }
    }

    /// Returns the predictive distributions of rows `[n, width]`, row-major.
    pub(crate) fn predict(&self, features: &[f32]) -> Normals {
        let components = self.components();
        let mut predicted = Normals { components, ..Normals::default() };
        let mut logits = vec![0.0; components];
        for block in features.chunks(BLOCK * self.scales.width()) {
            for row in self.forward(self.scales.apply(block)).outputs.chunks_exact(3 * components) {
                for (logit, output) in logits.iter_mut().zip(row) {
                    *logit = f64::from(*output);
                }
                let normaliser = log_sum_exp(&logits);
                predicted.log_weights.extend(logits.iter().map(|logit| logit - normaliser));
                predicted.means.extend(row[components..2 * components].iter().map(|mean| f64::from(*mean)));
                let deviations = row[2 * components..].iter().map(|output| f64::from(bounded(*output)).exp());
                predicted.deviations.extend(deviations);
            }
        }
        predicted
    }
}

fn bounded(log_deviation: f32) -> f32 {
    log_deviation.clamp(LOG_DEVIATIONS[0], LOG_DEVIATIONS[1])
}

/// Returns rows that are all equal.
fn repeated(row: &[f32], rows: usize) -> Vec<f32> {
    row.repeat(rows)
}

/// Adds the product of `left` `[n, inner]` and `right` `[inner, columns]` to `target` `[n, columns]`, all row-major.
fn multiply(target: &mut [f32], left: &[f32], right: &[f32], inner: usize) {
    let (rows, columns) = (left.len() / inner, right.len() / inner);
    let left = MatRef::from_row_major_slice(left, rows, inner);
    let right = MatRef::from_row_major_slice(right, inner, columns);
    matmul(MatMut::from_row_major_slice_mut(target, rows, columns), Accum::Add, left, right, 1.0, Par::Seq);
}
