//! `analyze` of more than two modalities: what it writes, what it refuses, and that two are as they were.

use std::collections::BTreeMap;

use crate::place::{Array, Place, column, integers, matrix, number, rows, safetensors, stderr, stdout};

/// 90 rows of three modalities: x1 and x3 tell the label, x2 tells nothing.
fn three() -> Vec<u8> {
    safetensors(&arrays())
}

fn arrays() -> BTreeMap<&'static str, Array> {
    let noise = |row: usize, factor: usize| (row * factor % 89) as f64 / 89.0;
    let of = |tells: f64, factor: usize| {
        matrix(
            2,
            &(0..90)
                .flat_map(|row| [tells * (row % 2) as f64 + noise(row, factor), noise(row, factor + 7)])
                .collect::<Vec<_>>(),
        )
    };
    let labels: Vec<i64> = (0..90).map(|row| row % 2).collect();
    BTreeMap::from([("x1", of(1.5, 37)), ("x2", of(0.0, 53)), ("x3", of(1.5, 23)), ("y", integers(&labels))])
}

/// The same under the names of a split.
fn of_split<'a>(names: &[&'a str; 4]) -> BTreeMap<&'a str, Array> {
    names.iter().copied().zip(arrays().into_values()).collect()
}

/// The header of a csv file, and its rows of a split without the name of the split.
fn lines_of(csv: &str, split: &str) -> Vec<String> {
    let named = format!(",{split},");
    let rows = csv.lines().filter(|line| line.contains(&named)).map(|line| line.replacen(&named, ",", 1));
    csv.lines().take(1).map(str::to_owned).chain(rows).collect()
}

#[test]
fn three_modalities_are_analysed_together() {
    let place = Place::new();
    place.write("three.safetensors", three());
    let shown = place.lsmi("analyze three.safetensors --folds 2 --repeats 1 --out made").success();
    assert_eq!(
        place.names("made"),
        ["config.toml", "estimator.safetensors", "figures", "made.json", "report.html", "samples.csv", "summary.json"]
    );
    assert!(stderr(&shown).contains("modalities: 1 = x1, 2 = x2, 3 = x3"), "{}", stderr(&shown));
    let summary = place.json("made/summary.json");
    let train = &summary["splits"]["train"];
    assert_eq!(train["lattice"].as_object().unwrap().len(), 18);
    let sum: f64 = train["lattice"].as_object().unwrap().values().map(|atom| atom.as_f64().unwrap()).sum();
    assert!((sum - train["information"]["i123"].as_f64().unwrap()).abs() < 1e-9, "{train}");
    for pair in ["12", "13", "23"] {
        assert!(train["pairs"][pair]["raw"]["r"].is_number(), "{pair}");
    }
    assert!(train["shapley"]["x1"].as_f64() > train["shapley"]["x2"].as_f64(), "{train}");

    let csv = place.text("made/samples.csv");
    assert!(csv.starts_with("id,split,fold,label,h1,h2,h3,h12,h13,h23,h123,i1,i2,i3,i12,i13,i23,i123,pred1,"), "{csv}");
    for row in rows(&csv) {
        let [r, u, i] = ["r_13", "u3_13", "i3"].map(|name| number(&row, name));
        assert!((r + u - i).abs() < 1e-9);
    }
    assert_eq!(column(&csv, "{1}{2}{3}").len(), 90);

    // A pair by itself is the analysis of two modalities. Twins, which share a fold, are sought in all modalities that are
    // analysed; x2 has some.
    let options = "--gauge raw --folds 2 --repeats 1 --groups none";
    place.lsmi(&format!("analyze three.safetensors --modalities x1,x3 {options} --out pair")).success();
    place.lsmi(&format!("analyze three.safetensors {options} --out raw")).success();
    let (pair, raw) = (place.text("pair/samples.csv"), place.text("raw/samples.csv"));
    for (two, three) in [("r", "r_13"), ("u2", "u3_13"), ("i12", "i13")] {
        assert_eq!(column(&pair, two), column(&raw, three), "{two}");
    }
}

#[test]
fn what_is_of_two_modalities_is_refused_for_more() {
    let place = Place::new();
    place.write("three.safetensors", three());
    for option in ["--null 9", "--check", "--measure mmi", "--rare pool", "--names a,b", "--scale-logits"] {
        let refused = place.lsmi(&format!("analyze three.safetensors --out made {option}")).code(2);
        let name = option.split(" 9").next().unwrap_or_default();
        let name = name.trim_end_matches(" a,b").trim_end_matches(" pool");
        assert!(stderr(&refused).contains(&format!("{name} is of two modalities")), "{}", stderr(&refused));
        assert!(stderr(&refused).contains("--modalities x1,x2"), "{}", stderr(&refused));
    }
    assert!(!place.path("made").exists());
    place.lsmi("analyze three.safetensors --modalities x1,x2 --lattice --out made").code(2);
    let scored = place.lsmi("analyze three.safetensors --modalities x1,x2 --folds 2 --repeats 1 --out two").success();
    assert!(stderr(&scored).contains("x3 is in the file but was not used"), "{}", stderr(&scored));
}

