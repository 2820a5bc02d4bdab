//! Network heads: a linear softmax, or a network with hidden layers of rectified units.
//!
//! `log p(y|x) = log_softmax(H_(m-1) W_m + b_m)` with `H_k = relu(H_(k-1) W_k + b_k)` and `H_0 = x`. Trained on the mean
//! negative log likelihood with Adam on small batches, at a constant step size and with [`dropout`]; the network is the
//! [`average`] of the weights, so that one training serves any number of epochs, among which held-out rows choose. On the
//! CPU the steps are those of [`host`]; on other devices they are tensor operations with automatic differentiation, of
//! [`device`].

mod average;
mod batches;
mod device;
mod dropout;
mod forward;
mod host;
mod layer;
mod parameters;
mod params;
mod training;

use candle_core::{Device, Error, Tensor};
use lsmi_core::statistics::log_sum_exp;

use self::device::DeviceTraining;
use self::forward::Activations;
use self::host::{HostTraining, Labelled};
pub(crate) use self::layer::Layer;
pub(crate) use self::layer::NetworkHead;
use self::parameters::{parameters, start};
pub(crate) use self::params::NetworkParams;
use self::training::Training;
use crate::densities::points::Points;
use crate::error::Result;
use crate::heads::rows::Rows;

/// Rows whose posteriors are computed at a time.
const BLOCK: usize = 256;

impl NetworkHead {
    /// Trains a network and calls `listener` with the log posteriors of held-out rows, `[n, classes]`, row-major, after
    /// each of the rising numbers of epochs in `checkpoints`, until it returns false.
    ///
    /// [`Self::train_for`] gives the network of any of them.
    pub(in crate::heads) fn path(
        rows: &Rows<'_>,
        held_out: &Points,
        params: NetworkParams,
        seed: u64,
        checkpoints: &[usize],
        listener: &mut dyn FnMut(Vec<f64>) -> bool,
    ) -> Result<()> {
        Self::train(rows, params, seed, |training| {
            let mut done = 0;
            for checkpoint in checkpoints {
                for _ in done..*checkpoint {
                    training.epoch()?;
                }
                done = *checkpoint;
                if !listener(training.average()?.log_posteriors(held_out)?) {
                    break;
                }
            }
            Ok(())
        })
    }

    /// Trains for a number of epochs.
    pub(in crate::heads) fn train_for(
        rows: &Rows<'_>,
        epochs: usize,
        params: NetworkParams,
        seed: u64,
    ) -> Result<Self> {
        Self::train(rows, params, seed, |training| {
            for _ in 0..epochs {
                training.epoch()?;
            }
            training.average()
        })
    }

    /// Sets up the training of a network and runs it by `run`.
    fn train<R>(
        rows: &Rows<'_>,
        params: NetworkParams,
        seed: u64,
        run: impl FnOnce(&mut dyn Training) -> Result<R>,
    ) -> Result<R> {
        let points = &rows.sample.points;
        let device = points.on_device().map_or(&Device::Cpu, Tensor::device);
        let store = start(points.columns(), rows.classes, params, seed, device)?;
        if let Some(features) = points.on_device() {
            let rows = device::Labelled::new(features, rows.labels)?;
            return run(&mut DeviceTraining::new(rows, store, params, seed)?);
        }
        let rows = Labelled { values: points.values(), labels: rows.labels };
        run(&mut HostTraining::new(rows, Self::from_parameters(&parameters(&store))?, params, seed))
    }

