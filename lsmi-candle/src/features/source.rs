//! Arrays taken from an open file for what they are to be: a modality, logits, labels, ids.
//!
//! Here it is decided which element types and shapes may serve; every refusal says what to do instead.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

use lsmi_core::SampleIds;

use super::advice;
use super::array::{Array, Corrupt, Incomplete, Kind, Number, Outline, Unusable, Values};
use super::classes::{Label, first_repeat};
use super::error::FeatureError;
use super::format::{Container, Format, NotOpened};
use super::groups::Groups;
use super::keys::SplitArrays;
use super::labels::Labels;
use super::load::{format_of, listed, unreadable};
use super::matrix_to_fill::MatrixToFill;
use super::metadata_columns::{MetadataColumn, MetadataType};
use super::missing::Missing;
use crate::numbers::matrix::Matrix;
use crate::numbers::memory::{self, Shortage};

/// Labels or ids that are read at a time.
const IDENTIFIERS_AT_A_TIME: usize = 1 << 16;

/// What a matrix is to be: decides what it may hold and what a refusal advises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MatrixRole {
    Modality,
    Logits,
}

impl MatrixRole {
    /// Integers in place of logits are predicted classes or one-hot rows, which say nothing of how sure the model is.
    fn takes_integers(self) -> bool {
        self == Self::Modality
    }

    pub(super) fn element_type(self) -> &'static str {
        match self {
            Self::Modality => "features must be numbers; convert them, e.g. x.astype('float32')",
            Self::Logits => {
                "logits must be floating-point numbers: what goes into the softmax, or log-probabilities; not the predicted class"
            }
        }
    }

    fn shape(self, dimensions: usize) -> &'static str {
        match (self, dimensions) {
            (Self::Modality, 0 | 1) => {
                "features need [rows, columns]; for one feature, x.reshape(-1, 1), in a table a column whose name ends in _0"
            }
            (Self::Modality, 3) => {
                "features need [rows, columns]; of a sequence [rows, steps, columns], take the mean over its steps, x.mean(axis=1), or flatten each row, x.reshape(len(x), -1)"
            }
            (Self::Modality, _) => "features need [rows, columns]; flatten each row, x.reshape(len(x), -1)",
            (Self::Logits, 0 | 1) => {
                "logits need [rows, classes]; for the one logit z, of the second of two classes, np.stack([0 * z, z], axis=1)"
            }
            (Self::Logits, _) => "logits need [rows, classes]; make it one row a sample, one column a class",
        }
    }

    pub(super) fn not_finite(self, value: f64) -> &'static str {
        match self {
            Self::Modality => "remove such rows or fill in the value before the analysis",
            Self::Logits if value == f64::NEG_INFINITY => {
                "no class may be ruled out, for its loss would be infinite; clip, e.g. np.maximum(z, z.max(axis=1, keepdims=True) - 30)"
            }
            Self::Logits => "compute the logits in 32 bits, or remove such rows",
        }
    }
}

/// What one integer or string a row is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IdentifierRole {
    Label,
    Id,
    Group,
}

impl IdentifierRole {
    pub(super) fn element_type(self) -> &'static str {
        match self {
            Self::Label => {
                "labels must be integers or strings: y.astype(str) for text, y.astype('int64') for class numbers, y.argmax(axis=1) for one-hot rows, bins for a continuous target"
            }
            Self::Id => "ids must be integers or strings: id.astype(str) for text, id.astype('int64') for numbers",
            Self::Group => {
                "groups must be integers or strings: group.astype(str) for text, group.astype('int64') for numbers"
            }
        }
    }

    fn shape(self) -> &'static str {
        match self {
            Self::Label => "labels need [rows]; use y.reshape(-1), or y.argmax(axis=1) if they are one-hot",
            Self::Id => "ids need [rows]; use id.reshape(-1)",
            Self::Group => "groups need [rows]; use group.reshape(-1)",
        }
    }
}

/// An open feature file, or a window of its rows.
pub(super) struct Source<'a> {
    file: &'a str,
    format: Format,
    container: Box<dyn Container + 'a>,
    names: BTreeSet<String>,
    window: Option<Window<'a>>,
}

/// What is known of the rows that the arrays of a [`Source`] are, where they are not all.
#[derive(Clone, Copy)]
pub(super) struct Window<'a> {
    /// The ids that the metadata give these rows, if they do.
    pub(super) metadata_ids: Option<&'a [String]>,
}

