//! `analyze --model`: what several models have learned, beside what the data hold.

use std::collections::BTreeMap;

use lsmi_candle::features::{ArrayValues, Keys, read_with_keys, write_safetensors};
use lsmi_candle::numbers::matrix::Matrix;

use crate::place::{Place, stderr};

const ROWS: usize = 120;

/// Samples to train and to evaluate, and two models: one that knows every label, one that knows nothing and was
/// evaluated alone.
fn prepared() -> Place {
    let place = Place::new();
    for (seed, name) in [(1, "train"), (2, "eval")] {
        place
            .lsmi(&format!("simulate or --n {ROWS} --dims 2 --seed {seed} --out {name}.safetensors --quiet"))
            .success();
    }
    let labels =
        |name: &str| read_with_keys(&place.path(name), &Keys::default()).unwrap().splits[0].features.labels.clone();
    let logits = |labels: Vec<u32>, size: f64| {
        let values = labels.into_iter().flat_map(|label| [size * (1.0 - f64::from(label)), size * f64::from(label)]);
        Matrix::new(ROWS, 2, values.collect()).unwrap()
    };
    let of_train = logits(labels("train.safetensors"), 4.0);
    let of_eval = logits(labels("eval.safetensors"), 4.0);
    let write = |name: &str, arrays: &[(&str, &Matrix)]| {
        let arrays: BTreeMap<&str, ArrayValues<'_>> =
            arrays.iter().map(|(name, matrix)| (*name, ArrayValues::Matrix(matrix))).collect();
        place.write(name, write_safetensors(&arrays, &BTreeMap::new()).unwrap());
    };
    write("knows.safetensors", &[("logits12", &of_train), ("logits12_eval", &of_eval)]);
    write("guesses.safetensors", &[("logits12_eval", &logits(vec![0; ROWS], 0.0))]);
    place
}

#[test]
fn models_stand_side_by_side() {
    let place = prepared();
    let told = place
        .lsmi(
            "analyze train.safetensors --eval eval.safetensors --folds 2 --prior uniform --out result \
             --model knows=knows.safetensors --model guesses=guesses.safetensors",
        )
        .success();
    let summary = place.json("result/summary.json");
    let models = &summary["models"];
    let knows = &models["knows"];
    assert_eq!(knows["logits"], serde_json::json!(["logits12"]));
    let log_loss = (1.0 + (-4.0_f64).exp()).ln();
    for split in ["train", "eval"] {
        let (of_model, of_data) = (&knows["splits"][split], &summary["splits"][split]);
        let i12 = of_model["information"]["i12"].as_f64().unwrap();
        assert!((i12 - (2.0_f64.ln() - log_loss)).abs() < 1e-9, "{i12}");
        // Only the joint head is another one: r, u1 and u2 are the data's, s is what is left.
        assert_eq!(of_model["information"]["i1"], of_data["information"]["i1"]);
        assert_eq!(of_model["raw"]["r"], of_data["raw"]["r"]);
        let gained = of_model["raw"]["s"].as_f64().unwrap() - of_data["raw"]["s"].as_f64().unwrap();
        assert!((gained - (i12 - of_data["information"]["i12"].as_f64().unwrap())).abs() < 1e-9);
        assert_eq!(of_model["accuracy"]["joint"], 1.0);
    }
    let guesses = &models["guesses"]["splits"];
    assert!(guesses["train"].is_null());
    assert!(guesses["eval"]["information"]["i12"].as_f64().unwrap().abs() < 1e-12);

    let text = stderr(&told);
    let section = text.split("What each model has learned").nth(1).unwrap();
    let models: Vec<&str> = section
        .lines()
        .filter_map(|line| ["(the data)", "knows", "guesses"].into_iter().find(|name| line.contains(name)))
        .collect();
    assert_eq!(models, ["(the data)", "knows", "(the data)", "knows", "guesses"]);
    // The data's own samples are what they are without models.
    place.lsmi("analyze train.safetensors --eval eval.safetensors --folds 2 --prior uniform --out alone").success();
    assert_eq!(place.text("result/samples.csv"), place.text("alone/samples.csv"));
    assert!(place.json("alone/summary.json").get("models").is_none());
}

#[test]
fn wrong_models_are_refused_before_anything_is_fitted() {
    let place = prepared();
    let analyze = "analyze train.safetensors --folds 2 --out result --quiet";
    for (options, status, parts) in [
        ("--model knows", 2, ["NAME=FILE", "late.safetensors"]),
        ("--model a=knows.safetensors --model a=guesses.safetensors", 2, ["names `a` twice", "its own name"]),
        ("--model a=missing.npz", 3, ["missing.npz: no such file", "check the path"]),
        ("--model a=train.safetensors", 3, ["train.safetensors: there are no logits", "logits12_train"]),
        ("--model a=guesses.safetensors", 3, ["guesses.safetensors: there are no logits", "found logits12_eval"]),
        (
            "--scale-logits --eval eval.safetensors --model a=guesses.safetensors",
            2,
            ["guesses.safetensors has no", "`train`"],
        ),
    ] {
        let message = stderr(&place.lsmi(&format!("{analyze} {options}")).code(status));
        assert!(parts.iter().all(|part| message.contains(part)), "{options}: {message}");
    }
    assert!(!place.path("result").exists());
}
