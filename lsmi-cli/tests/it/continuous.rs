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
    let expected =
        ["config.toml", "estimator.safetensors", "figures", "made.json", "report.html", "samples.csv", "summary.json"];
    assert_eq!(names, expected);
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
    for option in ["--null 9", "--prior uniform", "--check", "--scale-logits", "--measures sx", "--missing drop"] {
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

#[test]
fn new_rows_are_scored_as_an_analysis_scores_them() {
    let place = Place::new();
    let text = table(120, ",ROW");
    let (header, rows) = text.split_once('\n').unwrap();
    let rows: Vec<&str> = rows.lines().collect();
    let split = |row: usize| if row < 80 { "train" } else { "test" };
    let all: Vec<String> = rows.iter().enumerate().map(|(row, line)| format!("{line},{}\n", split(row))).collect();
    place.write("both.csv", format!("{header},split\n{}", all.concat()));
    place.write("train.csv", format!("{header}\n{}\n", rows[..80].join("\n")));
    place.write("new.csv", format!("{header}\n{}\n", rows[80..].join("\n")));
    let options = "--target continuous --folds 2 --quiet";
    place.lsmi(&format!("analyze both.csv {options} --out whole")).success();
    place.lsmi(&format!("analyze train.csv --eval new.csv {options} --out apart")).success();
    assert_eq!(place.bytes("apart/estimator.safetensors"), place.bytes("whole/estimator.safetensors"));
    let score = "score both.csv --estimator whole/estimator.safetensors";
    let shown = place.lsmi(&format!("{score} --out scored.csv --json --quiet")).success();
    let scored: serde_json::Value = serde_json::from_str(&stdout(&shown)).unwrap();
    let analysed = place.json("whole/summary.json");
    for target in 0..2 {
        let whole = place.text(&format!("whole/samples_{target}.csv"));
        let of_split = |text: &str, name: &str| {
            let named = format!(",{name},");
            let lines = text.lines().filter(|line| line.contains(&named));
            lines.map(|line| line.replacen(&named, ",", 1)).collect::<Vec<_>>()
        };
        let expected = of_split(&whole, "test");
        assert_eq!(expected.len(), 40);
        assert_eq!(of_split(&place.text(&format!("scored_{target}.csv")), "test"), expected);
        assert_eq!(of_split(&place.text(&format!("apart/samples_{target}.csv")), "eval"), expected);
        let test = |summary: &serde_json::Value| summary["targets"][target]["splits"]["test"].clone();
        assert_eq!(test(&scored), test(&analysed));
    }

    // Parquet, and what is refused.
    place.lsmi(&format!("analyze train.csv {options} --jointly --format parquet --out joint")).success();
    assert!(place.bytes("joint/samples.parquet").starts_with(b"PAR1"));
    let score = |file: &str, options: &str| {
        place.lsmi(&format!("score {file} --estimator joint/estimator.safetensors --out joint.parquet {options}"))
    };
    score("new.csv", "--quiet").success();
    for option in ["--label-free", "--measures sx", "--modalities x1,x2", "--shard 1/2"] {
        let shown = stderr(&score("new.csv", &format!("--force {option}")).code(2));
        let name = option.split(' ').next().unwrap();
        assert!(shown.contains(name) && shown.contains("continuous targets"), "{shown}");
    }
    place.write("one.csv", table(5, "").as_bytes());
    assert!(stderr(&score("one.csv", "--force").code(3)).contains("the number of targets"));
    let mixed = place.lsmi(&format!("analyze train.csv --eval one.csv {options} --out mixed")).code(3);
    assert!(stderr(&mixed).contains("one.csv") && !place.path("mixed").exists(), "{}", stderr(&mixed));
    place.write("joint/estimator.safetensors", &place.bytes("joint/estimator.safetensors")[..9000]);
    assert!(stderr(&score("new.csv", "--force").code(3)).contains("fit the estimator again"));
}
