//! `lsmi diff`: two analyses held against each other.

use serde_json::Value;

use crate::place::{Place, column, rows, stderr, stdout};
use crate::report::{check_numbers, numbers};

/// A place with two analyses of the same samples, and one of others.
fn place() -> Place {
    let place = Place::new();
    place.simulate("mixed --n 90 --dims 2", "data.safetensors");
    place.simulate("mixed --n 60 --dims 2 --seed 2", "other.safetensors");
    for (data, options, out) in
        [("data", "", "first"), ("data", "--gauge raw --format parquet", "second"), ("other", "", "other")]
    {
        place.lsmi(&format!("analyze {data}.safetensors --folds 2 {options} --out {out} --quiet")).success();
    }
    place
}

#[test]
fn the_same_samples_are_compared_one_by_one() {
    let place = place();
    let told = place.lsmi("diff first second --out changes --json").success();
    let found: Value = serde_json::from_str(&stdout(&told)).unwrap();
    assert_eq!(found, place.json("changes/diff.json"));
    assert_eq!((&found["shared"], &found["first"]["n"]), (&90.into(), &90.into()));
    assert_eq!(place.names("changes"), ["config.toml", "diff.html", "diff.json", "differences.csv"]);

    let differences = place.text("changes/differences.csv");
    let first = column(&place.text("first/samples.csv"), "r");
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let of_r = column(&differences, "r");
    let number = |value: &Value| value.as_f64().unwrap();
    assert!((number(&found["means"]["r"]["first"]) - mean(&first)).abs() < 1e-12);
    assert!((number(&found["means"]["r"]["difference"]["mean"]) - mean(&of_r)).abs() < 1e-12);
    // The gauge moves neither informations nor s - r.
    assert!(column(&differences, "i12").iter().all(|value| value.abs() < 1e-12));
    let s_minus_r = column(&differences, "s").iter().zip(&of_r).map(|(s, r)| s - r).collect::<Vec<_>>();
    assert!(s_minus_r.iter().all(|value| value.abs() < 1e-9));
    let widest = of_r.iter().map(|value| value.abs()).fold(0.0, f64::max);
    assert!((number(&found["largest"]["r"][0]["difference"]).abs() - widest).abs() < 1e-12 && widest > 0.0);
    assert_eq!(found["by_class"]["0"]["n_first"], rows(&differences).iter().filter(|row| row["label"] == "0").count());
    let told = stderr(&told);
    for expected in ["all samples are in both", "warning: the gauges differ (whitened and raw)", "of another kind"] {
        assert!(told.contains(expected), "{expected}: {told}");
    }

    assert!(told.trim_end().ends_with("report: changes/diff.html"), "{told}");

    let page = place.text("changes/diff.html");
    let shown = numbers(&page);
    check_numbers(&shown, &found);
    for field in ["means/r/first", "means/s/difference/upper", "by_class/1/u2/difference/mean", "largest/u1/4/second"] {
        assert!(shown.iter().any(|number| number.field == format!("/{field}")), "{field}");
    }
    for words in
        ["All samples are in both.", "the gauges differ (whitened and raw)", "of another kind", ">0</bdi></th>"]
    {
        assert!(page.contains(words), "{words}");
    }
    // Four scatter plots, four distributions, means, their differences, and the classes.
    assert_eq!(page.matches("<svg").count(), 11);
    assert!(!page.contains("NaN") && !page.contains("inf<"));

    // Again from its own options, to the same bytes.
    place.lsmi("diff first second --config changes/config.toml --out again --quiet").success();
    for file in place.names("changes") {
        assert_eq!(place.bytes(&format!("again/{file}")), place.bytes(&format!("changes/{file}")), "{file}");
    }
}

#[test]
fn other_samples_are_compared_as_a_set() {
    let place = place();
    let told = place.lsmi("diff first other --out changes --json").success();
    let found: Value = serde_json::from_str(&stdout(&told)).unwrap();
    assert_eq!(found["shared"], 0);
    let told = stderr(&told);
    // Row numbers are ids, but not of the same samples.
    assert!(told.contains("they do not mean the same samples"), "{told}");
    assert!(told.contains("no sample is in both: two sets of samples are compared"), "{told}");
    assert_eq!(place.names("changes"), ["config.toml", "diff.html", "diff.json"]);
    assert!(found["by_class"]["0"]["s"]["difference"]["lower"].is_number());
    let page = place.text("changes/diff.html");
    check_numbers(&numbers(&page), &found);
    assert!(page.contains("two sets of samples are compared") && !page.contains("differences.csv"));
    assert_eq!(page.matches("<svg").count(), 7);
    // No difference of means is out of reach of chance here but for a few of 21 intervals.
    let outside = ["i1", "i2", "i12", "r", "u1", "u2", "s"].iter().filter(|name| {
        let interval = &found["means"][**name]["difference"];
        interval["lower"].as_f64().unwrap() > 0.0 || interval["upper"].as_f64().unwrap() < 0.0
    });
    assert!(outside.count() < 4);
}

/// The quantities of a difference of means that are told to differ.
fn differing(means: &Value) -> Vec<&str> {
    ["i1", "i2", "i12", "r", "u1", "u2", "s"].into_iter().filter(|name| means[*name]["differs"] == true).collect()
}

