//! Bars that lie, a row for each name: for names that are many or long, and for sums step by step.

use super::axis::{Axis, range_of, with_room};
use super::legend::{self, Entry};
use super::{Anchor, Drawing, WIDTH};

/// Where bars begin and end, between the names and the values beside them.
const EDGES: (f64, f64) = (112.0, WIDTH - 50.0);
/// Characters of a name that have room.
const LONGEST: usize = 17;
/// The height of a bar, and what a row has beside its bars.
const BAR: f64 = 9.0;
const GAP: f64 = 8.0;
/// What stands below the rows: ticks and label.
const BELOW: f64 = 36.0;

/// A bar from one value to another.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Span {
    /// Classes of its shape.
    pub(crate) class: String,
    pub(crate) from: f64,
    pub(crate) to: f64,
    /// The ends of the interval of its value.
    pub(crate) interval: Option<(f64, f64)>,
    /// What stands beside it.
    pub(crate) shown: String,
}

/// The bars of a name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) spans: Vec<Span>,
}

impl Row {
    /// The height of a row; one of a single bar has a thicker one.
    fn height(&self) -> f64 {
        BAR * self.spans.len().max(1) as f64 + GAP + if self.spans.len() > 1 { 0.0 } else { 3.0 }
    }
}

/// Draws rows; where steps are joined, a line leads from the end of each to the next.
pub(crate) fn rows(rows: &[Row], label: &str, entries: &[Entry], is_joined: bool) -> Drawing {
    let bottom: f64 = 4.0 + rows.iter().map(Row::height).sum::<f64>();
    let mut drawing = Drawing::new(WIDTH, bottom + BELOW + legend::height(entries, WIDTH - 10.0));
    let ends = rows.iter().flat_map(|row| &row.spans).flat_map(|span| {
        let (low, high) = span.interval.unwrap_or((span.from, span.to));
        [0.0, span.from, span.to, low, high]
    });
    let axis = Axis::new(with_room(range_of(ends)), EDGES);
    for (value, text) in axis.ticks() {
        let x = axis.place(value);
        drawing.line("grid", (x, 4.0), (x, bottom));
        drawing.text("faint", (x, bottom + 15.0), Anchor::Middle, &text);
    }
    drawing.line("axis", (EDGES.0, bottom), (EDGES.1, bottom));
    drawing.text("", (f64::midpoint(EDGES.0, EDGES.1), bottom + 30.0), Anchor::Middle, label);
    let mut top = 4.0;
    let mut last: Option<(f64, f64)> = None;
    for row in rows {
        let height = (row.height() - GAP) / row.spans.len().max(1) as f64;
        drawing.text("", (EDGES.0 - 6.0, top + row.height() / 2.0 + 4.0), Anchor::End, &cut(&row.name));
        for (place, span) in row.spans.iter().enumerate() {
            let y = top + GAP / 2.0 + height * place as f64;
            draw(&mut drawing, &axis, span, (y, height));
            // The sum begins at 0 and ends where the last step ends.
            let is_next = |x: f64| [span.from, span.to].iter().any(|end| (x - axis.place(*end)).abs() < 0.05);
            if let Some((x, end)) = last.filter(|(x, _)| is_joined && is_next(*x)) {
                drawing.line("axis", (x, end), (x, y));
            }
            last = Some((axis.place(span.to), y + height));
        }
        top += row.height();
    }
    drawing.line("zero", (axis.place(0.0), 4.0), (axis.place(0.0), bottom));
    legend::draw(&mut drawing, entries, (8.0, bottom + BELOW), WIDTH - 10.0);
    drawing
}

fn draw(drawing: &mut Drawing, axis: &Axis, span: &Span, (y, height): (f64, f64)) {
    let (from, to) = (axis.place(span.from), axis.place(span.to));
    drawing.rectangle(&span.class, (from.min(to), y + 0.5), ((from - to).abs().max(0.5), height - 1.0));
    let middle = y + height / 2.0;
    if let Some((low, high)) = span.interval {
        let (low, high) = (axis.place(low), axis.place(high));
        drawing.line("whisker", (low, middle), (high, middle));
        for x in [low, high] {
            drawing.line("whisker", (x, middle - 0.3 * height), (x, middle + 0.3 * height));
        }
    }
    if !span.shown.is_empty() {
        drawing.text("", (WIDTH - 2.0, middle + 4.0), Anchor::End, &span.shown);
    }
}

fn cut(name: &str) -> String {
    if name.chars().count() <= LONGEST {
        return name.to_owned();
    }
    name.chars().take(LONGEST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::figure::Figure;

    fn span(from: f64, to: f64, interval: Option<(f64, f64)>) -> Span {
        Span { class: "c0".to_owned(), from, to, interval, shown: format!("{:.1}", to - from) }
    }

    #[test]
    fn steps_and_their_sum() {
        let row = |name: &str, spans| Row { name: name.to_owned(), spans };
        let all = [
            row("x1", vec![span(0.0, 0.5, None)]),
            row("a modality of a long name <b>", vec![span(0.5, 0.25, None)]),
            row("all", vec![span(0.0, 0.25, Some((0.1, 0.4)))]),
        ];
        let drawing = rows(&all, "nats", &[], true);
        let figure = Figure { name: "steps".into(), title: "Steps".into(), description: "Two".into(), drawing };
        let text = figure.inline();
        assert_eq!(text.matches("<rect class=\"c0\"").count(), 3);
        // The axis, and the line from each step to the next.
        assert_eq!(text.matches("<path class=\"axis\"").count(), 3);
        assert_eq!(text.matches("<path class=\"whisker\"").count(), 3);
        assert!(text.contains(">a modality of a …<") && text.contains(">-0.2<"), "{text}");
        assert_eq!(rows(&all, "nats", &[], false).height, figure.drawing.height);
    }

    #[test]
    fn nothing_to_draw() {
        assert!(!format!("{:?}", rows(&[], "nats", &[], false)).contains("NaN"));
    }
}
