//! Splits, classes and ids: how the arrays of a file are put together.

use lsmi_candle::features::{Classes, FeatureError, Format, Keys, Missing, read_bytes, read_with_classes};
use lsmi_core::SampleIds;
use safetensors::Dtype;

use crate::features::build::{
    Item, STORED, archive, borrowed, labels, npy, npz, read_safetensors, safetensors, sample, sample_with, with_splits,
    write,
};

fn split_names(items: &[(String, Item)], keys: &Keys) -> Vec<String> {
    let bytes = safetensors(&borrowed(items), &[]);
    let file = read_bytes("splits.safetensors", &bytes, Format::SafeTensors, keys).unwrap();
    file.splits.into_iter().map(|split| split.name).collect()
}

#[test]
fn without_suffixes_all_rows_are_training_rows() {
    let file = read_safetensors(&sample(), &[]).unwrap();
    assert_eq!(file.splits.len(), 1);
    assert_eq!(file.splits[0].name, "train");
    assert_eq!(file.split("train").unwrap().x1.row(1), [2.0, 3.0]);
    assert!(file.split("test").is_none());
    assert_eq!(file.path.to_str(), Some("sample.safetensors"));
}

#[test]
fn suffixes_make_splits_in_order() {
    let items = with_splits(&["zoo", "test", "alt", "val", "train"], |role, split| format!("{role}_{split}"));
    assert_eq!(split_names(&items, &Keys::default()), ["train", "val", "test", "alt", "zoo"]);
}

#[test]
fn the_reference_implementations_names() {
    let items = with_splits(&["test", "train", "val"], |role, split| match role {
        "x1" => format!("{split}_modal_1_features"),
        "x2" => format!("{split}_modal_2_features"),
        _ => format!("{split}_targets"),
    });
    assert_eq!(split_names(&items, &Keys::default()), ["train", "val", "test"]);
}

#[test]
fn renamed_arrays_with_and_without_suffixes() {
    let keys: Keys = "image,text,label".parse().unwrap();
    let rename = |role: &str| match role {
        "x1" => "image",
        "x2" => "text",
        _ => "label",
    };
    let items = with_splits(&["train", "test"], |role, split| format!("{}_{split}", rename(role)));
    assert_eq!(split_names(&items, &keys), ["train", "test"]);
    let items = with_splits(&["train"], |role, _| rename(role).to_owned());
    assert_eq!(split_names(&items, &keys), ["train"]);
}

#[test]
fn other_arrays_are_left_alone() {
    let items = sample_with(vec![
        ("logits", Item::new(Dtype::F32, &[2, 2], &[f64::NAN, 0.0, 0.0, 0.0])),
        ("x1_raw", Item::new(Dtype::F32, &[1], &[0.0])),
    ]);
    assert_eq!(read_safetensors(&items, &[]).unwrap(), read_safetensors(&sample(), &[]).unwrap());
}

#[test]
fn two_training_splits_are_refused() {
    let mut items = with_splits(&["train"], |role, split| format!("{role}_{split}"));
    items.extend(with_splits(&["train"], |role, _| role.to_owned()));
    assert!(matches!(
        read_safetensors(&borrowed(&items), &[]),
        Err(FeatureError::AmbiguousTrainingSplit { array, other, .. }) if array == "x1" && other == "x1_train"
    ));
}

#[test]
fn training_needs_a_training_split_and_evaluation_does_not() {
    let items = with_splits(&["test"], |role, split| format!("{role}_{split}"));
    let bytes = safetensors(&borrowed(&items), &[]);
    let error = read_bytes("t.safetensors", &bytes, Format::SafeTensors, &Keys::default()).unwrap_err();
    assert!(matches!(error, FeatureError::MissingTrainingSplit { found, .. } if found == "test"));
    let classes = Classes::new(vec!["0".to_owned(), "1".to_owned()]).unwrap();
    let (_folder, path) = write("test.safetensors", &bytes);
    let file = read_with_classes(&path, &Keys::default(), &classes).unwrap();
    assert_eq!(file.splits[0].name, "test");
}

#[test]
fn classes_are_numbered_by_the_training_split() {
    let items = [("_train", [30.0, -1.0, 30.0, 4.0]), ("_val", [4.0, 4.0, 30.0, 4.0])]
        .iter()
        .flat_map(|(suffix, values)| {
            sample_with(vec![("y", labels(values))])
                .into_iter()
                .map(move |(name, item)| (format!("{name}{suffix}"), item))
        })
        .collect::<Vec<_>>();
    let file = read_safetensors(&borrowed(&items), &[]).unwrap();
    assert_eq!(file.classes.names(), ["-1", "4", "30"]);
    assert_eq!(file.splits[0].features.labels, [2, 0, 2, 1]);
    assert_eq!(file.splits[1].features.labels, [1, 1, 2, 1]);
}

#[test]
fn a_label_that_training_has_not_is_refused() {
    let mut items = with_splits(&["train", "test"], |role, split| format!("{role}_{split}"));
    items.retain(|(name, _)| name != "y_test");
    items.push(("y_test".to_owned(), labels(&[0.0, 1.0, 5.0, 6.0])));
    let error = read_safetensors(&borrowed(&items), &[]).unwrap_err();
    let FeatureError::UnseenClass { file, array, row, label, known } = &error else { panic!("{error}") };
    assert_eq!(
        (file.as_str(), array.as_str(), *row, label.as_str(), known.as_str()),
        ("sample.safetensors", "y_test", 2, "5", "0, 1")
    );
}

