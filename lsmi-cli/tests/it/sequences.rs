//! Sequences: pooled by every command, or taken lag by lag.

use std::collections::BTreeMap;

use crate::place::{Array, Place, integers, matrix, rows, safetensors, sequences, stderr};

const SEQUENCES: usize = 60;
const STEPS: usize = 4;

/// Numbers without order, between 0 and 1.
fn noise(seed: usize) -> Vec<f64> {
    (0..SEQUENCES * STEPS).map(|place| ((place * place * 37 + place * seed) % 101) as f64 / 101.0).collect()
}

fn means(steps: &[f64]) -> Vec<f64> {
    steps.chunks(STEPS).map(|steps| steps.iter().sum::<f64>() * 0.25).collect()
}

/// Sequences whose mean tells the label, and a matrix.
fn clips() -> BTreeMap<&'static str, Array> {
    let steps = noise(11);
    let labels: Vec<i64> = means(&steps).iter().map(|mean| i64::from(*mean > 0.5)).collect();
    BTreeMap::from([
        ("x1", sequences(STEPS, 1, &steps)),
        ("x2", matrix(1, &noise(7)[..SEQUENCES])),
        ("y", integers(&labels)),
    ])
}

#[test]
fn pooled_sequences_give_what_their_vectors_give() {
    let place = Place::new();
    place.write("clips.safetensors", safetensors(&clips()));
    let mut vectors = clips();
    vectors.insert("x1", matrix(1, &means(&noise(11))));
    place.write("vectors.safetensors", safetensors(&vectors));
    place.lsmi("analyze clips.safetensors --pool mean --folds 2 --out pooled").success();
    place.lsmi("analyze vectors.safetensors --folds 2 --out plain").success();
    for file in ["samples.csv", "summary.json"] {
        assert_eq!(place.bytes(&format!("pooled/{file}")), place.bytes(&format!("plain/{file}")), "{file}");
    }

    // The estimator knows what it was fitted on.
    let score = "score clips.safetensors --estimator pooled/estimator.safetensors --out scored.csv";
    let refused = place.lsmi(&format!("{score} --pool max")).code(3);
    assert!(stderr(&refused).contains("pooled by `max`, but the estimator was fitted on sequences pooled by `mean`"));
    assert!(!place.path("scored.csv").exists());
    place.lsmi(&format!("{score} --pool mean")).success();
    place.lsmi("score clips.safetensors --estimator pooled/estimator.safetensors --pool mean --rows-of-a-group 7 --out streamed.csv").success();
    assert_eq!(place.bytes("scored.csv"), place.bytes("streamed.csv"));
    let said =
        place.lsmi("score vectors.safetensors --estimator pooled/estimator.safetensors --out other.csv").success();
    assert!(stderr(&said).contains("holds no sequences"), "{}", stderr(&said));
}

#[test]
fn sequences_without_a_rule_are_refused_with_the_options() {
    let place = Place::new();
    place.write("clips.safetensors", safetensors(&clips()));
    let refused = place.lsmi("analyze clips.safetensors --out result").code(3);
    assert!(stderr(&refused).contains("--pool mean"), "{}", stderr(&refused));
    assert!(!place.path("result").exists());
    for (words, expected) in [
        ("--pool median", "mean, last, max or attention"),
        ("--lags 1,1", "is there twice"),
        ("--lags 0 --pool mean", "cannot be used with"),
        ("--lags 0 --eval clips.safetensors", "cannot be used with"),
        ("--lags 0 --model a=clips.safetensors", "cannot be used with"),
    ] {
        let refused = place.lsmi(&format!("analyze clips.safetensors --out result {words}")).code(2);
        assert!(stderr(&refused).contains(expected), "{words}: {}", stderr(&refused));
    }
    let refused = place.lsmi("analyze clips.safetensors --lags 0 --out result").code(3);
    assert!(stderr(&refused).contains("`x2` has shape [60, 1], but lags need sequences"), "{}", stderr(&refused));
    assert!(!place.path("result").exists());
}

#[test]
fn every_lag_has_a_directory_of_its_own() {
    let place = Place::new();
    let (x1, x2) = (noise(11), noise(7));
    let y: Vec<i64> = (0..x1.len()).map(|place| i64::from(place > 0 && x1[place - 1] > 0.5)).collect();
    let mut of_steps = integers(&y);
    of_steps.reshape(&[SEQUENCES, STEPS]);
    let arrays = BTreeMap::from([("x1", sequences(STEPS, 1, &x1)), ("x2", sequences(STEPS, 1, &x2)), ("y", of_steps)]);
    place.write("series.safetensors", safetensors(&arrays));
    let shown = place.lsmi("analyze series.safetensors --lags 0,1 --folds 2 --out result").success();
    assert!(stderr(&shown).contains("lag") && stderr(&shown).contains("from step 1 on"), "{}", stderr(&shown));
    assert_eq!(place.names("result"), ["figures", "lag-0", "lag-1", "report.html", "summary.json"]);
    let samples = rows(&place.text("result/lag-1/samples.csv"));
    assert_eq!((samples.len(), samples[0]["id"].as_str()), (SEQUENCES * (STEPS - 1), "0@1"));

    let summary = place.json("result/summary.json");
    let told = |lag: &str| summary["lags"][lag]["splits"]["train"]["information"]["i1"].as_f64().unwrap();
    // Nearly ln 2 nats one step later, nothing at once.
    assert!(told("0") < 0.2 && told("1") > 0.4, "{} {}", told("0"), told("1"));
    assert_eq!(summary["lags"]["1"], place.json("result/lag-1/summary.json"));
    place.lsmi("diff result/lag-0 result/lag-1 --out difference").success();
    place.lsmi("analyze series.safetensors --lags 0,1 --folds 2 --out result").code(2);
}
