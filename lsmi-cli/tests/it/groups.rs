//! Rows that belong together: `--groups`, and rows that are found to be alike.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::place::{Place, rows, stderr};

/// A number in [-1, 1) that looks random (a sine with its leading digits cut off).
fn noise(index: usize) -> f64 {
    let value = ((index as f64 + 1.0) * 12.9898).sin() * 43_758.547;
    2.0 * (value - value.floor()) - 1.0
}

/// A table of so many speakers with so many sentences each: x1 is the speaker's, x2 the sentence's, the label a coin of the
/// speaker's.
fn speakers(count: usize, sentences: usize, first: usize) -> String {
    let mut text = "x1_0,x1_1,x1_2,x2_0,x2_1,y,speaker\n".to_owned();
    for speaker in first..first + count {
        for sentence in 0..sentences {
            let row = 1000 + speaker * sentences + sentence;
            let [a, b, c] = [0, 1, 2].map(|column| noise(3 * speaker + column));
            let (d, e) = (noise(7 * row), noise(7 * row + 1));
            let coin = ["heads", "tails"][usize::from(noise(9000 + speaker) > 0.0)];
            let _ = writeln!(text, "{a},{b},{c},{d},{e},{coin},s{speaker}");
        }
    }
    text
}

/// The folds that the rows of each value of a column are in.
fn folds_of(samples: &str, column: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut folds: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows(samples) {
        folds.entry(row[column].clone()).or_default().insert(row["fold"].clone());
    }
    folds
}

#[test]
fn rows_of_a_group_share_a_fold() {
    let place = Place::new();
    place.write("data.csv", speakers(40, 3, 0));
    place.lsmi("analyze data.csv --groups speaker --null 5 --out named --quiet --no-report").success();
    let folds = folds_of(&place.text("named/samples.csv"), "speaker");
    assert!(folds.len() == 40 && folds.values().all(|folds| folds.len() == 1), "{folds:?}");
    let summary = place.json("named/summary.json");
    assert_eq!(summary["grouping"]["given"], true);
    assert_eq!((summary["grouping"]["groups"].as_u64(), summary["grouping"]["largest"].as_u64()), (Some(40), Some(3)));
    assert_eq!(summary["splits"]["train"]["groups"]["effective"].as_f64(), Some(40.0));
    assert_eq!(summary["warnings"].as_array().unwrap().len(), 0, "{summary}");
    // Nothing can be told of the coins of speakers that no model has heard.
    let found = summary["splits"]["train"]["information"]["i12"].as_f64().unwrap();
    assert!(found < 0.05, "{found}");
}

#[test]
fn rows_that_are_alike_are_found_and_told() {
    let place = Place::new();
    place.write("data.csv", speakers(40, 3, 0));
    let shown = stderr(&place.lsmi("analyze data.csv --out found --no-report").success());
    let words = "120 of 120 rows equal another row in x1 (the first: 0 and 1)";
    assert!(shown.replace('\n', " ").replace("  ", " ").contains("120 of 120 rows equal another row"), "{shown}");
    let summary = place.json("found/summary.json");
    assert!(summary["warnings"][0].as_str().unwrap().contains(words), "{summary}");
    assert_eq!(summary["grouping"]["twins"][0]["of"], "x1");
    assert!(folds_of(&place.text("found/samples.csv"), "speaker").values().all(|folds| folds.len() == 1));

    // Apart, models hear every speaker, and coins seem to be told.
    place.lsmi("analyze data.csv --groups none --out apart --quiet --no-report").success();
    let apart = place.json("apart/summary.json");
    assert!(apart["grouping"].is_null() && apart["splits"]["train"]["groups"].is_null());
    assert!(folds_of(&place.text("apart/samples.csv"), "speaker").values().any(|folds| folds.len() > 1));
    let information = |summary: &serde_json::Value| summary["splits"]["train"]["information"]["i12"].as_f64().unwrap();
    assert!(information(&apart) > information(&summary) + 0.2, "{apart}");
}

#[test]
fn evaluation_rows_that_models_have_seen_are_counted() {
    let place = Place::new();
    place.write("train.csv", speakers(30, 3, 0));
    // Speakers 25 to 29 are in both, with other sentences after 28.
    place.write("test.csv", speakers(10, 3, 25));
    place.lsmi("analyze train.csv --eval test.csv --groups speaker --out out --quiet --no-report").success();
    let summary = place.json("out/summary.json");
    let seen = summary["splits"]["eval"]["seen"].as_array().unwrap();
    assert_eq!((seen[0]["of"].as_str(), seen[0]["rows"].as_u64()), (Some("group"), Some(15)));
    assert_eq!((seen[1]["of"].as_str(), seen[1]["rows"].as_u64()), (Some("both"), Some(15)));
    let warnings = summary["warnings"].to_string();
    assert!(warnings.contains("15 of 30 rows belong to the same group as training rows"), "{warnings}");
    assert!(
        warnings.contains("`eval`: 15 of 30 rows equal training rows in x1 and x2 (the first: 0 and 75)"),
        "{warnings}"
    );
}

#[test]
fn a_column_of_groups_must_be_there() {
    let place = Place::new();
    place.write("data.csv", speakers(20, 2, 0));
    let shown = stderr(&place.lsmi("analyze data.csv --groups singer --out out").failure().code(3));
    assert!(shown.contains("singer") && shown.contains("data.csv"), "{shown}");
    assert!(!place.path("out").exists());
    place.write("gap.csv", speakers(20, 2, 0).replace("s7\n", "NaN\n"));
    let shown = stderr(&place.lsmi("analyze gap.csv --groups speaker --out out").failure().code(3));
    assert!(shown.contains("`speaker` is missing at row 14 (`NaN`)"), "{shown}");
}

#[test]
fn too_few_groups_are_refused() {
    let place = Place::new();
    place.write("data.csv", speakers(5, 10, 0));
    let shown = stderr(&place.lsmi("analyze data.csv --groups speaker --out out").failure().code(3));
    assert!(shown.contains("5 groups of rows are too few for 5 folds"), "{shown}");
    // Found, and not named, they stay apart.
    place.lsmi("analyze data.csv --out out --quiet --no-report").success();
    let twins = &place.json("out/summary.json")["grouping"]["twins"][0];
    assert_eq!((twins["of"].as_str(), twins["are_together"].as_bool()), (Some("x1"), Some(false)), "{twins}");
}
