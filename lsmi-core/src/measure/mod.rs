//! Measures: definitions of the redundancy of a sample.
//!
//! Given the redundancy r, the other components follow: `u_m = i_m - r` and `s = i_12 - i_1 - i_2 + r`. A measure is
//! therefore one function of the terms of a sample, in a file of its own beside this one.
//!
//! | measure | redundancy | needs surprisals |
//! |---|---|---|
//! | [`pm`] | the lower surprisal, less the lower surprisal once the label is known | yes |
//! | [`sx`] | the same with smooth minima: both modalities count by their densities | yes |
//! | [`mmi`] | the information of the modality with less information on average | no |
//! | [`ccs`] | the information both modalities agree on, where all signs agree | no |
//! | [`min`] | the information of the modality with less information on average about the sample's class | no |
//!
//! [`mmi`] and [`min`] also need a [`Reference`] to all data, so that new samples are judged as the training data were and
//! never by the batch in which they happen to come.
//!
//! ```
//! use lsmi_core::{Measure, SampleIds, Terms};
//!
//! // Modality 1 carries one nat about the label, modality 2 nothing.
//! let terms = Terms::new(SampleIds::rows(1), vec![0.5], vec![2.5], vec![1.0], vec![0.0], vec![1.0])?;
//! for measure in Measure::ALL {
//!     let parts = measure.decompose(&terms, &[0]);
//!     assert!((parts.r[0] + parts.u1[0] - 1.0).abs() < 1e-12, "{measure}");
//! }
//! # Ok::<(), lsmi_core::Error>(())
//! ```

pub mod ccs;
pub mod min;
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

/// A definition of redundancy; read and written as `pm`, `sx`, `mmi`, `ccs` and `min`.
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
    /// Minimum specific information, see [`min`].
    Min,
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

impl Modality {
    /// Returns the modality with the lower of two values; modality 1 if they are equal.
    pub(crate) fn with_lower(one: f64, two: f64) -> Self {
        if two < one { Self::Two } else { Self::One }
    }
}

/// What a measure has to know about the whole data set.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reference {
    /// The modality with the lower mean pointwise mutual information; modality 1 if the means are equal.
    pub weaker: Modality,
    /// The weaker modality among the samples of each class. A class that is not listed takes `weaker`, and so does one
    /// without samples; references written before there was this field read as an empty list.
    #[serde(default)]
    pub weaker_of_class: Vec<Modality>,
}

impl Reference {
    /// Returns the modality with less information on average about a class.
    ///
    /// ```
    /// use lsmi_core::{Modality, Reference};
    ///
    /// let reference = Reference { weaker: Modality::One, weaker_of_class: vec![Modality::Two] };
    /// assert_eq!(reference.weaker_of(0), Modality::Two);
    /// assert_eq!(reference.weaker_of(1), Modality::One);
    /// ```
    pub fn weaker_of(&self, class: u32) -> Modality {
        self.weaker_of_class.get(class as usize).copied().unwrap_or(self.weaker)
    }
}

impl Measure {
    /// All measures.
    pub const ALL: [Self; 5] = [Self::Pm, Self::Sx, Self::Mmi, Self::Ccs, Self::Min];

