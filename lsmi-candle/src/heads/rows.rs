//! Rows with labels, which every head is fitted to.

use crate::densities::mixture::Sample;

/// Rows to fit a head to.
pub(crate) struct Rows<'a> {
    pub(crate) sample: &'a Sample,
    pub(crate) labels: &'a [u32],
    pub(crate) classes: usize,
}
