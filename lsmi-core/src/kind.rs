//! The kind of a sample: redundant, unique to one modality, synergistic, none of these, conflicting, or hard.
//!
//! The rule takes the decomposition of the measure [`ccs`]: where the kinds of samples are known
//! ([`families::Groups`](crate::families::Groups)), it is the one that gives a sample nothing but the component of its
//! kind. It needs no density:
//!
//! ```text
//! t = SHARE * -log p(y)
//! conflicting   where i1, i2 and i12 are all below -t
//! else the kind of the largest of r, u1, u2, s, if it is at least t and above 0; but hard instead of synergistic where
//!      the class that p(y|x1,x2) finds most probable is not the label
//! else none
//! ```
//!
//! -log p(y), the surprisal of the label under the class prior, is the most that anything can tell about it. A positive s
//! alone does not say that both modalities together tell the label: s is also large where one of them speaks strongly
//! against it and both together do less so.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result, check_length, from_name},
    measure::ccs,
    prior::ClassPrior,
    terms::Terms,
};

/// The kind of a sample; read and written as `redundant`, `unique1`, `unique2`, `synergistic`, `none`, `conflicting` and
/// `hard`.
///
/// ```
/// use lsmi_core::Kind;
///
/// assert_eq!("unique2".parse::<Kind>()?, Kind::Unique2);
/// assert_eq!(Kind::None.to_string(), "none");
/// # Ok::<(), lsmi_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Both modalities carry the same information about the label.
    Redundant,
    /// Modality 1 carries information about the label that modality 2 does not.
    Unique1,
    /// Modality 2 carries information about the label that modality 1 does not.
    Unique2,
    /// Both together carry information that neither carries alone.
    Synergistic,
    /// There is little information about the label.
    None,
    /// Each modality is evidence against the label, and so are both together.
    Conflicting,
    /// Synergy is the largest component, yet both modalities together predict another class than the label.
    Hard,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 7] =
        [Self::Redundant, Self::Unique1, Self::Unique2, Self::Synergistic, Self::None, Self::Conflicting, Self::Hard];

    /// The share of the label's surprisal from which a component counts.
    ///
    /// Chosen by the samples of [`families::Groups`](crate::families::Groups) in 12 dimensions that are of the kind of
    /// their group, 4,000 samples a seed, the worst of the seeds 1 to 3 (`planted`, an example of `lsmi-candle`):
    ///
    /// | share | .05 | .10 | .15 | .20 | .25 | .30 |
    /// |---|---|---|---|---|---|---|
    /// | amplitude 3, exact terms | .997 | .997 | .997 | .997 | .997 | .997 |
    /// | amplitude 3, estimated terms | .806 | .854 | .908 | .940 | .956 | .965 |
    /// | amplitude 1.5, exact terms | .798 | .810 | .815 | .817 | .817 | .814 |
    /// | amplitude 1.5, estimated terms | .667 | .732 | .770 | .790 | .797 | .801 |
    ///
    /// With exact terms a quarter is the best there is, and with estimated ones, whose noise a higher share keeps out, it
    /// is nearly so.
    pub const SHARE: f64 = 0.25;

    /// Returns the name, as it is read and written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Redundant => "redundant",
            Self::Unique1 => "unique1",
            Self::Unique2 => "unique2",
            Self::Synergistic => "synergistic",
            Self::None => "none",
            Self::Conflicting => "conflicting",
            Self::Hard => "hard",
        }
    }

    /// Returns the kind of a sample from its pointwise mutual informations and the surprisal -log p(y) of its label, in
    /// nats, and from whether the label is the class that p(y|x1,x2) finds most probable.
    ///
    /// ```
    /// use lsmi_core::Kind;
    /// use std::f64::consts::LN_2;
    ///
    /// assert_eq!(Kind::of(0.69, 0.68, 0.69, LN_2, true), Kind::Redundant);
    /// assert_eq!(Kind::of(0.01, 0.68, 0.69, LN_2, true), Kind::Unique2);
    /// assert_eq!(Kind::of(-0.01, 0.01, 0.69, LN_2, true), Kind::Synergistic);
    /// assert_eq!(Kind::of(-0.01, 0.01, 0.02, LN_2, true), Kind::None);
    /// // Both together lean towards the label less than the prior does, but modality 1 was far from it.
    /// assert_eq!(Kind::of(-2.00, 0.01, -0.50, LN_2, false), Kind::Hard);
    /// assert_eq!(Kind::of(-0.70, -0.60, -1.50, LN_2, true), Kind::Conflicting);
    /// ```
    pub fn of(i1: f64, i2: f64, i12: f64, label_surprisal: f64, is_predicted: bool) -> Self {
        Self::above(Self::SHARE * label_surprisal, i1, i2, i12, is_predicted)
    }

    /// Returns the kind of a sample if a component counts from `threshold` nats, at least 0.
    ///
    /// Of equal components the first of r, u1, u2, s decides.
    pub fn above(threshold: f64, i1: f64, i2: f64, i12: f64, is_predicted: bool) -> Self {
        if [i1, i2, i12].iter().all(|value| *value < -threshold) {
            return Self::Conflicting;
        }
        let [r, u1, u2, s] = ccs::parts(i1, i2, i12);
        let synergistic = if is_predicted { Self::Synergistic } else { Self::Hard };
        let (mut kind, mut largest) = (Self::Redundant, r);
        for (next, value) in [(Self::Unique1, u1), (Self::Unique2, u2), (synergistic, s)] {
            if value > largest {
                (kind, largest) = (next, value);
            }
        }
        if largest >= threshold && largest > 0.0 { kind } else { Self::None }
    }
}

