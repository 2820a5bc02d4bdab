//! Arrays of an opened file, read for the roles they serve in: a modality, logits, labels, ids, groups.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use lsmi_core::SampleIds;

use super::checks::{
    check_identifiers, check_matrix, complete, element_type, labels_of, missing_array, several, too_large, with_remark,
    zeros,
};
use super::fill::Fill;
use super::presence::Lacking;
use super::roles::{IdentifierRole, MatrixRole};
use crate::features::array::{Array, Corrupt, Element, Incomplete, Kind, Outline, Values};
use crate::features::columns::metadata::{MetadataColumn, MetadataType};
use crate::features::error::{FeatureError, advice, corrupted};
use crate::features::format::{Container, Format};
use crate::features::groups::Groups;
use crate::features::keys::splits::SplitArrays;
use crate::features::labels::Labels;
use crate::features::labels::classes::{Label, first_repeat};
use crate::features::labels::missing::Missing;
use crate::numbers::matrix::Matrix;
use crate::numbers::memory;

/// Returns rows that have no value.
fn nothing(rows: usize, columns: usize) -> Result<Array<'static>, Corrupt> {
    let bytes = f64::NAN.to_le_bytes().repeat(rows * columns);
    Array::contiguous(vec![rows, columns], Element::F64, Cow::Owned(bytes))
}

/// Labels or ids that are read at a time.
const IDENTIFIERS_AT_A_TIME: usize = 1 << 16;

/// An opened feature file, or a window of its rows.
pub(crate) struct Source<'a> {
    file: &'a str,
    format: Format,
    container: &'a mut dyn Container,
    names: BTreeSet<String>,
    /// The rows that all arrays are cut to, if only some are read.
    window: Option<Range<usize>>,
}

impl<'a> Source<'a> {
    pub(crate) fn new(file: &'a str, format: Format, container: &'a mut dyn Container) -> Self {
        Self { file, format, names: container.names(), container, window: None }
    }

    /// Cuts all arrays to some of their rows.
    pub(super) fn of_rows(self, rows: Range<usize>) -> Self {
        Self { window: Some(rows), ..self }
    }

    pub(super) fn file(&self) -> String {
        self.file.to_owned()
    }

    /// Returns the names of all arrays.
    pub(super) fn names(&self) -> &BTreeSet<String> {
        &self.names
    }

    /// Says how the file was understood, in sentences for the user.
    pub(super) fn notes(&self) -> Vec<String> {
        self.container.notes()
    }

    /// Returns the row of an array in the file that is this row of the array here.
    fn row_of_array(&self, row: usize) -> usize {
        self.window.as_ref().map_or(0, |window| window.start) + row
    }

    /// Returns the row of the file that is this row of an array.
    pub(super) fn row_in_file(&self, array: &str, row: usize) -> usize {
        self.container.row_in_file(array, self.row_of_array(row))
    }

    /// Numbers the rows of an array as ids.
    pub(super) fn row_ids(&self, array: &str, rows: usize) -> Result<SampleIds, FeatureError> {
        if self.window.is_none() && !self.container.has_split_column() {
            return Ok(SampleIds::rows(rows));
        }
        let numbers = (0..rows).filter_map(|row| i64::try_from(self.row_in_file(array, row)).ok()).collect();
        SampleIds::from_numbers(numbers).map_err(|error| self.unusable_ids("row", error))
    }

    /// Lists the columns of a table that belong to none of these arrays. There are none in a table whose splits are
    /// columns side by side, for it cannot be told which of its samples a row's value is about.
    pub(super) fn metadata_columns(&self, splits: &[&SplitArrays]) -> Vec<(String, MetadataType)> {
        if splits.len() > 1 && !self.container.has_split_column() {
            return Vec::new();
        }
        let arrays = splits.iter().flat_map(|split| split.all()).cloned().collect();
        self.container.metadata_columns(&arrays)
    }

    /// Reads the values that columns of a table have in the rows of a split.
    pub(super) fn metadata_values(
        &mut self,
        split: &SplitArrays,
        columns: &[(String, MetadataType)],
    ) -> Result<Vec<MetadataColumn>, FeatureError> {
        let names: Vec<String> = columns.iter().map(|(name, _)| name.clone()).collect();
        let rows = match &self.window {
            Some(window) => window.clone(),
            None => 0..self.outline(&split.x1)?.shape.first().copied().unwrap_or(1),
        };
        let values = self.container.metadata_values(&split.x1, &names, rows);
        values.map_err(|corrupt| corrupted(self.file, self.format, corrupt))
    }

