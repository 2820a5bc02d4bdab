//! `lsmi embed`: raw pictures, sentences, sounds and videos become a feature file, row group by row group.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use crossbeam_channel::{Receiver, unbounded};
use lsmi_candle::embedding::embedder::{self, EmbedError, Embedder, Options, Prompt, Provenance};
use lsmi_candle::embedding::encoders::Modality;
use lsmi_candle::embedding::manifests::Prompts;
use lsmi_candle::embedding::pipeline::table::{Columns, InputColumn, OptionalColumn};
use lsmi_candle::embedding::pipeline::{
    EmbeddedRows, Encoding, PipelineError, Plan, Progress, Settings, Skipped, Unreadable, Watch,
};
use lsmi_candle::features::{Format, names_alike};
use serde::Serialize;

use crate::arguments::{Chosen, ColumnNames, Embed, Encoders, OnError, Precision};
use crate::process::console;
use crate::process::failure::Failure;
use crate::process::interrupt::OBSERVER;
use crate::process::progress;
use crate::process::staging::check_file;
use lsmi_candle::analysis::as_map;

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
    /// Which part of the table they are, where it is not all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    shard: Option<String>,
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
    if arguments.windows.is_some() && !arguments.encoders.0.iter().any(|chosen| chosen.modality == Modality::Audio) {
        return Err(Failure::usage(
            "--windows says what is read of sounds, but there are none; leave it out, or add --audio MODEL",
        ));
    }
    check_file(out, common.force, &[table])?;
    let plan = Plan::read(settings(arguments)?)?;
    let encodings = encodings(arguments)?;
    let (sender, receiver) = unbounded();
    let rows = thread::scope(|scope| {
        scope.spawn(|| show(receiver, common.quiet));
        let watch = Watch { progress: Some(sender), cancel: None, writes: &OBSERVER };
        plan.embed_to_file(&encodings, out, common.force, &watch)
    });
    let rows = rows.map_err(|error| failure(error, table))?;
    if !common.quiet {
        say(arguments, &rows, &encodings);
    }
    if !common.json {
        return Ok(());
    }
    let names = || (1..=encodings.len()).map(|number| format!("x{number}"));
    console::print_json(&Embedded {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION"),
        n: rows.len(),
        shard: (!arguments.shard.is_whole()).then(|| arguments.shard.to_string()),
        skipped: &rows.skipped,
        missing: rows.dropped,
        truncated: rows.truncated,
        classes: rows.classes.as_deref(),
        dims: names().zip(widths(&encodings)).collect(),
        models: names().zip(encodings.iter().map(|encoding| encoding.embedder.provenance())).collect(),
    })
}

/// Shows how far the work is, until it ends.
pub(super) fn show(progress: Receiver<Progress>, quiet: bool) {
    let mut bar = None;
    for event in progress {
        match event {
            Progress::Begun { finished, groups, rows_left } => {
                if finished > 0 && !quiet {
                    console::say(&format!(
                        "{finished} of {groups} row groups were finished before; going on from there"
                    ));
                }
                bar = Some(progress::rows(quiet, rows_left));
            }
            Progress::Rows(rows) => {
                if let Some(bar) = &bar {
                    bar.inc(rows as u64);
                }
            }
        }
    }
}

/// Names the table where a model or a device fails on it.
fn failure(error: PipelineError, table: &Path) -> Failure {
    match error {
        PipelineError::Embed(error) => Failure::from(error).about(table),
        error => error.into(),
    }
}

/// Says what became of the rows.
fn say(arguments: &Embed, rows: &EmbeddedRows, encodings: &[Encoding]) {
    let widths = widths(encodings).iter().map(ToString::to_string).collect::<Vec<_>>().join(" + ");
    let shard = if arguments.shard.is_whole() { String::new() } else { format!("shard {}: ", arguments.shard) };
    console::say(&format!("{shard}{} rows of {widths} columns in {}", rows.len(), arguments.out.display()));
    say_skipped(rows.truncated, rows.dropped, &rows.skipped);
    say_alike(rows.classes.as_deref());
    if rows.classes.is_none() && !rows.is_empty() {
        let (column, _) = arguments.columns.of("label");
        console::say(&format!("note: the table has no column `{column}`, so the features have no labels, y"));
    }
    if let Some(note) = alike(encodings) {
        console::say(&note);
    }
}

