//! Training on the host: the gradient as a few matrix products, with all elementwise work in passes around them.
//!
//! With a batch `H_0 [n, d]`, hidden layers `H_k = relu(H_(k-1) W_k + b_k)` and posteriors `P = softmax(H_(m-1) W_m + b_m)`,
//!
//! ```text
//! D_m = (P - one_hot(y)) / n                         dW_k = H_(k-1)' D_k
//! D_k = D_(k+1) W_(k+1)' where H_k > 0, else 0       db_k = D_k' 1
//! ```
//!
//! Dropout multiplies `H_k`, and with it `D_k`, by 0 or by a constant.
//!
//! The batch lies row by row, `H_k` and `D_k` unit by unit (see [`super::forward`]). No memory is allocated but at the
//! start. It is the same step as [`super::device`]'s, which a test holds it against.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use super::average;
use super::batches::Batches;
use super::dropout::Dropout;
use super::forward::Activations;
use super::layer::{Layer, NetworkHead};
use super::params::NetworkParams;
use super::training::Training;
use crate::error::Result;
use crate::numbers::simd_math::{exp, vectorised};
use crate::training::adam::host::{Moments, Step, unless_negligible};

/// Rows `[n, d]`, row-major, with their labels.
#[derive(Clone, Copy)]
pub(super) struct Labelled<'a> {
    pub(super) values: &'a [f32],
    pub(super) labels: &'a [u32],
}

/// A network with the memory that its steps write to.
struct Network {
    head: NetworkHead,
    /// The average of the weights so far.
    average: NetworkHead,
    activations: Activations,
    gradients: Vec<LayerGradients>,
    softmax: Softmax,
    steps: i32,
}

/// The gradients of a layer's outputs and parameters, and Adam's moments of the parameters.
struct LayerGradients {
    /// `D`, `[outputs, batch]`.
    outputs: Vec<f32>,
    weights: Vec<f32>,
    biases: Vec<f32>,
    weight_moments: Moments,
    bias_moments: Moments,
}

impl LayerGradients {
    fn new(layer: &Layer, batch: usize) -> Self {
        let (weights, biases) = (layer.weights.len(), layer.biases.len());
        Self {
            outputs: vec![0.0; biases * batch],
            weights: vec![0.0; weights],
            biases: vec![0.0; biases],
            weight_moments: Moments::new(weights),
            bias_moments: Moments::new(biases),
        }
    }

    /// Computes the gradients of the parameters from the layer's inputs `[n, inputs]` and the gradients of its outputs.
    fn differentiate_parameters(&mut self, layer: &Layer, inputs: MatRef<'_, f32>) {
        let count = inputs.nrows();
        let weight_gradients = MatMut::from_row_major_slice_mut(&mut self.weights, layer.inputs, layer.outputs());
        let output_gradients = by_unit(&self.outputs, count, layer.outputs());
        matmul(weight_gradients, Accum::Replace, inputs.transpose(), output_gradients, 1.0, Par::Seq);
        let Self { outputs, biases, .. } = self;
        vectorised(
            #[inline(always)]
            || {
                for (of_unit, of_bias) in outputs.chunks_exact(count).zip(biases) {
                    *of_bias = sum(of_unit);
                }
            },
        );
    }

    /// Returns the gradients of the units `[inputs, n]` before the layer: those of the rectifier, scaled as dropout
    /// scaled the units.
    fn differentiate_units(&self, layer: &Layer, units: &[f32], scale: f32, unit_gradients: &mut [f32]) {
        let count = units.len() / layer.inputs;
        let weights = MatRef::from_row_major_slice(&layer.weights, layer.inputs, layer.outputs());
        matmul(
            MatMut::from_column_major_slice_mut(unit_gradients, count, layer.inputs),
            Accum::Replace,
            by_unit(&self.outputs, count, layer.outputs()),
            weights.transpose(),
            scale,
            Par::Seq,
        );
        vectorised(
            #[inline(always)]
            || {
                // Units that were left out are 0, too.
                for (value, unit) in unit_gradients.iter_mut().zip(units) {
                    *value = if *unit > 0.0 { *value } else { 0.0 };
                }
            },
        );
    }

    fn step(&mut self, layer: &mut Layer, step: Step) {
        self.weight_moments.step(0, &mut layer.weights, self.weights.iter().copied(), step);
        self.bias_moments.step(0, &mut layer.biases, self.biases.iter().copied(), step);
    }
}

/// The sums over classes that the gradient of the logits takes for each row.
struct Softmax {
    /// The largest logit.
    largest: Vec<f32>,
    /// The sum of the exponentials of logits less the largest, then the factor of these exponentials.
    sums: Vec<f32>,
}

impl Softmax {
    fn new(batch: usize) -> Self {
        Self { largest: vec![0.0; batch], sums: vec![0.0; batch] }
    }

