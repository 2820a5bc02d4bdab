//! From simulated samples over analysis and scoring to lists of ids, and again to the same bytes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::place::{Array, Place, integers, matrix, number, rows, safetensors, stderr, stdout};

const COLUMNS: &str = "id,split,fold,label,h1,h2,i1,i2,i12,r,u1,u2,s,pred1,pred2,pred12,kind";

/// The lines of a csv file that are of a split.
fn lines_of<'a>(csv: &'a str, split: &str) -> Vec<&'a str> {
    csv.lines().filter(|line| line.split(',').nth(1) == Some(split)).collect()
}

#[test]
fn simulate_analyze_score_partition() {
    let place = Place::new();
    place.simulate("mixed --n 240 --dims 3", "train.safetensors");
    place.simulate("mixed --n 100 --dims 3 --seed 1", "eval.safetensors");
    let analyze = place.lsmi("analyze train.safetensors --eval eval.safetensors --gauge raw --out result --json");
    let analyze = analyze.success();
    let names =
        ["config.toml", "estimator.safetensors", "figures", "made.json", "report.html", "samples.csv", "summary.json"];
    assert_eq!(place.names("result"), names);
    assert_eq!(stdout(&analyze), place.text("result/summary.json"));
    let shown = stderr(&analyze);
    assert!(shown.contains("I(x1,x2;y)") && shown.contains("In short"), "{shown}");

    let text = place.text("result/samples.csv");
    assert_eq!(text.lines().next(), Some(COLUMNS));
    let samples = rows(&text);
    let (train, eval) = samples.split_at(240);
    assert!(
        train.iter().enumerate().all(|(row, sample)| sample["id"] == row.to_string() && sample["split"] == "train")
    );
    assert_eq!(train.iter().map(|sample| &sample["fold"]).collect::<BTreeSet<_>>().len(), 5);
    assert_eq!(eval.len(), 100);
    assert!(eval.iter().all(|sample| sample["split"] == "eval" && sample["fold"].is_empty()));
    check_identities(&samples);
    let summary = place.json("result/summary.json");
    check_summary(&summary["splits"]["train"], train);
    check_summary(&summary["splits"]["eval"], eval);

    let score = "score eval.safetensors --estimator result/estimator.safetensors";
    let scored = place.lsmi(&format!("{score} --out scores.csv --json")).success();
    let scores = place.text("scores.csv");
    assert_eq!(scores.lines().next(), Some(COLUMNS));
    assert_eq!(scores.lines().skip(1).collect::<Vec<_>>(), lines_of(&text, "eval"));
    let of_score: Value = serde_json::from_str(&stdout(&scored)).unwrap();
    assert_eq!(of_score["splits"]["eval"], summary["splits"]["eval"]);

    let seen = place.lsmi("score train.safetensors --estimator result/estimator.safetensors --out seen.csv").success();
    assert!(stderr(&seen).contains("the rows that the estimator was fitted on"), "{}", stderr(&seen));
    assert!(!stderr(&scored).contains("warning"), "{}", stderr(&scored));

    place.lsmi("partition result/samples.csv --by s --fraction 0.25 --split train --out lists").success();
    check_lists(&place, train);
}

/// r + u1 = i1, r + u2 = i2 and r + u1 + u2 + s = i12 for every sample.
fn check_identities(samples: &[BTreeMap<String, String>]) {
    for sample in samples {
        let [r, u1, u2, s] = ["r", "u1", "u2", "s"].map(|column| number(sample, column));
        for (sum, term) in [(r + u1, "i1"), (r + u2, "i2"), (r + u1 + u2 + s, "i12")] {
            assert!((sum - number(sample, term)).abs() < 1e-12, "{sample:?}");
        }
    }
}

/// Means and accuracies are those of the samples.
fn check_summary(split: &Value, samples: &[BTreeMap<String, String>]) {
    let n = samples.len() as f64;
    assert_eq!(split["n"], samples.len());
    let mean = |column: &str| samples.iter().map(|sample| number(sample, column)).sum::<f64>() / n;
    for (group, columns) in [("information", &["i1", "i2", "i12"][..]), ("raw", &["r", "u1", "u2", "s"])] {
        for column in columns {
            assert!((split[group][column].as_f64().unwrap() - mean(column)).abs() < 1e-12, "{group} {column}");
        }
    }
    let shift = split["adjusted"]["shift"].as_f64().unwrap();
    assert!((split["adjusted"]["r"].as_f64().unwrap() - mean("r") - shift).abs() < 1e-12);
    for (head, column) in [("x1", "pred1"), ("x2", "pred2"), ("joint", "pred12")] {
        let right = samples.iter().filter(|sample| sample[column] == sample["label"]).count();
        assert!((split["accuracy"][head].as_f64().unwrap() - right as f64 / n).abs() < 1e-12, "{head}");
    }
}

