//! A small fusion network on the host, with its gradient and its optimiser.
//!
//! ```text
//! e_m = relu(x_m W_m + b_m)        encoder of modality m
//! f   = relu([e_1, e_2] W + b)     fused features
//! o   = f V + c                    logits
//! p   = f P + d                    features drawn to the teacher's, where there are any
//! a_m = e_m A_m + g_m              logits of one modality, for auxiliary losses
//! ```
//!
//! A comparison trains hundreds of such networks, each of a few thousand parameters. With tensors the steps would be mostly
//! overhead; here a batch lies unit by unit, [`LANES`] samples side by side, and every inner loop runs over samples.

use lsmi_core::random::stream;
use pulp::Arch;
use rand::Rng;

/// Samples of a batch at most.
pub(super) const LANES: usize = 64;

/// One value of each sample of a batch.
pub(super) type Lane = [f32; LANES];

const FIRST_DECAY: f32 = 0.9;
const SECOND_DECAY: f32 = 0.999;
const EPSILON: f32 = 1e-8;

/// The widths of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// Columns of each modality.
    pub(super) inputs: [usize; 2],
    /// Units of each encoder.
    pub(super) encoder: usize,
    /// Fused features.
    pub(super) fused: usize,
    /// Classes.
    pub(super) classes: usize,
    /// The teacher's features; 0: no projection.
    pub(super) target: usize,
    /// Whether each modality has logits of its own.
    pub(super) has_auxiliary: bool,
}

/// `x W + b`, with the gradients of its parameters and Adam's moments of them.
#[derive(Debug, Clone, PartialEq)]
struct Layer {
    inputs: usize,
    /// `[outputs, inputs]`, then the biases.
    parameters: Vec<f32>,
    gradients: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
}

impl Layer {
    /// Weights uniform within `1.2 / sqrt(inputs)`, biases 0.
    fn new(inputs: usize, outputs: usize, seed: u64, name: &str) -> Self {
        let mut random = stream(seed, name);
        let limit = 1.2 / (inputs.max(1) as f32).sqrt();
        let weights = (0..inputs * outputs).map(|_| random.random_range(-limit..limit));
        let parameters: Vec<f32> = weights.chain(std::iter::repeat_n(0.0, outputs)).collect();
        let zeros = vec![0.0; parameters.len()];
        Self { inputs, gradients: zeros.clone(), first: zeros.clone(), second: zeros, parameters }
    }

    fn outputs(&self) -> usize {
        self.parameters.len() / (self.inputs + 1)
    }

    fn weights(&self) -> usize {
        self.parameters.len() - self.outputs()
    }

