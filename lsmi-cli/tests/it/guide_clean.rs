//! `guide clean`: suspects listed, wrong labels planted and found, stopped and resumed.

use std::fs;

use serde_json::Value;

use crate::place::{Place, stderr};

/// Samples whose label both modalities show clearly; the label of row `c7` is the other one.
fn place() -> Place {
    let place = Place::new();
    let line = |row: u32| {
        let is_even = row.is_multiple_of(2);
        let side = if is_even { -2.0 } else { 2.0 };
        let (first, second) = (side + f64::from(row % 7) / 5.0, side + f64::from(row % 11) / 8.0);
        let label = if is_even || row == 7 { "even" } else { "odd" };
        format!("c{row},{first},{second},{label}\n")
    };
    let table: String = std::iter::once("id,x1_0,x2_0,y\n".to_owned()).chain((0..80).map(line)).collect();
    place.write("clear.csv", table);
    place
}

#[test]
fn a_wrong_label_is_the_first_suspect() {
    let place = place();
    let told = place.lsmi("guide clean clear.csv --out found --seeds 2 --folds 2 --top 3 --json").success();
    let printed: Value = serde_json::from_slice(&told.get_output().stdout).unwrap();
    assert_eq!(printed, place.json("found/clean.json"));
    assert_eq!((&printed["n"], &printed["planted"]["planted"]), (&80.into(), &8.into()));
    assert_eq!(printed["planted"]["scores"][0]["score"], "contradiction");
    let text = stderr(&told);
    for expected in ["The most suspicious labels", "8 of 80 labels made wrong", "contradiction less loss"] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert!(text.contains("c7") && !place.path("found.partial").exists());

    let table = place.text("found/suspects.csv");
    assert_eq!(table.lines().count(), 81);
    let mut lines = table.lines();
    assert_eq!(lines.next(), Some("id,label,score,suggested,pred1,pred2,pred12,by_all"));
    let first: Vec<&str> = lines.next().unwrap().split(',').collect();
    assert_eq!((first[0], first[1], &first[3..]), ("c7", "even", ["odd", "odd", "odd", "odd", "true"].as_slice()));
    assert!(first[2].parse::<f64>().unwrap() > 0.0);

    let refusal = place.lsmi("guide clean clear.csv --out found").failure().code(2);
    assert!(stderr(&refusal).contains("not empty"), "{}", stderr(&refusal));
    place.lsmi("guide clean clear.csv --out found --seeds 0 --folds 2 --quiet --force").success();
    assert_eq!(place.json("found/clean.json")["planted"], Value::Null);
    assert_eq!(place.text("found/suspects.csv"), table);
}

#[test]
fn an_experiment_that_was_killed_goes_on_to_the_same_bytes() {
    let place = place();
    let words = "guide clean clear.csv --folds 2 --seeds 3 --quiet";
    place.lsmi(&format!("{words} --out whole")).success();
    place.kill_when(&format!("{words} --out killed"), |place| {
        fs::read_dir(place.path("killed.partial"))
            .is_ok_and(|mut files| files.any(|file| file.unwrap().file_name() == "seed-0.json"))
    });
    assert!(place.path("killed.partial/seed-0.json").exists() && !place.path("killed").exists());

    let refusal = place.lsmi(&format!("{words} --planted 0.2 --out killed")).failure().code(2);
    assert!(stderr(&refusal).contains("another run: the settings"), "{}", stderr(&refusal));
    place.lsmi(&format!("{words} --out killed")).success();
    for name in ["clean.json", "suspects.csv"] {
        assert_eq!(place.text(&format!("killed/{name}")), place.text(&format!("whole/{name}")));
    }
    assert!(!place.path("killed.partial").exists());
}

#[test]
fn what_cannot_be_done_is_wrong_usage_or_data() {
    let place = place();
    place.write("few.csv", "x1_0,x2_0,y\n1,2,a\n2,1,b\n3,5,a\n");
    for (words, code, expected) in [
        ("clear.csv --planted 0", 2, "above 0 and below 1"),
        ("clear.csv --planted 0.001 --folds 2 --seeds 1", 3, "planted labels: 0, expected at least 1"),
        ("few.csv", 3, "class"),
        ("none.csv", 3, "none.csv"),
    ] {
        let refusal = place.lsmi(&format!("guide clean {words} --quiet --out found")).failure().code(code);
        assert!(stderr(&refusal).contains(expected), "{words}: {}", stderr(&refusal));
    }
    assert!(!place.path("found").exists());
}
