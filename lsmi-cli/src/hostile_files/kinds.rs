//! Files of analyses that are not of two modalities and one label, made of those of one that is.

use std::fmt::Write;

use lsmi_core::Subset;
use lsmi_core::lattice::Lattice;
use serde_json::{Map, Value, json};

use super::{SAMPLES, SUMMARY};

fn summary() -> Value {
    serde_json::from_slice(SUMMARY).unwrap()
}

fn written(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}

/// The splits of the summary, each made something else.
fn splits(of: impl Fn(&Value) -> Value) -> Value {
    let summary = summary();
    let splits = summary["splits"].as_object().unwrap().iter();
    splits.map(|(name, split)| (name.clone(), of(split))).collect::<Map<_, _>>().into()
}

/// Three modalities.
pub(super) fn several() -> Vec<u8> {
    let of_sets = |name: &dyn Fn(Subset) -> String, sizes: &[usize]| -> Value {
        let sets = Subset::all(3).filter(|set| sizes.contains(&set.len()));
        sets.map(|set| (name(set), json!(0.25))).collect::<Map<_, _>>().into()
    };
    let plain = |set: Subset| set.to_string();
    let lattice: Map<String, Value> = Lattice::<3>::new()
        .antichains()
        .zip(-3..)
        .map(|(node, value)| (lsmi_candle::analysis::several::node_name(node), json!(f64::from(value) / 8.0)))
        .collect();
    let splits = splits(|split| {
        json!({
            "n": split["n"],
            "information": of_sets(&|set| format!("i{set}"), &[1, 2, 3]),
            "accuracy": of_sets(&plain, &[1, 2, 3]),
            "nll": of_sets(&plain, &[1, 2, 3]),
            "redundancy": 0.5,
            "lattice": lattice,
            "shapley": {"x1": 0.5, "x2": -0.25, "x3": 0.0},
            "interaction": of_sets(&plain, &[2]),
            "pairs": {"12": split, "13": split, "23": split},
        })
    });
    let mut all = summary();
    all["modalities"] = json!(["a", "b & c", "d"]);
    all["dims"] = json!({"x1": 2, "x2": 2, "x3": 1, "gauge": {"x1": 1, "x2": 1, "x3": 1}});
    all["warnings"] = json!(["the joint head finds little"]);
    all["splits"] = splits;
    written(&all)
}

/// The samples of three modalities.
pub(super) fn several_samples() -> Vec<u8> {
    let mut text = String::from("id,split,label,i123,shapley1,shapley2,shapley3,redundancy,{123}\n");
    for line in std::str::from_utf8(SAMPLES).unwrap().lines().skip(1) {
        let mut fields = line.split(',');
        let [id, split, _, label, h1] = std::array::from_fn(|_| fields.next().unwrap_or_default());
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{id},{split},{label},{h1},{h1},0.5,-0.25,0.125,-1e-3");
    }
    text.into_bytes()
}

/// Two labels.
pub(super) fn labels() -> Vec<u8> {
    let mut all = summary();
    let mut rows = Vec::new();
    for label in ["sky", "night & day"] {
        for (name, split) in summary()["splits"].as_object().unwrap() {
            rows.push(json!({
                "label": label, "split": name, "rows": split["n"], "positives": 3, "information": split["information"],
                "raw": split["raw"], "adjusted": split["adjusted"], "accuracy": split["accuracy"],
                "estimator": "labels/0-sky.safetensors",
            }));
        }
    }
    all["warnings"] = json!([]);
    all["pooled"] = json!(["sea"]);
    all["table"] = rows.into();
    all["labels"] = json!({"sky": summary(), "night & day": summary()});
    written(&all)
}

/// A continuous target.
pub(super) fn continuous() -> Vec<u8> {
    let pit = json!({"distance": 0.03, "p_value": 0.7, "shares": vec![0.1; 10]});
    let splits = splits(|split| {
        let mut split = split.clone();
        split["r_squared"] = json!({"x1": 0.5, "x2": -0.1, "joint": 0.75});
        split["pit"] = json!({"x1": pit, "x2": pit, "joint": null});
        split
    });
    let mut all = summary();
    all["target"] = json!("continuous");
    all["analysed"] = json!("each");
    all["warnings"] = json!([]);
    all["targets"] = json!([{"columns": [0], "scales": [[0.0, 1.0]], "splits": splits}]);
    written(&all)
}

/// The samples of a continuous target.
pub(super) fn continuous_samples() -> Vec<u8> {
    // The predicted class becomes a number of another column.
    let text = std::str::from_utf8(SAMPLES).unwrap().replacen("pred12", "class12", 1);
    let more =
        |(place, line): (usize, &str)| format!("{line},{}\n", if place == 0 { "target,pred12" } else { "0.5,-0.25" });
    text.lines().enumerate().map(more).collect::<String>().into_bytes()
}

/// Two lags.
pub(super) fn lags() -> Vec<u8> {
    let mut all = summary();
    all["first_step"] = json!(1);
    all["warnings"] = json!([]);
    all["lags"] = json!({"0": summary(), "1": summary()});
    written(&all)
}
