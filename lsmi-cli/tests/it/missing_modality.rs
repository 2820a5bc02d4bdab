//! `analyze`, `fit` and `score` of rows that lack a modality, and what other commands make of such rows.

use std::collections::BTreeMap;

use crate::place::{Array, Place, integers, matrix, number, rows, safetensors, stderr, stdout};

const ROWS: usize = 120;
const SCORE: &str = "score --estimator e.safetensors --quiet";

/// Whether a row lacks x1 or x2: one in six each.
fn lacks(row: usize) -> [bool; 2] {
    [row % 6 == 1, row % 6 == 4]
}

/// Not random, but no two rows alike, and told by both modalities.
fn arrays() -> BTreeMap<&'static str, Array> {
    let value = |place: usize, row: usize| ((place * 37 + 11) % 101) as f64 / 50.0 + (row % 2) as f64;
    let values = |modality: usize, columns: usize| -> Vec<f64> {
        let of = |place: usize| {
            let row = place / columns;
            if lacks(row)[modality] { f64::NAN } else { value(place * (modality + 1), row) }
        };
        (0..ROWS * columns).map(of).collect()
    };
    let labels: Vec<i64> = (0..ROWS).map(|row| i64::try_from(row % 2).unwrap()).collect();
    BTreeMap::from([("x1", matrix(2, &values(0, 2))), ("x2", matrix(3, &values(1, 3))), ("y", integers(&labels))])
}

fn place() -> Place {
    let place = Place::new();
    place.write("data.safetensors", safetensors(&arrays()));
    place
}

fn is_partial(row: usize) -> bool {
    lacks(row).contains(&true)
}

/// Checks that samples have the terms that there are, and nothing in the place of others.
fn check_samples(samples: &[BTreeMap<String, String>]) {
    assert_eq!(samples.len(), ROWS);
    for (row, sample) in samples.iter().enumerate() {
        assert_eq!(sample["id"], row.to_string());
        let [no_x1, no_x2] = lacks(row);
        for (columns, is_missing) in [
            (&["h1", "i1", "pred1"][..], no_x1),
            (&["h2", "i2", "pred2"], no_x2),
            (&["i12", "r", "u1", "u2", "s", "pred12"], no_x1 || no_x2),
        ] {
            assert!(columns.iter().all(|column| sample[*column].is_empty() == is_missing), "{sample:?}");
        }
        assert_eq!((sample["present1"].as_str(), sample["present2"].as_str()), (bit(!no_x1), bit(!no_x2)));
    }
}

fn bit(is_there: bool) -> &'static str {
    if is_there { "1" } else { "0" }
}

#[test]
fn an_analysis_has_the_terms_that_there_are() {
    let place = place();
    let done = place.lsmi("analyze data.safetensors --folds 2 --out out --json").success();
    check_samples(&rows(&place.text("out/samples.csv")));
    let shown = stderr(&done);
    assert!(shown.contains("20 of 120 rows lack x1, 20 lack x2: the decomposition is of the 80 that have"), "{shown}");
    let summary: serde_json::Value = serde_json::from_str(&stdout(&done)).unwrap();
    let train = &summary["splits"]["train"];
    assert_eq!((train["n"].as_u64(), train["missing"]["rows"].as_u64()), (Some(80), Some(120)));
    assert_eq!(train["missing"]["without_x1"], 20);
    assert!(!place.text("out/report.html").contains("NaN"));
    assert!(!place.text("out/summary.json").contains("NaN"));

    // Values that are said not to be there are not looked at, whatever they are.
    let present = |modality: usize| -> Array {
        integers(&(0..ROWS).map(|row| i64::from(!lacks(row)[modality])).collect::<Vec<_>>())
    };
    let mut hidden = arrays();
    hidden.insert("present1", present(0));
    hidden.insert("present2", present(1));
    place.write("hidden.safetensors", safetensors(&hidden));
    place.lsmi("analyze hidden.safetensors --folds 2 --out hidden --quiet").success();
    for file in ["samples.csv", "summary.json", "estimator.safetensors"] {
        assert_eq!(place.bytes(&format!("out/{file}")), place.bytes(&format!("hidden/{file}")), "{file}");
    }

    // What needs r has the complete rows, and says how many others there are.
    let listed = place.lsmi("partition out/samples.csv --by r --fraction 0.3 --out lists").success();
    assert!(stderr(&listed).contains("40 samples lack a modality"), "{}", stderr(&listed));
    let lists = ["high", "middle", "low"].map(|list| place.text(&format!("lists/{list}.txt")).lines().count());
    assert_eq!(lists.iter().sum::<usize>(), 80);
    place.lsmi("report out --force --quiet").success();
    let compared = place.lsmi("diff out hidden --json --quiet").success();
    assert!(stdout(&compared).contains("40 samples lack a modality and are left out"));
}

