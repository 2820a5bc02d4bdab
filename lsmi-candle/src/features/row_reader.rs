//! A feature file read a part of its rows at a time: the same samples, checks and messages, in memory for those rows.
//!
//! What the arrays are is checked when the file is opened; their values when they are read. Two things can only be told
//! of all rows together and are told of the rows at hand: that ids are distinct, and that logits are no probabilities.
//! Metadata, ids there among them, are held as a whole.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::ops::Range;
use std::time::SystemTime;

use super::array::Kind;
use super::classes::{Classes, Label};
use super::data::Data;
use super::error::FeatureError;
use super::format::{ByRows, Format, WindowOf};
use super::keys::{Keys, Labels, SplitArrays};
use super::labels::Labels as RawLabels;
use super::load::{self, splits_of, unreadable};
use super::metadata_columns::{MetadataColumn, MetadataType};
use super::missing::Missing;
use super::source::{
    IdentifierRole, MatrixRole, Source, Window, check_identifiers, check_matrix, corrupted, element_type,
    missing_array, with_remark,
};
use super::{FeatureSet, Unlabelled};

/// Labels that are gone through at a time.
const LABELS_AT_A_TIME: usize = 1 << 16;

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
    source: Box<dyn ByRows>,
    /// The names that the file gives its labels.
    class_names: Option<Vec<String>>,
    /// The columns of a table that no analysis looks at.
    metadata_columns: Vec<(String, MetadataType)>,
    splits: Vec<RowSplit>,
    parts: Vec<Part>,
    state: FileState,
}

/// A split of a file that is read a part of its rows at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowSplit {
    /// `train`, `val`, `test`, or whatever suffix the file uses; a file without splits has only `train`.
    pub name: String,
    /// How many rows it has.
    pub rows: usize,
    /// Columns of x1 and x2.
    pub dims: [usize; 2],
    /// Numbers in a row: features and logits.
    pub numbers: usize,
}

/// What tells whether a file is still the same, as far as that can be told without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileState {
    /// Its length in bytes.
    pub bytes: u64,
    /// When it was last changed, where the file system says so.
    pub modified: Option<SystemTime>,
}

/// How the rows of a split are read.
struct Part {
    arrays: SplitArrays,
    metadata_ids: Option<Vec<String>>,
}

impl RowReader {
    /// Opens a file whose labels are to be indices of `classes`, as
    /// [`read_with_classes`](super::read_with_classes) takes it.
    ///
    /// # Errors
    /// [`FeatureError`] as there, as far as values need not be read; [`FeatureError::NotByRows`] for formats and
    /// layouts that are only read as a whole.
    pub fn open(data: impl Into<Data>, keys: &Keys, classes: &Classes) -> Result<Self, FeatureError> {
        Self::opened(data.into(), keys, classes, Labels::Needed, false)
    }

