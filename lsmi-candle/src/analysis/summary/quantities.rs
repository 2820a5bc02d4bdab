//! The seven quantities of a sample, i1, i2, i12 and r, u1, u2, s: one value of any type for each, and their columns.

use lsmi_core::Means;
use lsmi_core::statistics::{mean, standard_deviation};
use serde::{Deserialize, Serialize};

use crate::samples::scored::{ScoredSplit, columns};

/// What the modalities tell about the label.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Information<T = f64> {
    /// I(x1; y).
    pub i1: T,
    /// I(x2; y).
    pub i2: T,
    /// I(x1, x2; y).
    pub i12: T,
}

/// The parts that it is decomposed into.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Parts<T> {
    /// Redundancy.
    pub r: T,
    /// Uniqueness of x1.
    pub u1: T,
    /// Uniqueness of x2.
    pub u2: T,
    /// Synergy.
    pub s: T,
}

/// All seven, as fields of one object.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Quantities<T> {
    /// i1, i2 and i12.
    #[serde(flatten)]
    pub information: Information<T>,
    /// r, u1, u2 and s.
    #[serde(flatten)]
    pub parts: Parts<T>,
}

impl<T> From<[T; 7]> for Quantities<T> {
    fn from([i1, i2, i12, r, u1, u2, s]: [T; 7]) -> Self {
        Self { information: Information { i1, i2, i12 }, parts: Parts { r, u1, u2, s } }
    }
}

impl From<Parts<f64>> for Means {
    fn from(Parts { r, u1, u2, s }: Parts<f64>) -> Self {
        Self { r, u1, u2, s }
    }
}

/// One value for each head.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Heads<T = f64> {
    /// The head that sees x1.
    pub x1: T,
    /// The head that sees x2.
    pub x2: T,
    /// The head that sees both.
    pub joint: T,
}

impl<T> From<[T; 3]> for Heads<T> {
    fn from([x1, x2, joint]: [T; 3]) -> Self {
        Self { x1, x2, joint }
    }
}

/// The seven quantities of some samples of a split.
#[derive(Debug)]
pub(in crate::analysis) struct Columns {
    /// The value of every sample.
    pub(in crate::analysis) values: [Vec<f64>; 7],
    /// The variance that the mean has because of the fit alone: that over repeats, divided by their number, as the
    /// values are of all repeats together. None where there is one repeat, which cannot tell.
    pub(in crate::analysis) variance_of_fit: Option<[f64; 7]>,
    /// The number of each sample's group, where some belong together.
    pub(in crate::analysis) groups: Option<Vec<u32>>,
    /// What the mean is believed to fall short of that of the distribution.
    pub(in crate::analysis) shortfall: [f64; 7],
}

impl Columns {
    /// The columns of the samples in these rows of the split, whose means fall short by `shortfall`.
    pub(super) fn new(split: &ScoredSplit, rows: &[usize], shortfall: [f64; 7]) -> Self {
        let select = |values: &[f64]| rows.iter().map(|row| values[*row]).collect::<Vec<_>>();
        let values = columns(&split.scores.terms, &split.decomposition).map(select);
        let repeats = split.scores.repeats.iter().zip(&split.repeats);
        let means_of_repeats: Vec<[f64; 7]> =
            repeats.map(|(terms, parts)| columns(terms, parts).map(|values| mean(&select(values)))).collect();
        let variance_of_fit = (means_of_repeats.len() > 1).then(|| {
            std::array::from_fn(|column| {
                let means: Vec<f64> = means_of_repeats.iter().map(|means| means[column]).collect();
                standard_deviation(&means).powi(2) / means.len() as f64
            })
        });
        let groups = split.scores.groups.as_ref().map(|groups| rows.iter().map(|row| groups[*row]).collect());
        Self { values, variance_of_fit, groups, shortfall }
    }

    /// The means over the samples.
    pub(super) fn means(&self) -> Quantities<f64> {
        self.values.each_ref().map(|values| mean(values)).into()
    }
}
