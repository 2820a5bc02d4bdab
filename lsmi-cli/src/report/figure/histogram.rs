//! How many values fall where.

use super::axis::Frame;
use super::{Drawing, WIDTH};

const HEIGHT: f64 = 170.0;
/// Bins of equal width.
const BINS: usize = 40;

/// Counts values in bins of equal width; those beyond the range go into the outermost bins.
fn counts(values: &[f64], (low, high): (f64, f64)) -> [usize; BINS] {
    let mut counts = [0; BINS];
    for value in values {
        let share = ((value - low) / (high - low)).clamp(0.0, 1.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the number of bins")]
        let bin = ((share * BINS as f64) as usize).min(BINS - 1);
        counts[bin] += 1;
    }
    counts
}

/// The share of values in every bin, in per cent, at the middle of the bin: the points of a curve.
pub(crate) fn shares(values: &[f64], range: (f64, f64)) -> Vec<(f64, f64)> {
    let (low, high) = with_extent(range);
    let width = (high - low) / BINS as f64;
    let whole = values.len().max(1) as f64;
    let counts = counts(values, (low, high));
    let point = |(bin, count): (usize, &usize)| (low + width * (bin as f64 + 0.5), 100.0 * *count as f64 / whole);
    counts.iter().enumerate().map(point).collect()
}

/// A range of no extent would have no bins.
fn with_extent((low, high): (f64, f64)) -> (f64, f64) {
    if low < high { (low, high) } else { (low - 0.5, low + 0.5) }
}

/// Draws the distribution of values over a range, their mean and zero.
pub(crate) fn histogram(values: &[f64], range: (f64, f64), mean: f64, class: &str, label: &str) -> Drawing {
    let range = with_extent(range);
    let counts = counts(values, range);
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let mut drawing = Drawing::new(WIDTH, HEIGHT);
    let frame = Frame::new((WIDTH, HEIGHT), range, (0.0, 1.05 * most as f64));
    frame.draw(&mut drawing, label, "samples");
    let (_, _, top, bottom) = frame.edges;
    let width = (range.1 - range.0) / BINS as f64;
    for (bin, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let begin = frame.x.place(range.0 + width * bin as f64);
        let end = frame.x.place(range.0 + width * (bin + 1) as f64);
        let y = frame.y.place(*count as f64);
        drawing.rectangle(class, (begin + 0.3, y), ((end - begin - 0.6).max(0.5), bottom - y));
    }
    if frame.x.holds(0.0) {
        drawing.line("zero", (frame.x.place(0.0), top), (frame.x.place(0.0), bottom));
    }
    if frame.x.holds(mean) {
        drawing.line("mean", (frame.x.place(mean), top), (frame.x.place(mean), bottom));
    }
    drawing
}

/// Draws the shares of values in each tenth of the way from 0 to 1, with the line on which all would be alike.
pub(crate) fn tenths(shares: &[f64], class: &str, label: &str) -> Drawing {
    let alike = 100.0 / shares.len().max(1) as f64;
    let most = shares.iter().fold(2.0 * alike, |most, share| most.max(105.0 * share));
    let mut drawing = Drawing::new(WIDTH, HEIGHT);
    let frame = Frame::new((WIDTH, HEIGHT), (0.0, 1.0), (0.0, most));
    frame.draw(&mut drawing, label, "% of samples");
    let (left, right, _, bottom) = frame.edges;
    for (place, share) in shares.iter().enumerate() {
        let [begin, end] = [place, place + 1].map(|place| frame.x.place(place as f64 / shares.len() as f64));
        let y = frame.y.place(100.0 * share);
        drawing.rectangle(class, (begin + 0.5, y), (end - begin - 1.0, bottom - y));
    }
    drawing.line("mean dash1", (left, frame.y.place(alike)), (right, frame.y.place(alike)));
    drawing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_counted_once() {
        let values: Vec<f64> = (-10..=110).map(f64::from).collect();
        let counts = counts(&values, (0.0, 100.0));
        assert_eq!(counts.iter().sum::<usize>(), values.len());
        // 0, 1, 2 and the ten values below; 98, 99, 100 and the ten above.
        assert_eq!((counts[0], counts[BINS - 1]), (13, 13));
    }

    #[test]
    fn shares_are_of_a_hundred() {
        let shares = shares(&[0.0, 1.0, 1.0, 5.0], (0.0, 4.0));
        assert_eq!(shares.iter().map(|(_, share)| share).sum::<f64>(), 100.0);
        assert_eq!((shares[0], shares[BINS - 1]), ((0.05, 25.0), (3.95, 25.0)));
    }

    #[test]
    fn values_that_are_all_alike() {
        let shown = format!("{:?}", histogram(&[2.0; 5], (2.0, 2.0), 2.0, "part-r", "r"));
        assert!(!shown.contains("NaN") && shown.contains("part-r"), "{shown}");
    }

    #[test]
    fn tenths_stand_beside_the_line_of_all_alike() {
        let text = format!("{:?}", tenths(&[0.3, 0.1, 0.0, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.0], "c1", "F(y|x)"));
        assert_eq!(text.matches("class=\\\"c1\\\"").count(), 10);
        assert_eq!(text.matches("mean dash1").count(), 1);
        assert!(!format!("{:?}", tenths(&[], "c1", "F(y|x)")).contains("NaN"));
    }
}
