//! Converts batches to checked samples, and samples to batches.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int64Type};
use arrow_array::{
    Array as _, ArrayRef, FixedSizeListArray, Float64Array, GenericListArray, OffsetSizeTrait, RecordBatch, StringArray,
};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use arrow_select::take::take;
use lsmi_core::SampleIds;

use super::BatchError;
use crate::features::columns::text::{is_text, text_at};
use crate::features::columns::{Column, kind_of};
use crate::features::values::{Incomplete, Kind, Number, Values};
use crate::features::{Classes, FeatureSet, Inputs, LOGITS, Label, Unlabelled};
use crate::numbers::matrix::Matrix;

/// The column of ids.
pub(super) const ID: &str = "id";

/// The column of labels.
pub(super) const LABEL: &str = "y";

/// Converts samples with labels to a batch that [`score_batch`](super::score_batch) takes; ids become text.
///
/// # Errors
/// [`ArrowError`] for samples that do not belong together, or of more columns than 32 bits count.
///
/// # Panics
/// If a label is no index of `classes`.
pub fn labelled_batch(samples: &FeatureSet, classes: &Classes) -> Result<RecordBatch, ArrowError> {
    let labels = samples.labels.iter().map(|label| classes.labels()[*label as usize].as_str());
    let labels = Arc::new(StringArray::from_iter_values(labels));
    batch(samples.inputs(), Some((LABEL.to_owned(), labels as ArrayRef)))
}

/// Converts samples without labels to a batch that [`score_batch`](super::score_batch) takes; ids become text.
///
/// # Errors
/// As [`labelled_batch`].
pub fn unlabelled_batch(samples: &Unlabelled) -> Result<RecordBatch, ArrowError> {
    batch(samples.inputs(), None)
}

fn batch(samples: Inputs<'_>, labels: Option<(String, ArrayRef)>) -> Result<RecordBatch, ArrowError> {
    let mut columns = vec![(ID.to_owned(), Arc::new(StringArray::from_iter_values(samples.ids.iter())) as ArrayRef)];
    let logits = LOGITS.into_iter().zip(samples.logits).filter_map(|(name, logits)| Some((name, logits?)));
    for (name, matrix) in [("x1", samples.x1), ("x2", samples.x2)].into_iter().chain(logits) {
        columns.push((name.to_owned(), lists(matrix)?));
    }
    columns.extend(labels);
    RecordBatch::try_from_iter(columns)
}

fn lists(matrix: &Matrix) -> Result<ArrayRef, ArrowError> {
    let width = i32::try_from(matrix.columns());
    let width = width.map_err(|_| ArrowError::InvalidArgumentError(format!("{} columns", matrix.columns())))?;
    let values = Arc::new(Float64Array::from(matrix.values().to_vec()));
    let field = Arc::new(Field::new_list_field(DataType::Float64, false));
    Ok(Arc::new(FixedSizeListArray::try_new(field, width, values, None)?))
}

/// Returns the samples of a batch with labels.
pub(super) fn labelled(rows: &RecordBatch, classes: &Classes) -> Result<FeatureSet, BatchError> {
    let Unlabelled { ids, x1, x2, logits } = unlabelled(rows)?;
    let labels = labels(column(rows, LABEL)?)?;
    let labels = classes.encode(&labels, None).map_err(|row| BatchError::UnknownClass {
        row: row.into(),
        found: labels[row].to_string(),
        expected: classes.names().join(", "),
    })?;
    Ok(FeatureSet { ids, x1, x2, labels, logits, groups: None })
}

/// Returns the samples of a batch without labels.
pub(super) fn unlabelled(rows: &RecordBatch) -> Result<Unlabelled, BatchError> {
    let ids = ids(column(rows, ID)?)?;
    let [x1, x2] = ["x1", "x2"].map(|name| matrix(name, column(rows, name)?));
    let mut logits = [None, None, None];
    for (place, name) in logits.iter_mut().zip(LOGITS) {
        *place = rows.column_by_name(name).map(|column| matrix(name, column)).transpose()?;
    }
    Ok(Unlabelled { ids, x1: x1?, x2: x2?, logits })
}