/// Returns the kind of every sample, in the order of `terms`; `prior` is the class prior that its informations are
/// measured against, `labels` are the classes of the samples, `predictions` those that p(y|x1,x2) finds most probable.
///
/// # Errors
///
/// [`Error::Length`] if there are not one label and one prediction a sample, [`Error::Label`] if a label is no class of
/// the prior.
///
/// ```
/// use lsmi_core::{ClassPrior, Kind, SampleIds, Terms, kind::kinds};
///
/// let (zeros, i1, i12) = (vec![0.0; 2], vec![0.25; 2], vec![0.25; 2]);
/// let terms = Terms::new(SampleIds::rows(2), zeros.clone(), zeros.clone(), i1, zeros, i12)?;
/// let prior = ClassPrior::given(&[0.75, 0.25])?;
/// // A quarter of a nat is much to say about the usual class and little about the rare one.
/// assert_eq!(kinds(&terms, &[0, 1], &[0, 0], &prior)?, [Kind::Unique1, Kind::None]);
/// # Ok::<(), lsmi_core::Error>(())
/// ```
pub fn kinds(terms: &Terms, labels: &[u32], predictions: &[u32], prior: &ClassPrior) -> Result<Vec<Kind>> {
    check_length("labels", terms.len(), labels.len())?;
    check_length("predictions", terms.len(), predictions.len())?;
    let surprisals: Vec<f64> = prior.log_probabilities().iter().map(|log| -log).collect();
    let kind = |(row, &label): (usize, &u32)| {
        let wrong = Error::Label { row, found: label, classes: surprisals.len() };
        let &surprisal = surprisals.get(label as usize).ok_or(wrong)?;
        Ok(Kind::of(terms.i1[row], terms.i2[row], terms.i12[row], surprisal, predictions[row] == label))
    };
    labels.iter().enumerate().map(kind).collect()
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Kind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        from_name("kind", name, &Self::ALL, Self::name)
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::LN_2;

    use super::*;
    use crate::ids::SampleIds;

    #[test]
    fn every_kind_is_read_as_it_is_written() {
        for kind in Kind::ALL {
            assert_eq!(kind.to_string().parse::<Kind>().unwrap(), kind);
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{kind}\""));
        }
        let error = "unique".parse::<Kind>().unwrap_err();
        let known = "redundant, unique1, unique2, synergistic, none, conflicting, hard";
        assert_eq!(error.to_string(), format!("`unique` is no kind; use one of {known}"));
    }

    #[test]
    fn a_component_counts_from_the_threshold() {
        let least = Kind::SHARE * LN_2;
        assert_eq!(Kind::of(least, 0.0, least, LN_2, true), Kind::Unique1);
        assert_eq!(Kind::of(least.next_down(), 0.0, least.next_down(), LN_2, true), Kind::None);
        let below = (-least).next_down();
        assert_eq!(Kind::of(below, below, below, LN_2, true), Kind::Conflicting);
        assert_eq!(Kind::of(-least, below, below, LN_2, true), Kind::None);
    }

    #[test]
    fn equal_components_are_decided_in_order() {
        // r = 1/2 = u1; u1 = u2 = 1; u2 = s = 1.
        assert_eq!(Kind::above(0.0, 1.0, 0.5, 1.0, true), Kind::Redundant);
        assert_eq!(Kind::above(0.0, 1.0, 1.0, 2.0, true), Kind::Unique1);
        assert_eq!(Kind::above(0.0, 0.0, 1.0, 2.0, true), Kind::Unique2);
    }

    #[test]
    fn only_synergy_needs_the_right_prediction() {
        for (i1, i2, i12) in [(0.69, 0.68, 0.69), (0.69, 0.0, 0.69), (0.0, 0.0, 0.0), (-1.0, -1.0, -1.0)] {
            assert_eq!(Kind::of(i1, i2, i12, LN_2, false), Kind::of(i1, i2, i12, LN_2, true));
        }
        assert_eq!(Kind::of(-1.0, 0.0, -0.25, LN_2, true), Kind::Synergistic);
        assert_eq!(Kind::of(-1.0, 0.0, -0.25, LN_2, false), Kind::Hard);
    }

    #[test]
    fn nothing_told_is_no_kind_even_where_nothing_can_be_told() {
        assert_eq!(Kind::of(0.0, 0.0, 0.0, 0.0, true), Kind::None);
        assert_eq!(Kind::of(-1.0, 0.0, -1.0, 0.0, false), Kind::None);
    }

    #[test]
    fn labels_must_fit() {
        let zeros = || vec![0.0; 2];
        let terms = Terms::new(SampleIds::rows(2), zeros(), zeros(), zeros(), zeros(), zeros()).unwrap();
        let prior = ClassPrior::uniform(2).unwrap();
        let error = kinds(&terms, &[0], &[0, 0], &prior).unwrap_err();
        assert_eq!(error, Error::Length { array: "labels", expected: 2, found: 1 });
        let error = kinds(&terms, &[0, 1], &[0], &prior).unwrap_err();
        assert_eq!(error, Error::Length { array: "predictions", expected: 2, found: 1 });
        let error = kinds(&terms, &[0, 2], &[0, 0], &prior).unwrap_err();
        assert_eq!(error, Error::Label { row: 1, found: 2, classes: 2 });
    }
}