    /// `outputs = inputs W + b`, rectified if asked for.
    fn forward(&self, inputs: &[Lane], outputs: &mut [Lane], is_rectified: bool) {
        let (weights, biases) = self.parameters.split_at(self.weights());
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for ((output, weights), bias) in outputs.iter_mut().zip(weights.chunks_exact(self.inputs)).zip(biases) {
                    let mut sum = [*bias; LANES];
                    for (input, weight) in inputs.iter().zip(weights) {
                        for (sum, value) in sum.iter_mut().zip(input) {
                            *sum += weight * value;
                        }
                    }
                    if is_rectified {
                        // What is not a number must stay so, to be found in the loss.
                        for value in &mut sum {
                            *value = if *value < 0.0 { 0.0 } else { *value };
                        }
                    }
                    *output = sum;
                }
            },
        );
    }

    /// Gradients of the parameters, from the inputs and the gradients of the outputs.
    fn differentiate(&mut self, inputs: &[Lane], of_outputs: &[Lane]) {
        let count = self.weights();
        let (weights, biases) = self.gradients.split_at_mut(count);
        let width = self.inputs;
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for ((of_output, weights), bias) in of_outputs.iter().zip(weights.chunks_exact_mut(width)).zip(biases) {
                    *bias = product(of_output, &[1.0; LANES]);
                    for (weight, input) in weights.iter_mut().zip(inputs) {
                        *weight = product(of_output, input);
                    }
                }
            },
        );
    }

    /// Adds the gradients of the inputs.
    fn propagate(&self, of_outputs: &[Lane], of_inputs: &mut [Lane]) {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (input, of_input) in of_inputs.iter_mut().enumerate() {
                    let mut sum = *of_input;
                    for (output, of_output) in of_outputs.iter().enumerate() {
                        let weight = self.parameters[output * self.inputs + input];
                        for (sum, value) in sum.iter_mut().zip(of_output) {
                            *sum += weight * value;
                        }
                    }
                    *of_input = sum;
                }
            },
        );
    }

    /// A step of Adam with decoupled weight decay, which biases are spared.
    fn step(&mut self, step: i32, rate: f32, decay: f32) {
        let count = self.weights();
        let first_scale = (1.0 - FIRST_DECAY.powi(step)).recip();
        let second_scale = (1.0 - SECOND_DECAY.powi(step)).recip();
        let (parameters, gradients) = (&mut self.parameters, &self.gradients);
        let (first, second) = (&mut self.first, &mut self.second);
        Arch::new().dispatch(
            #[inline(always)]
            || {
                let moments = first.iter_mut().zip(second.iter_mut());
                let values = parameters.iter_mut().zip(gradients).zip(moments).enumerate();
                for (index, ((value, gradient), (first, second))) in values {
                    *first = FIRST_DECAY * *first + (1.0 - FIRST_DECAY) * gradient;
                    *second = SECOND_DECAY * *second + (1.0 - SECOND_DECAY) * gradient * gradient;
                    let shrinkage = if index < count { decay * *value } else { 0.0 };
                    let direction = *first * first_scale / ((*second * second_scale).sqrt() + EPSILON);
                    *value -= rate * (shrinkage + direction);
                }
            },
        );
    }
}

/// The sum of products, in sixteen sums side by side.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would keep loops from being vectorised")]
fn product(a: &Lane, b: &Lane) -> f32 {
    let mut sums = [0.0f32; 16];
    for (a, b) in a.chunks_exact(16).zip(b.chunks_exact(16)) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum()
}

/// Where each layer stands in [`Network::layers`].
const ENCODERS: [usize; 2] = [0, 1];
const FUSION: usize = 2;
const OUTPUT: usize = 3;
const PROJECTION: usize = 4;
const AUXILIARY: [usize; 2] = [5, 6];
const NAMES: [&str; 7] = ["encoder 1", "encoder 2", "fusion", "output", "projection", "auxiliary 1", "auxiliary 2"];

/// A fusion network with what its steps write to.
#[derive(Debug, Clone)]
pub(super) struct Network {
    shape: Shape,
    layers: Vec<Layer>,
    /// The batch, unit by unit.
    pub(super) inputs: Vec<Lane>,
    encoded: Vec<Lane>,
    /// Fused features.
    pub(super) fused: Vec<Lane>,
    /// Logits.
    pub(super) logits: Vec<Lane>,
    /// The projection of the fused features.
    pub(super) projected: Vec<Lane>,
    /// The logits of each modality.
    pub(super) auxiliary: [Vec<Lane>; 2],
    of_encoded: Vec<Lane>,
    of_fused: Vec<Lane>,
}

/// Gradients of a batch's total loss; those of what is not there are empty.
#[derive(Debug, Clone)]
pub(super) struct Gradients {
    pub(super) logits: Vec<Lane>,
    pub(super) projected: Vec<Lane>,
    pub(super) auxiliary: [Vec<Lane>; 2],
}

impl Network {
    /// A network before its first step, its weights drawn from `seed`.
    pub(super) fn new(shape: Shape, seed: u64) -> Self {
        let Shape { inputs: [first, second], encoder, fused, classes, target, has_auxiliary } = shape;
        let auxiliary = if has_auxiliary { classes } else { 0 };
        let widths = [
            (first, encoder),
            (second, encoder),
            (2 * encoder, fused),
            (fused, classes),
            (fused, target),
            (encoder, auxiliary),
            (encoder, auxiliary),
        ];
        let layers = widths.iter().zip(NAMES).map(|((i, o), name)| Layer::new(*i, *o, seed, name)).collect();
        let lanes = |count: usize| vec![[0.0; LANES]; count];
        Self {
            shape,
            layers,
            inputs: lanes(first + second),
            encoded: lanes(2 * encoder),
            fused: lanes(fused),
            logits: lanes(classes),
            projected: lanes(target),
            auxiliary: [lanes(auxiliary), lanes(auxiliary)],
            of_encoded: lanes(2 * encoder),
            of_fused: lanes(fused),
        }
    }

