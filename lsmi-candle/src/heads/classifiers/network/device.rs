//! Training on devices other than the CPU: tensor operations with automatic differentiation.

use std::collections::BTreeMap;

use candle_core::{D, Result as CandleResult, Tensor};
use candle_nn::loss::nll;
use candle_nn::ops::log_softmax;

use super::average;
use super::batches::Batches;
use super::dropout::Dropout;
use super::layer::NetworkHead;
use super::parameters::{layers, parameters};
use super::params::NetworkParams;
use super::training::Training;
use crate::error::Result;
use crate::training::adam::Adam;
use crate::training::parameters::ParameterStore;

/// Rows `[n, d]` and their labels `[n]` on a device.
pub(super) struct Labelled<'a> {
    features: &'a Tensor,
    labels: Tensor,
}

impl<'a> Labelled<'a> {
    pub(super) fn new(features: &'a Tensor, labels: &[u32]) -> CandleResult<Self> {
        Ok(Self { features, labels: Tensor::new(labels, features.device())? })
    }
}

/// A network in training on a device.
pub(super) struct DeviceTraining<'a> {
    rows: Labelled<'a>,
    store: ParameterStore,
    /// The average of the parameters so far, by their names.
    averages: BTreeMap<String, Tensor>,
    adam: Adam,
    batches: Batches,
    dropout: Dropout,
}

impl<'a> DeviceTraining<'a> {
    /// Starts to train the parameters in `store`.
    pub(super) fn new(
        rows: Labelled<'a>,
        store: ParameterStore,
        params: NetworkParams,
        seed: u64,
    ) -> CandleResult<Self> {
        let batches = Batches::new(rows.labels.dim(0)?, &params, seed);
        let averages = store.iter().map(|(name, value)| (name.to_owned(), value.as_detached_tensor())).collect();
        let (adam, dropout) = (Adam::new(params.rate, params.decay), Dropout::new(params.dropout, seed));
        Ok(Self { rows, store, averages, adam, batches, dropout })
    }
}

impl Training for DeviceTraining<'_> {
    fn epoch(&mut self) -> Result<()> {
        let Labelled { features, labels } = &self.rows;
        for batch in self.batches.shuffled() {
            let indices = Tensor::new(batch, features.device())?;
            let (features, labels) = (features.index_select(&indices, 0)?, labels.index_select(&indices, 0)?);
            let loss = loss(&self.store, &features, &labels, &mut self.dropout)?;
            self.adam.step(&self.store, &loss.backward()?)?;
            let share = average::share(self.adam.steps());
            for ((_, value), average) in self.store.iter().zip(self.averages.values_mut()) {
                *average = (&*average + ((value.as_detached_tensor() - &*average)? * share)?)?;
            }
        }
        Ok(())
    }

    fn average(&self) -> Result<NetworkHead> {
        Ok(NetworkHead::from_parameters(&self.averages.iter().map(|(name, value)| (name.as_str(), value)).collect())?)
    }
}

/// Returns the mean negative log posterior of labels `[n]` given rows `[n, d]`, in nats, with dropout.
pub(super) fn loss(
    store: &ParameterStore,
    features: &Tensor,
    labels: &Tensor,
    dropout: &mut Dropout,
) -> Result<Tensor> {
    let parameters = parameters(store);
    let mut units = features.clone();
    for (layer, [weights, biases]) in layers(&parameters).enumerate() {
        if layer > 0 {
            units = without_some(&units.relu()?, dropout)?;
        }
        units = units.matmul(weights)?.broadcast_add(biases)?;
    }
    Ok(nll(&log_softmax(&units, D::Minus1)?, labels)?)
}

/// Applies dropout to units `[n, units]`, the same as on the host, where they lie unit by unit.
fn without_some(units: &Tensor, dropout: &mut Dropout) -> CandleResult<Tensor> {
    if !dropout.is_on() {
        return Ok(units.clone());
    }
    let (rows, columns) = units.dims2()?;
    let mut factors = vec![1.0; rows * columns];
    dropout.apply(&mut factors);
    units * Tensor::from_vec(factors, (columns, rows), units.device())?.t()?.contiguous()?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heads::calibration::log_loss;
    use crate::heads::classifiers::network::parameters::start;
    use crate::heads::classifiers::network::tests::{features, quadrants, under_way};
    use crate::heads::rows::Rows;
    use crate::training::parameters::assert_gradients_match_differences;
    use candle_core::Device;

    #[test]
    fn every_parameter_has_a_gradient_that_matches_finite_differences() {
        let (sample, labels) = quadrants(30, 0);
        let (rows, labels) = (features(&sample), Tensor::new(labels, &Device::Cpu).unwrap());
        for hidden in [&[][..], &[5], &[5, 4], &[5, 4, 6]] {
            let params = NetworkParams { hidden, ..NetworkParams::deep() };
            let store = under_way(2, 2, params);
            // Steps of .001 in an f32 loss near 1 leave 1e-7 / .002 = 5e-5, and a rectified unit may switch within a step.
            assert_gradients_match_differences(&store, 1e-3, 5e-3, || {
                loss(&store, &rows, &labels, &mut Dropout::new(0.1, 0)).unwrap()
            });
        }
    }

    #[test]
    fn training_lowers_the_loss_as_on_the_host() {
        let (sample, labels) = quadrants(300, 0);
        for params in [NetworkParams::shallow(), NetworkParams { hidden: &[20, 10], ..NetworkParams::deep() }] {
            let tensor = features(&sample);
            let store = start(2, 2, params, 3, &Device::Cpu).unwrap();
            let labelled = Labelled::new(&tensor, &labels).unwrap();
            let mut training = DeviceTraining::new(labelled, store, params, 3).unwrap();
            let posteriors = |head: &NetworkHead| head.log_posteriors(&sample.points).unwrap();
            let before = posteriors(&training.average().unwrap());
            for _ in 0..5 {
                training.epoch().unwrap();
            }
            let device_posteriors = posteriors(&training.average().unwrap());
            let (before, after) = (log_loss(&before, &labels), log_loss(&device_posteriors, &labels));
            assert!(after < before - 0.1, "{before}, then {after}");
            let rows = Rows { sample: &sample, labels: &labels, classes: 2 };
            let host_posteriors = posteriors(&NetworkHead::train_for(&rows, 5, params, 3).unwrap());
            for (host_posteriors, device_posteriors) in host_posteriors.iter().zip(device_posteriors) {
                // Fifteen steps of .01, in each of which rounding may turn a gradient near 0.
                assert!(
                    (host_posteriors - device_posteriors).abs() < 0.01,
                    "{host_posteriors} against {device_posteriors}"
                );
            }
        }
    }
}
