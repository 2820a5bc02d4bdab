//! Arrays taken from an open file for what they are to be: a modality, logits, labels, ids.
//!
//! Here it is decided which element types and shapes may serve; every refusal says what to do instead.

use std::collections::BTreeSet;

use lsmi_core::SampleIds;

use super::array::{Array, Corrupt, Incomplete, Kind, Number, Outline, Values};
use super::classes::{Label, first_repeat};
use super::error::FeatureError;
use super::format::{Container, Format};
use crate::matrix::Matrix;

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

    fn element_type(self) -> &'static str {
        match self {
            Self::Modality => "features must be numbers; convert them, e.g. x.astype('float32')",
            Self::Logits => {
                "logits must be floating-point numbers: what goes into the softmax, or log-probabilities; not the predicted class"
            }
        }
    }

    fn shape(self, dimensions: usize) -> &'static str {
        match (self, dimensions) {
            (Self::Modality, 0 | 1) => "features need [rows, columns]; for one feature, x.reshape(-1, 1)",
            (Self::Modality, _) => "features need [rows, columns]; flatten each row, x.reshape(len(x), -1)",
            (Self::Logits, 0 | 1) => {
                "logits need [rows, classes]; for the one logit z, of the second of two classes, np.stack([0 * z, z], axis=1)"
            }
            (Self::Logits, _) => "logits need [rows, classes]; make it one row a sample, one column a class",
        }
    }

    fn not_finite(self, value: f64) -> &'static str {
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
}

impl IdentifierRole {
    fn element_type(self) -> &'static str {
        match self {
            Self::Label => {
                "labels must be integers or strings: y.astype(str) for text, y.astype('int64') for class numbers, y.argmax(axis=1) for one-hot rows, bins for a continuous target"
            }
            Self::Id => "ids must be integers or strings: id.astype(str) for text, id.astype('int64') for numbers",
        }
    }

    fn shape(self) -> &'static str {
        match self {
            Self::Label => "labels need [rows]; use y.reshape(-1), or y.argmax(axis=1) if they are one-hot",
            Self::Id => "ids need [rows]; use id.reshape(-1)",
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

/// Which rows of the file the arrays of a [`Source`] are.
#[derive(Clone, Copy)]
pub(super) struct Window<'a> {
    /// The row of the file that is row 0 of the arrays.
    pub(super) first_row: usize,
    /// The ids that the metadata give these rows, if they do.
    pub(super) metadata_ids: Option<&'a [String]>,
}

impl<'a> Source<'a> {
    pub(super) fn open(file: &'a str, bytes: &'a [u8], format: Format) -> Result<Self, FeatureError> {
        let container = format.open(bytes).map_err(|corrupt| corrupted(file, format, corrupt))?;
        Ok(Self { file, format, names: container.names(), container, window: None })
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

    /// The row of the file that is row 0 of the arrays.
    pub(super) fn first_row(&self) -> usize {
        self.window.map_or(0, |window| window.first_row)
    }

    /// The row numbers as ids.
    pub(super) fn row_ids(&self, rows: usize) -> Result<SampleIds, FeatureError> {
        let Some(Window { first_row, .. }) = self.window else { return Ok(SampleIds::rows(rows)) };
        let numbers = (first_row..first_row + rows).filter_map(|row| i64::try_from(row).ok()).collect();
        SampleIds::from_numbers(numbers).map_err(|error| self.unusable_ids("row", error))
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
        let (file, first_row) = (self.file(), self.first_row());
        let array = self.array(name)?;
        let (rows, columns) = check_matrix(&file, name, &array.outline(), role)?;
        let Values::Numbers(numbers) = &array.values else {
            return Err(element_type(&file, name, &array.outline(), role.element_type()));
        };
        let mut values = Vec::with_capacity(rows * columns);
        for row in 0..rows {
            for column in 0..columns {
                let value = numbers.at(&[row, column]).to_f64();
                if !value.is_finite() {
                    let advice = role.not_finite(value);
                    return Err(FeatureError::NotFinite {
                        file,
                        array: name.to_owned(),
                        row: first_row + row,
                        column,
                        found: value,
                        advice,
                    });
                }
                values.push(value);
            }
        }
        Matrix::new(rows, columns, values).map_err(|error| FeatureError::Corrupt {
            file,
            format: self.format.name(),
            reason: error.to_string(),
        })
    }

    /// The labels: integers, booleans or strings.
    pub(super) fn labels(&mut self, name: &str) -> Result<Vec<Label>, FeatureError> {
        self.identifiers(name, IdentifierRole::Label)
    }

    /// The ids in an array: distinct integers or strings.
    pub(super) fn ids(&mut self, name: &str) -> Result<SampleIds, FeatureError> {
        let ids = self.identifiers(name, IdentifierRole::Id)?;
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
                let first_row = self.first_row();
                FeatureError::DuplicateId { file, array, id, first: first_row + first, second: first_row + second }
            }
            source => FeatureError::Ids { file, array, source },
        }
    }

    fn array(&mut self, name: &str) -> Result<Array<'_>, FeatureError> {
        if !self.names.contains(name) {
            return Err(missing_array(self.file, name, &self.names));
        }
        let (file, format, first_row) = (self.file, self.format, self.first_row());
        let array = self.container.array(name).map_err(|corrupt| corrupted(file, format, corrupt))?;
        let (file, name) = (file.to_owned(), name.to_owned());
        match array.values {
            Values::Incomplete(Incomplete::Null { row }) => {
                Err(FeatureError::Null { file, array: name, row: first_row + row })
            }
            Values::Incomplete(Incomplete::Ragged { row, found, expected }) => {
                Err(FeatureError::Ragged { file, array: name, row: first_row + row, found, expected })
            }
            _ => Ok(array),
        }
    }

    /// One integer or string a row.
    fn identifiers(&mut self, name: &str, role: IdentifierRole) -> Result<Vec<Label>, FeatureError> {
        let file = self.file();
        let array = self.array(name)?;
        let rows = check_identifiers(&file, name, &array.outline(), role)?;
        Ok(match array.values {
            Values::Numbers(numbers) => (0..rows)
                .filter_map(|row| match numbers.at(&[row]) {
                    Number::Integer(value) => Some(Label::Integer(value)),
                    Number::Float(_) => None,
                })
                .collect(),
            Values::Strings(texts) => texts.into_iter().map(Label::Text).collect(),
            Values::Other(_) | Values::Incomplete(_) => Vec::new(),
        })
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
        Kind::Numbers(element) if !element.is_float() => {}
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
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    FeatureError::MissingArray {
        file: file.to_owned(),
        array: name.to_owned(),
        available: match names.as_slice() {
            [] => "none".to_owned(),
            names => names.join(", "),
        },
    }
}

pub(super) fn corrupted(file: &str, format: Format, Corrupt(reason): Corrupt) -> FeatureError {
    FeatureError::Corrupt { file: file.to_owned(), format: format.name(), reason }
}

fn element_type(file: &str, name: &str, outline: &Outline, expected: &'static str) -> FeatureError {
    let (file, array, found) = (file.to_owned(), name.to_owned(), outline.type_name().to_owned());
    FeatureError::ElementType { file, array, found, expected }
}

fn wrong_shape(file: &str, name: &str, outline: &Outline, expected: &'static str) -> FeatureError {
    FeatureError::Shape { file: file.to_owned(), array: name.to_owned(), found: outline.shape_text(), expected }
}

fn empty(file: &str, name: &str, outline: &Outline) -> FeatureError {
    FeatureError::Empty { file: file.to_owned(), array: name.to_owned(), found: outline.shape_text() }
}
