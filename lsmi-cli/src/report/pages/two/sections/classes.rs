//! The classes of a split: a table to sort, and a heat map.

use lsmi_core::Interaction;
use serde::Serialize;

use crate::report::figure::Figure;
use crate::report::figure::heat_map::heat_map;
use crate::report::gallery::{Gallery, Shown};
use crate::report::number::{As, Number};
use crate::report::pages::two::source::Split;

/// Classes of the table, at most.
const LISTED: usize = 1_000;
/// Classes of the heat map, at most.
const DRAWN: usize = 40;

/// The classes of a split.
#[derive(Debug, Serialize)]
pub(crate) struct Classes {
    rows: Vec<Row>,
    heat_map: Shown,
    has_q: bool,
    /// That classes were left out, where they were.
    left_out: Option<String>,
}

#[derive(Debug, Serialize)]
struct Row {
    name: String,
    n: Number,
    parts: Vec<Number>,
    accuracy: Vec<Number>,
    q: Option<Number>,
}

impl Classes {
    pub(crate) fn new(split: &Split<'_>, gallery: &mut Gallery) -> Self {
        let by_class = &split.summary.by_class;
        let listed = most_frequent(split, LISTED);
        let has_q = split.summary.null.is_some();
        let row = |place: &usize| {
            let name = by_class[*place].0.as_str();
            let at = |path: &[&str], how| split.number(&[&["by_class", name], path].concat(), how);
            Row {
                name: name.to_owned(),
                n: at(&["n"], As::Count),
                parts: Interaction::ALL.map(|part| at(&["raw", part.name()], As::Nats)).into(),
                accuracy: ["x1", "x2", "joint"].map(|head| at(&["accuracy", head], As::Percent)).into(),
                q: has_q.then(|| split.number(&["null", "by_class", name, "i12", "q"], As::Chance)),
            }
        };
        let (shown, all) = (listed.len(), by_class.len());
        let left_out =
            (shown < all).then(|| format!("The {shown} largest of {all} classes are listed; all are in summary.json."));
        Self { rows: listed.iter().map(row).collect(), heat_map: figure(split, gallery), has_q, left_out }
    }
}

/// The places of the classes with most samples, in the order of the classes.
fn most_frequent(split: &Split<'_>, most: usize) -> Vec<usize> {
    let by_class = &split.summary.by_class;
    let mut places: Vec<usize> = (0..by_class.len()).collect();
    places.sort_by_key(|place| (std::cmp::Reverse(by_class[*place].1.n), *place));
    places.truncate(most);
    places.sort_unstable();
    places
}

fn figure(split: &Split<'_>, gallery: &mut Gallery) -> Shown {
    let by_class = &split.summary.by_class;
    let drawn = most_frequent(split, DRAWN);
    let rows: Vec<(String, Vec<f64>)> = drawn
        .iter()
        .map(|place| {
            let (name, class) = &by_class[*place];
            (name.clone(), vec![class.raw.r, class.raw.u1, class.raw.u2, class.raw.s])
        })
        .collect();
    let columns = Interaction::ALL.map(|part| format!("mean {part}"));
    let largest = |place: usize| rows.iter().max_by(|a, b| a.1[place].total_cmp(&b.1[place]));
    let extremes = Interaction::ALL.iter().enumerate().filter_map(|(place, part)| {
        largest(place).map(|(name, values)| format!("{part} of {name} ({:.3})", values[place]))
    });
    let figure = Figure {
        name: format!("{}-classes", split.anchor),
        title: format!("Mean interactions by class of {}", split.name),
        description: format!(
            "Heat map of mean r, u1, u2 and s of {} classes; the largest are {}.",
            rows.len(),
            extremes.collect::<Vec<_>>().join(", ")
        ),
        drawing: heat_map(&columns, &rows),
    };
    let more = match by_class.len() - drawn.len() {
        0 => String::new(),
        more => format!(" The largest {} classes; {more} more are not drawn.", drawn.len()),
    };
    gallery.hang(
        figure,
        &format!(
            "Means in nats; the stronger the colour, the farther from 0; negative ones in the other colour.{more}"
        ),
    )
}
