//! The closing table: information, interactions, predictions and telling samples, for people.

use std::fmt::Write;

use lsmi_core::{Interaction, Kind, Means};

use crate::tables;
use crate::tables::cells::{kind_in_words, nats, row, shift, table};
use crate::tables::gauge_sentence::gauge_sentence;
use crate::tables::sentence::sentence;
use lsmi_candle::analysis::names::Words;
use lsmi_candle::analysis::summary::{MeanInterval, Parts, SplitSummary, Summary};
use lsmi_candle::samples::ScoredSplit;
use lsmi_candle::samples::exemplars::{kind_of, telling};

/// Everything that is shown when a command has scored samples.
///
/// `describe` names the sample in a row of the first split, whose samples are listed.
pub(crate) fn closing(
    words: Words<'_>,
    summary: &Summary,
    splits: &[ScoredSplit],
    describe: &dyn Fn(usize) -> String,
) -> String {
    let gates = summary.gates.as_deref().unwrap_or_default();
    let mut text = tables::gates::failed(gates);
    for warning in &summary.warnings {
        // Writing to a string cannot fail.
        let _ = write!(text, "\nWARNING: {warning}");
    }
    if !text.is_empty() {
        text.push('\n');
    }
    let mut section = |title: &str, body: String| {
        let _ = write!(text, "\n{title}\n{body}\n");
    };
    let label = words.label;
    section(&format!("How much the modalities tell about {label} (mutual information, nats)"), information(summary));
    let (measure, gauge) = (summary.measure, summary.gauge);
    section(
        &format!("Interactions (means over samples, nats; measure {measure}, {gauge} gauge)"),
        interactions(words, summary),
    );
    if summary.splits.iter().any(|(_, split)| split.measures.len() > 1) {
        section("The same by several measures (raw means, nats)", measures(summary));
    }
    if !summary.models.is_empty() {
        section(
            &format!("What each model has learned (means over samples, nats; measure {measure})"),
            tables::models::body(words, summary),
        );
    }
    section("Predictions", predictions(words, summary));
    for (name, split) in &summary.splits {
        if let Some(null) = &split.null {
            let title =
                format!("Against chance (means of `{name}`, {} permutations of {label}, nats)", null.permutations);
            section(&title, tables::null::body(null));
        }
    }
    if let Some(ratings) = &summary.ratings {
        section("Agreement with people (correlations with their scores)", tables::ratings::body(ratings));
    }
    if let Some(split) = splits.first() {
        section(
            &format!("Telling samples of `{}` by kind (nats; class in parentheses, classes take turns)", split.name),
            samples(words, split, describe),
        );
    }
    if let Some((_, first)) = summary.splits.first() {
        let gauge = first.diagnostics.gauge.as_ref().and_then(|sweep| gauge_sentence(words, sweep));
        let gauge = gauge.map_or_else(String::new, |text| format!("\nBut: {text}"));
        // Whether the sentence may be believed comes before it.
        let support =
            summary.gates.as_deref().map_or_else(String::new, |gates| tables::gates::conclusion(gates) + "\n");
        section("In short", support + &sentence(words, &first.information, &first.adjusted) + &gauge);
    }
    text.push_str(&tables::gates::warned(gates));
    for note in &summary.notes {
        let _ = write!(text, "\nnote: {note}");
    }
    text.trim_end().to_owned()
}

fn information(summary: &Summary) -> String {
    let mut table = table(&["split", "samples", "I(x1;y)", "I(x2;y)", "I(x1,x2;y)"]);
    for (name, split) in &summary.splits {
        let information = &split.intervals.information;
        let told = |of_mean: MeanInterval| {
            if of_mean.not_found { format!("not found, {}", range(of_mean)) } else { mean_of(of_mean) }
        };
        let cells = [information.i1, information.i2, information.i12].map(told);
        table.add_row(row(name, &[&[split.n.to_string()], cells.as_slice()].concat()));
    }
    table.to_string()
}

