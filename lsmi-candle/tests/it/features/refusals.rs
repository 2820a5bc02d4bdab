//! Every bad input is refused with an error that says where and how to mend it.

use std::path::Path;

use lsmi_candle::features::{FeatureError, Format, Keys, read_bytes, read_with_keys};
use safetensors::Dtype;

use crate::features::build::{Item, labels, read_safetensors, safetensors, sample, sample_with, says};

/// The error for [`sample`] with one array replaced, after checking what its message must say.
fn refused(name: &'static str, item: Item, parts: &[&str]) -> FeatureError {
    let error = read_safetensors(&sample_with(vec![(name, item)]), &[]).unwrap_err();
    says(&error, parts);
    error
}

fn features(shape: &[usize], values: &[f64]) -> Item {
    Item::new(Dtype::F32, shape, values)
}

#[test]
fn missing_file() {
    let folder = tempfile::tempdir().unwrap();
    let error = read_with_keys(&folder.path().join("none.npz"), &Keys::default()).unwrap_err();
    assert!(matches!(error, FeatureError::NotFound { .. }));
    says(&error, &["none.npz", "no such file"]);
}

#[test]
fn directory() {
    let folder = tempfile::tempdir().unwrap();
    let error = read_with_keys(folder.path(), &Keys::default()).unwrap_err();
    assert!(matches!(error, FeatureError::IsDirectory { .. }));
    says(&error, &["is a directory"]);
}

#[test]
fn unknown_extension() {
    let folder = tempfile::tempdir().unwrap();
    for (name, extension) in [("notes.txt", "`txt`"), ("notes", "the name has no extension")] {
        let path = folder.path().join(name);
        std::fs::write(&path, "").unwrap();
        let error = read_with_keys(&path, &Keys::default()).unwrap_err();
        assert!(matches!(error, FeatureError::UnknownFormat { .. }));
        says(&error, &[extension, ".safetensors", ".npz", ".pt"]);
    }
}

#[test]
fn extensions_in_capitals_are_known() {
    assert_eq!(Format::from_path(Path::new("A.NPZ")), Some(Format::Npz));
    assert_eq!(Format::from_path(Path::new("a.tar.pth")), Some(Format::Torch));
    assert_eq!(Format::from_path(Path::new(".npz")), None);
}

#[test]
fn missing_arrays() {
    for (missing, left) in [("x1", "x2, y"), ("x2", "x1, y"), ("y", "x1, x2")] {
        let mut items = sample();
        items.retain(|(name, _)| *name != missing);
        let error = read_safetensors(&items, &[]).unwrap_err();
        assert!(matches!(&error, FeatureError::MissingArray { array, .. } if array == missing));
        says(&error, &[&format!("`{missing}`"), left, "`Keys`"]);
    }
    let error = read_safetensors(&[], &[("note", "no arrays")]).unwrap_err();
    says(&error, &["arrays there: none"]);
}

#[test]
fn missing_arrays_of_a_split() {
    let mut items = sample();
    items.push(("x1_val", sample()[0].1.clone()));
    let error = read_safetensors(&items, &[]).unwrap_err();
    says(&error, &["no array `x2_val`", "x1, x1_val, x2, y"]);
}

#[test]
fn a_named_id_must_be_there() {
    let keys: Keys = "x1,x2,y,row".parse().unwrap();
    let bytes = safetensors(&sample(), &[]);
    let error = read_bytes("s", &bytes, Format::SafeTensors, &keys).unwrap_err();
    assert!(matches!(error, FeatureError::MissingArray { array, .. } if array == "row"));
}

