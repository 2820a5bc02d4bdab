//! Redundancy as minimum specific information, `I_min`: [`crate::measure::min`] of every outcome, its class being the state
//! of the target.

use crate::{
    discrete::joint::Joint,
    measure::{Modality, min},
    terms::Terms,
};

/// Returns the redundancy of every outcome, in nats.
pub(super) fn redundancies(joint: &Joint, terms: &Terms) -> Vec<f64> {
    let (specific1, specific2) = (specific_information(joint, 1), specific_information(joint, 2));
    let redundancy = |row: usize| {
        let state = joint.marginals().target().group[row] as usize;
        min::redundancy(terms.i1[row], terms.i2[row], Modality::with_lower(specific1[state], specific2[state]))
    };
    (0..terms.len()).map(redundancy).collect()
}

/// Returns p(y) I(y; X) for every state y of the target, in the order of its marginal, where X is a set of sources: the
/// sum over the outcomes with y of p i.
pub(in crate::discrete) fn specific_information<const SOURCES: usize>(joint: &Joint<SOURCES>, set: usize) -> Vec<f64> {
    let marginals = joint.marginals();
    let target = marginals.target();
    let mut sums = vec![0.0; target.probability.len()];
    for (row, (&state, p)) in target.group.iter().zip(joint.probabilities()).enumerate() {
        sums[state as usize] += p * marginals.information(set, row);
    }
    sums
}
