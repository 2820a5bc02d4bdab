//! Samples in memory: with labels, without, and borrowed.

pub(crate) mod file;
pub(in crate::features) mod hash;
pub(crate) mod partial;

use std::borrow::Cow;

use lsmi_core::SampleIds;

use self::partial::PartialRows;
use super::groups::Groups;
use crate::numbers::matrix::Matrix;

/// Samples with their labels: row i of everything is the same sample.
///
/// ```
/// use lsmi_candle::features::FeatureSet;
/// use lsmi_candle::numbers::matrix::Matrix;
/// use lsmi_core::SampleIds;
///
/// let (x1, x2) = (Matrix::new(2, 1, vec![0.5, -0.5])?, Matrix::new(2, 2, vec![1.0, 2.0, 3.0, 4.0])?);
/// let samples = FeatureSet::new(SampleIds::from_names(["a", "b"])?, x1.clone(), x2.clone(), vec![0, 1])?;
/// assert_eq!(samples.select(&[1]).x2.values(), [3.0, 4.0]);
/// assert!(FeatureSet::new(SampleIds::rows(3), x1, x2, vec![0, 1]).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureSet {
    /// The ids of the samples, which are distinct.
    pub ids: SampleIds,
    /// The first modality, `[n, d1]`.
    pub x1: Matrix,
    /// The second modality, `[n, d2]`.
    pub x2: Matrix,
    /// The class index of every sample, below [`Classes::len`](super::Classes::len).
    pub labels: Vec<u32>,
    /// Logits of the user's models of x1, x2 and both, `[n, K]`, where there are any; column k is class k.
    pub logits: [Option<Matrix>; 3],
    /// Which samples belong together, where that is known.
    pub groups: Option<Groups>,
}

impl FeatureSet {
    /// Creates samples without logits and without groups.
    ///
    /// # Errors
    /// [`lsmi_core::Error::Length`] if ids, x2 or labels are not one for every row of x1.
    pub fn new(ids: SampleIds, x1: Matrix, x2: Matrix, labels: Vec<u32>) -> lsmi_core::Result<Self> {
        let expected = x1.rows();
        for (array, found) in [("ids", ids.len()), ("x2", x2.rows()), ("labels", labels.len())] {
            if found != expected {
                return Err(lsmi_core::Error::Length { array, expected, found });
            }
        }
        Ok(Self { ids, x1, x2, labels, logits: [None, None, None], groups: None })
    }

    /// Returns the number of samples.
    pub fn rows(&self) -> usize {
        self.labels.len()
    }

    /// Selects samples by index, in the given order.
    ///
    /// # Panics
    /// If an index is not below [`rows`](Self::rows), as indexing a slice does.
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        Self {
            ids: self.ids.select(indices),
            x1: self.x1.select(indices),
            x2: self.x2.select(indices),
            labels: indices.iter().map(|&index| self.labels[index]).collect(),
            logits: select_logits(&self.logits, indices),
            groups: self.groups.as_ref().map(|groups| groups.select(indices)),
        }
    }

    /// Concatenates parts that have the same columns. There is at least one.
    ///
    /// # Errors
    /// [`lsmi_core::Error::DuplicateId`] if two samples have the same id.
    pub(crate) fn joined(parts: &[Self]) -> lsmi_core::Result<Self> {
        let names: Vec<String> = parts.iter().flat_map(|part| part.ids.iter().map(Cow::into_owned)).collect();
        let numbers: Option<Vec<i64>> =
            names.iter().map(|name| name.parse().ok().filter(|number: &i64| number.to_string() == *name)).collect();
        let ids = match numbers {
            Some(numbers) => SampleIds::from_numbers(numbers)?,
            None => SampleIds::from_names(names)?,
        };
        let logits = [0, 1, 2].map(|head| {
            let blocks: Option<Vec<&Matrix>> = parts.iter().map(|part| part.logits[head].as_ref()).collect();
            blocks.map(|blocks| Matrix::joined(&blocks))
        });
        let groups: Option<Vec<&Groups>> = parts.iter().map(|part| part.groups.as_ref()).collect();
        Ok(Self {
            ids,
            x1: Matrix::joined(&parts.iter().map(|part| &part.x1).collect::<Vec<_>>()),
            x2: Matrix::joined(&parts.iter().map(|part| &part.x2).collect::<Vec<_>>()),
            labels: parts.iter().flat_map(|part| &part.labels).copied().collect(),
            logits,
            groups: groups.map(|groups| Groups::concatenated(&groups)),
        })
    }

    /// Borrows the samples without their labels.
    pub fn inputs(&self) -> Inputs<'_> {
        Inputs { ids: &self.ids, x1: &self.x1, x2: &self.x2, logits: self.logits.each_ref().map(Option::as_ref) }
    }

    /// Computes the SHA-256 of shapes, values, labels, ids and logits, in hexadecimal: equal for equal data, whatever
    /// file they came in.
    pub fn hash(&self) -> String {
        hash::of_set(self)
    }

    /// Computes the same of the samples and of the rows of their split that lack a modality, if there are any.
    pub fn hash_with(&self, partial: Option<&PartialRows>) -> String {
        partial.map_or_else(|| self.hash(), |partial| hash::of_set_with_partial(self, partial))
    }
}