/// The same data fitted with other folds and other random draws.
#[test]
fn another_seed_is_no_difference() {
    let place = Place::new();
    place.simulate("mixed --n 120 --dims 2", "data.safetensors");
    for seed in 0..5 {
        let analyze = "analyze data.safetensors --folds 2 --no-report --quiet";
        place.lsmi_as_is(&format!("{analyze} --seed {seed} --out {seed}")).success();
    }
    for (first, second) in (0..5).flat_map(|first| (first + 1..5).map(move |second| (first, second))) {
        let told = place.lsmi(&format!("diff {first} {second} --json")).success();
        let found: Value = serde_json::from_str(&stdout(&told)).unwrap();
        assert_eq!(found["warnings"], serde_json::json!([]));
        assert_eq!(found["means"]["s"]["differs"], false);
        let all = std::iter::once(&found["means"]).chain(found["by_class"].as_object().unwrap().values());
        for means in all {
            assert_eq!(differing(means), Vec::<&str>::new(), "{first} {second}: {means}");
        }
        assert!(!stderr(&told).contains("0*"), "{}", stderr(&told));
    }
}

/// Data that tell more: their difference is greater than what seeds do.
#[test]
fn other_data_are_a_difference() {
    let place = Place::new();
    place.simulate("or --n 200 --dims 2 --amplitude 1", "weak.safetensors");
    place.simulate("or --n 200 --dims 2 --seed 1", "strong.safetensors");
    for data in ["weak", "strong"] {
        place.lsmi_as_is(&format!("analyze {data}.safetensors --gauge raw --folds 2 --out {data} --quiet")).success();
    }
    let told = place.lsmi("diff weak strong --json").success();
    let found: Value = serde_json::from_str(&stdout(&told)).unwrap();
    assert!(differing(&found["means"]).contains(&"i12"), "{}", found["means"]["i12"]);
    assert!(stderr(&told).contains('*'), "{}", stderr(&told));
}

/// Of single fits it is not known what another seed would do.
#[test]
fn single_fits_have_no_stars() {
    let place = place();
    let told = place.lsmi("diff first other --json --out changes").success();
    let found: Value = serde_json::from_str(&stdout(&told)).unwrap();
    assert_eq!(found["means"]["s"].get("differs"), None);
    let (told, page) = (stderr(&told), place.text("changes/diff.html"));
    assert!(told.contains("samples.csv is not repeated") && !told.contains("0*"), "{told}");
    assert!(page.contains("not with other fits") && page.contains("3 repeats or more"));
}

#[test]
fn two_splits_of_one_analysis() {
    let place = Place::new();
    place.simulate("mixed --n 90 --dims 2", "data.safetensors");
    place.simulate("mixed --n 60 --dims 2 --seed 2", "other.safetensors");
    let analyze = "analyze data.safetensors --eval other.safetensors --folds 2 --repeats 2 --out result --quiet";
    place.lsmi(analyze).success();
    let told = place.lsmi("diff result result --split train,eval --json --quiet").success();
    assert_eq!(stderr(&told), "");
    let found: Value = serde_json::from_str(&stdout(&told)).unwrap();
    assert_eq!((&found["first"]["split"], &found["second"]["split"]), (&"train".into(), &"eval".into()));
    let same = place.lsmi("diff result result/samples.csv --json --quiet").success();
    let found: Value = serde_json::from_str(&stdout(&same)).unwrap();
    assert_eq!((&found["shared"], &found["kinds"]["changed"]), (&90.into(), &0.into()));
    assert_eq!(found["warnings"], serde_json::json!([]));

    for (words, code, expected) in [
        ("diff result nowhere", 3, "nowhere: no such directory"),
        ("diff result result --split test", 3, "no samples of the split `test`"),
        ("diff result result --split a,b,c", 2, "one split for both"),
        ("diff result", 2, "DIR2"),
    ] {
        let refused = place.lsmi(words).code(code);
        assert!(stderr(&refused).contains(expected), "{words}: {}", stderr(&refused));
    }
}

#[test]
fn hostile_names_stay_names_in_the_page() {
    let place = Place::new();
    let attack = "</script><script>alert(1)</script>&amp;'{{ 7*7 }}";
    let header = "id,split,label,i1,i2,i12,r,u1,u2,s,kind";
    let side = |shift: f64| {
        let rows = (0..8).map(|row| {
            let value = f64::from(row % 3) + shift * f64::from(row);
            let kind = if row % 2 == 0 { "redundant" } else { "synergistic" };
            format!(
                "{attack}\u{7}{row},train,<img src=x onerror=alert({}) \u{1b}[31m>,1,1,2,{value},0,0,{value},{kind}",
                row % 2
            )
        });
        format!("{header}\n{}\n", rows.collect::<Vec<_>>().join("\n"))
    };
    place.write("<i>first.csv", side(0.0));
    place.write("second.csv", side(0.25));
    let told = place.lsmi("diff <i>first.csv second.csv --out changes").success();
    assert!(!stderr(&told).chars().any(|c| c.is_control() && c != '\n'), "{}", stderr(&told));
    let page = place.text("changes/diff.html");
    for markup in ["<script>alert", "<img", "<i>", "&amp;'"] {
        assert!(!page.contains(markup), "{markup}");
    }
    assert!(!page.chars().any(|c| c.is_control() && c != '\n'));
    assert!(page.contains("{{ 7*7 }}") && page.contains("&lt;i&gt;first.csv") && page.contains("\\u{1b}[31m"));
    assert_eq!(page.matches("<script").count(), 1);
    for address in ["http:", "https:", "url(", "@import", "src=\""] {
        assert!(!page.contains(address), "{address}");
    }
}
