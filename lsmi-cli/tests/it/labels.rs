//! `--target labels` and `--rare`: several labels at once, and classes with too few rows.

use std::fmt::Write;

use crate::place::{Place, good, rows, safetensors, stderr};

/// A table of 120 samples: of three labels the first is told by x1 and missing in every tenth row, the second by x2, and the
/// third is 1 in two rows.
fn table() -> String {
    let mut text = String::from("id,x1_0,x2_0,y_0,y_1,y_2,target\n");
    for row in 0..120_u32 {
        let (one, two) = (row % 2, row / 2 % 2);
        let noise = |step: u32| f64::from(row * step % 101) / 101.0;
        let first = if row % 10 == 7 { String::new() } else { one.to_string() };
        let _ = writeln!(
            text,
            "s{row},{},{},{first},{two},{},mine",
            f64::from(one) + 0.3 * noise(37),
            f64::from(two) + 0.3 * noise(53),
            u32::from(row < 2)
        );
    }
    text
}

#[test]
fn every_label_is_decomposed_and_rare_ones_are_refused_or_pooled() {
    let place = Place::new();
    place.write("data.csv", table());
    let refused = place.lsmi("analyze data.csv --target labels --out result").code(3);
    assert!(stderr(&refused).contains("`y[:, 0]` is missing at row 7"), "{}", stderr(&refused));
    let refused = place.lsmi("analyze data.csv --target labels --missing drop --out result").code(3);
    let message = stderr(&refused);
    assert!(
        message.contains("of the label `y_2`, 118 training rows are 0 and 2 are 1") && message.contains("--rare pool")
    );
    let refused = place.lsmi("analyze data.csv --target labels --missing drop --rare pool --out result").code(3);
    assert!(stderr(&refused).contains("of the pool of them 118 training rows are 0 and 2 are 1"));

    place.write("two.csv", table().lines().map(|line| two_labels(line) + "\n").collect::<String>());
    let shown = place.lsmi("analyze two.csv --target labels --missing drop --folds 3 --out result").success();
    assert!(stderr(&shown).contains("Labels of `train`"), "{}", stderr(&shown));
    let summary = place.json("result/summary.json");
    let table = summary["table"].as_array().unwrap();
    assert_eq!((table.len(), &table[0]["rows"], &table[1]["rows"]), (2, &108.into(), &120.into()));
    // x1 alone tells the first label, x2 alone the second: ln 2 nats each, and heads find nearly all of it.
    for (row, part) in table.iter().zip(["u1", "u2"]) {
        assert!((row["adjusted"][part].as_f64().unwrap() - 0.69).abs() < 0.1, "{row}");
    }
    let samples = rows(&place.text("result/samples.csv"));
    assert_eq!(samples.len(), 228);
    assert!(samples.iter().all(|sample| sample["input_target"] == "mine"));
    assert_eq!(samples.iter().filter(|sample| sample["target"] == "y_0").count(), 108);
    assert_eq!(place.names("result/labels"), ["0-y-0.safetensors", "1-y-1.safetensors"]);
    place.lsmi("analyze two.csv --target labels --missing drop --folds 3 --quiet --out again").success();
    for file in ["summary.json", "samples.csv", "labels/0-y-0.safetensors"] {
        assert_eq!(place.bytes(&format!("result/{file}")), place.bytes(&format!("again/{file}")), "{file}");
    }
}

/// A line of the table without the third label.
fn two_labels(line: &str) -> String {
    let mut fields: Vec<&str> = line.split(',').collect();
    fields.remove(5);
    fields.join(",")
}

