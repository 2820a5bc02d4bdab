//! Reading of samples whose targets are continuous: one finite number a row, or several.

use std::path::{Path, PathBuf};

use super::roles::MatrixRole;
use super::source::Source;
use super::splits::{CheckedSplit, Splits};
use super::{metadata, read_samples};
use crate::features::columns::metadata::MetadataColumn;
use crate::features::data::Data;
use crate::features::error::FeatureError;
use crate::features::groups::Groups;
use crate::features::keys::splits::LabelUse;
use crate::features::keys::{GroupKey, Keys};
use crate::features::set::Unlabelled;
use crate::features::set::file::Split;
use crate::features::several::unused_modalities;
use crate::features::targets::TargetSet;
use crate::numbers::matrix::Matrix;

/// All samples of a file with continuous targets, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetFile {
    /// The splits: `train`, `val`, `test`, then others by name. A file without splits has only `train`.
    pub splits: Vec<Split<TargetSet>>,
    /// The columns of a table that no analysis uses, for every split; empty if there are none.
    pub metadata: Vec<Split<Vec<MetadataColumn>>>,
    /// Remarks for the user, in sentences.
    pub notes: Vec<String>,
    /// The path it was read from.
    pub path: PathBuf,
}

impl TargetFile {
    /// Returns the samples of a split.
    pub fn split(&self, name: &str) -> Option<&TargetSet> {
        self.splits.iter().find(|split| split.name == name).map(|split| &split.features)
    }
}

impl Data {
    /// Reads samples with continuous targets: the array of labels holds finite numbers, `[n]` or, of several targets, `[n, L]`.
    /// Integers are taken for numbers. With `is_for_training` there must be a split `train`.
    ///
    /// # Errors
    /// [`FeatureError`] as for [`read`](super::super::read), and for targets that are missing, not numbers or not finite, or
    /// of another number in another split.
    pub fn read_targets(&self, keys: &Keys, is_for_training: bool) -> Result<TargetFile, FeatureError> {
        let (name, (format, mut container)) = (self.to_string(), self.open()?);
        let source = Source::new(&name, format, container.as_mut());
        load(self.path(), source, &self.keys(keys), is_for_training)
    }
}

/// Loads all splits of a file with continuous targets.
pub(in crate::features) fn load(
    path: &Path,
    mut source: Source<'_>,
    keys: &Keys,
    is_for_training: bool,
) -> Result<TargetFile, FeatureError> {
    let found = Splits::find(&mut source, keys, LabelUse::Ignored, is_for_training)?;
    let mut splits: Vec<Split<TargetSet>> = Vec::new();
    for split in &found.all {
        let features = load_split(&mut source, split, keys)?;
        let array = &split.arrays.label;
        let (columns, expected) =
            (features.targets().columns(), splits.first().map(|first| first.features.targets().columns()));
        if let Some(expected) = expected.filter(|expected| *expected != columns) {
            let (file, array, reference) = (source.file(), array.clone(), found.all[0].arrays.label.clone());
            return Err(FeatureError::ColumnCount { file, array, found: columns, reference, expected });
        }
        splits.push(Split { name: split.size.name.clone(), features });
    }
    let metadata = metadata(&mut source, &found)?;
    let mut notes = source.notes();
    notes.extend(found.note_on_pooling(keys));
    notes.extend(unused_modalities(source.names(), keys));
    Ok(TargetFile { splits, metadata, notes, path: path.to_owned() })
}

fn load_split(source: &mut Source<'_>, split: &CheckedSplit, keys: &Keys) -> Result<TargetSet, FeatureError> {
    let array = &split.arrays.label;
    let (rows, _) = source.matrix_shape(array, MatrixRole::Target)?;
    check_rows(source, split, array, rows)?;
    let Unlabelled { ids, x1, x2, .. } = read_samples(source, split)?;
    let targets: Matrix = source.matrix(array, MatrixRole::Target)?;
    let groups = match (&keys.groups, &split.arrays.group) {
        (GroupKey::Apart, _) => Some(Groups::of_values(ids.iter())),
        (_, Some(array)) => {
            let groups = source.groups(array)?;
            check_rows(source, split, array, groups.rows())?;
            Some(groups)
        }
        (_, None) => None,
    };
    let samples = TargetSet::new(ids, x1, x2, targets);
    let samples =
        samples.map_err(|error| FeatureError::Ids { file: source.file(), array: array.clone(), source: error })?;
    Ok(samples.with_groups(groups))
}

/// Checks that an array has a row for every sample.
fn check_rows(source: &Source<'_>, split: &CheckedSplit, array: &str, found: usize) -> Result<(), FeatureError> {
    let expected = split.size.rows;
    if found == expected {
        return Ok(());
    }
    let (file, array, reference) = (source.file(), array.to_owned(), split.arrays.x1.clone());
    Err(FeatureError::RowCount { file, array, found, reference, expected })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<TargetFile, FeatureError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data.csv");
        std::fs::write(&path, text).unwrap();
        Data::from(path.as_path()).read_targets(&Keys::default(), true)
    }

    #[test]
    fn one_target_and_several() {
        let one = read("x1_0,x2_0,y\n1,2,0.5\n3,4,-7\n").unwrap();
        assert_eq!(one.split("train").unwrap().targets().values(), [0.5, -7.0]);
        let two = read("x1_0,x2_0,y_0,y_1\n1,2,0.5,1\n3,4,-7,2\n").unwrap();
        assert_eq!(two.splits[0].features.targets().row(1), [-7.0, 2.0]);
    }

    #[test]
    fn targets_that_are_none_are_refused_by_row() {
        let missing = read("x1_0,x2_0,y\n1,2,0.5\n3,4,\n").unwrap_err().to_string();
        assert!(missing.contains("`y`") && missing.contains("row 1"), "{missing}");
        let infinite = read("x1_0,x2_0,y\n1,2,0.5\n3,4,inf\n").unwrap_err();
        assert!(matches!(infinite, FeatureError::NotFinite { row: 1, column: 0, .. }), "{infinite}");
        let text = read("x1_0,x2_0,y\n1,2,cat\n3,4,dog\n").unwrap_err();
        assert!(matches!(&text, FeatureError::ElementType { array, .. } if array == "y"), "{text}");
        let none = read("x1_0,x2_0\n1,2\n3,4\n").unwrap_err();
        assert!(matches!(&none, FeatureError::MissingArray { array, .. } if array == "y"), "{none}");
    }
}
