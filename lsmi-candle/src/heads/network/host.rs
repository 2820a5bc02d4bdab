//! Training on the host: the gradient as a few matrix products, and all that is elementwise in passes around them.
//!
//! With a batch `X [n, d]`, hidden units `H = relu(X W1 + b1)` and posteriors `P = softmax(H W2 + b2)`,
//!
//! ```text
//! D = (P - one_hot(y)) / n           dW2 = H' D           db2 = D' 1
//! E = D W2' where H > 0, else 0      dW1 = X' E           db1 = E' 1
//! ```
//!
//! and without a hidden layer `dW2 = X' D`. The batch lies row by row, `H`, `D` and `E` unit by unit (see
//! [`super::forward`]). No memory is allocated but at the start. It is the same step as [`super::device`]'s, which a test
//! holds it against.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use super::batches::Batches;
use super::forward::Activations;
use super::{Layer, NetworkHead, NetworkParams, Training};
use crate::adam::host::{Moments, Step, unless_negligible};
use crate::elementary::vectorised;
use crate::error::Result;

/// Rows `[n, d]`, row-major, with their labels.
#[derive(Clone, Copy)]
pub(super) struct Labelled<'a> {
    pub(super) values: &'a [f32],
    pub(super) labels: &'a [u32],
}

/// A network with what its steps write to.
struct Network {
    head: NetworkHead,
    activations: Activations,
    /// `E`, `[hidden, batch]`.
    hidden_gradients: Vec<f32>,
    of_hidden: Option<LayerGradients>,
    of_output: LayerGradients,
    steps: i32,
}

/// The gradients of a layer's parameters, and Adam's moments of them.
struct LayerGradients {
    weights: Vec<f32>,
    biases: Vec<f32>,
    weight_moments: Moments,
    bias_moments: Moments,
}

impl LayerGradients {
    fn new(layer: &Layer) -> Self {
        let (weights, biases) = (layer.weights.len(), layer.biases.len());
        Self {
            weights: vec![0.0; weights],
            biases: vec![0.0; biases],
            weight_moments: Moments::new(weights),
            bias_moments: Moments::new(biases),
        }
    }

    /// Steps the layer down its gradients: of weights `inputs' gradients`, from the layer's inputs `[n, inputs]` and the
    /// gradients `[n, outputs]` of its outputs; those of biases are there already.
    fn step(&mut self, layer: &mut Layer, inputs: MatRef<'_, f32>, gradients: MatRef<'_, f32>, step: Step) {
        let of_weights = MatMut::from_row_major_slice_mut(&mut self.weights, layer.inputs, layer.outputs());
        matmul(of_weights, Accum::Replace, inputs.transpose(), gradients, 1.0, Par::Seq);
        self.weight_moments.step(0, &mut layer.weights, self.weights.iter().copied(), step);
        self.bias_moments.step(0, &mut layer.biases, self.biases.iter().copied(), step);
    }
}

impl Network {
    /// A network before its first step, for batches of at most so many rows.
    fn new(head: NetworkHead, batch: usize) -> Self {
        let hidden = head.hidden.as_ref();
        Self {
            activations: Activations::new(&head, batch),
            hidden_gradients: vec![0.0; hidden.map_or(0, Layer::outputs) * batch],
            of_hidden: hidden.map(LayerGradients::new),
            of_output: LayerGradients::new(&head.output),
            steps: 0,
            head,
        }
    }

    /// One step down the gradient of the mean negative log posterior of the batch's labels.
    fn step(&mut self, batch: Labelled<'_>, rate: f64, decay: f64) {
        let count = self.activations.forward(&self.head, batch.values);
        self.differentiate_logits(batch.labels);
        self.differentiate_hidden(count);
        self.steps += 1;
        let step = Step::new(self.steps, rate, decay);
        let NetworkHead { hidden, output } = &mut self.head;
        let mut inputs = MatRef::from_row_major_slice(batch.values, count, batch.values.len() / count);
        if let (Some(layer), Some(gradients)) = (hidden, &mut self.of_hidden) {
            let of_units = by_unit(&self.hidden_gradients, count, layer.outputs());
            gradients.step(layer, inputs, of_units, step);
            inputs = by_unit(&self.activations.hidden, count, layer.outputs());
        }
        let of_logits = by_unit(&self.activations.logits, count, output.outputs());
        self.of_output.step(output, inputs, of_logits, step);
    }

    /// `D` in the place of the logits, and `db2`.
    fn differentiate_logits(&mut self, labels: &[u32]) {
        let count = labels.len();
        self.activations.exponentiate(&self.head, count);
        let share = (count as f32).recip();
        let gradients = &mut self.activations.logits[..count * self.head.output.outputs()];
        let scales = &mut self.activations.sums[..count];
        let of_biases = &mut self.of_output.biases;
        vectorised(
            #[inline(always)]
            || {
                for scale in &mut *scales {
                    *scale = share / *scale;
                }
                for (of_class, of_bias) in gradients.chunks_exact_mut(count).zip(&mut *of_biases) {
                    for (value, scale) in of_class.iter_mut().zip(&*scales) {
                        *value = unless_negligible(*value * *scale);
                    }
                    *of_bias = sum(of_class);
                }
            },
        );
        for (row, label) in labels.iter().enumerate() {
            gradients[*label as usize * count + row] -= share;
            of_biases[*label as usize] -= share;
        }
    }

