//! Decompositions on the redundancy lattice: an atom of information for every node.
//!
//! For an outcome and a node of the sets a, b, ..., with the surprisal h(a) = -log p(a) of the states of a's sources:
//!
//! ```text
//! pm    I+ = min(h(a), h(b), ...)     I- = min(h(a|y), h(b|y), ...)
//! sx    I+ = -log p(a or b or ...)    I- = -log p(a or b or ... | y)
//! min   I  = the lowest of the specific informations I(y; a), I(y; b), ...; means only
//! ```
//!
//! I = I+ - I-, the informative and the misinformative part, which are inverted one by one; their atoms are never
//! negative, those of I can be. Finn and Lizier (Entropy 20(4), 297, 2018); Makkeh, Gutknecht and Wibral (Physical Review
//! E 103, 032149, 2021); Williams and Beer (2010).

use super::{Antichain, Lattice};
use crate::{
    discrete::{
        error::{Error, Result, check_cells},
        joint::Joint,
        measures::{JointMeasure, specific_information},
        outcome::Outcome,
    },
    lattice::all_sources,
    statistics::{Sum, sum},
};

/// The largest number of atoms of outcomes that are kept, in both parts.
const MOST_ATOMS: u128 = 50_000_000;

/// Atoms of information, in nats, node by node from the bottom to the top.
#[derive(Debug, Clone)]
pub struct LatticeDecomposition<const SOURCES: usize> {
    /// The atoms of the distribution.
    pub atoms: Vec<LatticeAtom>,
    /// The atoms of every outcome, if they were asked for and the measure has them.
    pub pointwise: Option<Vec<PointwiseAtoms<SOURCES>>>,
}

/// A node of the lattice and its information, in nats.
#[derive(Debug, Clone, PartialEq)]
pub struct LatticeAtom {
    /// The node.
    pub antichain: Antichain,
    /// The information that its sets share: the sum of the atoms of the node and of all nodes below it.
    pub redundancy: f64,
    /// Its own atom.
    pub atom: f64,
    /// The informative and the misinformative part, whose difference is the atom; None for `min`.
    pub parts: Option<[f64; 2]>,
}

/// The atoms of one outcome, in nats.
#[derive(Debug, Clone, PartialEq)]
pub struct PointwiseAtoms<const SOURCES: usize> {
    /// The outcome.
    pub outcome: Outcome<SOURCES>,
    /// Its probability.
    pub probability: f64,
    /// The informative part of every node's atom.
    pub informative: Vec<f64>,
    /// The misinformative part, which is taken away.
    pub misinformative: Vec<f64>,
}

/// Returns the decomposition of a distribution on the lattice; with the atoms of every outcome where `pointwise` is
/// true.
///
/// # Errors
///
/// [`Error::NoLattice`] if the measure is none of `pm`, `sx` and `min`; [`Error::TooManyCells`] if there are too many
/// outcomes to keep the atoms of all.
///
/// ```
/// use lsmi_core::discrete::{Joint, JointMeasure, lattice::{Lattice, decompose}};
///
/// // y is the parity of three fair bits.
/// let bits = [["0", "0", "0"], ["0", "0", "1"], ["0", "1", "0"], ["0", "1", "1"],
///             ["1", "0", "0"], ["1", "0", "1"], ["1", "1", "0"], ["1", "1", "1"]];
/// let parity = |bits: [&str; 3]| if bits.iter().filter(|bit| **bit == "1").count() % 2 == 0 { "even" } else { "odd" };
/// let joint = Joint::from_probabilities(bits.map(|bits| (bits, parity(bits), 0.125)))?;
/// let parts = decompose(JointMeasure::Min, &joint, &Lattice::<3>::new(), false)?;
/// let top = parts.atoms.last().unwrap();
/// assert_eq!(top.antichain.to_string(), "{123}");
/// assert!((top.atom - 2.0_f64.ln()).abs() < 1e-12); // only all three together tell the parity
/// # Ok::<(), lsmi_core::discrete::Error>(())
/// ```
pub fn decompose<const SOURCES: usize>(
    measure: JointMeasure,
    joint: &Joint<SOURCES>,
    lattice: &Lattice<SOURCES>,
    pointwise: bool,
) -> Result<LatticeDecomposition<SOURCES>> {
    match measure {
        // The surprisal of the likeliest set.
        JointMeasure::Pm => in_parts(joint, lattice, pointwise, |set_probabilities| set_probabilities, f64::max),
        JointMeasure::Sx => in_parts(joint, lattice, pointwise, agreeing_exactly::<SOURCES>, |a, b| a + b),
        JointMeasure::Min => Ok(minimum(joint, lattice)),
        measure => Err(Error::NoLattice { measure: measure.name() }),
    }
}

/// Returns the sets of sources in an up-set.
fn sets_of(up_set: u16) -> impl Iterator<Item = usize> {
    (1..16).filter(move |set| up_set >> set & 1 == 1)
}

