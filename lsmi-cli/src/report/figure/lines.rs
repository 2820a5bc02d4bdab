//! Curves between two axes.

use std::fmt::Write;

use super::axis::Frame;
use super::legend::{self, Entry, Swatch, marker};
use super::{Drawing, WIDTH, short};

const HEIGHT: f64 = 250.0;
/// The size of markers.
const SIZE: f64 = 2.6;

/// A curve through points, from left to right.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    pub(crate) name: String,
    /// The class of its colour.
    pub(crate) class: String,
    pub(crate) points: Vec<(f64, f64)>,
}

/// What is drawn besides the curves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Reference {
    /// Where x and y are equal.
    Diagonal,
    /// An x of note.
    Vertical(f64),
    /// Nothing but 0; the x count something.
    Counts,
}

/// Draws curves, each with dashes and, if wanted, markers of its own.
pub(crate) fn lines(
    curves: &[Line],
    labels: (&str, &str),
    (x, y): ((f64, f64), (f64, f64)),
    reference: Reference,
    with_markers: bool,
) -> Drawing {
    let class = |place: usize, line: &Line| format!("{} dash{}", line.class, place % 4);
    let entries: Vec<Entry> = curves
        .iter()
        .enumerate()
        .map(|(place, line)| Entry { swatch: Swatch::Line, class: class(place, line), name: line.name.clone() })
        .collect();
    let mut drawing = Drawing::new(WIDTH, HEIGHT + legend::height(&entries, WIDTH - 10.0));
    let mut frame = Frame::new((WIDTH, HEIGHT), x, y);
    if reference == Reference::Counts {
        frame.x = frame.x.whole();
    }
    frame.draw(&mut drawing, labels.0, labels.1);
    let (left, right, top, bottom) = frame.edges;
    match reference {
        Reference::Diagonal => {
            let (low, high) = (x.0.max(y.0), x.1.min(y.1));
            let at = |value| (frame.x.place(value), frame.y.place(value));
            drawing.line("zero", at(low), at(high));
        }
        Reference::Vertical(value) => {
            drawing.line("zero", (frame.x.place(value), top), (frame.x.place(value), bottom));
            if frame.y.holds(0.0) {
                drawing.line("grid", (left, frame.y.place(0.0)), (right, frame.y.place(0.0)));
            }
        }
        Reference::Counts => {
            if frame.y.holds(0.0) {
                drawing.line("zero", (left, frame.y.place(0.0)), (right, frame.y.place(0.0)));
            }
        }
    }
    for (place, line) in curves.iter().enumerate() {
        let points: Vec<(f64, f64)> = line.points.iter().map(|(x, y)| (frame.x.place(*x), frame.y.place(*y))).collect();
        let path = points.iter().enumerate().fold(String::new(), |mut path, (place, (x, y))| {
            // Writing to a string cannot fail.
            let _ = write!(path, "{}{} {}", if place == 0 { 'M' } else { 'L' }, short(*x), short(*y));
            path
        });
        drawing.named_path(&format!("line {}", class(place, line)), &line.name, &path);
        if with_markers {
            drawing.path(&line.class, &points.iter().map(|(x, y)| marker(place, *x, *y, SIZE)).collect::<String>());
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
    fn a_curve_beside_the_diagonal() {
        let line = Line { name: "both".into(), class: "c2".into(), points: vec![(0.25, 0.5), (1.0, 0.75)] };
        let ranges = ((0.0, 1.0), (0.0, 1.0));
        let drawing = lines(&[line], ("confidence", "accuracy"), ranges, Reference::Diagonal, true);
        let figure = Figure { name: "c".into(), title: "Calibration".into(), description: "A curve".into(), drawing };
        insta::assert_snapshot!(figure.inline().replace("><", ">\n<"));
    }
}
