//! The shared samples one by one: those of which an interaction differs most, and a table to sort and filter.

use std::collections::BTreeSet;

use lsmi_core::Interaction;
use serde::Serialize;

use super::source::{Source, column_of};
use crate::report::number::{As, Number, thousands};
use crate::report::pages::two::sections::samples::highest;

/// Rows of the table, at most.
const ROWS: usize = 300;

/// The samples.
#[derive(Debug, Serialize)]
pub(super) struct Changes {
    lists: Vec<List>,
    rows: Vec<Row>,
    /// Whether kinds are known.
    has_kinds: bool,
    note: String,
}

#[derive(Debug, Serialize)]
struct List {
    title: String,
    interaction: &'static str,
    cards: Vec<Card>,
}

#[derive(Debug, Serialize)]
struct Card {
    id: String,
    label: String,
    first: Number,
    second: Number,
    difference: Number,
}

#[derive(Debug, Serialize)]
struct Row {
    id: String,
    label: String,
    /// The kind in the first, and that in the second where it is another.
    kind: String,
    other_kind: Option<String>,
    /// How i12, r, u1, u2 and s differ.
    differences: Vec<Number>,
}

impl Changes {
    /// The samples of so many pairs of rows.
    pub(super) fn new(source: &Source<'_>, pairs: &[(usize, usize)]) -> Self {
        let places = chosen(source, pairs.len());
        let (shown, all) = (places.len(), thousands(&pairs.len().to_string()));
        let note = if shown == pairs.len() {
            format!("All {all} samples that are in both.")
        } else {
            format!(
                "{shown} of the {all} samples that are in both: those of which r, u1, u2 or s differs most. All are in \
                 differences.csv."
            )
        };
        Self {
            lists: lists(source),
            rows: places.iter().map(|place| row(source, *place, pairs[*place])).collect(),
            has_kinds: source.diff.kinds.is_some(),
            note,
        }
    }
}

fn difference(source: &Source<'_>, column: usize, place: usize) -> f64 {
    source.columns[1][column][place] - source.columns[0][column][place]
}

/// The pairs in the table, in their order.
fn chosen(source: &Source<'_>, pairs: usize) -> Vec<usize> {
    if pairs <= ROWS {
        return (0..pairs).collect();
    }
    let mut places = BTreeSet::new();
    for part in Interaction::ALL {
        let sizes: Vec<f64> = (0..pairs).map(|place| difference(source, column_of(part), place).abs()).collect();
        places.extend(highest(&sizes, ROWS / 4));
    }
    places.into_iter().collect()
}

/// The samples that `diff.json` names.
fn lists(source: &Source<'_>) -> Vec<List> {
    let list = |(part, changes): &(Interaction, Vec<lsmi_candle::analysis::diff::Change>)| {
        let card = |(place, change): (usize, &lsmi_candle::analysis::diff::Change)| {
            let place = place.to_string();
            let at = |field, how| source.number(&["largest", part.name(), &place, field], how);
            Card {
                id: change.id.clone(),
                label: change.label.clone(),
                first: at("first", As::Nats),
                second: at("second", As::Nats),
                difference: at("difference", As::Signed),
            }
        };
        let title = match part {
            Interaction::Redundancy => "Redundancy r",
            Interaction::Unique1 => "Uniqueness u1",
            Interaction::Unique2 => "Uniqueness u2",
            Interaction::Synergy => "Synergy s",
        };
        List {
            title: title.to_owned(),
            interaction: part.name(),
            cards: changes.iter().enumerate().map(card).collect(),
        }
    };
    source.diff.largest.iter().map(list).collect()
}

fn row(source: &Source<'_>, place: usize, (a, b): (usize, usize)) -> Row {
    let [first, second] = source.compared.sides();
    let kinds = first.kinds.as_ref().zip(second.kinds.as_ref()).map(|(first, second)| (first[a], second[b]));
    Row {
        id: first.ids[a].clone(),
        label: first.labels[a].clone(),
        kind: kinds.map_or_else(String::new, |(kind, _)| source.kind(kind)),
        other_kind: kinds.filter(|(kind, other)| kind != other).map(|(_, other)| source.kind(other)),
        differences: (2..7).map(|column| Number::signed(difference(source, column, place))).collect(),
    }
}