    /// The features of each modality.
    pub(super) fn encoded(&self) -> [&[Lane]; 2] {
        let (first, second) = self.encoded.split_at(self.shape.encoder);
        [first, second]
    }

    /// Room for the gradients of what the network says.
    pub(super) fn gradients(&self) -> Gradients {
        Gradients { logits: self.logits.clone(), projected: self.projected.clone(), auxiliary: self.auxiliary.clone() }
    }

    /// Puts rows `[n, columns]` side by side, n at most [`LANES`]; lanes beyond hold zeros.
    pub(super) fn load<'a>(&mut self, rows: impl Iterator<Item = &'a [f32]>) {
        self.inputs.fill([0.0; LANES]);
        for (lane, row) in rows.enumerate() {
            for (input, value) in self.inputs.iter_mut().zip(row) {
                input[lane] = *value;
            }
        }
    }

    /// Features and logits of what was loaded; with `is_training`, projection and auxiliary logits too.
    pub(super) fn forward(&mut self, is_training: bool) {
        let (first, second) = self.inputs.split_at(self.shape.inputs[0]);
        let (encoded1, encoded2) = self.encoded.split_at_mut(self.shape.encoder);
        self.layers[ENCODERS[0]].forward(first, encoded1, true);
        self.layers[ENCODERS[1]].forward(second, encoded2, true);
        self.layers[FUSION].forward(&self.encoded, &mut self.fused, true);
        self.layers[OUTPUT].forward(&self.fused, &mut self.logits, false);
        if is_training {
            self.layers[PROJECTION].forward(&self.fused, &mut self.projected, false);
            let encoded = self.encoded.chunks_exact(self.shape.encoder);
            for ((layer, encoded), logits) in AUXILIARY.iter().zip(encoded).zip(&mut self.auxiliary) {
                self.layers[*layer].forward(encoded, logits, false);
            }
        }
    }

    /// The gradients of all parameters, after [`Self::forward`].
    pub(super) fn backward(&mut self, gradients: &Gradients) {
        self.of_fused.fill([0.0; LANES]);
        for (layer, of_outputs) in [(OUTPUT, &gradients.logits), (PROJECTION, &gradients.projected)] {
            self.layers[layer].differentiate(&self.fused, of_outputs);
            self.layers[layer].propagate(of_outputs, &mut self.of_fused);
        }
        stop_at_zero(&self.fused, &mut self.of_fused);
        self.layers[FUSION].differentiate(&self.encoded, &self.of_fused);
        self.of_encoded.fill([0.0; LANES]);
        self.layers[FUSION].propagate(&self.of_fused, &mut self.of_encoded);
        let width = self.shape.encoder;
        for (modality, of_logits) in gradients.auxiliary.iter().enumerate() {
            let layer = &mut self.layers[AUXILIARY[modality]];
            layer.differentiate(&self.encoded[modality * width..][..width], of_logits);
            layer.propagate(of_logits, &mut self.of_encoded[modality * width..][..width]);
        }
        stop_at_zero(&self.encoded, &mut self.of_encoded);
        let (first, second) = self.inputs.split_at(self.shape.inputs[0]);
        for ((layer, inputs), of_encoded) in ENCODERS.iter().zip([first, second]).zip(self.of_encoded.chunks(width)) {
            self.layers[*layer].differentiate(inputs, of_encoded);
        }
    }

    /// A step down the gradients, the first being number 1.
    pub(super) fn step(&mut self, step: i32, rate: f32, decay: f32) {
        for layer in &mut self.layers {
            layer.step(step, rate, decay);
        }
    }

    /// Parameters and moments, one after the other.
    pub(super) fn state(&self) -> Vec<f32> {
        self.layers
            .iter()
            .flat_map(|layer| [&layer.parameters, &layer.first, &layer.second])
            .flatten()
            .copied()
            .collect()
    }

    /// Takes over what [`Self::state`] gave; false, and nothing is changed, if the number of values is another.
    pub(super) fn set_state(&mut self, state: &[f32]) -> bool {
        if state.len() != self.layers.iter().map(|layer| 3 * layer.parameters.len()).sum::<usize>() {
            return false;
        }
        let mut rest = state;
        for layer in &mut self.layers {
            for part in [&mut layer.parameters, &mut layer.first, &mut layer.second] {
                let (values, after) = rest.split_at(part.len());
                part.copy_from_slice(values);
                rest = after;
            }
        }
        true
    }
}

