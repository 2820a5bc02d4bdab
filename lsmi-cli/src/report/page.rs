//! The page: all sections put into the template.

use serde::Serialize;

use super::figure::Figure;
use super::folder::Folder;
use super::illustrations::Illustrations;
use super::number::{As, Number, Numbers};
use super::sections::classes::Classes;
use super::sections::dependence::{GaugeSweep, Heads};
use super::sections::means::{Beside, Means};
use super::sections::measures::{Measures, Model, models};
use super::sections::samples::{Listed, Selection};
use super::sections::spread::Spread;
use super::sections::words::Answer;
use super::source::{Gallery, Source, Split};
use super::template::{Shell, filled};

const TEMPLATE: &str = include_str!("template.html");

/// A finished page and the figures in it.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) html: String,
    pub(crate) figures: Vec<Figure>,
}

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

/// A fact of how the analysis was made.
#[derive(Debug, Serialize)]
struct Fact {
    term: &'static str,
    text: String,
    number: Option<Number>,
}

impl Page {
    /// The page of an analysis.
    ///
    /// # Errors
    /// None but those of a template that does not fit its content, which tests rule out.
    pub(crate) fn new(
        folder: &Folder,
        illustrations: &Illustrations,
        selections: &[Selection],
    ) -> Result<Self, minijinja::Error> {
        let source = Source { folder, illustrations };
        let splits = source.splits();
        let mut gallery = Gallery::default();
        let beside = Beside::new(source, &splits, &mut gallery);
        let sections = splits
            .iter()
            .zip(selections)
            .map(|(split, selection)| section(split, selection, splits.len(), &mut gallery));
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
        Ok(Self { html: filled(TEMPLATE, &content)?, figures: gallery.0 })
    }
}

fn section(split: &Split<'_>, selection: &Selection, splits: usize, gallery: &mut Gallery) -> Section {
    Section {
        name: split.name.to_owned(),
        anchor: split.anchor.clone(),
        means: Means::new(split, gallery),
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
    let (summary, numbers) = (&folder.summary, Numbers(&folder.json));
    let text = |term, text: String| Fact { term, text, number: None };
    let number = |term, path: &[&str], text: &str| Fact {
        term,
        text: text.to_owned(),
        number: Some(numbers.at(path, As::Count)),
    };
    let mut facts = Vec::new();
    if let Some(made) = &folder.made {
        facts.push(text("Command", made.command.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")));
        facts.push(text("Begun", made.begun.clone()));
        facts.push(text("Time taken", format!("{:.1} s", made.seconds)));
    }
    let dims = summary.dims;
    facts.extend([
        text("Version of lsmi", summary.version.clone()),
        number("Seed", &["seed"], ""),
        text("SHA-256 of the training rows", summary.data_hash.clone()),
        number("Training rows", &["n"], ""),
        text("Columns", format!("{} of {}, {} of {}", dims.x1, summary.names.x1, dims.x2, summary.names.x2)),
        text("Gauge", format!("{}, in {} and {} dimensions", summary.gauge, dims.gauge.x1, dims.gauge.x2)),
        text("Measure of redundancy", summary.measure.to_string()),
        text("Class prior", format!("{} over {} classes", summary.prior, summary.classes.len())),
        number("Folds of the cross-fitting", &["folds"], ""),
        number("Fits averaged", &["repeats"], ""),
        text("Units", summary.units.clone()),
    ]);
    facts
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-_./:=,@%+".contains(character);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        assert_eq!(quoted("--names=a,b"), "--names=a,b");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
