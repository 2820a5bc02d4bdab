//! Redundancy by pointwise specificity and ambiguity, `I_pm`: [`crate::measure::pm`] of every outcome.
//!
//! Between discrete variables a surprisal depends on no coordinates, so that here `I_pm` is as Finn and Lizier (2018)
//! have it.

use crate::{discrete::joint::Joint, measure::pm, terms::Terms};

/// Returns the redundancy of every outcome, in nats.
pub(super) fn redundancies(_: &Joint, terms: &Terms) -> Vec<f64> {
    let Terms { h1, h2, i1, i2, .. } = terms;
    (0..terms.len()).map(|row| pm::redundancy(h1[row], h2[row], i1[row], i2[row])).collect()
}
