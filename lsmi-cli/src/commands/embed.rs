//! `lsmi embed`: raw pictures, sentences and sounds become a feature file, shard by shard.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::num::NonZeroUsize;
use std::path::Path;
use std::thread;

use lsmi_candle::embedding::embedder::{self, EmbedError, Embedder, Options, Prompt, Provenance};
use lsmi_candle::embedding::encoders::Modality;
use lsmi_candle::embedding::hub::Digest;
use lsmi_candle::embedding::manifests::Prompts;
use lsmi_candle::features::{Format, names_alike};
use serde::Serialize;

use crate::arguments::{Chosen, Embed, OnError, Precision};
use crate::embed::inputs::Folder;
use crate::embed::join::Summary;
use crate::embed::shards::{Shard, Shards, Skipped};
use crate::embed::table::{Columns, Input, Row, Table, directory_of};
use crate::embed::work::{Encoding, Work};
use crate::output::as_map;
use crate::process::console;
use crate::process::failure::Failure;
use crate::process::progress;
use crate::process::staging::{Staging, check_file};
use crate::stream::manifest::Job;
use crate::stream::pipeline;

/// Version of what `--json` prints.
const SCHEMA: u32 = 1;
/// Skipped rows that are told one by one.
const LISTED: usize = 10;

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Embedded<'a> {
    schema: u32,
    version: &'static str,
    /// Rows of the output.
    n: usize,
    /// Rows that could not be embedded.
    skipped: &'a [Skipped],
    /// Rows that were left out, as an input or a label is missing.
    missing: usize,
    /// Rows with a text or sound that was cut because its model takes no more.
    truncated: usize,
    /// The classes, where the table has labels.
    classes: Option<&'a [String]>,
    /// Columns of x1, x2, ...
    #[serde(serialize_with = "as_map")]
    dims: Vec<(String, usize)>,
    /// What x1, x2, ... are of.
    #[serde(serialize_with = "as_map")]
    models: Vec<(String, &'a Provenance)>,
}

pub(super) fn run(arguments: &Embed) -> Result<(), Failure> {
    let (table, out, common) = (arguments.table.as_path(), arguments.out.as_path(), &arguments.common);
    if Format::from_path(out) != Some(Format::SafeTensors) {
        return Err(Failure::usage(format!(
            "{}: features are written as safetensors; end the name in .safetensors",
            out.display()
        )));
    }
    if arguments.encoders.0.len() < 2 {
        return Err(Failure::usage("name a model for two modalities at least, such as --image MODEL --text MODEL"));
    }
    if arguments.prompt.is_some() && !arguments.encoders.0.iter().any(|chosen| chosen.modality == Modality::Text) {
        return Err(Failure::usage(
            "--prompt is put before texts, but there are none; leave it out, or add --text MODEL",
        ));
    }
    check_file(out, common.force, &[table])?;
    let columns = columns(arguments)?;
    let of_shard = arguments.rows_of_a_shard as usize;
    let Counted { rows, inputs, dropped } = count(arguments, &columns)?;
    let work = work(arguments, &columns)?;
    let count = inputs.len();
    let mut shards = Shards::open(out, job(arguments, &work, &columns)?, common.force)?;
    let is_left = |shard: &usize| !shards.is_finished(*shard, &inputs[*shard], work.bytes_of_a_row());
    let left: Vec<usize> = (0..count).filter(is_left).collect();
    if left.len() < count && !common.quiet {
        console::say(&format!("{} of {count} shards were finished before; going on from there", count - left.len()));
    }

    shards.register(count - left.len(), count);
    let processors = || thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let threads = common.threads.map_or_else(processors, usize::from);
    let bar = progress::rows(common.quiet, left.iter().map(|shard| of_shard.min(rows - shard * of_shard)).sum());
    let mut reader = Table::open(table, columns, arguments.missing)?;
    let mut next = 0;
    pipeline::run(
        left.len(),
        threads,
        |piece| {
            let mut skipped = |to: usize| reader.by_ref().take(to).find_map(Result::err).map_or(Ok(()), Err);
            let before = left[piece] * of_shard - next;
            skipped(before)?;
            next = (left[piece] + 1) * of_shard;
            Ok(reader.by_ref().take(of_shard).collect::<Result<Vec<Row>, _>>()?)
        },
        |piece, rows: Vec<Row>| {
            let shard =
                work.shard(&rows, inputs[left[piece]].clone()).map_err(|error| Failure::from(error).about(table))?;
            match shard.header.skipped.first() {
                Some(skipped) if arguments.on_error == OnError::Fail => Err(refusal(skipped).about(table)),
                _ => Ok((shard, rows.len())),
            }
        },
        |piece, (shard, rows): (Shard, usize)| {
            shards.keep(left[piece], &shard)?;
            shards.register(count - left.len() + piece + 1, count);
            bar.inc(rows as u64);
            Ok::<(), Failure>(())
        },
    )?;
    drop(bar);
    finish(arguments, &work, shards, (count, dropped))
}