    /// Computes `(P - one_hot(y)) / n` of logits `[classes, n]`.
    fn differentiate(&mut self, logits: &[f32], labels: &[u32], gradients: &mut [f32]) {
        let count = labels.len();
        let share = (count as f32).recip();
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
                for (of_class, gradients) in logits.chunks_exact(count).zip(gradients.chunks_exact_mut(count)) {
                    let of_rows = of_class.iter().zip(gradients).zip(&*largest).zip(&mut *sums);
                    for (((logit, gradient), largest), sum) in of_rows {
                        *gradient = exp(*logit - *largest);
                        *sum += *gradient;
                    }
                }
                for sum in &mut *sums {
                    *sum = share / *sum;
                }
                for gradients in gradients.chunks_exact_mut(count) {
                    for (gradient, scale) in gradients.iter_mut().zip(&*sums) {
                        *gradient = unless_negligible(*gradient * *scale);
                    }
                }
            },
        );
        for (row, label) in labels.iter().enumerate() {
            gradients[*label as usize * count + row] -= share;
        }
    }
}

impl Network {
    /// Creates a network before its first step, for batches of at most `batch` rows.
    fn new(head: NetworkHead, batch: usize) -> Self {
        Self {
            activations: Activations::new(&head, batch),
            gradients: head.layers.iter().map(|layer| LayerGradients::new(layer, batch)).collect(),
            softmax: Softmax::new(batch),
            steps: 0,
            average: head.clone(),
            head,
        }
    }

    /// Makes one step down the gradient of the mean negative log posterior of the batch's labels.
    fn step(&mut self, batch: Labelled<'_>, dropout: &mut Dropout, rate: f64, decay: f64) {
        self.activations.forward(&self.head, batch.values, |units| dropout.apply(units));
        self.differentiate(batch, dropout.scale());
        self.steps += 1;
        let (step, share) = (Step::new(self.steps, rate, decay), average::share(self.steps));
        let layers = self.head.layers.iter_mut().zip(&mut self.average.layers).zip(&mut self.gradients);
        for ((layer, average), gradients) in layers {
            gradients.step(layer, step);
            average::towards(&mut average.weights, &layer.weights, share);
            average::towards(&mut average.biases, &layer.biases, share);
        }
    }

    /// Computes the gradients of all layers, from the last to the first.
    fn differentiate(&mut self, batch: Labelled<'_>, scale: f32) {
        let count = batch.labels.len();
        let Self { head, activations, gradients, softmax, .. } = self;
        let mut layers = head.layers.iter().zip(&activations.layers).zip(gradients).rev().peekable();
        if let Some(((layer, logits), of_logits)) = layers.peek_mut() {
            let values = ..count * layer.outputs();
            softmax.differentiate(&logits[values], batch.labels, &mut of_logits.outputs[values]);
        }
        while let Some(((layer, _), gradients)) = layers.next() {
            if let Some(((_, units), before)) = layers.peek_mut() {
                let units = &units[..count * layer.inputs];
                gradients.differentiate_parameters(layer, by_unit(units, count, layer.inputs));
                gradients.differentiate_units(layer, units, scale, &mut before.outputs[..units.len()]);
            } else {
                let inputs = MatRef::from_row_major_slice(batch.values, count, layer.inputs);
                gradients.differentiate_parameters(layer, inputs);
            }
        }
    }
}

/// A network in training on the host.
pub(super) struct HostTraining<'a> {
    rows: Labelled<'a>,
    params: NetworkParams,
    batches: Batches,
    batch_values: Vec<f32>,
    batch_labels: Vec<u32>,
    dropout: Dropout,
    network: Network,
}

impl<'a> HostTraining<'a> {
    /// Starts to train a network.
    pub(super) fn new(rows: Labelled<'a>, start: NetworkHead, params: NetworkParams, seed: u64) -> Self {
        let batches = Batches::new(rows.labels.len(), &params, seed);
        let size = batches.size();
        Self {
            rows,
            params,
            batches,
            batch_values: Vec::with_capacity(size * start.inputs()),
            batch_labels: Vec::with_capacity(size),
            dropout: Dropout::new(params.dropout, seed),
            network: Network::new(start, size),
        }
    }
}

impl Training for HostTraining<'_> {
    fn epoch(&mut self) -> Result<()> {
        let inputs = self.network.head.inputs();
        for batch in self.batches.shuffled() {
            self.batch_values.clear();
            self.batch_labels.clear();
            for row in batch.iter().map(|row| *row as usize) {
                self.batch_values.extend_from_slice(&self.rows.values[row * inputs..][..inputs]);
                self.batch_labels.push(self.rows.labels[row]);
            }
            let batch = Labelled { values: &self.batch_values, labels: &self.batch_labels };
            self.network.step(batch, &mut self.dropout, self.params.rate, self.params.decay);
        }
        Ok(())
    }

    fn average(&self) -> Result<NetworkHead> {
        Ok(self.network.average.clone())
    }
}

/// Returns `[rows, units]` from values that lie unit by unit.
fn by_unit(values: &[f32], rows: usize, units: usize) -> MatRef<'_, f32> {
    MatRef::from_column_major_slice(&values[..rows * units], rows, units)
}

