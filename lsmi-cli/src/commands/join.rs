//! `lsmi join`: the files of all shards of a job become the file of the whole.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use lsmi_candle::embedding::pipeline::{FeatureParts, JoinError as FeatureJoinError, Skipped};
use lsmi_candle::features;
use lsmi_candle::samples::Format;
use lsmi_candle::samples::join::{JoinError as SampleJoinError, SampleParts, by_number};
use serde::Serialize;
use serde_json::Value;

use super::embed::{say_alike, say_skipped};
use crate::arguments::Join;
use crate::process::console;
use crate::process::failure::Failure;
use crate::process::staging::{Staging, check_file};

/// Version of what `--json` prints.
const SCHEMA: u32 = 1;

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Joined {
    schema: u32,
    version: &'static str,
    /// Rows of the output.
    n: usize,
    parts: usize,
    /// The parts in the order of their rows.
    order: Vec<PathBuf>,
    /// What `embed` says of a whole table.
    #[serde(flatten)]
    features: Option<Features>,
}

/// What is said of feature files, by the names that `embed` has.
#[derive(Debug, Serialize)]
struct Features {
    skipped: Vec<Skipped>,
    missing: usize,
    truncated: usize,
    classes: Option<Vec<String>>,
    dims: BTreeMap<String, usize>,
    models: BTreeMap<String, Value>,
}

/// The format of all files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Features,
    Samples(Format),
}

pub(super) fn run(arguments: &Join) -> Result<(), Failure> {
    let kind = kind(arguments)?;
    let inputs: Vec<&Path> = arguments.parts.iter().map(PathBuf::as_path).collect();
    check_file(&arguments.out, arguments.force, &inputs)?;
    let joined = match kind {
        Kind::Features => join_features(arguments)?,
        Kind::Samples(format) => join_samples(arguments, format)?,
    };
    if !arguments.quiet {
        console::say(&format!("{} rows of {} parts in {}", joined.n, joined.parts, arguments.out.display()));
        joined.features.iter().for_each(Features::say);
    }
    if arguments.json { console::print_json(&joined) } else { Ok(()) }
}

/// The format of the files, which is that of the output and one for all.
fn kind(arguments: &Join) -> Result<Kind, Failure> {
    let kind = |path: &Path| match features::Format::from_path(path) {
        Some(features::Format::SafeTensors) => Ok(Kind::Features),
        _ => Format::of_path(path).map(Kind::Samples).map_err(|_| {
            Failure::usage(format!(
                "{}: parts are .safetensors of `lsmi embed`, or .csv, .jsonl or .parquet of `lsmi score`; name the \
                 file so",
                path.display()
            ))
        }),
    };
    let expected = kind(&arguments.out)?;
    for part in &arguments.parts {
        if kind(part)? != expected {
            let (part, out) = (part.display(), arguments.out.display());
            return Err(Failure::usage(format!("{part}: has another format than {out}; join parts of one format")));
        }
    }
    Ok(expected)
}

fn join_features(arguments: &Join) -> Result<Joined, Failure> {
    let parts = FeatureParts::open(&arguments.parts)?;
    check_rows(arguments, parts.rows())?;
    let names = (1..).map(|number| format!("x{number}"));
    let model = |(name, model): (String, &str)| Ok((name, serde_json::from_str(model)?));
    let features = Features {
        skipped: parts.skipped().to_vec(),
        missing: parts.dropped(),
        truncated: parts.truncated(),
        classes: parts.classes().map(<[String]>::to_vec),
        dims: names.zip(parts.widths().iter().copied()).collect(),
        models: parts.models().map(model).collect::<Result<_, serde_json::Error>>().map_err(Failure::data)?,
    };
    let mut refused = None;
    let written = write(arguments, |file| {
        parts.write(file).map_err(|error| match error {
            FeatureJoinError::Output(source) => source.into(),
            // Not the output is to blame.
            error => refused.insert(Failure::from(error)).message().into(),
        })
    });
    refused.map_or(written, Err)?;
    Ok(Joined::new(parts.rows(), parts.paths().cloned().collect(), Some(features)))
}

fn join_samples(arguments: &Join, format: Format) -> Result<Joined, Failure> {
    let numbered = by_number(&arguments.parts).map_err(Failure::usage)?;
    let order: Vec<PathBuf> = match numbered {
        Some(order) => {
            if !arguments.quiet {
                console::say(&in_words(&order));
            }
            order.into_iter().map(Path::to_owned).collect()
        }
        None => arguments.parts.clone(),
    };
    let parts = SampleParts::open(&order, format)?;
    check_rows(arguments, parts.rows())?;
    let mut refused = None;
    let written = write(arguments, |file| {
        // Nothing is written through the buffer: Parquet needs the file itself.
        parts.write(file.get_ref()).map_err(|error| match error {
            SampleJoinError::Output(source) => source.into(),
            // Not the output is to blame.
            error => refused.insert(Failure::from(error)).message().into(),
        })
    });
    refused.map_or(written, Err)?;
    Ok(Joined::new(parts.rows(), order, None))
}

/// Checks that all parts have as many rows as they should.
fn check_rows(arguments: &Join, found: usize) -> Result<(), Failure> {
    match arguments.rows {
        Some(expected) if expected != found => {
            let message = format!("the parts have {found} rows, but should have {expected}");
            let hint =
                "look for parts that are missing, there twice, or made with another --shard or --rows-of-a-group";
            Err(Failure::data(message).with_hint(hint))
        }
        _ => Ok(()),
    }
}

/// Writes the output beside its place, and puts it there once it is whole.
fn write(
    arguments: &Join,
    content: impl FnOnce(&mut BufWriter<&File>) -> Result<(), Box<dyn std::error::Error + Send + Sync>>,
) -> Result<(), Failure> {
    let mut staging = Staging::default();
    staging.write(&arguments.out, content)?;
    Ok(staging.commit(&[])?)
}

/// Says in which order the parts are joined.
fn in_words(order: &[&Path]) -> String {
    let name = |path: Option<&&Path>| path.map(|path| path.display().to_string()).unwrap_or_default();
    format!("joined in the order of their numbers, from {} to {}", name(order.first()), name(order.last()))
}

impl Joined {
    fn new(n: usize, order: Vec<PathBuf>, features: Option<Features>) -> Self {
        Self { schema: SCHEMA, version: env!("CARGO_PKG_VERSION"), n, parts: order.len(), order, features }
    }
}

impl Features {
    /// Says what became of rows, as `embed` does.
    fn say(&self) {
        say_skipped(self.truncated, self.missing, &self.skipped);
        say_alike(self.classes.as_deref());
    }
}