#[test]
fn options_about_one_label_are_refused() {
    let place = Place::new();
    place.write("data.csv", table());
    for (options, expected) in [
        ("--model a=b.npz", "--model gives logits"),
        ("--ratings people.csv", "--ratings says"),
        ("--check", "--check asks about one label"),
        ("--knife-from e.safetensors", "--knife-from gives densities"),
        ("--scale-logits", "--scale-logits is about"),
        ("--prior 0.5,0.5", "--prior with probabilities is about"),
        ("--rare prototypes", "--rare prototypes is about classes"),
        ("--rare pool --rare-below 3", "less than the number of folds, 5"),
        ("--rare-below 3", "--rare"),
    ] {
        let refused = place.lsmi(&format!("analyze data.csv --target labels --out result {options}")).code(2);
        assert!(stderr(&refused).contains(expected), "{options}: {}", stderr(&refused));
    }
    place.write("good.safetensors", safetensors(&good()));
    let refused = place.lsmi("analyze good.safetensors --rare prototypes --rare-below 9 --out result").code(2);
    assert!(stderr(&refused).contains("give it with --rare pool"));
    let refused = place.lsmi("fit good.safetensors --rare pool --rows-in-memory 20 --out e.safetensors").code(2);
    assert!(stderr(&refused).contains("leave out --rows-in-memory"));
}

#[test]
fn rare_classes_are_pooled_and_new_rows_of_theirs_are_known() {
    let place = Place::new();
    let mut text = String::from("x1_0,x2_0,y\n");
    for row in 0..66_u32 {
        let label = if row < 60 { format!("c{}", row % 2) } else { format!("rare{row}") };
        let at = if row < 60 { row % 2 } else { 4 };
        let _ = writeln!(text, "{},{},{label}", f64::from(at) + f64::from(row * 7 % 29) / 60.0, row * 13 % 31);
    }
    place.write("data.csv", text);
    let refused = place.lsmi("analyze data.csv --out result").code(3);
    assert!(stderr(&refused).contains("--rare pool"), "{}", stderr(&refused));
    let shown = place.lsmi("analyze data.csv --rare pool --out result").success();
    assert!(
        stderr(&shown).contains("WARNING: 6 classes with fewer than 5 training rows, 6 in all"),
        "{}",
        stderr(&shown)
    );
    let summary = place.json("result/summary.json");
    assert_eq!(summary["classes"][2], "(rare classes)");
    assert_eq!(summary["pooled"].as_array().unwrap().len(), 6);
    place.write("new.csv", "x1_0,x2_0,y\n4.1,3,rare63\n0.2,4,c0\n");
    place.lsmi("score new.csv --estimator result/estimator.safetensors --out new-samples.csv --quiet").success();
    let samples = rows(&place.text("new-samples.csv"));
    assert_eq!((samples[0]["label"].as_str(), samples[1]["label"].as_str()), ("(rare classes)", "c0"));
}

#[test]
fn new_rows_are_scored_by_the_estimators_of_all_labels() {
    let place = Place::new();
    let line = |(row, line): (usize, &str)| {
        let split = ["split", "train", "test"][if row == 0 { 0 } else { 1 + usize::from(row > 100) }];
        format!("{},{split}\n", two_labels(line))
    };
    place.write("both.csv", table().lines().enumerate().map(line).collect::<String>());
    let options = "--missing drop --measures ccs --quiet";
    place.lsmi(&format!("analyze both.csv --target labels --folds 3 {options} --out result")).success();
    place.lsmi(&format!("score both.csv --estimator result {options} --out new.csv")).success();
    let of_test = |name: &str| {
        let text = place.text(name);
        let lines = text.lines().filter(|line| line.contains(",test,")).map(str::to_owned);
        text.lines().take(1).map(str::to_owned).chain(lines).collect::<Vec<_>>()
    };
    // Of 20 rows two lack the first label.
    assert_eq!(of_test("new.csv").len(), 1 + 18 + 20);
    assert_eq!(of_test("new.csv"), of_test("result/samples.csv"));

    let score = |options: &str, code: i32| {
        stderr(&place.lsmi(&format!("score both.csv --out other.csv --missing drop {options}")).code(code))
    };
    assert!(score("--estimator result --label-free", 2).contains("several labels"));
    place.write("three.csv", table());
    let three = place.lsmi("score three.csv --estimator result --missing drop --out other.csv").code(3);
    assert!(stderr(&three).contains("three.csv"), "{}", stderr(&three));
    place.write("result/labels/1-y-1.safetensors", "damaged");
    assert!(score("--estimator result", 3).contains("1-y-1.safetensors"));
    place.write("result/summary.json", "{}");
    assert!(score("--estimator result", 3).contains("is no summary of an analysis of several labels"));
    assert!(!place.path("other.csv").exists());
}