/// Returns the sum, in sixteen sums side by side.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
fn sum(values: &[f32]) -> f32 {
    let mut sums = [0.0f32; 16];
    let chunks = values.chunks_exact(sums.len());
    let rest: f32 = chunks.remainder().iter().sum();
    for chunk in chunks {
        for (sum, value) in sums.iter_mut().zip(chunk) {
            *sum += value;
        }
    }
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heads::classifiers::network::device::loss;
    use crate::heads::classifiers::network::parameters::{names, parameters};
    use crate::heads::classifiers::network::tests::under_way;
    use crate::training::adam::Adam;
    use crate::training::parameters::ParameterStore;
    use candle_core::{Device, Tensor};
    use lsmi_core::random::stream;
    use rand_distr::{Distribution, StandardNormal};

    const INPUTS: usize = 7;
    const CLASSES: u32 = 5;

    /// No class has a fifth of the rows, where the gradient of its bias would be 0 at the start but for rounding.
    fn rows(count: u32) -> (Vec<f32>, Vec<u32>) {
        let mut random = stream(0, "rows");
        let values = (0..count as usize * INPUTS).map(|_| StandardNormal.sample(&mut random)).collect();
        (values, (0..count).map(|row| row * row % 7 % CLASSES).collect())
    }

    fn kinds() -> [NetworkParams; 4] {
        [&[][..], &[9], &[9, 6], &[9, 6, 8]].map(|hidden| NetworkParams { hidden, ..NetworkParams::shallow() })
    }

    fn network(store: &ParameterStore) -> Network {
        Network::new(NetworkHead::from_parameters(&parameters(store)).unwrap(), 40)
    }

    fn values(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn gradients_are_those_of_automatic_differentiation() {
        let (batch, labels) = rows(37);
        let tensor = Tensor::from_slice(&batch, (37, INPUTS), &Device::Cpu).unwrap();
        let tensor_labels = Tensor::new(labels.as_slice(), &Device::Cpu).unwrap();
        for (params, dropout) in kinds().into_iter().flat_map(|params| [(params, 0.0), (params, 0.3)]) {
            let store = under_way(INPUTS, CLASSES as usize, params);
            let mut network = network(&store);
            // The device draws what the host draws.
            let (mut host_dropout, mut device_dropout) = (Dropout::new(dropout, 3), Dropout::new(dropout, 3));
            let gradients = loss(&store, &tensor, &tensor_labels, &mut device_dropout).unwrap().backward().unwrap();
            network.step(Labelled { values: &batch, labels: &labels }, &mut host_dropout, 1e-3, 0.0);
            for (layer, found) in network.gradients.iter().enumerate() {
                for (name, found) in names(layer).iter().zip([&found.weights, &found.biases]) {
                    let (_, variable) = store.iter().find(|(of_store, _)| of_store == name).unwrap();
                    let expected = values(gradients.get(variable.as_tensor()).unwrap());
                    assert_eq!(found.len(), expected.len(), "{name}");
                    assert!(expected.iter().any(|value| value.abs() > 1e-3), "{name} has a gradient");
                    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
                        assert!((found - expected).abs() < 1e-6, "{name}[{index}]: {found} against {expected}");
                    }
                }
            }
        }
    }

    #[test]
    fn steps_are_those_of_automatic_differentiation() {
        let (batch, labels) = rows(40);
        let tensor = Tensor::from_slice(&batch, (40, INPUTS), &Device::Cpu).unwrap();
        let tensor_labels = Tensor::new(labels.as_slice(), &Device::Cpu).unwrap();
        for params in kinds() {
            let store = under_way(INPUTS, CLASSES as usize, params);
            let mut network = network(&store);
            let mut adam = Adam::new(0.01, 0.1);
            let (mut host_dropout, mut device_dropout) = (Dropout::new(0.1, 3), Dropout::new(0.1, 3));
            for _ in 0..5 {
                let loss = loss(&store, &tensor, &tensor_labels, &mut device_dropout).unwrap();
                adam.step(&store, &loss.backward().unwrap()).unwrap();
                network.step(Labelled { values: &batch, labels: &labels }, &mut host_dropout, 0.01, 0.1);
            }
            let expected = NetworkHead::from_parameters(&parameters(&store)).unwrap();
            assert_eq!(network.head.layers.len(), params.hidden.len() + 1);
            for (expected, found) in expected.layers.iter().zip(&network.head.layers) {
                let parameters = |layer: &Layer| [layer.weights.clone(), layer.biases.clone()].concat();
                for (expected, found) in parameters(expected).iter().zip(parameters(found)) {
                    // Where a gradient is near 0, Adam's first steps are of its sign: rounding may take some of a step's .01.
                    assert!((found - expected).abs() < 2e-3, "{found} against {expected}");
                }
            }
        }
    }

    #[test]
    fn a_sum_of_any_length() {
        for length in [0u8, 1, 15, 16, 17, 50] {
            let values: Vec<f32> = (0..length).map(f32::from).collect();
            assert_eq!(sum(&values), values.iter().sum::<f32>());
        }
    }
}
