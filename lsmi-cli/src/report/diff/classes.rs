//! How the means of every class differ: a table to sort, and a heat map.

use std::cmp::Reverse;

use lsmi_core::Interaction;
use serde::Serialize;

use super::source::Source;
use crate::report::figure::Figure;
use crate::report::figure::heat_map::heat_map;
use crate::report::gallery::{Gallery, Shown};
use crate::report::number::{As, Number};
use lsmi_candle::analysis::diff::ClassDifference;
use lsmi_candle::analysis::diff::QUANTITIES;

/// Classes of the table, at most.
const LISTED: usize = 1_000;
/// Classes of the heat map, at most.
const DRAWN: usize = 40;
/// Classes of one side that are named, at most.
const NAMED: usize = 20;

/// The classes.
#[derive(Debug, Serialize)]
pub(super) struct Classes {
    rows: Vec<Row>,
    heat_map: Option<Shown>,
    /// What is not in the table, in sentences.
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Row {
    name: String,
    n: [Number; 2],
    /// Both means and their difference, for i12, r, u1, u2 and s.
    means: Vec<Both>,
}

#[derive(Debug, Serialize)]
struct Both {
    first: Number,
    second: Number,
    difference: Number,
    /// Whether the interval leaves 0 out.
    is_clear: bool,
}

impl Classes {
    pub(super) fn new(source: &Source<'_>, gallery: &mut Gallery) -> Self {
        let all = &source.diff.by_class;
        let listed = largest(all, LISTED);
        let mut notes = Vec::new();
        if listed.len() < all.len() {
            notes.push(format!("The {} largest of {} classes are listed; all are in diff.json.", LISTED, all.len()));
        }
        notes.extend(in_one(&source.diff.classes_in_one));
        Self {
            rows: listed.iter().map(|place| row(source, *place)).collect(),
            heat_map: (!all.is_empty()).then(|| figure(all, gallery)),
            notes,
        }
    }
}

/// The places of the classes with most samples, in the order of the classes.
fn largest(classes: &[(String, ClassDifference)], most: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..classes.len()).collect();
    places.sort_by_key(|place| (Reverse(classes[*place].1.n_first + classes[*place].1.n_second), *place));
    places.truncate(most);
    places.sort_unstable();
    places
}

/// That some classes are only in one of both.
fn in_one(names: &[String]) -> Option<String> {
    let named: Vec<&str> = names.iter().take(NAMED).map(String::as_str).collect();
    let more = names.len() - named.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!names.is_empty()).then(|| format!("Only one of both has samples of: {}{more}.", named.join(", ")))
}

fn row(source: &Source<'_>, place: usize) -> Row {
    let (name, class) = &source.diff.by_class[place];
    let at = |path: &[&str], how| source.number(&[&["by_class", name], path].concat(), how);
    let (information, parts) = (&class.means.information, &class.means.parts);
    let means = [information.i12, parts.r, parts.u1, parts.u2, parts.s];
    let difference = |(quantity, means): (&&str, &lsmi_candle::analysis::diff::TwoMeans)| Both {
        first: at(&[quantity, "first"], As::Nats),
        second: at(&[quantity, "second"], As::Nats),
        difference: at(&[quantity, "difference", "mean"], As::Signed),
        is_clear: means.is_clear(),
    };
    Row {
        name: name.clone(),
        n: ["n_first", "n_second"].map(|n| at(&[n], As::Count)),
        means: QUANTITIES[2..].iter().zip(&means).map(difference).collect(),
    }
}

fn figure(all: &[(String, ClassDifference)], gallery: &mut Gallery) -> Shown {
    let drawn = largest(all, DRAWN);
    let rows: Vec<(String, Vec<f64>)> = drawn
        .iter()
        .map(|place| {
            let (name, class) = &all[*place];
            let parts = &class.means.parts;
            (name.clone(), [parts.r, parts.u1, parts.u2, parts.s].map(|means| means.difference.mean).into())
        })
        .collect();
    let extremes = Interaction::ALL.iter().enumerate().filter_map(|(place, part)| {
        let (name, values) = rows.iter().max_by(|a, b| a.1[place].abs().total_cmp(&b.1[place].abs()))?;
        Some(format!("{part} of {name} ({:+.3})", values[place]))
    });
    let figure = Figure {
        name: "class-differences".to_owned(),
        title: "How the mean interactions differ by class, second less first".to_owned(),
        description: format!(
            "Heat map of the differences of mean r, u1, u2 and s of {} classes; the largest are {}.",
            rows.len(),
            extremes.collect::<Vec<_>>().join(", ")
        ),
        drawing: heat_map(&Interaction::ALL.map(|part| part.to_string()), &rows),
    };
    let more = match all.len() - drawn.len() {
        0 => String::new(),
        more => format!(" The largest {} classes; {more} more are not drawn.", drawn.len()),
    };
    let caption = format!(
        "Second less first, in nats; the stronger the colour, the larger the difference; falls in the other colour.{more}"
    );
    gallery.hang(figure, &caption)
}
