//! A feature file read as a whole: its splits, their classes and what else it holds.

use std::path::PathBuf;

use lsmi_core::SampleIds;

use super::partial::PartialRows;
use super::{FeatureSet, Unlabelled, hash};
use crate::features::columns::metadata::MetadataColumn;
use crate::features::labels::classes::Classes;
use crate::features::labels::matrix::LabelMatrix;

/// A part of a file: training, validation or test data.
#[derive(Debug, Clone, PartialEq)]
pub struct Split<Samples = FeatureSet> {
    /// `train`, `val`, `test`, or whatever suffix the file uses.
    pub name: String,
    /// Its samples.
    pub features: Samples,
}

/// All samples of a file, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureFile {
    /// The splits: `train`, `val`, `test`, then others by name. A file without splits has only `train`.
    pub splits: Vec<Split>,
    /// The rows that lack a modality, of the splits that have such rows. There are none unless
    /// [`Keys::missing_modality`](crate::features::Keys) keeps them.
    pub partial: Vec<Split<PartialRows>>,
    /// The columns of a table that no analysis uses, for every split; empty if there are none.
    pub metadata: Vec<Split<Vec<MetadataColumn>>>,
    /// The classes that the labels of all splits index.
    pub classes: Classes,
    /// Remarks for the user, in sentences: rows left out, labels that look like others.
    pub notes: Vec<String>,
    /// The path it was read from.
    pub path: PathBuf,
}

impl FeatureFile {
    /// Returns the samples of a split.
    pub fn split(&self, name: &str) -> Option<&FeatureSet> {
        self.splits.iter().find(|split| split.name == name).map(|split| &split.features)
    }

    /// Returns the rows of a split that lack a modality, if there are any.
    pub fn partial_of(&self, split: &str) -> Option<&PartialRows> {
        partial_of(&self.partial, split)
    }

    /// Returns the columns carried along with the samples of a split.
    pub fn metadata_of(&self, split: &str) -> &[MetadataColumn] {
        metadata_of(&self.metadata, split)
    }

    /// Concatenates the samples of all splits. Where two splits share an id, as row numbers do, every id is prefixed by
    /// the name of its split, as in `test/7`. Rows that lack a modality are not among them.
    ///
    /// # Errors
    /// [`lsmi_core::Error::DuplicateId`] if two prefixed ids are the same.
    pub fn pooled(&self) -> lsmi_core::Result<FeatureSet> {
        let parts: Vec<FeatureSet> = self.splits.iter().map(|split| split.features.clone()).collect();
        if let Ok(pooled) = FeatureSet::joined(&parts) {
            return Ok(pooled);
        }
        let renamed = self.splits.iter().map(|Split { name, features }| {
            let ids = SampleIds::from_names(features.ids.iter().map(|id| format!("{name}/{id}")))?;
            Ok(FeatureSet { ids, ..features.clone() })
        });
        FeatureSet::joined(&renamed.collect::<lsmi_core::Result<Vec<_>>>()?)
    }

    /// Computes the SHA-256 of all splits and class names, in hexadecimal, for provenance; the path does not enter.
    pub fn hash(&self) -> String {
        hash::of_file(self)
    }
}

/// All samples of a file with several labels each, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelsFile {
    /// The samples. They have no classes, and the class index of every one is 0.
    pub table: FeatureFile,
    /// The labels of every split.
    pub labels: Vec<Split<LabelMatrix>>,
}

impl LabelsFile {
    /// Returns the labels of a split.
    pub fn labels_of(&self, split: &str) -> Option<&LabelMatrix> {
        self.labels.iter().find(|labels| labels.name == split).map(|labels| &labels.features)
    }
}

/// All samples of a file without their labels.
#[derive(Debug, Clone, PartialEq)]
pub struct UnlabelledFile {
    /// The splits: `train`, `val`, `test`, then others by name. A file without splits has only `train`.
    pub splits: Vec<Split<Unlabelled>>,
    /// The rows that lack a modality, of the splits that have such rows; see [`FeatureFile::partial`].
    pub partial: Vec<Split<PartialRows>>,
    /// The columns of a table that no analysis uses, for every split; empty if there are none.
    pub metadata: Vec<Split<Vec<MetadataColumn>>>,
    /// The path it was read from.
    pub path: PathBuf,
}

impl UnlabelledFile {
    /// Returns the samples of a split.
    pub fn split(&self, name: &str) -> Option<&Unlabelled> {
        self.splits.iter().find(|split| split.name == name).map(|split| &split.features)
    }

    /// Returns the rows of a split that lack a modality, if there are any.
    pub fn partial_of(&self, split: &str) -> Option<&PartialRows> {
        partial_of(&self.partial, split)
    }

    /// Returns the columns carried along with the samples of a split.
    pub fn metadata_of(&self, split: &str) -> &[MetadataColumn] {
        metadata_of(&self.metadata, split)
    }

    /// Computes the SHA-256 of all splits, in hexadecimal, for provenance; labels and the path do not enter.
    pub fn hash(&self) -> String {
        hash::of_unlabelled_file(self)
    }
}

fn partial_of<'p>(partial: &'p [Split<PartialRows>], split: &str) -> Option<&'p PartialRows> {
    partial.iter().find(|of_split| of_split.name == split).map(|of_split| &of_split.features)
}

fn metadata_of<'m>(metadata: &'m [Split<Vec<MetadataColumn>>], split: &str) -> &'m [MetadataColumn] {
    metadata.iter().find(|of_split| of_split.name == split).map(|of_split| &*of_split.features).unwrap_or_default()
}
