//! Errors of joint distributions and counts.

/// A result whose error is [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// An error of a joint distribution or its decomposition.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A probability is negative or no number.
    #[error("the probability of ({outcome}) is {found}; give a number from 0 to 1")]
    Probability {
        /// The outcome, as in `x1=0, x2=1, y=1`.
        outcome: String,
        /// Its probability.
        found: f64,
    },

    /// Probabilities do not sum to 1.
    #[error("the probabilities sum to {found} and not to 1; divide them by their sum, or give them with more digits")]
    Sum {
        /// Their sum.
        found: f64,
    },

    /// An outcome is given twice.
    #[error("the outcome ({outcome}) is given twice; give it once, with the sum of both")]
    Repeated {
        /// The outcome, as in `x1=0, x2=1, y=1`.
        outcome: String,
    },

    /// There are no samples.
    #[error("all counts are 0 or there are none; give at least two samples")]
    Empty,

    /// The sum of the counts exceeds a `u64`.
    #[error("the counts sum to more than 2^64 - 1; divide them by a common factor")]
    Overflow,

    /// The target is the same in every outcome.
    #[error(
        "y has only one state, `{state}`: there is no information about it; give outcomes with at least two states of y"
    )]
    ConstantTarget {
        /// The state.
        state: String,
    },

    /// A computation over all combinations of states would take too much memory.
    #[error(
        "{what} takes {cells} cells, {bytes} bytes; at most {limit} cells are allowed, so merge states that are rare"
    )]
    TooManyCells {
        /// The computation.
        what: &'static str,
        /// The number of cells.
        cells: u128,
        /// The number of bytes.
        bytes: u128,
        /// The largest allowed number of cells.
        limit: u128,
    },

    /// A measure that is not defined on the lattice of more than two sources.
    #[error("`{measure}` is not defined on the redundancy lattice; use one of pm, sx, min")]
    NoLattice {
        /// The measure.
        measure: &'static str,
    },

    /// A parameter cannot be used.
    #[error(transparent)]
    Parameter(#[from] crate::Error),
}

/// Returns an error unless `cells` cells of `bytes_each` bytes are at most `limit`.
pub(super) fn check_cells(what: &'static str, cells: u128, bytes_each: usize, limit: u128) -> Result<()> {
    if cells <= limit {
        return Ok(());
    }
    Err(Error::TooManyCells { what, cells, bytes: cells.saturating_mul(bytes_each as u128), limit })
}
