//! Network heads: a linear softmax, or a network with one hidden layer of rectified units.
//!
//! `log p(y|x) = log_softmax(relu(x W1 + b1) W2 + b2)`; without a hidden layer `log_softmax(x W2 + b2)`. Trained on the
//! mean negative log likelihood with Adam on small batches; held-out rows say when to stop.

use std::collections::BTreeMap;

use candle_core::{D, Device, Tensor};
use candle_nn::loss::nll;
use candle_nn::ops::log_softmax;
use lsmi_core::random::stream;
use rand::seq::SliceRandom;

use super::calibration::log_loss;
use super::rows::Rows;
use crate::adam::Adam;
use crate::error::Result;
use crate::parameters::ParameterStore;
use crate::points::Points;

/// Steps of an epoch at most: with more rows each step takes more of them.
const STEPS_OF_AN_EPOCH: usize = 64;

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

/// A trained linear softmax or network.
#[derive(Debug, Clone)]
pub struct NetworkHead {
    pub(crate) weights: BTreeMap<String, Tensor>,
}

/// A network with the epochs that held-out rows asked for.
pub(super) struct Trained {
    pub(super) head: NetworkHead,
    pub(super) epochs: usize,
}

impl NetworkHead {
    /// Trains until the loss of held-out rows has not fallen for some epochs, and keeps the best epoch's weights.
    pub(super) fn train_until(
        rows: &Rows<'_>,
        held_out: (&Points, &[u32]),
        params: NetworkParams,
        seed: u64,
    ) -> Result<Trained> {
        let mut training = Training::new(rows, params, seed)?;
        let mut best = (f64::INFINITY, 0, training.head()?);
        for epoch in 1..=params.epochs {
            training.epoch()?;
            let head = training.head()?;
            let loss = log_loss(&head.log_posteriors(held_out.0)?, held_out.1);
            if loss < best.0 {
                best = (loss, epoch, head);
            } else if epoch >= best.1 + params.patience {
                break;
            }
        }
        Ok(Trained { epochs: best.1, head: best.2 })
    }

    /// Trains for a number of epochs.
    pub(super) fn train_for(rows: &Rows<'_>, epochs: usize, params: NetworkParams, seed: u64) -> Result<Self> {
        let mut training = Training::new(rows, params, seed)?;
        for _ in 0..epochs {
            training.epoch()?;
        }
        training.head()
    }

    /// `log p(y|x)` of every class: `[n, classes]`, row-major, from rows `[n, d]`.
    ///
    /// # Errors
    /// A candle error where the rows have other dimensions or the device fails.
    pub fn log_posteriors(&self, rows: &Points) -> Result<Vec<f64>> {
        let logits = logits(&of_points(rows)?, |name| self.weights.get(name))?;
        let mut posteriors: Vec<f64> = logits.flatten_all()?.to_vec1::<f32>()?.into_iter().map(f64::from).collect();
        let classes = logits.dim(1)?;
        for row in posteriors.chunks_exact_mut(classes) {
            let normaliser = lsmi_core::statistics::log_sum_exp(row);
            for value in row {
                *value -= normaliser;
            }
        }
        Ok(posteriors)
    }
}

fn of_points(rows: &Points) -> Result<Tensor> {
    match rows.on_device() {
        Some(tensor) => Ok(tensor.clone()),
        None => Ok(Tensor::from_slice(rows.values(), (rows.rows(), rows.columns()), &Device::Cpu)?),
    }
}

fn logits<'a>(rows: &Tensor, weights: impl Fn(&str) -> Option<&'a Tensor>) -> Result<Tensor> {
    let layer = |input: &Tensor, weight: &str, bias: &str| -> Result<Option<Tensor>> {
        match (weights(weight), weights(bias)) {
            (Some(weight), Some(bias)) => Ok(Some(input.matmul(weight)?.broadcast_add(bias)?)),
            _ => Ok(None),
        }
    };
    let hidden = match layer(rows, "hidden.weight", "hidden.bias")? {
        Some(hidden) => hidden.relu()?,
        None => rows.clone(),
    };
    match layer(&hidden, "output.weight", "output.bias")? {
        Some(logits) => Ok(logits),
        None => Err(candle_core::Error::Msg("a network head without an output layer".to_owned()).into()),
    }
}

