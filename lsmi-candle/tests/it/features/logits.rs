//! Logits of the user's own models: which arrays they are, which columns they need, and what is refused.

use lsmi_candle::features::{Classes, FeatureError, FeatureSet, Format, Keys, read_bytes, read_with_classes};
use lsmi_candle::numbers::matrix::Matrix;
use safetensors::Dtype;

use crate::features::build::{
    Item, STORED, archive, borrowed, labels, npy, npz, read_npz, read_safetensors, safetensors, sample, sample_with,
    says, with_splits, write,
};

/// Logits of four samples and two classes.
const VALUES: [f64; 8] = [0.5, -0.5, 2.0, 1.0, -3.0, 4.0, 0.0, 0.25];

fn logits(columns: usize) -> Item {
    let values: Vec<f64> = (0..4 * columns).map(|i| VALUES[i % 8]).collect();
    Item::new(Dtype::F32, &[4, columns], &values)
}

fn only_set(items: &[(&str, Item)]) -> FeatureSet {
    read_safetensors(items, &[]).unwrap().splits.remove(0).features
}

/// The error for [`sample`] with `logits1`, after checking what its message must say.
fn refused(item: Item, parts: &[&str]) -> FeatureError {
    let error = read_safetensors(&sample_with(vec![("logits1", item)]), &[]).unwrap_err();
    says(&error, parts);
    error
}

/// Two splits; the names as `name(role, split)`, the logits of the given ones.
fn two_splits(logits_of: &[(&str, &str)], name: impl Fn(&str, &str) -> String) -> Vec<(String, Item)> {
    let mut items = with_splits(&["train", "test"], &name);
    items.extend(logits_of.iter().map(|(role, split)| (name(role, split), logits(2))));
    items
}

fn suffixed(role: &str, split: &str) -> String {
    format!("{role}_{split}")
}

#[test]
fn any_of_the_three_may_be_there() {
    assert_eq!(only_set(&sample()).logits, [None, None, None]);
    let expected = Some(Matrix::new(4, 2, VALUES.to_vec()).unwrap());
    let features = only_set(&sample_with(vec![("logits2", logits(2))]));
    assert_eq!(features.logits, [None, expected.clone(), None]);
    let features = only_set(&sample_with(vec![("logits1", logits(2)), ("logits12", logits(2))]));
    assert_eq!(features.logits, [expected.clone(), None, expected]);
    assert_eq!(features.x1, only_set(&sample()).x1);
}

#[test]
fn every_type_of_floating_point_numbers() {
    for dtype in [Dtype::F16, Dtype::BF16, Dtype::F32, Dtype::F64] {
        let features = only_set(&sample_with(vec![("logits1", Item::new(dtype, &[4, 2], &VALUES))]));
        assert_eq!(features.logits[0].as_ref().unwrap().values(), VALUES, "{dtype}");
    }
}

#[test]
fn every_split_has_its_own() {
    let shifted = |shift: f64| Item::new(Dtype::F64, &[4, 2], &VALUES.map(|value| value + shift));
    let reference = |role: &str, split: &str| match role {
        "x1" => format!("{split}_modal_1_features"),
        "x2" => format!("{split}_modal_2_features"),
        "y" => format!("{split}_targets"),
        logits => format!("{split}_{logits}"),
    };
    for name in [suffixed, reference] {
        for splits in [["train", "test"], ["train", "val"]] {
            let mut items = with_splits(&splits, name);
            for (split, shift) in splits.iter().zip([0.0, 1.0]) {
                items.push((name("logits12", split), shifted(shift)));
            }
            let file = read_safetensors(&borrowed(&items), &[]).unwrap();
            for (split, shift) in file.splits.iter().zip([0.0, 1.0]) {
                let [None, None, Some(logits)] = &split.features.logits else { panic!("{:?}", split.features.logits) };
                assert_eq!(logits.values(), VALUES.map(|value| value + shift), "{}", split.name);
            }
        }
    }
    // Splits of any name.
    let mut items = with_splits(&["train", "ood"], suffixed);
    items.extend([("logits1_train".to_owned(), logits(2)), ("logits1_ood".to_owned(), logits(2))]);
    let file = read_safetensors(&borrowed(&items), &[]).unwrap();
    assert!(file.split("ood").unwrap().logits[0].is_some());
}

