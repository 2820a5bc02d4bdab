//! Samples with continuous targets in the place of a label.

use lsmi_core::SampleIds;
use sha2::{Digest, Sha256};

use super::groups::Groups;
use super::set::{FeatureSet, Inputs};
use crate::files::hexadecimal;
use crate::numbers::matrix::Matrix;

/// Ranges of a target's values that folds are dealt by, at most.
const RANGES: usize = 10;

/// Samples with their targets: row i of everything is the same sample.
///
/// ```
/// use lsmi_candle::features::TargetSet;
/// use lsmi_candle::numbers::matrix::Matrix;
/// use lsmi_core::SampleIds;
///
/// let (x1, x2) = (Matrix::new(2, 1, vec![0.5, -0.5])?, Matrix::new(2, 2, vec![1.0, 2.0, 3.0, 4.0])?);
/// let samples = TargetSet::new(SampleIds::rows(2), x1, x2, Matrix::new(2, 1, vec![0.1, 0.7])?)?;
/// assert_eq!(samples.targets().columns(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct TargetSet {
    /// The samples; in the place of classes, the ranges of the first target's values.
    samples: FeatureSet,
    targets: Matrix,
}

impl TargetSet {
    /// Creates samples with targets `[n, L]`, each by itself or in groups as they are found.
    ///
    /// # Errors
    /// [`lsmi_core::Error::Length`] if ids, x2 or targets are not one for every row of x1.
    pub fn new(ids: SampleIds, x1: Matrix, x2: Matrix, targets: Matrix) -> lsmi_core::Result<Self> {
        if targets.rows() != x1.rows() {
            return Err(lsmi_core::Error::Length { array: "targets", expected: x1.rows(), found: targets.rows() });
        }
        let ranges = ranges(&targets);
        Ok(Self { samples: FeatureSet::new(ids, x1, x2, ranges)?, targets })
    }

    /// Returns the samples with the group of every row, which stays whole in folds.
    #[must_use]
    pub fn with_groups(mut self, groups: Option<Groups>) -> Self {
        self.samples.groups = groups;
        self
    }

    /// Returns the number of samples.
    pub fn rows(&self) -> usize {
        self.samples.rows()
    }

    /// Returns the targets, `[n, L]`.
    pub fn targets(&self) -> &Matrix {
        &self.targets
    }

    /// Borrows the samples without their targets.
    pub fn inputs(&self) -> Inputs<'_> {
        self.samples.inputs()
    }

    /// Returns the samples with ranges of the first target in the place of classes, below [`Self::ranges`].
    pub(crate) fn samples(&self) -> &FeatureSet {
        &self.samples
    }

    /// Returns the number of ranges.
    pub(crate) fn ranges(&self) -> usize {
        self.samples.labels.iter().max().map_or(0, |range| *range as usize + 1)
    }

    /// Selects samples by index, in the given order.
    ///
    /// # Panics
    /// If an index is not below [`rows`](Self::rows), as indexing a slice does.
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        Self { samples: self.samples.select(indices), targets: self.targets.select(indices) }
    }

    /// Computes the SHA-256 of the samples and their targets, in hexadecimal.
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new_with_prefix(b"lsmi targets 1");
        hash.update(self.samples.hash());
        hash.update((self.targets.columns() as u64).to_le_bytes());
        for value in self.targets.values() {
            hash.update(value.to_le_bytes());
        }
        hexadecimal(&hash.finalize())
    }
}

/// Returns the range of each row's first target, about as many rows in each; rows of equal targets share one.
fn ranges(targets: &Matrix) -> Vec<u32> {
    let (rows, columns) = (targets.rows(), targets.columns());
    let first: Vec<f64> = targets.values().iter().step_by(columns.max(1)).copied().collect();
    let mut order: Vec<usize> = (0..first.len()).collect();
    order.sort_by(|a, b| first[*a].total_cmp(&first[*b]));
    let mut ranges = vec![0; rows];
    let (mut range, mut last) = (0, None);
    for (place, row) in (0u32..).zip(&order) {
        let wanted = place as usize * RANGES / rows.max(1);
        let before: Option<(f64, usize)> = last;
        if before.is_some_and(|(value, of)| value < first[*row] && of < wanted) {
            range += 1;
            last = Some((first[*row], wanted));
        } else {
            last = Some((first[*row], before.map_or(wanted, |(_, of)| of)));
        }
        ranges[*row] = range;
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_have_about_as_many_rows_and_none_is_left_out() {
        let of = |values: Vec<f64>| ranges(&Matrix::new(values.len(), 1, values).unwrap());
        let even = of((0..50).rev().map(f64::from).collect());
        assert_eq!((even[49], even[0]), (0, 9));
        assert!((0..10).all(|range| even.iter().filter(|found| **found == range).count() == 5));
        let ties = of(vec![1.0, 1.0, 1.0, 1.0, 2.0]);
        assert_eq!(ties, [0, 0, 0, 0, 1]);
    }
}
