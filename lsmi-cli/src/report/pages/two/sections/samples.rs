//! The samples that are shown one by one: the most telling of each kind, and a table to sort and filter.

use std::collections::BTreeSet;

use lsmi_core::{Interaction, Kind};
use serde::Serialize;

use crate::report::decomposed::place_of;
use crate::report::number::{Number, thousands};
use crate::report::pages::two::folder::Samples;
use crate::report::pages::two::source::{Source, Split};
use crate::tables::cells::kind_in_words;
use lsmi_candle::samples::exemplars::{kind_of, of_kind};

/// Rows of all tables of samples of a page, and of one at least.
const ROWS_OF_PAGE: usize = 300;
const ROWS: usize = 60;

/// Which rows of a split are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selection {
    /// The most telling of each interaction.
    telling: [Vec<usize>; 4],
    /// The rows of the table.
    rows: Vec<usize>,
    /// How many of each interaction the table has; none where it has all samples.
    of_each: Option<usize>,
}

impl Selection {
    /// The rows of one of so many splits.
    pub(crate) fn new(samples: &Samples, splits: usize) -> Self {
        let telling =
            Interaction::ALL.map(|part| of_kind(kind_of(part), &samples.kinds, samples.values(part), &samples.labels));
        let most = (ROWS_OF_PAGE / splits.max(1)).max(ROWS);
        if samples.len() <= most {
            return Self { telling, rows: (0..samples.len()).collect(), of_each: None };
        }
        let each = most / 5;
        let mut rows: BTreeSet<usize> = BTreeSet::new();
        for part in Interaction::ALL {
            rows.extend(highest(samples.values(part), each));
        }
        let untold: Vec<f64> = (0..samples.len()).map(|row| -told(samples, row)).collect();
        rows.extend(highest(&untold, each));
        Self { telling, rows: rows.into_iter().collect(), of_each: Some(each) }
    }

    /// The rows that are shown, with and without a picture.
    pub(crate) fn all(&self) -> impl Iterator<Item = usize> {
        self.with_picture().chain(self.rows.iter().copied())
    }

    /// The rows that are shown with a picture.
    pub(crate) fn with_picture(&self) -> impl Iterator<Item = usize> {
        self.telling.iter().flatten().copied()
    }
}

/// r + u1 + u2 + s, which is i12.
fn told(samples: &Samples, row: usize) -> f64 {
    samples.parts.iter().map(|values| values[row]).sum()
}

/// The rows of the highest values; of equals the first.
pub(crate) fn highest(values: &[f64], count: usize) -> Vec<usize> {
    let mut rows: Vec<usize> = (0..values.len()).collect();
    let falling = |a: &usize, b: &usize| values[*b].total_cmp(&values[*a]).then(a.cmp(b));
    if count < rows.len() {
        rows.select_nth_unstable_by(count, falling);
        rows.truncate(count);
    }
    rows.sort_unstable_by(falling);
    rows
}

/// The samples of a split as they are shown.
#[derive(Debug, Serialize)]
pub(crate) struct Listed {
    lists: Vec<List>,
    rows: Vec<Row>,
    kinds: Vec<String>,
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
    text: Option<String>,
    picture: Option<String>,
    id: String,
    label: String,
    value: Number,
}

#[derive(Debug, Serialize)]
struct Row {
    text: Option<String>,
    id: String,
    label: String,
    prediction: String,
    is_right: bool,
    kind: String,
    parts: Vec<Number>,
}

impl Listed {
    pub(crate) fn new(split: &Split<'_>, selection: &Selection) -> Self {
        let source = split.source;
        let lists = Interaction::ALL.map(|part| List {
            title: list_title(&source, part),
            interaction: part.name(),
            cards: selection.telling[place_of(part)].iter().map(|row| card(split, part, *row)).collect(),
        });
        let (shown, all) = (selection.rows.len(), split.samples.len());
        let all = thousands(&all.to_string());
        let note = match selection.of_each {
            None => format!("All {all} samples of {}.", split.name),
            Some(each) => format!(
                "{shown} of the {all} samples of {}: the {each} highest in each of r, u1, u2 and s, and the {each} \
                 about whose class least is told. All are in the file of samples.",
                split.name
            ),
        };
        let present = |kind: &Kind| selection.rows.iter().any(|row| split.samples.kinds[*row] == *kind);
        let kinds = Kind::ALL.into_iter().filter(present).map(|kind| kind_name(&source, kind)).collect();
        Self { lists: lists.into(), rows: selection.rows.iter().map(|at| row(split, *at)).collect(), kinds, note }
    }
}

fn list_title(source: &Source<'_>, part: Interaction) -> String {
    match part {
        Interaction::Redundancy => "Most redundant".to_owned(),
        Interaction::Synergy => "Most synergistic".to_owned(),
        part => format!("Most {}", kind_in_words(source.words(), kind_of(part))),
    }
}

fn kind_name(source: &Source<'_>, kind: Kind) -> String {
    if kind == Kind::None { "none of these".to_owned() } else { kind_in_words(source.words(), kind) }
}

fn class<'a>(split: &Split<'a>, index: u32) -> &'a str {
    &split.source.folder.summary.classes[index as usize]
}

fn card(split: &Split<'_>, part: Interaction, row: usize) -> Card {
    let (samples, id) = (split.samples, &split.samples.ids[row]);
    let known = split.source.illustrations.of(split.name, id);
    Card {
        text: known.and_then(|known| known.text.clone()),
        picture: known.and_then(|known| known.picture.clone()),
        id: id.clone(),
        label: class(split, samples.labels[row]).to_owned(),
        value: Number::nats(samples.values(part)[row]),
    }
}

fn row(split: &Split<'_>, row: usize) -> Row {
    let (samples, id) = (split.samples, &split.samples.ids[row]);
    let (label, prediction) = (samples.labels[row], samples.predictions[row]);
    Row {
        text: split.source.illustrations.of(split.name, id).and_then(|known| known.text.clone()),
        id: id.clone(),
        label: class(split, label).to_owned(),
        prediction: class(split, prediction).to_owned(),
        is_right: label == prediction,
        kind: kind_name(&split.source, samples.kinds[row]),
        parts: samples.parts.iter().map(|values| Number::nats(values[row])).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_come_first() {
        assert_eq!(highest(&[1.0, 3.0, 2.0, 3.0], 3), [1, 3, 2]);
        assert_eq!(highest(&[1.0, 3.0], 5), [1, 0]);
    }

    #[test]
    fn large_splits_are_shown_in_part() {
        let values: Vec<f64> = (0..1000).map(|row| f64::from(row) / 100.0).collect();
        let samples = Samples {
            ids: (0..1000).map(|row| row.to_string()).collect(),
            labels: vec![0; 1000],
            predictions: vec![0; 1000],
            kinds: vec![Kind::Redundant; 1000],
            parts: std::array::from_fn(|_| values.clone()),
        };
        let selection = Selection::new(&samples, 1);
        assert_eq!(selection.telling[0], [999, 998, 997, 996, 995]);
        assert!(selection.telling[1].is_empty());
        // The same 60 are highest in all, and the first 60 are those of least.
        assert_eq!(selection.rows, (0..60).chain(940..1000).collect::<Vec<_>>());
        assert_eq!(Selection::new(&samples, 3).of_each, Some(20));
    }
}
