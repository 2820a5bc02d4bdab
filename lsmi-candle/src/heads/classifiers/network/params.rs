//! Settings of a network head.

/// Settings of a network head.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct NetworkParams {
    /// Units of each hidden layer, the one next to the inputs first; without any: a linear softmax.
    pub hidden: &'static [usize],
    /// Passes over the rows at most.
    pub epochs: usize,
    /// Rows of a step; more if an epoch would take over 64 steps.
    pub batch: usize,
    /// Adam's step size.
    pub rate: f64,
    /// Decoupled weight decay.
    pub decay: f64,
    /// The share of hidden units that each row does without in a step, below 1 and to the nearest 256th.
    pub dropout: f64,
}

/// The numbers of epochs among which held-out rows choose.
const CHECKPOINTS: [usize; 13] = [2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192];

impl NetworkParams {
    /// Returns a linear softmax.
    pub(crate) fn linear() -> Self {
        Self { hidden: &[], epochs: 192, batch: 128, rate: 1e-2, decay: 0.1, dropout: 0.0 }
    }

    /// Returns the settings of one hidden layer of 64 units.
    pub(crate) fn shallow() -> Self {
        Self { hidden: &[64], epochs: 96, decay: 0.2, ..Self::linear() }
    }

    /// Returns the settings of three hidden layers of 128 units.
    pub(crate) fn deep() -> Self {
        Self { hidden: &[128; 3], epochs: 96, rate: 8e-3, dropout: 0.1, ..Self::linear() }
    }

    /// Returns the numbers of epochs that held-out rows choose among, in rising order.
    pub(crate) fn checkpoints(&self) -> &'static [usize] {
        &CHECKPOINTS[..CHECKPOINTS.partition_point(|epochs| *epochs <= self.epochs)]
    }

    /// Returns the widths of the hidden layers, for people.
    pub(crate) fn name(&self) -> String {
        self.hidden.iter().map(usize::to_string).collect::<Vec<_>>().join("-")
    }
}
