//! Tables and single arrays as data, metadata columns in the samples, and names that would command the terminal.

use std::fmt::Write;

use crate::place::{Place, rows, stderr};

/// Sixty samples of two classes as a table, with columns that no analysis looks at.
fn table(head: &str, tail: impl Fn(usize) -> String) -> String {
    let spread = |row: usize, column: usize| ((row * 7 + column * 13) % 29) as f64 / 29.0 + (row % 2) as f64;
    let mut text = format!("{head}x1_0,x1_1,x2_0,y,path,label,n\n");
    for row in 0..60 {
        let [a, b, c] = [0, 1, 2].map(|column| spread(row, column));
        let class = ["cat", "dog"][row % 2];
        let _ = writeln!(text, "{}{a},{b},{c},{class},\"{row},é.png\",mine,{}", tail(row), row * row);
    }
    text
}

#[test]
fn metadata_columns_come_back() {
    let place = Place::new();
    place.write("train.csv", table("", |_| String::new()));
    // Another file, with a column more and one less.
    let test = table("sharp,", |row| format!("{},", ["true", "false"][row % 2])).replace(",n\n", ",m\n");
    place.write("test.csv", test);
    for format in ["csv", "jsonl", "parquet"] {
        let words = format!("analyze train.csv --eval test.csv --folds 2 --format {format} --out {format}");
        place.lsmi(&words).success();
    }
    let text = place.text("csv/samples.csv");
    assert!(text.lines().next().unwrap().ends_with(",pred12,kind,path,input_label,n,sharp,m"), "{text}");
    let found = rows(&text);
    assert_eq!((found[7]["path"].as_str(), found[7]["input_label"].as_str()), ("7,é.png", "mine"));
    assert_eq!((found[7]["n"].as_str(), found[7]["sharp"].as_str(), found[7]["m"].as_str()), ("49", "", ""));
    assert_eq!((found[67]["n"].as_str(), found[67]["sharp"].as_str(), found[67]["m"].as_str()), ("", "false", "49"));
    let line = place.text("jsonl/samples.jsonl");
    let line = line.lines().nth(67).unwrap();
    assert!(line.ends_with(r#""path":"7,é.png","input_label":"mine","n":null,"sharp":"false","m":49}"#), "{line}");
    // What was written as Parquet is itself a table with these columns.
    let scores = "score test.csv --estimator csv/estimator.safetensors";
    place.lsmi(&format!("{scores} --out whole.csv")).success();
    place.lsmi(&format!("{scores} --rows-of-a-group 16 --out parts.csv")).success();
    assert_eq!(place.text("whole.csv"), place.text("parts.csv"));
    place.lsmi(&format!("{scores} --label-free --out free.csv")).success();
    assert_eq!(rows(&place.text("free.csv"))[7]["m"], "49");
}

#[test]
fn a_column_names_the_splits() {
    let place = Place::new();
    place.write("data.csv", table("split,", |row| format!("{},", if row < 40 { "train" } else { "test" })));
    place.lsmi("analyze data.csv --folds 2 --out result").success();
    let found = rows(&place.text("result/samples.csv"));
    assert_eq!(found.iter().filter(|row| row["split"] == "test").count(), 20);
    let last = found.last().unwrap();
    assert_eq!((last["id"].as_str(), last["path"].as_str()), ("59", "59,é.png"));
}

/// What `numpy.save` writes.
fn npy(columns: usize, values: &[f64]) -> Vec<u8> {
    let header =
        format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({}, {columns}), }}\n", values.len() / columns);
    npy_of(&header, &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>())
}

fn npy_of(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
    bytes.extend(header.bytes());
    bytes.extend(data);
    bytes
}

#[test]
fn an_array_a_file() {
    let place = Place::new();
    let spread = |row: usize, column: usize| ((row * 7 + column * 13) % 29) as f64 / 29.0 + (row % 2) as f64;
    let values = |columns: usize| -> Vec<f64> {
        (0..60).flat_map(|row| (0..columns).map(move |column| spread(row, column))).collect()
    };
    place.write("a.npy", npy(2, &values(2)));
    place.write("b.npy", npy(1, &values(1)));
    let labels: Vec<u8> = (0..60).map(|row| row % 2).collect();
    place.write("c.npy", npy_of("{'descr': '|u1', 'fortran_order': False, 'shape': (60,), }", &labels));
    let files = "--x1 a.npy --x2 b.npy --y c.npy";
    place.lsmi(&format!("analyze {files} --folds 2 --out result")).success();
    place.lsmi(&format!("fit {files} --folds 2 --out e.safetensors")).success();
    assert_eq!(place.bytes("e.safetensors"), place.bytes("result/estimator.safetensors"));
    place.lsmi(&format!("score {files} --estimator e.safetensors --out new.csv")).success();
    place.lsmi("score --x1 a.npy --x2 b.npy --estimator e.safetensors --label-free --out free.csv").success();
    place.lsmi(&format!("check {files} --folds 2")).success();
    place.lsmi(&format!("compare {files} --methods lsmi --folds 2")).success();
    let refused = place.lsmi("analyze a.npy --out other").code(3);
    assert!(stderr(&refused).contains("a.npy: holds one array; name one file for each"), "{}", stderr(&refused));
    place.lsmi("analyze --x1 a.npy --x2 b.npy --out other").code(2);
}

#[test]
fn names_do_not_command_the_terminal() {
    let place = Place::new();
    let evil = "\u{1b}[2J\u{1b}]0;title\u{7}<script>alert(1)</script>";
    place.write("data.csv", table("", |_| String::new()).replace("cat", evil));
    let done = place.lsmi("analyze data.csv --folds 2 --out result").success();
    let shown = stderr(&done);
    assert!(!shown.contains('\u{1b}') && !shown.contains('\u{7}'), "{shown}");
    assert!(shown.contains("\\u{1b}[2J"), "{shown}");
    assert_eq!(rows(&place.text("result/samples.csv"))[0]["label"], evil);
    place.write("bad.csv", format!("{evil},y\n1,2\n"));
    let refused = place.lsmi("analyze bad.csv --out other").code(3);
    assert!(!stderr(&refused).contains('\u{1b}'), "{}", stderr(&refused));
}
