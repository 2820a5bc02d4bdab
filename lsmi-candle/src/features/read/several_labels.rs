//! Reading of samples with several labels each: `y` of `[rows, labels]`, a column of lists, or numbered columns.
//!
//! A label is 0 or 1, of integers, booleans or floating-point numbers. Where there is nothing, NaN or -1, it is missing: an
//! error unless [`Missing::Drop`] says that such rows are left out, of that label alone.

use std::path::Path;

use super::checks::{complete, element_type, too_large};
use super::source::Source;
use super::splits::Splits;
use super::{check_varied, metadata, read_groups, read_samples};
use crate::features::array::{Array, Kind, Number, Values};
use crate::features::data::Data;
use crate::features::error::FeatureError;
use crate::features::keys::Keys;
use crate::features::keys::splits::LabelUse;
use crate::features::labels::classes::{Classes, first_repeat};
use crate::features::labels::matrix::LabelMatrix;
use crate::features::labels::missing::Missing;
use crate::features::set::FeatureSet;
use crate::features::set::file::{FeatureFile, LabelsFile, Split};
use crate::features::several::unused_modalities;
use crate::numbers::memory;

/// Labels that are read at a time.
const LABELS_AT_A_TIME: usize = 1 << 16;
/// The key of the metadata that names the labels.
const NAMES: &str = "labels";
const ELEMENT_TYPE: &str =
    "several labels must be 0 or 1, or missing: nothing, NaN or -1; convert them, e.g. y.astype('int8')";
const SHAPE: &str = "several labels need [rows, labels], one column a label; for a single one, y.reshape(-1, 1)";

impl Data {
    /// Reads samples with several labels each. The class indices of the samples are all 0.
    ///
    /// The labels are called as the metadata key `labels` says, a JSON list; otherwise `y_0`, `y_1` and so on. For training
    /// there must be a split `train`; `known` are the labels that a file to be evaluated must have, in this order.
    ///
    /// # Errors
    /// [`FeatureError`] as for [`read`](crate::features::read); [`FeatureError::LabelValue`] for a label that is neither 0, 1
    /// nor missing, [`FeatureError::MissingLabel`] for a missing one unless they are left out.
    pub fn read_several_labels(&self, keys: &Keys, known: Option<&[String]>) -> Result<LabelsFile, FeatureError> {
        let (file, (format, mut container)) = (self.to_string(), self.open()?);
        let mut source = Source::new(&file, format, container.as_mut());
        load(self.path(), &mut source, &self.keys(keys), known)
    }
}

/// Loads all splits of a file with several labels each.
pub(in crate::features) fn load(
    path: &Path,
    source: &mut Source<'_>,
    keys: &Keys,
    known: Option<&[String]>,
) -> Result<LabelsFile, FeatureError> {
    let found = Splits::find(source, keys, LabelUse::Several, known.is_none())?;
    let (mut notes, mut splits, mut labels) = (source.notes(), Vec::new(), Vec::new());
    notes.extend(found.note_on_pooling(keys));
    notes.extend(unused_modalities(source.names(), keys));
    for split in &found.all {
        let (arrays, name) = (&split.arrays, split.size.name.clone());
        let samples = read_samples(source, split)?;
        if known.is_none() && splits.is_empty() {
            check_varied(&source.file(), arrays, &samples)?;
        }
        let groups = read_groups(source, split, keys, &samples)?;
        let (columns, values) = source.label_matrix(&arrays.label, keys.missing)?;
        let names = source.label_names(&arrays.label, keys, columns, known)?;
        let missing = values.iter().filter(|value| value.is_none()).count();
        if missing > 0 {
            let all = values.len();
            notes.push(format!(
                "{missing} of {all} labels in `{}` are missing; their rows were left out of these labels alone",
                arrays.label
            ));
        }
        let matrix =
            LabelMatrix::new(names, values).unwrap_or_else(|| unreachable!("a value for every column and row"));
        labels.push(Split { name: name.clone(), features: matrix });
        let rows = samples.rows();
        let features = FeatureSet {
            ids: samples.ids,
            x1: samples.x1,
            x2: samples.x2,
            labels: vec![0; rows],
            logits: samples.logits,
            groups,
        };
        splits.push(Split { name, features });
    }
    let (metadata, path) = (metadata(source, &found)?, path.to_owned());
    Ok(LabelsFile {
        table: FeatureFile { splits, partial: Vec::new(), metadata, classes: Classes::none(), notes, path },
        labels,
    })
}

