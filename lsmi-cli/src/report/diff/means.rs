//! The seven means, how they differ, and figures of both.

use lsmi_core::Interaction;
use serde::Serialize;

use super::source::Source;
use crate::report::decomposed::{meaning, symbol};
use crate::report::figure::Figure;
use crate::report::figure::bars::{Bar, bars, entry};
use crate::report::gallery::{Gallery, Shown};
use crate::report::number::{As, Number};
use lsmi_candle::analysis::diff::QUANTITIES;

/// The means.
#[derive(Debug, Serialize)]
pub(super) struct Means {
    level: Number,
    rows: Vec<Row>,
    figures: [Shown; 2],
}

/// A quantity: its means, their difference, and the interval of that.
#[derive(Debug, Serialize)]
struct Row {
    symbol: String,
    class: &'static str,
    meaning: String,
    first: Number,
    second: Number,
    difference: Number,
    interval: Ends,
    correlation: Option<Number>,
}

#[derive(Debug, Serialize)]
struct Ends {
    lower: Number,
    upper: Number,
}

impl Means {
    pub(super) fn new(source: &Source<'_>, gallery: &mut Gallery) -> Self {
        let names = &source.names;
        let information = [
            ("I(x1;y)", format!("by {}", names.x1)),
            ("I(x2;y)", format!("by {}", names.x2)),
            ("I(x1,x2;y)", "by both together".to_owned()),
        ]
        .map(|(symbol, meaning)| (symbol, "symbol", meaning));
        let parts = Interaction::ALL.map(|part| (symbol(part), part.name(), meaning(names, part)));
        let rows =
            QUANTITIES.iter().zip(information.into_iter().chain(parts)).map(|(name, (symbol, class, meaning))| {
                let at = |path: &[&str], how| source.number(&[&["means", name], path].concat(), how);
                Row {
                    symbol: symbol.to_owned(),
                    class,
                    meaning,
                    first: at(&["first"], As::Nats),
                    second: at(&["second"], As::Nats),
                    difference: at(&["difference", "mean"], As::Signed),
                    interval: Ends {
                        lower: at(&["difference", "lower"], As::Signed),
                        upper: at(&["difference", "upper"], As::Signed),
                    },
                    correlation: source.diff.correlation.map(|_| source.number(&["correlation", name], As::Nats)),
                }
            });
        Self {
            level: source.number(&["level"], As::Percent),
            rows: rows.collect(),
            figures: [both(source, gallery), differences(source, gallery)],
        }
    }
}

/// Both means of every interaction.
fn both(source: &Source<'_>, gallery: &mut Gallery) -> Shown {
    let parts = &source.diff.means.parts;
    let groups: Vec<(String, Vec<Bar>)> = [parts.r, parts.u1, parts.u2, parts.s]
        .iter()
        .zip(Interaction::ALL)
        .map(|(means, part)| {
            let bar = |value, class| Bar { class, value, interval: None, mark: None };
            let first = bar(means.first, format!("part-{part} pale"));
            (symbol(part).to_owned(), vec![first, bar(means.second, format!("part-{part}"))])
        })
        .collect();
    let told = groups.iter().map(|(name, of)| format!("{name} {:.3} and {:.3}", of[0].value, of[1].value));
    let figure = Figure {
        name: "both-means".to_owned(),
        title: "Mean interactions of the first and the second".to_owned(),
        description: format!("Bars, in nats: {}.", told.collect::<Vec<_>>().join("; ")),
        drawing: bars(&groups, "nats", &[entry("other pale", "first (left)"), entry("other", "second (right)")]),
    };
    gallery.hang(figure, "Means over the samples that are compared.")
}

/// How the means of all seven differ.
fn differences(source: &Source<'_>, gallery: &mut Gallery) -> Shown {
    let (information, parts) = (&source.diff.means.information, &source.diff.means.parts);
    let means = [information.i1, information.i2, information.i12, parts.r, parts.u1, parts.u2, parts.s];
    let classes = ["other", "other", "other", "part-r", "part-u1", "part-u2", "part-s"];
    let groups: Vec<(String, Vec<Bar>)> = QUANTITIES
        .iter()
        .zip(means.iter().zip(classes))
        .map(|(name, (means, class))| {
            let difference = means.difference;
            let interval = Some((difference.lower, difference.upper));
            (name.to_uppercase(), vec![Bar { class: class.to_owned(), value: difference.mean, interval, mark: None }])
        })
        .collect();
    let told = groups.iter().map(|(name, bars)| {
        let (low, high) = bars[0].interval.unwrap_or_default();
        format!("{name} {:+.3} ({low:+.3} to {high:+.3})", bars[0].value)
    });
    let figure = Figure {
        name: "mean-differences".to_owned(),
        title: "How the means differ, second less first".to_owned(),
        description: format!("Bars with intervals, in nats: {}.", told.collect::<Vec<_>>().join("; ")),
        drawing: bars(&groups, "second less first, nats", &[]),
    };
    let level = 100.0 * source.diff.level;
    let caption =
        format!("Second less first with {level:.0} % intervals. I1, I2 and I12 are I(x1;y), I(x2;y) and I(x1,x2;y).");
    gallery.hang(figure, &caption)
}
