//! `guide ensemble`: members and ensembles compared, stopped, resumed and exported.

use std::collections::BTreeMap;
use std::fs;

use lsmi_candle::features::{ArrayValues, Keys, read_with_keys, write_safetensors};
use lsmi_candle::numbers::matrix::Matrix;
use serde_json::Value;

use crate::place::{Place, stderr};

const ROWS: usize = 100;

/// Samples, and a model that knows every label.
fn place() -> Place {
    let place = Place::new();
    place.simulate(&format!("mixed --n {ROWS} --dims 2"), "mixed.safetensors");
    let labels =
        read_with_keys(&place.path("mixed.safetensors"), &Keys::default()).unwrap().splits[0].features.labels.clone();
    let logits = labels.iter().flat_map(|label| if *label == 0 { [5.0, 0.0] } else { [0.0, 5.0] }).collect();
    let logits = Matrix::new(ROWS, 2, logits).unwrap();
    let arrays = BTreeMap::from([("logits12", ArrayValues::Matrix(&logits))]);
    place.write("mine.safetensors", write_safetensors(&arrays, &BTreeMap::new()).unwrap());
    place
}

#[test]
fn ensembles_are_compared_and_weights_exported() {
    let place = place();
    let words = "guide ensemble mixed.safetensors --seeds 2 --folds 2";
    let told =
        place.lsmi(&format!("{words} --out found --model mine=mine.safetensors --export weights.csv --json")).success();
    let printed: Value = serde_json::from_slice(&told.get_output().stdout).unwrap();
    assert_eq!(printed, place.json("found/ensemble.json"));
    assert_eq!(printed["members"], serde_json::json!(["x1", "x2", "joint", "late", "mine"]));
    // Five members, five baselines, guided, two with a weak member, an oracle.
    assert_eq!(printed["methods"].as_array().unwrap().len(), 14);
    assert_eq!(printed["methods"][4]["accuracy"]["mean"], 1.0);
    let over: Vec<&str> =
        printed["advantages"].as_array().unwrap().iter().map(|found| found["over"].as_str().unwrap()).collect();
    assert!(over.contains(&"stacking") && over.contains(&"oracle") && !over.contains(&"guided"), "{over:?}");
    let text = stderr(&told);
    for expected in ["Members and ensembles", "What `guided` is better by", "accuracy-weighted", "with a weak member"] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert!(!place.path("found.partial").exists());

    let table = place.text("weights.csv");
    assert_eq!(table.lines().count(), 1 + ROWS);
    assert!(table.starts_with("id,x1,x2,joint,late,mine\n0,"), "{}", &table[..40]);
    let refusal = place.lsmi(&format!("{words} --out found")).failure().code(2);
    assert!(stderr(&refusal).contains("not empty"), "{}", stderr(&refusal));
    place.lsmi(&format!("{words} --out found --quiet --force --export weights.safetensors")).success();
    let bytes = place.bytes("weights.safetensors");
    let arrays = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut names = arrays.names();
    names.sort_unstable();
    assert_eq!(names, ["joint", "late", "x1", "x2"]);
    assert_eq!(arrays.tensor("joint").unwrap().shape(), [ROWS]);
}

#[test]
fn a_comparison_that_was_killed_goes_on_to_the_same_bytes() {
    let place = place();
    let words = "guide ensemble mixed.safetensors --folds 2 --quiet";
    place.lsmi(&format!("{words} --seeds 2 --out whole")).success();
    place.kill_when(&format!("{words} --seeds 2 --out killed"), |place| {
        fs::read_dir(place.path("killed.partial"))
            .is_ok_and(|mut files| files.any(|file| file.unwrap().file_name() == "seed-0.json"))
    });
    assert!(place.path("killed.partial/seed-0.json").exists() && !place.path("killed").exists());

    let refusal = place.lsmi(&format!("{words} --seeds 3 --out killed")).failure().code(2);
    assert!(stderr(&refusal).contains("another run: the settings"), "{}", stderr(&refusal));
    place.lsmi(&format!("{words} --seeds 2 --out killed")).success();
    assert_eq!(place.text("killed/ensemble.json"), place.text("whole/ensemble.json"));
    assert!(!place.path("killed.partial").exists());
}

#[test]
fn what_cannot_be_done_is_wrong_usage_or_data() {
    let place = place();
    place.write("few.csv", "x1_0,x2_0,y\n1,2,a\n2,1,b\n3,5,a\n");
    for (words, code, expected) in [
        ("mixed.safetensors --evaluated 1", 2, "above 0 and below 1"),
        ("mixed.safetensors --seeds 0", 2, "--seeds"),
        ("mixed.safetensors --model mine.safetensors", 2, "NAME=FILE"),
        ("mixed.safetensors --folds 2 --seeds 1 --model x1=mine.safetensors", 2, "two members are called `x1`"),
        ("mixed.safetensors --model mine=mixed.safetensors", 3, "logits12"),
        ("mixed.safetensors --export weights.txt", 2, ".csv or .safetensors"),
        ("few.csv", 3, "class"),
    ] {
        let refusal = place.lsmi(&format!("guide ensemble {words} --quiet --out found")).failure().code(code);
        assert!(stderr(&refusal).contains(expected), "{words}: {}", stderr(&refusal));
    }
    assert!(!place.path("found").exists());
}