#[test]
fn row_counts() {
    let error = refused("x2", features(&[3, 1], &[0.0, 1.0, 2.0]), &["`x2` has 3 rows", "`x1` has 4"]);
    assert!(matches!(error, FeatureError::RowCount { found: 3, expected: 4, .. }));
    refused("y", labels(&[0.0, 1.0]), &["`y` has 2 rows"]);
    refused("id", labels(&[0.0, 1.0, 2.0, 3.0, 4.0]), &["`id` has 5 rows"]);
    let error = read_safetensors(&sample(), &[("ids", r#"["a"]"#)]).unwrap_err();
    says(&error, &["`ids` has 1 rows"]);
}

#[test]
fn column_counts() {
    let items = sample_with(vec![
        ("x1_val", features(&[1, 2], &[0.0, 1.0])),
        ("x2_val", features(&[1, 3], &[0.0, 1.0, 2.0])),
        ("y_val", labels(&[0.0])),
    ]);
    let error = read_safetensors(&items, &[]).unwrap_err();
    assert!(matches!(error, FeatureError::ColumnCount { found: 3, expected: 1, .. }));
    says(&error, &["`x2_val` has 3 columns", "`x2` has 1"]);
}

#[test]
fn values_that_are_not_finite() {
    for (bad, text) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf")] {
        let item = features(&[4, 2], &[0.0, 1.0, 2.0, 3.0, 4.0, bad, bad, 7.0]);
        let error = refused("x1", item, &["`x1`", text, "row 2, column 1"]);
        assert!(matches!(error, FeatureError::NotFinite { row: 2, column: 1, .. }));
    }
    // Too large for the type it was saved in: infinite there.
    let item = Item::new(Dtype::F16, &[4, 1], &[0.0, 1e6, 0.0, 0.0]);
    refused("x2", item, &["inf", "row 1, column 0"]);
}

#[test]
fn a_modality_that_never_varies() {
    let item = features(&[4, 2], &[1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0]);
    let error = refused("x1", item, &["all 4 rows of `x1` are equal"]);
    assert!(matches!(error, FeatureError::ConstantModality { rows: 4, .. }));
}

#[test]
fn a_constant_column_beside_others_is_fine() {
    let item = features(&[4, 2], &[1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 3.0]);
    assert!(read_safetensors(&sample_with(vec![("x1", item)]), &[]).is_ok());
}

#[test]
fn empty_arrays() {
    for shape in [[0, 2], [4, 0], [0, 0]] {
        let error = refused("x1", features(&shape, &[]), &["`x1` has shape", "at least one row"]);
        assert!(matches!(error, FeatureError::Empty { .. }));
    }
    refused("y", labels(&[]), &["`y` has shape [0]"]);
    refused("x1", features(&[usize::MAX >> 8, 0], &[]), &["at least one row"]);
}

#[test]
fn a_single_class() {
    let error = refused("y", labels(&[3.0; 4]), &["all labels in `y` are `3`", "two classes"]);
    assert!(matches!(error, FeatureError::SingleClass { .. }));
}

#[test]
fn labels_that_are_floating_point_numbers() {
    for dtype in [Dtype::F16, Dtype::BF16, Dtype::F32, Dtype::F64] {
        let error = refused("y", Item::new(dtype, &[4], &[0.0, 1.0, 0.0, 1.0]), &["`y` holds", "astype('int64')"]);
        assert!(matches!(error, FeatureError::ElementType { .. }));
    }
    refused("id", features(&[4], &[0.0, 1.0, 2.0, 3.0]), &["`id` holds 32-bit floating-point numbers", "astype"]);
}

#[test]
fn wrong_numbers_of_dimensions() {
    refused("x1", features(&[4], &[0.0, 1.0, 2.0, 3.0]), &["`x1` has shape [4]", "x.reshape(-1, 1)"]);
    refused("x1", features(&[4, 1, 1], &[0.0, 1.0, 2.0, 3.0]), &["[4, 1, 1]", "x.reshape(len(x), -1)"]);
    refused("x1", features(&[], &[0.0]), &["[]", "x.reshape(-1, 1)"]);
    let one_hot = Item::new(Dtype::I64, &[4, 2], &[1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0]);
    refused("y", one_hot, &["`y` has shape [4, 2]", "argmax"]);
    refused("id", Item::new(Dtype::I64, &[2, 2], &[0.0, 1.0, 2.0, 3.0]), &["`id`", "id.reshape(-1)"]);
}

#[test]
fn element_types_of_no_use() {
    let complex = Item { dtype: Dtype::C64, shape: vec![4, 1], bytes: vec![0; 32] };
    refused("x1", complex.clone(), &["`x1` holds elements of type C64", "astype('float32')"]);
    refused("y", Item { shape: vec![4], ..complex }, &["`y` holds elements of type C64"]);
}

#[test]
fn repeated_ids() {
    let error = refused("id", labels(&[5.0, 6.0, 7.0, 6.0]), &["id `6` at rows 1 and 3"]);
    assert!(matches!(error, FeatureError::DuplicateId { first: 1, second: 3, .. }));
    let error = read_safetensors(&sample(), &[("ids", r#"["a", "b", "c", "a"]"#)]).unwrap_err();
    says(&error, &["`ids` has the id `a` at rows 0 and 3"]);
}

#[test]
fn metadata_that_cannot_be_understood() {
    for (key, value, part) in [
        ("classes", "cat, dog", "no JSON list"),
        ("classes", "[1, 2]", "no JSON list"),
        ("classes", r#"["a", "b", "a"]"#, "labels 0 and 2 both `a`"),
        ("ids", r#"{"a": 1}"#, "no JSON list"),
    ] {
        let error = read_safetensors(&sample(), &[(key, value)]).unwrap_err();
        assert!(matches!(error, FeatureError::Metadata { .. }));
        says(&error, &[&format!("`{key}`"), part]);
    }
}

#[test]
fn many_classes_are_not_all_listed() {
    let count = 25_u8;
    let values: Vec<f64> = (0..count).map(f64::from).collect();
    let rows = values.len();
    let items = vec![
        ("x1_train", features(&[rows, 1], &values)),
        ("x2_train", features(&[rows, 1], &values)),
        ("y_train", labels(&values)),
        ("x1_test", features(&[1, 1], &[0.0])),
        ("x2_test", features(&[1, 1], &[0.0])),
        ("y_test", labels(&[99.0])),
    ];
    says(&read_safetensors(&items, &[]).unwrap_err(), &["18, 19 and 5 more", "`99` at row 0"]);
}

#[test]
fn one_format_under_the_name_of_another() {
    let bytes = safetensors(&sample(), &[]);
    for format in [Format::Npz, Format::Torch] {
        let error = read_bytes("s", &bytes, format, &Keys::default()).unwrap_err();
        says(&error, &[&format!("not a readable {} file", format.name()), "zip archive"]);
    }
    // What torch.save wrote before version 1.6.
    let old = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";
    let error = read_bytes("s", old, Format::Torch, &Keys::default()).unwrap_err();
    says(&error, &["before 1.6 must be saved anew"]);
}
