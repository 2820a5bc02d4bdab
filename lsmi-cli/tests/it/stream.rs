//! `score` from a stream: the same bytes as from memory, in shards, and again after an end.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use arrow_array::cast::AsArray;
use arrow_array::types::Float32Type;
use arrow_array::{ArrayRef, FixedSizeListArray, Int64Array, RecordBatch};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::place::{Array, Place, floats32, integers, safetensors, stderr, stdout};

const ROWS: usize = 500;
const SCORE: &str = "score --estimator e.safetensors --quiet";

/// What the files of a test hold.
struct Data {
    x: [Vec<f32>; 2],
    labels: Vec<i64>,
}

impl Data {
    /// Not random, but no two rows alike, and told by both modalities.
    fn new(rows: usize) -> Self {
        let label = |row: usize| i64::try_from(row % 3).unwrap();
        let value = |place: usize, row: usize| ((place * 37 + 11) % 101) as f32 / 50.0 + (row % 3) as f32;
        let features = |columns: usize| (0..rows * columns).map(|place| value(place, place / columns)).collect();
        Self { x: [features(2), features(3)], labels: (0..rows).map(label).collect() }
    }

    fn arrays(&self) -> BTreeMap<&'static str, Array> {
        BTreeMap::from([
            ("x1", floats32(2, &self.x[0])),
            ("x2", floats32(3, &self.x[1])),
            ("y", integers(&self.labels)),
        ])
    }

    fn safetensors(&self) -> Vec<u8> {
        safetensors(&self.arrays())
    }

    fn npz(&self, method: CompressionMethod) -> Vec<u8> {
        let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let mut add = |name: &str, kind: &str, shape: &str, bytes: Vec<u8>| {
            let mut header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({shape}), }}");
            header.push_str(&" ".repeat(63 - (header.len() + 10) % 64));
            header.push('\n');
            zip.start_file(format!("{name}.npy"), SimpleFileOptions::default().compression_method(method)).unwrap();
            zip.write_all(b"\x93NUMPY\x01\x00").unwrap();
            zip.write_all(&u16::try_from(header.len()).unwrap().to_le_bytes()).unwrap();
            zip.write_all(header.as_bytes()).unwrap();
            zip.write_all(&bytes).unwrap();
        };
        let rows = self.labels.len();
        for (name, columns, x) in [("x1", 2, &self.x[0]), ("x2", 3, &self.x[1])] {
            let bytes = x.iter().flat_map(|value| value.to_le_bytes()).collect();
            add(name, "<f4", &format!("{rows}, {columns}"), bytes);
        }
        add("y", "<i8", &format!("{rows},"), self.labels.iter().flat_map(|label| label.to_le_bytes()).collect());
        zip.finish().unwrap().into_inner()
    }

    fn parquet(&self) -> Vec<u8> {
        let lists = |columns: i32, x: &[f32]| -> ArrayRef {
            let rows = x.chunks(usize::try_from(columns).unwrap());
            let rows = rows.map(|row| Some(row.iter().copied().map(Some).collect::<Vec<_>>()));
            Arc::new(FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(rows, columns))
        };
        let batch = RecordBatch::try_from_iter([
            ("x1", lists(2, &self.x[0])),
            ("x2", lists(3, &self.x[1])),
            ("y", Arc::new(Int64Array::from(self.labels.clone())) as ArrayRef),
        ])
        .unwrap();
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
        // Row groups that are none of ours.
        for start in (0..batch.num_rows()).step_by(170) {
            writer.write(&batch.slice(start, 170.min(batch.num_rows() - start))).unwrap();
            writer.flush().unwrap();
        }
        writer.close().unwrap();
        bytes
    }
}

/// A place with an estimator and `data.safetensors`.
fn place() -> Place {
    let place = Place::new();
    place.write("train.safetensors", Data::new(90).safetensors());
    place.lsmi("fit train.safetensors --folds 2 --out e.safetensors --quiet").success();
    place.write("data.safetensors", Data::new(ROWS).safetensors());
    place
}

/// The rows of a file of samples in Parquet, column by column.
fn table(place: &Place, name: &str) -> RecordBatch {
    let file = File::open(place.path(name)).unwrap();
    let batches: Vec<RecordBatch> =
        ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap().map(Result::unwrap).collect();
    assert_eq!(batches.len(), 1);
    batches.into_iter().next().unwrap()
}

