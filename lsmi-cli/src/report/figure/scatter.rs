//! Points of several groups between two axes.

use super::axis::Frame;
use super::legend::{self, Entry, Swatch, marker};
use super::palette::COLOURS;
use super::{Drawing, WIDTH};

/// The size of a point.
const SIZE: f64 = 2.0;
/// How often each group has its turn to be drawn.
const TURNS: usize = 8;
/// The height of the part above the legend.
const HEIGHT: f64 = 300.0;

/// The points of one group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Points {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

/// Draws groups, the first in the colours of classes and, where there is one more, the last as `other`.
///
/// Points beyond a range are drawn at its end. A diagonal is drawn where x and y are equal, if wanted.
pub(crate) fn scatter(
    groups: &[Points],
    labels: (&str, &str),
    (x, y): ((f64, f64), (f64, f64)),
    with_diagonal: bool,
) -> Drawing {
    let class = |place: usize| if place < COLOURS { format!("points c{place}") } else { "points other".to_owned() };
    let entries: Vec<Entry> = groups
        .iter()
        .enumerate()
        .map(|(place, group)| Entry { swatch: Swatch::Marker(place), class: class(place), name: group.name.clone() })
        .collect();
    let mut drawing = Drawing::new(WIDTH, HEIGHT + legend::height(&entries, WIDTH - 10.0));
    let frame = Frame::new((WIDTH, HEIGHT), x, y);
    frame.draw(&mut drawing, labels.0, labels.1);
    let (left, right, top, bottom) = frame.edges;
    if frame.x.holds(0.0) {
        drawing.line("zero", (frame.x.place(0.0), top), (frame.x.place(0.0), bottom));
    }
    if frame.y.holds(0.0) {
        drawing.line("zero", (left, frame.y.place(0.0)), (right, frame.y.place(0.0)));
    }
    if with_diagonal {
        let (low, high) = (x.0.max(y.0), x.1.min(y.1));
        let at = |value| (frame.x.place(value), frame.y.place(value));
        drawing.line("zero", at(low), at(high));
    }
    // Groups take turns, lest the last one hide all others.
    for turn in 0..TURNS {
        for (place, group) in groups.iter().enumerate() {
            let points = group.points.iter().skip(turn).step_by(TURNS);
            let shapes: String =
                points.map(|(x, y)| marker(place, frame.x.place(*x), frame.y.place(*y), SIZE)).collect();
            if !shapes.is_empty() {
                drawing.named_path(&class(place), &group.name, &shapes);
            }
        }
    }
    legend::draw(&mut drawing, &entries, (8.0, HEIGHT + 2.0), WIDTH - 10.0);
    drawing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::figure::Figure;

    #[test]
    fn two_groups() {
        let group = |name: &str, points: &[(f64, f64)]| Points { name: name.to_owned(), points: points.to_vec() };
        let groups = [group("cat", &[(0.0, 0.0), (1.0, 2.0)]), group("dog & <b>", &[(0.5, 9.0)])];
        let drawing = scatter(&groups, ("r (nats)", "s (nats)"), ((-0.5, 1.5), (-1.0, 3.0)), false);
        let figure = Figure { name: "r-s".into(), title: "r and s".into(), description: "3 samples".into(), drawing };
        insta::assert_snapshot!(figure.inline().replace("><", ">\n<"));
    }
}
