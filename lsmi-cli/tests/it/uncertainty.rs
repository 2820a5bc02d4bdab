//! What the summary and the samples tell beside the means: kinds, intervals, spread, classes, repeats, measures, gauges.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::place::{Place, column, good, integers, matrix, number, rows, safetensors, stderr, stdout};

const INFORMATION: [&str; 3] = ["i1", "i2", "i12"];
const PARTS: [&str; 4] = ["r", "u1", "u2", "s"];
const MEASURES: [&str; 5] = ["pm", "sx", "mmi", "ccs", "min"];

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The variance that divides by one less than the number of values.
fn variance(values: &[f64]) -> f64 {
    let centre = mean(values);
    values.iter().map(|value| (value - centre).powi(2)).sum::<f64>() / (values.len() - 1) as f64
}

#[track_caller]
fn close(found: &Value, expected: f64) {
    assert!((found.as_f64().unwrap() - expected).abs() < 1e-9, "{found} {expected}");
}

/// A place where 150 samples of three classes were analysed to `result`.
fn analysed(options: &str) -> Place {
    let place = Place::new();
    place.simulate("gauss --classes 3 --n 150 --correlation 0.2", "train.safetensors");
    place.lsmi(&format!("analyze train.safetensors --folds 2 --out result {options}")).success();
    place
}

/// Intervals, spread and accuracy of a split or a class are those of its samples.
fn check_group(group: &Value, samples: &[&BTreeMap<String, String>]) {
    assert_eq!(group["n"], samples.len());
    let intervals = &group["intervals"];
    assert_eq!((intervals["level"].as_f64(), intervals["resamples"].as_u64()), (Some(0.95), Some(2000)));
    for (name, columns) in [("information", &INFORMATION[..]), ("raw", &PARTS)] {
        for column in columns {
            let mut values: Vec<f64> = samples.iter().map(|sample| number(sample, column)).collect();
            let interval = &intervals[name][column];
            close(&group[name][column], mean(&values));
            close(&interval["mean"], mean(&values));
            let error = (variance(&values) / values.len() as f64).sqrt();
            close(&interval["standard_error"], error);
            // Normal ends; those of a few skewed values may differ from them by a good part.
            let shortfall = intervals["shortfall"][column].as_f64().unwrap();
            for (end, sign) in [("lower", -1.0), ("upper", 1.0)] {
                // One end is moved out by what the mean is believed to fall short of.
                let moved = (sign * shortfall).max(0.0);
                let distance = sign * (interval[end].as_f64().unwrap() - mean(&values)) - moved;
                assert!((distance - 1.96 * error).abs() <= 0.8 * error, "{column}: {interval}");
            }

            values.sort_by(f64::total_cmp);
            let distribution = &group["distribution"][column];
            let quantiles = distribution["quantiles"].as_object().unwrap();
            assert_eq!(quantiles.len(), 7);
            close(&quantiles["min"], values[0]);
            close(&quantiles["max"], values[values.len() - 1]);
            let half = values.len() / 2;
            let even = values.len().is_multiple_of(2);
            close(&quantiles["0.5"], if even { f64::midpoint(values[half - 1], values[half]) } else { values[half] });
            let cut = values.len() / 20;
            close(&distribution["trimmed_mean"], mean(&values[cut..values.len() - cut]));
        }
    }
    for (head, column) in [("x1", "pred1"), ("x2", "pred2"), ("joint", "pred12")] {
        let right = samples.iter().filter(|sample| sample[column] == sample["label"]).count();
        close(&group["accuracy"][head], right as f64 / samples.len() as f64);
    }
}

