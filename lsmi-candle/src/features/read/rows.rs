//! A feature file read a part of its rows at a time: the same samples, checks and messages, in memory for those rows.
//!
//! Types and shapes of arrays are checked when the file is opened, values when they are read. Two checks need
//! all rows together and are made on the rows at hand: that ids are distinct, and that logits are no probabilities.
//! Metadata, ids there among them, are held as a whole.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::ops::Range;
use std::time::SystemTime;

use super::source::Source;
use super::splits::{CheckedSplit, RowSplit, Splits};
use super::{check_whole, encode_labels, load_rows, load_unlabelled_rows};
use crate::features::columns::metadata::{MetadataColumn, MetadataType};
use crate::features::data::Data;
use crate::features::error::{FeatureError, unreadable};
use crate::features::format::{Container, Format};
use crate::features::keys::splits::LabelUse;
use crate::features::keys::{Keys, MissingModality};
use crate::features::labels::classes::{Classes, Label};
use crate::features::set::partial::PartialRows;
use crate::features::set::{FeatureSet, Unlabelled};

/// Labels that are read at a time.
const LABELS_AT_A_TIME: usize = 1 << 16;
/// Numbers that are looked through at a time for rows that lack a modality.
const NUMBERS_AT_A_TIME: usize = 1 << 22;

/// A feature file of which some rows are read at a time.
///
/// ```
/// use std::collections::BTreeMap;
/// use lsmi_candle::features::{ArrayValues, Classes, Keys, RowReader, write_safetensors};
/// use lsmi_candle::numbers::matrix::Matrix;
///
/// let x = Matrix::new(4, 1, vec![0.0, 1.0, 2.0, 3.0])?;
/// let arrays = BTreeMap::from([
///     ("x1", ArrayValues::Matrix(&x)),
///     ("x2", ArrayValues::Matrix(&x)),
///     ("y", ArrayValues::Integers(&[0, 1, 0, 1])),
/// ]);
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("new.safetensors");
/// std::fs::write(&path, write_safetensors(&arrays, &BTreeMap::new())?)?;
///
/// let classes = Classes::new(vec!["0".to_owned(), "1".to_owned()])?;
/// let mut reader = RowReader::open(&path, &Keys::default(), &classes)?;
/// assert_eq!(reader.splits()[0].rows, 4);
/// let rows = reader.read(0, 2..4)?;
/// assert_eq!(rows.x1.values(), [2.0, 3.0]);
/// assert_eq!(rows.ids.get(0), "2");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RowReader {
    data: Data,
    file: String,
    format: Format,
    keys: Keys,
    classes: Classes,
    container: Box<dyn Container>,
    /// The names that the file gives to its labels.
    class_names: Option<Vec<String>>,
    /// The columns of a table that no analysis uses.
    metadata_columns: Vec<(String, MetadataType)>,
    /// The sizes of the splits, and how they are read.
    sizes: Vec<RowSplit>,
    splits: Vec<CheckedSplit>,
    state: FileState,
}

/// The state of a file, by which a changed one is known without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileState {
    /// Its length in bytes.
    pub bytes: u64,
    /// The time of its last change, if the file system knows it.
    pub modified: Option<SystemTime>,
}

impl RowReader {
    /// Opens a file whose labels are to be indices of `classes`, as
    /// [`read_with_classes`](crate::features::read_with_classes) takes it.
    ///
    /// # Errors
    /// [`FeatureError`] as there, as far as values need not be read; [`FeatureError::NotByRows`] for formats and
    /// layouts that are only read as a whole.
    pub fn open(data: impl Into<Data>, keys: &Keys, classes: &Classes) -> Result<Self, FeatureError> {
        Self::opened(data.into(), keys, classes, LabelUse::Needed, false)
    }

