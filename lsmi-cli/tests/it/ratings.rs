//! `--ratings`: agreement with people.

use std::fmt::Write;

use crate::place::{Place, column, rows, stderr};

/// A place with `data.safetensors`, analysed to `plain`.
fn analysed() -> Place {
    let place = Place::new();
    place.simulate("or --n 90 --dims 2", "data.safetensors");
    place.lsmi("analyze data.safetensors --folds 2 --out plain").success();
    place
}

const ANALYZE: &str = "analyze data.safetensors --folds 2 --measures ccs";

#[test]
fn people_who_say_what_was_measured_agree_with_it() {
    let place = analysed();
    let csv = place.text("plain/samples.csv");
    let (r, u1, u2, s) = (column(&csv, "r"), column(&csv, "u1"), column(&csv, "u2"), column(&csv, "s"));
    let mut ratings = "id,rater,redundancy,uniqueness,s\n".to_owned();
    for row in 0..40 {
        // Two raters who err to either side by as much; the second did not look at synergy, whose order is turned round.
        let unique = u1[row].max(u2[row]).exp();
        let (above, below, turned) = (r[row] + 3.0, r[row] - 1.0, -s[row]);
        writeln!(ratings, "{row},ann,{above},{unique},{turned}\n{row},ben,{below},{unique},").unwrap();
    }
    ratings += "never-there,ann,1,1,1\n";
    place.write("people.csv", ratings);
    let told = place.lsmi(&format!("{ANALYZE} --ratings people.csv --out result")).success();

    let found = &place.json("result/summary.json")["ratings"];
    assert_eq!((&found["of"], &found["rows"], &found["rated"]), (&"samples".into(), &81.into(), &41.into()));
    assert_eq!(found["not_found"], serde_json::json!(["never-there"]));
    assert_eq!(found["splits"].as_array().unwrap().len(), 1);
    let agreements = found["splits"][0]["by_sample"].as_array().unwrap();
    let named = |score: &str, measure: &str| {
        let mut of_score = agreements.iter().filter(|one| one["score"] == score && one["measure"] == measure);
        of_score.next().unwrap()
    };
    let coefficient = |score, kind: &str| named(score, "pm")[kind]["coefficient"].as_f64().unwrap();
    assert_eq!(named("redundancy", "pm")["n"], 40);
    assert!((coefficient("redundancy", "pearson") - 1.0).abs() < 1e-9);
    assert!((coefficient("redundancy", "spearman") - 1.0).abs() < 1e-9);
    // A curve keeps ranks alone.
    assert!((coefficient("uniqueness", "spearman") - 1.0).abs() < 1e-9);
    assert!(coefficient("uniqueness", "pearson") < 0.999);
    assert!((coefficient("synergy", "pearson") + 1.0).abs() < 1e-9);
    assert!(named("redundancy", "ccs")["pearson"]["coefficient"].as_f64().unwrap() < 0.999);
    let by_class = found["splits"][0]["by_class"].as_array().unwrap();
    assert!(by_class.iter().all(|one| one["n"] == 2 && one["pearson"]["lower"].is_null()), "{by_class:?}");

    let told = stderr(&told);
    for expected in [
        "Agreement with people",
        "81 rows are of 41 samples: several of one are averaged",
        "fewer than 4 pairs say nothing",
        "1 rated samples are not in the data: `never-there`",
    ] {
        assert!(told.contains(expected), "{expected}: {told}");
    }
    // What people say changes nothing that is measured.
    assert_eq!(column(&place.text("result/samples.csv"), "r"), r);
}

#[test]
fn classes_are_held_against_their_means() {
    let place = analysed();
    let csv = place.text("plain/samples.csv");
    let mean = |class: &str| {
        let of_class: Vec<f64> =
            rows(&csv).iter().filter(|row| row["label"] == class).map(|row| row["r"].parse().unwrap()).collect();
        of_class.iter().sum::<f64>() / of_class.len() as f64
    };
    place.write(
        "classes.jsonl",
        format!("{{\"class\":\"0\",\"r\":{}}}\n{{\"class\":\"1\",\"r\":{}}}\n", mean("0"), mean("1")),
    );
    place.lsmi(&format!("{ANALYZE} --ratings classes.jsonl --out result --quiet")).success();
    let found = &place.json("result/summary.json")["ratings"]["splits"][0];
    assert_eq!(found["by_sample"], serde_json::json!([]));
    assert!((found["by_class"][0]["pearson"]["coefficient"].as_f64().unwrap() - 1.0).abs() < 1e-9);
}

#[test]
fn bad_ratings_stop_before_anything_is_fitted() {
    let place = Place::new();
    place.simulate("or --n 90 --dims 2", "data.safetensors");
    for (content, expected) in [
        ("id,r\n1,good\n", "people.csv: `r` is `good` at row 0, but must be a finite number"),
        ("name,r\n1,2\n", "neither a column `id` nor a column `class`"),
        (
            "id,r\na,2\nb,3\n",
            "none of the 2 rated samples is in the data, `a` for one; give the samples as the data has them, as in `0`",
        ),
        ("class,r\ncat,2\n", "none of the 1 rated classes is in the data"),
    ] {
        place.write("people.csv", content);
        let refused = place.lsmi(&format!("{ANALYZE} --ratings people.csv --out result")).code(3);
        assert!(stderr(&refused).contains(expected), "{}", stderr(&refused));
    }
    let refused = place.lsmi(&format!("{ANALYZE} --ratings none.csv --out result")).code(3);
    assert!(stderr(&refused).contains("none.csv: no such file; give a table of ratings"), "{}", stderr(&refused));
    assert!(!place.path("result").exists());
}
