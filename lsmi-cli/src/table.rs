//! The closing table: information, interactions, predictions and the most telling samples, for people.

use std::fmt::Write;

use comfy_table::{Cell, CellAlignment, Row, Table, presets};
use lsmi_core::{Adjusted, Branch, Interaction, Means};

use crate::null_table;
use crate::output::summary::{SplitSummary, Summary};
use crate::scored::ScoredSplit;
use crate::sentence::{Words, sentence};

/// How many samples are listed for each interaction.
const LISTED: usize = 5;

/// Everything that is shown when a command has scored samples.
///
/// `describe` names the sample in a row of the first split, whose samples are listed.
pub(crate) fn closing(
    words: Words<'_>,
    summary: &Summary,
    splits: &[ScoredSplit],
    describe: &dyn Fn(usize) -> String,
) -> String {
    let mut text = String::new();
    let mut section = |title: &str, body: String| {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n{title}\n{body}\n");
    };
    let label = words.label;
    section(&format!("How much the modalities tell about {label} (mutual information, nats)"), information(summary));
    let (measure, gauge) = (summary.measure, summary.gauge);
    section(
        &format!("Interactions (means over samples, nats; measure {measure}, {gauge} gauge)"),
        interactions(words, summary),
    );
    section("Predictions", predictions(words, summary));
    for (name, split) in &summary.splits {
        if let Some(null) = &split.null {
            let title =
                format!("Against chance (means of `{name}`, {} permutations of {label}, nats)", null.permutations);
            section(&title, null_table::body(null));
        }
    }
    if let Some(split) = splits.first() {
        section(
            &format!("The most telling samples of `{}` (nats; class in parentheses)", split.name),
            samples(words, split, describe),
        );
    }
    if let Some((_, first)) = summary.splits.first() {
        section("In short", sentence(words, &first.information, &first.adjusted));
    }
    for note in &summary.notes {
        let _ = write!(text, "\nnote: {note}");
    }
    text.trim_end().to_owned()
}

fn information(summary: &Summary) -> String {
    let mut table = table(&["split", "samples", "I(x1;y)", "I(x2;y)", "I(x1,x2;y)"]);
    for (name, split) in &summary.splits {
        let information = split.information;
        let cells = [split.n.to_string(), nats(information.i1), nats(information.i2), nats(information.i12)];
        table.add_row(row(name, &cells));
    }
    table.to_string()
}

fn interactions(words: Words<'_>, summary: &Summary) -> String {
    let unique1 = format!("U1 {} alone", words.names.x1);
    let unique2 = format!("U2 {} alone", words.names.x2);
    let mut table = table(&["split", "", "R both alike", &unique1, &unique2, "S only together"]);
    let mut shifts = String::new();
    for (name, SplitSummary { raw, adjusted, .. }) in &summary.splits {
        let Means { r, u1, u2, s } = *raw;
        table.add_row(row(name, &["raw".to_owned(), nats(r), nats(u1), nats(u2), nats(s)]));
        let Adjusted { r, u1, u2, s, .. } = *adjusted;
        table.add_row(row("", &["adjusted".to_owned(), nats(r), nats(u1), nats(u2), nats(s)]));
        let _ = write!(shifts, "\n {name}: {}", shift(adjusted));
    }
    format!("{table}{shifts}")
}

/// What the adjustment did, and why.
fn shift(adjusted: &Adjusted) -> String {
    let why = match adjusted.branch {
        Branch::None => return "no mean is negative, so nothing was shifted".to_owned(),
        Branch::First => "R or S was negative",
        Branch::Second => "a uniqueness was negative, so R became the smaller of I(x1;y) and I(x2;y)",
    };
    let (size, up, down) = (adjusted.shift.abs(), "higher", "lower");
    let (shared, unique) = if adjusted.shift > 0.0 { (up, down) } else { (down, up) };
    format!("adjusted R and S are {size:.3} {shared}, U1 and U2 {unique}, than the raw ones: {why}")
}

fn predictions(words: Words<'_>, summary: &Summary) -> String {
    let mut table = table(&["split", "", &words.names.x1, &words.names.x2, "both"]);
    for (name, SplitSummary { accuracy, nll, .. }) in &summary.splits {
        let cells = [accuracy.x1, accuracy.x2, accuracy.joint].map(|share| format!("{:.1} %", 100.0 * share));
        table.add_row(row(name, &[&["accuracy".to_owned()], cells.as_slice()].concat()));
        let cells = [nll.x1, nll.x2, nll.joint].map(nats);
        table.add_row(row("", &[&["log loss".to_owned()], cells.as_slice()].concat()));
    }
    table.to_string()
}

fn samples(words: Words<'_>, split: &ScoredSplit, describe: &dyn Fn(usize) -> String) -> String {
    let mut text = String::new();
    for interaction in Interaction::ALL {
        let title = match interaction {
            Interaction::Redundancy => "most redundancy, r".to_owned(),
            Interaction::Unique1 => format!("most unique to {}, u1", words.names.x1),
            Interaction::Unique2 => format!("most unique to {}, u2", words.names.x2),
            Interaction::Synergy => "most synergy, s".to_owned(),
        };
        let _ = writeln!(text, " {title}");
        let values = split.decomposition.values(interaction);
        for sample in largest(values) {
            let _ = writeln!(text, "  {:>7}  {}", nats(values[sample]), describe(sample));
        }
    }
    text.trim_end().to_owned()
}

/// The places of the largest values, the largest first and of equals the first.
fn largest(values: &[f64]) -> Vec<usize> {
    let order = |a: &usize, b: &usize| values[*b].total_cmp(&values[*a]).then(a.cmp(b));
    let mut places: Vec<usize> = (0..values.len()).collect();
    if places.len() > LISTED {
        places.select_nth_unstable_by(LISTED, order);
        places.truncate(LISTED);
    }
    places.sort_by(order);
    places
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

/// Three decimals, and no minus before nothing.
pub(crate) fn nats(value: f64) -> String {
    let text = format!("{value:.3}");
    if text == "-0.000" { "0.000".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsmi_core::adjust;

    #[test]
    fn the_largest_come_first_and_equals_in_their_order() {
        assert_eq!(largest(&[0.1, 3.0, -2.0, 3.0, 0.5, 7.0, 0.5]), [5, 1, 3, 4, 6]);
        assert_eq!(largest(&[0.1, 0.2]), [1, 0]);
        assert!(largest(&[]).is_empty());
    }

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
