//! Network heads: a linear softmax, or a network with one hidden layer of rectified units.
//!
//! `log p(y|x) = log_softmax(relu(x W1 + b1) W2 + b2)`; without a hidden layer `log_softmax(x W2 + b2)`. Trained on the
//! mean negative log likelihood with Adam on small batches; held-out rows say when to stop. On the CPU the steps are those
//! of [`host`]; on other devices they are tensor operations with automatic differentiation, of [`device`].

mod batches;
mod device;
mod forward;
mod host;

use std::collections::BTreeMap;

use candle_core::{Device, Error, Result as CandleResult, Tensor, Var};
use lsmi_core::statistics::log_sum_exp;

use self::device::DeviceTraining;
use self::forward::Activations;
use self::host::{HostTraining, Labelled};
use super::rows::Rows;
use crate::error::Result;
use crate::parameters::ParameterStore;
use crate::points::Points;

/// Rows whose posteriors are computed at a time.
const BLOCK: usize = 256;

/// The names of a hidden layer's weights and biases.
const HIDDEN: [&str; 2] = ["hidden.weight", "hidden.bias"];
/// The names of the output layer's weights and biases.
const OUTPUT: [&str; 2] = ["output.weight", "output.bias"];

/// Settings of a network head.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NetworkParams {
    /// Hidden units; none: a linear softmax.
    pub hidden: Option<usize>,
    /// Passes over the rows at most.
    pub epochs: usize,
    /// Epochs without a lower held-out loss before training stops.
    pub patience: usize,
    /// Rows a step; more where an epoch would take over 64 steps.
    pub batch: usize,
    /// Adam's step size.
    pub rate: f64,
    /// Decoupled weight decay.
    pub decay: f64,
}

impl NetworkParams {
    /// A linear softmax.
    pub fn linear() -> Self {
        Self { hidden: None, epochs: 200, patience: 10, batch: 128, rate: 5e-3, decay: 0.1 }
    }

    /// A network with 64 hidden units.
    pub fn hidden() -> Self {
        Self { hidden: Some(64), rate: 2e-3, ..Self::linear() }
    }
}

/// A layer `x W + b`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Layer {
    /// `W`, `[inputs, outputs]`, row-major.
    pub(crate) weights: Vec<f32>,
    /// `b`, `[outputs]`.
    pub(crate) biases: Vec<f32>,
    pub(crate) inputs: usize,
}

impl Layer {
    pub(crate) fn outputs(&self) -> usize {
        self.biases.len()
    }

    fn copy_from(&mut self, other: &Self) {
        self.weights.copy_from_slice(&other.weights);
        self.biases.copy_from_slice(&other.biases);
    }
}

/// A trained linear softmax or network, in the host's memory.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkHead {
    pub(crate) hidden: Option<Layer>,
    pub(crate) output: Layer,
}

/// A network with the epochs that held-out rows asked for.
pub(super) struct Trained {
    pub(super) head: NetworkHead,
    pub(super) epochs: usize,
}

/// A network in training, on the host or on a device.
trait Training {
    /// One pass over the rows.
    fn epoch(&mut self) -> Result<()>;

    /// Mean negative log posterior of the held-out labels, in nats.
    fn held_out_loss(&mut self) -> Result<f64>;

    /// Copies the present weights to a head of the same shape.
    fn copy_to(&self, head: &mut NetworkHead) -> Result<()>;
}

impl NetworkHead {
    /// Trains until the loss of held-out rows has not fallen for some epochs, and keeps the best epoch's weights.
    pub(super) fn train_until(
        rows: &Rows<'_>,
        held_out: (&Points, &[u32]),
        params: NetworkParams,
        seed: u64,
    ) -> Result<Trained> {
        Self::train(rows, held_out, params, seed, |training, start| {
            let (mut lowest, mut best) = (f64::INFINITY, Trained { head: start, epochs: 0 });
            for epoch in 1..=params.epochs {
                training.epoch()?;
                let loss = training.held_out_loss()?;
                if loss < lowest {
                    (lowest, best.epochs) = (loss, epoch);
                    training.copy_to(&mut best.head)?;
                } else if epoch >= best.epochs + params.patience {
                    break;
                }
            }
            Ok(best)
        })
    }

    /// Trains for a number of epochs.
    pub(super) fn train_for(rows: &Rows<'_>, epochs: usize, params: NetworkParams, seed: u64) -> Result<Self> {
        // No loss is asked for.
        Self::train(rows, (&rows.sample.points, rows.labels), params, seed, |training, mut head| {
            for _ in 0..epochs {
                training.epoch()?;
            }
            training.copy_to(&mut head)?;
            Ok(head)
        })
    }