/// Samples whose labels are unknown or not to be used: row i of everything is the same sample.
///
/// ```
/// use lsmi_candle::features::Unlabelled;
/// use lsmi_candle::numbers::matrix::Matrix;
/// use lsmi_core::SampleIds;
///
/// let samples = Unlabelled {
///     ids: SampleIds::from_names(["a", "b"])?,
///     x1: Matrix::new(2, 1, vec![0.5, -0.5])?,
///     x2: Matrix::new(2, 2, vec![1.0, 2.0, 3.0, 4.0])?,
///     logits: [None, None, None],
/// };
/// assert_eq!(samples.select(&[1]).inputs().x2.values(), [3.0, 4.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Unlabelled {
    /// The ids of the samples, which are distinct.
    pub ids: SampleIds,
    /// The first modality, `[n, d1]`.
    pub x1: Matrix,
    /// The second modality, `[n, d2]`.
    pub x2: Matrix,
    /// Logits of the user's models of x1, x2 and both, `[n, K]`, where there are any.
    pub logits: [Option<Matrix>; 3],
}

impl Unlabelled {
    /// Returns the number of samples.
    pub fn rows(&self) -> usize {
        self.x1.rows()
    }

    /// Selects samples by index, in the given order.
    ///
    /// # Panics
    /// If an index is not below [`rows`](Self::rows), as indexing a slice does.
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        Self {
            ids: self.ids.select(indices),
            x1: self.x1.select(indices),
            x2: self.x2.select(indices),
            logits: select_logits(&self.logits, indices),
        }
    }

    /// Borrows the samples.
    pub fn inputs(&self) -> Inputs<'_> {
        Inputs { ids: &self.ids, x1: &self.x1, x2: &self.x2, logits: self.logits.each_ref().map(Option::as_ref) }
    }

    /// Computes the SHA-256 of shapes, values, ids and logits, in hexadecimal; never that of a [`FeatureSet`].
    pub fn hash(&self) -> String {
        hash::of_unlabelled(self)
    }
}

/// Drops the labels.
impl From<&FeatureSet> for Unlabelled {
    fn from(features: &FeatureSet) -> Self {
        Self {
            ids: features.ids.clone(),
            x1: features.x1.clone(),
            x2: features.x2.clone(),
            logits: features.logits.clone(),
        }
    }
}

/// The borrowed part that a [`FeatureSet`] and [`Unlabelled`] samples share: row i of everything is the same sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Inputs<'a> {
    /// The ids of the samples.
    pub ids: &'a SampleIds,
    /// The first modality, `[n, d1]`.
    pub x1: &'a Matrix,
    /// The second modality, `[n, d2]`.
    pub x2: &'a Matrix,
    /// Logits of the user's models of x1, x2 and both, `[n, K]`, where there are any.
    pub logits: [Option<&'a Matrix>; 3],
}

impl Inputs<'_> {
    /// Returns the number of samples.
    pub fn rows(&self) -> usize {
        self.x1.rows()
    }
}

fn select_logits(logits: &[Option<Matrix>; 3], indices: &[usize]) -> [Option<Matrix>; 3] {
    logits.each_ref().map(|logits| logits.as_ref().map(|logits| logits.select(indices)))
}
