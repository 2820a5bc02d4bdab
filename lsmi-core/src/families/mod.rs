//! Families of data with a known density, whose terms are therefore exact.
//!
//! They test estimators: draw samples, estimate their terms and compare them with the exact ones. All densities
//! are in the raw coordinates of the draw, in nats, and the class prior is the true one.
//!
//! | family | data |
//! |---|---|
//! | `xor`, `or`, `and` | fair bits b1 and b2, y the gate of both |
//! | `copy1` | fair bits b1 and b2, y = b1 |
//! | `rdn` | one fair bit: b1 = b2 = y |
//! | `mixed` | y is an exclusive or in one half of the data and a copy of modality 2 in the other ([`Mixed`]) |
//! | `groups` | five groups, each of one kind: redundant, unique, synergistic, none ([`Groups`]) |
//! | `gauss` | one-hot class vectors with noise that is correlated between the modalities ([`Gauss`]) |
//!
//! [`FamilyName::build`] makes a family from [`Settings`]; [`Gate`], [`Mixed`], [`Groups`], [`Gauss`] and [`Mixture`]
//! take all parameters.
//!
//! These have two modalities. [`TableName`] names tables of three discrete sources, which [`Rendering`] turns into
//! modalities, as any table of two to eight sources; their terms are those of every subset of the modalities.
//!
//! ```
//! use lsmi_core::{FamilyName, Measure, Settings, random::stream};
//!
//! let family = FamilyName::Xor.build(&Settings::default())?;
//! let draw = family.sample(1000, &mut stream(0, "example"));
//! let means = Measure::Pm.decompose(&family.terms(&draw)?, &draw.labels).means();
//! assert!(means.r.abs() < 1e-9 && (means.s - 2.0_f64.ln()).abs() < 0.01);
//! # Ok::<(), lsmi_core::Error>(())
//! ```

mod continuous;
mod directions;
mod gauss;
mod groups;
mod logic_gate;
mod mixed;
mod mixture;
mod rendering;
mod settings;
mod table;

use std::{
    fmt::{self, Debug},
    str::FromStr,
};

use serde::{Deserialize, Serialize};

pub use continuous::{ContinuousDraw, ContinuousFamily};
pub use gauss::Gauss;
pub use groups::Groups;
pub use logic_gate::Gate;
pub use mixed::Mixed;
pub use mixture::{Cell, Mixture};
pub use rendering::{RenderedDraw, Rendering, TableState};
pub use settings::Settings;
pub use table::TableName;

use crate::{
    error::{Error, Result, check_length, from_name},
    random::ChaCha8Rng,
    terms::Terms,
};

/// Samples drawn from a family.
#[derive(Debug, Clone, PartialEq)]
pub struct Draw {
    /// Modality 1, n rows of `dims.0` values, row after row.
    pub x1: Vec<f64>,
    /// Modality 2, n rows of `dims.1` values, row after row.
    pub x2: Vec<f64>,
    /// The class of each of the n samples, from 0.
    pub labels: Vec<u32>,
    /// The number of values in a row of each modality.
    pub dims: (usize, usize),
    /// The number of classes.
    pub classes: usize,
    /// The number of the group of each sample, from 0, where the family has groups ([`Groups`]).
    pub groups: Option<Vec<u32>>,
}

/// A joint distribution of two modalities and a label that is known exactly.
pub trait Family: Debug + Send + Sync {
    /// Returns the number of values in a row of each modality.
    fn dims(&self) -> (usize, usize);

    /// Returns the number of classes.
    fn classes(&self) -> usize;

    /// Draws n independent samples.
    fn sample(&self, n: usize, rng: &mut ChaCha8Rng) -> Draw;

    /// Returns the exact terms of samples, in nats, keyed by their row numbers.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if the arrays of the draw do not fit the dimensions of the family, [`Error::Label`] if a label
    /// is no class of it, [`Error::NotFinite`] if a value of the draw is not finite.
    fn terms(&self, draw: &Draw) -> Result<Terms>;
}

/// The name of a family; read and written as `xor`, `or`, `and`, `copy1`, `rdn`, `mixed`, `groups` and `gauss`.
///
/// ```
/// use lsmi_core::FamilyName;
///
/// assert_eq!("rdn".parse::<FamilyName>()?, FamilyName::Rdn);
/// assert_eq!(FamilyName::Copy1.to_string(), "copy1");
/// # Ok::<(), lsmi_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FamilyName {
    /// Exclusive or of two fair bits.
    Xor,
    /// Or of two fair bits.
    Or,
    /// And of two fair bits.
    And,
    /// The bit of modality 1; modality 2 carries a bit of its own.
    Copy1,
    /// One fair bit, in both modalities.
    Rdn,
    /// Synergy in one half of the data, uniqueness of modality 2 in the other.
    Mixed,
    /// Five groups, each of one kind.
    Groups,
    /// One-hot class vectors with correlated Gaussian noise.
    Gauss,
}

impl FamilyName {
    /// All families.
    pub const ALL: [Self; 8] =
        [Self::Xor, Self::Or, Self::And, Self::Copy1, Self::Rdn, Self::Mixed, Self::Groups, Self::Gauss];

    /// Returns the name, as it is read and written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Xor => "xor",
            Self::Or => "or",
            Self::And => "and",
            Self::Copy1 => "copy1",
            Self::Rdn => "rdn",
            Self::Mixed => "mixed",
            Self::Groups => "groups",
            Self::Gauss => "gauss",
        }
    }
}

impl fmt::Display for FamilyName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for FamilyName {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        from_name("family", name, &Self::ALL, Self::name)
    }
}

/// Checks that a draw has the shape and the classes of a family.
fn check_draw(draw: &Draw, dims: (usize, usize), classes: usize) -> Result<()> {
    let n = draw.labels.len();
    check_length("x1", n * dims.0, draw.x1.len())?;
    check_length("x2", n * dims.1, draw.x2.len())?;
    match draw.labels.iter().position(|&label| label as usize >= classes) {
        Some(row) => Err(Error::Label { row, found: draw.labels[row], classes }),
        None => Ok(()),
    }
}

/// Returns `log(2 pi variance) / 2`, which every coordinate adds to the surprisal of a Gaussian besides its residual.
fn log_scale(deviation: f64) -> f64 {
    deviation.ln() + (2.0 * std::f64::consts::PI).ln() / 2.0
}
