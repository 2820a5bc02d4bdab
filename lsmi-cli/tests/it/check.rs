//! `check` and `--check`: whether data can support conclusions.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::place::{Place, good, integers, matrix, safetensors, stderr, stdout};

const NAMES: [&str; 6] = ["power", "specificity", "split_halves", "permutation", "memorisation", "calibration"];

/// 60 rows of 40 columns that tell nothing of the label.
fn noise() -> Vec<u8> {
    // A linear congruential generator (Knuth, 1997, section 3.3.4): its high bits are noise enough.
    let mut state = 1u64;
    let mut columns = || {
        let next = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f64 / f64::from(1 << 24) - 0.5
        };
        matrix(40, &(0..60 * 40).map(next).collect::<Vec<_>>())
    };
    let labels: Vec<i64> = (0..60).map(|row| row % 2).collect();
    safetensors(&BTreeMap::from([("x1", columns()), ("x2", columns()), ("y", integers(&labels))]))
}

fn gate<'a>(gates: &'a Value, name: &str) -> &'a Value {
    gates.as_array().unwrap().iter().find(|gate| gate["name"] == name).unwrap()
}

/// The quantities that the data cannot support, as the conclusion lists them.
fn unsupported(shown: &str) -> String {
    let text = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    let (_, rest) = text.split_once("This data cannot support conclusions from ").unwrap_or_else(|| panic!("{text}"));
    rest.split_once(": it failed ").unwrap().0.to_owned()
}

#[test]
fn a_planted_synergy_is_found_in_enough_rows() {
    let place = Place::new();
    place.simulate("xor --n 200 --dims 2", "xor.safetensors");
    place.simulate("xor --n 100 --dims 2 --seed 1", "more.safetensors");
    let words = "check xor.safetensors --eval more.safetensors --folds 2 --json --out made/gates.json";
    let checked = place.lsmi(words).success();
    assert_eq!(stdout(&checked), place.text("made/gates.json"));
    assert_eq!(place.names("made"), ["gates.json"]);

    let result = place.json("made/gates.json");
    let keys = ["schema", "version", "units", "seed", "n", "dims", "classes", "verdict", "gates"];
    let found: Vec<&String> = result.as_object().unwrap().keys().collect();
    assert_eq!(found.len(), keys.len());
    assert!(keys.iter().all(|key| result.get(key).is_some()), "{found:?}");
    assert_eq!((&result["n"], &result["units"], &result["seed"]), (&200.into(), &"nats".into(), &0.into()));
    assert_eq!(result["dims"], serde_json::json!({ "x1": 2, "x2": 2 }));
    let gates = &result["gates"];
    let names: Vec<&str> = gates.as_array().unwrap().iter().map(|gate| gate["name"].as_str().unwrap()).collect();
    assert_eq!(names, [NAMES.as_slice(), &["coverage"]].concat());

    let power = gate(gates, "power");
    assert_eq!(power["verdict"], "pass");
    assert!(power["figure"].as_f64() > power["threshold"].as_f64(), "{power}");
    assert!(power["advice"].is_null() && power["why"].is_string() && power["figures"]["s"].is_number(), "{power}");
    assert!(gate(gates, "coverage")["figures"]["x1_of_eval"].is_number());
    let worst =
        ["fail", "warn", "pass"].into_iter().find(|verdict| gates.to_string().contains(&format!("\"{verdict}\"")));
    assert_eq!(result["verdict"].as_str(), worst);

    let shown = stderr(&checked);
    let order: Vec<&str> =
        shown.lines().filter_map(|line| line.get(..4)).filter(|it| ["FAIL", "WARN", "PASS"].contains(it)).collect();
    assert!(
        order.len() == 7 && order.is_sorted_by_key(|it| ["FAIL", "WARN", "PASS"].iter().position(|all| all == it)),
        "{shown}"
    );
    assert!(shown.contains("PASS  power ") && shown.contains("planted an exclusive or of two fair bits"), "{shown}");
}