/// Computes the probability of agreeing in the sources of a set and in no other, for every set, from the probability
/// p(a) of agreeing in the sources of every set a.
///
/// An outcome is in "a or b or ..." if the set of sources in which it agrees is in the up-set, so that the probability is
/// a sum over the up-set and no alternating one over all unions.
fn agreeing_exactly<const SOURCES: usize>(set_probabilities: [f64; 16]) -> [f64; 16] {
    let mut exactly = set_probabilities;
    for source in 0..SOURCES {
        for set in 1..=all_sources::<SOURCES>() {
            if set >> source & 1 == 0 {
                exactly[set] -= exactly[set | 1 << source];
            }
        }
    }
    // Rounding can leave what is 0 a little below it.
    exactly.map(|probability| probability.max(0.0))
}

/// Decomposes by a measure whose parts are -log of a probability: `prepare` transforms the probabilities of all sets,
/// and `join` combines them over the sets of an up-set.
fn in_parts<const SOURCES: usize>(
    joint: &Joint<SOURCES>,
    lattice: &Lattice<SOURCES>,
    pointwise: bool,
    prepare: impl Fn([f64; 16]) -> [f64; 16],
    join: impl Fn(f64, f64) -> f64,
) -> Result<LatticeDecomposition<SOURCES>> {
    let (nodes, outcomes) = (lattice.len(), joint.outcomes().len());
    if pointwise {
        check_cells("the atoms of every outcome", 2 * (nodes * outcomes) as u128, size_of::<f64>(), MOST_ATOMS)?;
    }
    let marginals = joint.marginals();
    let up_sets: Vec<u16> = lattice.up_sets().collect();
    let mut kept = Vec::with_capacity(if pointwise { outcomes } else { 0 });
    let mut sums = [vec![Sum::default(); nodes], vec![Sum::default(); nodes]];
    let mut redundancies = vec![0.0; nodes];
    let mut atoms = [vec![0.0; nodes], vec![0.0; nodes]];
    for (row, (&outcome, &probability)) in joint.outcomes().iter().zip(joint.probabilities()).enumerate() {
        for (with_target, atoms) in [false, true].into_iter().zip(&mut atoms) {
            let condition = if with_target { marginals.target().at(row) } else { 1.0 };
            let mut set_probabilities = [0.0; 16];
            for (set, of_set) in set_probabilities.iter_mut().enumerate().take(all_sources::<SOURCES>() + 1).skip(1) {
                *of_set = marginals.of(set, with_target).at(row) / condition;
            }
            let set_probabilities = prepare(set_probabilities);
            for (redundancy, up_set) in redundancies.iter_mut().zip(&up_sets) {
                *redundancy = -sets_of(*up_set).map(|set| set_probabilities[set]).fold(0.0, &join).ln();
            }
            lattice.invert_into(&redundancies, atoms);
        }
        for (sums, atoms) in sums.iter_mut().zip(&atoms) {
            for (sum, atom) in sums.iter_mut().zip(atoms) {
                *sum = sum.with(probability * atom);
            }
        }
        if pointwise {
            let [informative, misinformative] = atoms.clone();
            kept.push(PointwiseAtoms { outcome, probability, informative, misinformative });
        }
    }
    let means: Vec<[f64; 2]> = (0..nodes).map(|node| sums.each_ref().map(|sums| sums[node].value())).collect();
    let atom = |node: usize| means[node][0] - means[node][1];
    let atoms = lattice
        .antichains()
        .enumerate()
        .map(|(node, antichain)| LatticeAtom {
            antichain: antichain.clone(),
            redundancy: (0..=node).filter(|&below| lattice.is_at_most(below, node)).map(atom).sum(),
            atom: atom(node),
            parts: Some(means[node]),
        })
        .collect();
    Ok(LatticeDecomposition { atoms, pointwise: pointwise.then_some(kept) })
}

/// Returns the decomposition by minimum specific information.
fn minimum<const SOURCES: usize>(joint: &Joint<SOURCES>, lattice: &Lattice<SOURCES>) -> LatticeDecomposition<SOURCES> {
    let specific: Vec<Vec<f64>> = (0..=all_sources::<SOURCES>()).map(|set| specific_information(joint, set)).collect();
    let redundancy = |up_set: u16| {
        let least_specific =
            |state: usize| sets_of(up_set).map(|set| specific[set][state]).fold(f64::INFINITY, f64::min);
        sum(&(0..specific[0].len()).map(least_specific).collect::<Vec<_>>())
    };
    let redundancies: Vec<f64> = lattice.up_sets().map(redundancy).collect();
    let inverted = lattice.invert(&redundancies);
    let atoms = lattice
        .antichains()
        .zip(redundancies.iter().zip(inverted))
        .map(|(antichain, (&redundancy, atom))| LatticeAtom {
            antichain: antichain.clone(),
            redundancy,
            atom,
            parts: None,
        })
        .collect();
    LatticeDecomposition { atoms, pointwise: None }
}