/// Joins the shards and tells.
fn finish(arguments: &Embed, work: &Work, shards: Shards, (count, dropped): (usize, usize)) -> Result<(), Failure> {
    let (out, common) = (arguments.out.as_path(), &arguments.common);
    let summary = Summary::read(&shards, count).map_err(|error| Failure::failed(error).about(out))?;
    if summary.rows == 0 {
        let why = summary.skipped.first().map(|first| format!("; row {}: {}", named(first), first.reason));
        let message = format!("not one row could be embedded{}", why.unwrap_or_default());
        return Err(Failure::data(message).about(&arguments.table));
    }
    let names = (1..=work.encodings.len()).map(|number| format!("x{number}"));
    let encodings: Vec<(String, &Encoding)> = names.zip(&work.encodings).collect();
    let mut metadata = BTreeMap::from([("version".to_owned(), env!("CARGO_PKG_VERSION").to_owned())]);
    for (name, encoding) in &encodings {
        let model = serde_json::to_string(encoding.embedder.provenance()).map_err(Failure::failed)?;
        metadata.insert(format!("{name}_model"), model);
    }
    if !summary.skipped.is_empty() {
        metadata.insert("skipped".to_owned(), serde_json::to_string(&summary.skipped).map_err(Failure::failed)?);
    }
    let widths: Vec<usize> = work.encodings.iter().map(|encoding| encoding.embedder.width()).collect();
    let mut staging = Staging::default();
    staging.write(out, |mut file| Ok(summary.write(&shards, &widths, &metadata, &mut file)?))?;
    staging.commit(&[])?;
    // The output is there; what is left beside it does no harm.
    let _ = shards.remove();

    if !common.quiet {
        console::say(&words(&summary, &widths, out));
        if dropped > 0 {
            let rows = if dropped == 1 { "row was" } else { "rows were" };
            console::say(&format!("note: {dropped} {rows} left out, in which an input or a label is missing"));
        }
        let classes = summary.classes.iter().flatten().map(String::as_str);
        if let Some(names) = names_alike(classes) {
            console::say(&format!(
                "warning: labels differ only by upper and lower case: {names}; if they are one, write them alike"
            ));
        }
        if let Some(note) = alike(work) {
            console::say(&note);
        }
    }
    if !common.json {
        return Ok(());
    }
    console::print_json(&Embedded {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION"),
        n: summary.rows,
        skipped: &summary.skipped,
        missing: dropped,
        truncated: summary.truncated,
        classes: summary.classes.as_deref(),
        dims: encodings.iter().zip(&widths).map(|((name, _), width)| (name.clone(), *width)).collect(),
        models: encodings.iter().map(|(name, encoding)| (name.clone(), encoding.embedder.provenance())).collect(),
    })
}

fn words(summary: &Summary, widths: &[usize], out: &Path) -> String {
    let widths = widths.iter().map(ToString::to_string).collect::<Vec<_>>().join(" + ");
    // Writing to a string cannot fail.
    let mut text = format!("{} rows of {widths} columns in {}", summary.rows, out.display());
    if summary.truncated > 0 {
        let rows = if summary.truncated == 1 { "row has" } else { "rows have" };
        let _ =
            write!(text, "\nnote: {} {rows} an input longer than its model takes, which was cut", summary.truncated);
    }
    if !summary.skipped.is_empty() {
        let rows = if summary.skipped.len() == 1 { "row was" } else { "rows were" };
        let _ = write!(text, "\nwarning: {} {rows} skipped:", summary.skipped.len());
        for skipped in summary.skipped.iter().take(LISTED) {
            let _ = write!(text, "\n  row {}: {}", named(skipped), skipped.reason);
        }
        if summary.skipped.len() > LISTED {
            text.push_str("\n  and others: --json lists them all");
        }
    }
    text
}