    /// Opens a file whose labels are not there or left alone, as [`read_unlabelled`](super::read_unlabelled) takes it.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_unlabelled(data: impl Into<Data>, keys: &Keys, classes: &Classes) -> Result<Self, FeatureError> {
        Self::opened(data.into(), keys, classes, Labels::Ignored, false)
    }

    /// Opens a file for training, as [`read`](super::read) takes it: its classes are the distinct labels of the split
    /// `train`, which are gone through for them.
    ///
    /// # Errors
    /// As [`open`](Self::open) and for [`read`](super::read), as far as labels tell.
    pub fn open_for_training(data: impl Into<Data>, keys: &Keys) -> Result<Self, FeatureError> {
        // Until they are known there are none.
        let mut reader = Self::opened(data.into(), keys, &Classes::none(), Labels::Needed, true)?;
        let mut distinct = BTreeSet::new();
        let rows = reader.splits[0].rows;
        for start in (0..rows).step_by(LABELS_AT_A_TIME) {
            let (mut source, arrays, keys, ..) = reader.window(0, start..rows.min(start + LABELS_AT_A_TIME));
            let labels = source.labels(&arrays.label, keys.missing)?;
            load::check_whole(&source, arrays, &labels)?;
            distinct.extend(labels.present().1);
        }
        let labels: Vec<Label> = distinct.into_iter().collect();
        let classes = Classes::of_training(&labels, reader.class_names.as_deref());
        if let [only] = classes.names() {
            let (array, found) = (reader.parts[0].arrays.label.clone(), only.clone());
            return Err(FeatureError::SingleClass { file: reader.file, array, found });
        }
        reader.classes = classes;
        Ok(reader)
    }

    /// The classes that labels are indices of.
    pub fn classes(&self) -> &Classes {
        &self.classes
    }

    fn opened(
        data: Data,
        keys: &Keys,
        classes: &Classes,
        labels: Labels,
        is_for_training: bool,
    ) -> Result<Self, FeatureError> {
        let (file, state) = (data.to_string(), state_of(&data)?);
        let (format, mut source) = data.open_by_rows()?;
        let names = source.names();
        let (first, others) = splits_of(&file, &names, keys, labels, is_for_training)?;
        let (class_names, metadata_columns);
        let mut metadata_ids = Vec::new();
        {
            let rows = WindowOf { file: source.as_mut(), rows: 0..0 };
            let all = Source::of_window(&file, format, Box::new(rows), Window { metadata_ids: None });
            class_names = all.class_names()?;
            metadata_columns = all.metadata_columns(&std::iter::once(&first).chain(&others).collect::<Vec<_>>());
            for arrays in std::iter::once(&first).chain(&others) {
                let is_array = keys.id.is_some() || names.contains(&arrays.id);
                metadata_ids.push(if is_array { None } else { all.metadata_list(&arrays.metadata_ids)? });
            }
        }
        let mut opening = Opening { file: &file, format, names: &names, source: source.as_mut() };
        let (mut splits, mut parts): (Vec<RowSplit>, Vec<Part>) = (Vec::new(), Vec::new());
        for (arrays, metadata_ids) in std::iter::once(first).chain(others).zip(metadata_ids) {
            let split = opening.split(&arrays, keys, labels, metadata_ids.as_deref())?;
            if let (Some(reference), Some(part)) = (splits.first(), parts.first()) {
                opening.check_columns((&part.arrays, reference), (&arrays, &split))?;
            }
            splits.push(split);
            parts.push(Part { arrays, metadata_ids });
        }
        let (keys, classes) = (keys.clone(), classes.clone());
        Ok(Self { data, file, format, keys, classes, source, class_names, metadata_columns, splits, parts, state })
    }

    /// The splits: `train`, `val`, `test`, then others by name.
    pub fn splits(&self) -> &[RowSplit] {
        &self.splits
    }

    /// What the file was like when it was opened.
    pub fn state(&self) -> FileState {
        self.state
    }

    /// Makes sure that the file is what it was when it was opened, as far as length and time tell.
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

    /// Some rows of the split with this place in [`splits`](Self::splits). Rows in order cost least.
    ///
    /// # Errors
    /// [`FeatureError`] as for [`read_with_classes`](super::read_with_classes); rows are counted as in the file.
    ///
    /// # Panics
    /// If there is no such split or it has no such rows, as indexing a slice does.
    pub fn read(&mut self, split: usize, rows: Range<usize>) -> Result<FeatureSet, FeatureError> {
        let (mut source, arrays, keys, classes, names) = self.window(split, rows);
        load::load_rows(&mut source, arrays, keys, classes, names)
    }

    /// The class indices of some rows, and nothing else of them.
    ///
    /// # Errors
    /// [`FeatureError`] as for [`read_with_classes`](super::read_with_classes).
    ///
    /// # Panics
    /// As [`read`](Self::read).
    pub fn read_labels(&mut self, split: usize, rows: Range<usize>) -> Result<Vec<u32>, FeatureError> {
        let (mut source, arrays, keys, classes, names) = self.window(split, rows);
        let labels = source.labels(&arrays.label, keys.missing)?;
        load::check_whole(&source, arrays, &labels)?;
        let (rows, labels) = labels.present();
        load::encode_labels(&source, arrays, (&rows, &labels), classes, names)
    }

    /// The columns of a table that no analysis looks at, with their types.
    pub fn metadata_columns(&self) -> &[(String, MetadataType)] {
        &self.metadata_columns
    }

    /// The values of those columns in some rows of a split.
    ///
    /// # Errors
    /// [`FeatureError`] if the file cannot be read.
    ///
    /// # Panics
    /// As [`read`](Self::read).
    pub fn read_metadata(&mut self, split: usize, rows: Range<usize>) -> Result<Vec<MetadataColumn>, FeatureError> {
        let columns = self.metadata_columns.clone();
        let (mut source, arrays, ..) = self.window(split, rows);
        source.metadata_values(arrays, &columns)
    }

    /// The same without labels.
    ///
    /// # Errors
    /// [`FeatureError`] as for [`read_unlabelled`](super::read_unlabelled); rows are counted as in the file.
    ///
    /// # Panics
    /// As [`read`](Self::read).
    pub fn read_unlabelled(&mut self, split: usize, rows: Range<usize>) -> Result<Unlabelled, FeatureError> {
        let (mut source, arrays, keys, classes, names) = self.window(split, rows);
        load::load_unlabelled_rows(&mut source, arrays, keys, classes, names)
    }

    fn window(
        &mut self,
        split: usize,
        rows: Range<usize>,
    ) -> (Source<'_>, &SplitArrays, &Keys, &Classes, Option<&[String]>) {
        let all = self.splits[split].rows;
        assert!(rows.start <= rows.end && rows.end <= all, "rows {rows:?} of {all}");
        let part = &self.parts[split];
        let window = Window { metadata_ids: part.metadata_ids.as_ref().map(|ids| &ids[rows.clone()]) };
        let container = Box::new(WindowOf { file: self.source.as_mut(), rows });
        let source = Source::of_window(&self.file, self.format, container, window);
        (source, &part.arrays, &self.keys, &self.classes, self.class_names.as_deref())
    }
}

