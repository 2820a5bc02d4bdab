//! The page of several lags: r, u1, u2, s and information over the lag, as lines and in a table.

use lsmi_candle::analysis::LagsSummary;
use lsmi_candle::analysis::names::{Names, nats};
use lsmi_candle::analysis::summary::{SplitSummary, Summary};
use lsmi_core::Interaction;
use serde::Serialize;

use super::files::{Files, FolderError, read_made};
use super::made::{Fact, Fit, of_two};
use super::opening::Opening;
use super::{MORE_STYLE, Page};
use crate::process::failure::Failure;
use crate::report::decomposed::{meaning, symbol};
use crate::report::figure::Figure;
use crate::report::figure::axis::{range_of, with_room};
use crate::report::figure::lines::{Line, Reference, lines};
use crate::report::gallery::{Gallery, Shown, anchors};
use crate::report::number::{As, Number, Numbers};
use crate::report::template::{Shell, filled};

const TEMPLATE: &str = include_str!("template.html");

/// What the template is filled with.
#[derive(Debug, Serialize)]
struct Content<'a> {
    shell: Shell,
    names: &'a Names,
    label: &'a str,
    first_step: Number,
    opening: Opening,
    splits: Vec<Section>,
    made: Vec<Fact>,
}

/// A split at all lags.
#[derive(Debug, Serialize)]
struct Section {
    name: String,
    anchor: String,
    n: Number,
    level: Number,
    figures: Vec<Shown>,
    rows: Vec<Row>,
}

/// A split at a lag.
#[derive(Debug, Serialize)]
struct Row {
    lag: usize,
    information: Vec<Number>,
    adjusted: Vec<Estimate>,
    raw: Vec<Number>,
    accuracy: Number,
}

#[derive(Debug, Serialize)]
struct Estimate {
    mean: Number,
    lower: Number,
    upper: Number,
}

/// A split with its summary at each lag.
struct Split<'a> {
    name: &'a str,
    anchor: String,
    lags: Vec<(usize, &'a SplitSummary)>,
    numbers: Numbers<'a>,
}

impl Split<'_> {
    /// Its numbers at a lag.
    fn at(&self, lag: usize) -> Numbers<'_> {
        self.numbers.below(&["lags", &lag.to_string(), "splits", self.name])
    }
}

/// The page of the files of a directory.
pub(super) fn page_of(files: &Files) -> Result<Page, Failure> {
    let summary: LagsSummary = files.summary()?;
    let missing =
        || FolderError::Missing { directory: files.directory.display().to_string(), what: "lag in summary.json" };
    let first = summary.lags.first().ok_or_else(missing)?;
    let numbers = Numbers::of(&files.json);
    let splits = splits(&summary, &first.1, &numbers);
    let mut gallery = Gallery::default();
    let content = Content {
        shell: Shell::with_style(MORE_STYLE),
        names: &summary.names,
        label: &summary.label,
        first_step: numbers.at(&["first_step"], As::Count),
        opening: Opening {
            known: summary.warnings.clone(),
            paragraphs: splits.iter().filter_map(|split| paragraph(&summary, split)).collect(),
            notes: Vec::new(),
        },
        splits: splits.iter().map(|split| section(&summary, split, &mut gallery)).collect(),
        made: made(files, first, &numbers)?,
    };
    let html = filled(TEMPLATE, &content).map_err(Failure::failed)?;
    Ok(Page { html, figures: gallery.0, warnings: Vec::new() })
}

fn splits<'a>(summary: &'a LagsSummary, first: &'a Summary, numbers: &Numbers<'a>) -> Vec<Split<'a>> {
    let names = || first.splits.iter().map(|(name, _)| name.as_str());
    let of_split = |(name, anchor): (&'a str, String)| {
        let lags = summary.lags.iter().filter_map(|(lag, of)| {
            let (_, split) = of.splits.iter().find(|(split, _)| split == name)?;
            Some((*lag, split))
        });
        Split { name, anchor, lags: lags.collect(), numbers: numbers.clone() }
    };
    names().zip(anchors(names())).map(of_split).collect()
}

/// At which lag most is told by the first modality, and what the second tells.
fn paragraph(summary: &LagsSummary, split: &Split<'_>) -> Option<String> {
    let best = |of: fn(&SplitSummary) -> f64| {
        split.lags.iter().reduce(|best, lag| if of(lag.1) > of(best.1) { lag } else { best })
    };
    let Names { x1, x2 } = &summary.names;
    let (lag1, first) = best(|of| of.information.i1)?;
    let (lag12, both) = best(|of| of.information.i12)?;
    let (lag_s, synergy) = best(|of| of.adjusted.s)?;
    Some(format!(
        "On {}: {x1} tells most about {} {}: {} nats. Together with {x2} at the time it tells most {}: {}; most shows only in \
         both {}: S is {} (adjusted).",
        split.name,
        summary.label,
        before(*lag1),
        nats(first.information.i1),
        before(*lag12),
        nats(both.information.i12),
        before(*lag_s),
        nats(synergy.adjusted.s)
    ))
}

