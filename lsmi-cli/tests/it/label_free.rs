//! `score --label-free`: expectations over the labels that a sample could have.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::place::{Place, good, integers, number, rows, safetensors, stderr, stdout};

const INFORMATION: [&str; 3] = ["i1", "i2", "i12"];
const VALUES: [&str; 7] = ["i1", "i2", "i12", "r", "u1", "u2", "s"];
const SCORE: &str = "score --label-free --estimator e.safetensors";

/// A place with an estimator, its data as a test file, and the same without labels.
fn place() -> Place {
    let place = Place::new();
    place.write("data.safetensors", safetensors(&good()));
    place.lsmi("fit data.safetensors --folds 2 --out e.safetensors --quiet").success();
    let mut unlabelled = good();
    unlabelled.remove("y");
    unlabelled.insert("id", integers(&(100..160).collect::<Vec<_>>()));
    place.write("unlabelled.safetensors", safetensors(&unlabelled));
    place
}

#[test]
fn expectations_are_sums_over_candidates() {
    let place = place();
    let scored = place
        .lsmi(&format!("{SCORE} unlabelled.safetensors --out free.csv --candidates candidates.csv --json"))
        .success();
    let shown = stderr(&scored);
    assert!(shown.contains("No labels were used") && shown.contains("Expected interactions"), "{shown}");
    let text = place.text("free.csv");
    let (samples, candidates) = (rows(&text), rows(&place.text("candidates.csv")));
    assert_eq!((samples.len(), candidates.len()), (60, 120));
    let columns = "id,split,label,probability,i1,i2,i12,r,u1,u2,s";
    assert_eq!(place.text("candidates.csv").lines().next(), Some(columns));

    for (sample, candidates) in samples.iter().zip(candidates.chunks(2)) {
        assert_eq!((sample["split"].as_str(), sample["label"].as_str(), sample["fold"].as_str()), ("eval", "", ""));
        assert_eq!(candidates.iter().map(|row| row["label"].as_str()).collect::<Vec<_>>(), ["0", "1"]);
        assert!(candidates.iter().all(|row| row["id"] == sample["id"] && row["split"] == "eval"));
        let sum = |of: &dyn Fn(&BTreeMap<String, String>) -> f64| -> f64 {
            candidates.iter().map(|row| number(row, "probability") * of(row)).sum()
        };
        assert!((sum(&|_| 1.0) - 1.0).abs() < 1e-12);
        for value in VALUES {
            assert!((sum(&|row| number(row, value)) - number(sample, value)).abs() < 1e-12, "{value}");
        }
        let [r, u1, u2, s] = ["r", "u1", "u2", "s"].map(|name| number(sample, name));
        for (parts, term) in [(r + u1, "i1"), (r + u2, "i2"), (r + u1 + u2 + s, "i12")] {
            assert!((parts - number(sample, term)).abs() < 1e-12, "{term}");
        }
    }
    check_summary(&serde_json::from_str(&stdout(&scored)).unwrap(), &samples);
}

fn check_summary(summary: &Value, samples: &[BTreeMap<String, String>]) {
    assert_eq!(summary["label_free"], true);
    let split = &summary["splits"]["eval"];
    assert_eq!(split["n"], 60);
    for value in VALUES {
        let group = if INFORMATION.contains(&value) { "information" } else { "raw" };
        let mean = samples.iter().map(|sample| number(sample, value)).sum::<f64>() / 60.0;
        assert!((split[group][value].as_f64().unwrap() - mean).abs() < 1e-12, "{value}");
    }
    for head in ["x1", "x2", "joint"] {
        let confidence = split["confidence"][head].as_f64().unwrap();
        assert!((0.5..=1.0).contains(&confidence), "{head}: {confidence}");
    }
}

#[test]
fn the_candidate_that_is_the_label_has_its_values() {
    let place = place();
    place.lsmi("score data.safetensors --estimator e.safetensors --out labelled.csv --quiet").success();
    // Labels that are there are not looked at, whatever they are.
    let mut wrong = good();
    wrong.insert("y", integers(&[77; 60]));
    place.write("wrong.safetensors", safetensors(&wrong));
    let words = format!("{SCORE} wrong.safetensors --out free.jsonl --candidates candidates.jsonl --quiet");
    place.lsmi(&words).success();

    let labelled = place.text("labelled.csv");
    let lines = |name: &str| -> Vec<Value> {
        place.text(name).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let (samples, candidates) = (lines("free.jsonl"), lines("candidates.jsonl"));
    for ((sample, candidates), expected) in samples.iter().zip(candidates.chunks(2)).zip(rows(&labelled)) {
        for column in ["pred1", "pred2", "pred12"] {
            assert_eq!(sample[column], expected[column]);
        }
        for column in ["h1", "h2"] {
            assert_eq!(sample[column].as_f64(), Some(number(&expected, column)));
        }
        let own = candidates.iter().find(|row| row["label"] == expected["label"]).unwrap();
        for value in VALUES {
            assert_eq!(own[value].as_f64(), Some(number(&expected, value)), "{value}");
        }
    }
    assert_eq!((samples.len(), candidates.len()), (60, 120));
}

#[test]
fn both_files_appear_or_neither() {
    let place = place();
    let mut wide = good();
    wide.insert("x1", wide["x2"].clone());
    place.write("wide.safetensors", safetensors(&wide));
    let before = place.names(".");
    let refused = place.lsmi(&format!("{SCORE} wide.safetensors --out a/free.csv --candidates b/c.csv")).code(3);
    assert!(stderr(&refused).contains("wide.safetensors: x1 has 3 columns"), "{}", stderr(&refused));
    assert_eq!(place.names("."), before);

    // A file with labels is needed only where labels are wanted.
    let refused = place.lsmi("score unlabelled.safetensors --estimator e.safetensors --out a.csv").code(3);
    assert!(stderr(&refused).contains('y'), "{}", stderr(&refused));
    place.lsmi(&format!("{SCORE} unlabelled.safetensors --out a/free.csv --candidates b/c.csv")).success();
    assert_eq!((place.names("a"), place.names("b")), (vec!["free.csv".to_owned()], vec!["c.csv".to_owned()]));
}
