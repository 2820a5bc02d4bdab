//! Means, raw and adjusted, with intervals and the null: of a split, a pair of modalities, a label or a target.

use lsmi_core::Interaction;
use serde::Serialize;

use crate::report::decomposed::{Decomposed, symbol};
use crate::report::figure::Figure;
use crate::report::figure::bars::{Bar, bars, entry};
use crate::report::gallery::{Gallery, Shown};
use crate::report::number::{As, Number};
use crate::tables::cells::shift;

/// The means of what was decomposed.
#[derive(Debug, Serialize)]
pub(crate) struct Means {
    n: Number,
    level: Number,
    permutations: Option<Number>,
    information: Vec<Row>,
    parts: Vec<Row>,
    s_minus_r: Option<Null>,
    shift: String,
    figure: Option<Shown>,
}

/// A quantity: its mean, interval, adjusted mean and test.
#[derive(Debug, Serialize)]
struct Row {
    symbol: String,
    meaning: String,
    raw: Estimate,
    adjusted: Option<Estimate>,
    null: Option<Null>,
}

#[derive(Debug, Serialize)]
struct Estimate {
    mean: Number,
    lower: Number,
    upper: Number,
    /// Whether nothing was found, so that there is an upper end only.
    not_found: bool,
}

#[derive(Debug, Serialize)]
struct Null {
    observed: Number,
    mean: Number,
    p: Number,
}

impl Means {
    /// The means with their figure.
    pub(crate) fn new(of: &Decomposed<'_>, gallery: &mut Gallery) -> Self {
        Self { figure: Some(gallery.hang(figure(of), &caption(of))), ..Self::without_figure(of) }
    }

    /// The means as tables alone.
    pub(crate) fn without_figure(of: &Decomposed<'_>) -> Self {
        let names = of.words.names;
        let information = [
            ("i1", "I(x1;y)", format!("by {}", names.x1)),
            ("i2", "I(x2;y)", format!("by {}", names.x2)),
            ("i12", "I(x1,x2;y)", "by both together".to_owned()),
        ];
        let rows = information.map(|(field, symbol, meaning)| Row {
            symbol: symbol.to_owned(),
            meaning,
            raw: estimate(of, "information", field),
            adjusted: None,
            null: null(of, field),
        });
        let parts = Interaction::ALL.map(|part| Row {
            symbol: symbol(part).to_owned(),
            meaning: of.meaning(part),
            raw: estimate(of, "raw", part.name()),
            adjusted: Some(estimate(of, "adjusted", part.name())),
            null: null(of, part.name()),
        });
        Self {
            n: of.number(&["n"], As::Count),
            level: of.number(&["intervals", "level"], As::Percent),
            permutations: has_null(of).then(|| of.number(&["null", "permutations"], As::Count)),
            information: rows.into(),
            parts: parts.into(),
            s_minus_r: null(of, "s_minus_r"),
            shift: capitalised(&shift(&of.adjusted)),
            figure: None,
        }
    }
}

/// Whether means were held against those under permuted labels.
fn has_null(of: &Decomposed<'_>) -> bool {
    of.value(&["null", "permutations"]).is_some()
}

/// A sentence, which begins with a capital.
fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

fn estimate(of: &Decomposed<'_>, group: &str, field: &str) -> Estimate {
    let end = |end| of.number(&["intervals", group, field, end], As::Nats);
    let not_found = of.numbers.is(&["intervals", group, field, "not_found"]);
    Estimate { mean: of.number(&[group, field], As::Nats), lower: end("lower"), upper: end("upper"), not_found }
}

fn null(of: &Decomposed<'_>, field: &str) -> Option<Null> {
    if !has_null(of) {
        return None;
    }
    let at = |what, how| of.number(&["null", field, what], how);
    Some(Null { observed: at("observed", As::Nats), mean: at("mean", As::Nats), p: at("p", As::Chance) })
}

pub(super) fn bar(of: &Decomposed<'_>, group: &str, part: Interaction, class: String, mark: Option<f64>) -> Bar {
    let end = |end| of.value(&["intervals", group, part.name(), end]);
    let value = of.value(&[group, part.name()]).unwrap_or(0.0);
    Bar { class, value, interval: end("lower").zip(end("upper")), mark }
}

fn figure(of: &Decomposed<'_>) -> Figure {
    let groups: Vec<(String, Vec<Bar>)> = Interaction::ALL
        .iter()
        .map(|part| {
            let chance = of.value(&["null", part.name(), "mean"]);
            let raw = bar(of, "raw", *part, format!("part-{part}"), chance);
            let adjusted = bar(of, "adjusted", *part, format!("part-{part} pale"), None);
            (symbol(*part).to_owned(), vec![raw, adjusted])
        })
        .collect();
    let entries = [entry("other", "raw (left)"), entry("other pale", "adjusted (right)")];
    let values =
        groups.iter().map(|(name, bars)| format!("{name} {:.3} raw, {:.3} adjusted", bars[0].value, bars[1].value));
    Figure {
        name: format!("{}-means", of.anchor),
        title: format!("Mean interactions of {}", of.name),
        description: format!("Bars with intervals, in nats: {}.", values.collect::<Vec<_>>().join("; ")),
        drawing: bars(&groups, "nats", &entries),
    }
}

fn caption(of: &Decomposed<'_>) -> String {
    let level = 100.0 * of.value(&["intervals", "level"]).unwrap_or(f64::NAN);
    let null = if has_null(of) { " The line across a raw bar is its mean under permuted labels." } else { "" };
    format!("Means over samples with {level:.0} % intervals.{null}")
}