/// A note where two modalities are one.
fn alike(work: &Work) -> Option<String> {
    let of = |encoding: &Encoding| (encoding.column.clone(), encoding.embedder.provenance().clone());
    let (first, second) = (of(work.encodings.first()?), of(work.encodings.get(1)?));
    let note = "note: x1 and x2 are of one model and one column, so they are the same; name two columns with --columns";
    (first == second).then(|| note.to_owned())
}

fn named(skipped: &Skipped) -> String {
    match &skipped.id {
        Some(id) => format!("{} (id `{}`)", skipped.row, console::shortened(id)),
        None => skipped.row.to_string(),
    }
}

fn refusal(skipped: &Skipped) -> Failure {
    Failure::data(format!(
        "row {}: {}; mend it, or leave such rows out with --on-error skip, or missing ones alone with --missing drop",
        named(skipped),
        skipped.reason
    ))
}

/// The column of each modality: the n-th model of a kind takes the n-th column of that kind, or all the only one.
fn columns(arguments: &Embed) -> Result<Columns, Failure> {
    let names = &arguments.columns;
    let (mut inputs, mut may_be_files) = (Vec::new(), Vec::new());
    let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
    for chosen in &arguments.encoders.0 {
        let role = chosen.modality.name();
        let place = taken.entry(role).or_default();
        let of_role = names.all(role);
        inputs.push(match of_role.as_slice() {
            [] => role.to_owned(),
            [only] => (*only).to_owned(),
            several => several.get(*place).map(|name| (*name).to_owned()).unwrap_or_default(),
        });
        may_be_files.push(chosen.modality != Modality::Text);
        *place += 1;
    }
    for role in ["image", "text", "audio"] {
        let (columns, models) = (names.all(role).len(), taken.get(role).copied().unwrap_or(0));
        if columns > 1 && columns != models || columns == 1 && models == 0 {
            return Err(Failure::usage(format!(
                "--columns names {columns} of `{role}`, but there are {models} models of it; give --{role} MODEL for each column"
            )));
        }
    }
    let inputs = inputs.into_iter().zip(may_be_files).collect();
    Ok(Columns { inputs, label: names.of("label"), id: names.of("id") })
}

/// What a first reading of the table tells.
struct Counted {
    rows: usize,
    /// The hash of what each shard is made of.
    inputs: Vec<String>,
    /// Rows that are left out.
    dropped: usize,
}

/// The rows of the table, all of which can be read and whose ids differ.
fn count(arguments: &Embed, columns: &Columns) -> Result<Counted, Failure> {
    let table = arguments.table.as_path();
    let folder = folder(arguments);
    let mut ids: HashMap<String, usize> = HashMap::new();
    let (mut rows, mut labelled) = (0, None);
    let (mut inputs, mut of_shard) = (Vec::new(), Vec::new());
    let mut reader = Table::open(table, columns.clone(), arguments.missing)?;
    for row in reader.by_ref() {
        let row = row?;
        rows += 1;
        let number = row.place + 1;
        if *labelled.get_or_insert(row.label.is_some()) != row.label.is_some() {
            let message = format!(
                "`{}` is missing in some rows but not in all; row {number} differs from the first",
                columns.label.0
            );
            return Err(Failure::data(message).about(table));
        }
        let states = arguments.encoders.0.iter().zip(&row.inputs).map(|(chosen, input)| match chosen.modality {
            Modality::Text => String::new(),
            Modality::Image | Modality::Audio => match input {
                Input::Text(path) => folder.state(path),
                // The file is in the table.
                Input::File { .. } => String::new(),
            },
        });
        of_shard.push((row.inputs.clone(), states.collect::<Vec<_>>(), row.label, row.id.clone()));
        if of_shard.len() == arguments.rows_of_a_shard as usize {
            inputs.push(hash(&std::mem::take(&mut of_shard))?);
        }
        if let Some(id) = row.id
            && let Some(first) = ids.insert(id.clone(), number)
        {
            let message = format!("rows {first} and {number} have the same id `{id}`; give every row an id of its own");
            return Err(Failure::data(message).about(table));
        }
    }
    if !of_shard.is_empty() {
        inputs.push(hash(&of_shard)?);
    }
    match rows {
        0 if reader.dropped() > 0 => {
            let message = format!("an input or the label is missing in all {} rows", reader.dropped());
            Err(Failure::data(message).about(table))
        }
        0 => Err(Failure::data("the table has no rows").about(table)),
        _ if !ids.is_empty() && ids.len() < rows => {
            let message = format!("`{}` is missing in some rows but not in all; give every row an id", columns.id.0);
            Err(Failure::data(message).about(table))
        }
        rows => Ok(Counted { rows, inputs, dropped: reader.dropped() }),
    }
}

