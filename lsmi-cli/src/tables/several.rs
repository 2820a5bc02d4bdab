//! What is printed of an analysis of more than two modalities.

use lsmi_candle::analysis::several::{SeveralSplitSummary, SeveralSummary};

use super::cells::{nats, row, table};

/// The tables of every split, a sentence that reads the lattice, and what has to be known.
pub(crate) fn closing(summary: &SeveralSummary) -> String {
    let modalities: Vec<String> =
        summary.modalities.iter().enumerate().map(|(place, name)| format!("{} = {name}", place + 1)).collect();
    let mut text: Vec<String> = summary.warnings.iter().map(|warning| format!("warning: {warning}")).collect();
    text.push(format!("modalities: {}; measure {}, all in nats", modalities.join(", "), summary.measure));
    for (name, split) in &summary.splits {
        text.push(format!("\n{name}, {} samples", split.n));
        text.push(information(split));
        text.push(pairs(split));
        if !split.lattice.is_empty() {
            text.push(lattice(split));
        }
        if !split.shapley.is_empty() {
            text.push(shapley(split));
        }
        if let Some(redundancy) = split.redundancy {
            text.push(format!("all modalities tell alike: {}", nats(redundancy)));
        }
        text.extend(summary.reading(split));
    }
    text.extend(summary.notes.iter().map(|note| format!("note: {note}")));
    text.join("\n")
}

fn information(split: &SeveralSplitSummary) -> String {
    let mut rows = table(&["modalities", "I", "accuracy"]);
    for (set, information) in &split.information {
        let accuracy = split.accuracy.get(set).map_or_else(String::new, |share| format!("{:.1} %", 100.0 * share));
        rows.add_row(row(&set.to_string(), &[nats(*information), accuracy]));
    }
    rows.to_string()
}

fn pairs(split: &SeveralSplitSummary) -> String {
    let mut rows = table(&["pair", "R", "U of first", "U of second", "S"]);
    for (pair, summary) in &split.pairs {
        let raw = summary.raw;
        rows.add_row(row(&pair.to_string(), &[raw.r, raw.u1, raw.u2, raw.s].map(nats)));
    }
    rows.to_string()
}

fn lattice(split: &SeveralSplitSummary) -> String {
    let others: Vec<String> = split.lattices.iter().map(|(measure, _)| format!("by {measure}")).collect();
    let header: Vec<&str> = ["atom", "mean"].into_iter().chain(others.iter().map(String::as_str)).collect();
    let mut rows = table(&header);
    for (place, (name, mean)) in split.lattice.iter().enumerate() {
        let others = split.lattices.iter().filter_map(|(_, atoms)| atoms.0.get(place).map(|(_, mean)| nats(*mean)));
        rows.add_row(row(name, &std::iter::once(nats(*mean)).chain(others).collect::<Vec<_>>()));
    }
    rows.to_string()
}

fn shapley(split: &SeveralSplitSummary) -> String {
    let mut rows = table(&["Shapley value", "mean"]);
    for (name, mean) in &split.shapley {
        rows.add_row(row(name, &[nats(*mean)]));
    }
    for (pair, mean) in &split.interaction {
        rows.add_row(row(&format!("interaction {pair}"), &[nats(*mean)]));
    }
    rows.to_string()
}
