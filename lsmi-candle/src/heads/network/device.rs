//! Training on devices other than the CPU: tensor operations with automatic differentiation.

use std::collections::BTreeMap;

use candle_core::{D, Error, Result as CandleResult, Tensor};
use candle_nn::loss::nll;
use candle_nn::ops::log_softmax;

use super::batches::Batches;
use super::{HIDDEN, NetworkHead, NetworkParams, OUTPUT, Training};
use crate::adam::Adam;
use crate::error::Result;
use crate::parameters::ParameterStore;

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
    held_out: Labelled<'a>,
    store: ParameterStore,
    adam: Adam,
    batches: Batches,
}

impl<'a> DeviceTraining<'a> {
    /// Training of the parameters in `store`; `held_out` may be anything where its loss is not asked for.
    pub(super) fn new(
        rows: Labelled<'a>,
        held_out: Labelled<'a>,
        store: ParameterStore,
        params: NetworkParams,
        seed: u64,
    ) -> CandleResult<Self> {
        let batches = Batches::new(rows.labels.dim(0)?, &params, seed);
        Ok(Self { rows, held_out, store, adam: Adam::new(params.rate, params.decay), batches })
    }
}

impl Training for DeviceTraining<'_> {
    fn epoch(&mut self) -> Result<()> {
        let Labelled { features, labels } = &self.rows;
        for batch in self.batches.shuffled() {
            let indices = Tensor::new(batch, features.device())?;
            let (features, labels) = (features.index_select(&indices, 0)?, labels.index_select(&indices, 0)?);
            self.adam.step(&self.store, &loss(&self.store, &features, &labels)?.backward()?)?;
        }
        Ok(())
    }

    fn held_out_loss(&mut self) -> Result<f64> {
        let loss = loss(&self.store, self.held_out.features, &self.held_out.labels)?;
        Ok(f64::from(loss.to_scalar::<f32>()?))
    }

    fn copy_to(&self, head: &mut NetworkHead) -> Result<()> {
        *head = NetworkHead::of(&self.store)?;
        Ok(())
    }
}

/// Mean negative log posterior of labels `[n]` given rows `[n, d]`, in nats.
pub(super) fn loss(store: &ParameterStore, features: &Tensor, labels: &Tensor) -> Result<Tensor> {
    let parameters: BTreeMap<&str, &Tensor> = store.iter().map(|(name, value)| (name, value.as_tensor())).collect();
    let layer = |inputs: &Tensor, [weights, biases]: [&str; 2]| match (parameters.get(weights), parameters.get(biases))
    {
        (Some(weights), Some(biases)) => Ok(Some(inputs.matmul(weights)?.broadcast_add(biases)?)),
        _ => CandleResult::Ok(None),
    };
    let hidden = layer(features, HIDDEN)?.map(|hidden| hidden.relu()).transpose()?;
    match layer(hidden.as_ref().unwrap_or(features), OUTPUT)? {
        Some(logits) => Ok(nll(&log_softmax(&logits, D::Minus1)?, labels)?),
        None => Err(Error::Msg("a network head without an output layer".to_owned()).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heads::network::start;
    use crate::heads::network::tests::{features, quadrants};
    use crate::heads::rows::Rows;
    use crate::parameters::assert_gradients_match_differences;
    use candle_core::Device;

    #[test]
    fn every_parameter_has_a_gradient_that_matches_finite_differences() {
        let (sample, labels) = quadrants(30, 0);
        let (rows, labels) = (features(&sample), Tensor::new(labels, &Device::Cpu).unwrap());
        let hidden = NetworkParams { hidden: Some(5), ..NetworkParams::hidden() };
        for params in [NetworkParams::linear(), hidden] {
            let store = start(2, 2, params, 3, &Device::Cpu).unwrap();
            // Steps of .001 in an f32 loss near 1 leave 1e-7 / .002 = 5e-5, and a rectified unit may switch within a step.
            assert_gradients_match_differences(&store, 1e-3, 5e-3, || loss(&store, &rows, &labels).unwrap());
        }
    }

    #[test]
    fn training_lowers_the_loss_as_on_the_host() {
        let (sample, labels) = quadrants(300, 0);
        let params = NetworkParams::hidden();
        let tensor = features(&sample);
        let labelled = || Labelled::new(&tensor, &labels).unwrap();
        let store = start(2, 2, params, 3, &Device::Cpu).unwrap();
        let mut training = DeviceTraining::new(labelled(), labelled(), store, params, 3).unwrap();
        let before = training.held_out_loss().unwrap();
        for _ in 0..5 {
            training.epoch().unwrap();
        }
        let after = training.held_out_loss().unwrap();
        assert!(after < before - 0.1, "{before}, then {after}");
        let rows = Rows { sample: &sample, labels: &labels, classes: 2 };
        let of_host = NetworkHead::train_for(&rows, 5, params, 3).unwrap();
        let mut of_device = of_host.clone();
        training.copy_to(&mut of_device).unwrap();
        let posteriors = |head: &NetworkHead| head.log_posteriors(&sample.points).unwrap();
        for (of_host, of_device) in posteriors(&of_host).iter().zip(posteriors(&of_device)) {
            // Fifteen steps of .002, in each of which rounding may turn a gradient near 0.
            assert!((of_host - of_device).abs() < 0.01, "{of_host} against {of_device}");
        }
    }
}
