//! Arrays that are read in several blocks, by several threads: the values are those of the file, and of several faults the
//! first is named.

use std::sync::Arc;

use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{ArrayRef, Float32Array, Float64Array, Int64Array, ListArray};
use lsmi_candle::features::{Classes, FeatureError, FeatureFile, Keys, RowReader, read_with_keys};
use parquet::basic::Compression;
use parquet::file::properties::{WriterProperties, WriterVersion};
use safetensors::Dtype;
use zip::CompressionMethod;

use crate::features::build::{Item, Layout, STORED, npz, safetensors, says, write};
use crate::features::parquet::table_with;

const ROWS: usize = 50_000;

/// With these, a matrix is read in three blocks of at most 65,536 numbers.
const COLUMNS: usize = 3;

/// A list, or none, of numbers that may be missing.
type Row = Option<Vec<Option<f64>>>;

/// Numbers that 32 bits hold as they are.
fn values() -> Vec<f64> {
    (0..ROWS * COLUMNS).map(|place| f64::from(u32::try_from(place).unwrap()) / 8.0).collect()
}

fn read_bytes_of(name: &str, bytes: &[u8]) -> Result<FeatureFile, FeatureError> {
    let (_folder, path) = write(name, bytes);
    read_with_keys(&path, &Keys::default())
}

fn items(dtype: Dtype, values: &[f64]) -> Vec<(&'static str, Item)> {
    let labels: Vec<f64> = (0..ROWS).map(|row| if row % 2 == 0 { 0.0 } else { 1.0 }).collect();
    vec![
        ("x1", Item::new(dtype, &[ROWS, COLUMNS], values)),
        ("x2", Item::new(dtype, &[ROWS, 1], &values[..ROWS])),
        ("y", Item::new(Dtype::I64, &[ROWS], &labels)),
    ]
}

/// Rows as lists, of 32 or 64 bits.
fn lists(is_long: bool, rows: Vec<Row>) -> ArrayRef {
    #[expect(clippy::cast_possible_truncation, reason = "these numbers have fewer digits")]
    let short =
        |row: Vec<Option<f64>>| row.into_iter().map(|value| value.map(|value| value as f32)).collect::<Vec<_>>();
    if is_long {
        Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(rows))
    } else {
        Arc::new(ListArray::from_iter_primitive::<Float32Type, _, _>(rows.into_iter().map(|row| row.map(short))))
    }
}

fn rows_of(values: &[f64]) -> Vec<Row> {
    values.chunks(COLUMNS).map(|row| Some(row.iter().copied().map(Some).collect())).collect()
}

fn with_labels(mut columns: Vec<(&'static str, ArrayRef)>) -> Vec<(&'static str, ArrayRef)> {
    columns.push(("x2_0", Arc::new(Float64Array::from(values()[..ROWS].to_vec()))));
    let labels = (0..ROWS).map(|row| i64::from(row % 2 == 1));
    columns.push(("y", Arc::new(Int64Array::from_iter_values(labels))));
    columns
}

fn table_of_lists(is_long: bool, rows: Vec<Row>) -> Vec<u8> {
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(17_001)).build();
    table_with(with_labels(vec![("x1", lists(is_long, rows))]), properties)
}

/// Ways to write a table: with and without dictionaries, in pages that end within blocks, in several row groups.
fn properties() -> [WriterProperties; 3] {
    let small = WriterProperties::builder().set_data_page_row_count_limit(999).set_dictionary_enabled(false);
    let several = WriterProperties::builder().set_max_row_group_row_count(Some(7001));
    [
        WriterProperties::builder().build(),
        small.set_writer_version(WriterVersion::PARQUET_2_0).build(),
        several.set_dictionary_enabled(false).set_compression(Compression::SNAPPY).build(),
    ]
}

