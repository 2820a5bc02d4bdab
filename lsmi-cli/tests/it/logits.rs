//! Logits of the user's own models in the place of heads.

use std::collections::BTreeMap;

use lsmi_candle::features::{ArrayValues, write_safetensors};
use lsmi_candle::numbers::matrix::Matrix;
use lsmi_core::Terms;
use lsmi_core::families::{Family, Gauss};
use lsmi_core::random::stream;

use crate::place::{Place, column, stderr};

const CLASSES: usize = 3;
const NOISE: f64 = 0.8;
const CORRELATION: f64 = 0.3;

/// Which of logits1, logits2, logits12 a file holds.
const ALL: [bool; 3] = [true; 3];

/// Writes samples of the family `gauss` with `scale` times the logits of their exact posteriors; gives the exact terms.
///
/// With `p(x|k)` Gaussian around the one-hot vector of k and classes alike, `log p(k|x1)` is `x1[k] / noise²` and
/// `log p(k|x1,x2)` is `(x1[k] + x2[k]) / (noise² (1 + correlation))`, but for what no class changes.
fn write(place: &Place, name: &str, rows: usize, scale: f64, are_given: [bool; 3]) -> Terms {
    let family = Gauss::new(CLASSES, CLASSES, CORRELATION, NOISE).unwrap();
    let draw = family.sample(rows, &mut stream(1, name));
    let terms = family.terms(&draw).unwrap();
    let variance = NOISE * NOISE;
    let alone = |x: &[f64]| x.iter().map(|value| scale * value / variance).collect::<Vec<_>>();
    let sums = draw.x1.iter().zip(&draw.x2).map(|(x1, x2)| (x1 + x2) / (1.0 + CORRELATION));
    let both = alone(&sums.collect::<Vec<_>>());
    let of = |values: Vec<f64>| Matrix::new(rows, CLASSES, values).unwrap();
    let logits = [of(alone(&draw.x1)), of(alone(&draw.x2)), of(both)];
    let (x1, x2) = (of(draw.x1), of(draw.x2));
    let labels: Vec<i64> = draw.labels.into_iter().map(i64::from).collect();
    let mut arrays = BTreeMap::from([
        ("x1", ArrayValues::Matrix(&x1)),
        ("x2", ArrayValues::Matrix(&x2)),
        ("y", ArrayValues::Integers(&labels)),
    ]);
    for ((name, logits), is_given) in ["logits1", "logits2", "logits12"].into_iter().zip(&logits).zip(are_given) {
        if is_given {
            arrays.insert(name, ArrayValues::Matrix(logits));
        }
    }
    place.write(name, write_safetensors(&arrays, &BTreeMap::new()).unwrap());
    terms
}

fn error(found: &[f64], expected: &[f64]) -> f64 {
    found.iter().zip(expected).map(|(found, expected)| (found - expected).abs()).fold(0.0, f64::max)
}

#[test]
fn logits_give_the_information_of_the_models_they_come_from() {
    let place = Place::new();
    let train = write(&place, "train.safetensors", 150, 1.0, ALL);
    let eval = write(&place, "eval.safetensors", 60, 1.0, ALL);
    place
        .lsmi("analyze train.safetensors --eval eval.safetensors --folds 2 --prior uniform --out result --quiet")
        .success();
    let samples = place.text("result/samples.csv");
    for (name, of_train, of_eval) in
        [("i1", &train.i1, &eval.i1), ("i2", &train.i2, &eval.i2), ("i12", &train.i12, &eval.i12)]
    {
        // log_softmax of the logits + log K, whatever the fold and the split.
        assert!(error(&column(&samples, name), &[of_train.as_slice(), of_eval].concat()) < 1e-9, "{name}");
    }
    let notes = place.json("result/summary.json")["notes"].to_string();
    assert!(notes.contains("logits12"), "{notes}");
}

#[test]
fn other_heads_are_fitted_and_evaluation_needs_the_same_logits() {
    let place = Place::new();
    let train = write(&place, "train.safetensors", 150, 1.0, [false, true, false]);
    write(&place, "eval.safetensors", 60, 1.0, [false; 3]);
    place.lsmi("analyze train.safetensors --folds 2 --prior uniform --out result").success();
    let samples = place.text("result/samples.csv");
    assert!(error(&column(&samples, "i2"), &train.i2) < 1e-9);
    assert!(error(&column(&samples, "i1"), &train.i1) > 1e-3);

    for words in [
        "analyze train.safetensors --eval eval.safetensors --out other",
        "score eval.safetensors --estimator result/estimator.safetensors --out scores.csv",
        "score eval.safetensors --label-free --estimator result/estimator.safetensors --out scores.csv",
    ] {
        let refused = place.lsmi(words).code(3);
        let message = stderr(&refused);
        assert!(message.contains("eval.safetensors: the samples have no `logits2`"), "{words}: {message}");
    }
    assert!(!place.path("other").exists() && !place.path("scores.csv").exists());
}

#[test]
fn a_temperature_mends_overconfident_logits() {
    let place = Place::new();
    let train = write(&place, "train.safetensors", 400, 4.0, ALL);
    for (out, option) in [("as-given", ""), ("scaled", "--scale-logits")] {
        place
            .lsmi(&format!("analyze train.safetensors --folds 2 --prior uniform {option} --out {out} --quiet"))
            .success();
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let exact = mean(&train.i12);
    let of = |out: &str| place.json(&format!("{out}/summary.json"))["splits"]["train"]["information"]["i12"].as_f64();
    let (as_given, scaled) = (of("as-given").unwrap(), of("scaled").unwrap());
    // log T deviates by about .1 on 200 rows, at which the log loss loses its square times half a curvature below 1.
    assert!((scaled - exact).abs() < 0.02, "{scaled} of {exact}");
    assert!(as_given < exact - 0.1, "{as_given} of {exact}");
}