#[test]
fn renamed_arrays_keep_the_logits_names() {
    let mut items = with_splits(&["train"], |role, _| format!("my {role}"));
    items.push(("logits1".to_owned(), logits(2)));
    let keys: Keys = "my x1,my x2,my y".parse().unwrap();
    let bytes = safetensors(&borrowed(&items), &[]);
    let file = read_bytes("s", &bytes, Format::SafeTensors, &keys).unwrap();
    assert!(file.splits[0].features.logits[0].is_some());
}

#[test]
fn logits_named_as_a_modality_are_features() {
    let items = vec![("logits1", logits(3)), ("logits2", logits(2)), ("y", sample()[2].1.clone())];
    let read = |items: &[(&str, Item)], keys: &str| {
        let bytes = safetensors(items, &[]);
        read_bytes("s", &bytes, Format::SafeTensors, &keys.parse().unwrap()).unwrap().splits.remove(0).features
    };
    let features = read(&items, "logits1,logits2,y");
    assert_eq!(features.logits, [None, None, None]);
    assert_eq!(features.x1.columns(), 3);
    // Nor do they belong to a split that is not there.
    let items = sample_with(vec![("logits1_test", logits(3))]);
    assert_eq!(read(&items, "logits1_test,x2,y").x1.columns(), 3);
}

#[test]
fn numpy_files_with_string_labels() {
    let x1 = npy("<f4", false, &[3, 1], &[0, 0, 0, 0, 0, 0, 128, 63, 0, 0, 0, 64]);
    let texts = npy("|S3", false, &[3], b"dogcatowl");
    let values: Vec<u8> = (0_u8..9).flat_map(|i| (f64::from(i) - 4.0).to_le_bytes()).collect();
    let members = |columns: usize| {
        let data = &values[..24 * columns];
        archive(
            &[
                ("x1.npy", x1.clone()),
                ("x2.npy", x1.clone()),
                ("y.npy", texts.clone()),
                ("logits1.npy", npy("<f8", false, &[3, columns], data)),
                ("logits2.npy", npy("<f8", true, &[3, columns], data)),
            ],
            zip::CompressionMethod::Deflated,
        )
    };
    let file = read_npz(&members(3)).unwrap();
    let features = &file.splits[0].features;
    assert_eq!(file.classes.names(), ["cat", "dog", "owl"]);
    assert_eq!(features.labels, [1, 0, 2]);
    assert_eq!(features.logits[0].as_ref().unwrap().row(1), [-1.0, 0.0, 1.0]);
    assert_eq!(features.logits[1].as_ref().unwrap().row(1), [-3.0, 0.0, 3.0]);
    let error = read_npz(&members(2)).unwrap_err();
    says(&error, &["`logits1` has 2 columns", "3 classes (cat, dog, owl)", "in this order"]);
}

#[test]
fn as_many_rows_as_the_modalities() {
    let error = refused(
        Item::new(Dtype::F32, &[3, 2], &[0.5, -0.5, 2.0, 1.0, -3.0, 4.0]),
        &["`logits1` has 3 rows", "`x1` has 4"],
    );
    assert!(matches!(error, FeatureError::RowCount { found: 3, expected: 4, .. }));
}

#[test]
fn what_are_no_logits() {
    let predicted = Item::new(Dtype::I64, &[4, 2], &[0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0]);
    let error = refused(predicted, &["`logits1` holds 64-bit integers", "into the softmax", "not the predicted class"]);
    assert!(matches!(error, FeatureError::ElementType { .. }));
    let one = Item::new(Dtype::F32, &[4], &VALUES[..4]);
    refused(one, &["`logits1` has shape [4]", "np.stack([0 * z, z], axis=1)"]);
    let crops = Item::new(Dtype::F32, &[4, 1, 2], &VALUES);
    let error = refused(crops, &["`logits1` has shape [4, 1, 2]", "one row a sample"]);
    assert!(matches!(error, FeatureError::Shape { .. }));
    let error = refused(Item::new(Dtype::F32, &[4, 0], &[]), &["`logits1` has shape [4, 0]"]);
    assert!(matches!(error, FeatureError::Empty { .. }));
}

#[test]
fn every_logit_is_finite() {
    for (bad, text, advice) in [
        (f64::NAN, "NaN", "remove such rows"),
        (f64::INFINITY, "is inf", "in 32 bits"),
        (f64::NEG_INFINITY, "-inf", "clip, e.g. np.maximum"),
    ] {
        let mut values = VALUES;
        values[5] = bad;
        let item = Item::new(Dtype::F32, &[4, 2], &values);
        let error = refused(item, &["`logits1`", text, "row 2, column 1", advice]);
        assert!(matches!(error, FeatureError::NotFinite { row: 2, column: 1, .. }));
    }
}

