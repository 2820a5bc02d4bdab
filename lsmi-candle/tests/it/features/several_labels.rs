//! Several labels a row: `[n, L]`, lists and numbered columns; missing ones; what is refused.

use std::sync::Arc;

use arrow_array::builder::{Int8Builder, ListBuilder};
use arrow_array::{ArrayRef, BooleanArray, Float32Array, Int64Array};
use lsmi_candle::features::{Arrays, Data, FeatureError, Keys, LabelMatrix, LabelsFile, Missing, Numbers};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use crate::features::build::says;
use crate::features::parquet::{sample, table_with};

fn drop_missing() -> Keys {
    Keys { missing: Missing::Drop, ..Keys::default() }
}

/// Reads a Parquet table with these labels, which its metadata name.
fn read(labels: Vec<(&'static str, ArrayRef)>, names: &str, keys: &Keys) -> Result<LabelsFile, FeatureError> {
    let mut columns = sample();
    columns.retain(|(name, _)| *name != "y");
    columns.extend(labels);
    let names = (!names.is_empty()).then(|| vec![KeyValue::new("labels".to_owned(), names.to_owned())]);
    let properties = WriterProperties::builder().set_key_value_metadata(names).build();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sample.parquet");
    std::fs::write(&path, table_with(columns, properties)).unwrap();
    Data::from(&path).read_several_labels(keys, None)
}

/// Two labels of four rows, as lists.
fn lists(values: [[Option<i8>; 2]; 4]) -> Vec<(&'static str, ArrayRef)> {
    let mut lists = ListBuilder::new(Int8Builder::new());
    for row in values {
        for value in row {
            lists.values().append_option(value);
        }
        lists.append(true);
    }
    vec![("y", Arc::new(lists.finish()))]
}

fn of(file: &LabelsFile) -> &LabelMatrix {
    file.labels_of("train").unwrap()
}

#[test]
fn lists_with_gaps_and_names_from_the_metadata() {
    let values = [[Some(1), None], [Some(0), Some(1)], [Some(-1), Some(0)], [Some(1), Some(1)]];
    let file = read(lists(values), r#"["cat", "night"]"#, &drop_missing()).unwrap();
    assert_eq!(of(&file).names(), ["cat", "night"]);
    assert_eq!(of(&file).known(0), (vec![0, 1, 3], vec![1, 0, 1]));
    assert_eq!(of(&file).known(1), (vec![1, 2, 3], vec![1, 0, 1]));
    assert!(file.table.notes[0].starts_with("2 of 8 labels in `y` are missing"), "{:?}", file.table.notes);
    assert_eq!(file.table.splits[0].features.x2.values(), [0.5, -0.5, 1.5, 2.5]);
}

#[test]
fn numbered_columns_of_every_type() {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("y_1", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None, Some(true)]))),
        ("y_0", Arc::new(Int64Array::from(vec![0, 1, 1, 0]))),
        ("y_2", Arc::new(Float32Array::from(vec![1.0, f32::NAN, 0.0, -1.0]))),
    ];
    let file = read(columns, "", &drop_missing()).unwrap();
    assert_eq!(of(&file).names(), ["y_0", "y_1", "y_2"]);
    assert_eq!(of(&file).known(0), (vec![0, 1, 2, 3], vec![0, 1, 1, 0]));
    assert_eq!(of(&file).known(1), (vec![0, 1, 3], vec![1, 0, 1]));
    assert_eq!(of(&file).known(2), (vec![0, 2], vec![1, 0]));
}

#[test]
fn missing_labels_are_refused_unless_they_are_left_out() {
    let values = [[Some(1), Some(0)], [Some(0), Some(1)], [Some(1), None], [None, None]];
    let refused = read(lists(values), "", &Keys::default()).unwrap_err();
    says(&refused, &["`y[:, 1]` is missing at row 2 and in another row"]);
}

#[test]
fn what_is_no_label_is_named() {
    let whole = |value| [[Some(1), Some(0)], [Some(0), Some(1)], [Some(1), Some(value)], [Some(0), Some(0)]];
    says(&read(lists(whole(2)), "", &drop_missing()).unwrap_err(), &["`y` is 2 at row 2, column 1", "0 or 1"]);
    says(&read(lists(whole(1)), r#"["a"]"#, &drop_missing()).unwrap_err(), &["names 1 labels", "2 columns"]);
    says(&read(lists(whole(1)), r#"["a", "a"]"#, &drop_missing()).unwrap_err(), &["labels 0 and 1 both `a`"]);
    let one: ArrayRef = Arc::new(Int64Array::from(vec![0, 1, 1, 0]));
    says(&read(vec![("y", one)], "", &drop_missing()).unwrap_err(), &["has shape [4]", "[rows, labels]"]);
}

#[test]
fn files_to_evaluate_have_the_labels_of_the_training_data() {
    let read = |labels: usize, known: &[&str]| {
        let y = vec![1_i64; 3 * labels];
        let known: Vec<String> = known.iter().map(|name| (*name).to_owned()).collect();
        let arrays = Arrays::new("new").with_numbers("x1", &[3, 1], Numbers::F64(&[1.0, 2.0, 3.0]));
        let arrays = arrays.and_then(|arrays| arrays.with_numbers("x2", &[3, 1], Numbers::F64(&[1.0, 1.0, 1.0])));
        let arrays = arrays.and_then(|arrays| arrays.with_numbers("y", &[3, labels], Numbers::I64(&y)));
        arrays.unwrap().read_several_labels(&Keys::default(), Some(&known))
    };
    assert_eq!(of(&read(2, &["cat", "night"]).unwrap()).names(), ["cat", "night"]);
    says(&read(3, &["cat", "night"]).unwrap_err(), &["`y` has 3 columns", "2"]);
}
