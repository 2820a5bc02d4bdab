//! `lsmi analyze --target continuous` from outside.

use std::fmt::Write;

use crate::place::{Place, stderr, stdout};

/// A table whose target x1 tells, and a second target, `more`, if that is given.
fn table(rows: u32, more: &str) -> String {
    let mut text = format!("id,x1_0,x2_0,{}\n", if more.is_empty() { "y" } else { "y_0,y_1" });
    // From 0 to 1, as good as at random; multiples of a number would put the target on a few values.
    let spread = |row: u32, factor: f64| (43_758.5 * (f64::from(row + 1) * factor).sin()).rem_euclid(1.0);
    for row in 0..rows {
        let [x1, x2, noise] = [12.9898, 78.233, 39.346].map(|factor| spread(row, factor));
        let _ = writeln!(text, "r{row},{x1},{x2},{}{}", x1 + 0.3 * noise, more.replace("ROW", &row.to_string()));
    }
    text
}

#[test]
fn a_target_is_analysed_and_its_files_stand_together() {
    let place = Place::new();
    place.write("data.csv", table(80, "").as_bytes());
    let done = place.lsmi("analyze data.csv --target continuous --folds 2 --out result --json --quiet").success();
    let mut names = place.names("result");
    names.sort();
    assert_eq!(names, ["config.toml", "figures", "made.json", "report.html", "samples.csv", "summary.json"]);
    let summary: serde_json::Value = serde_json::from_str(&stdout(&done)).unwrap();
    let train = &summary["targets"][0]["splits"]["train"];
    assert!(train["information"]["i1"].as_f64().unwrap() > 0.5 && train["r_squared"]["x1"].as_f64().unwrap() > 0.8);
    assert_eq!(place.text("result/samples.csv").lines().count(), 81);
    assert!(place.text("result/config.toml").contains("target = \"continuous\""));
}

#[test]
fn what_means_nothing_without_classes_is_wrong_usage() {
    let place = Place::new();
    place.write("data.csv", table(80, "").as_bytes());
    for option in [
        "--null 9",
        "--prior uniform",
        "--check",
        "--scale-logits",
        "--measures sx",
        "--missing drop",
        "--format parquet",
    ] {
        let refused = place.lsmi(&format!("analyze data.csv --target continuous {option} --out result")).code(2);
        let name = option.split(' ').next().unwrap();
        assert!(stderr(&refused).contains(name), "{option}: {}", stderr(&refused));
        assert!(!place.path("result").exists());
    }
    place.lsmi("analyze data.csv --jointly --out result").code(2);
}

#[test]
fn numbers_taken_for_classes_are_pointed_to_the_option() {
    let place = Place::new();
    place.write("data.csv", table(80, "").as_bytes());
    let refused = place.lsmi("analyze data.csv --out result").code(3);
    assert!(stderr(&refused).contains("--target continuous"), "{}", stderr(&refused));
    place.write("few.csv", table(12, "").as_bytes());
    place.lsmi("analyze few.csv --target continuous --out result").code(3);
    place.write("text.csv", table(80, "").replace(",y\n", ",y\nr,0,0,cat\n").as_bytes());
    let refused = place.lsmi("analyze text.csv --target continuous --out result").code(3);
    assert!(stderr(&refused).contains("`y`") && !place.path("result").exists(), "{}", stderr(&refused));
}

#[test]
fn two_targets_have_a_file_each() {
    let place = Place::new();
    place.write("data.csv", table(60, ",ROW").as_bytes());
    place.lsmi("analyze data.csv --target continuous --folds 2 --out each --quiet").success();
    assert!(place.path("each/samples_0.csv").exists() && place.path("each/samples_1.csv").exists());
    place.lsmi("analyze data.csv --target continuous --jointly --folds 2 --out joint --quiet").success();
    assert!(place.text("joint/samples.csv").starts_with("id,split,fold,h1,h2,i1,i2,i12,r,u1,u2,s,target_0,target_1,"));
}

#[test]
fn options_about_another_kind_of_target_are_wrong_usage() {
    let place = Place::new();
    place.write("data.csv", table(80, "").as_bytes());
    for option in ["continuous --modalities x1,x2", "continuous --lattice", "labels --shapley", "labels --jointly"] {
        let refused = place.lsmi(&format!("analyze data.csv --target {option} --out result")).code(2);
        let name = option.split(' ').nth(1).unwrap();
        assert!(stderr(&refused).contains(name) && !place.path("result").exists(), "{}", stderr(&refused));
    }
}

#[test]
fn a_third_modality_is_not_passed_over_without_a_word() {
    let place = Place::new();
    let more = |line: &str, value: &str| format!("{line},{value}\n");
    let text = table(80, "");
    let rows = text.lines().enumerate().map(|(row, line)| more(line, if row == 0 { "x3_0" } else { "0.5" }));
    place.write("data.csv", rows.collect::<String>().as_bytes());
    let done = place.lsmi("analyze data.csv --target continuous --folds 2 --out result --quiet").success();
    assert!(stderr(&done).contains("x3 is in the file but was not used"), "{}", stderr(&done));
}