#[test]
fn probabilities_are_no_logits_and_their_logarithms_are() {
    let probabilities = [0.9, 0.1, 0.25, 0.75, 1.0, 0.0, 0.5, 0.5];
    for dtype in [Dtype::F16, Dtype::BF16, Dtype::F32, Dtype::F64] {
        let error = refused(Item::new(dtype, &[4, 2], &probabilities), &["`logits1` holds probabilities", "np.log"]);
        assert!(matches!(error, FeatureError::Probabilities { .. }));
    }
    let logarithms = probabilities.map(|p: f64| p.max(1e-9).ln());
    only_set(&sample_with(vec![("logits1", Item::new(Dtype::F64, &[4, 2], &logarithms))]));
    // One row that is none is enough.
    let mut scores = probabilities;
    scores[0] = 1.9;
    only_set(&sample_with(vec![("logits1", Item::new(Dtype::F64, &[4, 2], &scores))]));
}

/// The advice for `logits1` of so many columns beside these labels.
fn column_count(columns: usize, values: &[f64], metadata: &[(&str, &str)], parts: &[&str]) {
    let items = sample_with(vec![("y", labels(values)), ("logits1", logits(columns))]);
    let error = read_safetensors(&items, metadata).unwrap_err();
    assert!(matches!(error, FeatureError::LogitColumns { found, .. } if found == columns));
    says(&error, parts);
}

