//! The order of rows in training: shuffled every epoch and cut into batches.

use lsmi_core::random::{ChaCha8Rng, stream};
use rand::seq::SliceRandom;

use super::params::NetworkParams;

/// Steps of an epoch at most: with more rows each step takes more of them.
const STEPS_OF_AN_EPOCH: usize = 64;

/// Rows in the order that an epoch takes them.
pub(super) struct Batches {
    order: Vec<u32>,
    random: ChaCha8Rng,
    size: usize,
}

impl Batches {
    pub(super) fn new(rows: usize, params: &NetworkParams, seed: u64) -> Self {
        Self {
            order: (0..).take(rows).collect(),
            random: stream(seed, "network batches"),
            size: params.batch.max(rows / STEPS_OF_AN_EPOCH),
        }
    }

    /// Returns the number of rows of a batch; the last one may have fewer.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Shuffles the rows and returns the batches of another epoch.
    pub(super) fn shuffled(&mut self) -> impl Iterator<Item = &[u32]> {
        self.order.shuffle(&mut self.random);
        self.order.chunks(self.size)
    }
}
