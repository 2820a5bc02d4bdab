//! Measures: definitions of the redundancy of a sample.
//!
//! Given the redundancy r, the other components follow: `u_m = i_m - r` and `s = i_12 - i_1 - i_2 + r`. A measure is
//! therefore one function of the terms of a sample, in a file of its own beside this one.
//!
//! | measure | redundancy | needs surprisals |
//! |---|---|---|
//! | [`pm`] | the lower surprisal, less the lower surprisal once the label is known | yes |
//! | [`sx`] | the same with smooth minima: both modalities count by their densities | yes |
//! | [`mmi`] | the information of the modality that tells less on average | no |
//! | [`ccs`] | the information both modalities agree on, where all signs agree | no |
//!
//! What [`mmi`] needs beside the sample itself is a [`Reference`] to all data, so that new samples are judged as the
//! training data were and never by the batch they happen to come in.

pub mod ccs;
pub mod mmi;
pub mod pm;
pub mod sx;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    decomposition::Decomposition,
    error::{Error, Result, from_name},
    terms::Terms,
};

/// A definition of redundancy; read and written as `pm`, `sx`, `mmi` and `ccs`.
///
/// ```
/// use lsmi_core::Measure;
///
/// assert_eq!("ccs".parse::<Measure>()?, Measure::Ccs);
/// assert_eq!(Measure::default().to_string(), "pm");
/// # Ok::<(), lsmi_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Measure {
    /// Pointwise specificity and ambiguity, see [`pm`].
    #[default]
    Pm,
    /// Shared exclusions, see [`sx`].
    Sx,
    /// Minimum mutual information, see [`mmi`].
    Mmi,
    /// Common change in surprisal, pointwise, see [`ccs`].
    Ccs,
}

/// One of the two modalities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Modality {
    /// Modality 1.
    One,
    /// Modality 2.
    Two,
}

/// What a measure has to know of the whole data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reference {
    /// The modality with the lower mean pointwise mutual information; modality 1 if the means are equal.
    pub weaker: Modality,
}

impl Measure {
    /// All measures.
    pub const ALL: [Self; 4] = [Self::Pm, Self::Sx, Self::Mmi, Self::Ccs];

    /// The name: `pm`, `sx`, `mmi` or `ccs`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pm => "pm",
            Self::Sx => "sx",
            Self::Mmi => "mmi",
            Self::Ccs => "ccs",
        }
    }

    /// What the measure has to know of the data set that `terms` are the terms of.
    ///
    /// The same for every measure, so that a stored reference serves whichever measure is asked for later.
    pub fn reference(self, terms: &Terms) -> Reference {
        let means = terms.means();
        Reference { weaker: if means.i2 < means.i1 { Modality::Two } else { Modality::One } }
    }

    /// The decomposition of samples that are a data set of their own.
    pub fn decompose(self, terms: &Terms) -> Decomposition {
        self.decompose_with(terms, self.reference(terms))
    }

    /// The decomposition of samples that are judged by another data set, usually the training data.
    ///
    /// # Panics
    ///
    /// If an array of `terms` was shortened after its making.
    pub fn decompose_with(self, terms: &Terms, reference: Reference) -> Decomposition {
        match self {
            Self::Pm => decompose(terms, |t| pm::redundancy(t.h1, t.h2, t.i1, t.i2)),
            Self::Sx => decompose(terms, |t| sx::redundancy(t.h1, t.h2, t.i1, t.i2)),
            Self::Mmi => decompose(terms, |t| mmi::redundancy(t.i1, t.i2, reference.weaker)),
            Self::Ccs => decompose(terms, |t| ccs::redundancy(t.i1, t.i2, t.i12)),
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Measure {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        from_name("measure", name, &Self::ALL, Self::name)
    }
}

/// The terms of one sample.
struct Sample {
    h1: f64,
    h2: f64,
    i1: f64,
    i2: f64,
    i12: f64,
}

/// The decomposition that follows from a redundancy.
fn decompose(terms: &Terms, redundancy: impl Fn(&Sample) -> f64) -> Decomposition {
    let n = terms.len();
    let (h1, h2) = (&terms.h1[..n], &terms.h2[..n]);
    let (i1, i2, i12) = (&terms.i1[..n], &terms.i2[..n], &terms.i12[..n]);
    // Slices cut to one length, here and below, let the compiler drop the bounds checks.
    let r: Vec<f64> = (0..n)
        .map(|row| redundancy(&Sample { h1: h1[row], h2: h2[row], i1: i1[row], i2: i2[row], i12: i12[row] }))
        .collect();
    let unique = |i: &[f64]| i.iter().zip(&r).map(|(i, r)| i - r).collect();
    let (u1, u2) = (unique(i1), unique(i2));
    let s = (0..n).zip(&r).map(|(row, r)| i12[row] - i1[row] - i2[row] + r).collect();
    Decomposition { ids: terms.ids.clone(), r, u1, u2, s }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SampleIds;

    #[test]
    fn every_measure_is_read_as_it_is_written() {
        for measure in Measure::ALL {
            assert_eq!(measure.to_string().parse::<Measure>().unwrap(), measure);
            assert_eq!(serde_json::to_string(&measure).unwrap(), format!("\"{measure}\""));
        }
        let error = "PM".parse::<Measure>().unwrap_err();
        assert_eq!(error.to_string(), "`PM` is no measure; use one of pm, sx, mmi, ccs");
    }

    #[test]
    fn new_samples_are_judged_by_the_reference_and_not_by_their_batch() {
        let terms = |i1: &[f64], i2: &[f64]| {
            let zeros = vec![0.0; i1.len()];
            let (i1, i2) = (i1.to_vec(), i2.to_vec());
            Terms::new(SampleIds::rows(i1.len()), zeros.clone(), zeros.clone(), i1, i2, zeros).unwrap()
        };
        let training = terms(&[0.5, 0.5], &[0.25, 0.25]);
        let batch = terms(&[0.125], &[0.75]);
        let reference = Measure::Mmi.reference(&training);
        assert_eq!(reference.weaker, Modality::Two);
        assert_eq!(Measure::Mmi.decompose_with(&batch, reference).r, [0.75]);
        assert_eq!(Measure::Mmi.decompose(&batch).r, [0.125]);
    }

    #[test]
    fn equal_means_make_modality_one_the_weaker() {
        let zeros = || vec![0.0, 0.0];
        let (i1, i2) = (vec![1.0, 0.0], vec![0.0, 1.0]);
        let terms = Terms::new(SampleIds::rows(2), zeros(), zeros(), i1, i2, zeros()).unwrap();
        assert_eq!(Measure::Mmi.reference(&terms).weaker, Modality::One);
    }
}
