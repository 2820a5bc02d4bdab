//! Two analyses held against each other, sample by sample and class by class.
//!
//! [`Side`] reads one of them, [`Compared`] joins their samples, and [`Diff`] is what comes of it.

mod comparable;
mod compared;
mod fits;
mod join;
mod side;

pub use compared::{Change, ClassDifference, Compared, Diff, Kinds, LISTED, SideSummary, TwoMeans};
pub use side::{QUANTITIES, Side, SideError};
