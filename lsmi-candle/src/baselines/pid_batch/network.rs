//! Networks of rectified layers, and the order of rows in their training.
//!
//! `relu(x W + b)` layer after layer, and a last layer without `relu`. Weights and biases start uniform between
//! `-1 / sqrt(inputs)` and `1 / sqrt(inputs)`, which is how those of the released code start.

use candle_core::{Result as CandleResult, Tensor};
use lsmi_core::random::{ChaCha8Rng, stream};
use rand::seq::SliceRandom;

use crate::error::Result;
use crate::training::parameters::ParameterStore;

/// The sizes of a network.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) inputs: usize,
    /// Units of each hidden layer.
    pub(super) hidden: usize,
    /// Hidden layers after the first.
    pub(super) layers: usize,
    pub(super) outputs: usize,
}

/// A network whose parameters are in a store.
#[derive(Debug, Clone)]
pub(super) struct Network {
    /// `W [inputs, outputs]` and `b [outputs]` of every layer.
    layers: Vec<(Tensor, Tensor)>,
}

impl Network {
    /// Creates a network before training; `name` distinguishes its parameters and their random start.
    pub(super) fn new(store: &mut ParameterStore, name: &str, sizes: Sizes) -> Result<Self> {
        let Sizes { inputs, hidden, layers, outputs } = sizes;
        let mut widths = vec![inputs];
        widths.extend(std::iter::repeat_n(hidden, layers + 1));
        widths.push(outputs);
        let layers = widths.windows(2).enumerate().map(|(layer, widths)| {
            let bound = (widths[0] as f64).sqrt().recip();
            let weights = store.uniform(&format!("{name} layer {layer} weights"), (widths[0], widths[1]), bound)?;
            Ok((weights, store.uniform(&format!("{name} layer {layer} biases"), widths[1], bound)?))
        });
        Ok(Self { layers: layers.collect::<Result<_>>()? })
    }

    /// Returns the outputs `[n, outputs]` of rows `[n, inputs]`.
    pub(super) fn forward(&self, rows: &Tensor) -> CandleResult<Tensor> {
        let mut values = rows.clone();
        for (layer, (weights, biases)) in self.layers.iter().enumerate() {
            values = values.matmul(weights)?.broadcast_add(biases)?;
            if layer + 1 < self.layers.len() {
                values = values.relu()?;
            }
        }
        Ok(values)
    }
}

/// Rows in the order that an epoch takes them; those that do not fill a batch are left out.
pub(super) struct Batches {
    order: Vec<u32>,
    random: ChaCha8Rng,
    size: usize,
}

impl Batches {
    pub(super) fn new(rows: usize, size: usize, seed: u64, name: &str) -> Self {
        Self { order: (0..).take(rows).collect(), random: stream(seed, name), size }
    }

    /// Shuffles the rows and returns the batches of another epoch.
    pub(super) fn shuffled(&mut self) -> impl Iterator<Item = &[u32]> {
        self.order.shuffle(&mut self.random);
        self.order.chunks_exact(self.size)
    }
}