/// A file whose arrays are being checked.
struct Opening<'a> {
    file: &'a str,
    format: Format,
    names: &'a BTreeSet<String>,
    source: &'a mut dyn ByRows,
}

impl Opening<'_> {
    fn split(
        &mut self,
        arrays: &SplitArrays,
        keys: &Keys,
        labels: Labels,
        metadata_ids: Option<&[String]>,
    ) -> Result<RowSplit, FeatureError> {
        let (rows, d1) = self.matrix(&arrays.x1, MatrixRole::Modality)?;
        let (rows2, d2) = self.matrix(&arrays.x2, MatrixRole::Modality)?;
        self.check_rows(arrays, rows, &arrays.x2, rows2)?;
        if let Some(ids) = metadata_ids {
            self.check_rows(arrays, rows, &arrays.metadata_ids, ids.len())?;
        }
        let mut numbers = d1 + d2;
        if keys.id.is_some() || self.names.contains(&arrays.id) {
            let found = self.identifiers(&arrays.id, IdentifierRole::Id)?;
            self.check_rows(arrays, rows, &arrays.id, found)?;
        }
        for array in arrays.logits_in(self.names).into_iter().flatten() {
            let (found, columns) = self.matrix(array, MatrixRole::Logits)?;
            self.check_rows(arrays, rows, array, found)?;
            numbers += columns;
        }
        if let (Labels::Needed, Some(group)) = (labels, &arrays.group) {
            let found = self.identifiers(group, IdentifierRole::Group)?;
            self.check_rows(arrays, rows, group, found)?;
        }
        if labels == Labels::Needed {
            let found = self.identifiers(&arrays.label, IdentifierRole::Label)?;
            self.check_floats(&arrays.label, found, keys.missing)?;
            self.check_rows(arrays, rows, &arrays.label, found)?;
        }
        Ok(RowSplit { name: arrays.split.clone(), rows, dims: [d1, d2], numbers })
    }

    fn check_rows(&self, arrays: &SplitArrays, rows: usize, array: &str, found: usize) -> Result<(), FeatureError> {
        if found == rows {
            return Ok(());
        }
        let (file, array, reference) = (self.file.to_owned(), array.to_owned(), arrays.x1.clone());
        Err(FeatureError::RowCount { file, array, found, reference, expected: rows })
    }

    /// A modality has the columns it has in the first split.
    fn check_columns(
        &self,
        (reference, expected): (&SplitArrays, &RowSplit),
        (arrays, found): (&SplitArrays, &RowSplit),
    ) -> Result<(), FeatureError> {
        for (modality, (array, reference)) in
            [(&arrays.x1, &reference.x1), (&arrays.x2, &reference.x2)].iter().enumerate()
        {
            let (found, expected) = (found.dims[modality], expected.dims[modality]);
            if found != expected {
                let (file, array, reference) = (self.file.to_owned(), (*array).clone(), (*reference).clone());
                return Err(FeatureError::ColumnCount { file, array, found, reference, expected });
            }
        }
        Ok(())
    }

    fn matrix(&mut self, name: &str, role: MatrixRole) -> Result<(usize, usize), FeatureError> {
        let outline = self.outline(name)?;
        let outline = with_remark(outline, &mut || self.source.remark(name));
        check_matrix(self.file, name, &outline, role)
    }

    fn identifiers(&mut self, name: &str, role: IdentifierRole) -> Result<usize, FeatureError> {
        let outline = self.outline(name)?;
        check_identifiers(self.file, name, &outline, role)
    }

    /// Labels are no numbers of floating point: either integers some of which are missing, or a quantity.
    fn check_floats(&mut self, name: &str, rows: usize, missing: Missing) -> Result<(), FeatureError> {
        let outline = self.outline(name)?;
        if !matches!(outline.kind, Kind::Numbers(element) if element.is_float()) {
            return Ok(());
        }
        let mut labels = RawLabels::default();
        for start in (0..rows).step_by(LABELS_AT_A_TIME) {
            let part = start..rows.min(start + LABELS_AT_A_TIME);
            let length = part.len();
            let array = self.source.rows(name, part).map_err(|corrupt| corrupted(self.file, self.format, corrupt))?;
            labels.extend(array, length, missing);
        }
        let (file, array) = (self.file.to_owned(), name.to_owned());
        Err(match labels.first_missing() {
            None => element_type(self.file, name, &outline, IdentifierRole::Label.element_type()),
            Some((row, found)) => FeatureError::MissingLabel {
                file,
                array,
                row: self.source.row_in_file(name, row),
                found: found.to_owned(),
                others: labels.missing() - 1,
            },
        })
    }

    fn outline(&mut self, name: &str) -> Result<super::array::Outline, FeatureError> {
        if !self.names.contains(name) {
            return Err(missing_array(self.file, name, self.names));
        }
        if let Some(obstacle) = self.source.obstacle(name) {
            let reason = format!("`{name}`: {obstacle}");
            return Err(FeatureError::NotByRows { file: self.file.to_owned(), reason });
        }
        self.source.outline(name).map_err(|corrupt| corrupted(self.file, self.format, corrupt))
    }
}

/// Of several files together.
fn state_of(data: &Data) -> Result<FileState, FeatureError> {
    let mut state = FileState { bytes: 0, modified: None };
    for path in data.paths() {
        let metadata: Metadata = fs::metadata(path).map_err(|error| unreadable(path, error))?;
        state.bytes += metadata.len();
        state.modified = state.modified.max(metadata.modified().ok());
    }
    Ok(state)
}
