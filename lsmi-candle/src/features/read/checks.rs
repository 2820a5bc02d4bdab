//! Which element types and shapes may serve in a role; every refusal says what to do instead.

use std::collections::BTreeSet;

use super::roles::{IdentifierRole, MatrixRole};
use crate::features::array::{Array, Incomplete, Kind, Number, Outline, Unusable, Values};
use crate::features::error::{FeatureError, advice, listed};
use crate::features::labels::classes::Label;
use crate::numbers::matrix::Matrix;
use crate::numbers::memory::{self, Shortage};

/// Returns the rows and columns of an array that may serve as a matrix: of numbers, at least one by one.
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
        &[rows] if rows > 0 && role == MatrixRole::Target => Ok((rows, 1)),
        [_] if role == MatrixRole::Target => Err(empty(file, name, outline)),
        [_, _] => Err(empty(file, name, outline)),
        shape => Err(wrong_shape(file, name, outline, role.shape(shape.len()))),
    }
}

/// Returns the rows of an array that may serve as labels, ids or groups: integers or strings, at least one.
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

/// Describes an array of text where numbers should be by a remark that tells how to make numbers of its texts.
pub(super) fn with_remark(outline: Outline, remark: Option<Unusable>) -> Outline {
    match remark {
        Some(Unusable { what, mend: Some(mend) }) => {
            let kind = Kind::Other(Unusable::with_mend(what.trim_end_matches(','), mend));
            Outline { kind, ..outline }
        }
        _ => outline,
    }
}

/// Tells one-hot rows from several labels a row, in an error about labels of several columns.
pub(super) fn several(error: FeatureError, role: IdentifierRole, array: &Array<'_>) -> FeatureError {
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

/// Checks that none of the rows of an array is incomplete; the first of them is the row `start`.
pub(super) fn complete<'a>(file: &str, name: &str, start: usize, array: Array<'a>) -> Result<Array<'a>, FeatureError> {
    let incomplete = match &array.values {
        Values::Incomplete(incomplete) => *incomplete,
        Values::WithGaps(_, gaps) => Incomplete::Null { row: array.row_of(gaps.first().copied().unwrap_or_default()) },
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

/// Checks that the rows of a modality are not all equal.
pub(in crate::features) fn check_varies(file: &str, name: &str, matrix: &Matrix) -> Result<(), FeatureError> {
    if (1..matrix.rows()).any(|row| matrix.row(row) != matrix.row(0)) {
        return Ok(());
    }
    let (file, array) = (file.to_owned(), name.to_owned());
    Err(FeatureError::ConstantModality { file, array, rows: matrix.rows() })
}

/// Allocates a matrix, if there is memory for it. Zeros cost nothing until they are written to.
pub(super) fn zeros(file: &str, name: &str, rows: usize, columns: usize) -> Result<Vec<f64>, FeatureError> {
    let outline = Outline { shape: vec![rows, columns], kind: Kind::Strings };
    let too_large = |shortage| too_large(file, name, &outline, shortage);
    let numbers = rows.checked_mul(columns).ok_or_else(|| too_large(Shortage::BEYOND))?;
    memory::check(numbers, size_of::<f64>()).map_err(too_large)?;
    bytemuck::try_zeroed_vec(numbers).map_err(|()| too_large(Shortage::of(numbers, size_of::<f64>())))
}

/// Returns the integers or strings of rows.
pub(super) fn labels_of(array: Array<'_>, rows: usize) -> Vec<Label> {
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

pub(super) fn missing_array(file: &str, name: &str, names: &BTreeSet<String>) -> FeatureError {
    let (advice, can_be_named) = advice::for_missing(file, name, names);
    let names: Vec<String> = names.iter().cloned().collect();
    FeatureError::MissingArray {
        file: file.to_owned(),
        array: name.to_owned(),
        available: if names.is_empty() { "none".to_owned() } else { listed(&names) },
        advice,
        can_be_named,
    }
}

pub(super) fn too_large(file: &str, name: &str, outline: &Outline, shortage: Shortage) -> FeatureError {
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

pub(super) fn empty(file: &str, name: &str, outline: &Outline) -> FeatureError {
    FeatureError::Empty { file: file.to_owned(), array: name.to_owned(), found: outline.shape_text() }
}