impl Source<'_> {
    /// Returns the rows and columns of an array that may serve as several labels a row.
    pub(super) fn label_matrix_shape(&mut self, name: &str) -> Result<(usize, usize), FeatureError> {
        let outline = self.outline(name)?;
        if !matches!(outline.kind, Kind::Numbers(_)) {
            return Err(element_type(&self.file(), name, &outline, ELEMENT_TYPE));
        }
        let (file, array, found) = (self.file(), name.to_owned(), outline.shape_text());
        match outline.shape.as_slice() {
            &[rows, columns] if rows > 0 && columns > 0 => {
                memory::check(rows.saturating_mul(columns), size_of::<Option<bool>>())
                    .map_err(|shortage| too_large(&file, name, &outline, shortage))?;
                Ok((rows, columns))
            }
            [_, _] => Err(FeatureError::Empty { file, array, found }),
            _ => Err(FeatureError::Shape { file, array, found, expected: SHAPE }),
        }
    }

    /// Reads several labels a row, row-major, and how many there are.
    fn label_matrix(&mut self, name: &str, missing: Missing) -> Result<(usize, Vec<Option<bool>>), FeatureError> {
        let (rows, columns) = self.label_matrix_shape(name)?;
        let is_by_rows = self.check_by_rows(name).is_ok();
        let step = if is_by_rows { (LABELS_AT_A_TIME / columns).max(1) } else { rows };
        let mut all = Vec::with_capacity(rows * columns);
        for start in (0..rows).step_by(step) {
            let part = start..rows.min(start + step);
            let length = part.len();
            let array = match self.rows(name, part)? {
                array @ Array { values: Values::Incomplete(_), .. } => {
                    complete(&self.file(), name, start, array).map_err(|error| self.in_file(name, error))?
                }
                array => array,
            };
            if array.row_length() != columns {
                let (file, array, found) = (self.file(), name.to_owned(), array.row_length());
                let error = FeatureError::Ragged { file, array, row: start, found, expected: columns };
                return Err(self.in_file(name, error));
            }
            self.take_labels(name, start, length * columns, &array, &mut all)?;
        }
        let place = all.iter().position(Option::is_none).filter(|_| missing != Missing::Drop);
        let Some(place) = place else { return Ok((columns, all)) };
        let rows_without = all.chunks_exact(columns).filter(|row| row.contains(&None)).count();
        let (file, row) = (self.file(), self.row_in_file(name, place / columns));
        let array = format!("{name}[:, {}]", place % columns);
        Err(FeatureError::MissingLabel { file, array, row, found: String::new(), others: rows_without - 1 })
    }

    /// Appends the labels of some rows.
    fn take_labels(
        &self,
        name: &str,
        start: usize,
        count: usize,
        array: &Array<'static>,
        all: &mut Vec<Option<bool>>,
    ) -> Result<(), FeatureError> {
        let columns = array.row_length();
        let (values, gaps) = match &array.values {
            Values::WithGaps(values, gaps) => (values.as_ref(), gaps.as_slice()),
            values => (values, [].as_slice()),
        };
        let Values::Numbers(numbers) = values else {
            return Err(element_type(&self.file(), name, &array.outline(), ELEMENT_TYPE));
        };
        for place in 0..count {
            let value = match numbers.at(&[place / columns, place % columns]) {
                _ if gaps.binary_search(&place).is_ok() => None,
                Number::Integer(-1) => None,
                Number::Integer(value @ (0 | 1)) => Some(value == 1),
                Number::Float(value) if value.is_nan() || value == -1.0 => None,
                Number::Float(value) if value == 0.0 || value == 1.0 => Some(value == 1.0),
                other => {
                    return Err(FeatureError::LabelValue {
                        file: self.file(),
                        array: name.to_owned(),
                        row: self.row_in_file(name, start + place / columns),
                        column: place % columns,
                        found: other.to_f64(),
                    });
                }
            };
            all.push(value);
        }
        Ok(())
    }

    /// Returns the names of the labels, as the metadata or the number of each column has them.
    fn label_names(
        &self,
        array: &str,
        keys: &Keys,
        columns: usize,
        known: Option<&[String]>,
    ) -> Result<Vec<String>, FeatureError> {
        let listed = self.metadata_list(NAMES)?;
        let wrong = |reason: String| Err(self.metadata_error(NAMES, reason));
        if let Some(names) = &listed {
            if names.len() != columns {
                return wrong(format!("names {} labels, but `{array}` has {columns} columns", names.len()));
            }
            if let Some((first, second)) = first_repeat(names) {
                let name = &names[first];
                return wrong(format!("names the labels {first} and {second} both `{name}`; give each its own name"));
            }
        }
        let numbered = || (0..columns).map(|column| format!("{}_{column}", keys.label)).collect::<Vec<_>>();
        match (known, listed) {
            (None, listed) => Ok(listed.unwrap_or_else(numbered)),
            (Some(known), Some(listed)) if listed != known => {
                wrong(format!("names other labels than the training data, or in another order: {}", listed.join(", ")))
            }
            (Some(known), _) if known.len() != columns => {
                let (file, array) = (self.file(), array.to_owned());
                Err(FeatureError::LabelCount { file, array, found: columns, expected: known.len() })
            }
            (Some(known), _) => Ok(known.to_vec()),
        }
    }
}