#[test]
fn what_noise_cannot_support_comes_first() {
    let place = Place::new();
    place.write("noise.safetensors", noise());
    let checked = place.lsmi("check noise.safetensors --folds 2").success();
    let shown = stderr(&checked);
    assert_eq!(stdout(&checked), "");
    assert_eq!(place.names("."), ["noise.safetensors"]);
    assert!(shown.find("FAIL  ").unwrap() < shown.find("PASS  ").unwrap_or(usize::MAX), "{shown}");
    // The advice is broken into lines.
    let words = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("FAIL memorisation ") && words.contains("use more rows or fewer columns"), "{shown}");
    let unsupported_by_check = unsupported(&shown);
    assert!(unsupported_by_check.split([' ', ',']).any(|word| word == "S"), "{shown}");

    let analyzed = place.lsmi("analyze noise.safetensors --folds 2 --check --out result").success();
    let shown = stderr(&analyzed);
    assert!(shown.starts_with("\nFAILED GATE ") && shown.contains("\nFAILED GATE memorisation: "), "{shown}");
    assert!(
        shown.find("FAILED GATE memorisation").unwrap() < shown.find("How much the modalities tell").unwrap(),
        "{shown}"
    );
    assert_eq!(unsupported(&shown), unsupported_by_check);
    let (_, in_short) = shown.split_once("In short\n").unwrap();
    assert!(in_short.starts_with("This data cannot support conclusions from "), "{shown}");
}

#[test]
fn the_summary_of_an_analysis_has_the_gates() {
    let place = Place::new();
    place.write("data.safetensors", safetensors(&good()));
    let analyze = |options: &str| place.lsmi(&format!("analyze data.safetensors --folds 2 {options}")).success();
    let plain = stderr(&analyze("--out plain"));
    assert!(!plain.contains("GATE") && !plain.contains("support conclusions"), "{plain}");
    assert!(place.json("plain/summary.json").get("gates").is_none());
    assert!(stderr(&analyze("--check --out checked --threads 1")).contains("support conclusions"));
    place.lsmi("check data.safetensors --folds 2 --quiet --out gates.json").success();

    let summary = place.json("checked/summary.json");
    let names: Vec<&str> =
        summary["gates"].as_array().unwrap().iter().map(|gate| gate["name"].as_str().unwrap()).collect();
    assert_eq!(names, NAMES);
    // The gates are the same whoever has made the fit, and change nothing else.
    assert_eq!(summary["gates"], place.json("gates.json")["gates"]);
    assert_eq!(summary["splits"], place.json("plain/summary.json")["splits"]);
    assert_eq!(place.bytes("checked/samples.csv"), place.bytes("plain/samples.csv"));

    analyze("--check --strength 1.5 --rows 40 --out weak --quiet");
    let weak = place.json("weak/summary.json")["gates"].clone();
    let did = gate(&weak, "power")["did"].as_str().unwrap();
    assert!(did.contains("the 40 rows") && did.contains("1.5 standard deviations"), "{did}");
}

#[test]
fn nothing_is_checked_that_cannot_be() {
    let place = Place::new();
    place.write("data.safetensors", safetensors(&good()));
    place.write("old.json", "old");
    let labels = integers(&[0; 60]);
    place.write("one.safetensors", safetensors(&good().into_iter().chain([("y", labels)]).collect()));
    let before = place.names(".");
    for (words, status, expected) in [
        ("check nowhere.npz --out new.json", 3, "no such file"),
        ("check one.safetensors --out new.json", 3, "one.safetensors"),
        ("check data.safetensors --folds 60 --out new.json", 3, "folds (60)"),
        ("check data.safetensors --eval nowhere.npz --out new.json", 3, "no such file"),
        ("check data.safetensors --out old.json", 2, "--force"),
        ("check data.safetensors --out data.safetensors --force", 2, "both input and output"),
        ("check data.safetensors --strength 0", 2, "above 0"),
        ("check data.safetensors --rows 0", 2, "--rows"),
        ("check data.safetensors --measures sx", 2, "leave out --measures"),
        ("analyze data.safetensors --rows 100 --out result", 2, "--check"),
    ] {
        let refused = place.lsmi(words).code(status);
        assert!(stderr(&refused).contains(expected), "{words}: {}", stderr(&refused));
        assert_eq!(stdout(&refused), "", "{words}");
        assert_eq!(place.names("."), before, "{words}");
    }
    assert_eq!(place.text("old.json"), "old");
}
