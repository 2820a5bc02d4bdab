//! The decomposition of every sample's information about the label into redundancy, uniqueness and synergy.
//!
//! ```
//! use lsmi_core::{Interaction, Measure, SampleIds, Terms};
//!
//! // Both modalities carry the same half of a nat.
//! let terms = Terms::new(SampleIds::rows(1), vec![1.0], vec![1.0], vec![0.5], vec![0.5], vec![0.5])?;
//! let parts = Measure::Pm.decompose(&terms, &[0]);
//! assert_eq!(parts.values(Interaction::Redundancy), [0.5]);
//! assert_eq!(parts.means().s, 0.0);
//! # Ok::<(), lsmi_core::Error>(())
//! ```

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result, from_name},
    ids::SampleIds,
    statistics::mean,
};

/// Redundancy, uniqueness and synergy of `n` samples, in nats; every array has `n` values, in the order of the ids.
///
/// The values are raw: no shift has been added, and any of them may be negative.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decomposition {
    /// The ids of the samples.
    pub ids: SampleIds,
    /// Redundancy: information about the label that both modalities carry.
    pub r: Vec<f64>,
    /// Uniqueness of modality 1: information that it carries alone.
    pub u1: Vec<f64>,
    /// Uniqueness of modality 2: information that it carries alone.
    pub u2: Vec<f64>,
    /// Synergy: information that only both together carry.
    pub s: Vec<f64>,
}

/// The means of a decomposition over all samples, in nats.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Means {
    /// Mean redundancy.
    pub r: f64,
    /// Mean uniqueness of modality 1.
    pub u1: f64,
    /// Mean uniqueness of modality 2.
    pub u2: f64,
    /// Mean synergy.
    pub s: f64,
}

/// One component of a decomposition; read and written as `r`, `u1`, `u2` and `s`.
///
/// ```
/// use lsmi_core::Interaction;
///
/// assert_eq!("u1".parse::<Interaction>()?, Interaction::Unique1);
/// assert_eq!(Interaction::Synergy.to_string(), "s");
/// # Ok::<(), lsmi_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Interaction {
    /// Redundancy, `r`.
    #[serde(rename = "r")]
    Redundancy,
    /// Uniqueness of modality 1, `u1`.
    #[serde(rename = "u1")]
    Unique1,
    /// Uniqueness of modality 2, `u2`.
    #[serde(rename = "u2")]
    Unique2,
    /// Synergy, `s`.
    #[serde(rename = "s")]
    Synergy,
}

impl Decomposition {
    /// Returns the number of samples.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Returns whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Returns the means over all samples; NaN without samples.
    pub fn means(&self) -> Means {
        Means { r: mean(&self.r), u1: mean(&self.u1), u2: mean(&self.u2), s: mean(&self.s) }
    }

    /// Returns the values of one component, in the order of the ids.
    pub fn values(&self, interaction: Interaction) -> &[f64] {
        match interaction {
            Interaction::Redundancy => &self.r,
            Interaction::Unique1 => &self.u1,
            Interaction::Unique2 => &self.u2,
            Interaction::Synergy => &self.s,
        }
    }
}

impl Interaction {
    /// All components, in the order r, u1, u2, s.
    pub const ALL: [Self; 4] = [Self::Redundancy, Self::Unique1, Self::Unique2, Self::Synergy];

    /// Returns the name: `r`, `u1`, `u2` or `s`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Redundancy => "r",
            Self::Unique1 => "u1",
            Self::Unique2 => "u2",
            Self::Synergy => "s",
        }
    }
}

impl fmt::Display for Interaction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Interaction {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        from_name("interaction", name, &Self::ALL, Self::name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_component_is_read_as_it_is_written() {
        let parts = Decomposition { ids: SampleIds::rows(1), r: vec![1.0], u1: vec![2.0], u2: vec![3.0], s: vec![4.0] };
        for (interaction, value) in Interaction::ALL.into_iter().zip([1.0, 2.0, 3.0, 4.0]) {
            assert_eq!(interaction.to_string().parse::<Interaction>().unwrap(), interaction);
            let json = serde_json::to_string(&interaction).unwrap();
            assert_eq!(json, format!("\"{interaction}\""));
            assert_eq!(parts.values(interaction), [value]);
        }
        assert_eq!(parts.means(), Means { r: 1.0, u1: 2.0, u2: 3.0, s: 4.0 });
    }

    #[test]
    fn an_unknown_component_is_refused_with_the_known_ones() {
        let error = "u3".parse::<Interaction>().unwrap_err();
        assert_eq!(error.to_string(), "`u3` is no interaction; use one of r, u1, u2, s");
    }
}
