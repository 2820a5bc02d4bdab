//! Redundancies and atoms of all nodes of the lattice, sample by sample.

use super::{
    Antichain, Lattice, Redundancy,
    redundancy::{Rows, check_same},
};
use crate::{
    error::Result,
    ids::SampleIds,
    measure::Measure,
    statistics::mean,
    subsets::{Subset, SubsetTerms},
};

/// The lattice of two to four modalities under a measure, for samples: `pm`, `sx` or `ccs`, see [`Redundancy`].
///
/// For every sample each node has a redundancy I and an atom, in nats, and the atoms of a node and of all nodes below it
/// sum to its I. The node of one set A has I = `i_A`, so that all atoms sum to the information of all modalities. Atoms can
/// be negative, and no measure avoids that: see the [module](super).
///
/// Since the inversion is linear, atoms of I are atoms of its informative part less those of its misinformative part (Finn
/// and Lizier 2018); I is inverted at once, which keeps the digits that two large surprisals would cost.
///
/// ```
/// use lsmi_core::{Measure, Subset, lattice::PointwiseLattice};
///
/// // Modalities 1 and 2 each have one nat, which is the same; modality 3 has nothing.
/// let i: Vec<f64> = Subset::all(3).map(|subset| if subset.to_string() == "3" { 0.0 } else { 1.0 }).collect();
/// let lattice = PointwiseLattice::<3>::new(Measure::Ccs)?;
/// let (mut redundancies, mut atoms) = ([0.0; 18], [0.0; 18]);
/// lattice.sample_into(&[], &i, &mut redundancies, &mut atoms);
/// let place = lattice.lattice().place_of(&"{1}{2}".parse()?).unwrap();
/// assert_eq!(atoms[place], 1.0);
/// assert_eq!(atoms.iter().sum::<f64>(), 1.0);
/// # Ok::<(), lsmi_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct PointwiseLattice<const MODALITIES: usize> {
    lattice: Lattice<MODALITIES>,
    nodes: Vec<Redundancy>,
}

/// Redundancies and atoms of `n` samples, in nats: for every node a column of `n` values, in the order of the ids.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LatticeColumns {
    /// The ids of the samples.
    pub ids: SampleIds,
    /// The nodes, from the bottom to the top.
    pub nodes: Vec<Antichain>,
    /// The redundancy of every node: the information that its sets share.
    pub redundancies: Vec<Vec<f64>>,
    /// The atom of every node: what of its redundancy is in no node below.
    pub atoms: Vec<Vec<f64>>,
}

/// The means of a node over all samples, in nats.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeMeans {
    /// The node.
    pub node: Antichain,
    /// The mean of its redundancies.
    pub redundancy: f64,
    /// The mean of its atoms.
    pub atom: f64,
}

impl<const MODALITIES: usize> PointwiseLattice<MODALITIES> {
    /// Prepares all nodes.
    ///
    /// # Errors
    ///
    /// [`Error::TwoModalitiesOnly`](crate::Error::TwoModalitiesOnly) if the measure is `mmi` or `min`.
    pub fn new(measure: Measure) -> Result<Self> {
        let lattice = Lattice::new();
        let nodes =
            lattice.antichains().map(|node| Redundancy::new(measure, MODALITIES, node)).collect::<Result<_>>()?;
        Ok(Self { lattice, nodes })
    }

    /// Returns the nodes and their order, which is that of all arrays here.
    pub fn lattice(&self) -> &Lattice<MODALITIES> {
        &self.lattice
    }

    /// Returns whether the surprisals of all subsets of the modalities are needed: for `pm` and `sx`.
    pub fn needs_surprisals(&self) -> bool {
        self.nodes.iter().any(Redundancy::needs_surprisals)
    }

    /// Writes the redundancy and the atom of every node, in nats, for one sample, given h and i of all subsets of the
    /// modalities in the order of [`Subset::all`]; takes nothing from the heap. For `ccs`, h may be empty.
    ///
    /// # Panics
    ///
    /// If there is not one i, one redundancy and one atom, and where needed one h, for every subset and node.
    pub fn sample_into(&self, surprisals: &[f64], informations: &[f64], redundancies: &mut [f64], atoms: &mut [f64]) {
        let nodes = self.nodes.len();
        assert!(redundancies.len() == nodes && atoms.len() == nodes, "the lattice has {nodes} nodes");
        for (redundancy, node) in redundancies.iter_mut().zip(&self.nodes) {
            *redundancy = node.of_sample(surprisals, informations);
        }
        self.lattice.invert_into(redundancies, atoms);
    }

    /// Returns the redundancies and atoms of all samples.
    ///
    /// Two numbers a node and sample are kept; where that is too much, [`Self::sample_into`] needs no memory.
    ///
    /// # Errors
    ///
    /// [`Error::Modalities`](crate::Error::Modalities) if the terms are of another number of modalities,
    /// [`Error::MissingTerm`](crate::Error::MissingTerm) if surprisals are needed and a subset has none.
    pub fn decompose(&self, terms: &SubsetTerms) -> Result<LatticeColumns> {
        check_same(MODALITIES, terms)?;
        let subsets: Vec<Subset> = Subset::all(MODALITIES).collect();
        let rows = Rows::new(terms, if self.needs_surprisals() { &subsets } else { &[] })?;
        let (mut surprisals, mut informations) = (rows.room(), rows.room());
        let (n, nodes) = (terms.len(), self.nodes.len());
        let mut columns = [vec![vec![0.0; n]; nodes], vec![vec![0.0; n]; nodes]];
        let mut of_sample = [vec![0.0; nodes], vec![0.0; nodes]];
        for row in 0..n {
            rows.copy(row, &mut surprisals, &mut informations);
            let [redundancies, atoms] = &mut of_sample;
            self.sample_into(&surprisals, &informations, redundancies, atoms);
            for (columns, values) in columns.iter_mut().zip(&of_sample) {
                for (column, value) in columns.iter_mut().zip(values) {
                    column[row] = *value;
                }
            }
        }
        let [redundancies, atoms] = columns;
        let nodes = self.lattice.antichains().cloned().collect();
        Ok(LatticeColumns { ids: terms.ids().clone(), nodes, redundancies, atoms })
    }
}

impl LatticeColumns {
    /// Returns the number of samples.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Returns whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Returns the atoms of a node, in the order of the ids; None if it is no node of the lattice.
    pub fn atom(&self, node: &Antichain) -> Option<&[f64]> {
        self.nodes.iter().position(|other| other == node).map(|place| self.atoms[place].as_slice())
    }

    /// Returns the redundancies of a node, in the order of the ids; None if it is no node of the lattice.
    pub fn redundancy(&self, node: &Antichain) -> Option<&[f64]> {
        self.nodes.iter().position(|other| other == node).map(|place| self.redundancies[place].as_slice())
    }

    /// Returns the means of every node over all samples, from the bottom to the top; NaN without samples.
    pub fn means(&self) -> Vec<NodeMeans> {
        let columns = self.redundancies.iter().zip(&self.atoms);
        let of = |(node, (redundancies, atoms)): (&Antichain, (&Vec<f64>, &Vec<f64>))| NodeMeans {
            node: node.clone(),
            redundancy: mean(redundancies),
            atom: mean(atoms),
        };
        self.nodes.iter().zip(columns).map(of).collect()
    }
}
