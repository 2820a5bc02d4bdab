//! Discriminators: networks that give `p(y|x1)`, `p(y|x2)` and `p(y|x1, x2)`.
//!
//! Trained for a fixed number of epochs on the mean negative log posterior, as published: no validation, no calibration.
//! Samples that come with logits need none: the posteriors are the softmax of these.

use candle_core::{D, Tensor};
use candle_nn::loss::nll;
use candle_nn::ops::log_softmax;
use lsmi_core::statistics::log_sum_exp;

use super::network::{Batches, Network, Sizes};
use super::params::Params;
use super::side::Side;
use crate::error::{EstimatorError, Result};
use crate::training::adam::Adam;
use crate::training::adam::host::unless_negligible;
use crate::training::parameters::ParameterStore;

/// The term of each discriminator.
pub(super) const TERMS: [&str; 3] = ["i1", "i2", "i12"];
/// The names of the discriminators in reports and of their random streams.
pub(super) const NAMES: [&str; 3] = ["discriminator of x1", "discriminator of x2", "discriminator of both"];

/// The source of posteriors of a modality or of both.
pub(super) enum Discriminator {
    /// A trained network.
    Network(Network),
    /// The logits that come with the samples.
    Given,
}

/// Log posteriors `[n, classes]`, row-major.
pub(super) struct Posteriors {
    pub(super) log: Vec<f64>,
    pub(super) classes: usize,
}

impl Discriminator {
    /// Trains the network of inputs 0 (x1), 1 (x2) or 2 (both), unless the rows have its logits.
    pub(super) fn fit(
        which: usize,
        side: &Side<'_>,
        classes: usize,
        params: &Params,
        seed: u64,
        report: &dyn Fn(String, f64) -> Result<()>,
    ) -> Result<Self> {
        if side.samples.logits[which].is_some() {
            return Ok(Self::Given);
        }
        let (rows, device) = (&side.inputs[which], side.inputs[which].device());
        let labels = Tensor::new(side.samples.labels.as_slice(), device)?;
        let name = NAMES[which];
        let mut store = ParameterStore::new(seed, device);
        let sizes = Sizes {
            inputs: rows.dim(1)?,
            hidden: params.discriminator_hidden,
            layers: params.discriminator_layers,
            outputs: classes,
        };
        let network = Network::new(&mut store, name, sizes)?;
        let mut adam = Adam::new(params.rate, 0.0);
        let mut batches = Batches::new(rows.dim(0)?, params.batch, seed, &format!("{name} batches"));
        for epoch in 1..=params.discriminator_epochs {
            let mut last = None;
            for batch in batches.shuffled() {
                let batch = Tensor::new(batch, device)?;
                let (rows, labels) = (rows.index_select(&batch, 0)?, labels.index_select(&batch, 0)?);
                let loss = nll(&log_softmax(&network.forward(&rows)?, D::Minus1)?, &labels)?;
                adam.step(&store, &loss.backward()?)?;
                last = Some(loss.detach());
            }
            let loss = last.map(|loss| loss.to_scalar::<f32>()).transpose()?.unwrap_or(f32::NAN);
            report(format!("{name}: epoch {epoch} of {}", params.discriminator_epochs), f64::from(loss))?;
        }
        Ok(Self::Network(network))
    }

    /// Computes log posteriors of rows.
    pub(super) fn posteriors(&self, which: usize, side: &Side<'_>, classes: usize, block: usize) -> Result<Posteriors> {
        let mut log = match (self, &side.samples.logits[which]) {
            (Self::Given, Some(logits)) => logits.values().to_vec(),
            (Self::Given, None) => {
                return Err(EstimatorError::MissingLogits { name: ["logits1", "logits2", "logits12"][which] });
            }
            (Self::Network(network), _) => {
                let rows = &side.inputs[which];
                let mut logits = Vec::with_capacity(side.samples.rows() * classes);
                for start in (0..side.samples.rows()).step_by(block) {
                    let rows = rows.narrow(0, start, block.min(side.samples.rows() - start))?;
                    let of_block = network.forward(&rows)?.flatten_all()?.to_vec1::<f32>()?;
                    logits.extend(of_block.into_iter().map(f64::from));
                }
                logits
            }
        };
        for (row, values) in log.chunks_exact_mut(classes).enumerate() {
            let total = log_sum_exp(values);
            for value in &mut *values {
                *value -= total;
                if !value.is_finite() {
                    let id = side.samples.ids.get(row).into_owned();
                    return Err(EstimatorError::NotFinite { term: TERMS[which], id, value: *value });
                }
            }
        }
        Ok(Posteriors { log, classes })
    }
}

impl Posteriors {
    /// Returns the mean over rows of the divergence `KL(p(y|x) || p(y))`, in nats, given `log p(y)`.
    pub(super) fn information(&self, rows: &[u32], log_prior: &[f64]) -> f64 {
        let divergence = |row: &u32| {
            let log = &self.log[*row as usize * self.classes..][..self.classes];
            log.iter().zip(log_prior).map(|(log, prior)| log.exp() * (log - prior)).sum::<f64>()
        };
        rows.iter().map(divergence).sum::<f64>() / rows.len() as f64
    }

    /// Returns the mean negative log posterior of labels, in nats.
    pub(super) fn log_loss(&self, labels: &[u32]) -> f64 {
        let rows = self.log.chunks_exact(self.classes).zip(labels);
        -rows.map(|(row, label)| row[*label as usize]).sum::<f64>() / labels.len() as f64
    }

    /// Returns the posteriors of some rows, class by class: `[classes, rows]`.
    pub(super) fn by_class(&self, rows: &[u32]) -> Vec<f32> {
        let mut values = Vec::with_capacity(rows.len() * self.classes);
        for class in 0..self.classes {
            let log = rows.iter().map(|row| self.log[*row as usize * self.classes + class]);
            #[expect(clippy::cast_possible_truncation, reason = "the loss is f32 by design")]
            values.extend(log.map(|log| unless_negligible(log.exp() as f32)));
        }
        values
    }
}