    /// Has `run` train a network from its start, which it is told.
    fn train<R>(
        rows: &Rows<'_>,
        held_out: (&Points, &[u32]),
        params: NetworkParams,
        seed: u64,
        run: impl FnOnce(&mut dyn Training, Self) -> Result<R>,
    ) -> Result<R> {
        let points = &rows.sample.points;
        let device = points.on_device().map_or(&Device::Cpu, Tensor::device);
        let store = start(points.columns(), rows.classes, params, seed, device)?;
        let head = Self::of(&store)?;
        if let (Some(features), Some(of_held_out)) = (points.on_device(), held_out.0.on_device()) {
            let rows = device::Labelled::new(features, rows.labels)?;
            let held_out = device::Labelled::new(of_held_out, held_out.1)?;
            return run(&mut DeviceTraining::new(rows, held_out, store, params, seed)?, head);
        }
        let rows = Labelled { values: points.values(), labels: rows.labels };
        let held_out = Labelled { values: held_out.0.values(), labels: held_out.1 };
        run(&mut HostTraining::new(rows, held_out, head.clone(), params, seed), head)
    }

    /// The network that parameters describe.
    fn of(store: &ParameterStore) -> CandleResult<Self> {
        let parameters: BTreeMap<&str, &Var> = store.iter().collect();
        let layer = |[weights, biases]: [&str; 2]| match (parameters.get(weights), parameters.get(biases)) {
            (Some(weights), Some(biases)) => {
                Ok(Some(Layer { inputs: weights.dim(0)?, weights: values(weights)?, biases: values(biases)? }))
            }
            _ => CandleResult::Ok(None),
        };
        match layer(OUTPUT)? {
            Some(output) => Ok(Self { hidden: layer(HIDDEN)?, output }),
            None => Err(Error::Msg("a network head without an output layer".to_owned())),
        }
    }

    fn copy_from(&mut self, other: &Self) {
        if let (Some(layer), Some(other)) = (&mut self.hidden, &other.hidden) {
            layer.copy_from(other);
        }
        self.output.copy_from(&other.output);
    }

    /// The columns of a row.
    fn inputs(&self) -> usize {
        self.hidden.as_ref().unwrap_or(&self.output).inputs
    }

    /// `log p(y|x)` of every class: `[n, classes]`, row-major.
    ///
    /// # Errors
    /// A candle error where the rows have other dimensions.
    pub fn log_posteriors(&self, rows: &Points) -> Result<Vec<f64>> {
        if rows.columns() != self.inputs() {
            let (expected, found) = (self.inputs(), rows.columns());
            return Err(Error::Msg(format!("a network head of {expected} columns: found {found}")).into());
        }
        let rows = rows.values();
        let classes = self.output.outputs();
        let mut activations = Activations::new(self, BLOCK);
        let mut posteriors = vec![0.0; rows.len() / self.inputs() * classes];
        let blocks = rows.chunks(BLOCK * self.inputs());
        for (rows, posteriors) in blocks.zip(posteriors.chunks_mut(BLOCK * classes)) {
            let count = activations.forward(self, rows);
            for (row, posteriors) in posteriors.chunks_exact_mut(classes).enumerate() {
                for (value, of_class) in posteriors.iter_mut().zip(activations.logits.chunks_exact(count)) {
                    *value = f64::from(of_class[row]);
                }
                let normaliser = log_sum_exp(posteriors);
                for value in posteriors {
                    *value -= normaliser;
                }
            }
        }
        Ok(posteriors)
    }
}

/// The parameters that training starts from: the weights of hidden units random, so that these differ, and of a size that
/// keeps activations near 1 (He, Zhang, Ren, Sun 2015, eq. 10); those of a linear softmax 0.
fn start(inputs: usize, classes: usize, params: NetworkParams, seed: u64, device: &Device) -> Result<ParameterStore> {
    let mut store = ParameterStore::new(seed, device);
    if let Some(hidden) = params.hidden {
        store.normal(HIDDEN[0], (inputs, hidden), (2.0 / inputs as f64).sqrt())?;
        store.zeros(HIDDEN[1], hidden)?;
        store.normal(OUTPUT[0], (hidden, classes), (1.0 / hidden as f64).sqrt())?;
    } else {
        store.zeros(OUTPUT[0], (inputs, classes))?;
    }
    store.zeros(OUTPUT[1], classes)?;
    Ok(store)
}

