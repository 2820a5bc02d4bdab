//! What every set of modalities tells about the label: bars and a table.

use lsmi_core::Subset;
use serde::Serialize;

use super::source::Split;
use crate::report::figure::Figure;
use crate::report::figure::palette::COLOURS;
use crate::report::figure::rows::{Row as Bars, Span, rows};
use crate::report::gallery::{Gallery, Shown};
use crate::report::number::{As, Number};
use crate::tables::cells::nats;

/// Sets that are drawn, at most.
const DRAWN: usize = 31;

/// The information of the sets of a split.
#[derive(Debug, Serialize)]
pub(super) struct Information {
    rows: Vec<Row>,
    figure: Shown,
}

#[derive(Debug, Serialize)]
struct Row {
    set: String,
    names: String,
    information: Number,
    accuracy: Number,
    nll: Number,
}

impl Information {
    pub(super) fn new(split: &Split<'_>, gallery: &mut Gallery) -> Self {
        let rows = sets(split).into_iter().map(|set| {
            let name = set.to_string();
            Row {
                names: split.names(set),
                information: split.number(&["information", &format!("i{name}")], As::Nats),
                accuracy: split.number(&["accuracy", &name], As::Percent),
                nll: split.number(&["nll", &name], As::Nats),
                set: name,
            }
        });
        Self { rows: rows.collect(), figure: figure(split, gallery) }
    }
}

/// The sets whose information is known, the smaller before the larger.
fn sets(split: &Split<'_>) -> Vec<Subset> {
    let mut sets: Vec<Subset> = split.summary.information.keys().copied().collect();
    sets.sort_by_key(|set| (set.len(), set.to_string()));
    sets
}

fn figure(split: &Split<'_>, gallery: &mut Gallery) -> Shown {
    let sets = sets(split);
    let drawn = &sets[..sets.len().min(DRAWN)];
    let value = |set: &Subset| split.summary.information[set];
    let bars: Vec<Bars> = drawn
        .iter()
        .map(|set| Bars {
            name: format!("i{set}"),
            spans: vec![Span {
                // A colour for every size of sets.
                class: format!("c{}", (set.len() - 1) % COLOURS),
                from: 0.0,
                to: value(set),
                interval: interval(split, *set),
                shown: nats(value(set)),
            }],
        })
        .collect();
    let told: Vec<String> = drawn.iter().map(|set| format!("{} {}", split.names(*set), nats(value(set)))).collect();
    let figure = Figure {
        name: format!("{}-information", split.anchor),
        title: format!("Information of each set of modalities on {}", split.name),
        description: format!("Bars of mutual information in nats: {}.", told.join("; ")),
        drawing: rows(&bars, "mutual information (nats)", &[], false),
    };
    let more = match sets.len() - drawn.len() {
        0 => String::new(),
        more => format!(" {more} larger sets are in the table only."),
    };
    let caption = "What the modalities of a set tell together; i13 is that of the first and the third. Lines are 95 % \
                   intervals, of single modalities and pairs.";
    gallery.hang(figure, &format!("{caption}{more}"))
}

/// The interval of a set, which the analyses of pairs have for their modalities and for both.
fn interval(split: &Split<'_>, set: Subset) -> Option<(f64, f64)> {
    let (pair, summary) = split.summary.pairs.iter().find(|(pair, _)| pair.contains(set))?;
    let of = &summary.intervals.information;
    let found = if *pair == set {
        of.i12
    } else if pair.members().next() == set.members().next() {
        of.i1
    } else {
        of.i2
    };
    Some((found.interval.lower, found.interval.upper))
}