#[test]
fn scores_are_the_same_from_memory_and_from_a_stream() {
    let place = place();
    place.lsmi("fit data.safetensors --folds 2 --out e.safetensors --quiet").success();
    for (label_free, format) in [("", "csv"), ("", "parquet"), ("--label-free", "csv"), ("--label-free", "jsonl")] {
        let (whole, streamed) = (format!("whole{label_free}.{format}"), format!("stream{label_free}.{format}"));
        place.lsmi(&format!("{SCORE} data.safetensors {label_free} --out {whole}")).success();
        place.lsmi(&format!("{SCORE} data.safetensors {label_free} --out {streamed} --rows-of-a-group 7")).success();
        if format != "parquet" {
            assert_eq!(place.text(&whole), place.text(&streamed), "{label_free} {format}");
        }
    }
    let samples = rows(&place.text("whole.csv"));
    check_samples(&samples);
    // What can be expected of a row without its label is no less than what is known before.
    let expected = rows(&place.text("whole--label-free.csv"));
    check_samples(&expected);
    for (row, (sample, expected)) in samples.iter().zip(&expected).enumerate().filter(|(row, _)| is_partial(*row)) {
        let (h, i) = if lacks(row)[0] { ("h2", "i2") } else { ("h1", "i1") };
        assert_eq!(sample[h], expected[h]);
        assert!(number(expected, i) > -1e-9);
    }
    // A group in which no row is complete is no obstacle.
    place.lsmi(&format!("{SCORE} data.safetensors --out alone.csv --rows-of-a-group 1")).success();
    assert_eq!(place.text("alone.csv"), place.text("whole.csv"));
}

#[test]
fn what_is_not_made_of_such_rows_is_refused_and_leaves_nothing() {
    let place = place();
    for (words, said) in [
        ("analyze data.safetensors --null 3 --out out", "need rows that have both"),
        ("analyze data.safetensors --check --out out", "need rows that have both"),
        ("analyze data.safetensors --target continuous --out out", "`x1` is NaN at row 1"),
        ("check data.safetensors", "`x1` is NaN at row 1"),
        ("fit data.safetensors --rows-in-memory 50 --out e.safetensors", "`x1` is NaN at row 1"),
        ("compare data.safetensors --methods lsmi", "`x1` is NaN at row 1"),
    ] {
        let failed = place.lsmi(&format!("{words} --quiet")).failure();
        assert!(stderr(&failed).contains(said), "{words}: {}", stderr(&failed));
        assert_eq!(place.names(""), ["data.safetensors"], "{words}");
    }
    let mut both = arrays();
    both.insert("present1", integers(&(0..ROWS).map(|row| i64::from(row % 6 != 4)).collect::<Vec<_>>()));
    place.write("both.safetensors", safetensors(&both));
    let failed = place.lsmi("analyze both.safetensors --out out --quiet").failure();
    assert!(stderr(&failed).contains("`x1` has no value at row 1, but `present1` says"), "{}", stderr(&failed));
    let mut values = arrays();
    values.insert("present1", integers(&[3; ROWS]));
    place.write("values.safetensors", safetensors(&values));
    let failed = place.lsmi("analyze values.safetensors --out out --quiet").failure();
    assert!(stderr(&failed).contains("`present1` is 3 at row 0"), "{}", stderr(&failed));
}
