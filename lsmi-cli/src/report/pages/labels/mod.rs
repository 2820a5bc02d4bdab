//! The page of several labels: a table over labels, bars by label, and the means of each.

mod bars;
mod table;

use lsmi_candle::analysis::labels::{LabelRow, LabelsSummary};
use lsmi_candle::analysis::names::{Names, Words, nats, shortened};
use lsmi_core::Interaction;
use serde::Serialize;

use self::bars::{information, parts};
use self::table::Table;
use super::files::Files;
use super::made::{Fact, Fit, of_two};
use super::means::Means;
use super::opening::{Opening, listed};
use super::{MORE_STYLE, Page};
use crate::process::failure::Failure;
use crate::report::decomposed::{Decomposed, meaning};
use crate::report::gallery::{Gallery, Shown, anchors};
use crate::report::number::Numbers;
use crate::report::template::{Shell, filled};

const TEMPLATE: &str = include_str!("template.html");
/// Labels whose means stand in tables of their own, at most.
const IN_FULL: usize = 40;

/// What the template is filled with.
#[derive(Debug, Serialize)]
struct Content<'a> {
    shell: Shell,
    names: &'a Names,
    count: usize,
    opening: Opening,
    splits: Vec<Section>,
    labels: Vec<Label>,
    made: Vec<Fact>,
}

/// The labels on one split.
#[derive(Debug, Serialize)]
struct Section {
    name: String,
    anchor: String,
    figures: Vec<Shown>,
    table: Table,
}

/// A label with its means on every split.
#[derive(Debug, Serialize)]
struct Label {
    name: String,
    estimator: String,
    splits: Vec<LabelSplit>,
}

#[derive(Debug, Serialize)]
struct LabelSplit {
    name: String,
    means: Means,
}

/// An analysis of several labels.
struct Source<'a> {
    summary: &'a LabelsSummary,
    numbers: Numbers<'a>,
}

/// The labels of a split, with the places of their rows in the table of the summary.
struct Split<'a> {
    name: &'a str,
    anchor: String,
    rows: Vec<(usize, &'a LabelRow)>,
    source: &'a Source<'a>,
}

impl Split<'_> {
    /// The labels about which most is told, at most so many, in the order of the file.
    fn most_told(&self, most: usize) -> Vec<&(usize, &LabelRow)> {
        let mut rows: Vec<&(usize, &LabelRow)> = self.rows.iter().collect();
        rows.sort_by(|one, other| other.1.information.i12.total_cmp(&one.1.information.i12).then(one.0.cmp(&other.0)));
        rows.truncate(most);
        rows.sort_by_key(|(place, _)| *place);
        rows
    }
}

/// The page of the files of a directory.
pub(super) fn page_of(files: &Files) -> Result<Page, Failure> {
    let summary: LabelsSummary = files.summary()?;
    let source = Source { summary: &summary, numbers: Numbers::of(&files.json) };
    let splits = splits(&source);
    let mut gallery = Gallery::default();
    let sections = splits.iter().map(|split| Section {
        name: split.name.to_owned(),
        anchor: split.anchor.clone(),
        figures: vec![parts(split, &mut gallery), information(split, &mut gallery)],
        table: Table::new(split),
    });
    let content = Content {
        shell: Shell::with_style(MORE_STYLE),
        names: &summary.names,
        count: summary.labels.len(),
        splits: sections.collect(),
        opening: Opening {
            known: summary.warnings.iter().map(|warning| warning.trim_end_matches('.').to_owned()).collect(),
            paragraphs: splits.iter().filter_map(paragraph).collect(),
            notes: notes(&summary),
        },
        labels: splits.first().map(labels).unwrap_or_default(),
        made: made(files, &summary),
    };
    let html = filled(TEMPLATE, &content).map_err(Failure::failed)?;
    Ok(Page { html, figures: gallery.0, warnings: Vec::new() })
}

fn splits<'a>(source: &'a Source<'a>) -> Vec<Split<'a>> {
    let mut names: Vec<&str> = Vec::new();
    for row in &source.summary.table {
        if !names.contains(&row.split.as_str()) {
            names.push(&row.split);
        }
    }
    let of_split = |(name, anchor): (&'a str, String)| Split {
        name,
        anchor,
        rows: source.summary.table.iter().enumerate().filter(|(_, row)| row.split == name).collect(),
        source,
    };
    let anchors = anchors(names.iter().copied());
    names.into_iter().zip(anchors).map(of_split).collect()
}

/// About which labels most and least is told on a split, and where each part is largest.
fn paragraph(split: &Split<'_>) -> Option<String> {
    let names = &split.source.summary.names;
    let by = |of: &dyn Fn(&LabelRow) -> f64, is_most: bool| {
        let rows = split.rows.iter().map(|(_, row)| *row);
        rows.reduce(|best, row| if (of(row) > of(best)) == is_most && of(row) != of(best) { row } else { best })
            .map(|row| format!("{} ({} nats)", shortened(&row.label), nats(of(row))))
    };
    let whole = |row: &LabelRow| row.information.i12;
    let parts = Interaction::ALL.map(|part| {
        let of = move |row: &LabelRow| table::adjusted(row, part);
        Some(format!("{} for {}", meaning(names, part), by(&of, true)?))
    });
    Some(format!(
        "On {}: {} and {} together tell most about {} and least about {}. Most is told (adjusted) {}.",
        split.name,
        names.x1,
        names.x2,
        by(&whole, true)?,
        by(&whole, false)?,
        listed(&parts.into_iter().flatten().collect::<Vec<_>>())
    ))
}

/// What the fits of the labels noted, each once; which labels were pooled or left out is among the warnings.
fn notes(summary: &LabelsSummary) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    for note in summary.labels.iter().flat_map(|(_, label)| &label.notes) {
        if !notes.contains(note) {
            notes.push(note.clone());
        }
    }
    notes
}

/// The means of the labels about which most is told on the first split.
fn labels(first: &Split<'_>) -> Vec<Label> {
    let source = first.source;
    let label = |(_, row): &&(usize, &LabelRow)| {
        let (_, of) = source.summary.labels.iter().find(|(name, _)| *name == row.label)?;
        let splits = of.splits.iter().map(|(name, split)| LabelSplit {
            name: name.clone(),
            means: Means::without_figure(&Decomposed {
                name: name.clone(),
                anchor: String::new(),
                words: Words { names: &source.summary.names, label: &row.label },
                numbers: source.numbers.below(&["labels", &row.label, "splits", name]),
                adjusted: split.adjusted,
            }),
        });
        Some(Label { name: row.label.clone(), estimator: row.estimator.clone(), splits: splits.collect() })
    };
    first.most_told(IN_FULL).iter().filter_map(label).collect()
}

/// How the analysis was made.
fn made(files: &Files, summary: &LabelsSummary) -> Vec<Fact> {
    let (columns, gauge) = of_two(&summary.names, summary.dims, summary.gauge);
    let fit = Fit {
        version: &summary.version,
        data_hash: None,
        columns,
        gauge,
        measure: summary.measure,
        prior: Some(summary.prior.clone()),
        units: &summary.units,
    };
    Fact::all(files.made.as_ref(), &Numbers::of(&files.json), fit)
}
