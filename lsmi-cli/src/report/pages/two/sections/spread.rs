//! How r, u1, u2 and s are spread over the samples: their distributions, and one against the other by class.

use lsmi_core::Interaction;
use serde::Serialize;

use crate::report::figure::Figure;
use crate::report::figure::axis::with_room;
use crate::report::figure::palette::COLOURS;
use crate::report::figure::scatter::{Points, scatter};
use crate::report::gallery::{Gallery, Shown};
use crate::report::number::thousands;
use crate::report::pages::distributions::{distributions, range};
use crate::report::pages::two::source::Split;
use crate::report::thinned::thinned;

/// Points of all scatter plots of a page, and of a single one, at most.
const POINTS_OF_PAGE: usize = 16_000;
const POINTS: usize = 2_000;

/// The figures of a split.
#[derive(Debug, Serialize)]
pub(crate) struct Spread {
    distributions: Vec<Shown>,
    scatters: Vec<Shown>,
    /// That points were left out, where they were.
    thinned: Option<String>,
}

impl Spread {
    /// The figures of one of so many splits.
    pub(crate) fn new(split: &Split<'_>, splits: usize, gallery: &mut Gallery) -> Self {
        let samples = split.samples;
        let ranges = Interaction::ALL.map(|part| range(samples.values(part)));
        let distributions = distributions(&split.decomposed(), &samples.parts, gallery);
        let groups = Groups::new(split);
        let rows = thinned(samples.len(), POINTS.min(POINTS_OF_PAGE / (2 * splits)).max(200));
        let pairs = [(Interaction::Redundancy, Interaction::Synergy), (Interaction::Unique1, Interaction::Unique2)];
        let scatters = pairs.map(|pair| against(split, pair, &groups, &rows, pair_of(&ranges, pair), gallery)).into();
        let (drawn, of) = (thousands(&rows.len().to_string()), thousands(&samples.len().to_string()));
        let thinned = (rows.len() < samples.len()).then(|| {
            format!("Thinned: each plot draws {drawn} of {of} samples, evenly spread over the file. Means, histograms and tables are of all.")
        });
        Self { distributions, scatters, thinned }
    }
}

fn pair_of(ranges: &[(f64, f64); 4], (x, y): (Interaction, Interaction)) -> [(f64, f64); 2] {
    [x, y].map(|part| with_room(ranges[crate::report::decomposed::place_of(part)]))
}

/// The classes that have a colour, the most frequent first, and the place of every class among them.
struct Groups<'a> {
    names: Vec<&'a str>,
    of_class: Vec<usize>,
    /// What all others are called together, where there are any.
    others: Option<String>,
}

impl<'a> Groups<'a> {
    fn new(split: &Split<'a>) -> Self {
        let classes = &split.source.folder.summary.classes;
        let mut counts = vec![0_usize; classes.len()];
        for label in &split.samples.labels {
            counts[*label as usize] += 1;
        }
        let mut present: Vec<usize> = (0..classes.len()).filter(|class| counts[*class] > 0).collect();
        present.sort_by_key(|class| (std::cmp::Reverse(counts[*class]), *class));
        let coloured = &present[..present.len().min(COLOURS)];
        let mut of_class = vec![coloured.len(); classes.len()];
        for (place, class) in coloured.iter().enumerate() {
            of_class[*class] = place;
        }
        Self {
            names: coloured.iter().map(|class| classes[*class].as_str()).collect(),
            of_class,
            others: match &present[coloured.len()..] {
                [] => None,
                [only] => Some(classes[*only].clone()),
                others => Some(format!("{} other classes", others.len())),
            },
        }
    }

    /// The points of each group.
    fn points(&self, split: &Split<'_>, rows: &[usize], (x, y): (&[f64], &[f64])) -> Vec<Points> {
        let mut groups: Vec<Points> =
            self.names.iter().map(|name| Points { name: (*name).to_owned(), points: Vec::new() }).collect();
        groups.extend(self.others.iter().map(|name| Points { name: name.clone(), points: Vec::new() }));
        for row in rows {
            groups[self.of_class[split.samples.labels[*row] as usize]].points.push((x[*row], y[*row]));
        }
        groups
    }
}

fn against(
    split: &Split<'_>,
    (x, y): (Interaction, Interaction),
    groups: &Groups<'_>,
    rows: &[usize],
    [x_range, y_range]: [(f64, f64); 2],
    gallery: &mut Gallery,
) -> Shown {
    let values = (split.samples.values(x), split.samples.values(y));
    let is_beyond = |row: &&usize| {
        let (x, y) = (values.0[**row], values.1[**row]);
        x < x_range.0 || x > x_range.1 || y < y_range.0 || y > y_range.1
    };
    let beyond = rows.iter().filter(is_beyond).count();
    let label = |part: Interaction| format!("{part}, {} (nats)", split.source.meaning(part));
    let figure = Figure {
        name: format!("{}-{x}-{y}", split.anchor),
        title: format!("{y} against {x} of the samples of {}", split.name),
        description: format!(
            "Scatter plot of {} samples by class; {} has the mean {:.3} and {} the mean {:.3} nats.",
            rows.len(),
            label(x),
            split.value(&["raw", x.name()]).unwrap_or(f64::NAN),
            label(y),
            split.value(&["raw", y.name()]).unwrap_or(f64::NAN),
        ),
        drawing: scatter(&groups.points(split, rows, values), (&label(x), &label(y)), (x_range, y_range), false),
    };
    let at_edge = match beyond {
        0 => String::new(),
        beyond => format!(" {beyond} lie beyond the axes and are drawn at their ends."),
    };
    let (drawn, of) = (thousands(&rows.len().to_string()), thousands(&split.samples.len().to_string()));
    gallery.hang(figure, &format!("{y} against {x}: {drawn} of {of} samples, coloured by class.{at_edge}"))
}