    /// Opens a file whose labels are not there or left alone, as [`read_unlabelled`](crate::features::read_unlabelled) takes it.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_unlabelled(data: impl Into<Data>, keys: &Keys, classes: &Classes) -> Result<Self, FeatureError> {
        Self::opened(data.into(), keys, classes, LabelUse::Ignored, false)
    }

    /// Opens a file for training, as [`read`](crate::features::read) takes it: its classes are the distinct labels of the split
    /// `train`, which are read for them.
    ///
    /// # Errors
    /// As [`open`](Self::open) and for [`read`](crate::features::read), as far as labels tell.
    pub fn open_for_training(data: impl Into<Data>, keys: &Keys) -> Result<Self, FeatureError> {
        // Until they are known there are none.
        let mut reader = Self::opened(data.into(), keys, &Classes::none(), LabelUse::Needed, true)?;
        let mut distinct = BTreeSet::new();
        let rows = reader.sizes[0].rows;
        for start in (0..rows).step_by(LABELS_AT_A_TIME) {
            let (mut source, split, keys, ..) = reader.window(0, start..rows.min(start + LABELS_AT_A_TIME));
            let labels = source.labels(&split.arrays.label, keys.missing)?;
            check_whole(&source, &split.arrays, &labels)?;
            distinct.extend(labels.present().1);
        }
        let labels: Vec<Label> = distinct.into_iter().collect();
        let classes = Classes::of_training(&labels, reader.class_names.as_deref());
        if let [only] = classes.names() {
            let (array, found) = (reader.splits[0].arrays.label.clone(), only.clone());
            return Err(FeatureError::SingleClass { file: reader.file, array, found });
        }
        reader.classes = classes;
        Ok(reader)
    }

    /// Returns the classes that labels are indices of.
    pub fn classes(&self) -> &Classes {
        &self.classes
    }

    fn opened(
        data: Data,
        keys: &Keys,
        classes: &Classes,
        labels: LabelUse,
        is_for_training: bool,
    ) -> Result<Self, FeatureError> {
        let (file, state) = (data.to_string(), state_of(&data)?);
        if let Some(obstacle) = data.format()?.obstacle() {
            return Err(FeatureError::NotByRows { file, reason: obstacle.to_owned() });
        }
        let (format, mut container) = data.open()?;
        let mut source = Source::new(&file, format, container.as_mut());
        let Splits { all: splits, class_names } = Splits::find(&mut source, keys, labels, is_for_training)?;
        for split in &splits {
            split.check_by_rows(&mut source, labels)?;
        }
        let metadata_columns = source.metadata_columns(&splits.iter().map(|split| &split.arrays).collect::<Vec<_>>());
        let sizes = splits.iter().map(|split| split.size.clone()).collect();
        let (keys, classes) = (keys.clone(), classes.clone());
        Ok(Self { data, file, format, keys, classes, container, class_names, metadata_columns, sizes, splits, state })
    }

    /// Lists the splits: `train`, `val`, `test`, then others by name.
    pub fn splits(&self) -> &[RowSplit] {
        &self.sizes
    }

    /// Returns the state of the file when it was opened.
    pub fn state(&self) -> FileState {
        self.state
    }

    /// Checks that the file is the one that was opened, as far as length and time tell.
    ///
    /// # Errors
    /// [`FeatureError::Changed`] if it is not; [`FeatureError::Io`] or [`FeatureError::NotFound`] if it is gone.
    pub fn check_unchanged(&self) -> Result<(), FeatureError> {
        if state_of(&self.data)? == self.state {
            Ok(())
        } else {
            Err(FeatureError::Changed { file: self.file.clone() })
        }
    }

    /// Reads some rows of the split at this place in [`splits`](Self::splits). Rows in order cost least.
    ///
    /// Rows that lack a modality are left out where [`Keys`] do not refuse them: [`read_with_partial`](Self::read_with_partial)
    /// returns them too.
    ///
    /// # Errors
    /// [`FeatureError`] as for [`read_with_classes`](crate::features::read_with_classes); rows are counted as in the file.
    ///
    /// # Panics
    /// If there is no such split or it has no such rows, as indexing a slice does.
    pub fn read(&mut self, split: usize, rows: Range<usize>) -> Result<FeatureSet, FeatureError> {
        Ok(self.read_with_partial(split, rows)?.0)
    }

    /// Reads some rows, and those of them that lack a modality, if there are any. There may be no complete row among them.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    ///
    /// # Panics
    /// As [`read`](Self::read).
    pub fn read_with_partial(
        &mut self,
        split: usize,
        rows: Range<usize>,
    ) -> Result<(FeatureSet, Option<PartialRows>), FeatureError> {
        let (mut source, split, keys, classes, names) = self.window(split, rows);
        load_rows(&mut source, &split, keys, classes, names)
    }

    /// Reads the class indices of some rows, and nothing else of them.
    ///
    /// # Errors
    /// [`FeatureError`] as for [`read_with_classes`](crate::features::read_with_classes).
    ///
    /// # Panics
    /// As [`read`](Self::read).
    pub fn read_labels(&mut self, split: usize, rows: Range<usize>) -> Result<Vec<u32>, FeatureError> {
        let (mut source, split, keys, classes, names) = self.window(split, rows);
        let labels = source.labels(&split.arrays.label, keys.missing)?;
        check_whole(&source, &split.arrays, &labels)?;
        let (rows, labels) = labels.present();
        encode_labels(&source, &split.arrays, (&rows, &labels), classes, names)
    }

    /// Returns the columns of a table that no analysis uses, with their types.
    pub fn metadata_columns(&self) -> &[(String, MetadataType)] {
        &self.metadata_columns
    }

    /// Reads the values of those columns in some rows of a split.
    ///
    /// # Errors
    /// [`FeatureError`] if the file cannot be read.
    ///
    /// # Panics
    /// As [`read`](Self::read).
    pub fn read_metadata(&mut self, split: usize, rows: Range<usize>) -> Result<Vec<MetadataColumn>, FeatureError> {
        let columns = self.metadata_columns.clone();
        let (mut source, split, ..) = self.window(split, rows);
        source.metadata_values(&split.arrays, &columns)
    }

    /// Reads some rows without their labels.
    ///
    /// # Errors
    /// [`FeatureError`] as for [`read_unlabelled`](crate::features::read_unlabelled); rows are counted as in the file.
    ///
    /// # Panics
    /// As [`read`](Self::read).
    pub fn read_unlabelled(&mut self, split: usize, rows: Range<usize>) -> Result<Unlabelled, FeatureError> {
        Ok(self.read_unlabelled_with_partial(split, rows)?.0)
    }

    /// Reads some rows without their labels, and those of them that lack a modality, as
    /// [`read_with_partial`](Self::read_with_partial) does.
    ///
    /// # Errors
    /// As [`read_unlabelled`](Self::read_unlabelled).
    ///
    /// # Panics
    /// As [`read`](Self::read).
    pub fn read_unlabelled_with_partial(
        &mut self,
        split: usize,
        rows: Range<usize>,
    ) -> Result<(Unlabelled, Option<PartialRows>), FeatureError> {
        let (mut source, split, _, classes, names) = self.window(split, rows);
        load_unlabelled_rows(&mut source, &split, classes, names)
    }

    /// Returns whether a row of the split at this place lacks a modality, for which all of its features are read once.
    ///
    /// # Errors
    /// As [`read_unlabelled`](Self::read_unlabelled).
    ///
    /// # Panics
    /// If there is no such split.
    pub fn has_partial_rows(&mut self, split: usize) -> Result<bool, FeatureError> {
        if self.keys.missing_modality == MissingModality::Refuse {
            return Ok(false);
        }
        let RowSplit { rows, numbers, .. } = self.sizes[split];
        for start in (0..rows).step_by((NUMBERS_AT_A_TIME / numbers.max(1)).max(1)) {
            let end = rows.min(start + (NUMBERS_AT_A_TIME / numbers.max(1)).max(1));
            let (mut source, split, ..) = self.window(split, start..end);
            if source.modalities(&split)?.1.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn window(
        &mut self,
        split: usize,
        rows: Range<usize>,
    ) -> (Source<'_>, CheckedSplit, &Keys, &Classes, Option<&[String]>) {
        let all = self.sizes[split].rows;
        assert!(rows.start <= rows.end && rows.end <= all, "rows {rows:?} of {all}");
        let split = self.splits[split].of_rows(&rows);
        let source = Source::new(&self.file, self.format, self.container.as_mut()).of_rows(rows);
        (source, split, &self.keys, &self.classes, self.class_names.as_deref())
    }
}

/// Reads the state of several files together.
fn state_of(data: &Data) -> Result<FileState, FeatureError> {
    let mut state = FileState { bytes: 0, modified: None };
    for path in data.paths() {
        let metadata: Metadata = fs::metadata(path).map_err(|error| unreadable(path, error))?;
        state.bytes += metadata.len();
        state.modified = state.modified.max(metadata.modified().ok());
    }
    Ok(state)
}
