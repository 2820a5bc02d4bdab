//! Damaged files for every reader that the command has beside those of the libraries: whatever their bytes are, they are
//! read or refused.
//!
//! `LSMI_READER=summary LSMI_RUNS=1000000 cargo test -p lsmi-cli --bins damaged_files` makes so many runs of one reader, see
//! `docs/fuzzing.md`.

mod kinds;
#[path = "../../../fuzz/mutate.rs"]
mod mutate;

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use arrow_array::{Int64Array, RecordBatch, StringArray};
use lsmi_candle::embedding::encoders::Modality;
use lsmi_candle::embedding::pipeline::table::{Columns, InputColumn, OptionalColumn, Table};
use lsmi_candle::features::Missing;
use lsmi_core::random::stream;
use parquet::arrow::ArrowWriter;
use rand::Rng;

use crate::arguments::configuration;
use crate::discrete;
use crate::report::Report;
use lsmi_candle::analysis::diff::{Compared, Side};
use lsmi_candle::analysis::ratings::read_ratings;
use lsmi_candle::samples::read::read_column;

/// Runs of each reader where the environment names no other number.
const RUNS: u64 = 200;

const SUMMARY: &[u8] = include_bytes!("summary.json");
const SAMPLES: &[u8] = include_bytes!("samples.csv");
const JSONL: &[u8] = br#"{"id":"a","split":"train","label":"0","h1":0.1,"i1":0.2,"i2":-1e-300,"i12":0.3,"r":1,"u1":0,"u2":0.5,"s":2,"kind":"redundant"}
{"id":"b","split":"eval","label":"1","h1":0.1,"i1":0.2,"i2":0.1,"i12":0.3,"r":1,"u1":0,"u2":0.5,"s":2,"kind":"synergistic"}
"#;
const TABLE_CSV: &[u8] =
    b"id,image,text,label\n1,a.png,\"a red, round thing\",cat\n2,b/c.png,\xc3\xa9,dog\n3,d.png,,cat\n";
const TABLE_JSONL: &[u8] =
    b"{\"id\":1,\"image\":\"a.png\",\"text\":\"a \\\"red\\\" thing\",\"label\":\"cat\"}\n\n{\"id\":2,\"image\":\"b.png\",\"text\":\"\\u00e9\",\"label\":7}\n";
const RATINGS_CSV: &[u8] = b"id,rater,redundancy,u1,synergy\na,1,0.5,1,\na,2,1.5,2,3\nb,1,-1e3,0,0\n";
const RATINGS_JSONL: &[u8] =
    b"{\"class\":\"cat\",\"redundancy\":1,\"uniqueness\":null}\n{\"class\":\"dog\",\"redundancy\":2.5,\"uniqueness\":1}\n";
const PROBABILITIES: &[u8] = br#"{"pmf": {"000": 0.25, "011": 0.25, "101": 0.25, "110": 0.25}}"#;
const COUNTS: &[u8] = br#"{"counts": [["a", "x", "p", 3], ["a", "y", "q", 1], ["b", "y", "p", 12]]}"#;
const ROWS: &[u8] = b"x1,x2,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n";
const CONFIGURATION: &[u8] = b"out = \"result\"\nfolds = 3\nseed = 7\nquiet = true\nmeasures = [\"pm\", \"ccs\"]\n";