impl<'a> Source<'a> {
    pub(super) fn open(file: &'a str, bytes: &'a [u8], format: Format) -> Result<Self, FeatureError> {
        let container = format.open(bytes).map_err(|corrupt| corrupted(file, format, corrupt))?;
        Ok(Self::of_container(file, format, container))
    }

    /// The file at a path, of the format that its extension promises.
    pub(super) fn open_file(path: &Path, file: &'a str) -> Result<Self, FeatureError> {
        let format = format_of(path)?;
        let container = format.open_file(path).map_err(|refusal| not_opened(path, format, refusal))?;
        Ok(Self::of_container(file, format, container))
    }

    /// Arrays wherever they are.
    pub(super) fn of_container(file: &'a str, format: Format, container: Box<dyn Container + 'a>) -> Self {
        Self { file, format, names: container.names(), container, window: None }
    }

    /// Arrays that are the rows of a file from some row on.
    pub(super) fn of_window(
        file: &'a str,
        format: Format,
        container: Box<dyn Container + 'a>,
        window: Window<'a>,
    ) -> Self {
        Self { file, format, names: container.names(), container, window: Some(window) }
    }

    /// The row of the file that is this row of an array.
    pub(super) fn row_in_file(&self, array: &str, row: usize) -> usize {
        self.container.row_in_file(array, row)
    }

    /// The numbers of the rows of an array as ids.
    pub(super) fn row_ids(&self, array: &str, rows: usize) -> Result<SampleIds, FeatureError> {
        if self.window.is_none() && !self.container.has_split_column() {
            return Ok(SampleIds::rows(rows));
        }
        let numbers = (0..rows).filter_map(|row| i64::try_from(self.row_in_file(array, row)).ok()).collect();
        SampleIds::from_numbers(numbers).map_err(|error| self.unusable_ids("row", error))
    }

    /// The columns of a table that make none of these arrays; of a table whose splits are columns side by side, none,
    /// for it cannot be told which of its samples a row's value is about.
    pub(super) fn metadata_columns(&self, splits: &[&SplitArrays]) -> Vec<(String, MetadataType)> {
        if splits.len() > 1 && !self.container.has_split_column() {
            return Vec::new();
        }
        let arrays = splits.iter().flat_map(|split| split.all()).cloned().collect();
        self.container.metadata_columns(&arrays)
    }

    /// The values that columns of a table have in the rows of a split.
    pub(super) fn metadata_values(
        &mut self,
        split: &SplitArrays,
        columns: &[(String, MetadataType)],
    ) -> Result<Vec<MetadataColumn>, FeatureError> {
        let names: Vec<String> = columns.iter().map(|(name, _)| name.clone()).collect();
        let values = self.container.metadata_values(&split.x1, &names);
        values.map_err(|corrupt| corrupted(self.file, self.format, corrupt))
    }

    /// What a user should know of how the file was understood, in sentences.
    pub(super) fn notes(&self) -> Vec<String> {
        self.container.notes()
    }

    pub(super) fn file(&self) -> String {
        self.file.to_owned()
    }

    /// The names of all arrays.
    pub(super) fn names(&self) -> &BTreeSet<String> {
        &self.names
    }

    /// A modality or a model's logits: a matrix of finite numbers, at least one by one.
    pub(super) fn matrix(&mut self, name: &str, role: MatrixRole) -> Result<Matrix, FeatureError> {
        let file = self.file();
        let Some(outline) = self.outline(name)? else {
            // Only there as a whole.
            let array = match self.array(name).and_then(|array| complete(&file, name, 0, array)) {
                Ok(array) => array,
                Err(error) => return Err(self.in_file(name, error)),
            };
            let checked = check_matrix(&file, name, &array.outline(), role);
            let (rows, columns) = match checked {
                Ok(lengths) => lengths,
                Err(error) => {
                    drop(array);
                    return Err(self.advised(error));
                }
            };
            let mut values = zeros(&file, name, rows, columns)?;
            let matrix = MatrixToFill { file: &file, name, role, columns };
            let filled = matrix.fill(&array, 0, &mut values);
            drop(array);
            return match filled {
                Ok(()) => self.finished((rows, columns), values),
                Err(error) => Err(self.in_file(name, error)),
            };
        };
        let outline = with_remark(outline, &mut || self.container.remark(name));
        let (rows, columns) = check_matrix(&file, name, &outline, role)?;
        let mut values = zeros(&file, name, rows, columns)?;
        let matrix = MatrixToFill { file: &file, name, role, columns };
        let filled = matrix.fill_in_blocks(&mut values, &mut |rows| {
            let start = rows.start;
            complete(&file, name, start, self.rows(name, rows)?)
        });
        match filled {
            Ok(()) => self.finished((rows, columns), values),
            Err(error) => Err(self.in_file(name, error)),
        }
    }

