//! Shapley values: how much each modality contributes to the information of a sample, and how much pairs interact.
//!
//! With v(A) = `i_A` the information of a set A of modalities and v of no modality 0, for each sample and in nats:
//!
//! ```text
//! value of m          = sum over A without m of          |A|! (M - |A| - 1)! / M!       (v(A + m) - v(A))
//! interaction of m, k = sum over A without m and k of    |A|! (M - |A| - 2)! / (M - 1)! (v(A + m + k) - v(A + m) - v(A + k) + v(A))
//! ```
//!
//! exactly, over all 2^M subsets. The values are the mean contribution of a modality over all orders in which the
//! modalities could be learned of (Shapley, "A value for n-person games", 1953). They are additive: those of a sample sum
//! to the information of all modalities, as in SHAP (Lundberg and Lee, "A Unified Approach to Interpreting Model
//! Predictions", NeurIPS 2017). The interaction index is that of Grabisch and Roubens, "An axiomatic approach to the
//! concept of interaction among players in cooperative games" (International Journal of Game Theory 28, 1999): above 0
//! where two modalities tell more together than in sum, below 0 where they repeat each other. Of two modalities it is
//! `i_12 - i_1 - i_2`, synergy less redundancy.
//!
//! No density enters, no choice of coordinates and no measure, for two to eight modalities. What is redundant is divided
//! among those that have it and what is synergistic among those that it takes, so that a value does not say which of both
//! it is: that is the [lattice](crate::lattice)'s question.
//!
//! ```
//! use lsmi_core::{SampleIds, Subset, SubsetTerms, shapley::Shapley};
//!
//! // y is the exclusive or of the bits of modalities 1 and 2; modality 3 has nothing to do with it.
//! let pair: Subset = "12".parse()?;
//! let informations = Subset::all(3).map(|subset| (subset, vec![if subset.contains(pair) { 0.69 } else { 0.0 }]));
//! let parts = Shapley::new(3)?.of(&SubsetTerms::new(SampleIds::rows(1), 3, informations, [])?)?;
//! for (value, expected) in parts.values.iter().zip([0.345, 0.345, 0.0]) {
//!     assert!((value[0] - expected).abs() < 1e-15);
//! }
//! assert!((parts.interaction(pair).unwrap()[0] - 0.69).abs() < 1e-15);
//! assert!(parts.interaction("13".parse()?).unwrap()[0].abs() < 1e-15);
//! # Ok::<(), lsmi_core::Error>(())
//! ```

use crate::{
    error::{Error, Result},
    ids::SampleIds,
    subsets::{Subset, SubsetTerms, check_modalities},
};

/// Samples computed at a time, so few that their values stay in the cache from one column to the next.
const BLOCK: usize = 1024;

/// The weights of the informations of all subsets in Shapley values and interactions.
#[derive(Debug, Clone)]
pub struct Shapley {
    modalities: usize,
    /// For every modality, the weight of every subset.
    values: Vec<Vec<f64>>,
    pairs: Vec<Subset>,
    /// For every pair, the weight of every subset.
    interactions: Vec<Vec<f64>>,
}

/// Shapley values and interactions of `n` samples, in nats; every column has `n` values, in the order of the ids.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ShapleyColumns {
    /// The ids of the samples.
    pub ids: SampleIds,
    /// For every modality, its values.
    pub values: Vec<Vec<f64>>,
    /// The pairs of modalities, in the order of [`Subset::all`].
    pub pairs: Vec<Subset>,
    /// For every pair, its interaction indices.
    pub interactions: Vec<Vec<f64>>,
}

impl Shapley {
    /// Computes the weights.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if there are not two to eight modalities.
    pub fn new(modalities: usize) -> Result<Self> {
        check_modalities(modalities)?;
        let subsets: Vec<Subset> = Subset::all(modalities).collect();
        let weights = |players: Subset| subsets.iter().map(|&subset| weight(modalities, players, subset)).collect();
        let of_size = |size: usize| subsets.iter().copied().filter(move |subset| subset.len() == size);
        Ok(Self {
            modalities,
            values: of_size(1).map(weights).collect(),
            pairs: of_size(2).collect(),
            interactions: of_size(2).map(weights).collect(),
        })
    }

    /// Returns the pairs of modalities, in the order of the interactions.
    pub fn pairs(&self) -> &[Subset] {
        &self.pairs
    }