/// Says how many inputs were cut, and which rows are not there.
pub(super) fn say_skipped(truncated: usize, dropped: usize, skipped: &[Skipped]) {
    if truncated > 0 {
        let verb = if truncated == 1 { "row has" } else { "rows have" };
        console::say(&format!("note: {truncated} {verb} an input longer than its model takes, which was cut"));
    }
    if !skipped.is_empty() {
        let verb = if skipped.len() == 1 { "row was" } else { "rows were" };
        let mut text = format!("warning: {} {verb} skipped:", skipped.len());
        for skipped in skipped.iter().take(LISTED) {
            // Writing to a string cannot fail.
            let _ = write!(text, "\n  row {}: {}", skipped.name(), skipped.reason);
        }
        if skipped.len() > LISTED {
            text.push_str("\n  and others: --json lists them all");
        }
        console::say(&text);
    }
    if dropped > 0 {
        let verb = if dropped == 1 { "row was" } else { "rows were" };
        console::say(&format!("note: {dropped} {verb} left out, in which an input or a label is missing"));
    }
}

/// Warns of classes that may be one.
pub(super) fn say_alike(classes: Option<&[String]>) {
    if let Some(names) = names_alike(classes.into_iter().flatten().map(String::as_str)) {
        console::say(&format!(
            "warning: labels differ only by upper and lower case: {names}; if they are one, write them alike"
        ));
    }
}

fn widths(encodings: &[Encoding]) -> Vec<usize> {
    encodings.iter().map(|encoding| encoding.embedder.width()).collect()
}

/// Returns a note where two modalities are one.
fn alike(encodings: &[Encoding]) -> Option<String> {
    let of = |encoding: &Encoding| (encoding.column.clone(), encoding.embedder.provenance().clone());
    let (first, second) = (of(encodings.first()?), of(encodings.get(1)?));
    let note = "note: x1 and x2 are of one model and one column, so they are the same; name two columns with --columns";
    (first == second).then(|| note.to_owned())
}

/// Turns options into what is embedded, and in what pieces.
fn settings(arguments: &Embed) -> Result<Settings, Failure> {
    let settings = Settings::new(&arguments.table, columns(&arguments.columns, &arguments.encoders)?);
    Ok(Settings {
        missing: arguments.missing,
        unreadable: match arguments.on_error {
            OnError::Fail => Unreadable::Fail,
            OnError::Skip => Unreadable::Skip,
        },
        follow_links: arguments.follow_links,
        batch: usize::from(arguments.batch),
        rows_of_a_group: arguments.rows_of_a_group as usize,
        shard: arguments.shard,
        threads: arguments.common.threads.map_or(settings.threads, usize::from),
        ..settings
    })
}

/// Finds the column of each modality: the n-th model of a kind takes the n-th column of that kind, or all the only one.
pub(super) fn columns(names: &ColumnNames, encoders: &Encoders) -> Result<Columns, Failure> {
    let mut inputs = Vec::new();
    let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
    for chosen in &encoders.0 {
        let role = chosen.modality.name();
        let place = taken.entry(role).or_default();
        let of_role = names.all(role);
        let name = match of_role.as_slice() {
            [] => role.to_owned(),
            [only] => (*only).to_owned(),
            several => several.get(*place).map(|name| (*name).to_owned()).unwrap_or_default(),
        };
        inputs.push(InputColumn { name, modality: chosen.modality });
        *place += 1;
    }
    for role in Modality::ALL.map(Modality::name) {
        let (columns, models) = (names.all(role).len(), taken.get(role).copied().unwrap_or(0));
        if columns > 1 && columns != models || columns == 1 && models == 0 {
            return Err(Failure::usage(format!(
                "--columns names {columns} of `{role}`, but there are {models} models of it; give --{role} MODEL for each column"
            )));
        }
    }
    let optional = |role: &str| {
        let (name, is_needed) = names.of(role);
        OptionalColumn { name, is_needed }
    };
    Ok(Columns { inputs, label: optional("label"), id: optional("id") })
}

/// Loads the model of each modality, in the order of the options; one that is named again is the same.
fn encodings(arguments: &Embed) -> Result<Vec<Encoding>, Failure> {
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
        windows: arguments.windows.map(Into::into).unwrap_or_default(),
    };
    let mut encodings: Vec<Encoding> = Vec::new();
    let all = &arguments.encoders.0;
    for (place, (chosen, input)) in all.iter().zip(columns(&arguments.columns, &arguments.encoders)?.inputs).enumerate()
    {
        let InputColumn { name, modality } = input;
        // One model of several columns is in memory once.
        let embedder = if let Some(earlier) = all[..place].iter().position(|earlier| earlier == chosen) {
            Arc::clone(&encodings[earlier].embedder)
        } else {
            let model = super::model_source::find(
                &arguments.origin,
                chosen,
                arguments.pooling.is_some(),
                arguments.common.quiet,
            )?;
            if let Some(note) = taken_as_text(arguments, chosen, &model.description.prompts) {
                console::say(&note);
            }
            Arc::new(Embedder::load(&model, &options, &device)?)
        };
        encodings.push(Encoding { modality, column: name, embedder });
    }
    Ok(encodings)
}

/// Returns a note where `--prompt` is none of a model's names, and so is taken for the text itself.
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