    /// The matrix of values that are all there.
    fn finished(&self, (rows, columns): (usize, usize), values: Vec<f64>) -> Result<Matrix, FeatureError> {
        Matrix::new(rows, columns, values).map_err(|error| FeatureError::Corrupt {
            file: self.file(),
            format: self.format.name(),
            reason: error.to_string(),
        })
    }

    /// The labels: integers, booleans or strings, and whole numbers of floating point where others are missing. Where a row
    /// has none, that is an error unless such rows are left out.
    pub(super) fn labels(&mut self, name: &str, missing: Missing) -> Result<Labels, FeatureError> {
        let mut labels = Labels::default();
        let outline = self.each_identifier(name, IdentifierRole::Label, &mut |array, rows| {
            labels.extend(array, rows, missing);
        })?;
        labels.settle();
        match labels.first_missing() {
            // Numbers of floating point are no labels by themselves; missing ones make them of integers.
            None if labels.are_floats => {
                Err(self.advised(element_type(self.file, name, &outline, IdentifierRole::Label.element_type())))
            }
            Some(_) if missing == Missing::Drop && labels.has_fractions => {
                Err(self.advised(element_type(self.file, name, &outline, IdentifierRole::Label.element_type())))
            }
            Some((row, found)) if missing != Missing::Drop => {
                let (file, array, row) = (self.file(), name.to_owned(), self.row_in_file(name, row));
                let (found, others) = (found.to_owned(), labels.missing() - 1);
                Err(FeatureError::MissingLabel { file, array, row, found, others })
            }
            _ => Ok(labels),
        }
    }

    /// The groups in an array: integers or strings, none of them missing.
    pub(super) fn groups(&mut self, name: &str) -> Result<Groups, FeatureError> {
        let mut values = Vec::new();
        self.each_identifier(name, IdentifierRole::Group, &mut |array, rows| values.extend(labels_of(array, rows)))?;
        let values: Vec<String> = values.iter().map(|value| value.to_string().trim().to_owned()).collect();
        match values.iter().position(|value| Missing::Refuse.is_missing(value)) {
            None => Ok(Groups::of_values(&values)),
            Some(row) => Err(FeatureError::MissingGroup {
                file: self.file(),
                array: name.to_owned(),
                row: self.row_in_file(name, row),
                found: values[row].clone(),
            }),
        }
    }

    /// The ids in an array: distinct integers or strings.
    pub(super) fn ids(&mut self, name: &str) -> Result<SampleIds, FeatureError> {
        let mut ids = Vec::new();
        self.each_identifier(name, IdentifierRole::Id, &mut |array, rows| ids.extend(labels_of(array, rows)))?;
        let numbers: Option<Vec<i64>> = ids
            .iter()
            .map(|id| match id {
                Label::Integer(value) => i64::try_from(*value).ok(),
                Label::Text(_) => None,
            })
            .collect();
        let made = match numbers {
            Some(numbers) => SampleIds::from_numbers(numbers),
            None => SampleIds::from_names(ids.iter().map(ToString::to_string)),
        };
        made.map_err(|error| self.unusable_ids(name, error))
    }

    /// The ids in the metadata, if they are there: a JSON list of distinct strings.
    pub(super) fn metadata_ids(&self, key: &str) -> Result<Option<SampleIds>, FeatureError> {
        let ids = match self.window {
            Some(window) => window.metadata_ids.map(<[String]>::to_vec),
            None => self.metadata_list(key)?,
        };
        ids.map(|ids| SampleIds::from_names(ids).map_err(|error| self.unusable_ids(key, error))).transpose()
    }