/// The quarter with the most synergy is high, that with the least low, and all are there once.
fn check_lists(place: &Place, samples: &[BTreeMap<String, String>]) {
    let synergy: BTreeMap<&str, f64> =
        samples.iter().map(|sample| (sample["id"].as_str(), number(sample, "s"))).collect();
    let lists = ["high", "middle", "low"].map(|name| place.text(&format!("lists/{name}.txt")));
    let [high, middle, low] = lists.each_ref().map(|list| list.lines().collect::<Vec<_>>());
    assert_eq!((high.len(), middle.len(), low.len()), (60, 120, 60));
    let all: BTreeSet<&str> = [high.as_slice(), &middle, &low].concat().into_iter().collect();
    assert_eq!(all.len(), 240);
    let range = |ids: &[&str]| {
        let values = ids.iter().map(|id| synergy[id]);
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| (value.min(least), value.max(most)))
    };
    assert!(range(&low).1 <= range(&middle).0 && range(&middle).1 <= range(&high).0);
    let in_order = |ids: &[&str]| ids.is_sorted_by_key(|id| id.parse::<usize>().unwrap());
    assert!(in_order(&high) && in_order(&middle) && in_order(&low));

    let report = place.json("lists/partition.json");
    assert_eq!(report["counts"], serde_json::json!({ "high": 60, "middle": 120, "low": 60 }));
    assert_eq!(report["bounds"]["low"].as_f64(), Some(range(&low).1));
    assert_eq!(report["bounds"]["high"].as_f64(), Some(range(&high).0));
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let place = Place::new();
    for name in ["a", "b"] {
        place.simulate("gauss --classes 3 --n 150 --correlation -0.3", &format!("{name}.safetensors"));
        // Neither the name of the file nor the number of threads may show.
        let threads = if name == "a" { 1 } else { 2 };
        place.lsmi(&format!("analyze {name}.safetensors --out {name} --threads {threads}")).success();
    }
    assert_eq!(place.bytes("a.safetensors"), place.bytes("b.safetensors"));
    for file in ["samples.csv", "summary.json", "estimator.safetensors"] {
        assert_eq!(place.bytes(&format!("a/{file}")), place.bytes(&format!("b/{file}")), "{file}");
    }
    place.lsmi("analyze a.safetensors --out c --seed 1").success();
    assert_ne!(place.bytes("a/samples.csv"), place.bytes("c/samples.csv"));

    // The estimator of `fit` is that of `analyze`.
    place.lsmi("fit a.safetensors --out estimator.safetensors").success();
    assert_eq!(place.bytes("estimator.safetensors"), place.bytes("a/estimator.safetensors"));
}

#[test]
fn simulated_files_hold_their_exact_decomposition() {
    let place = Place::new();
    let simulated = place.lsmi("simulate xor --n 50 --quiet --json --out xor.safetensors").success();
    let exact: Value = serde_json::from_str(&stdout(&simulated)).unwrap();
    let bytes = place.bytes("xor.safetensors");
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let values = |name: &str| -> Vec<f64> {
        let data = file.tensor(name).unwrap();
        assert_eq!(data.shape(), [50], "{name}");
        data.data().chunks_exact(8).map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap())).collect()
    };
    let [h1, h2, i1, i2] = ["h1", "h2", "i1", "i2"].map(values);
    let r = values("r");
    for row in 0..50 {
        let expected = h1[row].min(h2[row]) - (h1[row] - i1[row]).min(h2[row] - i2[row]);
        assert!((r[row] - expected).abs() < 1e-12);
    }
    for (name, group) in [("i12", "information"), ("r", "raw"), ("s", "raw")] {
        let mean = values(name).iter().sum::<f64>() / 50.0;
        assert!((exact[group][name].as_f64().unwrap() - mean).abs() < 1e-12, "{name}");
    }
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let metadata = header.metadata().clone().unwrap();
    assert_eq!((metadata["family"].as_str(), metadata["units"].as_str()), ("xor", "nats"));

    // Another seed draws other samples of the same distribution, another --parameters another distribution.
    place.simulate("xor --n 50 --seed 1", "other.safetensors");
    assert_ne!(place.bytes("other.safetensors"), bytes);
    place.simulate("xor --n 50 --parameters 1", "turned.safetensors");
    let turned = place.bytes("turned.safetensors");
    let turned = safetensors::SafeTensors::deserialize(&turned).unwrap();
    assert_eq!(turned.tensor("y").unwrap().data(), file.tensor("y").unwrap().data());
    assert_ne!(turned.tensor("x1").unwrap().data(), file.tensor("x1").unwrap().data());
}

