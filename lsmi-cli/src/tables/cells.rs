//! Tables, cells, and the words for what stands in them.

use comfy_table::{Cell, CellAlignment, Row, Table, presets};
use lsmi_candle::analysis::names::Words;
use lsmi_core::{Adjusted, Branch, Kind};

pub(crate) use lsmi_candle::analysis::names::nats;

pub(crate) fn kind_in_words(words: Words<'_>, kind: Kind) -> String {
    match kind {
        Kind::Unique1 => format!("unique to {}", words.names.x1),
        Kind::Unique2 => format!("unique to {}", words.names.x2),
        kind => kind.to_string(),
    }
}

/// What the adjustment did, and why.
pub(crate) fn shift(adjusted: &Adjusted) -> String {
    let why = match adjusted.branch {
        Branch::None => return "no mean is negative, so nothing was shifted".to_owned(),
        Branch::First => "R or S was negative",
        Branch::Second => "a uniqueness was negative, so R became the smaller of I(x1;y) and I(x2;y)",
    };
    let (size, up, down) = (adjusted.shift.abs(), "higher", "lower");
    let (shared, unique) = if adjusted.shift > 0.0 { (up, down) } else { (down, up) };
    format!("adjusted R and S are {size:.3} {shared}, U1 and U2 {unique}, than the raw ones: {why}")
}

pub(crate) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_header(header.iter().enumerate().map(|(column, name)| {
        let cell = Cell::new(name);
        if column == 0 { cell } else { cell.set_alignment(CellAlignment::Right) }
    }));
    table
}

pub(crate) fn row(name: &str, cells: &[String]) -> Row {
    let cells = cells.iter().map(|cell| Cell::new(cell).set_alignment(CellAlignment::Right));
    std::iter::once(Cell::new(name)).chain(cells).collect::<Vec<_>>().into()
}

/// A difference in nats with its sign.
pub(crate) fn signed(value: f64) -> String {
    let text = nats(value);
    if text.starts_with('-') || text == "0.000" { text } else { format!("+{text}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsmi_core::{Means, adjust};

    #[test]
    fn nothing_has_no_sign() {
        assert_eq!((nats(-0.0004), nats(-0.0006), nats(0.0)), ("0.000".into(), "-0.001".into(), "0.000".into()));
    }

    #[test]
    fn branches_are_told_in_words() {
        let of = |r, u1, u2, s| shift(&adjust(&Means { r, u1, u2, s }));
        assert!(of(0.1, 0.1, 0.1, 0.1).starts_with("no mean is negative"));
        assert!(of(0.1, 0.1, 0.1, -0.2).starts_with("adjusted R and S are 0.200 higher"));
        assert!(of(0.5, -0.1, 0.1, 0.2).starts_with("adjusted R and S are 0.100 lower"));
    }
}