    /// The names of the labels 0, 1, ... in the metadata key `classes`, if it is there.
    pub(super) fn class_names(&self) -> Result<Option<Vec<String>>, FeatureError> {
        let names = self.metadata_list("classes")?;
        match names.as_deref().and_then(|names| Some((names, first_repeat(names)?))) {
            Some((names, (first, second))) => Err(self.metadata_error(
                "classes",
                format!("names the labels {first} and {second} both `{}`; give every label its own name", names[first]),
            )),
            None => Ok(names),
        }
    }

    /// The text under a key of the metadata.
    pub(super) fn metadata(&self, key: &str) -> Option<&str> {
        self.container.metadata(key)
    }

    pub(super) fn metadata_list(&self, key: &str) -> Result<Option<Vec<String>>, FeatureError> {
        self.container
            .metadata(key)
            .map(serde_json::from_str)
            .transpose()
            .map_err(|error| self.metadata_error(key, format!("is no JSON list of strings ({error}); write one")))
    }

    fn metadata_error(&self, key: &str, reason: String) -> FeatureError {
        FeatureError::Metadata { file: self.file(), key: key.to_owned(), reason }
    }

    fn unusable_ids(&self, name: &str, error: lsmi_core::Error) -> FeatureError {
        let (file, array) = (self.file(), name.to_owned());
        match error {
            lsmi_core::Error::DuplicateId { id, first, second } => {
                let [first, second] = [first, second].map(|row| self.row_in_file(name, row));
                FeatureError::DuplicateId { file, array, id, first, second }
            }
            source => FeatureError::Ids { file, array, source },
        }
    }

    /// The same error with advice in the words of who writes such files.
    fn advised(&self, error: FeatureError) -> FeatureError {
        match error {
            FeatureError::ElementType { file, array, found, expected } if self.format == Format::Torch => {
                FeatureError::ElementType {
                    file,
                    array,
                    found,
                    expected: advice::in_torch(&expected).unwrap_or(expected),
                }
            }
            other => other,
        }
    }

    /// What an array is, if some of its rows can be read at a time.
    fn outline(&mut self, name: &str) -> Result<Option<Outline>, FeatureError> {
        if !self.names.contains(name) {
            return Err(missing_array(self.file, name, &self.names));
        }
        if self.window.is_some() {
            return Ok(None);
        }
        self.container.outline(name).map_err(|corrupt| corrupted(self.file, self.format, corrupt))
    }

    fn array(&mut self, name: &str) -> Result<Array<'_>, FeatureError> {
        if !self.names.contains(name) {
            return Err(missing_array(self.file, name, &self.names));
        }
        let taken = self.container.array(name);
        taken.map_err(|corrupt| corrupted(self.file, self.format, corrupt))
    }

    /// Some rows of an array that has an outline.
    fn rows(&mut self, name: &str, rows: Range<usize>) -> Result<Array<'static>, FeatureError> {
        let taken = self.container.rows(name, rows);
        taken.map_err(|corrupt| corrupted(self.file, self.format, corrupt))
    }

    /// An error about a row of an array, its row counted in the file.
    fn in_file(&self, name: &str, error: FeatureError) -> FeatureError {
        match error {
            FeatureError::Null { file, array, row } => {
                FeatureError::Null { file, array, row: self.row_in_file(name, row) }
            }
            FeatureError::Ragged { file, array, row, found, expected } => {
                FeatureError::Ragged { file, array, row: self.row_in_file(name, row), found, expected }
            }
            FeatureError::NotFinite { file, array, row, column, found, advice } => {
                FeatureError::NotFinite { file, array, row: self.row_in_file(name, row), column, found, advice }
            }
            other => other,
        }
    }

    /// Hands on one integer or string a row, some rows at a time, and says what the array is.
    fn each_identifier(
        &mut self,
        name: &str,
        role: IdentifierRole,
        take: &mut dyn FnMut(Array<'_>, usize),
    ) -> Result<Outline, FeatureError> {
        let file = self.file();
        // Gaps among labels are told with the labels.
        let whole = |start: usize, array| match array {
            Array { values: Values::WithGaps(..), .. } if role == IdentifierRole::Label => Ok(array),
            _ => complete(&file, name, start, array),
        };
        let Some(outline) = self.outline(name)? else {
            let array = match self.array(name).and_then(|array| whole(0, array)) {
                Ok(array) => array,
                Err(error) => return Err(self.in_file(name, error)),
            };
            let outline = array.outline();
            let rows = check_identifiers(&file, name, &outline, role).map_err(|error| several(error, role, &array))?;
            take(array, rows);
            return Ok(outline);
        };
        let rows = match check_identifiers(&file, name, &outline, role) {
            Ok(rows) => rows,
            Err(error) => {
                let first = 0..outline.shape.first().copied().unwrap_or_default().min(IDENTIFIERS_AT_A_TIME);
                return Err(match self.rows(name, first) {
                    Ok(array) => several(error, role, &array),
                    Err(_) => error,
                });
            }
        };
        memory::check(rows, size_of::<Label>()).map_err(|shortage| too_large(&file, name, &outline, shortage))?;
        for start in (0..rows).step_by(IDENTIFIERS_AT_A_TIME) {
            let part = start..rows.min(start + IDENTIFIERS_AT_A_TIME);
            let length = part.len();
            match self.rows(name, part).and_then(|array| whole(start, array)) {
                Ok(array) => take(array, length),
                Err(error) => return Err(self.in_file(name, error)),
            }
        }
        Ok(outline)
    }
}

