//! The tables of `lsmi guide align`: the figures of every part, and what parts have over others of their size.

use std::collections::BTreeMap;
use std::fmt::Write;

use lsmi_guide::experiments::align::{Comparison, Difference, Figure, PartRow, TrainedEncoders};

use crate::tables::cells::{row, table};
use crate::tables::seed_stats::{number, range, verdict};

/// The figures in the head of a table: what, then the direction or the modality.
const HEADER: [&str; 13] = [
    "part",
    "R@1 1>2",
    "R@5",
    "R@10",
    "R@1 2>1",
    "R@5",
    "R@10",
    "zero-shot 1>2",
    "2>1",
    "probe x1",
    "x2",
    "change x1",
    "x2",
];

pub(crate) fn align_table(comparison: &Comparison) -> String {
    let mut figures = table(&HEADER);
    for PartRow { part, figures: found, .. } in &comparison.parts {
        figures.add_row(row(part, &Figure::ALL.map(|figure| cell(found, figure, |found| number(found.mean)))));
    }
    let Comparison { trained, evaluated, seeds, shared, unfrozen, .. } = comparison;
    let rows = comparison.parts.iter().find(|part| part.part == "random").map_or(0, |part| part.rows);
    let [raw1, raw2] = comparison.raw.map(|raw| number(raw.mean));
    let (what, came) = match unfrozen {
        None => ("Heads".to_owned(), "as they came"),
        Some(TrainedEncoders { blocks: [first, second], .. }) => {
            (format!("Heads and the last {first} and {second} blocks of encoders"), "before training")
        }
    };
    let mut text = format!(
        "\n{what} trained on parts of {rows} of {trained} rows, measured on {evaluated} others, mean of {seeds} seeds\n{figures}\n \
         R@k: how often a right answer is among the first k; 1>2: the x2 of an x1; change: against a probe of the features \
         {came}, {raw1} of x1 and {raw2} of x2"
    );
    // Writing to a string cannot fail.
    if *shared > 0 {
        let _ = write!(
            text,
            "\n {shared} of the {evaluated} rows have the x1 or the x2 of another: right answers of each other"
        );
    }
    let _ = write!(text, "\n\nWhat parts of one size have over each other, seed by seed, with 95 % intervals");
    for differences in comparison.differences.chunks(4) {
        let _ = write!(text, "\n{}", differences_table(differences));
    }
    let _ = write!(text, "\n\n{}", in_short(comparison));
    text
}

fn differences_table(differences: &[Difference]) -> String {
    let names: Vec<String> =
        differences.iter().map(|difference| format!("{} over {}", difference.of, difference.over)).collect();
    let header: Vec<&str> = std::iter::once("figure").chain(names.iter().map(String::as_str)).collect();
    let mut table = table(&header);
    // Both parts are held against one probe of the features as they came: the changes differ as the probes do.
    let figures =
        Figure::ALL.into_iter().filter(|figure| !matches!(figure, Figure::ProbeChangeX1 | Figure::ProbeChangeX2));
    for figure in figures {
        let cells: Vec<String> = differences
            .iter()
            .map(|difference| {
                cell(&difference.figures, figure, |found| {
                    let difference = &found.difference;
                    format!("{} {}", number(difference.mean), range(difference)).trim_end().to_owned()
                })
            })
            .collect();
        table.add_row(row(&figure.name().replace('_', " "), &cells));
    }
    table.to_string()
}

fn cell<T>(figures: &BTreeMap<Figure, T>, figure: Figure, write: impl Fn(&T) -> String) -> String {
    figures.get(&figure).map(write).unwrap_or_default()
}

/// What the figures say: of parts high in an interaction against random ones of their size, and against those low in it.
fn in_short(comparison: &Comparison) -> String {
    let asked = [(Figure::Recall10From1, "x1 to x2"), (Figure::Recall10From2, "x2 to x1")];
    let pairs = comparison.by.iter().flat_map(|by| {
        let high = format!("{by} high");
        [(high.clone(), "random".to_owned()), (high, format!("{by} low"))]
    });
    let verdicts: Vec<String> = pairs
        .filter_map(|(of, over)| comparison.difference(&of, &over))
        .flat_map(|found| asked.map(|(figure, direction)| (found, figure, direction)))
        .filter_map(|(found, figure, direction)| {
            let difference = found.figures.get(&figure)?.difference;
            Some(format!("{direction}, {}", verdict(&found.of, &found.over, &difference, comparison.seeds)))
        })
        .collect();
    format!("In short, by recall at 10: {}.", verdicts.join("; "))
}