struct Training {
    store: ParameterStore,
    parameters: BTreeMap<String, Tensor>,
    adam: Adam,
    order: Vec<u32>,
    random: lsmi_core::random::ChaCha8Rng,
    batch: usize,
    labels: Tensor,
    rows: Tensor,
}

impl Training {
    fn new(rows: &Rows<'_>, params: NetworkParams, seed: u64) -> Result<Self> {
        let points = of_points(&rows.sample.points)?;
        let device = &points.device().clone();
        let mut store = ParameterStore::new(seed, device);
        let mut parameters = BTreeMap::new();
        let inputs = rows.sample.points.columns();
        if let Some(hidden) = params.hidden {
            let deviation = (2.0 / inputs as f64).sqrt();
            parameters.insert("hidden.weight".to_owned(), store.normal("hidden.weight", (inputs, hidden), deviation)?);
            parameters.insert("hidden.bias".to_owned(), store.zeros("hidden.bias", hidden)?);
            let deviation = (1.0 / hidden as f64).sqrt();
            parameters
                .insert("output.weight".to_owned(), store.normal("output.weight", (hidden, rows.classes), deviation)?);
        } else {
            parameters.insert("output.weight".to_owned(), store.zeros("output.weight", (inputs, rows.classes))?);
        }
        parameters.insert("output.bias".to_owned(), store.zeros("output.bias", rows.classes)?);
        Ok(Self {
            store,
            parameters,
            adam: Adam::new(params.rate, params.decay),
            order: (0..).take(rows.labels.len()).collect(),
            random: stream(seed, "network batches"),
            batch: params.batch.max(rows.labels.len() / STEPS_OF_AN_EPOCH),
            labels: Tensor::new(rows.labels, device)?,
            rows: points,
        })
    }

    fn loss(&self, features: &Tensor, labels: &Tensor) -> Result<Tensor> {
        let logits = logits(features, |name| self.parameters.get(name))?;
        Ok(nll(&log_softmax(&logits, D::Minus1)?, labels)?)
    }

    fn epoch(&mut self) -> Result<()> {
        self.order.shuffle(&mut self.random);
        let device = self.rows.device();
        for batch in self.order.chunks(self.batch) {
            let indices = Tensor::new(batch, device)?;
            let features = self.rows.index_select(&indices, 0)?;
            let loss = self.loss(&features, &self.labels.index_select(&indices, 0)?)?;
            self.adam.step(&self.store, &loss.backward()?)?;
        }
        Ok(())
    }

    fn head(&self) -> Result<NetworkHead> {
        Ok(NetworkHead { weights: self.store.snapshot()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mixture::Sample;
    use crate::parameters::assert_gradients_match_differences;
    use rand_distr::{Distribution, StandardNormal};

    /// Two features; class 1 where their product is positive.
    fn quadrants(count: usize, seed: u64) -> (Sample, Vec<u32>) {
        let mut random = stream(seed, "quadrants");
        let values: Vec<f32> = (0..count * 2).map(|_| StandardNormal.sample(&mut random)).collect();
        let labels = values.chunks_exact(2).map(|row| u32::from(row[0] * row[1] > 0.0)).collect();
        (Sample::new(values, 2, &Device::Cpu).unwrap(), labels)
    }

    #[test]
    fn every_parameter_has_a_gradient_that_matches_finite_differences() {
        let (sample, labels) = quadrants(30, 0);
        let rows = Rows { sample: &sample, labels: &labels, classes: 2 };
        let hidden = NetworkParams { hidden: Some(5), ..NetworkParams::hidden() };
        for params in [NetworkParams::linear(), hidden] {
            let training = Training::new(&rows, params, 3).unwrap();
            // Steps of .001 in an f32 loss near 1 leave 1e-7 / .002 = 5e-5, and a rectified unit may switch within a step.
            assert_gradients_match_differences(&training.store, 1e-3, 5e-3, || {
                training.loss(&training.rows, &training.labels).unwrap()
            });
        }
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
    fn the_same_seed_gives_the_same_weights() {
        let (sample, labels) = quadrants(100, 0);
        let rows = Rows { sample: &sample, labels: &labels, classes: 2 };
        let posteriors = |seed| {
            let head = NetworkHead::train_for(&rows, 3, NetworkParams::hidden(), seed).unwrap();
            head.log_posteriors(&sample.points).unwrap()
        };
        assert_eq!(posteriors(1), posteriors(1));
        assert_ne!(posteriors(1), posteriors(2));
    }
}
