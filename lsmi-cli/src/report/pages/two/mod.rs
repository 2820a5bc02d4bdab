//! The page of two modalities and classes: all sections put into the template.
//!
//! Every section ([`means`](super::means), [`sections::spread`], [`sections::classes`], [`sections::samples`], [`sections::dependence`],
//! [`sections::measures`]) makes what the template shows, with figures.

mod folder;
pub(crate) mod illustrations;
pub(crate) mod sections;
mod source;

use std::collections::{BTreeSet, HashSet};

use lsmi_candle::analysis::Analysis;
use lsmi_core::Measure;
use serde::Serialize;

use self::folder::Folder;
use self::illustrations::{Illustrations, Lookup};
use self::sections::beside::Beside;
use self::sections::classes::Classes;
use self::sections::dependence::{GaugeSweep, Heads};
use self::sections::measures::{Measures, Model, models};
use self::sections::samples::{Listed, Selection};
use self::sections::spread::Spread;
use self::sections::words::Answer;
use self::source::{Source, Split};
use super::Page;
use super::files::Files;
use super::made::{Fact, Fit, of_two};
use super::means::Means;
use crate::process::failure::Failure;
use crate::report::gallery::Gallery;
use crate::report::number::{As, Number, Numbers};
use crate::report::template::{Shell, filled};
use crate::tables::cells::kind_in_words;

const TEMPLATE: &str = include_str!("template.html");

/// What the template is filled with.
#[derive(Debug, Serialize)]
struct Content<'a> {
    shell: Shell,
    names: &'a lsmi_candle::analysis::names::Names,
    label: &'a str,
    answer: Answer,
    gates: Vec<Gate>,
    splits: Vec<Section>,
    beside: Option<Beside>,
    models: Vec<Model>,
    made: Vec<Fact>,
}

/// The sections of one split.
#[derive(Debug, Serialize)]
struct Section {
    name: String,
    anchor: String,
    means: Means,
    /// How many samples are of each kind, where some are.
    kinds: Vec<(String, usize)>,
    /// The measure that is shown, where it is not the one that kinds are made of.
    shown_measure: Option<String>,
    spread: Spread,
    classes: Classes,
    samples: Listed,
    gauge: Option<GaugeSweep>,
    heads: Heads,
    measures: Measures,
}

#[derive(Debug, Serialize)]
struct Gate {
    name: String,
    verdict: &'static str,
    figure: Number,
    threshold: Number,
    did: String,
    why: String,
    advice: Option<String>,
}

/// The page of the files of a directory; `lookup` says what its samples are, else a table in the directory itself does.
pub(super) fn page_of(files: Files, lookup: Option<Lookup>) -> Result<Page, Failure> {
    let directory = files.directory.clone();
    let folder = Folder::read(files)?;
    let selections = selections(&folder);
    let own = || {
        let (table, text) = folder.own_table(&directory)?;
        Some(Lookup { table, text, image: None, id: "id".to_owned(), id_is_named: false, follow_links: false })
    };
    let illustrations = match lookup.or_else(own) {
        Some(lookup) => illustrations(&folder, &selections, &lookup)?,
        None => Illustrations::default(),
    };
    page(&folder, illustrations, &selections)
}

/// The page of an analysis in memory.
pub(super) fn page_of_analysis(analysis: &Analysis) -> Result<Page, Failure> {
    let folder = Folder::of_analysis(analysis).map_err(Failure::failed)?;
    page(&folder, Illustrations::default(), &selections(&folder))
}

fn selections(folder: &Folder) -> Vec<Selection> {
    folder.samples.iter().map(|samples| Selection::new(samples, folder.samples.len())).collect()
}

