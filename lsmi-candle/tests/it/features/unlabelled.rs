//! Files read without their labels, which may be there or not, whole or not.

use lsmi_candle::features::{
    Classes, FeatureError, Keys, Missing, Unlabelled, UnlabelledFile, read_unlabelled, read_with_classes,
    read_with_keys,
};
use safetensors::Dtype;

use crate::features::build::{
    Item, STORED, borrowed, fixture, labels, npz, read_safetensors, safetensors, sample, sample_with, says,
    with_splits, write,
};

fn classes() -> Classes {
    Classes::new(vec!["0".to_owned(), "1".to_owned()]).unwrap()
}

fn logits(columns: usize) -> Item {
    let values: Vec<f64> = (0_u8..4).flat_map(|row| vec![f64::from(row) - 1.5; columns]).collect();
    Item::new(Dtype::F32, &[4, columns], &values)
}

fn read_items(items: &[(&str, Item)], metadata: &[(&str, &str)]) -> Result<UnlabelledFile, FeatureError> {
    let (_folder, path) = write("new.safetensors", &safetensors(items, metadata));
    read_unlabelled(&path, &Keys::default(), &classes())
}

fn without_labels(mut items: Vec<(&str, Item)>) -> Vec<(&str, Item)> {
    items.retain(|(name, _)| *name != "y");
    items
}

#[test]
fn with_and_without_labels_the_samples_are_the_same() {
    let items = sample_with(vec![("id", labels(&[9.0, 8.0, 7.0, 6.0])), ("logits2", logits(2))]);
    let expected = Unlabelled::from(&read_safetensors(&items, &[]).unwrap().splits[0].features);
    assert_eq!(expected.rows(), 4);
    let with = read_items(&items, &[]).unwrap();
    let without = read_items(&without_labels(items), &[]).unwrap();
    for file in [&with, &without] {
        assert_eq!(file.splits.len(), 1);
        assert_eq!(file.split("train"), Some(&expected));
    }
    assert_eq!(with.hash(), without.hash());
}

#[test]
fn labels_are_left_alone_whatever_they_are() {
    let expected = read_items(&without_labels(sample()), &[]).unwrap().splits;
    for nonsense in [
        Item::new(Dtype::F32, &[4], &[f64::NAN; 4]),
        Item::new(Dtype::I64, &[2], &[0.0, 99.0]),
        Item::new(Dtype::I64, &[4, 3], &[0.0; 12]),
        Item::new(Dtype::I64, &[0], &[]),
        labels(&[7.0, 7.0, 7.0, 7.0]),
    ] {
        assert_eq!(read_items(&sample_with(vec![("y", nonsense)]), &[]).unwrap().splits, expected);
    }
}

#[test]
fn every_format() {
    let (_folder, path) = write("new.npz", &npz(&without_labels(sample_with(vec![("logits12", logits(2))])), STORED));
    let file = read_unlabelled(&path, &Keys::default(), &classes()).unwrap();
    assert_eq!(file.path, path);
    assert_eq!(file.splits[0].features.logits[2].as_ref().unwrap().row(3), [1.5, 1.5]);
    for name in ["numpy_deflated.npz", "torch_features.pt"] {
        let labelled = read_with_keys(&fixture(name), &Keys { missing: Missing::Keep, ..Keys::default() }).unwrap();
        let file = read_unlabelled(&fixture(name), &Keys::default(), &classes()).unwrap();
        assert_eq!(file.splits.len(), labelled.splits.len());
        for (split, labelled) in file.splits.iter().zip(&labelled.splits) {
            assert_eq!(split.name, labelled.name);
            assert_eq!(split.features, Unlabelled::from(&labelled.features));
        }
    }
}

#[test]
fn two_modalities_make_a_split() {
    let mut items = with_splits(&["test", "new"], |role, split| format!("{role}_{split}"));
    items.retain(|(name, _)| !name.starts_with('y'));
    items.push(("y_val".to_owned(), labels(&[0.0])));
    let file = read_items(&borrowed(&items), &[]).unwrap();
    let names: Vec<&str> = file.splits.iter().map(|split| split.name.as_str()).collect();
    assert_eq!(names, ["test", "new"]);
    assert!(file.split("val").is_none());

    let mut items = with_splits(&["test"], |role, split| match role {
        "x1" => format!("{split}_modal_1_features"),
        "x2" => format!("{split}_modal_2_features"),
        _ => "labels of another kind".to_owned(),
    });
    items.push(("test_logits1".to_owned(), logits(2)));
    let file = read_items(&borrowed(&items), &[]).unwrap();
    assert!(file.split("test").unwrap().logits[0].is_some());
}

