//! What can be wrong with a request to partition samples.

use thiserror::Error;

/// Why [`partition`](crate::partition()) or one of its siblings refused its input.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum PartitionError {
    /// There are no samples.
    #[error("there are no samples to partition; give at least one value")]
    Empty,

    /// A value is NaN or infinite and so has no rank.
    #[error("value {found} at position {index} is not finite; remove the sample or mend its value")]
    NonFinite {
        /// Position of the first such value, counted from 0.
        index: usize,
        /// The value.
        found: f64,
    },

    /// There is not exactly one label for each value.
    #[error(
        "{found} labels for {expected} values: the first position without a partner is {index}; \
         give one label for each value, in the same order"
    )]
    LabelCount {
        /// The number of values.
        expected: usize,
        /// The number of labels.
        found: usize,
        /// The first position, counted from 0, that only one of the two has.
        index: usize,
    },

    /// The fraction is not in (0, 0.5].
    #[error("fraction {found} is out of range; the top and the bottom share must be above 0 and at most 0.5")]
    Fraction {
        /// The fraction.
        found: f64,
    },

    /// The thresholds do not satisfy low < high: they are crossed, equal or NaN.
    #[error("thresholds low = {low} and high = {high} leave no middle; the low one must be below the high one")]
    Thresholds {
        /// The low threshold.
        low: f64,
        /// The high threshold.
        high: f64,
    },

    /// A row was asked for that is not there.
    #[error("row {found} of {rows} rows is not there; rows are counted from 0")]
    Row {
        /// The row.
        found: usize,
        /// Number of rows.
        rows: usize,
    },
}
