//! `guide align`: heads trained on parts, compared, stopped and resumed.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::place::{Array, Place, good, integers, matrix, rows, safetensors, stderr};

/// Options of heads that are trained in no time.
const QUICK: &str = "--folds 2 --epochs 3 --width 8";

fn place() -> Place {
    let place = Place::new();
    place.simulate("mixed --n 120 --dims 2", "mixed.safetensors");
    place
}

#[test]
fn parts_are_compared_and_every_run_is_listed() {
    let place = place();
    let words = format!("guide align mixed.safetensors --seeds 2 {QUICK}");
    let told = place.lsmi(&format!("{words} --out found --by r,s --json")).success();
    let printed: Value = serde_json::from_slice(&told.get_output().stdout).unwrap();
    assert_eq!(printed, place.json("found/align.json"));
    assert_eq!((&printed["trained"], &printed["evaluated"]), (&84.into(), &36.into()));
    let parts: Vec<&str> =
        printed["parts"].as_array().unwrap().iter().map(|part| part["part"].as_str().unwrap()).collect();
    let of = |name: &str| ["high", "middle", "low"].map(|end| format!("{name} {end}"));
    let expected: Vec<String> = ["all", "untrained", "random", "i12 - i2"]
        .map(str::to_owned)
        .into_iter()
        .chain(of("r"))
        .chain(of("s"))
        .collect();
    assert_eq!(parts, expected);
    // A third of 84 rows, of each class a third.
    for part in &printed["parts"].as_array().unwrap()[2..] {
        assert_eq!(part["rows"], 28, "{part}");
    }
    // Each interaction has five, and the rival is held against a random part.
    assert_eq!(printed["differences"].as_array().unwrap().len(), 11);
    let recall = &printed["parts"][0]["figures"]["recall_at_10_x1_to_x2"];
    let mean = recall["mean"].as_f64().unwrap();
    assert!(mean > 0.0 && mean <= 1.0 && recall["lower"].is_f64(), "{recall}");

    let table = rows(&place.text("found/align.csv"));
    assert_eq!(table.len(), 10 * 2);
    let (probe, change): (f64, f64) =
        (table[0]["probe_x1"].parse().unwrap(), table[0]["probe_change_x1"].parse().unwrap());
    assert!((0.0..=1.0).contains(&probe) && probe - change <= 1.0 + 1e-12);
    let text = stderr(&told);
    for expected in ["Heads trained on parts of 28 of 84 rows", "r high over r low", "In short, by recall at 10"] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert!(!place.path("found.partial").exists());
    let refusal = place.lsmi(&format!("{words} --out found")).failure().code(2);
    assert!(stderr(&refusal).contains("not empty"), "{}", stderr(&refusal));
    // A perceptron in place of linear heads, on two threads: the same seed gives the same bytes.
    for (threads, out) in [(1, "one"), (2, "two")] {
        place.lsmi(&format!("{words} --out {out} --hidden 5 --threads {threads} --quiet")).success();
    }
    assert_eq!(place.text("one/align.json"), place.text("two/align.json"));
}

#[test]
fn a_comparison_that_was_killed_goes_on_to_the_same_bytes() {
    let place = place();
    let words = format!("guide align mixed.safetensors {QUICK} --quiet");
    place.lsmi(&format!("{words} --seeds 2 --out whole")).success();
    place.kill_when(&format!("{words} --seeds 2 --out killed"), |place| {
        fs::read_dir(place.path("killed.partial"))
            .is_ok_and(|mut files| files.any(|file| file.unwrap().file_name() == "seed-0.json"))
    });
    assert!(place.path("killed.partial/seed-0.json").exists() && !place.path("killed").exists());

    let refusal = place.lsmi(&format!("{words} --seeds 2 --batch 64 --out killed")).failure().code(2);
    assert!(stderr(&refusal).contains("another run: the settings"), "{}", stderr(&refusal));
    place.lsmi(&format!("{words} --seeds 2 --out killed")).success();
    for file in ["align.json", "align.csv"] {
        assert_eq!(place.text(&format!("killed/{file}")), place.text(&format!("whole/{file}")));
    }
}

/// Rows that come to evaluate on are evaluated with every seed, and no row is taken from the others.
#[test]
fn a_split_to_test_on_is_kept() {
    let place = Place::new();
    let suffixed = |suffix: &str, count: i64| -> Vec<(String, Array)> {
        let values = |columns: i64| (0..count * columns).map(|place| ((place * 7919) % 101) as f64).collect::<Vec<_>>();
        let labels: Vec<i64> = (0..count).map(|row| row % 2).collect();
        let arrays = [("x1", matrix(2, &values(2))), ("x2", matrix(3, &values(3))), ("y", integers(&labels))];
        arrays.into_iter().map(|(name, array)| (format!("{name}_{suffix}"), array)).collect()
    };
    let arrays = [suffixed("train", 60), suffixed("test", 21)].concat();
    let named: BTreeMap<&str, Array> = arrays.iter().map(|(name, array)| (name.as_str(), array.clone())).collect();
    place.write("split.safetensors", safetensors(&named));
    place.lsmi(&format!("guide align split.safetensors --seeds 1 {QUICK} --quiet --out found")).success();
    let found = place.json("found/align.json");
    assert_eq!((&found["n"], &found["trained"], &found["evaluated"]), (&60.into(), &60.into(), &21.into()));

    let test_alone: BTreeMap<&str, Array> = named.into_iter().filter(|(name, _)| name.ends_with("_test")).collect();
    place.write("test.safetensors", safetensors(&test_alone));
    let refusal = place.lsmi("guide align test.safetensors --quiet --out none").failure().code(3);
    assert!(stderr(&refusal).contains("train"), "{}", stderr(&refusal));
}

#[test]
fn what_cannot_be_done_is_wrong_usage_or_data() {
    let place = place();
    let mut arrays = good();
    arrays.insert("y", integers(&[1; 60]));
    place.write("one.safetensors", safetensors(&arrays));
    place.write("few.csv", "x1_0,x2_0,y\n1,2,a\n2,1,b\n3,5,a\n");
    for (words, code, expected) in [
        ("mixed.safetensors --by i12", 2, "`i12` is no interaction"),
        ("mixed.safetensors --by r,r", 2, "twice"),
        ("mixed.safetensors --fraction 0.6", 2, "at most 0.5"),
        ("mixed.safetensors --evaluated 1", 2, "above 0 and below 1"),
        ("mixed.safetensors --batch 1", 2, "--batch"),
        ("mixed.safetensors --seeds 0", 2, "--seeds"),
        ("mixed.safetensors --seeds 1 --folds 2 --fraction 0.05", 3, "the part `random` has"),
        ("one.safetensors", 3, "class"),
        ("few.csv", 3, "class"),
    ] {
        let refusal = place.lsmi(&format!("guide align {words} --quiet --out found")).failure().code(code);
        assert!(stderr(&refusal).contains(expected), "{words}: {}", stderr(&refusal));
    }
    assert!(!place.path("found").exists());
}