/// What an array of text is where numbers should be, if its texts tell how to make numbers of them.
pub(super) fn with_remark(outline: Outline, remark: &mut dyn FnMut() -> Option<Unusable>) -> Outline {
    match Some(remark).filter(|_| outline.kind == Kind::Strings).and_then(|remark| remark()) {
        Some(Unusable { what, mend: Some(mend) }) => {
            let kind = Kind::Other(Unusable::with_mend(what.trim_end_matches(','), mend));
            Outline { kind, ..outline }
        }
        _ => outline,
    }
}

/// Labels of several columns: one-hot rows, or several labels a row.
fn several(error: FeatureError, role: IdentifierRole, array: &Array<'_>) -> FeatureError {
    let (Values::Numbers(numbers), &[rows, columns]) = (&array.values, array.shape.as_slice()) else {
        return error;
    };
    let is_one_hot = |row: usize| (0..columns).map(|column| numbers.at(&[row, column]).to_f64()).sum::<f64>() == 1.0;
    match error {
        FeatureError::Shape { file, array, found, .. }
            if role == IdentifierRole::Label && columns > 1 && !(0..rows).all(is_one_hot) =>
        {
            let expected = "labels need [rows], one a row, and there are several labels a row; take one of the columns, e.g. y[:, 0]";
            FeatureError::Shape { file, array, found, expected }
        }
        other => other,
    }
}

/// An array that starts at a row, if none of its rows is incomplete.
fn complete<'a>(file: &str, name: &str, start: usize, array: Array<'a>) -> Result<Array<'a>, FeatureError> {
    let incomplete = match array.values {
        Values::Incomplete(incomplete) => incomplete,
        Values::WithGaps(_, gaps) => Incomplete::Null { row: gaps.first().copied().unwrap_or_default() },
        _ => return Ok(array),
    };
    let (file, array) = (file.to_owned(), name.to_owned());
    Err(match incomplete {
        Incomplete::Null { row } => FeatureError::Null { file, array, row: start + row },
        Incomplete::Ragged { row, found, expected } => {
            FeatureError::Ragged { file, array, row: start + row, found, expected }
        }
    })
}

/// Room for a matrix, if there is memory for it. The system gives zeros for nothing, when they are first written to.
fn zeros(file: &str, name: &str, rows: usize, columns: usize) -> Result<Vec<f64>, FeatureError> {
    let outline = Outline { shape: vec![rows, columns], kind: Kind::Strings };
    let too_large = |shortage| too_large(file, name, &outline, shortage);
    let numbers = rows.checked_mul(columns).ok_or_else(|| too_large(Shortage::BEYOND))?;
    memory::check(numbers, size_of::<f64>()).map_err(too_large)?;
    bytemuck::try_zeroed_vec(numbers).map_err(|()| too_large(Shortage::of(numbers, size_of::<f64>())))
}

/// The integers or strings of rows.
fn labels_of(array: Array<'_>, rows: usize) -> Vec<Label> {
    match array.values {
        Values::Numbers(numbers) => (0..rows)
            .filter_map(|row| match numbers.at(&[row]) {
                Number::Integer(value) => Some(Label::Integer(value)),
                Number::Float(_) => None,
            })
            .collect(),
        Values::Strings(texts) => texts.into_iter().map(Label::Text).collect(),
        Values::WithGaps(..) | Values::Other(_) | Values::Incomplete(_) => Vec::new(),
    }
}