#[test]
fn the_bytes_are_those_of_memory_whatever_the_format() {
    let place = place();
    let data = Data::new(ROWS);
    place.write("stored.npz", data.npz(CompressionMethod::Stored));
    place.write("deflated.npz", data.npz(CompressionMethod::Deflated));
    place.write("data.parquet", data.parquet());
    for format in ["csv", "jsonl"] {
        place.lsmi(&format!("{SCORE} data.safetensors --out memory.{format}")).success();
        let expected = place.text(&format!("memory.{format}"));
        for name in ["data.safetensors", "stored.npz", "deflated.npz", "data.parquet"] {
            place.lsmi(&format!("{SCORE} {name} --force --out whole.{format}")).success();
            assert!(place.text(&format!("whole.{format}")) == expected, "{name} as a whole");
            for (group, threads) in [(64, 1), (99, 3), (10_000, 2)] {
                let words = format!("--force --rows-of-a-group {group} --threads {threads} --out stream.{format}");
                place.lsmi(&format!("{SCORE} {name} {words}")).success();
                assert!(place.text(&format!("stream.{format}")) == expected, "{name}, {group} rows at a time");
            }
        }
    }
    for (name, options) in [("memory", ""), ("stream", "--rows-of-a-group 64")] {
        place.lsmi(&format!("{SCORE} data.parquet {options} --out {name}.parquet")).success();
    }
    let (memory, stream) = (table(&place, "memory.parquet"), table(&place, "stream.parquet"));
    assert!(memory == stream);
    assert_eq!((memory.num_rows(), memory["kind"].null_count()), (ROWS, 0));
    assert_eq!(memory["id"].as_string::<i32>().value(499), "499");
    assert!(!place.names(".").iter().any(|name| name.ends_with(".partial")));
}

#[test]
fn measures_repeats_and_missing_labels_are_streamed_too() {
    let place = place();
    place.lsmi("fit train.safetensors --folds 2 --repeats 2 --out repeats.safetensors --quiet").success();
    for options in [
        "--estimator e.safetensors --label-free",
        "--estimator e.safetensors --measures sx,ccs,mmi,min",
        "--estimator repeats.safetensors --measures sx",
    ] {
        let score = format!("score data.safetensors {options} --quiet --force");
        place.lsmi(&format!("{score} --out memory.csv")).success();
        place.lsmi(&format!("{score} --out stream.csv --rows-of-a-group 150")).success();
        assert!(place.text("stream.csv") == place.text("memory.csv"), "{options}");
    }
    let refused = place
        .lsmi(&format!("{SCORE} data.safetensors --label-free --candidates c.csv --rows-of-a-group 9 --out a.csv"));
    assert!(stderr(&refused.code(2)).contains("--candidates are not written from a stream"));
}

#[test]
fn shards_one_after_the_other_are_the_whole() {
    let place = place();
    place.lsmi(&format!("{SCORE} data.safetensors --out whole.csv")).success();
    let mut joined = String::new();
    for shard in 1..=3 {
        place
            .lsmi(&format!("{SCORE} data.safetensors --rows-of-a-group 64 --shard {shard}/3 --out {shard}.csv"))
            .success();
        let text = place.text(&format!("{shard}.csv"));
        let (header, rows) = text.split_once('\n').unwrap();
        if shard == 1 {
            joined.push_str(header);
            joined.push('\n');
        }
        // 8 groups: two, three and three.
        assert_eq!(rows.lines().count(), [128, 192, 180][shard - 1]);
        joined.push_str(rows);
    }
    assert!(joined == place.text("whole.csv"));

    // More shards than groups: some have nothing but a header.
    for (name, expected) in [("none.csv", 1), ("none.jsonl", 0)] {
        place.lsmi(&format!("{SCORE} data.safetensors --rows-of-a-group 300 --shard 1/5 --out {name}")).success();
        assert_eq!(place.text(name).lines().count(), expected);
    }
    place.lsmi(&format!("{SCORE} data.safetensors --rows-of-a-group 300 --shard 1/5 --out none.parquet")).success();
    let empty = ParquetRecordBatchReaderBuilder::try_new(File::open(place.path("none.parquet")).unwrap()).unwrap();
    assert_eq!((empty.metadata().file_metadata().num_rows(), empty.schema().fields().len()), (0, 17));
}

#[test]
fn the_summary_has_the_means_of_memory() {
    let place = place();
    let score = "score data.safetensors --estimator e.safetensors --json --measures sx,ccs";
    let summary = |words: &str| -> serde_json::Value {
        let run = place.lsmi(&format!("{score} {words}")).success();
        assert!(stderr(&run).contains("In short"), "{}", stderr(&run));
        serde_json::from_str(&stdout(&run)).unwrap()
    };
    let (memory, stream) = (summary("--out memory.csv"), summary("--out stream.csv --rows-of-a-group 90"));
    for key in ["schema", "gauge", "prior", "measure", "classes", "dims", "n", "data_hash", "units"] {
        assert_eq!(memory[key], stream[key], "{key}");
    }
    let (memory, stream) = (&memory["splits"]["eval"], &stream["splits"]["eval"]);
    for key in ["n", "kinds", "accuracy"] {
        assert_eq!(memory[key], stream[key], "{key}");
    }
    assert_eq!(memory["adjusted"]["branch"], stream["adjusted"]["branch"]);
    let groups = [
        ("/information", "i1 i2 i12"),
        ("/raw", "r u1 u2 s"),
        ("/adjusted", "r u1 u2 s shift"),
        ("/nll", "x1 x2 joint"),
        ("/measures/pm/raw", "r u1 u2 s"),
        ("/measures/sx/raw", "r u1 u2 s"),
        ("/measures/ccs/adjusted", "r u1 u2 s"),
    ];
    for (group, names) in groups {
        for name in names.split(' ') {
            let [memory, stream] = [memory, stream].map(|split| split.pointer(group).unwrap()[name].as_f64().unwrap());
            assert!((memory - stream).abs() < 1e-12, "{group}/{name}: {memory} {stream}");
        }
    }
}

