//! `compare`: several methods on the same data, beside the exact answer.

use std::collections::BTreeMap;

use lsmi_candle::features::{ArrayValues, Keys, read_with_keys, write_safetensors};
use lsmi_candle::numbers::matrix::Matrix;
use serde_json::Value;

use crate::place::{Place, stderr};

const PARTS: [&str; 4] = ["r", "u1", "u2", "s"];

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// A feature file whose modalities are bits, of which the label is the or.
fn bits(place: &Place, name: &str) {
    let (mut x1, mut x2, mut y) = (vec![], vec![], vec![]);
    for row in 0..400 {
        let (one, two) = (row % 2, row / 2 % 2);
        x1.push(f64::from(one));
        x2.push(f64::from(two));
        y.push(i64::from(one | two));
    }
    let (x1, x2) = (Matrix::new(400, 1, x1).unwrap(), Matrix::new(400, 1, x2).unwrap());
    let arrays = BTreeMap::from([
        ("x1", ArrayValues::Matrix(&x1)),
        ("x2", ArrayValues::Matrix(&x2)),
        ("y", ArrayValues::Integers(&y)),
    ]);
    place.write(name, write_safetensors(&arrays, &BTreeMap::new()).unwrap());
}

#[test]
fn a_simulated_family_is_held_against_its_density() {
    let place = Place::new();
    place.lsmi("simulate or --n 1500 --dims 3 --amplitude 4 --out or.safetensors --quiet").success();
    let told = place
        .lsmi("compare or.safetensors --methods pid-cvx,lsmi --clusters 4 --seeds 2 --folds 3 --out comparison.json --json")
        .success();
    let text = stderr(&told);
    let printed: Value = serde_json::from_slice(&told.get_output().stdout).unwrap();
    assert_eq!(printed, place.json("comparison.json"));
    assert_eq!((&printed["units"], &printed["n"]), (&"nats".into(), &1500.into()));

    let exact = &printed["exact"];
    assert_eq!(exact["source"], "density");
    // R is the lower of I1 and I2 after the adjustment, and that is I(bit; or) but for what rows and noise leave.
    assert!((number(&exact["r"]) - 0.2158).abs() < 0.02, "{exact}");
    let methods: Vec<&String> = printed["methods"].as_object().unwrap().keys().collect();
    assert_eq!(methods, ["lsmi", "pid-cvx"]);
    for method in ["lsmi", "pid-cvx"] {
        let found = &printed["methods"][method];
        for part in PARTS {
            let error = number(&found[part]) - number(&exact[part]);
            assert!((error - number(&found["error"][part])).abs() < 1e-12, "{method} {part}");
            // Both see bits 8 deviations apart; 1,500 rows leave the table a bias of some thousandths.
            assert!(error.abs() < 0.02, "{method} {part}: {error}");
            let ends = &found["intervals"][part];
            assert!(number(&ends["lower"]) <= number(&ends["upper"]), "{method} {part}");
            assert!(number(&found["seed_sd"][part]) >= 0.0);
        }
        let information = &found["information"];
        let sum: f64 = PARTS.iter().map(|part| number(&found[part])).sum();
        assert!((sum - number(&information["i12"])).abs() < 1e-9, "{method}");
        assert_eq!(found["runs"].as_array().unwrap().len(), 2);
        assert_eq!((&found["runs"][1]["seed"], &found["rows"]), (&1.into(), &1500.into()));
        assert!(number(&found["seconds"]) > 0.0);
        assert!(text.contains(method), "{text}");
    }
    assert!(text.contains("exact: adjusted means of these rows under the density"), "{text}");
}

#[test]
fn features_of_few_states_have_an_exact_answer() {
    let place = Place::new();
    bits(&place, "bits.safetensors");
    let told = place
        .lsmi("compare bits.safetensors --methods pid-cvx --clusters 2 --components 1 --exact --json --quiet")
        .success();
    let printed: Value = serde_json::from_slice(&told.get_output().stdout).unwrap();
    assert_eq!(printed["exact"]["source"], "states");
    // The or of two fair bits, in bits: R 0.311278, S 0.5.
    let ln_2 = 2.0_f64.ln();
    assert!((number(&printed["exact"]["r"]) / ln_2 - 0.311_278).abs() < 1e-6);
    assert!((number(&printed["exact"]["s"]) / ln_2 - 0.5).abs() < 1e-6);

    // Without being asked nothing is taken for discrete.
    let told =
        place.lsmi("compare bits.safetensors --methods pid-cvx --clusters 2 --components 1 --json --quiet").success();
    let printed: Value = serde_json::from_slice(&told.get_output().stdout).unwrap();
    assert!(printed.get("exact").is_none() && printed["methods"]["pid-cvx"].get("error").is_none());
}

#[test]
fn pid_batch_is_evaluated_on_rows_that_it_was_not_trained_on() {
    let place = Place::new();
    place.lsmi("simulate rdn --n 300 --dims 2 --out rdn.safetensors --quiet").success();
    let told = place.lsmi("compare rdn.safetensors --methods pid-batch --batch 30 --json").success();
    let printed: Value = serde_json::from_slice(&told.get_output().stdout).unwrap();
    let found = &printed["methods"]["pid-batch"];
    assert_eq!(found["rows"], 60);
    assert!(found["notes"][0].as_str().unwrap().contains("trained on 240 rows, evaluated on 60 others"));
    let sum: f64 = PARTS.iter().map(|part| number(&found[part])).sum();
    assert!((sum - number(&found["information"]["i12"])).abs() < 1e-6);
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let place = Place::new();
    place.lsmi("simulate gauss --n 300 --classes 3 --out gauss.safetensors --quiet").success();
    place.lsmi("simulate gauss --n 300 --classes 3 --seed 1 --out other.safetensors --quiet").success();
    for (words, status, parts) in [
        ("compare gauss.safetensors --methods pid", 2, ["`pid` is no method", "lsmi, pid-batch, pid-cvx"]),
        ("compare gauss.safetensors --methods lsmi,lsmi", 2, ["`lsmi` is there twice", "once"]),
        ("compare missing.npz", 3, ["missing.npz: no such file", "check the path"]),
        (
            "compare gauss.safetensors --out gauss.safetensors --force",
            2,
            ["gauss.safetensors", "both input and output"],
        ),
    ] {
        let message = stderr(&place.lsmi(words).code(status));
        assert!(parts.iter().all(|part| message.contains(part)), "{words}: {message}");
    }
    // Features that are no simulated file's, and of many values.
    let plain = place.path("plain.safetensors");
    let features = read_with_keys(&place.path("gauss.safetensors"), &Keys::default()).unwrap();
    let rows = &features.splits[0].features;
    let y: Vec<i64> = rows.labels.iter().map(|label| i64::from(*label)).collect();
    let arrays = BTreeMap::from([
        ("x1", ArrayValues::Matrix(&rows.x1)),
        ("x2", ArrayValues::Matrix(&rows.x2)),
        ("y", ArrayValues::Integers(&y)),
    ]);
    std::fs::write(plain, write_safetensors(&arrays, &BTreeMap::new()).unwrap()).unwrap();
    let message = stderr(&place.lsmi("compare plain.safetensors --exact --methods pid-cvx").code(3));
    assert!(message.contains("plain.safetensors: no exact answer is known"), "{message}");
}