fn interactions(words: Words<'_>, summary: &Summary) -> String {
    let unique1 = format!("U1 {} alone", words.names.x1);
    let unique2 = format!("U2 {} alone", words.names.x2);
    let mut table = table(&["split", "", "R both alike", &unique1, &unique2, "S only together"]);
    let (mut shifts, mut counts) = (String::new(), String::new());
    for (name, split) in &summary.splits {
        let SplitSummary { adjusted, intervals, .. } = split;
        let cells = |parts: &Parts<MeanInterval>, told: fn(MeanInterval) -> String| {
            [parts.r, parts.u1, parts.u2, parts.s].map(told)
        };
        table.add_row(row(name, &[&["raw".to_owned()], cells(&intervals.raw, mean_of).as_slice()].concat()));
        let level = format!("{:.0} %", 100.0 * intervals.level);
        table.add_row(row("", &[&[level], cells(&intervals.raw, range).as_slice()].concat()));
        table.add_row(row("", &[&["adjusted".to_owned()], cells(&intervals.adjusted, mean_of).as_slice()].concat()));
        let _ = write!(shifts, "\n {name}: {}", shift(adjusted));
        let _ = write!(counts, "\n {name}: {}", kinds(words, &split.kinds));
    }
    format!("{table}{shifts}{counts}")
}

/// How many samples are of each kind, in words.
fn kinds(words: Words<'_>, counts: &[(Kind, usize)]) -> String {
    let of_kind = |(kind, count): (Kind, usize)| match kind {
        Kind::None => format!("{count} none of these"),
        kind => format!("{count} {}", kind_in_words(words, kind)),
    };
    // What is none of the others comes after them.
    let (rest, named): (Vec<_>, Vec<_>) = counts.iter().partition(|(kind, _)| *kind == Kind::None);
    let texts: Vec<String> = named.into_iter().chain(rest).filter(|(_, count)| *count > 0).map(of_kind).collect();
    format!("samples by kind: {}", texts.join(", "))
}

/// A mean, or that nothing was found.
fn mean_of(of_mean: MeanInterval) -> String {
    if of_mean.not_found { "not found".to_owned() } else { nats(of_mean.interval.mean) }
}

/// An interval, or the most that may be there where nothing was found.
fn range(MeanInterval { interval, not_found }: MeanInterval) -> String {
    if not_found {
        return format!("at most {}", nats(interval.upper));
    }
    format!("{}..{}", nats(interval.lower), nats(interval.upper))
}

fn measures(summary: &Summary) -> String {
    let mut table = table(&["split", "measure", "R", "U1", "U2", "S"]);
    for (name, split) in &summary.splits {
        for (place, (measure, of_measure)) in split.measures.iter().enumerate() {
            let Means { r, u1, u2, s } = of_measure.raw;
            let name = if place == 0 { name.as_str() } else { "" };
            table.add_row(row(name, &[&[measure.to_string()], [r, u1, u2, s].map(nats).as_slice()].concat()));
        }
    }
    table.to_string()
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
        let _ = writeln!(text, " {}, {interaction}", kind_in_words(words, kind_of(interaction)));
        let values = split.decomposition.values(interaction);
        let rows = telling(split, interaction);
        if rows.is_empty() {
            text.push_str("           none\n");
        }
        for sample in rows {
            let _ = writeln!(text, "  {:>7}  {}", nats(values[sample]), describe(sample));
        }
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_counted_in_words() {
        let names = "picture,name".parse().unwrap();
        let counts: Vec<(Kind, usize)> = Kind::ALL.into_iter().zip([3, 0, 2, 1, 5, 4, 6]).collect();
        assert_eq!(
            kinds(Words { names: &names, label: "the label" }, &counts),
            "samples by kind: 3 redundant, 2 unique to name, 1 synergistic, 4 conflicting, 6 hard, 5 none of these"
        );
    }
}
