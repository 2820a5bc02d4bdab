//! The result of `lsmi discrete` for people.

use std::fmt::Write;

use lsmi_core::statistics::Interval;

use super::report::{IntervalReport, OutcomeParts, Parts, Report};
use crate::process::console::shortened;
use crate::tables::cells::{nats, row, table};

/// How many outcomes are listed of each measure.
const LISTED: usize = 40;

/// Atoms that are shown as 0.000 are left out of large lattices.
const SHOWN: f64 = 0.0005;

/// All tables, and the notes.
pub(crate) fn result(report: &Report) -> String {
    let units = report.units.name();
    let mut text = String::new();
    let mut section = |title: &str, body: &str| {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n{title}\n{body}\n");
    };
    section(&format!("How much the sources tell about y (mutual information, {units})"), &information(report));
    if !report.measures.is_empty() {
        section(&format!("Decomposition by measure ({units})"), &measures(report));
    }
    for (measure, parts) in &report.measures {
        if let Some(outcomes) = &parts.pointwise {
            section(&format!("Outcomes under {measure} ({units})"), &of_outcomes(outcomes));
        }
    }
    if !report.lattice.is_empty() {
        section(&format!("Atoms of the redundancy lattice ({units})"), &lattice(report));
    }
    for note in &report.notes {
        let _ = write!(text, "\nnote: {note}");
    }
    text.trim_end().to_owned()
}

fn information(report: &Report) -> String {
    let names: Vec<String> = report.information.iter().map(|(name, _)| in_words(name)).collect();
    let values: Vec<f64> = report.information.iter().map(|(_, value)| *value).collect();
    if names.len() > 3 {
        // A line each, where there are too many for one.
        let mut shown = table(&["", "I"]);
        for (name, value) in names.iter().zip(values) {
            shown.add_row(row(name, &[nats(value)]));
        }
        return shown.to_string();
    }
    let header: Vec<&str> = std::iter::once("").chain(names.iter().map(String::as_str)).collect();
    let mut shown = table(&header);
    shown.add_row(row("", &values.into_iter().map(nats).collect::<Vec<_>>()));
    if let Some(intervals) = &report.intervals {
        let ranges: Vec<String> = intervals.information.iter().map(|(_, interval)| range(*interval)).collect();
        shown.add_row(row(&level(intervals), &ranges));
    }
    shown.to_string()
}

/// `I(x1,x2;y)` for `i12`.
fn in_words(name: &str) -> String {
    let sources: Vec<String> = name.trim_start_matches('i').chars().map(|number| format!("x{number}")).collect();
    format!("I({};y)", sources.join(","))
}

fn measures(report: &Report) -> String {
    let mut shown = table(&["measure", "R both alike", "U1 x1 alone", "U2 x2 alone", "S only together"]);
    for (place, (measure, Parts { r, u1, u2, s, .. })) in report.measures.iter().enumerate() {
        shown.add_row(row(measure.name(), &[*r, *u1, *u2, *s].map(nats)));
        if let Some(intervals) = &report.intervals {
            shown.add_row(row(&level(intervals), &intervals.measures[place].1.0.map(range)));
        }
    }
    shown.to_string()
}

fn level(intervals: &IntervalReport) -> String {
    format!("{:.0} %", 100.0 * intervals.level)
}

fn range(interval: Interval) -> String {
    format!("{}..{}", nats(interval.lower), nats(interval.upper))
}

fn of_outcomes(outcomes: &[OutcomeParts]) -> String {
    let mut shown = table(&["x1", "x2", "y", "p", "r", "u1", "u2", "s"]);
    for OutcomeParts { outcome, probability, r, u1, u2, s } in outcomes.iter().take(LISTED) {
        let names = outcome.iter().map(|name| shortened(name).replace('\n', "\\n"));
        let cells: Vec<String> = names.chain([*probability, *r, *u1, *u2, *s].map(nats)).collect();
        shown.add_row(row(&cells[0], &cells[1..]));
    }
    let more = outcomes.len().saturating_sub(LISTED);
    if more == 0 { shown.to_string() } else { format!("{shown}\n and {more} more: see --json") }
}

fn lattice(report: &Report) -> String {
    let names: Vec<&str> = report.lattice.iter().map(|(measure, _)| measure.name()).collect();
    let header: Vec<&str> = std::iter::once("node").chain(names).collect();
    let mut shown = table(&header);
    let Some((_, first)) = report.lattice.first() else { return String::new() };
    let (nodes, mut left_out) = (&first.atoms, 0);
    for (place, node) in nodes.iter().enumerate() {
        let atoms: Vec<f64> = report.lattice.iter().map(|(_, atoms)| atoms.atoms[place].atom).collect();
        if nodes.len() > 18 && atoms.iter().all(|atom| atom.abs() < SHOWN) {
            left_out += 1;
            continue;
        }
        shown.add_row(row(&node.antichain, &atoms.into_iter().map(nats).collect::<Vec<_>>()));
    }
    if left_out == 0 { shown.to_string() } else { format!("{shown}\n and {left_out} nodes whose atoms are 0.000") }
}
