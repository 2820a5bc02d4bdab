//! Measures of a joint distribution: definitions of redundancy, one per file.
//!
//! | measure | redundancy |
//! |---|---|
//! | [`pm`] | pointwise specificity and ambiguity (Finn and Lizier 2018) |
//! | [`min`] | minimum specific information (Williams and Beer 2010) |
//! | [`sx`] | shared exclusions (Makkeh, Gutknecht and Wibral 2021) |
//! | [`mmi`] | minimum mutual information (Barrett 2015) |
//! | [`ccs`] | common change in surprisal (Ince 2017), with its step of maximum entropy |
//! | [`broja`] | what is left of both informations once the union information is taken off (Bertschinger and others 2014) |
//!
//! The redundancy of an outcome given, the rest follows: `u_m = i_m - r` and `s = i_12 - i_1 - i_2 + r`.

mod broja;
mod ccs;
mod min;
mod mmi;
mod pm;
mod sx;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{
    broja::Solution, error::Result, information::Information, joint::Joint, maximum_entropy::Convergence,
    outcome::Outcome,
};
use crate::{decomposition::Means, error::from_name, terms::Terms};

pub(super) use min::specific_information;

/// A definition of redundancy in a joint distribution; read and written as `pm`, `min`, `sx`, `mmi`, `ccs` and `broja`.
///
/// ```
/// use lsmi_core::discrete::JointMeasure;
///
/// assert_eq!("ccs".parse::<JointMeasure>()?, JointMeasure::Ccs);
/// assert_eq!(JointMeasure::Pm.to_string(), "pm");
/// # Ok::<(), lsmi_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JointMeasure {
    /// Pointwise specificity and ambiguity: Finn and Lizier (2018).
    Pm,
    /// Minimum specific information: Williams and Beer (2010).
    Min,
    /// Shared exclusions: Makkeh, Gutknecht and Wibral (2021).
    Sx,
    /// Minimum mutual information: Barrett (2015).
    Mmi,
    /// Common change in surprisal under the distribution of maximum entropy: Ince (2017).
    Ccs,
    /// The least information of both with the same pairs of source and target: Bertschinger and others (2014).
    Broja,
}

/// A decomposition of the information of two sources about a target, in nats.
#[derive(Debug, Clone)]
pub struct JointDecomposition {
    /// Redundancy, uniqueness and synergy of the distribution.
    pub means: Means,
    /// The decomposition of every outcome, for measures that have it.
    ///
    /// Of `ccs` these are outcomes of the distribution of maximum entropy, with that distribution's i12: what the data
    /// have in information beyond their pairs of variables is in the mean synergy, but in no outcome's.
    pub pointwise: Option<Vec<Pointwise>>,
    /// How well the distribution of maximum entropy was found, for `ccs`.
    pub convergence: Option<Convergence>,
    /// The union information and its bounds, for `broja`.
    pub certificate: Option<Solution>,
}

/// The decomposition of one outcome, in nats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pointwise {
    /// The outcome.
    pub outcome: Outcome,
    /// Its probability.
    pub probability: f64,
    /// Redundancy.
    pub r: f64,
    /// Uniqueness of source 1.
    pub u1: f64,
    /// Uniqueness of source 2.
    pub u2: f64,
    /// Synergy.
    pub s: f64,
}

impl JointMeasure {
    /// All measures, in the order in which they are listed.
    pub const ALL: [Self; 6] = [Self::Pm, Self::Min, Self::Sx, Self::Mmi, Self::Ccs, Self::Broja];

    /// Returns the name: `pm`, `min`, `sx`, `mmi`, `ccs` or `broja`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pm => "pm",
            Self::Min => "min",
            Self::Sx => "sx",
            Self::Mmi => "mmi",
            Self::Ccs => "ccs",
            Self::Broja => "broja",
        }
    }

    /// Returns whether the measure is defined on the redundancy lattice, see [`lattice`](super::lattice).
    pub fn has_lattice(self) -> bool {
        matches!(self, Self::Pm | Self::Min | Self::Sx)
    }

    /// Decomposes a distribution.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyCells`](super::Error::TooManyCells) if `ccs` or `broja` would need more memory than it may take.
    ///
    /// ```
    /// use lsmi_core::discrete::{Joint, JointMeasure};
    ///
    /// let copy = [(["a", "a"], "a", 0.5), (["b", "b"], "b", 0.5)];
    /// let joint = Joint::from_probabilities(copy)?;
    /// for measure in JointMeasure::ALL {
    ///     let means = measure.decompose(&joint)?.means;
    ///     assert!((means.r - 2.0_f64.ln()).abs() < 1e-8 && means.u1.abs() < 1e-8, "{measure}");
    /// }
    /// # Ok::<(), lsmi_core::discrete::Error>(())
    /// ```
    pub fn decompose(self, joint: &Joint) -> Result<JointDecomposition> {
        Ok(match self {
            Self::Pm => from_redundancies(joint, pm::redundancies),
            Self::Min => from_redundancies(joint, min::redundancies),
            Self::Sx => from_redundancies(joint, sx::redundancies),
            Self::Mmi => from_redundancies(joint, mmi::redundancies),
            Self::Ccs => ccs::decompose(joint)?,
            Self::Broja => broja::decompose(joint)?,
        })
    }
}

impl fmt::Display for JointMeasure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for JointMeasure {
    type Err = crate::Error;

    fn from_str(name: &str) -> crate::Result<Self> {
        from_name("measure", name, &Self::ALL, Self::name)
    }
}

impl Pointwise {
    /// Creates the decomposition of an outcome from its redundancy and informations.
    fn new(outcome: Outcome, probability: f64, r: f64, [i1, i2, i12]: [f64; 3]) -> Self {
        Self { outcome, probability, r, u1: i1 - r, u2: i2 - r, s: i12 - i1 - i2 + r }
    }
}

/// Returns the decomposition that follows from the redundancy of a distribution and its informations.
pub(super) fn means_of(r: f64, Information { i1, i2, i12 }: Information) -> Means {
    Means { r, u1: i1 - r, u2: i2 - r, s: i12 - i1 - i2 + r }
}

/// Returns the decomposition that follows from the redundancy of every outcome, in their order.
fn from_redundancies(joint: &Joint, redundancies: fn(&Joint, &Terms) -> Vec<f64>) -> JointDecomposition {
    let terms = joint.terms();
    let r = redundancies(joint, &terms);
    let pointwise: Vec<Pointwise> = (0..r.len())
        .map(|row| {
            let informations = [terms.i1[row], terms.i2[row], terms.i12[row]];
            Pointwise::new(joint.outcomes()[row], joint.probabilities()[row], r[row], informations)
        })
        .collect();
    let mean = |value: fn(&Pointwise) -> f64| joint.mean(pointwise.iter().map(value));
    let means = Means { r: mean(|p| p.r), u1: mean(|p| p.u1), u2: mean(|p| p.u2), s: mean(|p| p.s) };
    JointDecomposition { means, pointwise: Some(pointwise), convergence: None, certificate: None }
}
