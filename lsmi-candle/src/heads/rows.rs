//! Rows with labels, as every head takes them to be fitted.

use crate::densities::mixture::Sample;

/// Rows to fit a head to.
pub(crate) struct Rows<'a> {
    pub(crate) sample: &'a Sample,
    pub(crate) labels: &'a [u32],
    pub(crate) classes: usize,
}
