//! `diff.html`: what `lsmi diff` found, on one page that needs nothing else.
//!
//! Style, figures and numbers are those of the report. Numbers bear their place in `diff.json`; those of single samples stand
//! in `differences.csv`. The same analyses give the same bytes.

mod changes;
mod classes;
mod means;
mod source;
mod spread;
mod words;

use serde::Serialize;

use self::changes::Changes;
use self::classes::Classes;
use self::means::Means;
use self::source::Source;
use self::spread::Spread;
use self::words::Answer;
use super::gallery::Gallery;
use super::number::{As, Number};
use super::template::{Shell, filled};
use crate::process::failure::Failure;
use lsmi_candle::analysis::diff::{Compared, Diff};
use lsmi_candle::analysis::names::Names;

/// The file of the page.
pub(crate) const DIFF_PAGE: &str = "diff.html";
const TEMPLATE: &str = include_str!("template.html");

/// What the template is filled with.
#[derive(Debug, Serialize)]
struct Content<'a> {
    shell: Shell,
    names: &'a Names,
    label: &'a str,
    sides: [SideFacts; 2],
    /// Whether samples were compared one by one.
    is_paired: bool,
    /// Whether the intervals hold what other fits would do.
    holds_fits: bool,
    shared: Number,
    answer: Answer,
    warnings: &'a [String],
    means: Means,
    spread: Spread,
    classes: Classes,
    kinds: Option<Kinds>,
    changes: Option<Changes>,
    version: &'a str,
    seed: Number,
}

/// What was compared.
#[derive(Debug, Serialize)]
struct SideFacts {
    file: String,
    split: Option<String>,
    n: Number,
}

/// How many samples are of which kind.
#[derive(Debug, Serialize)]
struct Kinds {
    /// The kinds, in the order of columns and rows.
    names: Vec<String>,
    /// Of every kind in the first how many are of which in the second; empty where two sets are compared.
    from_to: Vec<Vec<Number>>,
    /// How many samples of each kind the first and the second have.
    counts: Vec<[Number; 2]>,
    changed: Option<Number>,
}

/// The page of a comparison.
pub(crate) fn page(compared: &Compared<'_>, diff: &Diff) -> Result<String, Failure> {
    let source = Source::new(compared, diff)?;
    let side = |name| SideFacts {
        file: source.side(name).file.clone(),
        split: source.side(name).split.clone(),
        n: source.number(&[name, "n"], As::Count),
    };
    let mut gallery = Gallery::default();
    let content = Content {
        shell: Shell::new(),
        names: &source.names,
        label: &source.label,
        sides: ["first", "second"].map(side),
        is_paired: compared.is_paired(),
        holds_fits: diff.means.parts.s.differs.is_some(),
        shared: source.number(&["shared"], As::Count),
        answer: Answer::new(&source),
        warnings: &diff.warnings,
        means: Means::new(&source, &mut gallery),
        spread: Spread::new(&source, &mut gallery),
        classes: Classes::new(&source, &mut gallery),
        kinds: kinds(&source),
        changes: compared.pairs().map(|pairs| Changes::new(&source, pairs)),
        version: diff.version,
        seed: source.number(&["seed"], As::Count),
    };
    filled(TEMPLATE, &content).map_err(Failure::failed)
}

fn kinds(source: &Source<'_>) -> Option<Kinds> {
    let kinds = source.diff.kinds.as_ref()?;
    let count = |path: &[&str]| source.number(&[&["kinds"], path].concat(), As::Count);
    let from_to = kinds.from_to.iter().map(|(from, to)| {
        let of = |(to, _): (&&str, &usize)| count(&["from_to", from.name(), to]);
        // The columns are in the order of the rows, and not in that of the alphabet.
        kinds.first.iter().filter_map(|(kind, _)| to.get_key_value(kind.name()).map(of)).collect()
    });
    Some(Kinds {
        names: kinds.first.iter().map(|(kind, _)| source.kind(*kind)).collect(),
        from_to: from_to.collect(),
        counts: kinds.first.iter().map(|(kind, _)| ["first", "second"].map(|of| count(&[of, kind.name()]))).collect(),
        changed: kinds.changed.map(|_| count(&["changed"])),
    })
}
