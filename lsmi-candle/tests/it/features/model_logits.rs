//! Logits of a model in a file of its own, matched to samples that are read already.

use lsmi_candle::features::{FeatureError, FeatureFile, Split, read_model_logits};
use safetensors::Dtype;

use crate::features::build::{Item, borrowed, read_safetensors, safetensors, says, with_splits, write};

const VALUES: [f64; 8] = [0.5, -0.5, 2.0, 1.0, -3.0, 4.0, 0.0, 0.25];

fn logits() -> Item {
    Item::new(Dtype::F64, &[4, 2], &VALUES)
}

fn ids(numbers: &[f64]) -> Item {
    Item::new(Dtype::I64, &[numbers.len()], numbers)
}

/// Splits `train` and `test` of four samples each, whose ids are their rows.
fn data() -> FeatureFile {
    let items = with_splits(&["train", "test"], |role, split| format!("{role}_{split}"));
    read_safetensors(&borrowed(&items), &[]).unwrap()
}

fn read(items: &[(&str, Item)]) -> Result<Vec<Split>, FeatureError> {
    let file = data();
    let (_place, path) = write("model.safetensors", &safetensors(items, &[]));
    read_model_logits(&path, &file.classes, &file.splits.iter().collect::<Vec<_>>())
}

fn refused(items: &[(&str, Item)], parts: &[&str]) {
    says(&read(items).unwrap_err(), parts);
}

#[test]
fn rows_are_matched_by_position_or_by_id() {
    let splits = read(&[("logits12_train", logits()), ("logits12_test", logits())]).unwrap();
    assert_eq!(splits.iter().map(|split| split.name.as_str()).collect::<Vec<_>>(), ["train", "test"]);
    assert_eq!(splits[1].features.logits[2].as_ref().unwrap().values(), VALUES);
    assert_eq!(splits[1].features.x1, data().split("test").unwrap().x1);
    assert_eq!(splits[1].features.logits[0], None);

    // More rows than are wanted, in another order.
    let wide = Item::new(Dtype::F64, &[5, 2], &[9.0, 8.0, 0.0, 0.25, -3.0, 4.0, 2.0, 1.0, 0.5, -0.5]);
    let splits = read(&[("logits1_test", wide), ("id_test", ids(&[7.0, 3.0, 2.0, 1.0, 0.0]))]).unwrap();
    assert_eq!(splits.len(), 1);
    assert_eq!(splits[0].name, "test");
    assert_eq!(splits[0].features.logits[0].as_ref().unwrap().values(), VALUES);
}

#[test]
fn logits_without_a_suffix_are_of_the_training_rows() {
    let splits = read(&[("logits2", logits())]).unwrap();
    assert_eq!((splits.len(), splits[0].name.as_str()), (1, "train"));
    // A file may be about more splits than are at hand.
    assert_eq!(read(&[("logits2", logits()), ("logits2_val", logits())]).unwrap(), splits);
}

#[test]
fn what_does_not_fit_is_refused() {
    refused(&[("scores", logits())], &["model.safetensors: there are no logits", "logits12_test", "found scores"]);
    refused(
        &[("logits12_train", logits()), ("logits12_test", logits()), ("logits1_train", logits())],
        &["there is `logits1_train`, but no `logits1_test`"],
    );
    let short = Item::new(Dtype::F64, &[3, 2], &VALUES[..6]);
    refused(&[("logits12_test", short.clone())], &["`logits12_test` has 3 rows", "`x1 of the split test` has 4"]);
    refused(
        &[("logits12_test", short.clone()), ("id_test", ids(&[0.0, 1.0, 2.0]))],
        &["`id_test` has no sample with the id `3`", "under the ids of the data"],
    );
    refused(
        &[("logits12_test", short), ("id_test", ids(&[0.0, 1.0, 2.0, 3.0]))],
        &["`logits12_test` has 3 rows", "`id_test` has 4"],
    );
    let wide = Item::new(Dtype::F64, &[4, 1], &VALUES[..4]);
    refused(&[("logits12_test", wide)], &["1 columns, but there are 2 classes"]);
}
