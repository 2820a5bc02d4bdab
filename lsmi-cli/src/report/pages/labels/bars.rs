//! What is told about each label, and how, as bars with intervals.

use lsmi_candle::analysis::labels::LabelRow;
use lsmi_candle::analysis::summary::MeanInterval;
use lsmi_core::Interaction;

use super::{Split, table};
use crate::report::decomposed::symbol;
use crate::report::figure::Figure;
use crate::report::figure::bars::entry;
use crate::report::figure::rows::{Row, Span, rows};
use crate::report::gallery::{Gallery, Shown};
use crate::tables::cells::nats;

/// Labels that are drawn, at most.
const DRAWN: usize = 16;

/// Adjusted R, U1, U2 and S of each label.
pub(super) fn parts(split: &Split<'_>, gallery: &mut Gallery) -> Shown {
    let bars = Interaction::ALL.map(|part| Series {
        symbol: symbol(part),
        class: format!("part-{part}"),
        value: Box::new(move |row| table::adjusted(row, part)),
        interval: Box::new(move |intervals| {
            let of = intervals.adjusted;
            match part {
                Interaction::Redundancy => of.r,
                Interaction::Unique1 => of.u1,
                Interaction::Unique2 => of.u2,
                Interaction::Synergy => of.s,
            }
        }),
    });
    let figure = Figure {
        name: format!("{}-parts", split.anchor),
        title: format!("Adjusted interactions by label on {}", split.name),
        description: described(split, &bars),
        drawing: drawn(split, &bars, "adjusted mean (nats)"),
    };
    gallery.hang(figure, &caption(split, "How it is told: adjusted means"))
}

/// The information of each label.
pub(super) fn information(split: &Split<'_>, gallery: &mut Gallery) -> Shown {
    let names = &split.source.summary.names;
    let bars = [
        Series {
            symbol: names.x1.as_str(),
            class: "c4".to_owned(),
            value: Box::new(|row| row.information.i1),
            interval: Box::new(|of| of.information.i1),
        },
        Series {
            symbol: names.x2.as_str(),
            class: "c5".to_owned(),
            value: Box::new(|row| row.information.i2),
            interval: Box::new(|of| of.information.i2),
        },
        Series {
            symbol: "both together",
            class: "other".to_owned(),
            value: Box::new(|row| row.information.i12),
            interval: Box::new(|of| of.information.i12),
        },
    ];
    let figure = Figure {
        name: format!("{}-information", split.anchor),
        title: format!("Information about each label on {}", split.name),
        description: described(split, &bars),
        drawing: drawn(split, &bars, "mutual information (nats)"),
    };
    gallery.hang(figure, &caption(split, "What is told: mutual information"))
}

/// A bar of every label.
struct Series<'s> {
    symbol: &'s str,
    class: String,
    value: Box<dyn Fn(&LabelRow) -> f64>,
    interval: Box<dyn Fn(&lsmi_candle::analysis::summary::Intervals) -> MeanInterval>,
}

fn drawn(split: &Split<'_>, series: &[Series<'_>], label: &str) -> crate::report::figure::Drawing {
    let of_label = |(_, row): &&(usize, &LabelRow)| {
        let of = split.source.summary.labels.iter().find(|(name, _)| *name == row.label);
        let of = of.and_then(|(_, of)| of.splits.iter().find(|(name, _)| *name == row.split));
        let span = |series: &Series<'_>| Span {
            class: series.class.clone(),
            from: 0.0,
            to: (series.value)(row),
            interval: of.map(|(_, split)| (series.interval)(&split.intervals).interval).map(|of| (of.lower, of.upper)),
            shown: String::new(),
        };
        Row { name: row.label.clone(), spans: series.iter().map(span).collect() }
    };
    let bars: Vec<Row> = split.most_told(DRAWN).iter().map(of_label).collect();
    let entries: Vec<_> = series.iter().map(|series| entry(&series.class, series.symbol)).collect();
    rows(&bars, label, &entries, false)
}

fn described(split: &Split<'_>, series: &[Series<'_>]) -> String {
    let of_label = |(_, row): &&(usize, &LabelRow)| {
        let values = series.iter().map(|series| format!("{} {}", series.symbol, nats((series.value)(row))));
        format!("{}: {}", row.label, values.collect::<Vec<_>>().join(", "))
    };
    let labels: Vec<String> = split.most_told(DRAWN).iter().map(of_label).collect();
    format!("Bars with intervals by label, in nats. {}.", labels.join("; "))
}

fn caption(split: &Split<'_>, what: &str) -> String {
    let more = match split.rows.len().saturating_sub(DRAWN) {
        0 => String::new(),
        more => format!(" The {DRAWN} labels about which most is told; {more} more are in the table."),
    };
    format!("{what} by label, with 95 % intervals.{more}")
}
