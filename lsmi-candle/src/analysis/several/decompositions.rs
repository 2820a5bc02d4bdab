//! The decompositions of samples of several modalities by measures: what all share, the lattice of three, Shapley values.

use lsmi_core::lattice::{LatticeColumns, PointwiseLattice, Redundancy};
use lsmi_core::shapley::Shapley;
use lsmi_core::{Measure, Subset, SubsetTerms};

use super::{ScoredRows, SeveralSplit, SharedInformation};
use crate::estimator::several::SeveralScores;

/// The decompositions of samples by the measure of an estimator and by further ones.
pub(super) struct Decompositions {
    own: ByMeasure,
    further: Vec<ByMeasure>,
    shapley: Shapley,
}

/// The decompositions of samples by one measure.
struct ByMeasure {
    measure: Measure,
    redundancy: Redundancy,
    /// Of three modalities.
    lattice: Option<PointwiseLattice<3>>,
}

impl Decompositions {
    /// Prepares the decompositions of samples of so many modalities. Of the further measures, those of two modalities only
    /// decompose pairs and are left out here.
    pub(super) fn new(own: Measure, further: &[Measure], modalities: usize) -> lsmi_core::Result<Self> {
        let are_of_two = |measure: &&Measure| matches!(measure, Measure::Mmi | Measure::Min);
        let further = further.iter().filter(|measure| !are_of_two(measure));
        Ok(Self {
            own: ByMeasure::new(own, modalities)?,
            further: further.map(|measure| ByMeasure::new(*measure, modalities)).collect::<Result<_, _>>()?,
            shapley: Shapley::new(modalities)?,
        })
    }

    /// Decomposes the samples of a split.
    pub(super) fn split(&self, rows: ScoredRows) -> lsmi_core::Result<SeveralSplit> {
        let ScoredRows { name, scores, metadata } = rows;
        // Heads of all sets are there or not, by what was fitted.
        let terms = scores.terms().ok();
        let further = self.further.iter().map(|by| {
            let (redundancy, lattice) = (by.shared(&scores), by.lattice(terms.as_ref())?);
            Ok(SharedInformation { measure: by.measure, redundancy, lattice })
        });
        Ok(SeveralSplit {
            name,
            redundancy: self.own.shared(&scores),
            lattice: self.own.lattice(terms.as_ref())?,
            measures: further.collect::<lsmi_core::Result<_>>()?,
            shapley: terms.as_ref().map(|terms| self.shapley.of(terms)).transpose()?,
            pairs: Vec::new(),
            metadata,
            scores,
        })
    }
}

impl ByMeasure {
    fn new(measure: Measure, modalities: usize) -> lsmi_core::Result<Self> {
        Ok(Self {
            measure,
            redundancy: Redundancy::of_all(measure, modalities)?,
            lattice: (modalities == 3).then(|| PointwiseLattice::new(measure)).transpose()?,
        })
    }

    fn lattice(&self, terms: Option<&SubsetTerms>) -> lsmi_core::Result<Option<LatticeColumns>> {
        self.lattice.as_ref().zip(terms).map(|(lattice, terms)| lattice.decompose(terms)).transpose()
    }

    /// Returns the redundancy of all modalities in every sample, which needs the terms of every set for `ccs` and else only
    /// those of the single modalities; `None` where these are not there.
    fn shared(&self, scores: &SeveralScores) -> Option<Vec<f64>> {
        let needed = if self.redundancy.needs_surprisals() { 1 } else { scores.modalities };
        let sets = Subset::all(scores.modalities).filter(|subset| subset.len() <= needed);
        let informations: Option<Vec<&Vec<f64>>> =
            sets.clone().map(|set| scores.columns.informations.get(&set)).collect();
        let informations = informations?;
        let surprisals: Vec<&Vec<f64>> = sets.filter_map(|set| scores.columns.surprisals.get(&set)).collect();
        let row_of = |columns: &[&Vec<f64>], row: usize| columns.iter().map(|column| column[row]).collect::<Vec<f64>>();
        let of_row = |row| self.redundancy.of_sample(&row_of(&surprisals, row), &row_of(&informations, row));
        Some((0..scores.labels.len()).map(of_row).collect())
    }
}