    /// Returns the name: `pm`, `sx`, `mmi`, `ccs` or `min`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pm => "pm",
            Self::Sx => "sx",
            Self::Mmi => "mmi",
            Self::Ccs => "ccs",
            Self::Min => "min",
        }
    }

    /// Computes what the measure has to know about the data set with these terms; `labels` are the classes of its
    /// samples, in the same order, numbered from 0 to below `classes`.
    ///
    /// The same for every measure, so that a stored reference serves whichever measure is asked for later.
    ///
    /// # Panics
    ///
    /// If there is not one label a sample, or a label is not below `classes`.
    pub fn reference(self, terms: &Terms, labels: &[u32], classes: usize) -> Reference {
        check_labels(terms, labels);
        let means = terms.means();
        let weaker = Modality::with_lower(means.i1, means.i2);
        Reference { weaker, weaker_of_class: min::weaker_of_class(terms, labels, classes, weaker) }
    }

    /// Returns the decomposition of samples that are a data set of their own; `labels` are their classes, numbered from
    /// 0.
    ///
    /// ```
    /// use lsmi_core::{Measure, SampleIds, Terms};
    ///
    /// let zeros = vec![0.0; 4];
    /// let (i1, i2) = (vec![0.5, 0.5, 0.25, 0.25], vec![0.0, 0.25, 0.5, 0.5]);
    /// let terms = Terms::new(SampleIds::rows(4), zeros.clone(), zeros.clone(), i1, i2, zeros)?;
    /// // Modality 2 tells less about class 0, modality 1 about class 1.
    /// assert_eq!(Measure::Min.decompose(&terms, &[0, 0, 1, 1]).r, [0.0, 0.25, 0.25, 0.25]);
    /// # Ok::<(), lsmi_core::Error>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If there is not one label a sample.
    pub fn decompose(self, terms: &Terms, labels: &[u32]) -> Decomposition {
        let classes = labels.iter().max().map_or(0, |&highest| highest as usize + 1);
        self.decompose_with(terms, labels, &self.reference(terms, labels, classes))
    }

    /// Decomposes samples by the reference of another data set, usually the training data; `labels` are the samples'
    /// own classes, numbered as those of `reference`.
    ///
    /// # Panics
    ///
    /// If there is not one label a sample, or an array of `terms` was shortened after its making.
    pub fn decompose_with(self, terms: &Terms, labels: &[u32], reference: &Reference) -> Decomposition {
        let mut parts = Decomposition::default();
        self.decompose_into(terms, labels, reference, &mut parts);
        parts
    }

    /// Does the same as [`Self::decompose_with`] in the memory of `parts`, whose former values are dropped: for batch
    /// after batch of samples, as most of the time of a decomposition goes into obtaining memory for it.
    ///
    /// ```
    /// use lsmi_core::{Decomposition, Measure, SampleIds, Terms};
    ///
    /// let of_batch = |value: f64| {
    ///     let values = vec![value; 2];
    ///     Terms::new(SampleIds::rows(2), values.clone(), values.clone(), values.clone(), values.clone(), values)
    /// };
    /// let reference = Measure::Ccs.reference(&of_batch(0.0)?, &[0, 1], 2);
    /// let mut parts = Decomposition::default();
    /// for value in [0.25, 0.5] {
    ///     Measure::Ccs.decompose_into(&of_batch(value)?, &[0, 1], &reference, &mut parts);
    ///     assert_eq!(parts.r, [value, value]);
    /// }
    /// # Ok::<(), lsmi_core::Error>(())
    /// ```
    ///
    /// # Panics
    ///
    /// As [`Self::decompose_with`] does.
    pub fn decompose_into(self, terms: &Terms, labels: &[u32], reference: &Reference, parts: &mut Decomposition) {
        check_labels(terms, labels);
        match self {
            Self::Pm => decompose(terms, labels, parts, |t| pm::redundancy(t.h1, t.h2, t.i1, t.i2)),
            Self::Sx => decompose(terms, labels, parts, |t| sx::redundancy(t.h1, t.h2, t.i1, t.i2)),
            Self::Mmi => decompose(terms, labels, parts, |t| mmi::redundancy(t.i1, t.i2, reference.weaker)),
            Self::Ccs => {
                let redundancy = |t: &Sample| ccs::redundancy(t.i1, t.i2, t.i12);
                decompose_by(terms, labels, parts, redundancy, ccs::uniqueness, ccs::synergy);
            }
            Self::Min => {
                decompose(terms, labels, parts, |t| min::redundancy(t.i1, t.i2, reference.weaker_of(t.label)));
            }
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

/// Samples decomposed at a time, so few that their values stay in the cache from one column to the next.
const BLOCK: usize = 1024;

/// The terms of one sample, and its class.
struct Sample {
    h1: f64,
    h2: f64,
    i1: f64,
    i2: f64,
    i12: f64,
    label: u32,
}

fn check_labels(terms: &Terms, labels: &[u32]) {
    assert!(labels.len() == terms.len(), "{} labels of {} samples; give every sample one", labels.len(), terms.len());
}

/// Returns the decomposition that follows from a redundancy.
fn decompose(terms: &Terms, labels: &[u32], parts: &mut Decomposition, redundancy: impl Fn(&Sample) -> f64) {
    decompose_by(terms, labels, parts, redundancy, |own, _, _, r| own - r, |i1, i2, i12, r| i12 - i1 - i2 + r);
}

/// Decomposes by other arithmetic for the remaining components: `uniqueness` takes a modality's own information, the
/// other's, `i12` and r, and `synergy` takes i1, i2, `i12` and r.
fn decompose_by(
    terms: &Terms,
    labels: &[u32],
    parts: &mut Decomposition,
    redundancy: impl Fn(&Sample) -> f64,
    uniqueness: impl Fn(f64, f64, f64, f64) -> f64,
    synergy: impl Fn(f64, f64, f64, f64) -> f64,
) {
    let n = terms.len();
    let Decomposition { ids, r, u1, u2, s } = parts;
    ids.clone_from(&terms.ids);
    for column in [&mut *r, u1, u2, s] {
        column.clear();
        column.reserve_exact(n);
    }
    for start in (0..n).step_by(BLOCK) {
        let rows = start..n.min(start + BLOCK);
        let [h1, h2, i1, i2, i12] =
            [&terms.h1, &terms.h2, &terms.i1, &terms.i2, &terms.i12].map(|term| &term[rows.clone()]);
        // Zipped and not indexed, the compiler decomposes several samples in one instruction.
        let samples = h1.iter().zip(h2).zip(i1.iter().zip(i2)).zip(i12.iter().zip(&labels[rows]));
        r.extend(
            samples
                .map(|(((&h1, &h2), (&i1, &i2)), (&i12, &label))| redundancy(&Sample { h1, h2, i1, i2, i12, label })),
        );
        let r = &r[start..];
        let known = || i1.iter().zip(i2).zip(i12.iter().zip(r));
        u1.extend(known().map(|((i1, i2), (i12, r))| uniqueness(*i1, *i2, *i12, *r)));
        u2.extend(known().map(|((i1, i2), (i12, r))| uniqueness(*i2, *i1, *i12, *r)));
        s.extend(known().map(|((i1, i2), (i12, r))| synergy(*i1, *i2, *i12, *r)));
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;
    use crate::ids::SampleIds;

    #[test]
    fn every_measure_is_read_as_it_is_written() {
        for measure in Measure::ALL {
            assert_eq!(measure.to_string().parse::<Measure>().unwrap(), measure);
            assert_eq!(serde_json::to_string(&measure).unwrap(), format!("\"{measure}\""));
        }
        let error = "PM".parse::<Measure>().unwrap_err();
        assert_eq!(error.to_string(), "`PM` is no measure; use one of pm, sx, mmi, ccs, min");
    }

    fn terms(i1: &[f64], i2: &[f64]) -> Terms {
        let zeros = vec![0.0; i1.len()];
        let (i1, i2) = (i1.to_vec(), i2.to_vec());
        Terms::new(SampleIds::rows(i1.len()), zeros.clone(), zeros.clone(), i1, i2, zeros).unwrap()
    }

    #[test]
    fn new_samples_are_judged_by_the_reference_and_not_by_their_batch() {
        let training = terms(&[0.5, 0.5], &[0.25, 0.25]);
        let batch = terms(&[0.125], &[0.75]);
        for measure in [Measure::Mmi, Measure::Min] {
            let reference = measure.reference(&training, &[0, 0], 1);
            assert_eq!(reference, Reference { weaker: Modality::Two, weaker_of_class: vec![Modality::Two] });
            assert_eq!(measure.decompose_with(&batch, &[0], &reference).r, [0.75]);
            assert_eq!(measure.decompose(&batch, &[0]).r, [0.125]);
        }
    }

    #[test]
    fn equal_means_make_modality_one_the_weaker() {
        let reference = Measure::Mmi.reference(&terms(&[1.0, 0.0], &[0.0, 1.0]), &[0, 0], 1);
        assert_eq!(reference, Reference { weaker: Modality::One, weaker_of_class: vec![Modality::One] });
    }

    #[test]
    fn every_class_has_its_own_weaker_modality() {
        let terms = terms(&[0.5, 0.25, 0.75], &[0.25, 0.5, 0.125]);
        let labels = [0, 2, 0];
        let reference = Measure::Min.reference(&terms, &labels, 4);
        // Modality 2 tells less on the whole; nothing else is known of the classes 1 and 3.
        assert_eq!(reference.weaker_of_class, [Modality::Two, Modality::Two, Modality::One, Modality::Two]);
        assert_eq!(Measure::Min.decompose(&terms, &labels).r, [0.25, 0.25, 0.125]);
        assert_eq!(Measure::Mmi.decompose(&terms, &labels).r, [0.25, 0.5, 0.125]);
    }

    #[test]
    fn a_reference_without_classes_takes_the_weaker_modality_for_all() {
        let reference: Reference = serde_json::from_str(r#"{"weaker":"two"}"#).unwrap();
        assert_eq!(reference, Reference { weaker: Modality::Two, weaker_of_class: Vec::new() });
        let terms = terms(&[0.5, 0.25], &[0.25, 0.5]);
        assert_eq!(Measure::Min.decompose_with(&terms, &[0, 1], &reference).r, terms.i2);

        let whole = Measure::Min.reference(&terms, &[0, 1], 2);
        let json = serde_json::to_string(&whole).unwrap();
        assert_eq!(json, r#"{"weaker":"one","weaker_of_class":["two","one"]}"#);
        assert_eq!(serde_json::from_str::<Reference>(&json).unwrap(), whole);
    }

    #[test]
    fn every_sample_follows_from_its_own_terms_in_memory_that_serves_again() {
        // Several blocks of samples and one that is not full.
        let n = 2 * BLOCK + 100;
        let mut random = crate::random::stream(0, "decomposition test");
        let mut column = || -> Vec<f64> { (0..n).map(|_| random.random_range(-1.0..3.0)).collect() };
        let terms = Terms::new(SampleIds::rows(n), column(), column(), column(), column(), column()).unwrap();
        let labels: Vec<u32> = (0..3).cycle().take(n).collect();
        let mut parts = Decomposition::default();
        for measure in Measure::ALL {
            let reference = measure.reference(&terms, &labels, 3);
            measure.decompose_into(&terms, &labels, &reference, &mut parts);
            assert_eq!(parts, measure.decompose(&terms, &labels));
            for (row, &label) in labels.iter().enumerate() {
                let (h1, h2) = (terms.h1[row], terms.h2[row]);
                let (i1, i2, i12) = (terms.i1[row], terms.i2[row], terms.i12[row]);
                let r = match measure {
                    Measure::Pm => pm::redundancy(h1, h2, i1, i2),
                    Measure::Sx => sx::redundancy(h1, h2, i1, i2),
                    Measure::Mmi => mmi::redundancy(i1, i2, reference.weaker),
                    Measure::Ccs => ccs::redundancy(i1, i2, i12),
                    Measure::Min => min::redundancy(i1, i2, reference.weaker_of(label)),
                };
                let found = [parts.r[row], parts.u1[row], parts.u2[row], parts.s[row]];
                let expected = match measure {
                    Measure::Ccs => ccs::parts(i1, i2, i12),
                    _ => [r, i1 - r, i2 - r, i12 - i1 - i2 + r],
                };
                assert_eq!(found, expected, "{measure}, row {row}");
            }
        }
        let few = terms.select(&[5, 3]);
        Measure::Ccs.decompose_into(&few, &[2, 0], &Measure::Ccs.reference(&few, &[2, 0], 3), &mut parts);
        assert_eq!(parts, Measure::Ccs.decompose(&few, &[2, 0]));
    }

    #[test]
    #[should_panic(expected = "1 labels of 2 samples")]
    fn a_missing_label_is_no_class() {
        Measure::Min.decompose(&terms(&[0.0, 0.0], &[0.0, 0.0]), &[0]);
    }
}