#[test]
fn one_column_for_each_class() {
    // Labels below the number of columns: the model knows labels that never occur.
    let advice = "logits1[:, np.unique(y).astype(int)]";
    column_count(5, &[0.0, 4.0, 3.0, 1.0], &[], &["`logits1` has 5 columns", "4 classes (0, 1, 3, 4)", advice]);
    let names = [("classes", r#"["ant", "bee", "cow"]"#)];
    column_count(3, &[0.0, 2.0, 2.0, 0.0], &names, &["2 classes (ant, cow)", advice]);
    // Other labels are no columns.
    column_count(5, &[1.0, 5.0, 3.0, 1.0], &[], &["3 classes (1, 3, 5)", "one column for each class, in this order"]);
    column_count(3, &[-1.0, 1.0, 1.0, -1.0], &[], &["2 classes (-1, 1)", "one column for each class, in this order"]);
    column_count(2, &[0.0, 1.0, 2.0, 2.0], &[], &["3 classes (0, 1, 2)", "one column for each class, in this order"]);
    column_count(1, &[0.0, 1.0, 1.0, 0.0], &[], &["2 classes (0, 1)", "np.hstack([0 * logits1, logits1])"]);
}

#[test]
fn the_columns_that_the_advice_keeps_are_accepted() {
    let model = logits(4);
    let kept: Vec<u8> = model.bytes.chunks(16).flat_map(|row| [&row[..4], &row[12..]].concat()).collect();
    let items = sample_with(vec![
        ("y", labels(&[3.0, 0.0, 0.0, 3.0])),
        ("logits1", Item { dtype: Dtype::F32, shape: vec![4, 2], bytes: kept }),
    ]);
    let file = read_safetensors(&items, &[]).unwrap();
    assert_eq!(file.classes.names(), ["0", "3"]);
    let logits = file.splits[0].features.logits[0].as_ref().unwrap();
    assert_eq!(logits.row(0), [VALUES[0], VALUES[3]]);
    assert_eq!(logits.row(1), [VALUES[4], VALUES[7]]);
}

#[test]
fn evaluation_data_have_a_column_for_each_training_class() {
    let classes = Classes::new(vec!["0".to_owned(), "1".to_owned(), "5".to_owned()]).unwrap();
    let (_folder, path) = write("e.npz", &npz(&sample_with(vec![("logits12", logits(2))]), STORED));
    let error = read_with_classes(&path, &Keys::default(), &classes).unwrap_err();
    says(&error, &["`logits12` has 2 columns", "3 classes (0, 1, 5)"]);
    let (_folder, path) = write("e.npz", &npz(&sample_with(vec![("logits12", logits(3))]), STORED));
    let file = read_with_classes(&path, &Keys::default(), &classes).unwrap();
    assert_eq!(file.splits[0].features.logits[2].as_ref().unwrap().columns(), 3);
}

#[test]
fn later_splits_have_a_column_for_each_class_too() {
    let mut items = two_splits(&[("logits1", "train")], suffixed);
    items.push(("logits1_test".to_owned(), logits(3)));
    let error = read_safetensors(&borrowed(&items), &[]).unwrap_err();
    says(&error, &["`logits1_test` has 3 columns", "logits1_test[:, np.unique(y)"]);
}

#[test]
fn a_file_that_names_classes_in_another_order_is_refused_with_logits_only() {
    let trained = read_safetensors(&sample(), &[("classes", r#"["cat", "dog"]"#)]).unwrap().classes;
    let read = |items: &[(&str, Item)], names: &str| {
        let (_folder, path) = write("e.safetensors", &safetensors(items, &[("classes", names)]));
        read_with_classes(&path, &Keys::default(), &trained)
    };
    let with_logits = sample_with(vec![("logits2", logits(2))]);
    let error = read(&with_logits, r#"["dog", "cat"]"#).unwrap_err();
    assert!(matches!(&error, FeatureError::LogitOrder { array, .. } if array == "logits2"));
    says(&error, &["says dog, cat", "classes are cat, dog", "order of the classes"]);
    assert!(read(&sample(), r#"["dog", "cat"]"#).is_ok());
    assert!(read(&with_logits, r#"["cat", "dog", "owl"]"#).is_ok());
}

#[test]
fn all_splits_have_the_logits_of_the_same_models() {
    for (has, has_not) in [("train", "test"), ("test", "train")] {
        let items = two_splits(&[("logits1", "train"), ("logits1", "test"), ("logits2", has)], suffixed);
        let error = read_safetensors(&borrowed(&items), &[]).unwrap_err();
        let FeatureError::MissingLogits { array, present, .. } = &error else { panic!("{error}") };
        assert_eq!((array, present), (&format!("logits2_{has_not}"), &format!("logits2_{has}")));
        says(&error, &["add `logits2_", "or remove"]);
    }
}

#[test]
fn logits_of_no_split_are_refused() {
    let stray = |items: &[(&str, Item)], array: &str, parts: &[&str]| {
        let error = read_safetensors(items, &[]).unwrap_err();
        assert!(matches!(&error, FeatureError::StrayLogits { array: found, .. } if found == array), "{error}");
        says(&error, parts);
    };
    let mut items = two_splits(&[], suffixed);
    items.push(("logits2".to_owned(), logits(2)));
    stray(&borrowed(&items), "logits2", &["no split of the file (train, test)", "`logits1_train`"]);
    stray(&sample_with(vec![("logits12_val", logits(2))]), "logits12_val", &["(train)", "e.g. `logits1`"]);
    stray(&sample_with(vec![("train_logits1", logits(2))]), "train_logits1", &["`logits1`"]);
}

#[test]
fn selected_rows_keep_their_logits() {
    let selected = only_set(&sample_with(vec![("logits2", logits(2))])).select(&[3, 1]);
    let expected = Matrix::new(2, 2, vec![VALUES[6], VALUES[7], VALUES[2], VALUES[3]]).unwrap();
    assert_eq!(selected.logits, [None, Some(expected), None]);
}

#[test]
fn logits_change_the_hash() {
    let mut hashes: Vec<String> = [
        vec![],
        vec![("logits1", logits(2))],
        vec![("logits2", logits(2))],
        vec![("logits1", logits(2)), ("logits2", logits(2))],
        vec![("logits1", Item::new(Dtype::F64, &[4, 2], &VALUES.map(|value| value + 1.0)))],
    ]
    .into_iter()
    .flat_map(|changes| {
        let file = read_safetensors(&sample_with(changes), &[]).unwrap();
        [file.hash(), file.splits[0].features.hash()]
    })
    .collect();
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), 10);
    // Whatever type they were saved in.
    let doubles = Item::new(Dtype::F64, &[4, 2], &VALUES);
    assert_eq!(
        only_set(&sample_with(vec![("logits1", doubles)])).hash(),
        only_set(&sample_with(vec![("logits1", logits(2))])).hash()
    );
}

#[test]
fn inputs_are_the_samples_without_their_labels() {
    let features = only_set(&sample_with(vec![("logits12", logits(2))]));
    let inputs = features.inputs();
    assert_eq!(inputs.rows(), 4);
    assert_eq!((inputs.ids, inputs.x1, inputs.x2), (&features.ids, &features.x1, &features.x2));
    assert_eq!(inputs.logits, [None, None, features.logits[2].as_ref()]);
}