/// The values of an f32 tensor on the host, in row-major order.
fn values(tensor: &Tensor) -> CandleResult<Vec<f32>> {
    tensor.flatten_all()?.to_vec1()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heads::calibration::log_loss;
    use crate::mixture::Sample;
    use lsmi_core::random::stream;
    use rand_distr::{Distribution, StandardNormal};

    /// Two features; class 1 where their product is positive.
    pub(super) fn quadrants(count: usize, seed: u64) -> (Sample, Vec<u32>) {
        let mut random = stream(seed, "quadrants");
        let values: Vec<f32> = (0..count * 2).map(|_| StandardNormal.sample(&mut random)).collect();
        let labels = values.chunks_exact(2).map(|row| u32::from(row[0] * row[1] > 0.0)).collect();
        (Sample::new(values, 2, &Device::Cpu).unwrap(), labels)
    }

    /// The same rows as a tensor.
    pub(super) fn features(sample: &Sample) -> Tensor {
        let points = &sample.points;
        Tensor::from_slice(points.values(), (points.rows(), points.columns()), &Device::Cpu).unwrap()
    }

    #[test]
    fn hidden_units_learn_what_a_linear_softmax_cannot() {
        let ((sample, labels), (fresh, fresh_labels)) = (quadrants(1000, 0), quadrants(1000, 1));
        let rows = Rows { sample: &sample, labels: &labels, classes: 2 };
        let loss = |params| {
            let trained = NetworkHead::train_until(&rows, (&fresh.points, &fresh_labels), params, 0).unwrap();
            log_loss(&trained.head.log_posteriors(&fresh.points).unwrap(), &fresh_labels)
        };
        assert!(loss(NetworkParams::linear()) > 0.65);
        assert!(loss(NetworkParams::hidden()) < 0.2);
    }

    #[test]
    fn held_out_loss_falls_and_the_best_epoch_is_kept() {
        let ((sample, labels), (fresh, fresh_labels)) = (quadrants(1000, 0), quadrants(300, 1));
        let rows = Rows { sample: &sample, labels: &labels, classes: 2 };
        let params = NetworkParams { epochs: 20, ..NetworkParams::hidden() };
        let mut losses = Vec::new();
        let held_out = (&fresh.points, fresh_labels.as_slice());
        NetworkHead::train(&rows, held_out, params, 0, |training, mut head| {
            for _ in 0..params.epochs {
                training.epoch()?;
                losses.push(training.held_out_loss()?);
                training.copy_to(&mut head)?;
                // What training says of itself is what the head says.
                let loss = log_loss(&head.log_posteriors(&fresh.points)?, &fresh_labels);
                assert!((loss - losses[losses.len() - 1]).abs() < 1e-6, "{loss} against {losses:?}");
            }
            Ok(())
        })
        .unwrap();
        assert!(losses[19] < losses[0] - 0.2, "{losses:?}");
        let trained = NetworkHead::train_until(&rows, held_out, params, 0).unwrap();
        let best = losses.iter().enumerate().min_by(|left, right| left.1.total_cmp(right.1)).unwrap().0 + 1;
        assert_eq!(trained.epochs, best);
        assert_eq!(trained.head, NetworkHead::train_for(&rows, best, params, 0).unwrap());
    }

    #[test]
    fn the_same_seed_gives_the_same_weights() {
        let (sample, labels) = quadrants(100, 0);
        let rows = Rows { sample: &sample, labels: &labels, classes: 2 };
        let head = |seed| NetworkHead::train_for(&rows, 3, NetworkParams::hidden(), seed).unwrap();
        assert_eq!(head(1), head(1));
        assert_ne!(head(1), head(2));
    }

    #[test]
    fn posteriors_are_those_of_the_formula() {
        let (inputs, hidden, classes) = (3, 4, 5);
        let mut random = stream(0, "posteriors");
        let mut normal =
            |count: usize| -> Vec<f32> { (0..count).map(|_| StandardNormal.sample(&mut random)).collect() };
        let mut layer = |inputs, outputs| Layer { weights: normal(inputs * outputs), biases: normal(outputs), inputs };
        let heads = [
            NetworkHead { hidden: None, output: layer(inputs, classes) },
            NetworkHead { hidden: Some(layer(inputs, hidden)), output: layer(hidden, classes) },
        ];
        let apply = |layer: &Layer, row: &[f64]| -> Vec<f64> {
            let product = |output: usize| -> f64 {
                let weights = layer.weights.iter().skip(output).step_by(layer.outputs());
                weights.zip(row).map(|(weight, value)| f64::from(*weight) * value).sum()
            };
            layer.biases.iter().enumerate().map(|(output, bias)| f64::from(*bias) + product(output)).collect()
        };
        // More rows than a block.
        let rows = normal((BLOCK + 10) * inputs);
        let points = Points::new(rows.clone(), inputs, &Device::Cpu).unwrap();
        for head in heads {
            let found = head.log_posteriors(&points).unwrap();
            assert_eq!(found.len(), (BLOCK + 10) * classes);
            for (row, found) in rows.chunks_exact(inputs).zip(found.chunks_exact(classes)) {
                let mut units: Vec<f64> = row.iter().copied().map(f64::from).collect();
                if let Some(layer) = &head.hidden {
                    units = apply(layer, &units).into_iter().map(|unit| unit.max(0.0)).collect();
                }
                let logits = apply(&head.output, &units);
                let normaliser = logits.iter().map(|logit| logit.exp()).sum::<f64>().ln();
                for (found, logit) in found.iter().zip(logits) {
                    assert!((found - (logit - normaliser)).abs() < 1e-5, "{found} against {}", logit - normaliser);
                }
            }
            let others = Points::new(vec![0.0; 2], 2, &Device::Cpu).unwrap();
            assert!(head.log_posteriors(&others).is_err(), "other columns");
        }
    }
}