fn hash(content: &impl Serialize) -> Result<String, Failure> {
    Ok(Digest::of_bytes(&serde_json::to_vec(content).map_err(Failure::failed)?).sha256)
}

fn folder(arguments: &Embed) -> Folder {
    Folder::new(directory_of(&arguments.table), arguments.follow_links)
}

fn work(arguments: &Embed, columns: &Columns) -> Result<Work, Failure> {
    let device = arguments.common.device.open().map_err(EmbedError::from)?;
    let precision = match arguments.precision {
        Precision::F32 => embedder::Precision::F32,
        Precision::F16 => embedder::Precision::F16,
        Precision::Bf16 => embedder::Precision::Bf16,
    };
    let options = Options {
        pooling: arguments.pooling.clone(),
        normalize: arguments.normalize,
        prompt: arguments.prompt.clone().unwrap_or_default(),
        precision,
    };
    let mut encodings = Vec::new();
    for (chosen, (column, _)) in arguments.encoders.0.iter().zip(&columns.inputs) {
        let model = super::model_source::find(arguments, chosen)?;
        if let Some(note) = taken_as_text(arguments, chosen, &model.description.prompts) {
            console::say(&note);
        }
        let embedder = Embedder::load(&model, &options, &device)?;
        encodings.push(Encoding { modality: chosen.modality, column: column.clone(), embedder });
    }
    Ok(Work { encodings, folder: folder(arguments), batch: usize::from(arguments.batch), missing: arguments.missing })
}

/// A note where `--prompt` is none of a model's names, and so is taken for the text itself.
fn taken_as_text(arguments: &Embed, chosen: &Chosen, prompts: &Prompts) -> Option<String> {
    let Some(Prompt::Given(text)) = &arguments.prompt else { return None };
    if chosen.modality != Modality::Text || prompts.texts.contains_key(text) || arguments.common.quiet {
        return None;
    }
    let names = match prompts.texts.keys().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => "which has no prompts".to_owned(),
        ref names => format!("whose prompts are {}", names.join(", ")),
    };
    Some(format!("note: {}, {names}: `{text}` itself is put before every text", chosen.model))
}

/// What the job is: everything that changes the vectors of an input.
fn job(arguments: &Embed, work: &Work, columns: &Columns) -> Result<Job, Failure> {
    let mut job = Job::new([
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("label", columns.label.0.clone()),
        ("id", columns.id.0.clone()),
        ("device", format!("{:?}", arguments.common.device)),
        ("missing", arguments.missing.to_string()),
        ("batch", arguments.batch.to_string()),
        ("rows_of_a_shard", arguments.rows_of_a_shard.to_string()),
    ]);
    for (number, encoding) in (1..).zip(&work.encodings) {
        let provenance = serde_json::to_value(encoding.embedder.provenance()).map_err(Failure::failed)?;
        job = job.with(format!("x{number} column"), encoding.column.clone());
        for (name, value) in provenance.as_object().into_iter().flatten() {
            job = job.with(format!("x{number} {name}"), value.to_string());
        }
    }
    Ok(job)
}
