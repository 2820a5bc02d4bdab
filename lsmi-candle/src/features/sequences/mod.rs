//! Sequences: samples of several steps, `[n, T, d]`, as the rows that an analysis needs.
//!
//! [`Pooling`] makes one vector of the steps of a sequence. [`Lags`] makes samples of single steps instead: x1 some steps
//! before x2 and the label. A [`SequenceFile`] holds the sequences that lags are taken from.

pub(crate) mod lags;
pub(crate) mod pooling;
pub(crate) mod table;

pub use lags::{Lags, LagsError};
pub use pooling::{Pooling, UnknownPooling};
pub use table::{SequenceFile, SequenceSet};
