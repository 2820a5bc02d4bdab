//! Marginal probabilities of every set of sources, with and without the target.
//!
//! A set of sources is a number whose bit k stands for source k + 1: of two sources, 1 is x1, 2 is x2 and 3 is both.

use std::collections::HashMap;

use super::outcome::Outcome;
use crate::lattice::all_sources;

/// One marginal distribution: the probabilities of the states of some variables.
#[derive(Debug, Clone)]
pub(super) struct Marginal {
    /// The group of every outcome: the number of its states of these variables together.
    pub(super) group: Vec<u32>,
    /// The probability of every group.
    pub(super) probability: Vec<f64>,
}

impl Marginal {
    fn new<const SOURCES: usize>(
        outcomes: &[Outcome<SOURCES>],
        probabilities: &[f64],
        set: usize,
        with_target: bool,
    ) -> Self {
        // Groups are numbered in the order of the outcomes, so that the order of the map never shows.
        let mut numbers = HashMap::new();
        let mut probability = Vec::new();
        let mut group = Vec::with_capacity(outcomes.len());
        for (outcome, p) in outcomes.iter().zip(probabilities) {
            let sources =
                std::array::from_fn::<u32, SOURCES, _>(|k| if set >> k & 1 == 1 { outcome.sources[k] } else { 0 });
            let key = (sources, if with_target { outcome.target } else { 0 });
            #[expect(clippy::cast_possible_truncation, reason = "2^32 outcomes are beyond any memory")]
            let number = *numbers.entry(key).or_insert_with(|| {
                probability.push(0.0);
                (probability.len() - 1) as u32
            });
            probability[number as usize] += p;
            group.push(number);
        }
        Self { group, probability }
    }

    /// Returns the probability of the outcome in row `row`.
    #[inline]
    pub(super) fn at(&self, row: usize) -> f64 {
        self.probability[self.group[row] as usize]
    }
}

/// All marginals of a joint distribution.
#[derive(Debug, Clone)]
pub(super) struct Marginals<const SOURCES: usize> {
    /// The marginals of each set, without and with the target.
    by_set: Vec<[Marginal; 2]>,
}

impl<const SOURCES: usize> Marginals<SOURCES> {
    pub(super) fn new(outcomes: &[Outcome<SOURCES>], probabilities: &[f64]) -> Self {
        let of = |set| [false, true].map(|with_target| Marginal::new(outcomes, probabilities, set, with_target));
        Self { by_set: (0..=all_sources::<SOURCES>()).map(of).collect() }
    }

    /// Returns the marginal of a set of sources, with the target or without it.
    #[inline]
    pub(super) fn of(&self, set: usize, with_target: bool) -> &Marginal {
        &self.by_set[set][usize::from(with_target)]
    }

    /// Returns the marginal of the target.
    #[inline]
    pub(super) fn target(&self) -> &Marginal {
        self.of(0, true)
    }

    /// Returns `-log p(x_set)` of the outcome in row `row`.
    #[inline]
    pub(super) fn surprisal(&self, set: usize, row: usize) -> f64 {
        -self.of(set, false).at(row).ln()
    }

    /// Returns `log p(y|x_set) - log p(y)` of the outcome in row `row`.
    #[inline]
    pub(super) fn information(&self, set: usize, row: usize) -> f64 {
        // Divided one by one, since the product of two small probabilities can vanish.
        (self.of(set, true).at(row) / self.of(set, false).at(row) / self.target().at(row)).ln()
    }
}
