//! How r, u1, u2 and s of single samples differ: both values of every shared sample, and their differences; of two sets the
//! distributions of both.

use lsmi_core::Interaction;
use lsmi_core::statistics::quantiles;
use serde::Serialize;

use super::source::Source;
use crate::report::decomposed::meaning;
use crate::report::figure::Figure;
use crate::report::figure::axis::{range_of, with_room};
use crate::report::figure::histogram::{histogram, shares};
use crate::report::figure::lines::{Line, Reference, lines};
use crate::report::figure::scatter::{Points, scatter};
use crate::report::gallery::{Gallery, Shown};
use crate::report::number::thousands;
use crate::report::thinned::thinned;

/// Points of a single plot at most.
const POINTS: usize = 2_000;
/// The share of samples beyond each end of the axes.
const BEYOND: f64 = 0.002;

/// The figures.
#[derive(Debug, Serialize)]
pub(super) struct Spread {
    /// Where samples are shared: the second against the first.
    scatters: Vec<Shown>,
    /// The differences of shared samples, else both distributions.
    distributions: Vec<Shown>,
    /// That points were left out, where they were.
    thinned: Option<String>,
}

impl Spread {
    pub(super) fn new(source: &Source<'_>, gallery: &mut Gallery) -> Self {
        let Some(pairs) = source.compared.pairs() else {
            let distributions = Interaction::ALL.map(|part| two_distributions(source, part, gallery)).into();
            return Self { scatters: Vec::new(), distributions, thinned: None };
        };
        let places = thinned(pairs.len(), POINTS);
        let scatters = Interaction::ALL.map(|part| against(source, part, &places, gallery)).into();
        let distributions = Interaction::ALL.map(|part| differences(source, part, gallery)).into();
        let (drawn, of) = (thousands(&places.len().to_string()), thousands(&pairs.len().to_string()));
        let thinned = (places.len() < pairs.len()).then(|| {
            format!(
                "Thinned: each plot draws {drawn} of {of} samples, evenly spread over the file. Means, histograms and \
                 tables are of all."
            )
        });
        Self { scatters, distributions, thinned }
    }
}

/// The range that holds nearly all values.
fn range(values: &[f64]) -> (f64, f64) {
    match quantiles(values, &[BEYOND, 1.0 - BEYOND]).as_slice() {
        [low, high] if low.is_finite() && high.is_finite() => (*low, *high),
        _ => (0.0, 0.0),
    }
}

/// The second against the first, by whether the kind changed where that is known.
fn against(source: &Source<'_>, part: Interaction, places: &[usize], gallery: &mut Gallery) -> Shown {
    let [first, second] = source.values(part);
    let both = with_room(range_of([range(first), range(second)].iter().flat_map(|(low, high)| [*low, *high])));
    let points = |of: &dyn Fn(usize) -> bool| {
        places.iter().filter(|place| of(**place)).map(|place| (first[*place], second[*place])).collect::<Vec<_>>()
    };
    let group = |name: &str, points| Points { name: name.to_owned(), points };
    let mut groups = match source.compared.has_changed_kind() {
        Some(changed) => vec![
            group("same kind", points(&|place| !changed[place])),
            group("another kind in the second", points(&|place| changed[place])),
        ],
        None => vec![group("samples", points(&|_| true))],
    };
    groups.retain(|group| !group.points.is_empty());
    let correlation = source.diff.correlation.and_then(|of| {
        let parts = of.parts;
        [parts.r, parts.u1, parts.u2, parts.s][part as usize]
    });
    let correlation = correlation.map_or_else(String::new, |value| format!(" Correlation {value:.3}."));
    let label = |of: &str| format!("{part} in the {of} (nats)");
    let figure = Figure {
        name: format!("both-{part}"),
        title: format!("{part} of shared samples in the second against the first"),
        description: format!(
            "Scatter plot of {} samples; samples on the dashed diagonal do not differ.{correlation}",
            places.len()
        ),
        drawing: scatter(&groups, (&label("first"), &label("second")), (both, both), true),
    };
    let is_beyond =
        |place: &&usize| [first[**place], second[**place]].iter().any(|value| *value < both.0 || *value > both.1);
    let at_edge = match places.iter().filter(is_beyond).count() {
        0 => String::new(),
        beyond => format!(" {beyond} lie beyond the axes and are drawn at their ends."),
    };
    let meaning = meaning(&source.names, part);
    gallery.hang(figure, &format!("{part}, {meaning}: on the diagonal nothing differs.{correlation}{at_edge}"))
}

/// The differences of an interaction.
fn differences(source: &Source<'_>, part: Interaction, gallery: &mut Gallery) -> Shown {
    let [first, second] = source.values(part);
    let values: Vec<f64> = second.iter().zip(first).map(|(second, first)| second - first).collect();
    let mean = lsmi_core::statistics::mean(&values);
    let found = quantiles(&values, &[0.05, 0.5, 0.95]);
    let (low, median, high) = (found[0], found[1], found[2]);
    let told = format!("median {median:+.3}, nine tenths between {low:+.3} and {high:+.3}");
    let figure = Figure {
        name: format!("differences-{part}"),
        title: format!("Distribution of the differences of {part}, second less first"),
        description: format!("Histogram: mean {mean:+.3}, {told} nats."),
        drawing: histogram(
            &values,
            range(&values),
            mean,
            &format!("part-{part}"),
            &format!("{part}, second less first (nats)"),
        ),
    };
    gallery.hang(figure, &format!("Differences of {part}: {told}. Solid line: mean."))
}

/// An interaction in two sets of samples.
fn two_distributions(source: &Source<'_>, part: Interaction, gallery: &mut Gallery) -> Shown {
    let values = source.values(part);
    let both = range_of(values.iter().flat_map(|values| {
        let (low, high) = range(values);
        [low, high]
    }));
    let curve = |(name, class, values): (&str, &str, &[f64])| Line {
        name: name.to_owned(),
        class: class.to_owned(),
        points: shares(values, both),
    };
    let curves = [("first", "c1", values[0]), ("second", "c0", values[1])].map(curve);
    let highest = curves.iter().flat_map(|curve| &curve.points).fold(0.0_f64, |most, point| most.max(point.1));
    let medians = values.map(|values| quantiles(values, &[0.5])[0]);
    let told = format!("median {:.3} in the first and {:.3} in the second", medians[0], medians[1]);
    let figure = Figure {
        name: format!("both-{part}"),
        title: format!("Distributions of {part} in both sets of samples"),
        description: format!("Curves of shares of samples: {told}, in nats."),
        drawing: lines(
            &curves,
            (&format!("{part}, {} (nats)", meaning(&source.names, part)), "share of samples, %"),
            (with_room(both), (0.0, 1.05 * highest.max(1e-9))),
            Reference::Vertical(0.0),
            false,
        ),
    };
    gallery.hang(figure, &format!("{part}: {told}."))
}
