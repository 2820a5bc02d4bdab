//! Redundancy by shared exclusions, `I_sx`, of events.
//!
//! ```text
//! r = log p(x1 or x2 | y) - log p(x1 or x2),   p(x1 or x2) = p(x1) + p(x2) - p(x1, x2)
//! ```
//!
//! "x1 or x2" is the event that at least one source has the state it has in the outcome. Makkeh, Gutknecht and Wibral,
//! "Introducing a differentiable measure of pointwise shared information" (Physical Review E 103, 032149, 2021). Between
//! densities, p(x1, x2) vanishes beside the others: [`crate::measure::sx`].

use crate::{
    discrete::{joint::Joint, marginals::Marginals},
    terms::Terms,
};

/// Returns the redundancy of every outcome, in nats.
pub(super) fn redundancies(joint: &Joint, terms: &Terms) -> Vec<f64> {
    let marginals = joint.marginals();
    (0..terms.len())
        .map(|row| {
            let given_y = either(marginals, row, true) / marginals.target().at(row);
            (given_y / either(marginals, row, false)).ln()
        })
        .collect()
}

/// Returns the probability that one source or the other has its state of the outcome, together with the target's or
/// not.
fn either(marginals: &Marginals<2>, row: usize, with_target: bool) -> f64 {
    let [one, two, both] = [1, 2, 3].map(|set| marginals.of(set, with_target).at(row));
    // The lower one less both is what it adds, and never negative.
    one.max(two) + (one.min(two) - both).max(0.0)
}
