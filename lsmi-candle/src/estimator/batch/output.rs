//! Converts terms and decompositions to batches.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use lsmi_core::statistics::standard_deviation;
use lsmi_core::{Decomposition, Interaction, Measure, Terms};

use super::input::{ID, check_columns, column_names, id_type};
use super::{BatchError, has_labels};
use crate::estimator::{Candidates, Estimator, Expected, Scores};
use crate::samples::ScoredSplit;

/// Returns the columns of the result for rows with the given columns.
///
/// `id` as it came; `label`, the name of the class (with labels only); the terms `h1, h2, i1, i2, i12` and `r, u1, u2, s` in
/// nats; `pred1, pred2, pred12`, the class that each head finds most probable; `kind` (with labels only). With labels
/// follow the standard deviations of r, u1, u2 and s over the estimator's repeats (`r_sd` and so on), where it has several,
/// r, u1, u2 and s by further measures (`r_sx` and so on), and their standard deviations (`r_sx_sd` and so on). Nothing is
/// null.
///
/// # Errors
/// [`BatchError`] for columns that are not there or of a type that is not read, and for measures of rows without labels.
pub fn output_schema(estimator: &Estimator, measures: &[Measure], rows: &Schema) -> Result<Schema, BatchError> {
    let with_labels = has_labels(rows);
    if !with_labels && !measures.is_empty() {
        return Err(BatchError::MeasuresNeedLabels);
    }
    check_columns(rows)?;
    let id = rows.field_with_name(ID).ok().map(Field::data_type);
    let text = |name: &str| Field::new(name, DataType::Utf8, false);
    let number = |name: &str| Field::new(name, DataType::Float64, false);
    let mut fields = vec![Field::new(ID, id_type(id, column_names(rows))?, false)];
    fields.extend(with_labels.then(|| text("label")));
    fields.extend(["h1", "h2", "i1", "i2", "i12", "r", "u1", "u2", "s"].map(number));
    fields.extend(["pred1", "pred2", "pred12"].map(text));
    if with_labels {
        fields.push(text("kind"));
        fields.extend(further_columns(estimator, measures).iter().map(|name| number(name)));
    }
    Ok(Schema::new(fields))
}

/// Returns the names of the columns that follow `kind`: deviations over repeats if there are several, further measures,
/// and the deviations of these.
pub fn further_columns(estimator: &Estimator, measures: &[Measure]) -> Vec<String> {
    let has_repeats = estimator.description().repeats > 1;
    let own = has_repeats.then(|| "sd".to_owned());
    let values = measures.iter().map(|measure| measure.name().to_owned());
    let deviations = measures.iter().filter(|_| has_repeats).map(|measure| format!("{measure}_sd"));
    let endings = own.into_iter().chain(values).chain(deviations);
    endings.flat_map(|ending| Interaction::ALL.map(|part| format!("{part}_{ending}"))).collect()
}

pub(super) fn labelled(
    estimator: &Estimator,
    measures: &[Measure],
    rows: &RecordBatch,
    scores: Scores,
    schema: Schema,
) -> Result<RecordBatch, BatchError> {
    let scored = ScoredSplit::new("", scores, estimator, measures)?;
    let Scores { terms, labels, predictions, .. } = &scored.scores;
    let mut columns = vec![rows[ID].clone(), classes(estimator, labels)];
    columns.extend(values(terms.clone(), scored.decomposition.clone()));
    columns.extend(predictions.iter().map(|predictions| classes(estimator, predictions)));
    columns.push(Arc::new(StringArray::from_iter_values(scored.kinds.iter().map(|kind| kind.name()))));
    columns.extend(scored.extra().into_iter().map(|values| numbers(values.into_owned())));
    Ok(RecordBatch::try_new(schema.into(), columns)?)
}

pub(super) fn unlabelled(
    estimator: &Estimator,
    rows: &RecordBatch,
    candidates: &Candidates,
    expected: Expected,
    schema: Schema,
) -> Result<RecordBatch, BatchError> {
    let mut columns = vec![rows[ID].clone()];
    columns.extend(values(expected.terms, expected.decomposition));
    columns.extend(candidates.predictions.iter().map(|predictions| classes(estimator, predictions)));
    Ok(RecordBatch::try_new(schema.into(), columns)?)
}

fn values(terms: Terms, parts: Decomposition) -> impl Iterator<Item = ArrayRef> {
    let Terms { h1, h2, i1, i2, i12, .. } = terms;
    [h1, h2, i1, i2, i12].map(numbers).into_iter().chain(four(parts))
}

fn four(parts: Decomposition) -> [ArrayRef; 4] {
    let Decomposition { r, u1, u2, s, .. } = parts;
    [r, u1, u2, s].map(numbers)
}

fn numbers(values: Vec<f64>) -> ArrayRef {
    Arc::new(Float64Array::from(values))
}

fn classes(estimator: &Estimator, indices: &[u32]) -> ArrayRef {
    let names = estimator.classes().names();
    Arc::new(StringArray::from_iter_values(indices.iter().map(|index| &names[*index as usize])))
}

/// Returns the standard deviations of r, u1, u2 and s of every row over the decompositions of repeats.
pub fn deviations(repeats: &[Decomposition]) -> [Vec<f64>; 4] {
    let rows = repeats.first().map_or(0, Decomposition::len);
    Interaction::ALL.map(|part| {
        let columns: Vec<&[f64]> = repeats.iter().map(|parts| parts.values(part)).collect();
        let mut values = vec![0.0; columns.len()];
        let deviation = |row| {
            for (value, column) in values.iter_mut().zip(&columns) {
                *value = column[row];
            }
            standard_deviation(&values)
        };
        (0..rows).map(deviation).collect()
    })
}