/// No gradient passes a unit that is off.
fn stop_at_zero(units: &[Lane], gradients: &mut [Lane]) {
    for (unit, gradient) in units.iter().flatten().zip(gradients.iter_mut().flatten()) {
        *gradient = if *unit > 0.0 { *gradient } else { 0.0 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape { inputs: [3, 2], encoder: 4, fused: 5, classes: 3, target: 2, has_auxiliary: true };

    fn network() -> Network {
        let mut network = Network::new(SHAPE, 1);
        let rows: Vec<Vec<f32>> =
            (0..7u8).map(|row| (0..5u8).map(|c| f32::from(row * 5 + c).sin()).collect()).collect();
        network.load(rows.iter().map(Vec::as_slice));
        network
    }

    /// Half the sum of squares of all that the network says of its seven rows; its gradients are the values themselves.
    fn loss(network: &mut Network) -> (f64, Gradients) {
        network.forward(true);
        let mut gradients = network.gradients();
        let [first, second] = &mut gradients.auxiliary;
        let mut sum = 0.0;
        for lane in gradients.logits.iter_mut().chain(&mut gradients.projected).chain(first).chain(second) {
            lane[7..].fill(0.0);
            sum += lane.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>() / 2.0;
        }
        (sum, gradients)
    }

    #[test]
    fn gradients_are_those_of_finite_differences() {
        let mut network = network();
        let (_, gradients) = loss(&mut network);
        network.backward(&gradients);
        for (layer, name) in NAMES.into_iter().enumerate().take(network.layers.len()) {
            for index in 0..network.layers[layer].parameters.len() {
                let moved = |by: f32| {
                    let mut moved = network.clone();
                    moved.layers[layer].parameters[index] += by;
                    loss(&mut moved).0
                };
                let expected = (moved(2e-3) - moved(-2e-3)) / 4e-3;
                let found = f64::from(network.layers[layer].gradients[index]);
                // A unit at the edge of its rectifier may switch within the difference.
                let tolerance = 2e-2 * (1.0 + expected.abs());
                assert!((found - expected).abs() < tolerance, "{name}[{index}]: {found}, {expected}");
            }
        }
    }

    #[test]
    fn a_step_of_adam_is_of_the_rate_at_first_and_decays_weights_only() {
        let mut layer = Layer::new(1, 1, 0, "layer");
        layer.parameters = vec![2.0, 2.0];
        layer.gradients = vec![5.0, -0.1];
        layer.step(1, 0.01, 0.5);
        assert!((layer.parameters[0] - (2.0 - 0.01 * 2.0)).abs() < 1e-6);
        assert!((layer.parameters[1] - 2.01).abs() < 1e-6);
    }

    #[test]
    fn a_state_is_taken_over_only_whole() {
        let mut trained = network();
        for step in 1..4 {
            let (_, gradients) = loss(&mut trained);
            trained.backward(&gradients);
            trained.step(step, 0.01, 0.0);
        }
        let mut other = Network::new(SHAPE, 2);
        assert!(!other.set_state(&trained.state()[1..]));
        assert!(other.set_state(&trained.state()));
        assert_eq!(
            other.layers.iter().map(|l| &l.parameters).collect::<Vec<_>>(),
            trained.layers.iter().map(|l| &l.parameters).collect::<Vec<_>>()
        );
    }
}