    /// Writes the value of every modality and the interaction of every pair, in nats, for one sample, given the
    /// informations of all subsets in the order of [`Subset::all`]; takes nothing from the heap.
    ///
    /// ```
    /// use lsmi_core::shapley::Shapley;
    ///
    /// let (mut values, mut interactions) = ([0.0; 2], [0.0; 1]);
    /// Shapley::new(2)?.sample_into(&[0.5, 0.25, 1.0], &mut values, &mut interactions);
    /// assert_eq!((values, interactions), ([0.625, 0.375], [0.25]));
    /// # Ok::<(), lsmi_core::Error>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If there is not one information a subset, one value a modality and one interaction a pair.
    pub fn sample_into(&self, informations: &[f64], values: &mut [f64], interactions: &mut [f64]) {
        let lengths = [informations.len() + 1, values.len(), interactions.len()];
        assert!(
            lengths == [1 << self.modalities, self.values.len(), self.interactions.len()],
            "{} informations, {} values and {} interactions of {} modalities",
            informations.len(),
            values.len(),
            interactions.len(),
            self.modalities
        );
        let sum = |weights: &[f64]| weights.iter().zip(informations).fold(0.0, |sum, (weight, i)| sum + weight * i);
        for (value, weights) in values.iter_mut().zip(&self.values) {
            *value = sum(weights);
        }
        for (interaction, weights) in interactions.iter_mut().zip(&self.interactions) {
            *interaction = sum(weights);
        }
    }

    /// Returns the values and interactions of all samples.
    ///
    /// # Errors
    ///
    /// [`Error::Modalities`] if the terms are of another number of modalities.
    pub fn of(&self, terms: &SubsetTerms) -> Result<ShapleyColumns> {
        if terms.modalities() != self.modalities {
            return Err(Error::Modalities { expected: self.modalities, found: terms.modalities() });
        }
        let informations: Vec<&[f64]> = terms.informations().map(|(_, column)| column).collect();
        let sums = |weights: &Vec<f64>| weighted_sums(weights, &informations, terms.len());
        Ok(ShapleyColumns {
            ids: terms.ids().clone(),
            values: self.values.iter().map(sums).collect(),
            pairs: self.pairs.clone(),
            interactions: self.interactions.iter().map(sums).collect(),
        })
    }
}

impl ShapleyColumns {
    /// Returns the number of samples.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Returns whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Returns the interaction indices of a pair, in the order of the ids; None if it is no pair of the modalities.
    pub fn interaction(&self, pair: Subset) -> Option<&[f64]> {
        self.pairs.iter().position(|&other| other == pair).map(|place| self.interactions[place].as_slice())
    }
}

/// Returns how often the information of a subset is added to the index of these modalities.
///
/// In the sums above it stands where A is the subset without the modalities, positive if none of them is missing from it,
/// and once negative for each that is.
fn weight(modalities: usize, players: Subset, subset: Subset) -> f64 {
    let of_players = (subset.bits() & players.bits()).count_ones() as usize;
    let others = subset.len() - of_players;
    let sign = if (players.len() - of_players).is_multiple_of(2) { 1.0 } else { -1.0 };
    let without = modalities - others - players.len();
    sign * factorial(others) * factorial(without) / factorial(modalities - players.len() + 1)
}

fn factorial(n: usize) -> f64 {
    (1..=n).map(|k| k as f64).product()
}

/// Returns the sum of columns by their weights, row by row.
fn weighted_sums(weights: &[f64], columns: &[&[f64]], n: usize) -> Vec<f64> {
    let mut sums = vec![0.0; n];
    for (block, sums) in sums.chunks_mut(BLOCK).enumerate() {
        for (weight, column) in weights.iter().zip(columns) {
            let values = &column[block * BLOCK..];
            sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += weight * value);
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_shares_of_all_orders() {
        // The value of one of three modalities: 1/3 alone, 1/6 after each other one, 1/3 after both.
        let shapley = Shapley::new(3).unwrap();
        let (third, sixth) = (1.0 / 3.0, 1.0 / 6.0);
        assert_eq!(shapley.values[0], [third, -sixth, -sixth, sixth, sixth, -third, third]);
        // The interaction of 1 and 2: half without and half with modality 3.
        assert_eq!(shapley.interactions[0], [-0.5, -0.5, 0.5, 0.5, -0.5, -0.5, 0.5]);
        assert_eq!(Shapley::new(2).unwrap().interactions[0], [-1.0, -1.0, 1.0]);
    }

    #[test]
    fn columns_are_samples() {
        let n = BLOCK + 3;
        let value = |place: usize, row: usize| ((place * 37 + row * 11) as f64 * 0.618_033_988_75).fract();
        let columns = Subset::all(4).enumerate();
        let columns = columns.map(|(place, subset)| (subset, (0..n).map(|row| value(place, row)).collect()));
        let terms = SubsetTerms::new(SampleIds::rows(n), 4, columns, []).unwrap();
        let shapley = Shapley::new(4).unwrap();
        let parts = shapley.of(&terms).unwrap();
        let (mut values, mut interactions) = ([0.0; 4], [0.0; 6]);
        for row in 0..n {
            let informations: Vec<f64> = (0..15).map(|place| value(place, row)).collect();
            shapley.sample_into(&informations, &mut values, &mut interactions);
            assert_eq!(parts.values.iter().map(|column| column[row]).collect::<Vec<_>>(), values);
            assert_eq!(parts.interactions.iter().map(|column| column[row]).collect::<Vec<_>>(), interactions);
        }
        assert_eq!(Shapley::new(3).unwrap().of(&terms).unwrap_err(), Error::Modalities { expected: 3, found: 4 });
    }
}
