//! Terms and decompositions as a batch.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use lsmi_core::kind::kinds;
use lsmi_core::statistics::standard_deviation;
use lsmi_core::{Decomposition, Interaction, Measure, Terms};

use super::input::{ID, column_names, id_type};
use super::{BatchError, has_labels};
use crate::estimator::{Candidates, Estimator, Expected, Scores};

/// The columns that come of rows with these columns.
///
/// `id` as it came; `label`, the name of the class (with labels only); the terms `h1, h2, i1, i2, i12` and `r, u1, u2, s` in
/// nats; `pred1, pred2, pred12`, the class that each head finds most probable; `kind` (with labels only). With labels
/// follow the standard deviations of r, u1, u2 and s over the estimator's repeats (`r_sd` and so on), where it has several,
/// and r, u1, u2 and s by further measures (`r_sx` and so on). Nothing is null.
///
/// # Errors
/// [`BatchError`] for rows without usable ids, and for measures of rows without labels.
pub fn output_schema(estimator: &Estimator, measures: &[Measure], rows: &Schema) -> Result<Schema, BatchError> {
    let with_labels = has_labels(rows);
    if !with_labels && !measures.is_empty() {
        return Err(BatchError::MeasuresNeedLabels);
    }
    let id = rows.field_with_name(ID).ok().map(Field::data_type);
    let text = |name: &str| Field::new(name, DataType::Utf8, false);
    let number = |name: &str| Field::new(name, DataType::Float64, false);
    let mut fields = vec![Field::new(ID, id_type(id, column_names(rows))?, false)];
    fields.extend(with_labels.then(|| text("label")));
    fields.extend(["h1", "h2", "i1", "i2", "i12", "r", "u1", "u2", "s"].map(number));
    fields.extend(["pred1", "pred2", "pred12"].map(text));
    if with_labels {
        fields.push(text("kind"));
        let deviation = (estimator.description().repeats > 1).then_some("sd");
        let endings = deviation.into_iter().chain(measures.iter().map(|measure| measure.name()));
        for ending in endings {
            fields.extend(Interaction::ALL.map(|part| number(&format!("{part}_{ending}"))));
        }
    }
    Ok(Schema::new(fields))
}

pub(super) fn labelled(
    estimator: &Estimator,
    measures: &[Measure],
    rows: &RecordBatch,
    scores: Scores,
    schema: Schema,
) -> Result<RecordBatch, BatchError> {
    let Scores { terms, repeats, labels, predictions, .. } = scores;
    let by = |measure: Measure, terms| measure.decompose_with(terms, &labels, estimator.reference());
    let own = by(estimator.measure(), &terms);
    let kinds = kinds(&terms, &labels, estimator.prior())?;
    let mut columns = vec![rows[ID].clone(), classes(estimator, &labels)];
    let repeats: Vec<Decomposition> = repeats.iter().map(|terms| by(estimator.measure(), terms)).collect();
    let further: Vec<Decomposition> = measures.iter().map(|measure| by(*measure, &terms)).collect();
    columns.extend(values(terms, own));
    columns.extend(predictions.iter().map(|predictions| classes(estimator, predictions)));
    columns.push(Arc::new(StringArray::from_iter_values(kinds.iter().map(|kind| kind.name()))));
    if !repeats.is_empty() {
        columns.extend(Interaction::ALL.map(|part| numbers(deviations(&repeats, part))));
    }
    for parts in further {
        columns.extend(four(parts));
    }
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

/// The standard deviation of a part of every row over repeats.
fn deviations(repeats: &[Decomposition], part: Interaction) -> Vec<f64> {
    let columns: Vec<&[f64]> = repeats.iter().map(|parts| parts.values(part)).collect();
    let rows = columns.first().map_or(0, |column| column.len());
    (0..rows).map(|row| standard_deviation(&columns.iter().map(|column| column[row]).collect::<Vec<_>>())).collect()
}
