//! The demo: emoji that can be looked at, and the files of an analysis.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::place::{Place, rows, stderr, stdout};

#[test]
fn emoji_are_decomposed_and_shown() {
    let place = Place::new();
    let demo = place.lsmi("demo --out demo --json").success();
    let names = [
        "config.toml",
        "emoji.csv",
        "estimator.safetensors",
        "figures",
        "made.json",
        "report.html",
        "samples.csv",
        "summary.json",
    ];
    assert_eq!(place.names("demo"), names);
    assert_eq!(stdout(&demo), place.text("demo/summary.json"));

    let summary: Value = serde_json::from_str(&stdout(&demo)).unwrap();
    assert_eq!(summary["classes"][0], "Activities");
    assert_eq!(summary["gauge"], "whitened");
    // Multinomial logistic regression (scikit-learn's defaults, standardised features, five folds, three shuffles) is
    // right for at most .8405 of the emoji out of fold.
    let accuracy = summary["splits"]["train"]["accuracy"]["joint"].as_f64().unwrap();
    assert!(accuracy > 0.85, "{accuracy}");

    let samples = rows(&place.text("demo/samples.csv"));
    assert_eq!(samples.len(), 1906);
    assert_eq!((samples[0]["id"].as_str(), samples[0]["label"].as_str()), ("0023-FE0F-20E3", "Symbols"));
    assert_eq!(samples.iter().map(|row| &row["fold"]).collect::<BTreeSet<_>>().len(), 5);

    let shown = stderr(&demo);
    assert!(shown.contains("What do picture (x1) and name (x2) of 1906 emoji tell about their category"), "{shown}");
    let listed = shown.lines().filter(|line| line.starts_with("   ") && line.ends_with(')')).count();
    assert_eq!(listed, 4 * 5, "{shown}");
    assert!(shown.trim_end().ends_with("\nreport: demo/report.html"), "{shown}");
    let page = place.text("demo/report.html");
    assert!(page.contains("🍗  poultry leg") && page.contains("about <bdi>the category</bdi>"));
    // The files alone know the emoji, too.
    place.lsmi("report demo").success();
    assert_eq!(place.text("demo/report.html"), page);
    assert!(shown.lines().any(|line| line.starts_with("Of the ") && line.contains("about the category")), "{shown}");
}
