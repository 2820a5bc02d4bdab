//! Values of a table as colours, with their digits.

use super::{Anchor, Drawing, WIDTH, short};
use crate::tables::cells::nats;

/// How opaque the cell of the largest value is: text on it stays readable (see the tests of the palette).
pub(crate) const MOST_OPAQUE: f64 = 0.5;

const ROW: f64 = 20.0;
const LABELS: f64 = 128.0;
/// Characters of a row's name that have room.
const LONGEST: usize = 20;

/// Draws rows of values; positive ones are of one colour, negative ones of another, the larger the more of it.
pub(crate) fn heat_map(columns: &[String], rows: &[(String, Vec<f64>)]) -> Drawing {
    let mut drawing = Drawing::new(WIDTH, ROW * (rows.len() + 1) as f64 + 4.0);
    let width = (WIDTH - LABELS) / columns.len().max(1) as f64;
    for (column, name) in columns.iter().enumerate() {
        drawing.text("", (LABELS + width * (column as f64 + 0.5), 14.0), Anchor::Middle, name);
    }
    let all = rows.iter().flat_map(|(_, values)| values);
    let most = all.fold(0.0_f64, |most, value| most.max(value.abs())).max(1e-300);
    for (row, (name, values)) in rows.iter().enumerate() {
        let top = ROW * (row + 1) as f64;
        let name: String = if name.chars().count() > LONGEST {
            name.chars().take(LONGEST - 1).chain(['…']).collect()
        } else {
            name.clone()
        };
        drawing.text("", (LABELS - 6.0, top + 14.0), Anchor::End, &name);
        for (column, value) in values.iter().enumerate() {
            let x = LABELS + width * column as f64;
            let class = if *value < 0.0 { "negative" } else { "positive" };
            let (x_of_cell, y, opacity) = (short(x + 0.5), short(top + 0.5), MOST_OPAQUE * value.abs() / most);
            drawing.push(format_args!(
                r#"<rect class="{class}" x="{x_of_cell}" y="{y}" width="{}" height="{}" fill-opacity="{opacity:.2}"/>"#,
                short(width - 1.0),
                short(ROW - 1.0)
            ));
            drawing.text("", (x + width / 2.0, top + 14.0), Anchor::Middle, &nats(*value));
        }
    }
    drawing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::figure::Figure;

    #[test]
    fn two_classes() {
        let rows = [("cat".to_owned(), vec![1.0, -0.25]), ("a class of a long name".to_owned(), vec![0.0, 0.5])];
        let drawing = heat_map(&["r".to_owned(), "s".to_owned()], &rows);
        let figure = Figure { name: "h".into(), title: "Classes".into(), description: "Means".into(), drawing };
        insta::assert_snapshot!(figure.inline().replace("><", ">\n<"));
    }
}
