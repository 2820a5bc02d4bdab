//! Axes: values to pixels, round ticks, and the frame that figures with two of them have in common.

use super::{Anchor, Drawing};

/// Ticks that an axis should have, about.
const TICKS: f64 = 5.0;
/// What the frame of a figure leaves free for ticks and labels: left, right, above, below.
const MARGINS: (f64, f64, f64, f64) = (46.0, 10.0, 8.0, 34.0);

/// Values from `low` to `high` on pixels from `start` to `end`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Axis {
    low: f64,
    high: f64,
    start: f64,
    end: f64,
    /// Ticks are no nearer to each other.
    least_step: f64,
}

impl Axis {
    /// An axis that holds a range of finite values; one of no extent is given some.
    pub(crate) fn new((low, high): (f64, f64), (start, end): (f64, f64)) -> Self {
        let least = 1e-9_f64.max(1e-9 * low.abs().max(high.abs()));
        let (low, high) = if high - low < least { (low - 0.5, high + 0.5) } else { (low, high) };
        Self { low, high, start, end, least_step: 0.0 }
    }

    /// The same with ticks at whole numbers alone.
    pub(crate) fn whole(self) -> Self {
        Self { least_step: 1.0, ..self }
    }

    /// The pixel of a value; one beyond an end is put there.
    pub(crate) fn place(&self, value: f64) -> f64 {
        let share = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        self.start + share * (self.end - self.start)
    }

    /// Whether a value lies between the ends.
    pub(crate) fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// Round values between the ends, with their texts.
    pub(crate) fn ticks(&self) -> Vec<(f64, String)> {
        let rough = (self.high - self.low) / TICKS;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|step| *step >= rough);
        let step = step.unwrap_or(10.0 * power).max(self.least_step);
        let decimals = if step < 1.0 { (-step.log10() - 1e-9).ceil().clamp(0.0, 12.0) } else { 0.0 };
        let (first, last) = ((self.low / step).ceil(), (self.high / step).floor());
        let mut ticks = Vec::new();
        let mut count = first;
        while count <= last && ticks.len() < 20 {
            // No minus before nothing.
            let value = count * step + 0.0;
            ticks.push((value, format!("{value:.0$}", decimals_of(decimals))));
            count += 1.0;
        }
        ticks
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small whole number")]
fn decimals_of(decimals: f64) -> usize {
    decimals as usize
}

/// Two axes around the data of a figure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    /// Pixels: left, right, top, bottom.
    pub(crate) edges: (f64, f64, f64, f64),
}

impl Frame {
    /// The frame of a figure so large, with the usual margins.
    pub(crate) fn new((width, height): (f64, f64), x: (f64, f64), y: (f64, f64)) -> Self {
        let (left, right, top, bottom) = MARGINS;
        let (left, right, top, bottom) = (left, width - right, top, height - bottom);
        Self { x: Axis::new(x, (left, right)), y: Axis::new(y, (bottom, top)), edges: (left, right, top, bottom) }
    }

    /// Draws ticks, grid and labels of both axes.
    pub(crate) fn draw(&self, drawing: &mut Drawing, x_label: &str, y_label: &str) {
        let (left, right, _, bottom) = self.edges;
        self.draw_vertical(drawing, y_label);
        for (value, text) in self.x.ticks() {
            let x = self.x.place(value);
            drawing.line("axis", (x, bottom), (x, bottom + 4.0));
            drawing.text("faint", (x, bottom + 15.0), Anchor::Middle, &text);
        }
        drawing.text("", (f64::midpoint(left, right), bottom + 30.0), Anchor::Middle, x_label);
    }

    /// Draws the axis of y, its grid, and the line that x stands on.
    pub(crate) fn draw_vertical(&self, drawing: &mut Drawing, label: &str) {
        let (left, right, top, bottom) = self.edges;
        for (value, text) in self.y.ticks() {
            let y = self.y.place(value);
            drawing.line("grid", (left, y), (right, y));
            drawing.text("faint", (left - 5.0, y + 4.0), Anchor::End, &text);
        }
        drawing.line("axis", (left, top), (left, bottom));
        drawing.line("axis", (left, bottom), (right, bottom));
        drawing.upward_text((11.0, f64::midpoint(top, bottom)), label);
    }
}

/// A range with the values of another, 4 % wider at both ends.
pub(crate) fn with_room((low, high): (f64, f64)) -> (f64, f64) {
    let room = 0.04 * (high - low);
    (low - room, high + room)
}

/// The range of values; from 0 to 0 of none.
pub(crate) fn range_of(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let range = values
        .into_iter()
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if range.0 > range.1 { (0.0, 0.0) } else { range }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(low: f64, high: f64) -> Vec<String> {
        Axis::new((low, high), (0.0, 100.0)).ticks().into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(texts(-0.12, 1.03), ["0.0", "0.5", "1.0"]);
        assert_eq!(texts(-0.4, 0.4), ["-0.4", "-0.2", "0.0", "0.2", "0.4"]);
        assert_eq!(texts(0.0, 1234.0), ["0", "500", "1000"]);
        assert_eq!(texts(0.001, 0.0021), ["0.0010", "0.0015", "0.0020"]);
        assert_eq!(texts(2.0, 2.0), ["1.6", "1.8", "2.0", "2.2", "2.4"]);
        let whole = Axis::new((0.0, 2.0), (0.0, 100.0)).whole().ticks();
        assert_eq!(whole.into_iter().map(|(_, text)| text).collect::<Vec<_>>(), ["0", "1", "2"]);
    }

    #[test]
    fn every_value_has_a_place() {
        let axis = Axis::new((-1.0, 3.0), (100.0, 20.0));
        assert_eq!([-1.0, 1.0, 3.0, 9.0].map(|value| axis.place(value)), [100.0, 60.0, 20.0, 20.0]);
        assert!(axis.holds(3.0) && !axis.holds(3.1));
        assert_eq!(range_of([2.0, f64::NAN, -1.0]), (-1.0, 2.0));
        assert_eq!(range_of([]), (0.0, 0.0));
    }
}
