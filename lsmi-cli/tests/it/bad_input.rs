//! Data that cannot be used: exit status 3, a message that names file, array and row, and nothing left behind.

use std::collections::BTreeMap;

use crate::place::{Array, Place, floats, good, integers, matrix, safetensors, stderr, stdout};

/// Runs a command that must refuse its data, and gives its message.
fn refusal(place: &Place, words: &str) -> String {
    let before = place.names(".");
    let refused = place.lsmi(words).code(3);
    assert_eq!(stdout(&refused), "", "{words}");
    assert_eq!(place.names("."), before, "{words}");
    stderr(&refused)
}

/// What `analyze` says to these bytes as the file `data.safetensors`.
fn of_bytes(bytes: &[u8]) -> String {
    let place = Place::new();
    place.write("data.safetensors", bytes);
    let fit = refusal(&place, "fit data.safetensors --out e.safetensors");
    let analyze = refusal(&place, "analyze data.safetensors --out result/deep");
    assert_eq!(fit, analyze);
    analyze
}

/// What `analyze` says when one of the good arrays is replaced, added, or (none) left out.
fn with(name: &'static str, array: Option<Array>) -> String {
    let mut arrays = good();
    arrays.remove(name);
    arrays.extend(array.map(|array| (name, array)));
    of_bytes(&safetensors(&arrays))
}

#[test]
fn the_good_arrays_are_good() {
    let place = Place::new();
    place.write("data.safetensors", safetensors(&good()));
    place.lsmi("analyze data.safetensors --out result").success();
}

#[test]
fn no_such_file() {
    let message = refusal(&Place::new(), "analyze nowhere.safetensors --out result");
    assert!(message.contains("nowhere.safetensors: no such file"), "{message}");
    let place = Place::new();
    place.write("data.xlsx", "x");
    let message = refusal(&place, "analyze data.xlsx --out result");
    assert!(message.contains("data.xlsx: `xlsx` is not the extension of a feature file"), "{message}");
}

#[test]
fn truncated_and_corrupt_files() {
    let whole = safetensors(&good());
    for bytes in [&whole[..whole.len() - 7], &whole[..40], &[]] {
        let message = of_bytes(bytes);
        assert!(message.contains("data.safetensors: not a readable safetensors file"), "{message}");
    }
    let mut corrupt = whole;
    corrupt[20] = b'}';
    assert!(of_bytes(&corrupt).contains("data.safetensors: not a readable safetensors file"));
}

#[test]
fn a_missing_array() {
    let message = with("x2", None);
    assert!(message.contains("data.safetensors: there is no array `x2`; arrays there: x1, y"), "{message}");
}

#[test]
fn different_row_counts() {
    let message = with("y", Some(integers(&[0, 1, 0])));
    assert!(message.contains("data.safetensors: `y` has 3 rows, but `x1` has 60"), "{message}");
}

#[test]
fn features_that_are_not_finite() {
    for (value, name) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let mut values = vec![0.5; 180];
        values[3 * 17 + 2] = value;
        let message = with("x2", Some(matrix(3, &values)));
        let expected = format!("data.safetensors: `x2` is {name} at row 17, column 2");
        assert!(message.contains(&expected), "{message}");
    }
}

#[test]
fn a_constant_modality() {
    let message = with("x1", Some(matrix(2, &[0.5; 120])));
    assert!(message.contains("data.safetensors: all 60 rows of `x1` are equal"), "{message}");
}

#[test]
fn one_class_only() {
    let message = with("y", Some(integers(&[4; 60])));
    assert!(message.contains("data.safetensors: all labels in `y` are `4`"), "{message}");
}

#[test]
fn a_class_with_fewer_rows_than_folds() {
    let labels: Vec<i64> = (0..60).map(|row| if row < 4 { 2 } else { row % 2 }).collect();
    let message = with("y", Some(integers(&labels)));
    assert!(message.contains("data.safetensors: class `2` has fewer rows (4) than there are folds (5)"), "{message}");
}

#[test]
fn labels_that_are_floats() {
    let message = with("y", Some(floats(&[0.5; 60])));
    assert!(message.contains("data.safetensors: `y` holds"), "{message}");
}

