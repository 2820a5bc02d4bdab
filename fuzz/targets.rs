//! What is fuzzed: every reader of bytes that a user may have from anywhere, by name.
//!
//! The targets of cargo-fuzz, the example `hammer` and the test that replays the corpus share this file. A target takes
//! any bytes and comes to an end without a panic; whether it accepts or refuses them is not its concern.

#[path = "encoders.rs"]
mod encoders;

use std::cell::RefCell;
use std::io::Write;
use std::path::{Path, PathBuf};

use lsmi_candle::device::DeviceChoice;
use lsmi_candle::embedding::manifests::Manifest;
use lsmi_candle::embedding::preprocess::audio::Audio;
use lsmi_candle::embedding::preprocess::image::{Image, Settings};
use lsmi_candle::estimator::SavedEstimator;
use lsmi_candle::features::{ArrayFiles, Classes, Data, Format, Keys, RowReader, read_bytes};

/// A reader: says whether it accepted the bytes.
pub(crate) type Target = fn(&[u8]) -> bool;

/// All readers, by the names of their folders in `fuzz/corpus`.
pub(crate) const TARGETS: &[(&str, Target)] = &[
    ("safetensors", |bytes| feature_file(bytes, Format::SafeTensors)),
    ("npz", |bytes| feature_file(bytes, Format::Npz)),
    ("npy", npy),
    ("pt", |bytes| feature_file(bytes, Format::Torch)),
    ("parquet", |bytes| feature_file(bytes, Format::Parquet)),
    ("arrow", |bytes| feature_file(bytes, Format::Arrow)),
    ("csv", |bytes| feature_file(bytes, Format::Csv)),
    ("safetensors_by_rows", |bytes| by_rows(bytes, "safetensors")),
    ("npz_by_rows", |bytes| by_rows(bytes, "npz")),
    ("bundle", |bytes| SavedEstimator::from_bytes("fuzz", bytes, DeviceChoice::Cpu).is_ok()),
    ("image", |bytes| Image::decode("fuzz", bytes).is_ok()),
    ("image_config", |bytes| str::from_utf8(bytes).is_ok_and(|text| Settings::from_config(text).is_ok())),
    ("audio", |bytes| Audio::decode("fuzz", bytes.to_vec(), 1.0).is_ok()),
    ("tokenizer", |bytes| encoders::tokenizer(&file("tokenizer.json", bytes))),
    ("encoder_config", encoders::config),
    ("encoder_weights", encoders::weights),
    ("manifest", |bytes| str::from_utf8(bytes).is_ok_and(|text| Manifest::parse(text, "fuzz.toml").is_ok())),
];

fn feature_file(bytes: &[u8], format: Format) -> bool {
    read_bytes("fuzz", bytes, format, &Keys::default()).is_ok()
}

thread_local! {
    /// A folder for the readers of files, removed at the end.
    static FOLDER: RefCell<Option<tempfile::TempDir>> = const { RefCell::new(None) };
}

/// A file of this name with these bytes.
fn file(name: &str, bytes: &[u8]) -> PathBuf {
    FOLDER.with_borrow_mut(|folder| {
        let memory = Path::new("/dev/shm");
        let made = || if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let folder = folder.get_or_insert_with(|| made().expect("a folder can be made"));
        let path = folder.path().join(name);
        std::fs::File::create(&path).and_then(|mut file| file.write_all(bytes)).expect("a file can be written");
        path
    })
}

/// The bytes stand for all three arrays, so that they are read as matrix and as labels.
fn npy(bytes: &[u8]) -> bool {
    let path = file("array.npy", bytes);
    let files = |y| Data::Arrays(ArrayFiles { x1: path.clone(), x2: path.clone(), y, id: None, group: None });
    let classes = Classes::new(vec!["0".to_owned(), "1".to_owned()]).expect("two names");
    let labelled = files(Some(path.clone())).read(&Keys::default()).is_ok();
    let unlabelled = files(None).read_unlabelled(&Keys::default(), &classes).is_ok();
    labelled || unlabelled
}

fn by_rows(bytes: &[u8], extension: &str) -> bool {
    let path = file(&format!("rows.{extension}"), bytes);
    let classes = Classes::new(vec!["0".to_owned(), "1".to_owned()]).expect("two names");
    let Ok(mut reader) = RowReader::open(&path, &Keys::default(), &classes) else { return false };
    let splits: Vec<usize> = reader.splits().iter().map(|split| split.rows).collect();
    let mut all = true;
    for (split, rows) in splits.into_iter().enumerate() {
        // A header may announce more rows than anybody would read.
        let rows = rows.min(1000);
        for part in [rows / 2..rows, 0..rows / 2, 0..rows] {
            all &= reader.read(split, part).is_ok();
        }
    }
    all
}