    /// Returns `log p(y|x)` of every class: `[n, classes]`, row-major.
    ///
    /// # Errors
    /// A candle error where the rows have other dimensions.
    pub(crate) fn log_posteriors(&self, rows: &Points) -> Result<Vec<f64>> {
        if rows.columns() != self.inputs() {
            let (expected, found) = (self.inputs(), rows.columns());
            return Err(Error::Msg(format!("a network head of {expected} columns: found {found}")).into());
        }
        let rows = rows.values();
        let classes = self.classes();
        let mut activations = Activations::new(self, BLOCK);
        let mut posteriors = vec![0.0; rows.len() / self.inputs() * classes];
        let blocks = rows.chunks(BLOCK * self.inputs());
        for (rows, posteriors) in blocks.zip(posteriors.chunks_mut(BLOCK * classes)) {
            let count = activations.forward(self, rows, |_| {});
            let logits = activations.logits(count * classes);
            for (row, posteriors) in posteriors.chunks_exact_mut(classes).enumerate() {
                for (value, of_class) in posteriors.iter_mut().zip(logits.chunks_exact(count)) {
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

#[cfg(test)]
mod tests {
    use super::parameters::names;
    use super::*;
    use crate::densities::mixture::Sample;
    use crate::heads::calibration::log_loss;
    use crate::training::parameters::ParameterStore;
    use lsmi_core::random::stream;
    use rand_distr::{Distribution, StandardNormal};

    /// Two features; class 1 where their product is positive.
    pub(in crate::heads) fn quadrants(count: usize, seed: u64) -> (Sample, Vec<u32>) {
        let mut random = stream(seed, "quadrants");
        let values: Vec<f32> = (0..count * 2).map(|_| StandardNormal.sample(&mut random)).collect();
        let labels = values.chunks_exact(2).map(|row| u32::from(row[0] * row[1] > 0.0)).collect();
        (Sample::new(values, 2, &Device::Cpu).unwrap(), labels)
    }

    /// Parameters as training may come to them, with biases: without, units whose inputs are all 0 are just where the
    /// rectifier turns, and have no gradient that all could agree on.
    pub(in crate::heads) fn under_way(inputs: usize, classes: usize, params: NetworkParams) -> ParameterStore {
        let mut store = start(inputs, classes, params, 3, &Device::Cpu).unwrap();
        for (layer, units) in params.hidden.iter().copied().chain([classes]).enumerate() {
            store.normal(&names(layer)[1], units, 0.1).unwrap();
        }
        store
    }

    /// The same rows as a tensor.
    pub(in crate::heads) fn features(sample: &Sample) -> Tensor {
        let points = &sample.points;
        Tensor::from_slice(points.values(), (points.rows(), points.columns()), &Device::Cpu).unwrap()
    }

    #[test]
    fn hidden_units_learn_what_a_linear_softmax_cannot() {
        let ((sample, labels), (fresh, fresh_labels)) = (quadrants(1000, 0), quadrants(1000, 1));
        let rows = Rows { sample: &sample, labels: &labels, classes: 2 };
        let loss = |params| {
            let head = NetworkHead::train_for(&rows, 32, params, 0).unwrap();
            log_loss(&head.log_posteriors(&fresh.points).unwrap(), &fresh_labels)
        };
        assert!(loss(NetworkParams::linear()) > 0.65);
        assert!(loss(NetworkParams::shallow()) < 0.2);
        assert!(loss(NetworkParams::deep()) < 0.1);
    }

    #[test]
    fn a_path_is_that_of_networks_trained_to_its_checkpoints() {
        let ((sample, labels), (fresh, fresh_labels)) = (quadrants(300, 0), quadrants(300, 1));
        let rows = Rows { sample: &sample, labels: &labels, classes: 2 };
        let params = NetworkParams { hidden: &[16, 16], ..NetworkParams::deep() };
        let checkpoints = [1, 2, 5, 20];
        let mut path = Vec::new();
        let mut listen = |posteriors| {
            path.push(posteriors);
            true
        };
        NetworkHead::path(&rows, &fresh.points, params, 0, &checkpoints, &mut listen).unwrap();
        assert_eq!(path.len(), checkpoints.len());
        for (epochs, posteriors) in checkpoints.into_iter().zip(&path) {
            let head = NetworkHead::train_for(&rows, epochs, params, 0).unwrap();
            assert_eq!(*posteriors, head.log_posteriors(&fresh.points).unwrap(), "{epochs} epochs");
        }
        let losses: Vec<f64> = path.iter().map(|posteriors| log_loss(posteriors, &fresh_labels)).collect();
        assert!(losses[3] < losses[0] - 0.2, "{losses:?}");
    }

    #[test]
    fn the_same_seed_gives_the_same_weights() {
        let (sample, labels) = quadrants(100, 0);
        let rows = Rows { sample: &sample, labels: &labels, classes: 2 };
        for params in [NetworkParams::shallow(), NetworkParams { hidden: &[9, 8, 7], ..NetworkParams::deep() }] {
            let head = |seed| NetworkHead::train_for(&rows, 3, params, seed).unwrap();
            assert_eq!(head(1), head(1));
            assert_ne!(head(1), head(2));
        }
    }

    #[test]
    fn posteriors_are_those_of_the_formula() {
        let (inputs, classes) = (3, 5);
        let mut random = stream(0, "posteriors");
        let mut normal =
            |count: usize| -> Vec<f32> { (0..count).map(|_| StandardNormal.sample(&mut random)).collect() };
        let mut layer = |inputs, outputs| Layer { weights: normal(inputs * outputs), biases: normal(outputs), inputs };
        let heads = [
            NetworkHead { layers: vec![layer(inputs, classes)] },
            NetworkHead { layers: vec![layer(inputs, 4), layer(4, classes)] },
            NetworkHead { layers: vec![layer(inputs, 4), layer(4, 6), layer(6, classes)] },
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
                let (last, hidden) = head.layers.split_last().unwrap();
                for layer in hidden {
                    units = apply(layer, &units).into_iter().map(|unit| unit.max(0.0)).collect();
                }
                let logits = apply(last, &units);
                let normaliser = logits.iter().map(|logit| logit.exp()).sum::<f64>().ln();
                for (found, logit) in found.iter().zip(logits) {
                    // Logits are sums of tens of products near 10 in single precision.
                    assert!((found - (logit - normaliser)).abs() < 3e-5, "{found} against {}", logit - normaliser);
                }
            }
            let others = Points::new(vec![0.0; 2], 2, &Device::Cpu).unwrap();
            assert!(head.log_posteriors(&others).is_err(), "other columns");
        }
    }
}