/// Rows and columns of an array that may serve as a matrix: of numbers, at least one by one.
pub(super) fn check_matrix(
    file: &str,
    name: &str,
    outline: &Outline,
    role: MatrixRole,
) -> Result<(usize, usize), FeatureError> {
    match &outline.kind {
        Kind::Numbers(element) if role.takes_integers() || element.is_float() => {}
        _ => return Err(element_type(file, name, outline, role.element_type())),
    }
    match outline.shape.as_slice() {
        &[rows, columns] if rows > 0 && columns > 0 => Ok((rows, columns)),
        [_, _] => Err(empty(file, name, outline)),
        shape => Err(wrong_shape(file, name, outline, role.shape(shape.len()))),
    }
}

/// The rows of an array that may serve as labels or ids: integers or strings, at least one.
pub(super) fn check_identifiers(
    file: &str,
    name: &str,
    outline: &Outline,
    role: IdentifierRole,
) -> Result<usize, FeatureError> {
    match &outline.kind {
        // Missing labels make numbers of floating point of integers.
        Kind::Numbers(element) if !element.is_float() => {}
        Kind::Numbers(_) if role == IdentifierRole::Label && outline.shape.len() == 1 => {}
        Kind::Strings => {}
        _ => return Err(element_type(file, name, outline, role.element_type())),
    }
    match outline.shape.as_slice() {
        &[rows] if rows > 0 => Ok(rows),
        [_] => Err(empty(file, name, outline)),
        _ => Err(wrong_shape(file, name, outline, role.shape())),
    }
}

pub(super) fn missing_array(file: &str, name: &str, names: &BTreeSet<String>) -> FeatureError {
    let advice = advice::for_missing(file, name, names);
    let names: Vec<String> = names.iter().cloned().collect();
    FeatureError::MissingArray {
        file: file.to_owned(),
        array: name.to_owned(),
        available: if names.is_empty() { "none".to_owned() } else { listed(&names) },
        advice,
    }
}

pub(super) fn corrupted(file: &str, format: Format, Corrupt(reason): Corrupt) -> FeatureError {
    FeatureError::Corrupt { file: file.to_owned(), format: format.name(), reason }
}

/// Why a file is not open.
pub(super) fn not_opened(path: &Path, format: Format, refusal: NotOpened) -> FeatureError {
    let file = path.display().to_string();
    match refusal {
        NotOpened::Io(error) => unreadable(path, error),
        NotOpened::Corrupt(corrupt) => corrupted(&file, format, corrupt),
        NotOpened::Refused(reason) => FeatureError::Table { file, reason },
        NotOpened::Whole => FeatureError::NotByRows {
            file,
            reason: format!("a {} file is read as a whole; save it as .safetensors, .npz or .parquet", format.name()),
        },
    }
}

fn too_large(file: &str, name: &str, outline: &Outline, shortage: Shortage) -> FeatureError {
    let Shortage { needed, available } = shortage;
    FeatureError::TooLarge {
        file: file.to_owned(),
        array: name.to_owned(),
        shape: outline.shape_text(),
        needed,
        available,
    }
}

pub(super) fn element_type(file: &str, name: &str, outline: &Outline, expected: &'static str) -> FeatureError {
    let (file, array, found) = (file.to_owned(), name.to_owned(), outline.type_name().to_owned());
    let mend = match &outline.kind {
        Kind::Other(unusable) => unusable.mend.clone(),
        Kind::Numbers(_) | Kind::Strings => None,
    };
    FeatureError::ElementType { file, array, found, expected: mend.unwrap_or_else(|| expected.to_owned()) }
}

fn wrong_shape(file: &str, name: &str, outline: &Outline, expected: &'static str) -> FeatureError {
    FeatureError::Shape { file: file.to_owned(), array: name.to_owned(), found: outline.shape_text(), expected }
}

fn empty(file: &str, name: &str, outline: &Outline) -> FeatureError {
    FeatureError::Empty { file: file.to_owned(), array: name.to_owned(), found: outline.shape_text() }
}
