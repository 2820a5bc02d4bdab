//! The splits beside each other.

use lsmi_core::Interaction;
use serde::Serialize;

use crate::report::decomposed::symbol;
use crate::report::figure::Figure;
use crate::report::figure::bars::{Bar, bars, entry};
use crate::report::figure::palette::COLOURS;
use crate::report::gallery::{Gallery, Shown};
use crate::report::number::{As, Number};
use crate::report::pages::means::bar;
use crate::report::pages::two::source::{Source, Split};

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
                let of_split = |(place, split): (usize, &Split<'_>)| {
                    bar(&split.decomposed(), "raw", *part, format!("c{place}"), None)
                };
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