#[test]
fn values_are_those_of_the_file() {
    let expected = values();
    let mut files = Vec::new();
    for dtype in [Dtype::F32, Dtype::F64] {
        let items = items(dtype, &expected);
        files.push(("a.safetensors", safetensors(&items, &[])));
        files.push(("a.npz", npz(&items, STORED)));
        files.push(("a.npz", npz(&items, Layout { fortran: true, ..STORED })));
        files.push(("a.npz", npz(&items, Layout { method: CompressionMethod::Deflated, ..STORED })));
    }
    for properties in properties() {
        for is_long in [false, true] {
            let columns = with_labels(vec![("x1", lists(is_long, rows_of(&expected)))]);
            files.push(("a.parquet", table_with(columns, properties.clone())));
        }
        let column = |place: usize| expected.iter().skip(place).step_by(COLUMNS).copied();
        #[expect(clippy::cast_possible_truncation, reason = "these numbers have fewer digits")]
        let short = column(1).map(|value| value as f32);
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("x1_2", Arc::new(Float64Array::from_iter_values(column(2)))),
            ("x1_1", Arc::new(Float32Array::from_iter_values(short))),
            ("x1_0", Arc::new(Float64Array::from_iter_values(column(0)))),
        ];
        files.push(("a.parquet", table_with(with_labels(columns), properties)));
    }
    for (place, (name, bytes)) in files.iter().enumerate() {
        let features = read_bytes_of(name, bytes).unwrap().splits.remove(0).features;
        assert!(features.x1.values() == expected, "{place}: {name}");
        assert!(features.x2.values() == &expected[..ROWS], "{place}: {name}");
    }
}

#[test]
fn windows_begin_and_end_anywhere() {
    let expected = values();
    let classes = Classes::new(vec!["0".to_owned(), "1".to_owned()]).unwrap();
    let (_folder, path) = write("a.parquet", &table_of_lists(true, rows_of(&expected)));
    let mut reader = RowReader::open(&path, &Keys::default(), &classes).unwrap();
    for rows in [0..1, 17_000..17_002, 17_002..49_999, 40_000..50_000, 3..5] {
        let found = reader.read(0, rows.clone()).unwrap();
        assert!(found.x1.values() == &expected[rows.start * COLUMNS..rows.end * COLUMNS], "{rows:?}");
    }
}

#[test]
fn of_several_values_that_are_not_finite_the_first_is_named() {
    let mut values = values();
    for (row, column) in [(49_999, 0), (21_900, 2), (21_900, 1), (45_000, 0)] {
        values[row * COLUMNS + column] = f64::INFINITY;
    }
    for dtype in [Dtype::F32, Dtype::F64] {
        let error = read_bytes_of("a.npz", &npz(&items(dtype, &values), STORED)).unwrap_err();
        says(&error, &["`x1`", "row 21900", "column 1", "inf"]);
    }
    let error = read_bytes_of("a.parquet", &table_of_lists(false, rows_of(&values))).unwrap_err();
    says(&error, &["`x1`", "row 21900", "column 1", "inf"]);
}

#[test]
fn rows_that_are_not_whole_are_named_wherever_they_are() {
    let missing: [(Row, &[&str]); 5] = [
        (None, &["null at row 31000"]),
        (Some(vec![Some(1.0), None, Some(2.0)]), &["null at row 31000"]),
        (Some(vec![]), &["0 values at row 31000", "3 at the first"]),
        (Some(vec![Some(1.0); 2]), &["2 values at row 31000"]),
        (Some(vec![Some(1.0); 4]), &["4 values at row 31000"]),
    ];
    for is_long in [false, true] {
        for (row, parts) in &missing {
            let mut rows = rows_of(&values());
            rows[31_000].clone_from(row);
            says(&read_bytes_of("a.parquet", &table_of_lists(is_long, rows)).unwrap_err(), parts);
        }
    }
    // Every list of a block is of another length than those before.
    let mut rows = rows_of(&values());
    for row in &mut rows[21_845..] {
        *row = Some(vec![Some(1.0); 2]);
    }
    says(&read_bytes_of("a.parquet", &table_of_lists(true, rows)).unwrap_err(), &["2 values at row 21845"]);
}
