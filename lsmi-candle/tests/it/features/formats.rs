//! Every format and element type gives back what was written.

use lsmi_candle::features::{FeatureError, FeatureFile, Format, Keys, Missing, read_bytes, read_with_keys};
use lsmi_candle::numbers::matrix::Matrix;
use safetensors::Dtype;
use zip::CompressionMethod;

use crate::features::build::{
    Item, Layout, STORED, fixture, npz, read_npz, read_safetensors, safetensors, sample, sample_with,
};

const NUMBERS: [Dtype; 12] = [
    Dtype::U8,
    Dtype::U16,
    Dtype::U32,
    Dtype::U64,
    Dtype::I8,
    Dtype::I16,
    Dtype::I32,
    Dtype::I64,
    Dtype::F16,
    Dtype::BF16,
    Dtype::F32,
    Dtype::F64,
];

fn is_integer(dtype: Dtype) -> bool {
    !matches!(dtype, Dtype::F16 | Dtype::BF16 | Dtype::F32 | Dtype::F64)
}

/// Values exact in every element type that can hold them.
fn values(dtype: Dtype) -> Vec<f64> {
    let signed = !matches!(dtype, Dtype::U8 | Dtype::U16 | Dtype::U32 | Dtype::U64);
    let scale = if is_integer(dtype) { 1.0 } else { 0.25 };
    let shift = if signed { -3.0 } else { 0.0 };
    (0..8_u8).map(|i| (f64::from(i) * 5.0 + shift) * scale).collect()
}

#[test]
fn every_element_type_in_safetensors() {
    for dtype in NUMBERS {
        let expected = values(dtype);
        let file = read_safetensors(&sample_with(vec![("x1", Item::new(dtype, &[4, 2], &expected))]), &[]).unwrap();
        assert_eq!(file.splits[0].features.x1, Matrix::new(4, 2, expected).unwrap(), "{dtype}");
    }
}

#[test]
fn every_element_type_in_every_layout_of_npz() {
    for dtype in NUMBERS.into_iter().filter(|dtype| *dtype != Dtype::BF16) {
        for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
            for (fortran, big_endian) in [(false, false), (false, true), (true, false), (true, true)] {
                let layout = Layout { method, fortran, big_endian };
                let expected = values(dtype);
                let items = sample_with(vec![("x1", Item::new(dtype, &[4, 2], &expected))]);
                let file = read_npz(&npz(&items, layout)).unwrap();
                assert_eq!(
                    file.splits[0].features.x1,
                    Matrix::new(4, 2, expected).unwrap(),
                    "{dtype} {method} {fortran} {big_endian}"
                );
                assert_eq!(file.splits[0].features.labels, [1, 0, 0, 1]);
            }
        }
    }
}

#[test]
fn labels_of_every_integer_type() {
    for dtype in NUMBERS.into_iter().filter(|dtype| is_integer(*dtype)).chain([Dtype::BOOL]) {
        let items = sample_with(vec![("y", Item::new(dtype, &[4], &[1.0, 0.0, 1.0, 1.0]))]);
        let file = read_safetensors(&items, &[]).unwrap();
        assert_eq!(file.splits[0].features.labels, [1, 0, 1, 1], "{dtype}");
        assert_eq!(file.classes.names(), ["0", "1"]);
    }
}

#[test]
fn booleans_are_features_too() {
    let items = sample_with(vec![("x2", Item::new(Dtype::BOOL, &[4, 1], &[1.0, 0.0, 0.0, 1.0]))]);
    assert_eq!(read_safetensors(&items, &[]).unwrap().splits[0].features.x2.values(), [1.0, 0.0, 0.0, 1.0]);
}

#[test]
fn huge_and_negative_labels_are_exact() {
    let item = |values: [u64; 4]| Item {
        dtype: Dtype::U64,
        shape: vec![4],
        bytes: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
    };
    let file = read_safetensors(&sample_with(vec![("y", item([u64::MAX, u64::MAX - 1, 0, 1]))]), &[]).unwrap();
    assert_eq!(file.classes.names(), ["0", "1", "18446744073709551614", "18446744073709551615"]);
    let signed = Item { dtype: Dtype::I64, ..item([1 << 63, u64::MAX, 1, 0]) };
    let file = read_safetensors(&sample_with(vec![("y", signed)]), &[]).unwrap();
    assert_eq!(file.classes.names(), ["-9223372036854775808", "-1", "0", "1"]);
    assert_eq!(file.splits[0].features.labels, [0, 1, 3, 2]);
}

#[test]
fn the_same_data_has_the_same_hash_in_every_format() {
    let from_safetensors = read_safetensors(&sample(), &[]).unwrap();
    let from_npz = read_npz(&npz(&sample(), STORED)).unwrap();
    assert_eq!(from_safetensors.hash(), from_npz.hash());
    assert_eq!(from_safetensors.hash().len(), 64);
    let hashes = |changes| {
        let file = read_safetensors(&sample_with(changes), &[]).unwrap();
        (file.splits[0].features.hash(), file.hash())
    };
    let original = hashes(Vec::new());
    for changes in [
        vec![("x2", Item::new(Dtype::F64, &[4, 1], &[0.5, -0.5, 1.5, 2.25]))],
        vec![("x2", Item::new(Dtype::F64, &[4, 2], &[0.5, -0.5, 1.5, 2.5, 0.0, 0.0, 0.0, 0.0]))],
        vec![("y", Item::new(Dtype::I64, &[4], &[1.0, 0.0, 1.0, 0.0]))],
        vec![("id", Item::new(Dtype::I64, &[4], &[0.0, 1.0, 2.0, 4.0]))],
    ] {
        let (set, file) = hashes(changes);
        assert_ne!(set, original.0);
        assert_ne!(file, original.1);
    }
    // Ids that say what row numbers say are the same ids.
    assert_eq!(hashes(vec![("id", Item::new(Dtype::I64, &[4], &[0.0, 1.0, 2.0, 3.0]))]), original);
}