/// A reader, the files that it reads whole, and the name that they have.
struct Reader {
    name: &'static str,
    file: &'static str,
    files: Vec<Vec<u8>>,
    /// Files beside it that are whole.
    beside: Vec<(&'static str, Vec<u8>)>,
    accepts: fn(&Path) -> bool,
}

fn readers() -> Vec<Reader> {
    let reader = |name, file, files: &[&[u8]], accepts| Reader {
        name,
        file,
        files: files.iter().map(|bytes| bytes.to_vec()).collect(),
        beside: vec![("samples.csv", SAMPLES.to_vec()), ("summary.json", SUMMARY.to_vec())],
        accepts,
    };
    // The page of an analysis of another kind, by its summary or its samples.
    let page = |name, file, files: &[&[u8]], beside| Reader { beside, ..reader(name, file, files, report) };
    let (several, of_several) = (kinds::several(), kinds::several_samples());
    let (continuous, of_continuous) = (kinds::continuous(), kinds::continuous_samples());
    vec![
        page("report_of_several", "summary.json", &[&several], vec![("samples.csv", of_several.clone())]),
        page("report_of_samples_of_several", "samples.csv", &[&of_several], vec![("summary.json", several.clone())]),
        page("report_of_labels", "summary.json", &[&kinds::labels()], Vec::new()),
        page("report_of_continuous", "summary.json", &[&continuous], vec![("samples.csv", of_continuous.clone())]),
        page(
            "report_of_samples_of_continuous",
            "samples.csv",
            &[&of_continuous],
            vec![("summary.json", continuous.clone())],
        ),
        page("report_of_lags", "summary.json", &[&kinds::lags()], Vec::new()),
        reader("samples_csv", "samples.csv", &[SAMPLES], samples),
        reader("samples_jsonl", "samples.jsonl", &[JSONL], samples),
        reader("samples_parquet", "samples.parquet", &[&samples_parquet()], samples),
        reader("summary", "summary.json", &[SUMMARY], |path| {
            let side = Side::read(beside(path), Some("train"));
            side.is_ok_and(|side| Compared::new(&side, &side).diff(0).is_ok())
        }),
        reader("report_of_summary", "summary.json", &[SUMMARY], report),
        reader("report_of_samples", "samples.csv", &[SAMPLES], report),
        reader("table_csv", "table.csv", &[TABLE_CSV], table),
        reader("table_jsonl", "table.jsonl", &[TABLE_JSONL], table),
        reader("table_parquet", "table.parquet", &[&table_parquet()], table),
        reader("ratings_csv", "ratings.csv", &[RATINGS_CSV], |path| read_ratings(path).is_ok()),
        reader("ratings_jsonl", "ratings.jsonl", &[RATINGS_JSONL], |path| read_ratings(path).is_ok()),
        reader("distribution_json", "joint.json", &[PROBABILITIES, COUNTS], |path| {
            discrete::read(path, Missing::Refuse).is_ok()
        }),
        reader("distribution_csv", "joint.csv", &[ROWS], |path| discrete::read(path, Missing::Refuse).is_ok()),
        reader("configuration", "lsmi.toml", &[CONFIGURATION], |path| {
            let words = ["lsmi", "analyze", "data.npz", "--config"].map(OsString::from);
            configuration::parse(&[&words[..], &[path.into()]].concat()).is_ok()
        }),
    ]
}

fn beside(path: &Path) -> &Path {
    path.parent().unwrap()
}

fn report(path: &Path) -> bool {
    Report::new(beside(path), None).is_ok()
}

fn samples(path: &Path) -> bool {
    let column = read_column(path, "s", None, true);
    let side = Side::read(path, Some("train"));
    if let Ok(side) = &side {
        assert!(side.values.iter().all(|values| values.len() == side.ids.len()));
    }
    side.is_ok() && column.is_ok()
}

fn table(path: &Path) -> bool {
    let input = |name: &str, modality| InputColumn { name: name.to_owned(), modality };
    let optional = |name: &str| OptionalColumn { name: name.to_owned(), is_needed: false };
    let columns = Columns {
        inputs: vec![input("image", Modality::Image), input("text", Modality::Text)],
        label: optional("label"),
        id: optional("id"),
    };
    Table::open(path, columns, Missing::Refuse).is_ok_and(|mut rows| rows.all(|row| row.is_ok()))
}

fn parquet(columns: Vec<(&str, arrow_array::ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn samples_parquet() -> Vec<u8> {
    let texts = |texts: [&str; 3]| Arc::new(StringArray::from_iter_values(texts)) as arrow_array::ArrayRef;
    let numbers = || Arc::new(arrow_array::Float64Array::from(vec![0.5, -1e300, 0.0])) as arrow_array::ArrayRef;
    let mut columns = vec![
        ("id", texts(["a", "é", "c"])),
        ("split", texts(["train", "eval", "train"])),
        ("label", texts(["0", "1", "1"])),
    ];
    columns.extend(["i1", "i2", "i12", "r", "u1", "u2", "s"].map(|name| (name, numbers())));
    parquet(columns)
}

fn table_parquet() -> Vec<u8> {
    let texts = |texts: [Option<&str>; 4]| Arc::new(StringArray::from_iter(texts)) as arrow_array::ArrayRef;
    parquet(vec![
        ("id", Arc::new(Int64Array::from(vec![1, 2, 3, 4]))),
        ("image", texts([Some("a.png"), Some("b.png"), Some("c.png"), None])),
        ("text", texts([Some("a thing"), Some("é"), None, Some("a thing")])),
        ("label", texts([Some("cat"), Some("dog"), Some("cat"), Some("cat")])),
    ])
}

/// How many of so many damaged files are still read, after one of each that is whole.
fn hammer(reader: &Reader, runs: u64) -> u64 {
    let place = tempfile::tempdir().unwrap();
    // A report is of both; the other readers look at their own file only.
    if reader.name.starts_with("report") || reader.name == "summary" {
        for (name, bytes) in &reader.beside {
            fs::write(place.path().join(name), bytes).unwrap();
        }
    }
    let path = place.path().join(reader.file);
    for whole in &reader.files {
        fs::write(&path, whole).unwrap();
        assert!((reader.accepts)(&path), "{}", reader.name);
    }
    let mut random = stream(0, reader.name);
    let mut accepted = 0;
    for _ in 0..runs {
        let mut bytes = reader.files[random.random_range(0..reader.files.len())].clone();
        let other = &reader.files[random.random_range(0..reader.files.len())];
        mutate::mutate(&mut random, &mut bytes, other);
        fs::write(&path, bytes).unwrap();
        accepted += u64::from((reader.accepts)(&path));
    }
    accepted
}

#[test]
#[expect(clippy::print_stderr, reason = "the figures of a long run")]
fn damaged_files_are_read_or_refused() {
    let runs = std::env::var("LSMI_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(RUNS);
    let wanted = std::env::var("LSMI_READER").ok();
    for reader in readers() {
        if wanted.as_ref().is_some_and(|wanted| wanted != reader.name) {
            continue;
        }
        let begun = Instant::now();
        let accepted = hammer(&reader, runs);
        assert!(accepted > 0 && accepted < runs, "{}: {accepted} of {runs}", reader.name);
        eprintln!(
            "| {} | {} | {runs} | 0 | {accepted} | {:.0} s |",
            reader.name,
            reader.files.len(),
            begun.elapsed().as_secs_f64()
        );
    }
}