/// A place where a job over the first three of eight groups is finished: a row of the fourth is not finite, and then is
/// mended such that the file looks as before.
fn begun(out: &str) -> Place {
    let place = place();
    let path = place.path("data.safetensors");
    let modified = std::fs::metadata(&path).unwrap().modified().unwrap();
    let rewrite = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        OpenOptions::new().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    };
    let mut broken = Data::new(ROWS);
    broken.x[1][3 * 200 + 1] = f32::NAN;
    rewrite(&broken.safetensors());
    let refused = place.lsmi(&format!("{SCORE} data.safetensors --rows-of-a-group 64 --out {out}")).code(3);
    assert!(stderr(&refused).contains("data.safetensors: `x2` is NaN at row 200, column 1"), "{}", stderr(&refused));
    assert!(!place.path(out).exists());
    let parts = ["part-00000000", "part-00000001", "part-00000002"];
    assert_eq!(place.names(&format!("{out}.partial")), [&["lock", "manifest.json"][..], &parts].concat());
    rewrite(&Data::new(ROWS).safetensors());
    place
}

#[test]
fn a_job_goes_on_from_what_is_finished() {
    for out in ["out.csv", "out.jsonl", "out.parquet"] {
        let place = begun(out);
        // As if the end had come while the fourth group was written.
        place.write(&format!("{out}.partial/.lsmi-a1b2c3"), "half a ro");
        let words = format!("data.safetensors --rows-of-a-group 64 --out {out}");
        let run = place.lsmi(&format!("score --estimator e.safetensors --json {words}")).success();
        assert!(stderr(&run).contains("3 of 8 row groups were finished before"), "{}", stderr(&run));
        let summary: serde_json::Value = serde_json::from_str(&stdout(&run)).unwrap();
        assert_eq!(summary["splits"]["eval"]["n"], ROWS);

        let whole = format!("whole-{out}");
        place.lsmi(&format!("{SCORE} data.safetensors --rows-of-a-group 64 --out {whole}")).success();
        assert!(place.bytes(out) == place.bytes(&whole), "{out}");
        assert!(!place.path(&format!("{out}.partial")).exists());
    }
}

#[test]
fn a_place_that_was_taken_meanwhile_is_left_alone() {
    let place = begun("out.csv");
    let score = format!("{SCORE} data.safetensors --rows-of-a-group 64");
    place.lsmi(&format!("{score} --out whole.csv")).success();
    let whole = place.text("whole.csv");
    // A place that was taken meanwhile is not overwritten, and what is finished stays.
    std::fs::create_dir(place.path("out.csv")).unwrap();
    assert!(stderr(&place.lsmi(&format!("{score} --out out.csv")).code(2)).contains("is a directory"));
    assert_eq!(place.names("out.csv.partial").len(), 5);
    std::fs::remove_dir(place.path("out.csv")).unwrap();
    place.lsmi(&format!("{score} --out out.csv")).success();
    assert!(place.text("out.csv") == whole);
    assert!(!place.path("out.csv.partial").exists());
}

#[test]
fn another_job_is_refused_unless_forced() {
    let place = begun("out.csv");
    place.lsmi("fit train.safetensors --folds 3 --out other.safetensors --quiet").success();
    let before = place.bytes("out.csv.partial/manifest.json");
    let score = "score data.safetensors --quiet --out out.csv";
    for (options, expected) in [
        ("--estimator other.safetensors --rows-of-a-group 64", "estimator_sha256 is"),
        ("--estimator e.safetensors --rows-of-a-group 65", "rows_of_a_group is 65, but was 64"),
        ("--estimator e.safetensors --rows-of-a-group 64 --shard 1/2", "shard is 1/2, but was 1/1"),
        ("--estimator e.safetensors --rows-of-a-group 64 --measures sx", "measures is sx, but was "),
        // Rows are left out then.
        ("--estimator e.safetensors --rows-of-a-group 64 --missing drop", "missing is drop, but was refuse"),
    ] {
        let refused = place.lsmi(&format!("{score} {options}")).code(2);
        let message = stderr(&refused);
        assert!(message.contains(expected) && message.contains("--force"), "{message}");
        assert_eq!(place.bytes("out.csv.partial/manifest.json"), before);
    }
    place.lsmi(&format!("{score} --estimator other.safetensors --rows-of-a-group 64 --force")).success();
    place.lsmi("score data.safetensors --estimator other.safetensors --out memory.csv --quiet").success();
    assert!(place.text("out.csv") == place.text("memory.csv"));
    assert!(!place.path("out.csv.partial").exists());
}

