//! The means of a split, raw and adjusted, with intervals and the null; and those of all splits beside each other.

use lsmi_core::{Interaction, Measure};
use serde::Serialize;

use crate::report::figure::Figure;
use crate::report::figure::bars::{Bar, bars, entry};
use crate::report::figure::palette::COLOURS;
use crate::report::number::{As, Number};
use crate::report::source::{Gallery, Shown, Source, Split, symbol};
use crate::tables::cells::{kind_in_words, shift};

/// The means of a split.
#[derive(Debug, Serialize)]
pub(crate) struct Means {
    n: Number,
    level: Number,
    permutations: Option<Number>,
    information: Vec<Row>,
    parts: Vec<Row>,
    s_minus_r: Option<Null>,
    shift: String,
    kinds: Vec<(String, usize)>,
    /// The measure that is shown, where it is not the one that kinds are made of.
    shown_measure: Option<String>,
    figure: Shown,
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
    pub(crate) fn new(split: &Split<'_>, gallery: &mut Gallery) -> Self {
        let source = split.source;
        let names = source.words().names;
        let summary = split.summary;
        let information = [
            ("i1", "I(x1;y)", format!("by {}", names.x1)),
            ("i2", "I(x2;y)", format!("by {}", names.x2)),
            ("i12", "I(x1,x2;y)", "by both together".to_owned()),
        ];
        let rows = information.map(|(field, symbol, meaning)| Row {
            symbol: symbol.to_owned(),
            meaning,
            raw: estimate(split, "information", field),
            adjusted: None,
            null: null(split, field),
        });
        let parts = Interaction::ALL.map(|part| Row {
            symbol: symbol(part).to_owned(),
            meaning: source.meaning(part),
            raw: estimate(split, "raw", part.name()),
            adjusted: Some(estimate(split, "adjusted", part.name())),
            null: null(split, part.name()),
        });
        let measure = source.folder.summary.measure;
        let counted = summary.kinds.iter().filter(|(_, count)| *count > 0);
        Self {
            n: split.number(&["n"], As::Count),
            level: split.number(&["intervals", "level"], As::Percent),
            permutations: summary.null.as_ref().map(|_| split.number(&["null", "permutations"], As::Count)),
            information: rows.into(),
            parts: parts.into(),
            s_minus_r: null(split, "s_minus_r"),
            shift: capitalised(&shift(&summary.adjusted)),
            kinds: counted.map(|(kind, count)| (kind_in_words(source.words(), *kind), *count)).collect(),
            shown_measure: (measure != Measure::Ccs).then(|| measure.to_string()),
            figure: gallery.hang(figure(split), &caption(split)),
        }
    }
}

/// A sentence, which begins with a capital.
fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

fn estimate(split: &Split<'_>, group: &str, field: &str) -> Estimate {
    let end = |end| split.number(&["intervals", group, field, end], As::Nats);
    let not_found = split.is(&["intervals", group, field, "not_found"]);
    Estimate { mean: split.number(&[group, field], As::Nats), lower: end("lower"), upper: end("upper"), not_found }
}

fn null(split: &Split<'_>, field: &str) -> Option<Null> {
    split.summary.null.as_ref()?;
    let of = |what, how| split.number(&["null", field, what], how);
    Some(Null { observed: of("observed", As::Nats), mean: of("mean", As::Nats), p: of("p", As::Chance) })
}

fn bar(split: &Split<'_>, group: &str, part: Interaction, class: String, mark: Option<f64>) -> Bar {
    let end = |end| split.value(&["intervals", group, part.name(), end]);
    let value = split.value(&[group, part.name()]).unwrap_or(0.0);
    Bar { class, value, interval: end("lower").zip(end("upper")), mark }
}

fn figure(split: &Split<'_>) -> Figure {
    let groups: Vec<(String, Vec<Bar>)> = Interaction::ALL
        .iter()
        .map(|part| {
            let chance = split.value(&["null", part.name(), "mean"]);
            let raw = bar(split, "raw", *part, format!("part-{part}"), chance);
            let adjusted = bar(split, "adjusted", *part, format!("part-{part} pale"), None);
            (symbol(*part).to_owned(), vec![raw, adjusted])
        })
        .collect();
    let entries = [entry("other", "raw (left)"), entry("other pale", "adjusted (right)")];
    let values =
        groups.iter().map(|(name, bars)| format!("{name} {:.3} raw, {:.3} adjusted", bars[0].value, bars[1].value));
    Figure {
        name: format!("{}-means", split.anchor),
        title: format!("Mean interactions of {}", split.name),
        description: format!("Bars with intervals, in nats: {}.", values.collect::<Vec<_>>().join("; ")),
        drawing: bars(&groups, "nats", &entries),
    }
}

fn caption(split: &Split<'_>) -> String {
    let level = 100.0 * split.summary.intervals.level;
    let null =
        if split.summary.null.is_some() { " The line across a raw bar is its mean under permuted labels." } else { "" };
    format!("Means over samples with {level:.0} % intervals.{null}")
}

/// All splits beside each other.
#[derive(Debug, Serialize)]
pub(crate) struct Beside {
    rows: Vec<BesideRow>,
    figure: Shown,
}

#[derive(Debug, Serialize)]
struct BesideRow {
    name: String,
    anchor: String,
    n: Number,
    i12: Number,
    raw: Vec<Number>,
    adjusted: Vec<Number>,
    accuracy: Number,
}

impl Beside {
    /// The comparison, where there is more than one split.
    pub(crate) fn new(source: Source<'_>, splits: &[Split<'_>], gallery: &mut Gallery) -> Option<Self> {
        if splits.len() < 2 {
            return None;
        }
        let rows = splits.iter().map(|split| {
            let parts = |group| Interaction::ALL.map(|part| split.number(&[group, part.name()], As::Nats)).into();
            BesideRow {
                name: split.name.to_owned(),
                anchor: split.anchor.clone(),
                n: split.number(&["n"], As::Count),
                i12: split.number(&["information", "i12"], As::Nats),
                raw: parts("raw"),
                adjusted: parts("adjusted"),
                accuracy: split.number(&["accuracy", "joint"], As::Percent),
            }
        });
        let (drawn, left_out) = splits.split_at(splits.len().min(COLOURS));
        let groups: Vec<(String, Vec<Bar>)> = Interaction::ALL
            .iter()
            .map(|part| {
                let of_split =
                    |(place, split): (usize, &Split<'_>)| bar(split, "raw", *part, format!("c{place}"), None);
                (symbol(*part).to_owned(), drawn.iter().enumerate().map(of_split).collect())
            })
            .collect();
        let entries: Vec<_> =
            drawn.iter().enumerate().map(|(place, split)| entry(&format!("c{place}"), split.name)).collect();
        let names: Vec<&str> = drawn.iter().map(|split| split.name).collect();
        let figure = Figure {
            name: "splits".to_owned(),
            title: "Raw means of all splits".to_owned(),
            description: format!(
                "Bars of R, U1, U2 and S with intervals for {}; the values stand in the table.",
                names.join(", ")
            ),
            drawing: bars(&groups, "nats (raw)", &entries),
        };
        let more = match left_out.len() {
            0 => String::new(),
            more => format!(" {more} more splits are in the table only."),
        };
        let gauge = source.folder.summary.gauge;
        let caption = format!("Raw means with intervals, one bar a split; all in the same {gauge} gauge.{more}");
        Some(Self { rows: rows.collect(), figure: gallery.hang(figure, &caption) })
    }
}
