//! Scores record batches: the unit of work for much data, here or in a distributed engine.
//!
//! [`score_batch`] is a pure function of an estimator, loaded once, and of rows. It keeps no state from one batch to the
//! next, opens no file and starts no thread, so that batches may be scored anywhere, in any order and at the same time.
//!
//! | column in | type | |
//! |---|---|---|
//! | `id` | integers or text, also as a dictionary | distinct within the batch |
//! | `x1`, `x2` | `FixedSizeList`, `List` or `LargeList` of numbers | as many as the estimator was fitted on |
//! | `y` | integers, booleans or text, also as a dictionary | a label or the name of a class; without it, expectations over labels are given |
//! | `logits1`, `logits2`, `logits12` | as `x1`, of floating-point numbers | where the estimator takes posteriors from there |
//!
//! No value may be null. Columns of other names are left alone. [`output_schema`] describes the result.

mod error;
mod input;
mod output;

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use lsmi_core::Measure;

use crate::estimator::Estimator;

pub use error::{BatchError, RowName};
#[cfg(feature = "embedding")]
pub(crate) use input::column_names;
pub use input::{labelled_batch, unlabelled_batch};
pub use output::{deviations, further_columns, output_schema};

/// Computes the terms and the decomposition of the rows of a batch, in their order, in nats.
///
/// The columns are those of [`output_schema`]. Where there is no column `y`, every value that depends on the label is
/// its expectation under the joint head, `E[r] = sum over y of p(y|x1,x2) r(y)`. An empty batch gives an empty one.
///
/// # Errors
/// [`BatchError`], which names column, row and id, for columns that are missing, of another type, null, ragged or not finite,
/// labels of no class, and ids that are there twice; [`BatchError::Estimator`] for rows that the estimator cannot score.
///
/// ```
/// use std::sync::Arc;
/// use arrow_array::cast::AsArray;
/// use arrow_array::types::{Float32Type, Float64Type};
/// use arrow_array::{FixedSizeListArray, Int64Array, RecordBatch};
/// use lsmi_candle::estimator::batch::{output_schema, score_batch};
/// # use lsmi_candle::estimator::{Settings, cross_fit};
/// # use lsmi_candle::features::{Classes, FeatureSet};
/// # use lsmi_candle::Matrix;
/// # use lsmi_core::SampleIds;
/// # use lsmi_core::families::{FamilyName, Settings as FamilySettings};
/// # let family = FamilyName::Rdn.build(&FamilySettings { dims: 2, ..Default::default() })?;
/// # let draw = family.sample(100, &mut lsmi_core::random::stream(0, "example"));
/// # let (x1, x2) = (Matrix::new(100, 2, draw.x1)?, Matrix::new(100, 2, draw.x2)?);
/// # let train = FeatureSet::new(SampleIds::rows(100), x1, x2, draw.labels)?;
/// # let classes = Classes::new(vec!["no".to_owned(), "yes".to_owned()])?;
/// # let estimator = cross_fit(&train, &classes, &Settings { folds: 2, ..Settings::default() }, None)?.estimator;
/// // `estimator` was loaded once, with `Estimator::from_bytes`.
/// let x = |values: [[f32; 2]; 2]| {
///     let rows = values.map(|row| Some(row.map(Some)));
///     Arc::new(FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(rows, 2))
/// };
/// let rows = RecordBatch::try_from_iter([
///     ("id", Arc::new(Int64Array::from(vec![7, 8])) as _),
///     ("x1", x([[0.5, -0.5], [1.0, 0.0]]) as _),
///     ("x2", x([[0.25, 0.5], [-1.0, 0.5]]) as _),
/// ])?;
/// let scored = score_batch(&estimator, &rows)?;
/// assert_eq!(scored.schema().as_ref(), &output_schema(&estimator, &[], &rows.schema())?);
/// let column = |name: &str| scored[name].as_primitive::<Float64Type>().value(0);
/// assert!((column("r") + column("u1") - column("i1")).abs() < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn score_batch(estimator: &Estimator, rows: &RecordBatch) -> Result<RecordBatch, BatchError> {
    score_batch_by(estimator, &[], rows)
}

/// Does the same as [`score_batch`], with r, u1, u2 and s by further measures in columns such as `r_sx`.
///
/// # Errors
/// As [`score_batch`]; [`BatchError::MeasuresNeedLabels`] for measures and rows without labels.
pub fn score_batch_by(
    estimator: &Estimator,
    measures: &[Measure],
    rows: &RecordBatch,
) -> Result<RecordBatch, BatchError> {
    let schema = output_schema(estimator, measures, &rows.schema())?;
    if rows.num_rows() == 0 {
        return Ok(RecordBatch::new_empty(schema.into()));
    }
    let named = |error: BatchError| error.with_id(rows);
    if has_labels(&rows.schema()) {
        let scores = estimator.score(&input::labelled(rows, estimator.classes()).map_err(named)?)?;
        output::labelled(estimator, measures, rows, scores, schema)
    } else {
        let candidates = estimator.candidates(&input::unlabelled(rows).map_err(named)?)?;
        let expected = estimator.expect(&candidates)?;
        output::unlabelled(estimator, rows, &candidates, expected, schema)
    }
}

/// Returns whether rows say which class they are of.
fn has_labels(rows: &Schema) -> bool {
    rows.index_of(input::LABEL).is_ok()
}
