//! Bars in groups, with intervals and marks.

use super::axis::{Frame, range_of, with_room};
use super::legend::{self, Entry, Swatch};
use super::{Anchor, Drawing, WIDTH};

const HEIGHT: f64 = 220.0;

/// A bar from 0 to a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bar {
    /// Classes of its shape.
    pub(crate) class: String,
    pub(crate) value: f64,
    /// The ends of its interval.
    pub(crate) interval: Option<(f64, f64)>,
    /// A value to hold it against, drawn as a short line.
    pub(crate) mark: Option<f64>,
}

/// Draws a bar of every series in each group; `entries` explain them.
pub(crate) fn bars(groups: &[(String, Vec<Bar>)], label: &str, entries: &[Entry]) -> Drawing {
    let all = || groups.iter().flat_map(|(_, bars)| bars);
    let values = all().flat_map(|bar| {
        let (low, high) = bar.interval.unwrap_or((bar.value, bar.value));
        [0.0, bar.value, low, high, bar.mark.unwrap_or(0.0)]
    });
    let mut drawing = Drawing::new(WIDTH, HEIGHT + legend::height(entries, WIDTH - 10.0));
    let mut frame = Frame::new((WIDTH, HEIGHT), (0.0, 1.0), with_room(range_of(values)));
    // There is no axis of x to label.
    frame.edges.3 += 4.0;
    frame.draw_vertical(&mut drawing, label);
    let (left, right, _, bottom) = frame.edges;
    let zero = frame.y.place(0.0);
    drawing.line("zero", (left, zero), (right, zero));
    let of_group = (right - left) / groups.len().max(1) as f64;
    for (place, (name, bars)) in groups.iter().enumerate() {
        let begin = left + of_group * place as f64 + 0.1 * of_group;
        let width = 0.8 * of_group / bars.len().max(1) as f64;
        for (column, bar) in bars.iter().enumerate() {
            draw(&mut drawing, &frame, bar, begin + width * column as f64, width);
        }
        drawing.text("", (begin + 0.4 * of_group, bottom + 16.0), Anchor::Middle, name);
    }
    legend::draw(&mut drawing, entries, (8.0, HEIGHT + 2.0), WIDTH - 10.0);
    drawing
}

fn draw(drawing: &mut Drawing, frame: &Frame, bar: &Bar, x: f64, width: f64) {
    let (zero, value) = (frame.y.place(0.0), frame.y.place(bar.value));
    let gap = (0.08 * width).min(2.0);
    let (x, width) = (x + gap, width - 2.0 * gap);
    drawing.rectangle(&bar.class, (x, zero.min(value)), (width, (zero - value).abs().max(0.5)));
    let middle = x + width / 2.0;
    if let Some((low, high)) = bar.interval {
        let (low, high) = (frame.y.place(low), frame.y.place(high));
        let end = (0.25 * width).min(5.0);
        drawing.line("whisker", (middle, low), (middle, high));
        for y in [low, high] {
            drawing.line("whisker", (middle - end, y), (middle + end, y));
        }
    }
    if let Some(mark) = bar.mark {
        let y = frame.y.place(mark);
        drawing.line("null", (x, y), (x + width, y));
    }
}

/// An entry for bars of a class.
pub(crate) fn entry(class: &str, name: &str) -> Entry {
    Entry { swatch: Swatch::Area, class: class.to_owned(), name: name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::figure::Figure;

    #[test]
    fn a_bar_with_all_there_is() {
        let bar = |value, interval, mark| Bar { class: "part-r".to_owned(), value, interval, mark };
        let groups = [
            ("R".to_owned(), vec![bar(1.0, Some((0.5, 1.5)), Some(0.1)), bar(0.8, None, None)]),
            ("S".to_owned(), vec![bar(-0.5, None, None)]),
        ];
        let drawing = bars(&groups, "nats", &[entry("part-r", "raw")]);
        let figure = Figure { name: "means".into(), title: "Means".into(), description: "R and S".into(), drawing };
        insta::assert_snapshot!(figure.inline().replace("><", ">\n<"));
    }

    #[test]
    fn nothing_to_draw() {
        assert!(!format!("{:?}", bars(&[], "nats", &[])).contains("NaN"));
    }
}