    /// Returns the rows and columns of a matrix that may serve in a role.
    pub(super) fn matrix_shape(&mut self, name: &str, role: MatrixRole) -> Result<(usize, usize), FeatureError> {
        let outline = self.outline(name)?;
        let remark = if outline.kind == Kind::Strings { self.container.remark(name) } else { None };
        check_matrix(self.file, name, &with_remark(outline, remark), role).map_err(|error| self.advised(error))
    }

    /// Reads a modality or a model's logits: a matrix of finite numbers, at least one by one.
    pub(super) fn matrix(&mut self, name: &str, role: MatrixRole) -> Result<Matrix, FeatureError> {
        self.matrix_with_gaps(name, role, None)
    }

    /// Reads the same with rows that have no value, which are noted in `lacking`.
    pub(super) fn matrix_with_gaps(
        &mut self,
        name: &str,
        role: MatrixRole,
        lacking: Option<&Lacking>,
    ) -> Result<Matrix, FeatureError> {
        let (file, (rows, columns)) = (self.file(), self.matrix_shape(name, role)?);
        let values = self.filled(rows, &Fill { file: &file, name, role, columns, steps: None, lacking })?;
        self.matrix_of(values, columns)
    }

    /// Reads the values of a matrix of this number of rows.
    pub(super) fn filled(&mut self, rows: usize, matrix: &Fill<'_>) -> Result<Vec<f64>, FeatureError> {
        let (file, name) = (matrix.file, matrix.name);
        let mut values = zeros(file, name, rows, matrix.columns)?;
        let (opened, format) = (self.file, self.format);
        let complete = |start: usize, array: Array<'static>| match &array.values {
            // Rows that may lack all values are told from those that may not by who fills them in.
            Values::WithGaps(..) if matrix.lacking.is_some() => Ok(array),
            // None of these rows has a list.
            Values::Incomplete(Incomplete::Null { .. }) if matrix.lacking.is_some() && array.row_length() == 0 => {
                nothing(array.shape[0], matrix.columns).map_err(|corrupt| corrupted(opened, format, corrupt))
            }
            _ => complete(file, name, start, array),
        };
        let filled = if self.container.obstacle(name).is_some() {
            let array = self.rows(name, 0..rows).and_then(|array| complete(0, array));
            array.and_then(|array| matrix.fill(&array, 0, &mut values))
        } else {
            matrix.fill_in_blocks(&mut values, &mut |rows| {
                let start = rows.start;
                complete(start, self.rows(name, rows)?)
            })
        };
        filled.map_err(|error| self.in_file(name, error))?;
        Ok(values)
    }

    /// Makes a matrix of its values.
    pub(super) fn matrix_of(&self, values: Vec<f64>, columns: usize) -> Result<Matrix, FeatureError> {
        Matrix::new(values.len() / columns.max(1), columns, values).map_err(|error| FeatureError::Corrupt {
            file: self.file(),
            format: self.format.name(),
            reason: error.to_string(),
        })
    }

    /// Reads labels: integers, booleans or strings, and whole numbers of floating point where others are missing. A
    /// missing label is an error unless such rows are left out.
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

    /// Reads one integer or string a row.
    pub(super) fn identifier_values(&mut self, name: &str, role: IdentifierRole) -> Result<Vec<Label>, FeatureError> {
        let mut values = Vec::new();
        self.each_identifier(name, role, &mut |array, rows| values.extend(labels_of(array, rows)))?;
        Ok(values)
    }

    /// Reads groups: integers or strings, none of them missing.
    pub(super) fn groups(&mut self, name: &str) -> Result<Groups, FeatureError> {
        let values = self.identifier_values(name, IdentifierRole::Group)?;
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

    /// Reads ids: distinct integers or strings.
    pub(super) fn ids(&mut self, name: &str) -> Result<SampleIds, FeatureError> {
        let ids = self.identifier_values(name, IdentifierRole::Id)?;
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

    /// Takes distinct ids from the metadata.
    pub(super) fn listed_ids(&self, key: &str, ids: &[String]) -> Result<SampleIds, FeatureError> {
        SampleIds::from_names(ids).map_err(|error| self.unusable_ids(key, error))
    }

    /// Returns the names of the labels 0, 1, ... in the metadata key `classes`, if it is there.
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

    /// Parses the list of strings under a key of the metadata.
    pub(super) fn metadata_list(&self, key: &str) -> Result<Option<Vec<String>>, FeatureError> {
        self.container
            .metadata(key)
            .map(serde_json::from_str)
            .transpose()
            .map_err(|error| self.metadata_error(key, format!("is no JSON list of strings ({error}); write one")))
    }

    pub(super) fn metadata_error(&self, key: &str, reason: String) -> FeatureError {
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

    /// Puts advice into the words of those who write such files.
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

    /// Checks that the rows of an array can be read one after the other.
    pub(super) fn check_by_rows(&mut self, name: &str) -> Result<(), FeatureError> {
        match self.container.obstacle(name) {
            Some(obstacle) => {
                Err(FeatureError::NotByRows { file: self.file(), reason: format!("`{name}`: {obstacle}") })
            }
            None => Ok(()),
        }
    }

    /// Describes an array.
    pub(super) fn outline(&mut self, name: &str) -> Result<Outline, FeatureError> {
        if !self.names.contains(name) {
            return Err(missing_array(self.file, name, &self.names));
        }
        let outline = self.container.outline(name);
        let mut outline = outline.map_err(|corrupt| corrupted(self.file, self.format, corrupt))?;
        if let (Some(window), Some(rows)) = (&self.window, outline.shape.first_mut()) {
            *rows = window.len();
        }
        Ok(outline)
    }

    /// Reads some rows of an array.
    pub(super) fn rows(&mut self, name: &str, rows: Range<usize>) -> Result<Array<'static>, FeatureError> {
        let taken = self.container.rows(name, self.row_of_array(rows.start)..self.row_of_array(rows.end));
        taken.map_err(|corrupt| corrupted(self.file, self.format, corrupt))
    }

    /// Counts the row of an error in the file instead of the array.
    pub(super) fn in_file(&self, name: &str, error: FeatureError) -> FeatureError {
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
            FeatureError::Sequence(error) => error.at_row(|row| self.row_in_file(name, row)).into(),
            other => other,
        }
    }

    /// Describes an array that may serve as labels, ids or groups.
    pub(super) fn identifiers(&mut self, name: &str, role: IdentifierRole) -> Result<Outline, FeatureError> {
        let outline = self.outline(name)?;
        let Err(error) = check_identifiers(self.file, name, &outline, role) else { return Ok(outline) };
        let all = outline.shape.first().copied().unwrap_or(1);
        let first = if self.container.obstacle(name).is_some() { all } else { all.min(IDENTIFIERS_AT_A_TIME) };
        let error = match self.rows(name, 0..first) {
            Ok(array) => several(error, role, &array),
            Err(_) => error,
        };
        Err(self.advised(error))
    }

    /// Passes on one integer or string a row, some rows at a time, and describes the array.
    fn each_identifier(
        &mut self,
        name: &str,
        role: IdentifierRole,
        take: &mut dyn FnMut(Array<'_>, usize),
    ) -> Result<Outline, FeatureError> {
        let outline = self.identifiers(name, role)?;
        let rows = outline.shape.iter().product();
        memory::check(rows, size_of::<Label>()).map_err(|shortage| too_large(self.file, name, &outline, shortage))?;
        let step = if self.container.obstacle(name).is_some() { rows } else { IDENTIFIERS_AT_A_TIME };
        for start in (0..rows).step_by(step.max(1)) {
            let part = start..rows.min(start + step);
            let length = part.len();
            let array = self.rows(name, part).and_then(|array| match array {
                // Gaps among labels are told with the labels.
                Array { values: Values::WithGaps(..), .. } if role == IdentifierRole::Label => Ok(array),
                _ => complete(self.file, name, start, array),
            });
            take(array.map_err(|error| self.in_file(name, error))?, length);
        }
        Ok(outline)
    }
}