/// Returns the type of the ids, if it is one that ids may have.
pub(super) fn id_type(found: Option<&DataType>, names: String) -> Result<DataType, BatchError> {
    match found {
        Some(found) if is_text(plain_type(found)) => Ok(found.clone()),
        Some(found) => {
            let expected = "integers or text";
            Err(BatchError::ColumnType { column: ID, found: found.to_string(), expected })
        }
        None => Err(BatchError::MissingColumn { column: ID, found: names }),
    }
}

/// Checks that the columns are there, and of types that are read.
pub(super) fn check_columns(rows: &Schema) -> Result<(), BatchError> {
    let missing = |column| BatchError::MissingColumn { column, found: column_names(rows) };
    for column in [ID, "x1", "x2", LABEL].into_iter().chain(LOGITS) {
        if rows.fields().iter().filter(|field| field.name() == column).count() > 1 {
            return Err(BatchError::RepeatedColumn { column });
        }
    }
    for (column, is_needed) in [("x1", true), ("x2", true)].into_iter().chain(LOGITS.map(|name| (name, false))) {
        let kind = match rows.field_with_name(column) {
            Ok(field) => field.data_type(),
            Err(_) if is_needed => return Err(missing(column)),
            Err(_) => continue,
        };
        let is_list = matches!(kind, DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..));
        if !is_list || !matches!(kind_of(kind), Kind::Numbers(_)) {
            return Err(BatchError::ColumnType { column, found: kind.to_string(), expected: NUMBERS });
        }
    }
    match rows.field_with_name(LABEL).map(|field| plain_type(field.data_type())) {
        Ok(kind) if !(is_text(kind) || *kind == DataType::Boolean) => {
            Err(BatchError::ColumnType { column: LABEL, found: kind.to_string(), expected: LABELS })
        }
        _ => Ok(()),
    }
}

/// What modalities are.
const NUMBERS: &str = "lists of integers or floating-point numbers, of equal length (FixedSizeList, List or LargeList)";

/// What labels are.
const LABELS: &str = "integers, booleans or text";

/// Returns the type of the values of a dictionary, or the type itself.
fn plain_type(kind: &DataType) -> &DataType {
    match kind {
        DataType::Dictionary(_, values) => values,
        kind => kind,
    }
}

/// Returns the values themselves of a column that may be a dictionary, as categories are.
pub(super) fn plain_values(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match column.data_type() {
        DataType::Dictionary(..) => {
            let dictionary = column.as_any_dictionary();
            take(dictionary.values(), dictionary.keys(), None)
        }
        _ => Ok(Arc::clone(column)),
    }
}

fn column<'b>(rows: &'b RecordBatch, name: &'static str) -> Result<&'b ArrayRef, BatchError> {
    let missing = || BatchError::MissingColumn { column: name, found: column_names(&rows.schema()) };
    rows.column_by_name(name).ok_or_else(missing)
}

/// Returns the names of all columns, for a message.
pub(crate) fn column_names(schema: &arrow_schema::Schema) -> String {
    schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>().join(", ")
}

fn ids(column: &ArrayRef) -> Result<SampleIds, BatchError> {
    id_type(Some(column.data_type()), String::new())?;
    let column = plain_values(column)?;
    if let Some(row) = (0..column.len()).find(|row| column.is_null(*row)) {
        return Err(BatchError::Null { column: ID, row: row.into() });
    }
    let made = match column.data_type() {
        DataType::Int64 => SampleIds::from_numbers(column.as_primitive::<Int64Type>().values().to_vec()),
        DataType::Utf8 => SampleIds::from_names(column.as_string::<i32>().iter().flatten()),
        _ => {
            let names: Vec<String> = (0..column.len()).map(|row| text_at(&column, row)).collect();
            SampleIds::from_names(names.iter().map(String::as_str))
        }
    };
    made.map_err(|source| BatchError::Ids { source })
}