#[test]
fn renamed_modalities() {
    let items = [("image", sample()[0].1.clone()), ("text", sample()[1].1.clone())];
    let (_folder, path) = write("new.safetensors", &safetensors(&items, &[]));
    let file = read_unlabelled(&path, &"image,text,label".parse().unwrap(), &classes()).unwrap();
    assert_eq!(file.splits[0].features.x2.values(), [0.5, -0.5, 1.5, 2.5]);
}

#[test]
fn modalities_and_ids_are_checked_as_ever() {
    let refused = |items: &[(&str, Item)], parts: &[&str]| says(&read_items(items, &[]).unwrap_err(), parts);
    refused(&[("x1", sample()[0].1.clone())], &["no array `x2`", "arrays there: x1"]);
    refused(&[("y", labels(&[0.0]))], &["no array `x1`"]);
    refused(&sample_with(vec![("x2", Item::new(Dtype::F32, &[1, 1], &[0.0]))]), &["`x2` has 1 rows"]);
    refused(&sample_with(vec![("x2", Item::new(Dtype::F32, &[4, 1], &[f64::NAN; 4]))]), &["`x2` is NaN at row 0"]);
    refused(&sample_with(vec![("id", labels(&[1.0, 1.0, 2.0, 3.0]))]), &["id `1` at rows 0 and 1"]);
    let mut items = without_labels(sample());
    items.push(("x1_val", Item::new(Dtype::F32, &[1, 3], &[0.0, 1.0, 2.0])));
    items.push(("x2_val", Item::new(Dtype::F32, &[1, 1], &[0.0])));
    refused(&items, &["`x1_val` has 3 columns", "`x1` has 2"]);
    items.extend([("x1_train", sample()[0].1.clone()), ("x2_train", sample()[1].1.clone())]);
    refused(&items, &["`x1` and those named as `x1_train`"]);
}

#[test]
fn logits_are_checked_as_ever() {
    let refused = |item: Item, metadata: &[(&str, &str)], parts: &[&str]| {
        let items = without_labels(sample_with(vec![("logits1", item)]));
        says(&read_items(&items, metadata).unwrap_err(), parts);
    };
    refused(logits(3), &[], &["`logits1` has 3 columns", "2 classes (0, 1)", "logits1[:, np.unique(y)"]);
    refused(Item::new(Dtype::F32, &[1, 2], &[0.5, 2.0]), &[], &["`logits1` has 1 rows"]);
    refused(Item::new(Dtype::F32, &[4, 2], &[f64::NEG_INFINITY; 8]), &[], &["-inf at row 0, column 0", "clip"]);
    refused(Item::new(Dtype::F32, &[4, 2], &[0.5; 8]), &[], &["`logits1` holds probabilities"]);
    refused(logits(2), &[("classes", r#"["1", "0"]"#)], &["says 1, 0", "classes are 0, 1"]);

    let mut items = without_labels(sample_with(vec![("logits1", logits(2))]));
    items.extend([("x1_val", sample()[0].1.clone()), ("x2_val", sample()[1].1.clone())]);
    says(&read_items(&items, &[]).unwrap_err(), &["there is `logits1`, but no `logits1_val`"]);
    items.push(("logits1_val", logits(3)));
    says(&read_items(&items, &[]).unwrap_err(), &["`logits1_val` has 3 columns"]);
}

#[test]
fn selection_and_hash_follow_the_samples() {
    let samples = |changes| read_items(&sample_with(changes), &[]).unwrap().splits.remove(0).features;
    let plain = samples(vec![]);
    let with_logits = samples(vec![("logits1", logits(2))]);
    let selected = with_logits.select(&[2, 0]);
    assert_eq!(selected.rows(), 2);
    assert_eq!(selected.ids.get(0), "2");
    assert_eq!(selected.x1.row(0), [4.0, 5.0]);
    assert_eq!(selected.inputs().x2.values(), [1.5, 0.5]);
    assert_eq!(selected.inputs().logits[0].unwrap().values(), [0.5, 0.5, -1.5, -1.5]);

    let labelled = read_safetensors(&sample(), &[]).unwrap().splits.remove(0).features;
    let others = [with_logits.hash(), selected.hash(), samples(vec![("id", labels(&[3.0, 2.0, 1.0, 0.0]))]).hash()];
    assert!(!others.contains(&plain.hash()));
    assert_eq!(plain.hash(), Unlabelled::from(&labelled).hash());
    assert_ne!(plain.hash(), labelled.hash());
}

#[test]
fn the_other_readers_still_want_labels() {
    let (_folder, path) = write("new.safetensors", &safetensors(&without_labels(sample()), &[]));
    for error in [
        read_with_keys(&path, &Keys::default()).unwrap_err(),
        read_with_classes(&path, &Keys::default(), &classes()).unwrap_err(),
    ] {
        assert!(matches!(error, FeatureError::MissingArray { array, .. } if array == "y"));
    }
}