/// What is known of the samples that are shown.
///
/// An id of more than one split would name several samples, so that a table can only be of the first split then.
fn illustrations(folder: &Folder, selections: &[Selection], lookup: &Lookup) -> Result<Illustrations, Failure> {
    let first: HashSet<&str> =
        folder.samples.iter().take(1).flat_map(|samples| &samples.ids).map(String::as_str).collect();
    let is_first = |id: &String| first.contains(id.as_str());
    let is_ambiguous = folder.samples.iter().skip(1).any(|samples| samples.ids.iter().any(is_first));
    let (mut with_text, mut with_picture) = (BTreeSet::new(), BTreeSet::new());
    let splits = if is_ambiguous { 1 } else { folder.samples.len() };
    for (samples, selection) in folder.samples.iter().zip(selections).take(splits) {
        with_text.extend(selection.all().map(|row| samples.ids[row].as_str()));
        with_picture.extend(selection.with_picture().map(|row| samples.ids[row].as_str()));
    }
    let mut found = lookup.find(&with_text, &with_picture)?;
    if is_ambiguous {
        found.split = folder.summary.splits.first().map(|(name, _)| name.clone());
        found.warnings.push(format!(
            "several splits have samples of the same id, so that the table {} was taken for that of `{}` alone",
            lookup.table.display(),
            found.split.as_deref().unwrap_or_default()
        ));
    }
    let missing = with_text.iter().filter(|id| !found.by_id.contains_key(**id)).count();
    if missing > 0 {
        let table = lookup.table.display();
        found.warnings.push(format!("{missing} of {} samples shown are not in the table {table}", with_text.len()));
    }
    Ok(found)
}

/// The page of an analysis. There are no errors but those of a template that does not fit its content, which tests rule out.
fn page(folder: &Folder, illustrations: Illustrations, selections: &[Selection]) -> Result<Page, Failure> {
    let source = Source { folder, illustrations: &illustrations };
    let splits = source.splits();
    let mut gallery = Gallery::default();
    let beside = Beside::new(source, &splits, &mut gallery);
    let sections =
        splits.iter().zip(selections).map(|(split, selection)| section(split, selection, splits.len(), &mut gallery));
    let sections = sections.collect();
    let content = Content {
        shell: Shell::new(),
        names: &folder.summary.names,
        label: &folder.summary.label,
        answer: Answer::new(&folder.summary, &illustrations.warnings),
        gates: gates(source),
        splits: sections,
        beside,
        models: models(source),
        made: made(folder),
    };
    let html = filled(TEMPLATE, &content).map_err(Failure::failed)?;
    Ok(Page { html, figures: gallery.0, warnings: illustrations.warnings })
}

fn section(split: &Split<'_>, selection: &Selection, splits: usize, gallery: &mut Gallery) -> Section {
    let measure = split.source.folder.summary.measure;
    let counted = split.summary.kinds.iter().filter(|(_, count)| *count > 0);
    Section {
        name: split.name.to_owned(),
        anchor: split.anchor.clone(),
        means: Means::new(&split.decomposed(), gallery),
        kinds: counted.map(|(kind, count)| (kind_in_words(split.source.words(), *kind), *count)).collect(),
        shown_measure: (measure != Measure::Ccs).then(|| measure.to_string()),
        spread: Spread::new(split, splits, gallery),
        classes: Classes::new(split, gallery),
        samples: Listed::new(split, selection),
        gauge: GaugeSweep::new(split, gallery),
        heads: Heads::new(split, gallery),
        measures: Measures::new(split, gallery),
    }
}

fn gates(source: Source<'_>) -> Vec<Gate> {
    let gates = source.folder.summary.gates.as_deref().unwrap_or_default();
    gates
        .iter()
        .enumerate()
        .map(|(place, gate)| {
            let at = |field| source.numbers().at(&["gates", &place.to_string(), field], As::Nats);
            Gate {
                name: gate.name.replace('_', " "),
                verdict: gate.verdict.name(),
                figure: at("figure"),
                threshold: at("threshold"),
                did: gate.did.clone(),
                why: gate.why.clone(),
                advice: gate.advice.clone(),
            }
        })
        .collect()
}

/// How the analysis was made.
fn made(folder: &Folder) -> Vec<Fact> {
    let summary = &folder.summary;
    let (columns, gauge) = of_two(&summary.names, summary.dims, summary.gauge);
    let fit = Fit {
        version: &summary.version,
        data_hash: Some(&summary.data_hash),
        columns,
        gauge,
        measure: summary.measure,
        prior: Some(format!("{} over {} classes", summary.prior, summary.classes.len())),
        units: &summary.units,
    };
    Fact::all(folder.made.as_ref(), &Numbers::of(&folder.json), fit)
}
