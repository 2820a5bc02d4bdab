//! Samples of several modalities in memory, and the file that they were read from.

use std::path::PathBuf;

use lsmi_core::{SampleIds, Subset};

use crate::features::set::hash;
use crate::features::{Classes, FeatureSet, Groups, MetadataColumn, Split};
use crate::numbers::matrix::Matrix;

/// Labelled samples of two modalities or more: row i of everything is the same sample.
///
/// ```
/// use lsmi_candle::features::SeveralSet;
/// use lsmi_candle::numbers::matrix::Matrix;
/// use lsmi_core::SampleIds;
///
/// let modality = |value: f64| Matrix::new(2, 1, vec![value, -value]);
/// let samples = SeveralSet {
///     names: vec!["x1".to_owned(), "x2".to_owned(), "x3".to_owned()],
///     ids: SampleIds::from_names(["a", "b"])?,
///     modalities: vec![modality(0.5)?, modality(1.0)?, modality(2.0)?],
///     labels: vec![0, 1],
///     groups: None,
/// };
/// let pair = samples.pair("13".parse()?).unwrap();
/// assert_eq!(pair.x2.values(), [2.0, -2.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SeveralSet {
    /// The names of the modalities, as the arrays are called.
    pub names: Vec<String>,
    /// The ids of the samples, which are distinct.
    pub ids: SampleIds,
    /// The modalities, `[n, d]` each.
    pub modalities: Vec<Matrix>,
    /// The class index of every sample.
    pub labels: Vec<u32>,
    /// Which samples belong together, where that is known.
    pub groups: Option<Groups>,
}

impl SeveralSet {
    /// Returns the number of samples.
    pub fn rows(&self) -> usize {
        self.labels.len()
    }

    /// Returns the SHA-256 of the samples in hexadecimal, as [`FeatureSet::hash`] does.
    pub fn hash(&self) -> String {
        hash::of_several(self)
    }

    /// Selects samples by index, in the given order.
    ///
    /// # Panics
    /// If an index is not below [`rows`](Self::rows), as indexing a slice does.
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        Self {
            names: self.names.clone(),
            ids: self.ids.select(indices),
            modalities: self.modalities.iter().map(|x| x.select(indices)).collect(),
            labels: indices.iter().map(|&index| self.labels[index]).collect(),
            groups: self.groups.as_ref().map(|groups| groups.select(indices)),
        }
    }

    /// Returns the samples of two of the modalities; `None` if the subset is not of two of them.
    pub fn pair(&self, pair: Subset) -> Option<FeatureSet> {
        let members: Vec<usize> = pair.members().collect();
        let [first, second] = members[..] else { return None };
        Some(FeatureSet {
            ids: self.ids.clone(),
            x1: self.modalities.get(first)?.clone(),
            x2: self.modalities.get(second)?.clone(),
            labels: self.labels.clone(),
            logits: [None, None, None],
            groups: self.groups.clone(),
        })
    }
}

/// All samples of a file of several modalities, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct SeveralFile {
    /// The names of the modalities, as the arrays are called.
    pub names: Vec<String>,
    /// The splits: `train`, `val`, `test`, then others by name. A file without splits has only `train`.
    pub splits: Vec<Split<SeveralSet>>,
    /// The columns of a table that no analysis uses, for every split; empty if there are none.
    pub metadata: Vec<Split<Vec<MetadataColumn>>>,
    /// The classes that the labels of all splits index.
    pub classes: Classes,
    /// Remarks for the user, in sentences.
    pub notes: Vec<String>,
    /// The path it was read from.
    pub path: PathBuf,
}

impl SeveralFile {
    /// Returns the samples of a split.
    pub fn split(&self, name: &str) -> Option<&SeveralSet> {
        self.splits.iter().find(|split| split.name == name).map(|split| &split.features)
    }

    /// Returns the columns carried along with the samples of a split.
    pub fn metadata_of(&self, split: &str) -> &[MetadataColumn] {
        let found = self.metadata.iter().find(|of_split| of_split.name == split);
        found.map(|of_split| &*of_split.features).unwrap_or_default()
    }
}