#[test]
fn what_was_lost_and_what_is_not_ours_is_told() {
    let place = begun("out.csv");
    let words = format!("{SCORE} data.safetensors --rows-of-a-group 64 --out out.csv");
    // A group that was cut is done again.
    place.write("out.csv.partial/part-00000001", "short");
    let run = place.lsmi(&words.replace("--quiet", "--json")).success();
    assert!(stderr(&run).contains("2 of 8 row groups were finished before"), "{}", stderr(&run));
    let place = begun("out.csv");
    place.write("out.csv.partial/manifest.json", "{");
    assert!(stderr(&place.lsmi(&words).code(2)).contains("cannot be understood"));
    place.write("out.csv.partial/mine.txt", "mine");
    for force in ["", "--force"] {
        let message = stderr(&place.lsmi(&format!("{words} {force}")).code(2));
        assert!(message.contains("holds no unfinished job"), "{message}");
    }
    assert_eq!(place.text("out.csv.partial/mine.txt"), "mine");
}

#[test]
fn two_processes_do_not_work_on_one_output() {
    let place = begun("out.csv");
    let lock = File::open(place.path("out.csv.partial/lock")).unwrap();
    lock.lock().unwrap();
    let words = format!("{SCORE} data.safetensors --rows-of-a-group 64 --out out.csv");
    assert!(stderr(&place.lsmi(&words).code(2)).contains("another process is working on it"));
    // Nor may it be thrown away.
    let anew = stderr(&place.lsmi(&format!("{words} --force")).code(2));
    assert!(anew.contains("another process is working on it"), "{anew}");
    drop(lock);
    place.lsmi(&words).success();
}

#[test]
fn nothing_is_left_of_a_job_that_never_began() {
    let place = place();
    let mut broken = Data::new(ROWS);
    broken.labels[3] = 7;
    place.write("broken.safetensors", broken.safetensors());
    let before = place.names(".");
    let refused = place.lsmi(&format!("{SCORE} broken.safetensors --rows-of-a-group 64 --out new/deep/a.csv")).code(3);
    assert!(stderr(&refused).contains("broken.safetensors: `y` has the label `7` at row 3"), "{}", stderr(&refused));
    assert_eq!(place.names("."), before);

    place.write("old.csv", "old");
    let refused = place.lsmi(&format!("{SCORE} data.safetensors --rows-of-a-group 64 --out old.csv")).code(2);
    assert!(stderr(&refused).contains("--force"));
    assert_eq!((place.text("old.csv"), place.names(".").len()), ("old".to_owned(), before.len() + 1));
}

/// However far the killed process had come, the next one ends with the same bytes.
#[test]
fn a_killed_process_loses_nothing() {
    let place = place();
    place.write("large.safetensors", Data::new(20_000).safetensors());
    let words = format!("{SCORE} large.safetensors --rows-of-a-group 256 --threads 2 --out");
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("lsmi"))
        .current_dir(place.path("."))
        .args(words.split_whitespace().chain(["out.csv"]))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let has_begun = || place.path("out.csv.partial/manifest.json").exists() || place.path("out.csv").exists();
    while !has_begun() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    if !place.path("out.csv").exists() {
        place.lsmi(&format!("{words} out.csv")).success();
    }
    place.lsmi(&format!("{words} whole.csv")).success();
    assert!(place.bytes("out.csv") == place.bytes("whole.csv"));
}

#[test]
fn samples_in_parquet_are_read_back() {
    let place = place();
    for format in ["csv", "parquet"] {
        place.lsmi(&format!("{SCORE} data.safetensors --out s.{format}")).success();
        place.lsmi(&format!("partition s.{format} --by r --fraction 0.3 --balanced --out {format} --quiet")).success();
    }
    for file in ["high.txt", "middle.txt", "low.txt", "partition.json"] {
        assert_eq!(place.text(&format!("csv/{file}")), place.text(&format!("parquet/{file}")));
    }
    place.lsmi("analyze train.safetensors --folds 2 --format parquet --out result --quiet").success();
    assert!(place.names("result").contains(&"samples.parquet".to_owned()));
    assert!(!place.names("result").contains(&"samples.csv".to_owned()));
    assert_eq!(table(&place, "result/samples.parquet")["fold"].null_count(), 0);
}