fn before(lag: usize) -> String {
    match lag {
        0 => "at the same step".to_owned(),
        1 => "1 step before".to_owned(),
        steps => format!("{steps} steps before"),
    }
}

fn section(summary: &LagsSummary, split: &Split<'_>, gallery: &mut Gallery) -> Section {
    let first = split.lags.first().map_or(0, |(lag, _)| *lag);
    let row = |(lag, _): &(usize, &SplitSummary)| {
        let of = split.at(*lag);
        let at = |path: &[&str]| of.at(path, As::Nats);
        Row {
            lag: *lag,
            information: ["i1", "i2", "i12"].map(|field| at(&["information", field])).into(),
            adjusted: Interaction::ALL
                .map(|part| {
                    let end = |end| at(&["intervals", "adjusted", part.name(), end]);
                    Estimate { mean: at(&["adjusted", part.name()]), lower: end("lower"), upper: end("upper") }
                })
                .into(),
            raw: Interaction::ALL.map(|part| at(&["raw", part.name()])).into(),
            accuracy: of.at(&["accuracy", "joint"], As::Percent),
        }
    };
    Section {
        name: split.name.to_owned(),
        anchor: split.anchor.clone(),
        n: split.at(first).at(&["n"], As::Count),
        level: split.at(first).at(&["intervals", "level"], As::Percent),
        figures: vec![parts(summary, split, gallery), information(summary, split, gallery)],
        rows: split.lags.iter().map(row).collect(),
    }
}

/// Adjusted R, U1, U2 and S over the lag.
fn parts(summary: &LagsSummary, split: &Split<'_>, gallery: &mut Gallery) -> Shown {
    let curves = Interaction::ALL.map(|part| Line {
        name: format!("{}, {}", symbol(part), meaning(&summary.names, part)),
        class: format!("part-{part}"),
        points: points(split, &["adjusted", part.name()]),
    });
    let caption = "Adjusted means. At lag k the first modality is seen k steps before the second and the label.";
    hang(split, ("parts", "Interactions", "adjusted mean (nats)", caption), &curves, gallery)
}

/// The information of each modality and of both over the lag.
fn information(summary: &LagsSummary, split: &Split<'_>, gallery: &mut Gallery) -> Shown {
    let Names { x1, x2 } = &summary.names;
    let curve = |name: &str, class: &str, field| Line {
        name: name.to_owned(),
        class: class.to_owned(),
        points: points(split, &["information", field]),
    };
    // The dashes go by the place, the colours are not those of the parts.
    let curves = [curve(x1, "c1", "i1"), curve(x2, "c2", "i2"), curve("both together", "c0", "i12")];
    let caption =
        "What is told. The samples are the same at every lag, so that only what the first modality tells changes.";
    hang(split, ("information", "Information", "mutual information (nats)", caption), &curves, gallery)
}

fn points(split: &Split<'_>, path: &[&str]) -> Vec<(f64, f64)> {
    let point = |(lag, _): &(usize, &SplitSummary)| Some((*lag as f64, split.at(*lag).value(path)?));
    split.lags.iter().filter_map(point).collect()
}

fn hang(
    split: &Split<'_>,
    (name, title, label, caption): (&str, &str, &str, &str),
    curves: &[Line],
    gallery: &mut Gallery,
) -> Shown {
    let all = || curves.iter().flat_map(|curve| &curve.points);
    let x = range_of(all().map(|point| point.0));
    let y = with_room(range_of(all().map(|point| point.1).chain([0.0])));
    let told = curves.iter().map(|curve| {
        let values = curve.points.iter().map(|(lag, value)| format!("{} at lag {lag}", nats(*value)));
        format!("{}: {}", curve.name, values.collect::<Vec<_>>().join(", "))
    });
    let figure = Figure {
        name: format!("{}-{name}", split.anchor),
        title: format!("{title} over the lag on {}", split.name),
        description: format!("Curves over the lag, in nats. {}.", told.collect::<Vec<_>>().join("; ")),
        drawing: lines(curves, ("lag (steps)", label), (x, y), Reference::Counts, true),
    };
    gallery.hang(figure, caption)
}

/// How the analyses were made: alike but for the lag, so that the first tells.
fn made(files: &Files, (lag, first): &(usize, Summary), numbers: &Numbers<'_>) -> Result<Vec<Fact>, FolderError> {
    let (columns, gauge) = of_two(&first.names, first.dims, first.gauge);
    let fit = Fit {
        version: &first.version,
        data_hash: None,
        columns,
        gauge,
        measure: first.measure,
        prior: Some(format!("{} over {} classes", first.prior, first.classes.len())),
        units: &first.units,
    };
    let made = read_made(&files.directory.join(format!("lag-{lag}")))?;
    Ok(Fact::all(made.as_ref(), &numbers.below(&["lags", &lag.to_string()]), fit))
}
