//! Shapley values of the modalities and interaction indices of pairs: bars and a table.

use serde::Serialize;

use super::source::Split;
use crate::report::figure::Figure;
use crate::report::figure::rows::{Row as Bars, Span, rows};
use crate::report::gallery::{Gallery, Shown};
use crate::report::number::{As, Number};
use crate::tables::cells::{nats, signed};

/// What every modality contributes to what all tell, and how pairs interact.
#[derive(Debug, Serialize)]
pub(super) struct ShapleySection {
    figure: Shown,
    of_modalities: Vec<Row>,
    of_pairs: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    name: String,
    mean: Number,
}

impl ShapleySection {
    /// The section, where every set has a head.
    pub(super) fn new(split: &Split<'_>, gallery: &mut Gallery) -> Option<Self> {
        let of = split.summary;
        if of.shapley.is_empty() {
            return None;
        }
        let values = (1..).zip(split.modalities()).map(|(place, name)| Row {
            name: name.clone(),
            mean: split.number(&["shapley", &format!("x{place}")], As::Nats),
        });
        let interactions = of.interaction.keys().map(|pair| Row {
            name: split.names(*pair),
            mean: split.number(&["interaction", &pair.to_string()], As::Signed),
        });
        Some(Self {
            of_modalities: values.collect(),
            of_pairs: interactions.collect(),
            figure: gallery.hang(figure(split), CAPTION),
        })
    }
}

const CAPTION: &str = "Upper bars: Shapley values, which sum up to what all modalities tell. Lower bars: interactions of pairs, above 0 \
                       where two tell more together than one by one, below 0 where they tell the same.";

fn figure(split: &Split<'_>) -> Figure {
    let of = split.summary;
    let bar = |name: String, class: &str, value: f64, shown: String| Bars {
        name,
        spans: vec![Span { class: class.to_owned(), from: 0.0, to: value, interval: None, shown }],
    };
    let values = (1..).zip(split.modalities()).filter_map(|(place, name)| {
        let value = *of.shapley.get(&format!("x{place}"))?;
        Some(bar(name.clone(), &class_of(place - 1), value, nats(value)))
    });
    let interactions = of.interaction.iter().map(|(pair, value)| {
        let class = if *value < 0.0 { "other pale edge" } else { "other" };
        let members = pair.members().filter_map(|place| split.modalities().get(place)).cloned();
        bar(members.collect::<Vec<String>>().join(" × "), class, *value, signed(*value))
    });
    let bars: Vec<Bars> = values.chain(interactions).collect();
    let told = bars.iter().map(|bar| format!("{} {}", bar.name, bar.spans[0].shown)).collect::<Vec<_>>().join("; ");
    Figure {
        name: format!("{}-shapley", split.anchor),
        title: format!("Shapley values and interactions on {}", split.name),
        description: format!("Bars in nats: {told}."),
        drawing: rows(&bars, "mean (nats)", &[], false),
    }
}

/// The class of a modality's colour.
pub(super) fn class_of(place: usize) -> String {
    format!("c{}", place % crate::report::figure::palette::COLOURS)
}
