//! Parquet tables: what is accepted as a matrix, labels and ids, and what is refused.

use std::sync::Arc;

use arrow_array::builder::{FixedSizeListBuilder, Float32Builder, ListBuilder};
use arrow_array::types::{Float64Type, Int16Type};
use arrow_array::{
    ArrayRef, Date32Array, FixedSizeListArray, Float64Array, Int64Array, LargeListArray, LargeStringArray, ListArray,
    RecordBatch, StringArray,
};
use lsmi_candle::features::{FeatureError, FeatureFile, Format, Keys, read_bytes};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, GzipLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use crate::features::build::says;

pub(crate) fn matrix(columns: i32, values: &[f64]) -> ArrayRef {
    let rows = values.chunks(usize::try_from(columns).unwrap());
    let rows = rows.map(|row| Some(row.iter().copied().map(Some).collect::<Vec<_>>()));
    Arc::new(FixedSizeListArray::from_iter_primitive::<Float64Type, _, _>(rows, columns))
}

/// Four samples of two classes.
pub(crate) fn sample() -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("x1", matrix(2, &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])),
        ("x2", matrix(1, &[0.5, -0.5, 1.5, 2.5])),
        ("y", Arc::new(Int64Array::from(vec![1, 0, 0, 1]))),
    ]
}

pub(crate) fn sample_with(name: &'static str, column: ArrayRef) -> Vec<(&'static str, ArrayRef)> {
    let mut columns = sample();
    columns.retain(|(other, _)| *other != name);
    columns.push((name, column));
    columns
}

pub(crate) fn table_with(columns: Vec<(&str, ArrayRef)>, properties: WriterProperties) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

pub(crate) fn table(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    table_with(columns, WriterProperties::builder().build())
}

fn read(bytes: &[u8]) -> Result<FeatureFile, FeatureError> {
    read_bytes("sample.parquet", bytes, Format::Parquet, &Keys::default())
}

fn refusal(name: &'static str, column: ArrayRef) -> FeatureError {
    read(&table(sample_with(name, column))).unwrap_err()
}

#[test]
fn lists_of_every_kind_are_matrices() {
    let expected = read(&table(sample())).unwrap();
    assert_eq!(expected.splits[0].features.x1.values(), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
    assert_eq!(expected.splits[0].features.labels, [1, 0, 0, 1]);
    let rows = || (0..4_i16).map(|row| Some(vec![Some(2 * row), Some(2 * row + 1)]));
    let lists: [ArrayRef; 3] = [
        Arc::new(ListArray::from_iter_primitive::<Int16Type, _, _>(rows())),
        Arc::new(LargeListArray::from_iter_primitive::<Int16Type, _, _>(rows())),
        Arc::new(FixedSizeListArray::from_iter_primitive::<Int16Type, _, _>(rows(), 2)),
    ];
    for list in lists {
        assert_eq!(read(&table(sample_with("x1", list))).unwrap().splits, expected.splits);
    }
}

#[test]
fn every_compression_of_pure_rust() {
    let expected = read(&table(sample())).unwrap();
    for compression in [Compression::SNAPPY, Compression::GZIP(GzipLevel::default()), Compression::LZ4_RAW] {
        let properties = WriterProperties::builder().set_compression(compression).build();
        assert_eq!(read(&table_with(sample(), properties)).unwrap().splits, expected.splits, "{compression:?}");
    }
}

#[test]
fn labels_and_ids_may_be_text() {
    let names: ArrayRef = Arc::new(StringArray::from(vec!["dog", "cat", "cat", "dog"]));
    let mut columns = sample_with("y", names);
    columns.push(("id", Arc::new(LargeStringArray::from(vec!["a", "b", "c", "d"]))));
    let file = read(&table(columns)).unwrap();
    assert_eq!(file.classes.names(), ["cat", "dog"]);
    assert_eq!(file.splits[0].features.labels, [1, 0, 0, 1]);
    assert_eq!(file.splits[0].features.ids.get(3), "d");
}

#[test]
fn metadata_name_the_classes() {
    let names = KeyValue::new("classes".to_owned(), r#"["cat", "dog"]"#.to_owned());
    let properties = WriterProperties::builder().set_key_value_metadata(Some(vec![names])).build();
    assert_eq!(read(&table_with(sample(), properties)).unwrap().classes.names(), ["cat", "dog"]);
}

#[test]
fn nulls_are_named() {
    let mut rows = FixedSizeListBuilder::new(Float32Builder::new(), 2);
    let mut lists = ListBuilder::new(Float32Builder::new());
    for row in [0.0_f32, 1.0, 2.0, 3.0] {
        rows.values().append_slice(&[row, row]);
        rows.append(row < 2.0);
        lists.values().append_value(row);
        lists.values().append_option((row < 3.0).then_some(row));
        lists.append(true);
    }
    says(&refusal("x1", Arc::new(rows.finish())), &["sample.parquet: `x1` is null at row 2", "fill in"]);
    says(&refusal("x1", Arc::new(lists.finish())), &["sample.parquet: `x1` is null at row 3"]);
    let labels = Arc::new(Int64Array::from(vec![Some(1), None, Some(0), None]));
    says(&refusal("y", labels), &["`y` is missing at row 1 and in another row;", "`Missing::Drop`"]);
    says(&refusal("id", Arc::new(StringArray::from(vec![Some("a"), Some("b"), Some("c"), None]))), &["`id`", "row 3"]);
}

#[test]
fn lists_of_different_lengths_are_named() {
    let rows = [2, 2, 3, 2].map(|length| Some(vec![Some(0.5); length]));
    let column = Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(rows));
    says(&refusal("x2", column), &["`x2` has 3 values at row 2, but 2 at the first", "pad"]);
    let empty = Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(vec![Some(Vec::<Option<f64>>::new()); 4]));
    says(&refusal("x2", empty), &["`x2` has shape [4, 0]"]);
}

#[test]
fn types_and_values_that_cannot_serve() {
    says(
        &refusal("x1", matrix(2, &[0.0, 1.0, 2.0, 3.0, 4.0, f64::NAN, 6.0, 7.0])),
        &["`x1` is NaN at row 2, column 1"],
    );
    says(&refusal("x1", Arc::new(Float64Array::from(vec![0.5; 4]))), &["`x1` has shape [4]", "reshape(-1, 1)"]);
    says(&refusal("y", Arc::new(Float64Array::from(vec![0.5; 4]))), &["`y` holds 64-bit floating-point numbers"]);
    says(&refusal("x1", Arc::new(StringArray::from(vec!["a"; 4]))), &["`x1` holds strings"]);
    says(&refusal("y", matrix(1, &[0.0; 4])), &["`y` holds 64-bit"]);
    says(&refusal("y", Arc::new(Date32Array::from(vec![1; 4]))), &["`y` holds elements of type Date32"]);
}
