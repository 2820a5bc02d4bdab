//! The cross-fitted estimator of more than two modalities: terms of every set of them.
//!
//! [`cross_fit_several`] fits one gauge for all modalities, deals the rows to folds once, and fits for every fold a density
//! and a head for each modality, a head for each pair, and of three modalities a density for every set and a head for all
//! together: what the redundancy lattice asks for. A head of several modalities has those of its parts among its members.
//! What sets share is fitted once: [`SeveralEstimator::pair`] puts the models of two modalities together to an ordinary
//! [`Estimator`](super::Estimator), whose results are those of a fit to these two by the same gauge and folds.
//!
//! Densities of several modalities together are fitted to their gauge coordinates one after another. With more than three
//! modalities there are no densities but those of single ones, and heads of more than two only where
//! [`SeveralSettings::all_heads`] asks for them: their number doubles with every modality.

mod description;
mod fit;
mod models;
mod pairs;
mod scores;

pub use description::{PairDescription, SeveralDescription};
pub use fit::{SeveralFit, SeveralSettings, cross_fit_several};
pub use scores::{SeveralScores, SubsetColumns};

use std::collections::BTreeMap;

use candle_core::Device;
use lsmi_core::{ClassPrior, Subset};

use crate::densities::gauge::ModalityGauge;
use crate::densities::knife::Knife;
use crate::features::{Classes, Pooling};
use crate::heads::HeadPool;

/// A fitted gauge, densities and heads of sets of modalities, which give the terms of new rows.
#[derive(Debug, Clone)]
pub struct SeveralEstimator {
    pub(super) description: SeveralDescription,
    pub(super) prior: ClassPrior,
    pub(super) gauge: Vec<ModalityGauge>,
    /// The models of every fold, for each repeat.
    pub(super) repeats: Vec<Vec<SeveralModels>>,
    pub(super) device: Device,
}

/// The models of one fold, fitted to the rows outside it.
#[derive(Debug, Clone)]
pub(super) struct SeveralModels {
    /// Densities, in the gauge's coordinates.
    pub(super) densities: BTreeMap<Subset, Knife>,
    /// Heads; those of the parts of a set come before its own.
    pub(super) heads: BTreeMap<Subset, HeadPool>,
}

impl SeveralEstimator {
    /// Returns the description of the estimator.
    pub fn description(&self) -> &SeveralDescription {
        &self.description
    }

    /// Returns the estimator with the pooling of the sequences that it was fitted on, see
    /// [`Data::pooling`](crate::features::Data::pooling).
    #[must_use]
    pub fn with_pooling(mut self, pooling: Option<Pooling>) -> Self {
        self.description.pooling = pooling;
        self
    }

    /// Returns the classes, in the order of the class indices.
    pub fn classes(&self) -> &Classes {
        &self.description.classes
    }

    /// Returns the class prior p(y) of the information terms.
    pub fn prior(&self) -> &ClassPrior {
        &self.prior
    }

    /// Returns the number of modalities.
    pub fn modalities(&self) -> usize {
        self.gauge.len()
    }
}

/// Returns the sets of modalities whose heads are parts of that of a set, in the order of
/// [`Member::Part`](crate::heads::Member::Part).
pub(super) fn parts_of(subset: Subset) -> Vec<Subset> {
    let all = Subset::all(Subset::MOST_MODALITIES);
    let parts = all.filter(|part| subset.contains(*part) && *part != subset);
    parts.filter(|part| part.len() == 1 || part.len() + 1 == subset.len()).collect()
}

/// Returns the places of the modalities of a set, counted from 0.
fn places(subset: Subset) -> Vec<usize> {
    subset.members().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_set_are_its_modalities_and_itself_without_each() {
        let parts = |name: &str| parts_of(name.parse().unwrap()).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert!(parts("2").is_empty());
        assert_eq!(parts("13"), ["1", "3"]);
        assert_eq!(parts("123"), ["1", "2", "3", "12", "13", "23"]);
        assert_eq!(parts("1245"), ["1", "2", "4", "5", "124", "125", "145", "245"]);
    }
}
