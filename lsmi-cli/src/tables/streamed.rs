//! The closing table of rows that were scored from a stream: their means, for people.

use std::fmt::Write;

use lsmi_core::{Adjusted, Means};

use crate::tables::cells::{nats, row, shift, table};
use crate::tables::sentence::sentence;
use lsmi_candle::analysis::names::Words;
use lsmi_candle::analysis::summary::StreamedSplit;
use lsmi_candle::analysis::summary::Summary;

/// Everything that is shown.
pub(crate) fn closing(words: Words<'_>, summary: &Summary<StreamedSplit>) -> String {
    let mut information = table(&["split", "samples", "I(x1;y)", "I(x2;y)", "I(x1,x2;y)"]);
    let unique1 = format!("U1 {} alone", words.names.x1);
    let unique2 = format!("U2 {} alone", words.names.x2);
    let mut interactions = table(&["split", "", "R both alike", &unique1, &unique2, "S only together"]);
    let mut predictions = table(&["split", "", &words.names.x1, &words.names.x2, "both"]);
    let mut shifts = String::new();
    for (name, split) in &summary.splits {
        let terms = [split.information.i1, split.information.i2, split.information.i12].map(nats);
        information.add_row(row(name, &[&[split.n.to_string()], terms.as_slice()].concat()));
        let Means { r, u1, u2, s } = split.raw;
        interactions.add_row(row(name, &[&["raw".to_owned()], [r, u1, u2, s].map(nats).as_slice()].concat()));
        let Adjusted { r, u1, u2, s, .. } = split.adjusted;
        interactions.add_row(row("", &[&["adjusted".to_owned()], [r, u1, u2, s].map(nats).as_slice()].concat()));
        let shares = [split.accuracy.x1, split.accuracy.x2, split.accuracy.joint];
        let shares = shares.map(|share| format!("{:.1} %", 100.0 * share));
        predictions.add_row(row(name, &[&["accuracy".to_owned()], shares.as_slice()].concat()));
        let losses = [split.nll.x1, split.nll.x2, split.nll.joint].map(nats);
        predictions.add_row(row("", &[&["log loss".to_owned()], losses.as_slice()].concat()));
        // Writing to a string cannot fail.
        let _ = write!(shifts, "\n {name}: {}", shift(&split.adjusted));
    }
    let (label, measure, gauge) = (words.label, summary.measure, summary.gauge);
    let mut text = String::new();
    for warning in &summary.warnings {
        text.push_str("\nWARNING: ");
        text.push_str(warning);
    }
    if !text.is_empty() {
        text.push('\n');
    }
    let _ = write!(
        text,
        "\nHow much the modalities tell about {label} (mutual information, nats)\n{information}\n\
         \nInteractions (means over samples, nats; measure {measure}, {gauge} gauge)\n{interactions}{shifts}\n\
         \nPredictions\n{predictions}"
    );
    if let Some((_, first)) = summary.splits.first() {
        let _ = write!(text, "\n\nIn short\n{}", sentence(words, &first.information, &first.adjusted));
    }
    for note in &summary.notes {
        let _ = write!(text, "\n\nnote: {note}");
    }
    text
}
