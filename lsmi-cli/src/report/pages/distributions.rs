//! The distributions of r, u1, u2 and s over samples.

use lsmi_core::Interaction;
use lsmi_core::statistics::quantiles;

use crate::report::decomposed::{Decomposed, place_of};
use crate::report::figure::Figure;
use crate::report::figure::axis::range_of;
use crate::report::figure::histogram::histogram;
use crate::report::gallery::{Gallery, Shown};

/// The share of samples beyond each end of the axes.
const BEYOND: f64 = 0.002;

/// A histogram of each part, all on one axis.
pub(super) fn distributions(of: &Decomposed<'_>, parts: &[Vec<f64>; 4], gallery: &mut Gallery) -> Vec<Shown> {
    let ranges = parts.each_ref().map(|values| range(values));
    let all = range_of(ranges.iter().flat_map(|(low, high)| [*low, *high]));
    Interaction::ALL.map(|part| distribution(of, part, &parts[place_of(part)], all, gallery)).into()
}

/// The range that holds nearly all values.
pub(super) fn range(values: &[f64]) -> (f64, f64) {
    match quantiles(values, &[BEYOND, 1.0 - BEYOND]).as_slice() {
        [low, high] if low.is_finite() && high.is_finite() => (*low, *high),
        _ => (0.0, 0.0),
    }
}

fn distribution(
    of: &Decomposed<'_>,
    part: Interaction,
    values: &[f64],
    range: (f64, f64),
    gallery: &mut Gallery,
) -> Shown {
    let meaning = of.meaning(part);
    let mean = of.value(&["raw", part.name()]).unwrap_or(f64::NAN);
    let quantile = |quantile| of.value(&["distribution", part.name(), "quantiles", quantile]).unwrap_or(f64::NAN);
    let (low, median, high) = (quantile("0.05"), quantile("0.5"), quantile("0.95"));
    let figure = Figure {
        name: format!("{}-distribution-{part}", of.anchor),
        title: format!("Distribution of {part} over the samples of {}", of.name),
        description: format!(
            "Histogram of {part} ({meaning}): mean {mean:.3}, median {median:.3}, nine tenths between {low:.3} and {high:.3} nats."
        ),
        drawing: histogram(values, range, mean, &format!("part-{part}"), &format!("{part}, {meaning} (nats)")),
    };
    let caption = format!("{part}: median {median:.3}, nine tenths between {low:.3} and {high:.3}. Solid line: mean.");
    gallery.hang(figure, &caption)
}
