//! Redundancy as minimum mutual information, `I_mmi`: [`crate::measure::mmi`] of every outcome.

use crate::{
    discrete::joint::Joint,
    measure::{Modality, mmi},
    terms::Terms,
};

/// Returns the redundancy of every outcome, in nats.
pub(super) fn redundancies(joint: &Joint, terms: &Terms) -> Vec<f64> {
    let mean = |values: &[f64]| joint.mean(values.iter().copied());
    let weaker = Modality::with_lower(mean(&terms.i1), mean(&terms.i2));
    terms.i1.iter().zip(&terms.i2).map(|(&i1, &i2)| mmi::redundancy(i1, i2, weaker)).collect()
}
