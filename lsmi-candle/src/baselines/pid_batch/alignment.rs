//! The alignment networks: embeddings of samples and classes that make the coupling `q(x1, x2, y)` of a batch.
//!
//! A network for each modality maps a sample to `classes` embeddings, each of which is brought to mean 0 and variance 1 over
//! its columns (the unbiased variance, plus 1e-8). They are trained by Adam on the [loss](super::loss) of batches. The networks
//! are tensors on the device; the loss and its gradient in the embeddings are computed on the host, and the gradient then goes
//! on through the networks as that of `<embeddings, gradient>`, whose gradient in the embeddings it is.

use candle_core::{D, Device, Result as CandleResult, Tensor};

use super::loss::{Batch, Outcome, differentiate, evaluate};
use super::network::{Network, Sizes};
use super::params::Params;
use super::side::Side;
use crate::error::Result;
use crate::training::adam::Adam;
use crate::training::parameters::ParameterStore;

/// The summand of the variance of an embedding, as published.
const EPSILON: f64 = 1e-8;

/// The networks of both modalities, in training.
pub(super) struct Alignment<'a> {
    store: ParameterStore,
    adam: Adam,
    networks: [Network; 2],
    classes: usize,
    params: &'a Params,
}

impl<'a> Alignment<'a> {
    /// Creates networks before training, for inputs with the given numbers of columns.
    pub(super) fn new(
        columns: [usize; 2],
        classes: usize,
        params: &'a Params,
        seed: u64,
        device: &Device,
    ) -> Result<Self> {
        let mut store = ParameterStore::new(seed, device);
        let sizes = |inputs| Sizes {
            inputs,
            hidden: params.alignment_hidden,
            layers: params.alignment_layers,
            outputs: classes * params.embedding,
        };
        let first = Network::new(&mut store, "alignment of x1", sizes(columns[0]))?;
        let second = Network::new(&mut store, "alignment of x2", sizes(columns[1]))?;
        Ok(Self { store, adam: Adam::new(params.rate, 0.0), networks: [first, second], classes, params })
    }

    /// Makes one step on a batch of rows, given their posteriors `[classes, n]`.
    pub(super) fn step(&mut self, side: &Side<'_>, rows: &[u32], posteriors: [&[f32]; 2]) -> Result<Outcome<f32>> {
        let embeddings = self.embeddings(side, rows)?;
        let values = host(&embeddings)?;
        let (outcome, gradients) = differentiate(&self.batch(rows.len(), &values, posteriors), self.params.rule());
        let mut products = Vec::with_capacity(2);
        for (embeddings, gradient) in embeddings.iter().zip(gradients) {
            let gradient = Tensor::from_vec(gradient, embeddings.shape(), embeddings.device())?;
            products.push((embeddings * gradient)?.sum_all()?);
        }
        let gradients = Tensor::stack(&products, 0)?.sum_all()?.backward()?;
        self.adam.step(&self.store, &gradients)?;
        Ok(outcome)
    }

    /// Returns the loss of a batch of rows, given their posteriors `[classes, n]`.
    pub(super) fn evaluate(&self, side: &Side<'_>, rows: &[u32], posteriors: [&[f32]; 2]) -> Result<Outcome<f32>> {
        let values = host(&self.embeddings(side, rows)?)?;
        Ok(evaluate(&self.batch(rows.len(), &values, posteriors), self.params.rule()))
    }

    fn batch<'v>(&self, n: usize, values: &'v [Vec<f32>; 2], posteriors: [&'v [f32]; 2]) -> Batch<'v, f32> {
        let embeddings = [values[0].as_slice(), values[1].as_slice()];
        Batch { n, width: self.params.embedding, embeddings, posteriors }
    }

    /// Embeddings `[n, classes, width]` of rows of both modalities.
    fn embeddings(&self, side: &Side<'_>, rows: &[u32]) -> CandleResult<[Tensor; 2]> {
        let rows = Tensor::new(rows, side.inputs[0].device())?;
        let of_modality = |network: &Network, inputs: &Tensor| {
            let shape = (rows.dim(0)?, self.classes, self.params.embedding);
            standardised(&network.forward(&inputs.index_select(&rows, 0)?)?.reshape(shape)?)
        };
        Ok([of_modality(&self.networks[0], &side.inputs[0])?, of_modality(&self.networks[1], &side.inputs[1])?])
    }
}

/// Scales embeddings to mean 0 and variance 1 over the last dimension.
fn standardised(embeddings: &Tensor) -> CandleResult<Tensor> {
    let width = embeddings.dim(D::Minus1)?;
    let centred = embeddings.broadcast_sub(&embeddings.mean_keepdim(D::Minus1)?)?;
    let variances = (centred.sqr()?.sum_keepdim(D::Minus1)? / (width as f64 - 1.0))?;
    centred.broadcast_div(&(variances + EPSILON)?.sqrt()?)
}

fn host(embeddings: &[Tensor; 2]) -> CandleResult<[Vec<f32>; 2]> {
    let values = |tensor: &Tensor| tensor.flatten_all()?.to_vec1::<f32>();
    Ok([values(&embeddings[0])?, values(&embeddings[1])?])
}
