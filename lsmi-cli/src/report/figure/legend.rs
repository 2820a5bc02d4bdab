//! The legend below a figure: swatches with names, in as many lines as they need.

use super::{Anchor, Drawing, short};

/// About the width of a character.
const CHARACTER: f64 = 6.2;
/// The longest name that is shown whole.
const LONGEST: usize = 26;
/// The height of a line.
pub(crate) const LINE: f64 = 16.0;

/// What stands before a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Swatch {
    /// A small area.
    Area,
    /// A piece of a line.
    Line,
    /// A marker of points, see [`marker`].
    Marker(usize),
}

/// An entry: swatch, class and name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) swatch: Swatch,
    pub(crate) class: String,
    pub(crate) name: String,
}

impl Entry {
    fn text(&self) -> String {
        if self.name.chars().count() <= LONGEST {
            return self.name.clone();
        }
        self.name.chars().take(LONGEST - 1).chain(['…']).collect()
    }

    fn width(&self) -> f64 {
        28.0 + CHARACTER * self.text().chars().count() as f64
    }
}

/// The entries as lines that are no wider than this.
fn lines(entries: &[Entry], width: f64) -> Vec<&[Entry]> {
    let mut lines = Vec::new();
    let (mut begin, mut filled) = (0, 0.0);
    for (place, entry) in entries.iter().enumerate() {
        if place > begin && filled + entry.width() > width {
            lines.push(&entries[begin..place]);
            (begin, filled) = (place, 0.0);
        }
        filled += entry.width();
    }
    lines.push(&entries[begin..]);
    lines
}

/// The height that a legend takes.
pub(crate) fn height(entries: &[Entry], width: f64) -> f64 {
    if entries.is_empty() { 0.0 } else { LINE * lines(entries, width).len() as f64 + 4.0 }
}

/// Draws a legend in the rectangle from `left`, `top` on.
pub(crate) fn draw(drawing: &mut Drawing, entries: &[Entry], (left, top): (f64, f64), width: f64) {
    for (row, line) in lines(entries, width).into_iter().enumerate() {
        let middle = top + LINE * row as f64 + 8.0;
        let mut x = left;
        for entry in line {
            match entry.swatch {
                Swatch::Area => drawing.rectangle(&entry.class, (x, middle - 5.0), (12.0, 10.0)),
                Swatch::Line => drawing.line(&format!("line {}", entry.class), (x, middle), (x + 14.0, middle)),
                Swatch::Marker(place) => drawing.path(&entry.class, &marker(place, x + 6.0, middle, 4.0)),
            }
            drawing.text("", (x + 17.0, middle + 4.0), Anchor::Start, &entry.text());
            x += entry.width();
        }
    }
}

/// The path of a marker of some size at a point: disc, square, triangle or diamond by its place, so that classes can be
/// told apart without their colours; the second four places have the shapes in another order.
pub(crate) fn marker(place: usize, x: f64, y: f64, size: f64) -> String {
    let whole = short(2.0 * size);
    let at = |x: f64, y: f64| format!("M{} {}", short(x), short(y));
    match (place + place / 4) % 4 {
        0 => format!("{}a{2} {2} 0 1 0 {1} 0a{2} {2} 0 1 0-{1} 0", at(x - size, y), whole, short(size)),
        1 => {
            let side = short(1.7 * size);
            format!("{}h{side}v{side}h-{side}z", at(x - 0.85 * size, y - 0.85 * size))
        }
        2 => format!("{}h{whole}l-{1}-{2}z", at(x - size, y + 0.8 * size), short(size), short(1.8 * size)),
        _ => {
            let half = short(1.15 * size);
            format!("{}l{half} {half}-{half} {half}-{half}-{half}z", at(x, y - 1.15 * size))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str) -> Entry {
        Entry { swatch: Swatch::Area, class: "c0".to_owned(), name: name.to_owned() }
    }

    #[test]
    fn long_legends_are_broken() {
        let entries = ["one", "two", "three", &"four".repeat(20)].map(entry);
        assert_eq!(lines(&entries, 300.0).iter().map(|line| line.len()).collect::<Vec<_>>(), [3, 1]);
        assert_eq!(height(&entries, 300.0), 2.0 * LINE + 4.0);
        assert_eq!(height(&[], 300.0), 0.0);
        assert_eq!(entries[3].text().chars().count(), LONGEST);
    }

    #[test]
    fn markers_differ() {
        assert_eq!(marker(1, 10.0, 10.0, 2.0), "M8.3 8.3h3.4v3.4h-3.4z");
        assert_eq!(marker(2, 10.0, 10.0, 2.0), "M8 11.6h4l-2-3.6z");
        assert_eq!(marker(0, 10.0, 10.0, 2.0), "M8 10a2 2 0 1 0 4 0a2 2 0 1 0-4 0");
    }
}
