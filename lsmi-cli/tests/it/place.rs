//! A directory of its own for a test, commands run in it, and feature files made for it.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use assert_cmd::assert::Assert;
use safetensors::tensor::{Dtype, TensorView};
use serde_json::Value;
use tempfile::TempDir;

/// A directory in which a test runs commands.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Runs `lsmi` with these words in the directory; of fits that say nothing of repeats one is enough.
    pub(crate) fn lsmi(&self, words: &str) -> Assert {
        self.lsmi_as_is(&with_one_fit(words))
    }

    /// Runs `lsmi` with exactly these words in the directory.
    pub(crate) fn lsmi_as_is(&self, words: &str) -> Assert {
        let mut command = assert_cmd::cargo::cargo_bin_cmd!("lsmi");
        command.current_dir(&self.0).env_remove("COLUMNS").env_remove("LSMI_NO_PROGRESS");
        command.args(words.split_whitespace()).assert()
    }

    /// Runs `lsmi` with these words and an empty cache of models.
    pub(crate) fn offline(&self, words: &str) -> Assert {
        let mut command = assert_cmd::cargo::cargo_bin_cmd!("lsmi");
        command
            .current_dir(&self.0)
            .env_remove("COLUMNS")
            .env("HF_HOME", self.path("cache"))
            .env("HF_HUB_OFFLINE", "1");
        for name in ["HF_HUB_CACHE", "LSMI_MODELS", "LSMI_MODELS_LOCK"] {
            command.env_remove(name);
        }
        command.args(with_one_fit(words).split_whitespace()).assert()
    }

    /// Begins `lsmi` with these words and kills it once something is there.
    pub(crate) fn kill_when(&self, words: &str, is_there: impl Fn(&Self) -> bool) {
        let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin!("lsmi"))
            .current_dir(&self.0)
            .args(words.split_whitespace())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let began = std::time::Instant::now();
        while !is_there(self) {
            assert!(began.elapsed() < std::time::Duration::from_secs(100), "nothing is there");
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Simulates samples to `name`.
    pub(crate) fn simulate(&self, options: &str, name: &str) {
        self.lsmi(&format!("simulate {options} --quiet --out {name}")).success();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.text(name)).unwrap()
    }

    /// The names of all there is, sorted, hidden files included.
    pub(crate) fn names(&self, directory: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(directory)).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

/// The words with `--repeats 1` where a command would fit few rows three times, which takes three times as long.
fn with_one_fit(words: &str) -> String {
    let is_fit = words.starts_with("analyze ") || words.starts_with("fit ");
    if is_fit && !words.contains("--repeats") { format!("{words} --repeats 1") } else { words.to_owned() }
}

/// What was printed to stdout.
pub(crate) fn stdout(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

/// What was printed to stderr.
pub(crate) fn stderr(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stderr.clone()).unwrap()
}

/// The rows of a csv file by column name.
pub(crate) fn rows(csv: &str) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_reader(csv.as_bytes()).deserialize().collect::<Result<_, _>>().unwrap()
}

/// A number of a row.
pub(crate) fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap()
}

/// A column of numbers of a csv file.
pub(crate) fn column(csv: &str, name: &str) -> Vec<f64> {
    rows(csv).iter().map(|row| number(row, name)).collect()
}

/// An array of a feature file.
#[derive(Clone)]
pub(crate) struct Array {
    element: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Array {
    /// Gives the values another shape.
    pub(crate) fn reshape(&mut self, shape: &[usize]) {
        self.shape = shape.to_vec();
    }
}

/// Floating-point numbers, `[rows, columns]`.
pub(crate) fn matrix(columns: usize, values: &[f64]) -> Array {
    let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    Array { element: Dtype::F64, shape: vec![values.len() / columns, columns], bytes }
}

/// Floating-point numbers of 32 bits, `[rows, columns]`.
pub(crate) fn floats32(columns: usize, values: &[f32]) -> Array {
    let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    Array { element: Dtype::F32, shape: vec![values.len() / columns, columns], bytes }
}

/// Floating-point numbers, `[n]`.
pub(crate) fn floats(values: &[f64]) -> Array {
    Array { shape: vec![values.len()], ..matrix(1, values) }
}

/// Sequences of steps, `[n, steps, columns]`.
pub(crate) fn sequences(steps: usize, columns: usize, values: &[f64]) -> Array {
    Array { shape: vec![values.len() / (steps * columns), steps, columns], ..matrix(columns, values) }
}

/// Integers, `[n]`.
pub(crate) fn integers(values: &[i64]) -> Array {
    let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    Array { element: Dtype::I64, shape: vec![values.len()], bytes }
}

/// The bytes of a `.safetensors` file.
pub(crate) fn safetensors(arrays: &BTreeMap<&str, Array>) -> Vec<u8> {
    let views = arrays
        .iter()
        .map(|(name, array)| (*name, TensorView::new(array.element, array.shape.clone(), &array.bytes).unwrap()));
    safetensors::serialize(views.collect::<Vec<_>>(), None).unwrap()
}

/// Arrays of 60 samples of two classes, told by both modalities.
pub(crate) fn good() -> BTreeMap<&'static str, Array> {
    let labels: Vec<i64> = (0..60).map(|row| row % 2).collect();
    // Not random, but no two rows alike.
    let spread = |row: usize, column: usize| ((row * 7 + column * 13) % 29) as f64 / 29.0;
    let features = |columns: usize| {
        let place = |row: usize| (0..columns).map(move |column| spread(row, column) + (row % 2) as f64);
        matrix(columns, &(0..60).flat_map(place).collect::<Vec<_>>())
    };
    BTreeMap::from([("x1", features(2)), ("x2", features(3)), ("y", integers(&labels))])
}
