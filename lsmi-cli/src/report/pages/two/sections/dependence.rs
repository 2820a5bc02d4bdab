//! What the values rest on: the gauge, and heads that are right as often as they say.

use lsmi_core::Sweep;
use serde::Serialize;

use crate::report::figure::Figure;
use crate::report::figure::axis::{range_of, with_room};
use crate::report::figure::lines::{Line, Reference, lines};
use crate::report::gallery::{Gallery, Shown};
use crate::report::number::{As, Number};
use crate::report::pages::two::source::Split;

/// The means in other gauges.
#[derive(Debug, Serialize)]
pub(crate) struct GaugeSweep {
    figure: Shown,
    range: Number,
    sample_range: Number,
    verdict: &'static str,
    points: Vec<Point>,
}

#[derive(Debug, Serialize)]
struct Point {
    shift: Number,
    parts: Vec<Number>,
    lower1: Number,
}

impl GaugeSweep {
    /// The sweep of a split, where the measure has one.
    pub(crate) fn new(split: &Split<'_>, gallery: &mut Gallery) -> Option<Self> {
        let sweep = split.summary.diagnostics.gauge.as_ref()?;
        let at = |path: &[&str], how| split.number(&[&["diagnostics", "gauge"], path].concat(), how);
        let point = |place: usize| {
            let place = place.to_string();
            Point {
                shift: at(&["points", &place, "shift"], As::Nats),
                parts: ["r", "u1", "u2", "s"].map(|part| at(&["points", &place, part], As::Nats)).into(),
                lower1: at(&["points", &place, "lower1"], As::Percent),
            }
        };
        let verdict = match sweep.verdict {
            lsmi_core::GaugeVerdict::Robust => "R is much the same in every gauge.",
            lsmi_core::GaugeVerdict::Sensitive => {
                "R depends on the gauge: a statement about it is one about this gauge."
            }
            lsmi_core::GaugeVerdict::Decided { .. } => "The gauge has decided what R is.",
        };
        let names = split.source.words().names;
        let caption = format!(
            "Raw means if the surprisal of {} were so many nats higher throughout. S − R and U1 − U2 stay as they are.",
            names.x2
        );
        Some(Self {
            figure: gallery.hang(sweep_figure(split, sweep), &caption),
            range: at(&["range"], As::Nats),
            sample_range: at(&["sample_range"], As::Nats),
            verdict,
            points: (0..sweep.points.len()).map(point).collect(),
        })
    }
}

fn sweep_figure(split: &Split<'_>, sweep: &Sweep) -> Figure {
    let curve = |part: &str, of: fn(&lsmi_core::Means) -> f64| Line {
        name: part.to_uppercase(),
        class: format!("part-{part}"),
        points: sweep.points.iter().map(|point| (point.shift, of(&point.means))).collect(),
    };
    let curves = [
        curve("r", |means| means.r),
        curve("u1", |means| means.u1),
        curve("u2", |means| means.u2),
        curve("s", |means| means.s),
    ];
    let x = range_of(sweep.points.iter().map(|point| point.shift));
    let y = with_room(range_of(curves.iter().flat_map(|curve| curve.points.iter().map(|point| point.1)).chain([0.0])));
    let redundancy = range_of(curves[0].points.iter().map(|point| point.1));
    Figure {
        name: format!("{}-gauge", split.anchor),
        title: format!("Means of {} in other gauges", split.name),
        description: format!(
            "Curves of R, U1, U2 and S over shifts from {} to {} nats; R runs from {:.3} to {:.3}, and is {:.3} as things are.",
            x.0, x.1, redundancy.0, redundancy.1, sweep.present.means.r
        ),
        drawing: lines(&curves, ("shift of h2 (nats)", "raw mean (nats)"), (x, y), Reference::Vertical(0.0), false),
    }
}

/// The heads of a split.
#[derive(Debug, Serialize)]
pub(crate) struct Heads {
    figure: Option<Shown>,
    rows: Vec<Head>,
}

#[derive(Debug, Serialize)]
struct Head {
    name: String,
    accuracy: Number,
    nll: Number,
    error: Number,
}

impl Heads {
    pub(crate) fn new(split: &Split<'_>, gallery: &mut Gallery) -> Self {
        let heads = split.source.heads();
        let rows = heads.each_ref().map(|(head, name)| Head {
            name: name.clone(),
            accuracy: split.number(&["accuracy", head], As::Percent),
            nll: split.number(&["nll", head], As::Nats),
            error: split.number(&["calibration", head, "expected_calibration_error"], As::Nats),
        });
        let figure = split.summary.calibration.as_ref().map(|calibration| {
            let tables = [&calibration.x1, &calibration.x2, &calibration.joint];
            let curves: Vec<Line> = heads
                .iter()
                .zip(tables)
                .enumerate()
                .map(|(place, ((_, name), table))| Line {
                    name: name.clone(),
                    class: format!("c{}", place + 1),
                    points: table.bins.iter().map(|bin| (bin.confidence, bin.accuracy)).collect(),
                })
                .collect();
            let errors = heads
                .iter()
                .zip(tables)
                .map(|((_, name), table)| format!("{name} {:.3}", table.expected_calibration_error));
            let (labels, unit) = (("confidence", "share that is right"), ((0.0, 1.0), (0.0, 1.0)));
            let figure = Figure {
                name: format!("{}-calibration", split.anchor),
                title: format!("Calibration of the heads on {}", split.name),
                description: format!(
                    "Share of right predictions against confidence for each head; expected calibration error: {}.",
                    errors.collect::<Vec<_>>().join(", ")
                ),
                drawing: lines(&curves, labels, unit, Reference::Diagonal, true),
            };
            gallery.hang(
                figure,
                "Bins of as many samples each. A head that is right as often as it says lies on the dashed diagonal.",
            )
        });
        Self { figure, rows: rows.into() }
    }
}