#[test]
fn new_rows_are_scored_as_an_analysis_scores_them() {
    let place = Place::new();
    let test = of_split(&["x1_test", "x2_test", "x3_test", "y_test"]);
    let mut both = of_split(&["x1_train", "x2_train", "x3_train", "y_train"]);
    both.extend(test);
    place.write("both.safetensors", safetensors(&both));
    place.write("three.safetensors", three());
    let options = "--folds 2 --measures ccs,mmi --quiet";
    place.lsmi(&format!("analyze both.safetensors {options} --out whole")).success();
    place.lsmi(&format!("analyze three.safetensors {options} --eval three.safetensors --out apart")).success();
    assert_eq!(place.bytes("apart/estimator.safetensors"), place.bytes("whole/estimator.safetensors"));
    let whole = lines_of(&place.text("whole/samples.csv"), "test");
    assert_eq!(whole.len(), 91);
    assert_eq!(lines_of(&place.text("apart/samples.csv"), "eval"), whole);
    let columns: Vec<&str> = whole[0].split(',').collect();
    assert!(columns.contains(&"{1}{2}{3}_ccs") && columns.contains(&"r_12_mmi"), "{columns:?}");

    let score = "score both.safetensors --estimator whole/estimator.safetensors --measures ccs,mmi";
    let shown = place.lsmi(&format!("{score} --out new.csv --json")).success();
    assert!(stderr(&shown).contains("the split `train` is not scored"), "{}", stderr(&shown));
    assert_eq!(lines_of(&place.text("new.csv"), "test"), whole);
    let (scored, analysed): (serde_json::Value, _) =
        (serde_json::from_str(&stdout(&shown)).unwrap(), place.json("whole/summary.json"));
    assert_eq!(scored["splits"]["test"], analysed["splits"]["test"]);
    assert_eq!(scored["data_hash"], analysed["data_hash"]);
    // The rows of the fit by themselves, under other names and in another format.
    place.write("named.safetensors", safetensors(&of_split(&["a", "b", "c", "y"])));
    let score = "score named.safetensors --estimator whole/estimator.safetensors --modalities a,b,c";
    let warned = place.lsmi(&format!("{score} --out named.parquet")).success();
    assert!(stderr(&warned).contains("these are the rows that the estimator was fitted on"), "{}", stderr(&warned));
    assert!(place.bytes("named.parquet").starts_with(b"PAR1"));
}

#[test]
fn rows_that_an_estimator_of_three_modalities_cannot_score_are_refused() {
    let place = Place::new();
    place.write("three.safetensors", three());
    place.lsmi("analyze three.safetensors --folds 2 --out made --quiet").success();
    let refused = |file: &str, options: &str, code: i32| {
        let words = format!("score {file} --estimator made/estimator.safetensors --out new.csv {options}");
        let shown = stderr(&place.lsmi(&words).code(code));
        assert!(!place.path("new.csv").exists(), "{words}");
        shown
    };
    let changed = |name: &str, change: &dyn Fn(&mut BTreeMap<&str, Array>)| {
        let mut of = arrays();
        change(&mut of);
        place.write(name, safetensors(&of));
    };
    changed("two.safetensors", &|of| drop(of.remove("x3")));
    assert!(refused("two.safetensors", "", 3).contains("`x3`"));
    changed("wide.safetensors", &|of| drop(of.insert("x3", matrix(3, &[0.5; 270]))));
    let wide = refused("wide.safetensors", "", 3);
    assert!(wide.contains("wide.safetensors") && wide.contains("x3") && wide.contains('3'), "{wide}");
    changed("classes.safetensors", &|of| drop(of.insert("y", integers(&[7; 90]))));
    assert!(refused("classes.safetensors", "", 3).contains('7'));
    for (options, expected) in [
        ("--modalities x1,x2", "--modalities names 2, and the estimator was fitted on 3"),
        ("--keys x1,x3,y", "--modalities"),
        ("--label-free", "--label-free is not there for"),
        ("--shard 1/2", "--shard is not there for"),
        ("--names a,b", "--names is not there for"),
    ] {
        let shown = refused("three.safetensors", options, 2);
        assert!(shown.contains(expected), "{options}: {shown}");
    }
    // Neither kind is taken for the other.
    let mixed = place.lsmi("fit two.safetensors --folds 2 --knife-from made/estimator.safetensors --out e").code(3);
    assert!(stderr(&mixed).contains("is an estimator of more than two modalities"), "{}", stderr(&mixed));
    place.lsmi("fit two.safetensors --folds 2 --out e.safetensors --quiet").success();
    let words = "score three.safetensors --estimator e.safetensors --modalities x1,x2,x3 --out new.csv";
    assert!(stderr(&place.lsmi(words).code(2)).contains("the estimator is of two"));
    let cut = &place.bytes("made/estimator.safetensors")[..5000];
    place.write("made/estimator.safetensors", cut);
    assert!(refused("three.safetensors", "", 3).contains("fit the estimator again"));
}