#[test]
fn names_of_integer_labels_come_from_the_metadata() {
    let items = sample_with(vec![("y", labels(&[3.0, 1.0, 1.0, 3.0]))]);
    let metadata = [("classes", r#"["ant", "bee", "cow", "dog"]"#)];
    let file = read_safetensors(&items, &metadata).unwrap();
    assert_eq!(file.classes.names(), ["bee", "dog"]);
    assert_eq!(file.classes.labels(), ["1", "3"]);
    assert_eq!(file.splits[0].features.labels, [1, 0, 0, 1]);
    // Names that do not reach as far as the labels are about something else.
    let file = read_safetensors(&items, &[("classes", r#"["ant", "bee", "cow"]"#)]).unwrap();
    assert_eq!(file.classes.names(), ["1", "3"]);
}

#[test]
fn evaluation_matches_classes_by_name_where_both_files_have_names() {
    let trained = read_safetensors(&sample(), &[("classes", r#"["cat", "dog"]"#)]).unwrap();
    let bytes = safetensors(&sample(), &[("classes", r#"["dog", "cat"]"#)]);
    let (_folder, path) = write("swapped.safetensors", &bytes);
    let file = read_with_classes(&path, &Keys::default(), &trained.classes).unwrap();
    assert_eq!(file.classes, trained.classes);
    assert_eq!(file.splits[0].features.labels, [0, 1, 1, 0]);
    // Without names, by label.
    let (_folder, path) = write("unnamed.npz", &npz(&sample(), STORED));
    let file = read_with_classes(&path, &Keys::default(), &trained.classes).unwrap();
    assert_eq!(file.splits[0].features.labels, [1, 0, 0, 1]);
}

#[test]
fn samples_to_be_evaluated_need_not_vary() {
    let one = vec![
        ("x1", Item::new(Dtype::F32, &[1, 2], &[0.0, 0.0])),
        ("x2", Item::new(Dtype::F32, &[1, 1], &[0.0])),
        ("y", labels(&[1.0])),
    ];
    let classes = read_safetensors(&sample(), &[]).unwrap().classes;
    let (_folder, path) = write("one.SafeTensors", &safetensors(&one, &[]));
    let file = read_with_classes(&path, &Keys::default(), &classes).unwrap();
    assert_eq!(file.splits[0].features.labels, [1]);
}

#[test]
fn ids_are_row_numbers_numbers_or_names() {
    let ids = |items: &[(&str, Item)], metadata: &[(&str, &str)]| {
        read_safetensors(items, metadata).unwrap().splits.remove(0).features.ids
    };
    assert_eq!(ids(&sample(), &[]), SampleIds::rows(4));
    let numbered = sample_with(vec![("id", labels(&[9.0, -8.0, 7.0, 6.0]))]);
    assert_eq!(ids(&numbered, &[]), SampleIds::from_numbers(vec![9, -8, 7, 6]).unwrap());
    let named = [("ids", r#"["a", "b", "c", "d"]"#)];
    assert_eq!(ids(&sample(), &named), SampleIds::from_names(["a", "b", "c", "d"]).unwrap());
    // An array goes before metadata.
    assert_eq!(ids(&numbered, &named).get(0), "9");
}

#[test]
fn strings_of_npz_are_ids_and_labels() {
    let x1 = npy("<f4", false, &[3, 1], &[0, 0, 0, 0, 0, 0, 128, 63, 0, 0, 0, 64]);
    let labels = npy("|S3", false, &[3], b"dogcat\x00\x00\x00");
    let ids = npy(
        "<U2",
        false,
        &[3],
        b"a\x00\x00\x00\x00\x00\x00\x00b\x00\x00\x00c\x00\x00\x00\x3a\xf6\x01\x00\x00\x00\x00\x00",
    );
    let bytes = archive(
        &[
            ("x1.npy", x1.clone()),
            ("x2.npy", x1),
            ("y.npy", labels),
            ("id.npy", ids),
            ("readme.txt", b"no array".to_vec()),
        ],
        zip::CompressionMethod::Stored,
    );
    let keys = Keys { missing: Missing::Keep, ..Keys::default() };
    let file = read_bytes("sample.npz", &bytes, Format::Npz, &keys).unwrap();
    assert_eq!(file.classes.names(), ["", "cat", "dog"]);
    let features = &file.splits[0].features;
    assert_eq!(features.labels, [2, 1, 0]);
    assert_eq!(features.ids, SampleIds::from_names(["a", "bc", "😺"]).unwrap());
    assert_eq!(features.x1.values(), [0.0, 1.0, 2.0]);
}

#[test]
fn selected_rows_keep_their_ids() {
    let features = read_safetensors(&sample(), &[]).unwrap().splits.remove(0).features;
    let selected = features.select(&[3, 1]);
    assert_eq!(selected.ids, SampleIds::from_numbers(vec![3, 1]).unwrap());
    assert_eq!(selected.x1.values(), [6.0, 7.0, 2.0, 3.0]);
    assert_eq!(selected.x2.values(), [2.5, -0.5]);
    assert_eq!(selected.labels, [1, 0]);
}