#[test]
fn duplicate_ids() {
    let mut ids: Vec<i64> = (100..160).collect();
    ids[31] = 104;
    let message = with("id", Some(integers(&ids)));
    assert!(message.contains("data.safetensors: `id` has the id `104` at rows 4 and 31"), "{message}");
}

/// What `analyze --eval` says to these arrays as `eval.safetensors`.
fn of_evaluation(arrays: &BTreeMap<&str, Array>) -> String {
    let place = Place::new();
    place.write("data.safetensors", safetensors(&good()));
    place.write("eval.safetensors", safetensors(arrays));
    refusal(&place, "analyze data.safetensors --eval eval.safetensors --out result")
}

#[test]
fn evaluation_classes_never_seen() {
    let labels: Vec<i64> = (0..60).map(|row| if row == 9 { 7 } else { row % 2 }).collect();
    let mut arrays = good();
    arrays.insert("y", integers(&labels));
    let message = of_evaluation(&arrays);
    assert!(message.contains("eval.safetensors: `y` has the label `7` at row 9"), "{message}");
}

#[test]
fn evaluation_rows_of_other_dimensions() {
    let mut arrays = good();
    arrays.insert("x1", arrays["x2"].clone());
    let message = of_evaluation(&arrays);
    assert!(message.contains("eval.safetensors: `x1` has 3 columns"), "{message}");
}

#[test]
fn evaluation_splits_without_a_test() {
    let mut arrays = BTreeMap::new();
    for (plain, train, val) in [("x1", "x1_train", "x1_val"), ("x2", "x2_train", "x2_val"), ("y", "y_train", "y_val")] {
        arrays.insert(train, good()[plain].clone());
        arrays.insert(val, good()[plain].clone());
    }
    let message = of_evaluation(&arrays);
    assert!(message.contains("eval.safetensors: of several splits `test` is evaluated"), "{message}");
}

#[test]
fn bundles_that_do_not_fit() {
    let place = Place::new();
    place.write("data.safetensors", safetensors(&good()));
    place.lsmi("fit data.safetensors --out e.safetensors --folds 2").success();
    let mut wide = good();
    wide.insert("x1", wide["x2"].clone());
    place.write("wide.safetensors", safetensors(&wide));
    let mut unseen = good();
    unseen.insert("y", integers(&[5; 60]));
    place.write("unseen.safetensors", safetensors(&unseen));
    let bundle = place.bytes("e.safetensors");
    place.write("short.safetensors", &bundle[..bundle.len() / 2]);
    place.write("newer.safetensors", with_schema(&bundle, b'9'));

    for (data, estimator, expected) in [
        ("wide", "e", "wide.safetensors: x1 has 3 columns, but the estimator was fitted on 2"),
        ("unseen", "e", "unseen.safetensors: `y` has the label `5` at row 0"),
        ("data", "none", "none.safetensors: no such file"),
        ("data", "data", "data.safetensors is not an estimator"),
        ("data", "short", "short.safetensors is not a readable safetensors file"),
        ("data", "newer", "newer.safetensors has schema 9"),
    ] {
        let words = format!("score {data}.safetensors --estimator {estimator}.safetensors --out scores.csv");
        let message = refusal(&place, &words);
        assert!(message.contains(expected), "{message}");
    }
}

/// The bundle with another one-digit schema in its metadata, where quotes are escaped.
fn with_schema(bundle: &[u8], digit: u8) -> Vec<u8> {
    let before = br#"\"schema\":"#;
    let place = bundle.windows(before.len()).position(|window| window == before).unwrap() + before.len();
    let mut bytes = bundle.to_vec();
    assert_eq!(char::from(bytes[place]).to_string(), lsmi_candle::estimator::SCHEMA.to_string());
    bytes[place] = digit;
    bytes
}

#[test]
fn samples_that_cannot_be_partitioned() {
    let place = Place::new();
    place.write("bad.csv", "id,split,label,r\na,train,x,0.5\nb,train,x,NaN\n");
    for (words, expected) in [
        ("partition bad.csv --by r --fraction 0.5 --out lists", "bad.csv: `r` is `NaN` at row 1"),
        ("partition bad.csv --by s --fraction 0.5 --out lists", "bad.csv: row 0 has no column `s`"),
        ("partition none.csv --by r --fraction 0.5 --out lists", "none.csv: no such file"),
    ] {
        let message = refusal(&place, words);
        assert!(message.contains(expected), "{message}");
    }
}
