//! Errors of sequences: their lengths, steps and lags.

use thiserror::Error;

/// Why the sequences of a feature file cannot be used.
///
/// Steps are counted from 0, as rows and columns are.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum SequenceError {
    /// A sequence has no step, or more than there are.
    #[error(
        "{file}: `{array}` is {found} at row {row}, but a sequence there has from 1 to {most} steps; correct the length, or remove the row"
    )]
    Length {
        /// The file.
        file: String,
        /// The array of lengths.
        array: String,
        /// The row.
        row: usize,
        /// The length found.
        found: String,
        /// The steps that there is room for.
        most: usize,
    },

    /// A feature of a step is not a finite number.
    #[error(
        "{file}: `{array}` is {found} at row {row}, step {step}, column {column}; fill in the value, or say with an array of lengths how many steps each sequence has"
    )]
    NotFinite {
        /// The file.
        file: String,
        /// The array.
        array: String,
        /// The row.
        row: usize,
        /// The step.
        step: usize,
        /// The column.
        column: usize,
        /// NaN or an infinity.
        found: f64,
    },

    /// One split has lengths that another has not.
    #[error(
        "{file}: there is `{present}`, but no `{array}`; the lengths of sequences are needed in all splits or in none: add `{array}`"
    )]
    MissingLengths {
        /// The file.
        file: String,
        /// The array that is missing.
        array: String,
        /// The lengths in another split.
        present: String,
    },

    /// Two arrays do not have the same number of steps.
    #[error(
        "{file}: `{array}` has {found} steps, but `{reference}` has {expected}; step t of every array must be the same moment"
    )]
    StepCount {
        /// The file.
        file: String,
        /// The array with the other number of steps.
        array: String,
        /// Its steps.
        found: usize,
        /// The array compared with.
        reference: String,
        /// Its steps.
        expected: usize,
    },

    /// A label of a step is missing.
    #[error("{file}: `{array}` is missing at row {row}, step {step}; fill it in, or leave such steps out")]
    MissingLabel {
        /// The file.
        file: String,
        /// The array.
        array: String,
        /// The row.
        row: usize,
        /// The step.
        step: usize,
    },

    /// No sequence is long enough for the largest lag.
    #[error(
        "{file}: no sequence of `{array}` has more than {longest} steps, so that nothing is {lag} steps before a label; give smaller lags"
    )]
    TooShort {
        /// The file.
        file: String,
        /// The array.
        array: String,
        /// The steps of the longest sequence.
        longest: usize,
        /// The largest lag.
        lag: usize,
    },

    /// The sequences were read for other lags.
    #[error("{file}: its sequences were read for the lags {known}, of which {lag} is none")]
    UnknownLag {
        /// The file.
        file: String,
        /// The lag asked for.
        lag: usize,
        /// The lags.
        known: String,
    },
}

impl SequenceError {
    /// Changes the row of an error about the values of an array.
    pub(in crate::features) fn at_row(mut self, row_in_file: impl Fn(usize) -> usize) -> Self {
        if let Self::NotFinite { row, .. } = &mut self {
            *row = row_in_file(*row);
        }
        self
    }
}