#[test]
fn data_without_logits_keep_the_hash_they_had_before_there_were_any() {
    // Computed apart from this crate, from what is hashed: the version, then shapes, values, labels and ids.
    let file = read_safetensors(&sample(), &[]).unwrap();
    let set = "f2efd088cfebafcca0976525a43755316c4c6bb2ba2d139229d82fcb14783a8c";
    assert_eq!(file.splits[0].features.hash(), set);
    assert_eq!(file.hash(), "3b8144bd32a059abae62758453eb3d788deb59ba179a780393ead574fff89500");
}

/// The values that the programs beside the fixtures write.
fn check_fixture(file: &FeatureFile) {
    let splits: Vec<&str> = file.splits.iter().map(|split| split.name.as_str()).collect();
    assert_eq!(splits, ["train", "val", "test"]);
    for (split, rows) in file.splits.iter().zip([6, 4, 2]) {
        let features = &split.features;
        assert_eq!(
            (features.rows(), features.x1.rows(), features.x1.columns(), features.x2.rows(), features.x2.columns()),
            (rows, rows, 3, rows, 2)
        );
        for row in 0..rows {
            let i = row as f64;
            assert_eq!(features.x1.row(row), [10.0 * i, 10.0 * i + 0.25, 10.0 * i + 0.5]);
            assert_eq!(features.x2.row(row), [i, i - 2.0]);
        }
    }
}

#[test]
fn files_written_by_numpy() {
    for name in ["numpy_stored.npz", "numpy_deflated.npz"] {
        let error = read_with_keys(&fixture(name), &Keys::default()).unwrap_err();
        assert!(error.to_string().contains("`y_train` is missing at row 3;"), "{error}");
        // An empty text may be a name.
        let file = read_with_keys(&fixture(name), &Keys { missing: Missing::Keep, ..Keys::default() }).unwrap();
        check_fixture(&file);
        assert_eq!(file.classes.names(), ["", "cat", "dög"]);
        let labels: Vec<&[u32]> = file.splits.iter().map(|split| split.features.labels.as_slice()).collect();
        assert_eq!(labels, [[2, 1, 2, 0, 1, 1].as_slice(), &[1, 1, 0, 2], &[1, 2]]);
        assert_eq!(file.splits[0].features.ids.get(1), "bc");
        assert_eq!(file.splits[1].features.ids.get(0), "18446744073709551615");
        assert_eq!(file.splits[2].features.ids.get(1), "1");
    }
}

#[test]
fn files_written_by_torch() {
    let file = read_with_keys(&fixture("torch_features.pt"), &Keys::default()).unwrap();
    check_fixture(&file);
    assert_eq!(file.classes.names(), ["-1", "3", "7"]);
    let labels: Vec<&[u32]> = file.splits.iter().map(|split| split.features.labels.as_slice()).collect();
    assert_eq!(labels, [[2, 1, 2, 0, 1, 1].as_slice(), &[1, 1, 0, 2], &[1, 2]]);
    assert_eq!(file.splits[0].features.ids.get(5), "15");
}

#[test]
fn lists_of_strings_are_labels_in_torch_files() {
    let keys: Keys = "x1_test,x2_test,list".parse().unwrap();
    let file = read_with_keys(&fixture("torch_features.pt"), &keys).unwrap();
    assert_eq!(file.classes.names(), ["a", "b"]);
}

#[test]
fn lists_of_strings_in_the_metadata_are_arrays_in_safetensors() {
    let mut items = sample();
    items.retain(|(name, _)| *name != "y");
    let metadata = [("y", r#"["b", "a", "a", "b"]"#), ("id", r#"["p", "q", "r", "s"]"#)];
    let file = read_bytes("s", &safetensors(&items, &metadata), Format::SafeTensors, &Keys::default()).unwrap();
    let features = &file.splits[0].features;
    assert_eq!(file.classes.names(), ["a", "b"]);
    assert_eq!(features.labels, [1, 0, 0, 1]);
    assert_eq!(features.ids.get(3), "s");
}

#[test]
fn what_is_no_tensor_is_named_when_it_is_asked_for() {
    for (array, part) in [
        ("list", "holds strings"),
        ("nested", "a dictionary, not a tensor"),
        ("text", "a string, not a tensor"),
        ("complex", "ComplexFloatStorage"),
    ] {
        let keys: Keys = format!("{array},x2_train,y_train").parse().unwrap();
        let error = read_with_keys(&fixture("torch_features.pt"), &keys).unwrap_err();
        assert!(matches!(&error, FeatureError::ElementType { array: found, .. } if found == array), "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
    let keys: Keys = "expanded,x2_train,y_train".parse().unwrap();
    let error = read_with_keys(&fixture("torch_features.pt"), &keys).unwrap_err();
    assert!(error.to_string().contains("contiguous()"), "{error}");
    let keys: Keys = "objects,x2_train,y_train".parse().unwrap();
    let error = read_with_keys(&fixture("numpy_stored.npz"), &keys).unwrap_err();
    assert!(error.to_string().contains("`objects` holds strings"), "{error}");
}