#[test]
fn simulated_groups_say_which_group_a_sample_is_of() {
    let place = Place::new();
    place.simulate("groups --n 500 --measure ccs", "groups.safetensors");
    let bytes = place.bytes("groups.safetensors");
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let eights = |name: &str| -> Vec<[u8; 8]> {
        file.tensor(name).unwrap().data().chunks(8).map(|value| value.try_into().unwrap()).collect()
    };
    let groups: Vec<i64> = eights("group").into_iter().map(i64::from_le_bytes).collect();
    assert_eq!(file.tensor("x1").unwrap().shape(), [500, 12]);
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let kinds = "redundant,unique1,unique2,synergistic,none";
    assert_eq!(header.metadata().as_ref().unwrap()["groups"], kinds);
    // Every group has its own component, of about log 2, and only that.
    for (component, name) in (0..).zip(["r", "u1", "u2", "s"]) {
        let values: Vec<f64> = eights(name).into_iter().map(f64::from_le_bytes).collect();
        for group in 0..5 {
            let of_group: Vec<f64> =
                values.iter().zip(&groups).filter(|(_, of)| **of == group).map(|(value, _)| *value).collect();
            let mean = of_group.iter().sum::<f64>() / of_group.len() as f64;
            let expected = if group == component { 0.69 } else { 0.0 };
            assert!((mean - expected).abs() < 0.1, "{name} of group {group}: {mean}");
        }
    }
}

/// Arrays of a file with splits, 60 rows to train on and 30 for tests; ids of the test rows start at 1000.
fn with_splits() -> BTreeMap<&'static str, Array> {
    let features = |rows: usize, columns: usize| {
        let value = |place: usize| ((place * 37 + 11) % 101) as f64 / 50.0 + (place / columns % 3) as f64;
        matrix(columns, &(0..rows * columns).map(value).collect::<Vec<_>>())
    };
    let labels = |rows: i64| integers(&(0..rows).map(|row| row % 3).collect::<Vec<_>>());
    BTreeMap::from([
        ("x1_train", features(60, 2)),
        ("x2_train", features(60, 3)),
        ("y_train", labels(60)),
        ("x1_test", features(30, 2)),
        ("x2_test", features(30, 3)),
        ("y_test", labels(30)),
        ("id_test", integers(&(1000..1030).collect::<Vec<_>>())),
    ])
}

#[test]
fn splits_of_one_file() {
    let place = Place::new();
    place.write("data.safetensors", safetensors(&with_splits()));
    place.lsmi("analyze data.safetensors --out result --folds 3").success();
    let samples = place.text("result/samples.csv");
    assert_eq!((lines_of(&samples, "train").len(), lines_of(&samples, "test").len()), (60, 30));
    assert_eq!(lines_of(&samples, "test")[0].split(',').next(), Some("1000"));

    let scored =
        place.lsmi("score data.safetensors --estimator result/estimator.safetensors --out scores.csv").success();
    assert!(stderr(&scored).contains("the split `train` is not scored"), "{}", stderr(&scored));
    let scores = place.text("scores.csv");
    assert_eq!(scores.lines().skip(1).collect::<Vec<_>>(), lines_of(&samples, "test"));

    // 0.3 of the 60 rows to train on: fine-tuning subsets are chosen from those.
    let parted = place.lsmi("partition result/samples.csv --by r --fraction 0.3 --balanced --out lists").success();
    assert_eq!(place.json("lists/partition.json")["counts"]["high"], 18);
    assert!(stderr(&parted).contains("of `train` (other splits left out; see --split)"), "{}", stderr(&parted));
}

#[test]
fn lines_of_json_hold_the_same() {
    let place = Place::new();
    place.simulate("rdn --n 60 --dims 2", "data.safetensors");
    let quiet = place.lsmi("analyze data.safetensors --out csv --quiet").success();
    assert_eq!((stdout(&quiet), stderr(&quiet)), (String::new(), String::new()));
    place.lsmi("analyze data.safetensors --out jsonl --format jsonl").success();
    let lines = place.text("jsonl/samples.jsonl");
    let objects: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (object, row) in objects.iter().zip(rows(&place.text("csv/samples.csv"))) {
        assert_eq!(object.as_object().unwrap().len(), COLUMNS.split(',').count());
        for column in ["h1", "h2", "i1", "i2", "i12", "r", "u1", "u2", "s"] {
            assert_eq!(object[column].as_f64(), Some(number(&row, column)));
        }
        assert_eq!(object["id"], row["id"]);
        assert_eq!(object["fold"].to_string(), row["fold"]);
    }
    assert_eq!(objects.len(), 60);

    for (samples, lists) in [("csv/samples.csv", "a"), ("jsonl/samples.jsonl", "b")] {
        place.lsmi(&format!("partition {samples} --by u1 --threshold -0.05,0.05 --out {lists}")).success();
    }
    for file in ["high.txt", "middle.txt", "low.txt", "partition.json"] {
        assert_eq!(place.bytes(&format!("a/{file}")), place.bytes(&format!("b/{file}")));
    }
}
