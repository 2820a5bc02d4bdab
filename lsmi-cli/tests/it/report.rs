//! The report from outside: what is in it, that it says what the files say, and that names in the data stay names.

use std::sync::Arc;

use arrow_array::types::Float64Type;
use arrow_array::{ArrayRef, FixedSizeListArray, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use serde_json::Value;

use crate::place::{Place, rows, stderr, stdout};

/// A number of a page: its place in the JSON file, its value, and what is shown.
pub(crate) struct Number {
    pub(crate) field: String,
    pub(crate) value: String,
    pub(crate) shown: String,
}

/// Every number of a page that stands in a JSON file.
pub(crate) fn numbers(page: &str) -> Vec<Number> {
    let unescaped = |text: &str| {
        text.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&amp;", "&")
    };
    let between = |text: &str, start: &str, end: &str| {
        let rest = text.split(start).nth(1).unwrap();
        unescaped(rest.split(end).next().unwrap())
    };
    let found = page
        .split("data-value=")
        .skip(1)
        .filter(|rest| rest.split('>').next().is_some_and(|attributes| attributes.contains("data-field=")));
    found
        .map(|rest| Number {
            value: between(rest, "\"", "\""),
            field: between(rest, "data-field=\"", "\""),
            shown: between(rest, ">", "<"),
        })
        .collect()
}

/// Numbers are those of the JSON file, to the last digit, and shown rounded.
pub(crate) fn check_numbers(numbers: &[Number], summary: &Value) {
    for Number { field, value, shown } in numbers {
        let expected = summary.pointer(field).unwrap_or_else(|| panic!("{field} is not in the file"));
        let (expected, value): (f64, f64) = (expected.as_f64().unwrap(), value.parse().unwrap());
        assert_eq!(value.to_bits(), expected.to_bits(), "{field}");
        let digits: String = shown.chars().filter(|c| !c.is_whitespace() && !"%<".contains(*c)).collect();
        let scale = if shown.contains('%') { 100.0 } else { 1.0 };
        // Half of the last decimal that is shown; p-values below .001 are shown as that.
        let tolerance = if shown.contains('<') {
            0.001
        } else if shown.contains('%') {
            0.0501
        } else {
            0.000_501
        };
        assert!((digits.parse::<f64>().unwrap() - scale * value).abs() <= tolerance, "{field}: {shown} for {value}");
    }
}

/// An analysis with everything that a report can show, in `result`.
pub(crate) fn full(place: &Place) {
    place.simulate("mixed --n 240 --dims 3", "train.safetensors");
    place.simulate("mixed --n 100 --dims 3 --seed 1", "eval.safetensors");
    let options = "--measures pm,sx,mmi,ccs,min --null 3 --folds 2 --check --rows 150 --names picture,caption";
    place
        .lsmi(&format!(
            "analyze train.safetensors --eval eval.safetensors --eval eval.safetensors {options} --out result"
        ))
        .success();
}

#[test]
fn the_report_says_what_the_summary_says() {
    let place = Place::new();
    full(&place);
    let page = place.text("result/report.html");
    let summary = place.json("result/summary.json");
    let numbers = numbers(&page);
    check_numbers(&numbers, &summary);
    let has = |field: &str| numbers.iter().any(|number| number.field == field);
    for split in ["train", "eval", "eval2"] {
        for part in ["r", "u1", "u2", "s"] {
            for path in ["raw", "adjusted", "measures/ccs/raw", "diagnostics/gauge/points/0"] {
                assert!(has(&format!("/splits/{split}/{path}/{part}")), "{split} {path} {part}");
            }
            assert!(has(&format!("/splits/{split}/intervals/raw/{part}/upper")), "{split} {part}");
        }
        assert!(has(&format!("/splits/{split}/calibration/joint/expected_calibration_error")));
        assert!(has(&format!("/splits/{split}/by_class/1/accuracy/x2")));
    }
    for field in ["/splits/train/null/s/p", "/splits/train/null/s_minus_r/mean", "/gates/0/figure", "/seed"] {
        assert!(has(field), "{field}");
    }
    // The answer comes first, in the words of the terminal.
    let answer = page.find("that picture and caption together tell about the label").unwrap();
    assert!(answer < page.find("<table").unwrap());
    for words in ["caption alone", "power", "--names picture,caption", "Splits beside each other"] {
        assert!(page.contains(words), "{words}");
    }
    let figures = place.names("result/figures");
    assert!(
        figures.contains(&"splits.svg".to_owned()) && figures.contains(&"eval2-u1-u2.svg".to_owned()),
        "{figures:?}"
    );
    for figure in &figures {
        let text = place.text(&format!("result/figures/{figure}"));
        assert!(text.starts_with("<svg xmlns=") && !text.contains("var(") && !text.contains("NaN"), "{figure}");
    }
    assert_eq!(page.matches("<svg").count(), figures.len());
}

#[test]
fn nothing_is_loaded_from_anywhere() {
    let place = Place::new();
    place.simulate("copy1 --n 80 --dims 2", "data.safetensors");
    place.lsmi("analyze data.safetensors --out result --quiet").success();
    let page = place.text("result/report.html");
    for address in ["http:", "https:", "url(", "@import", "src=\"", "srcset", "<link rel=\"stylesheet"] {
        assert!(!page.contains(address), "{address}");
    }
    assert!(page.contains("content=\"default-src 'none';"));
}

#[test]
fn the_same_files_give_the_same_report() {
    let place = Place::new();
    place.simulate("or --n 120 --dims 2", "data.safetensors");
    let analyze = place.lsmi("analyze data.safetensors --out result").success();
    assert!(stderr(&analyze).trim_end().ends_with("report: result/report.html"), "{}", stderr(&analyze));
    let (page, names) = (place.bytes("result/report.html"), place.names("result/figures"));
    // A report may be replaced by another, and other files of the name may not.
    let again = place.lsmi("report result --json").success();
    assert_eq!(stdout(&again).parse::<Value>().unwrap()["report"], "result/report.html");
    assert_eq!(page, place.bytes("result/report.html"));
    assert_eq!(names, place.names("result/figures"));
    place.write("result/report.html", "mine");
    assert!(stderr(&place.lsmi("report result").code(2)).contains("--force"));
    assert_eq!(place.text("result/report.html"), "mine");
    place.lsmi("report result --force").success();
    assert_eq!(page, place.bytes("result/report.html"));
}

#[test]
fn other_formats_give_the_same_report() {
    let place = Place::new();
    place.simulate("or --n 120 --dims 2", "data.safetensors");
    // What differs from run to run left out.
    let body = |name: &str| {
        let page = place.text(&format!("{name}/report.html"));
        page[..page.find("How it was made</h2>").unwrap()].to_owned()
    };
    for format in ["csv", "jsonl", "parquet"] {
        place.lsmi(&format!("analyze data.safetensors --format {format} --quiet --out {format}")).success();
    }
    assert_eq!(body("csv"), body("jsonl"));
    assert_eq!(body("csv"), body("parquet"));
}

#[test]
fn no_report_is_written_where_none_is_wanted() {
    let place = Place::new();
    place.simulate("or --n 120 --dims 2", "data.safetensors");
    place.lsmi("analyze data.safetensors --out result").success();
    assert!(place.path("result/report.html").exists());
    // One of an earlier run would say something else than the files.
    place.lsmi("analyze data.safetensors --no-report --seed 1 --force --out result").success();
    assert!(!place.path("result/report.html").exists() && !place.path("result/figures").exists());
}

#[test]
fn what_an_earlier_run_left_is_removed_and_nothing_else() {
    let place = Place::new();
    place.simulate("or --n 60 --dims 2", "data.safetensors");
    place.simulate("or --n 40 --dims 2 --seed 1", "eval.safetensors");
    let analyze = |options: &str| {
        place.lsmi(&format!("analyze data.safetensors --folds 2 {options} --force --quiet --out result")).success();
    };
    let names = || (place.names("result"), place.names("result/figures"));
    analyze("");
    let (of_one, figures_of_one) = names();
    // A run with more splits and another format, beside files of somebody else.
    place.write("result/figures/mine.svg", "<svg></svg>");
    place.write("result/figures/eval-classes.svg", "mine, and replaced");
    place.write("result/mine.html", "mine");
    analyze("--eval eval.safetensors --format jsonl");
    assert!(place.path("result/figures/eval-means.svg").exists() && !place.path("result/samples.csv").exists());
    analyze("");
    let (all, figures) = names();
    assert_eq!(all.iter().filter(|name| *name != "mine.html").collect::<Vec<_>>(), of_one.iter().collect::<Vec<_>>());
    let others: Vec<_> = figures.iter().filter(|name| *name != "mine.svg").collect();
    assert_eq!(others, figures_of_one.iter().collect::<Vec<_>>());
    // A page that is not ours is nothing to remove, a format that is not wanted neither.
    place.write("result/report.html", "mine");
    place.write("result/samples.parquet", "mine");
    analyze("--no-report");
    assert_eq!(place.text("result/report.html"), "mine");
    assert_eq!(place.text("result/samples.parquet"), "mine");
    assert_eq!(place.names("result/figures"), ["mine.svg"]);
}

/// A feature file whose classes and ids are these names.
fn named(classes: [&str; 2], ids: &str) -> Vec<u8> {
    let features = |step: usize| -> ArrayRef {
        // Not random, but no two rows alike, and told by both modalities.
        let value = |row: usize, column: usize| ((row * step + column * 13) % 29) as f64 / 29.0 + (row % 2) as f64;
        let rows = (0..60).map(|row| Some([0, 1].map(|column| Some(value(row, column)))));
        Arc::new(FixedSizeListArray::from_iter_primitive::<Float64Type, _, _>(rows, 2))
    };
    let texts = |of: &dyn Fn(usize) -> String| -> ArrayRef { Arc::new(StringArray::from_iter_values((0..60).map(of))) };
    let batch = RecordBatch::try_from_iter([
        ("x1", features(7)),
        ("x2", features(11)),
        ("y", texts(&|row| classes[row % 2].to_owned())),
        ("id", texts(&|row| format!("{ids}{row}"))),
    ])
    .unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

#[test]
fn hostile_names_stay_names() {
    let place = Place::new();
    let attack = "</script><script>alert(1)</script>&amp;\"'\u{1b}[2J\u{9b}{{ 7*7 }}";
    place.write("data.parquet", named([attack, "<img/src=x\u{7}onerror=alert(2)>"], attack));
    let names = "<b>one</b>,\"two\u{1b}[31m";
    let analyze = place.lsmi(&format!("analyze data.parquet --names {names} --out result")).success();
    assert!(!stderr(&analyze).chars().any(|c| c.is_control() && c != '\n'), "{}", stderr(&analyze));
    let page = place.text("result/report.html");
    for markup in ["<script>alert", "<img/src", "<b>one", "\"two", "&amp;\"'"] {
        assert!(!page.contains(markup), "{markup}");
    }
    assert!(!page.chars().any(|c| c.is_control() && c != '\n'));
    assert!(page.contains("{{ 7*7 }}") && page.contains("&lt;img/src=x\\u{7}onerror=alert(2)&gt;"));
    assert_eq!(page.matches("<script").count(), 1);
    // Control characters are shown in addresses, too, and not what they are.
    let (hostile, others): (Vec<Number>, Vec<Number>) =
        numbers(&page).into_iter().partition(|number| number.field.contains("\\u{"));
    assert!(!hostile.is_empty() && others.len() > 100);
    check_numbers(&others, &place.json("result/summary.json"));
    for figure in place.names("result/figures") {
        let text = place.text(&format!("result/figures/{figure}"));
        assert!(!text.contains("<script") && !text.chars().any(|c| c.is_control() && c != '\n'), "{figure}");
    }
}

#[test]
fn samples_are_what_a_table_says() {
    let place = Place::new();
    place.write("data.parquet", named(["cat", "dog"], "s"));
    place.lsmi("analyze data.parquet --quiet --out result").success();
    // A picture of one pixel.
    let png: &[u8] = &[
        137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0, 144, 119,
        83, 222, 0, 0, 0, 12, 73, 68, 65, 84, 8, 215, 99, 248, 207, 192, 0, 0, 3, 1, 1, 0, 24, 221, 141, 176, 0, 0, 0,
        0, 73, 69, 78, 68, 174, 66, 96, 130,
    ];
    place.write("red.png", png);
    let row = |row: usize| {
        let image = if row.is_multiple_of(2) { "red.png" } else { "none.png" };
        format!("s{row},{image},<i>sample {row}</i>")
    };
    let table: Vec<String> = (0..59).map(row).collect();
    place.write("table.csv", format!("id,image,text\n{}\n", table.join("\n")));
    let report = place.lsmi("report result --table table.csv").success();
    let page = place.text("result/report.html");
    assert!(page.contains("&lt;i&gt;sample 7&lt;/i&gt;") && !page.contains("<i>"));
    let pictures = page.matches("src=\"data:image/jpeg;base64,").count();
    assert!((1..=20).contains(&pictures) && page.matches("src=\"").count() == pictures, "{pictures}");
    let shown = stderr(&report);
    assert!(shown.contains("is not shown: none.png") && shown.contains("1 of 60 samples shown are not in"), "{shown}");
    let refused = place.lsmi("report result --table table.csv --text-column title").code(3);
    assert!(stderr(&refused).contains("no column `title`"), "{}", stderr(&refused));
    place.lsmi("report result --text-column title").code(2);
    assert_eq!(page, place.text("result/report.html"));
}

#[test]
#[cfg(unix)]
fn links_out_of_the_tables_directory_need_leave() {
    let place = Place::new();
    place.write("data.parquet", named(["cat", "dog"], "s"));
    place.lsmi("analyze data.parquet --quiet --no-report --out result").success();
    std::fs::create_dir(place.path("inside")).unwrap();
    place.write("secret.png", "secret");
    std::os::unix::fs::symlink(place.path("secret.png"), place.path("inside/link.png")).unwrap();
    let rows: Vec<String> = (0..60).map(|row| format!("s{row},link.png")).collect();
    place.write("inside/table.csv", format!("id,image\n{}\n", rows.join("\n")));
    let shown = stderr(&place.lsmi("report result --table inside/table.csv").success());
    assert!(shown.contains("leads out of the table's directory"), "{shown}");
    let shown = stderr(&place.lsmi("report result --table inside/table.csv --follow-links").success());
    assert!(shown.contains("a PNG, JPEG or WebP picture"), "{shown}");
}

#[test]
fn folders_that_are_none() {
    let place = Place::new();
    std::fs::create_dir(place.path("empty")).unwrap();
    for words in ["report empty", "report nowhere"] {
        let refused = place.lsmi(words).code(3);
        assert!(stderr(&refused).contains("there is no summary.json"), "{words}: {}", stderr(&refused));
    }
    assert!(!place.path("nowhere").exists());
    place.simulate("or --n 120 --dims 2", "data.safetensors");
    place.lsmi("analyze data.safetensors --no-report --out result --quiet").success();
    let samples = place.text("result/samples.csv");
    place.write("result/samples.csv", samples.lines().take(100).collect::<Vec<_>>().join("\n"));
    let refused = place.lsmi("report result").code(3);
    assert!(stderr(&refused).contains("has 99 samples, but 120 by summary.json"), "{}", stderr(&refused));
    place.write("result/samples.csv", samples.replacen(",redundant", ",redundand", 1));
    let refused = place.lsmi("report result").code(3);
    assert!(stderr(&refused).contains("`kind` is `redundand` at row"), "{}", stderr(&refused));
    place.write("result/samples.csv", samples.replacen("0,train", "0,trian", 1));
    let refused = place.lsmi("report result").code(3);
    assert!(stderr(&refused).contains("`split` is `trian` at row 0"), "{}", stderr(&refused));
    assert_eq!(rows(&samples).len(), 120);
    place.write("result/summary.json", "{}");
    assert!(stderr(&place.lsmi("report result").code(3)).contains("run the analysis again"));
    assert_eq!(
        place.names("result"),
        ["config.toml", "estimator.safetensors", "made.json", "samples.csv", "summary.json"]
    );
}
