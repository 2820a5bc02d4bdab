//! The tables of `lsmi guide clean`: the first suspects, and how well wrong labels are found.

use std::fmt::Write;

use lsmi_guide::experiments::clean::{Experiment, Suspect};

use crate::output::clean::CleanSummary;
use crate::process::console::shortened;
use crate::tables::cells::{nats, row, table};
use crate::tables::seed_stats::{number, paired, range};

pub(crate) fn clean_table(summary: &CleanSummary, first: &[Suspect], classes: &[String]) -> String {
    let mut suspects = table(&["id", "label", "score", "suggested", "x1 says", "x2 says", "both say", "by all"]);
    for suspect in first {
        let name = |class: u32| one_line(&classes[class as usize]);
        let mut cells =
            vec![name(suspect.label), nats(suspect.contradiction.score), name(suspect.contradiction.suggested)];
        cells.extend(suspect.says.iter().take(3).map(|class| name(*class)));
        cells.push(if suspect.contradiction.by_all { "yes" } else { "" }.to_owned());
        suspects.add_row(row(&one_line(&suspect.id), &cells));
    }
    let mut text = format!(
        "\nThe most suspicious labels (score: log odds of another class against the label, nats)\n{suspects}\n \
         of {} samples {} have another class more probable than their label; for {} of them x1, x2, both and late fusion agree \
         that it is wrong;\n where classes are hard to tell apart, many of these are hard and not wrong",
        summary.n, summary.suspects, summary.by_all
    );
    if let Some(planted) = &summary.planted {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n\n{}", planted_table(planted));
    }
    text
}

fn planted_table(planted: &Experiment) -> String {
    let mut scores = table(&["ranking", "average precision", "95 %", "precision", "95 %", "recall at twice", "95 %"]);
    for score in &planted.scores {
        let figures = [&score.average_precision, &score.precision, &score.recall_at_twice];
        let cells: Vec<String> = figures.iter().flat_map(|figure| [number(figure.mean), range(figure)]).collect();
        scores.add_row(row(&score.score, &cells));
    }
    let mut differences = table(&["contradiction less loss", "difference", "95 %", "p"]);
    for (name, difference) in [
        ("average precision", &planted.average_precision),
        ("precision", &planted.precision),
        ("recall at twice", &planted.recall_at_twice),
    ] {
        differences.add_row(row(name, &paired(difference)));
    }
    format!(
        "{} of {} labels made wrong on purpose, found again: mean of {} seeds (precision, which is recall too, among as many \
         samples; recall among twice as many)\n{scores}\n{differences}",
        planted.planted, planted.rows, planted.seeds
    )
}

/// A name of one line, however long and whatever it holds.
fn one_line(name: &str) -> String {
    shortened(name).replace('\n', "\\n")
}