#[test]
fn splits_and_classes_are_summarised_with_intervals() {
    let place = analysed("");
    let (summary, samples) = (place.json("result/summary.json"), rows(&place.text("result/samples.csv")));
    assert_eq!(summary["repeats"], 1);
    let train = &summary["splits"]["train"];
    check_group(train, &samples.iter().collect::<Vec<_>>());
    // JSON as it is written, since a parsed object forgets its order.
    let text = place.text("result/summary.json");
    let by_class = text.find(r#""by_class""#).unwrap();
    let places = ["0", "1", "2"].map(|class| by_class + text[by_class..].find(&format!("\"{class}\": {{")).unwrap());
    assert!(places.is_sorted());
    for class in ["0", "1", "2"] {
        let of_class: Vec<_> = samples.iter().filter(|sample| sample["label"] == class).collect();
        check_group(&train["by_class"][class], &of_class);
    }

    let kinds = train["kinds"].as_object().unwrap();
    assert_eq!(kinds.len(), 7);
    for (kind, count) in kinds {
        let samples = samples.iter().filter(|sample| sample["kind"] == *kind).count();
        assert_eq!(count.as_u64(), Some(samples as u64), "{kind}");
    }
    assert_eq!(kinds.values().map(|count| count.as_u64().unwrap()).sum::<u64>(), 150);
}

/// Models know rows that they saw better than others, and what they have not learned they do not know of other rows either.
#[test]
fn means_of_all_splits_fall_short_by_as_much() {
    let place = Place::new();
    place.simulate("gauss --classes 3 --n 150", "train.safetensors");
    place.simulate("gauss --classes 3 --n 90 --seed 1", "eval.safetensors");
    place.lsmi("analyze train.safetensors --eval eval.safetensors --folds 2 --out result --quiet").success();
    let splits = place.json("result/summary.json")["splits"].clone();
    let shortfall = |split: &str, column: &str| splits[split]["intervals"]["shortfall"][column].as_f64().unwrap();
    assert!(shortfall("train", "i12") > 0.0 && shortfall("train", "i12") < 0.3);
    for quantity in INFORMATION.iter().chain(&PARTS) {
        assert_eq!(shortfall("eval", quantity), shortfall("train", quantity));
        let of_class = |split: &str| splits[split]["by_class"]["1"]["intervals"]["shortfall"][*quantity].clone();
        assert!(of_class("train").is_number() && of_class("eval") == of_class("train"), "{quantity}");
    }
}

#[test]
fn classes_without_samples_are_left_out() {
    let place = Place::new();
    let mut arrays = good();
    place.write("train.safetensors", safetensors(&arrays));
    place.lsmi("fit train.safetensors --folds 2 --out e.safetensors --quiet").success();
    arrays.insert("y", integers(&[1; 60]));
    place.write("one.safetensors", safetensors(&arrays));
    let scored = place.lsmi("score one.safetensors --estimator e.safetensors --out one.csv --json").success();
    let summary: Value = serde_json::from_str(&stdout(&scored)).unwrap();
    let by_class = summary["splits"]["eval"]["by_class"].as_object().unwrap();
    assert_eq!(by_class.keys().collect::<Vec<_>>(), ["1"]);
    assert_eq!(by_class["1"]["n"], 60);
}

#[test]
fn repeats_have_deviations() {
    let plain = analysed("");
    let place = analysed("--repeats 2");
    let (one, both) = (plain.text("result/samples.csv"), place.text("result/samples.csv"));
    assert!(both.lines().next().unwrap().ends_with(",kind,r_sd,u1_sd,u2_sd,s_sd"));
    assert_eq!(plain.json("result/summary.json")["splits"]["train"]["intervals"].get("variance_of_fit"), None);
    // One repeat is the first of two, and probabilities are averaged: what is left is the second.
    let second = |name: &str, sign: f64| -> Vec<f64> {
        let exponential = |value: f64| (sign * value).exp();
        let values = column(&both, name).into_iter().zip(column(&one, name));
        values.map(|(both, one)| sign * (2.0 * exponential(both) - exponential(one)).ln()).collect()
    };
    let (h1, h2) = (second("h1", -1.0), second("h2", -1.0));
    let [i1, i2] = ["i1", "i2"].map(|name| second(name, 1.0));
    let first = column(&one, "r");
    let second: Vec<f64> =
        (0..150).map(|row| h1[row].min(h2[row]) - (h1[row] - i1[row]).min(h2[row] - i2[row])).collect();
    for (deviation, (first, second)) in column(&both, "r_sd").into_iter().zip(first.iter().zip(&second)) {
        assert!((deviation - (first - second).abs() / 2.0_f64.sqrt()).abs() < 1e-9, "{deviation} {first} {second}");
    }

    let summary = place.json("result/summary.json");
    assert_eq!(summary["repeats"], 2);
    let error = &summary["splits"]["train"]["intervals"]["raw"]["r"]["standard_error"];
    let of_samples = variance(&column(&both, "r")) / 150.0;
    let of_fit = variance(&[mean(&first), mean(&second)]) / 2.0;
    close(error, (of_samples + of_fit).sqrt());
    close(&summary["splits"]["train"]["intervals"]["variance_of_fit"]["r"], of_fit);
}

#[test]
fn every_measure_has_deviations_in_every_format() {
    let place = analysed("--repeats 2 --measures pm,ccs");
    let csv = place.text("result/samples.csv");
    let named = |ending: &str| PARTS.map(|part| format!("{part}_{ending}"));
    let further: Vec<String> = ["sd", "pm", "ccs", "pm_sd", "ccs_sd"].iter().flat_map(|ending| named(ending)).collect();
    let (_, names) = csv.lines().next().unwrap().split_once(",kind,").unwrap();
    assert_eq!(names.split(',').collect::<Vec<_>>(), further);
    assert_eq!(column(&csv, "r_pm_sd"), column(&csv, "r_sd"));
    assert!(column(&csv, "s_ccs_sd").iter().any(|deviation| *deviation > 0.0));

    let score = "score train.safetensors --estimator result/estimator.safetensors --measures pm,ccs --quiet";
    for (options, out) in [("", "whole.csv"), ("--rows-of-a-group 40", "stream.csv")] {
        place.lsmi(&format!("{score} {options} --out {out}")).success();
    }
    let whole = place.text("whole.csv");
    assert_eq!(whole.lines().next(), csv.lines().next());
    assert_eq!(whole, place.text("stream.csv"));
    place.lsmi(&format!("{score} --out whole.jsonl")).success();
    let first: Value = serde_json::from_str(place.text("whole.jsonl").lines().next().unwrap()).unwrap();
    close(&first["u1_ccs_sd"], column(&whole, "u1_ccs_sd")[0]);
    place.lsmi(&format!("{score} --out whole.parquet")).success();
    place.lsmi("partition whole.parquet --by s_ccs --fraction 0.3 --out lists --quiet").success();
}

#[test]
fn few_rows_are_fitted_three_times() {
    let place = Place::new();
    place.simulate("gauss --classes 2 --n 60 --dims 2", "train.safetensors");
    let told = place.lsmi_as_is("analyze train.safetensors --folds 2 --out result").success();
    let expected = "3 repeats as there are fewer than 5,000 training rows; --repeats 1 takes a third of the time";
    assert!(stderr(&told).starts_with(expected), "{}", stderr(&told));
    assert_eq!(place.json("result/summary.json")["repeats"], 3);
    assert!(place.text("result/config.toml").contains("\nrepeats = 3\n"));
    place.lsmi_as_is("analyze train.safetensors --config result/config.toml --out again --quiet").success();
    assert_eq!(place.bytes("again/samples.csv"), place.bytes("result/samples.csv"));
    assert_eq!(place.text("again/config.toml"), place.text("result/config.toml"));
    // The estimator of `fit` is that of `analyze`.
    place.lsmi_as_is("fit train.safetensors --folds 2 --out e.safetensors --quiet").success();
    assert!(place.bytes("e.safetensors") == place.bytes("result/estimator.safetensors"));
    place.lsmi_as_is("analyze train.safetensors --folds 2 --repeats 1 --out one --quiet").success();
    assert_eq!(place.json("one/summary.json")["repeats"], 1);
}

/// Features that tell nothing, where no head beats the class frequencies.
#[test]
fn what_was_not_found_is_told_before_the_numbers() {
    let place = Place::new();
    let mut arrays = good();
    // Every pair of labels has the same features.
    let features = |columns: usize| {
        let value = |place: usize| ((place / columns / 2 * 7 + place % columns * 13) % 29) as f64 / 29.0;
        matrix(columns, &(0..60 * columns).map(value).collect::<Vec<_>>())
    };
    arrays.insert("x1", features(2));
    arrays.insert("x2", features(3));
    place.write("data.safetensors", safetensors(&arrays));
    let told = stderr(&place.lsmi("analyze data.safetensors --groups none --folds 2 --out result").success());
    let summary = place.json("result/summary.json");
    let train = &summary["splits"]["train"];
    let warnings = summary["warnings"].as_array().unwrap();
    if train["information"]["i12"] == 0.0 {
        assert!(warnings[0].as_str().unwrap().contains("no information about the label was found"), "{warnings:?}");
        assert_eq!(train["intervals"]["information"]["i12"]["not_found"], true);
        close(&train["intervals"]["raw"]["s"]["upper"], 2.0_f64.ln());
        assert!(told.starts_with("\nWARNING: `train`: no information"), "{told}");
        assert!(told.contains("not found, at most 0.693"), "{told}");
        assert!(place.text("result/report.html").contains("not found, at most"));
    }
}

#[test]
fn several_measures_decompose_the_same_terms() {
    let place = analysed("--measures pm,sx,mmi,ccs,min");
    let text = place.text("result/samples.csv");
    let further: Vec<String> =
        MEASURES.iter().flat_map(|measure| PARTS.map(|part| format!("{part}_{measure}"))).collect();
    let (_, names) = text.lines().next().unwrap().split_once(",kind,").unwrap();
    assert_eq!(names.split(',').collect::<Vec<_>>(), further);
    let summary = place.json("result/summary.json");
    let measures = summary["splits"]["train"]["measures"].as_object().unwrap();
    assert_eq!(measures.len(), 5);
    for measure in MEASURES {
        for part in PARTS {
            close(&measures[measure]["raw"][part], mean(&column(&text, &format!("{part}_{measure}"))));
        }
        let adjusted = &measures[measure]["adjusted"];
        close(&adjusted["r"], measures[measure]["raw"]["r"].as_f64().unwrap() + adjusted["shift"].as_f64().unwrap());
        for sample in rows(&text) {
            let [r, u1, u2, s] = PARTS.map(|part| number(&sample, &format!("{part}_{measure}")));
            for (sum, term) in [(r + u1, "i1"), (r + u2, "i2"), (r + u1 + u2 + s, "i12")] {
                assert!((sum - number(&sample, term)).abs() < 1e-12, "{measure}: {sample:?}");
            }
        }
    }
    assert_eq!(column(&text, "r_pm"), column(&text, "r"));

    // Another measure of the estimator's own gives what that column has, and is in the summary without being listed.
    let place = analysed("--measure ccs --measures sx --format jsonl");
    let lines = place.text("result/samples.jsonl");
    for (line, r) in lines.lines().zip(column(&text, "r_ccs")) {
        let sample: Value = serde_json::from_str(line).unwrap();
        assert_eq!(sample["r"].as_f64(), Some(r));
        assert!(sample["s_sx"].is_f64() && sample.get("r_ccs").is_none());
    }
    let train = &place.json("result/summary.json")["splits"]["train"];
    assert_eq!(train["measures"].as_object().unwrap().keys().collect::<Vec<_>>(), ["ccs", "sx"]);
    assert_eq!(train["measures"]["ccs"]["raw"], train["raw"]);
    assert_eq!(train["diagnostics"], serde_json::json!({ "gauge": null }));
}

#[test]
fn the_gauge_report_has_the_present_means() {
    let place = analysed("");
    let train = &place.json("result/summary.json")["splits"]["train"];
    let gauge = &train["diagnostics"]["gauge"];
    let points = gauge["points"].as_array().unwrap();
    assert_eq!(points.len(), 33);
    assert_eq!((points[0]["shift"].as_f64(), points[32]["shift"].as_f64()), (Some(-8.0), Some(8.0)));
    for part in PARTS {
        close(&gauge["present"][part], train["raw"][part].as_f64().unwrap());
    }
    assert!((0.0..=1.0).contains(&gauge["present"]["zero_u1"].as_f64().unwrap()));
    assert!(gauge["verdict"]["name"].is_string());
}

#[test]
fn the_table_says_so_where_the_gauge_decides() {
    let place = Place::new();
    // Either modality tells the same: no gauge moves the means much.
    place.simulate("gauss --classes 2 --n 200 --dims 2", "data.safetensors");
    let shown = |options: &str| {
        let fitted = place.lsmi(&format!("fit data.safetensors --folds 2 --out e.safetensors --force {options}"));
        stderr(&fitted.success())
    };
    let plain = shown("--measures pm,ccs");
    assert!(plain.contains("samples by kind:") && plain.contains("The same by several measures"), "{plain}");
    assert!(plain.lines().any(|line| line.contains("95 %") && line.matches("..").count() == 4), "{plain}");
    assert!(!plain.contains("other gauges"), "{plain}");
    assert!(!shown("--measure ccs").contains("The same by several measures"));

    // Modality 2 tells nothing: R is anything from 0 to I1.
    place.simulate("copy1 --n 200 --dims 2 --force", "data.safetensors");
    let decided = shown("");
    assert!(
        decided.contains("the split between R and U is decided by the choice of coordinates; S - R ="),
        "{decided}"
    );
}