    /// `E` and `db1`.
    fn differentiate_hidden(&mut self, count: usize) {
        let (Some(layer), Some(of_hidden)) = (&self.head.hidden, &mut self.of_hidden) else { return };
        let (units, output) = (layer.outputs(), &self.head.output);
        let gradients = &mut self.hidden_gradients[..count * units];
        matmul(
            MatMut::from_column_major_slice_mut(gradients, count, units),
            Accum::Replace,
            by_unit(&self.activations.logits, count, output.outputs()),
            MatRef::from_row_major_slice(&output.weights, units, output.outputs()).transpose(),
            1.0,
            Par::Seq,
        );
        let hidden = &self.activations.hidden;
        vectorised(
            #[inline(always)]
            || {
                let of_units = gradients.chunks_exact_mut(count).zip(hidden.chunks_exact(count));
                for ((of_unit, hidden), of_bias) in of_units.zip(&mut of_hidden.biases) {
                    for (value, hidden) in of_unit.iter_mut().zip(hidden) {
                        *value = if *hidden > 0.0 { *value } else { 0.0 };
                    }
                    *of_bias = sum(of_unit);
                }
            },
        );
    }
}

/// A network in training on the host.
pub(super) struct HostTraining<'a> {
    rows: Labelled<'a>,
    held_out: Labelled<'a>,
    params: NetworkParams,
    batches: Batches,
    batch_values: Vec<f32>,
    batch_labels: Vec<u32>,
    network: Network,
}

impl<'a> HostTraining<'a> {
    /// Training of a network from its start; `held_out` may be empty where its loss is not asked for.
    pub(super) fn new(
        rows: Labelled<'a>,
        held_out: Labelled<'a>,
        start: NetworkHead,
        params: NetworkParams,
        seed: u64,
    ) -> Self {
        let batches = Batches::new(rows.labels.len(), &params, seed);
        let size = batches.size();
        Self {
            rows,
            held_out,
            params,
            batches,
            batch_values: Vec::with_capacity(size * start.inputs()),
            batch_labels: Vec::with_capacity(size),
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
            self.network.step(batch, self.params.rate, self.params.decay);
        }
        Ok(())
    }

    fn held_out_loss(&mut self) -> Result<f64> {
        let Network { activations, head, .. } = &mut self.network;
        Ok(activations.log_loss(head, self.held_out.values, self.held_out.labels))
    }

    fn copy_to(&self, head: &mut NetworkHead) -> Result<()> {
        head.copy_from(&self.network.head);
        Ok(())
    }
}

/// `[rows, units]` from values that lie unit by unit.
fn by_unit(values: &[f32], rows: usize, units: usize) -> MatRef<'_, f32> {
    MatRef::from_column_major_slice(&values[..rows * units], rows, units)
}

/// The sum, in sixteen sums side by side.
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
    use crate::adam::Adam;
    use crate::heads::network::device::loss;
    use crate::heads::network::start;
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

    fn kinds() -> [NetworkParams; 2] {
        [NetworkParams::linear(), NetworkParams { hidden: Some(9), ..NetworkParams::hidden() }]
    }

    fn values(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn gradients_are_those_of_automatic_differentiation() {
        let (batch, labels) = rows(37);
        let tensor = Tensor::from_slice(&batch, (37, INPUTS), &Device::Cpu).unwrap();
        let of_tensor = Tensor::new(labels.as_slice(), &Device::Cpu).unwrap();
        for params in kinds() {
            let store = start(INPUTS, CLASSES as usize, params, 3, &Device::Cpu).unwrap();
            let mut network = Network::new(NetworkHead::of(&store).unwrap(), 40);
            let gradients = loss(&store, &tensor, &of_tensor).unwrap().backward().unwrap();
            network.step(Labelled { values: &batch, labels: &labels }, 1e-3, 0.0);
            for (name, variable) in store.iter() {
                let expected = values(gradients.get(variable.as_tensor()).unwrap());
                let layer =
                    if name.starts_with("hidden") { network.of_hidden.as_ref() } else { Some(&network.of_output) };
                let layer = layer.unwrap();
                let found = if name.ends_with("weight") { &layer.weights } else { &layer.biases };
                assert_eq!(found.len(), expected.len(), "{name}");
                assert!(expected.iter().any(|value| value.abs() > 1e-3), "{name} has a gradient");
                for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
                    assert!((found - expected).abs() < 1e-6, "{name}[{index}]: {found} against {expected}");
                }
            }
        }
    }

    #[test]
    fn steps_are_those_of_automatic_differentiation() {
        let (batch, labels) = rows(40);
        let tensor = Tensor::from_slice(&batch, (40, INPUTS), &Device::Cpu).unwrap();
        let of_tensor = Tensor::new(labels.as_slice(), &Device::Cpu).unwrap();
        for params in kinds() {
            let store = start(INPUTS, CLASSES as usize, params, 3, &Device::Cpu).unwrap();
            let mut network = Network::new(NetworkHead::of(&store).unwrap(), 40);
            let mut adam = Adam::new(0.01, 0.1);
            for _ in 0..5 {
                adam.step(&store, &loss(&store, &tensor, &of_tensor).unwrap().backward().unwrap()).unwrap();
                network.step(Labelled { values: &batch, labels: &labels }, 0.01, 0.1);
            }
            let expected = NetworkHead::of(&store).unwrap();
            let found = &network.head;
            let layers = [Some((&expected.output, &found.output)), expected.hidden.as_ref().zip(found.hidden.as_ref())];
            for (expected, found) in layers.into_iter().flatten() {
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
