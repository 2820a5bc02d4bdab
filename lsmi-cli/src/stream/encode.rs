//! A scored batch as rows of a file of samples.

use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{RecordBatch, StringArray};
use lsmi_candle::features::MetadataColumn;
use lsmi_core::Kind;

use lsmi_candle::samples::ExtraColumns;
use lsmi_candle::samples::Sample;

/// The rows of a batch that [`score_batch`](lsmi_candle::estimator::batch::score_batch) gave, as samples of a split.
pub(crate) fn samples<'a>(
    rows: &'a RecordBatch,
    split: &'a str,
    metadata: &'a [MetadataColumn],
    columns: &ExtraColumns,
) -> impl Iterator<Item = Sample<Cow<'a, str>>> + use<'a> {
    let text = |name: &str| rows[name].as_string::<i32>();
    let number = |name: &str| rows[name].as_primitive::<Float64Type>().values();
    let optional = |name: &str| rows.column_by_name(name).map(AsArray::as_string::<i32>);
    let (ids, labels, kinds) = (text("id"), optional("label"), optional("kind"));
    let predictions = ["pred1", "pred2", "pred12"].map(text);
    let [h1, h2, i1, i2, i12, r, u1, u2, s] = ["h1", "h2", "i1", "i2", "i12", "r", "u1", "u2", "s"].map(number);
    let further: Vec<_> = columns.numbers.iter().map(|name| number(name)).collect();
    let metadata = columns.values_of(metadata);
    let at = |texts: &'a StringArray, row: usize| Cow::Borrowed(texts.value(row));
    (0..rows.num_rows()).map(move |row| Sample {
        id: at(ids, row),
        split: Cow::Borrowed(split),
        fold: None,
        label: labels.map_or(Cow::Borrowed(""), |labels| at(labels, row)),
        h1: h1[row],
        h2: h2[row],
        i1: i1[row],
        i2: i2[row],
        i12: i12[row],
        r: r[row],
        u1: u1[row],
        u2: u2[row],
        s: s[row],
        pred1: at(predictions[0], row),
        pred2: at(predictions[1], row),
        pred12: at(predictions[2], row),
        kind: kinds.and_then(|kinds| kinds.value(row).parse::<Kind>().ok()),
        further: further.iter().map(|column| column[row]).collect(),
        metadata: metadata(row),
    })
}