fn matrix(name: &'static str, column: &ArrayRef) -> Result<Matrix, BatchError> {
    let wrong_type =
        || BatchError::ColumnType { column: name, found: column.data_type().to_string(), expected: NUMBERS };
    if let Some(values) = plain(column) {
        let columns = values.len() / column.len().max(1);
        check_finite(name, columns, &values)?;
        return Matrix::new(column.len(), columns, values).map_err(|_| wrong_type());
    }
    let array = whole(name, column)?.ok_or_else(wrong_type)?;
    let (Values::Numbers(numbers), &[rows, columns]) = (&array.values, array.shape.as_slice()) else {
        return Err(wrong_type());
    };
    let places = (0..rows).flat_map(|row| (0..columns).map(move |column| [row, column]));
    let values: Vec<f64> = places.map(|place| numbers.at(&place).to_f64()).collect();
    check_finite(name, columns, &values)?;
    Matrix::new(rows, columns, values).map_err(|_| wrong_type())
}

/// Returns the values of lists of one length of f32 or f64 without nulls, which almost all are.
fn plain(column: &ArrayRef) -> Option<Vec<f64>> {
    let values = match column.data_type() {
        DataType::FixedSizeList(..) => {
            let lists = column.as_fixed_size_list();
            let start = usize::try_from(lists.value_offset(0)).ok()?;
            lists.values().slice(start, lists.len() * usize::try_from(lists.value_length()).ok()?)
        }
        DataType::List(_) => of_one_length(column.as_list::<i32>())?,
        DataType::LargeList(_) => of_one_length(column.as_list::<i64>())?,
        _ => return None,
    };
    if column.null_count() > 0 || values.null_count() > 0 {
        return None;
    }
    if let Some(values) = values.as_primitive_opt::<Float32Type>() {
        return Some(values.values().iter().copied().map(f64::from).collect());
    }
    Some(values.as_primitive_opt::<Float64Type>()?.values().to_vec())
}

/// Returns the values of lists, where these are of one length.
fn of_one_length<Offset: OffsetSizeTrait>(lists: &GenericListArray<Offset>) -> Option<ArrayRef> {
    let offsets = lists.value_offsets();
    let (first, last) = (offsets.first()?.as_usize(), offsets.last()?.as_usize());
    let width = (last - first) / lists.len().max(1);
    let is_of_one_length = offsets.windows(2).all(|ends| ends[1].as_usize() - ends[0].as_usize() == width);
    is_of_one_length.then(|| lists.values().slice(first, last - first))
}

fn check_finite(name: &'static str, columns: usize, values: &[f64]) -> Result<(), BatchError> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(at) => {
            let (row, place) = ((at / columns).into(), at % columns);
            Err(BatchError::NotFinite { column: name, row, place, found: values[at] })
        }
        None => Ok(()),
    }
}

fn labels(column: &ArrayRef) -> Result<Vec<Label>, BatchError> {
    let wrong_type =
        || BatchError::ColumnType { column: LABEL, found: column.data_type().to_string(), expected: LABELS };
    let array = whole(LABEL, &plain_values(column)?)?.ok_or_else(wrong_type)?;
    match (array.values, array.shape.as_slice()) {
        (Values::Strings(texts), _) => Ok(texts.into_iter().map(Label::Text).collect()),
        (Values::Numbers(numbers), &[rows]) => {
            let label = |row| match numbers.at(&[row]) {
                Number::Integer(value) => Ok(Label::Integer(value)),
                Number::Float(_) => Err(wrong_type()),
            };
            (0..rows).map(label).collect()
        }
        _ => Err(wrong_type()),
    }
}

/// Returns the rows of a column, none of them incomplete. Returns `None` if they are neither numbers nor strings.
fn whole(name: &'static str, column: &ArrayRef) -> Result<Option<crate::features::values::Array<'static>>, BatchError> {
    if let Kind::Other(_) = kind_of(column.data_type()) {
        return Ok(None);
    }
    let mut rows = Column::new(column.data_type());
    let array = rows.extend(column).and_then(|()| rows.array());
    let Ok(array) = array else { return Ok(None) };
    match &array.values {
        Values::WithGaps(_, gaps) => {
            let row = array.row_of(gaps.first().copied().unwrap_or_default());
            Err(BatchError::Null { column: name, row: row.into() })
        }
        Values::Incomplete(Incomplete::Null { row }) => Err(BatchError::Null { column: name, row: (*row).into() }),
        Values::Incomplete(Incomplete::Ragged { row, found, expected }) => {
            Err(BatchError::Ragged { column: name, row: (*row).into(), found: *found, expected: *expected })
        }
        _ => Ok(Some(array)),
    }
}
