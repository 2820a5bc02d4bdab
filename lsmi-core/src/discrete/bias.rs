//! The bias of an information that is estimated from few samples, and two corrections.
//!
//! The plug-in estimate takes the shares of the samples for probabilities. It finds information where there is none, since
//! chance makes states go together in samples: for n samples I(X;Y) is too high by about (a - b - c + 1) / 2n, where a pairs of states, b states of X and c
//! states of Y occur. There are two remedies:
//!
//! - **Miller-Madow** adds (m - 1) / 2n to the entropy of m states that occur (Miller, "Note on the bias of information estimates", 1955), which
//!   takes just that from I(X;Y). The corrected information can be negative.
//! - **Shrinkage** draws all probabilities towards independence, by as much as the samples cannot tell from it
//!   ([`shrinkage`](super::shrinkage)); everything follows from the table that results.
//!
//! # What Miller-Madow corrects
//!
//! Only what is made of entropies has a correction of this kind: i1, i2 and i12, or on a lattice the nodes of a single
//! set of sources. The redundancy of several sets is no sum of entropies and stays as it is, except for `mmi`, whose R is the
//! lower one of the corrected i1 and i2. The other components take up the correction, so that R + U1 = I1, R + U2 = I2 and
//! R + U1 + U2 + S = I12 hold with the corrected informations. Values of single outcomes stay as they are too.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{
    counts::Counts,
    error::Result,
    information::Information,
    joint::Joint,
    lattice::{Lattice, LatticeDecomposition},
    measures::{JointDecomposition, JointMeasure, means_of},
};
use crate::error::from_name;

/// The correction of the bias of few samples; read and written as `plug-in`, `miller-madow` and `shrinkage`.
///
/// ```
/// use lsmi_core::discrete::Bias;
///
/// assert_eq!("miller-madow".parse::<Bias>()?, Bias::MillerMadow);
/// assert_eq!(Bias::default().to_string(), "plug-in");
/// # Ok::<(), lsmi_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bias {
    /// No correction.
    #[default]
    PlugIn,
    /// Entropies are corrected, see [`bias`](self).
    MillerMadow,
    /// The table is drawn towards independence, see [`shrinkage`](super::shrinkage).
    Shrinkage,
}

/// Informations and decompositions estimated from samples, in nats.
#[derive(Debug, Clone)]
pub struct Estimate {
    /// The informations, corrected as was asked for.
    pub information: Information,
    /// The decomposition under every measure that was asked for, in that order.
    pub decompositions: Vec<(JointMeasure, JointDecomposition)>,
    /// The degree to which the table was drawn towards independence, from 0 (not at all) to 1 (completely); `None`
    /// without shrinkage.
    pub intensity: Option<f64>,
}

impl Bias {
    /// All corrections.
    pub const ALL: [Self; 3] = [Self::PlugIn, Self::MillerMadow, Self::Shrinkage];

    /// Returns the name: `plug-in`, `miller-madow` or `shrinkage`.
    pub fn name(self) -> &'static str {
        match self {
            Self::PlugIn => "plug-in",
            Self::MillerMadow => "miller-madow",
            Self::Shrinkage => "shrinkage",
        }
    }
}

impl fmt::Display for Bias {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Bias {
    type Err = crate::Error;

    fn from_str(name: &str) -> crate::Result<Self> {
        from_name("bias correction", name, &Self::ALL, Self::name)
    }
}

impl Counts<2> {
    /// Estimates the informations and their decomposition under each of `measures`.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyCells`](super::Error::TooManyCells) if `ccs` or shrinkage would need more memory than it may take.
    ///
    /// ```
    /// use lsmi_core::discrete::{Bias, Counts, JointMeasure};
    ///
    /// let seen = [(["a", "a"], "a", 5), (["a", "b"], "b", 4), (["b", "a"], "b", 6), (["b", "b"], "a", 5)];
    /// let counts = Counts::from_counts(seen)?;
    /// let plain = counts.decompose(&[JointMeasure::Ccs], Bias::PlugIn)?;
    /// let corrected = counts.decompose(&[JointMeasure::Ccs], Bias::MillerMadow)?;
    /// // Of x1 and y four pairs occur, of each two states: (2 + 2 - 4 - 1) / 40 is added.
    /// assert!((corrected.information.i1 - (plain.information.i1 - 1.0 / 40.0)).abs() < 1e-15);
    /// # Ok::<(), lsmi_core::discrete::Error>(())
    /// ```
    pub fn decompose(&self, measures: &[JointMeasure], bias: Bias) -> Result<Estimate> {
        let (joint, intensity) = match bias {
            Bias::PlugIn | Bias::MillerMadow => (self.joint(), None),
            Bias::Shrinkage => {
                let shrunken = self.shrunken()?;
                (shrunken.joint, Some(shrunken.intensity))
            }
        };
        let mut information = joint.information();
        let mut decompositions =
            measures.iter().map(|&measure| Ok((measure, measure.decompose(&joint)?))).collect::<Result<Vec<_>>>()?;
        if bias == Bias::MillerMadow {
            let correction = |set| correction(&joint, self.total(), set);
            information.i1 += correction(1);
            information.i2 += correction(2);
            information.i12 += correction(3);
            for (measure, parts) in &mut decompositions {
                let r = match measure {
                    JointMeasure::Mmi => information.i1.min(information.i2),
                    _ => parts.means.r,
                };
                parts.means = means_of(r, information);
            }
        }
        Ok(Estimate { information, decompositions, intensity })
    }
}

impl<const SOURCES: usize> LatticeDecomposition<SOURCES> {
    /// Corrects the informations of single sets by Miller and Madow, and the atoms accordingly. `counts` are the
    /// samples that the plug-in decomposition on `lattice` was made from. The parts of the atoms are dropped, since
    /// only their difference is corrected.
    pub fn correct(&mut self, lattice: &Lattice<SOURCES>, counts: &Counts<SOURCES>) {
        let joint = counts.joint();
        let node_correction = |sets: &[u8]| match sets {
            [set] => correction(&joint, counts.total(), usize::from(*set)),
            _ => 0.0,
        };
        let corrections: Vec<f64> = lattice.antichains().map(|antichain| node_correction(&antichain.sets)).collect();
        let atom_corrections = lattice.invert(&corrections);
        for (node, (redundancy, atom)) in self.atoms.iter_mut().zip(corrections.iter().zip(atom_corrections)) {
            node.redundancy += redundancy;
            node.atom += atom;
            node.parts = None;
        }
    }
}

/// Returns the correction by Miller and Madow of the information of a set of sources and the target.
fn correction<const SOURCES: usize>(joint: &Joint<SOURCES>, samples: u64, set: usize) -> f64 {
    let marginals = joint.marginals();
    let states = |set, with_target| marginals.of(set, with_target).probability.len() as f64 - 1.0;
    (states(set, false) + states(0, true) - states(set, true)) / (2.0 * samples as f64)
}
