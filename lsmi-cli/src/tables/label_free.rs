//! The closing table of `score --label-free`: means of expectations, for people.

use crate::tables::cells::{nats, row, table};
use lsmi_candle::analysis::names::{Names, Words};
use lsmi_candle::analysis::summary::ExpectedSummary;
use lsmi_candle::analysis::summary::Heads;

/// Everything that is shown when samples were scored without labels.
pub(crate) fn closing(names: &Names, summary: &ExpectedSummary) -> String {
    let mut information = table(&["split", "samples", "I(x1;y)", "I(x2;y)", "I(x1,x2;y)"]);
    let unique1 = format!("U1 {} alone", names.x1);
    let unique2 = format!("U2 {} alone", names.x2);
    let mut interactions = table(&["split", "R both alike", &unique1, &unique2, "S only together"]);
    let mut confidence = table(&["split", &names.x1, &names.x2, "both"]);
    for (name, split) in &summary.splits {
        let terms = [split.information.i1, split.information.i2, split.information.i12].map(nats);
        information.add_row(row(name, &[&[split.n.to_string()], terms.as_slice()].concat()));
        interactions.add_row(row(name, &[split.raw.r, split.raw.u1, split.raw.u2, split.raw.s].map(nats)));
        if let Some(Heads { x1, x2, joint }) = split.confidence {
            confidence.add_row(row(name, &[x1, x2, joint].map(|share| format!("{:.1} %", 100.0 * share))));
        }
    }
    let confidence = if confidence.is_empty() {
        String::new()
    } else {
        format!("\nConfidence (mean probability of the predicted class)\n{confidence}")
    };
    let words = Words { names, label: "the label" };
    let warnings = summary
        .splits
        .iter()
        .flat_map(|(name, split)| split.missing.iter().flat_map(move |missing| missing.warnings(words, name)));
    let warnings = warnings.map(|warning| format!("\nWARNING: {warning}\n")).collect::<Vec<_>>().concat();
    let (measure, gauge) = (summary.measure, summary.gauge);
    let notes = [String::new()].into_iter().chain(summary.notes.iter().map(|note| format!("note: {note}")));
    let notes = notes.collect::<Vec<_>>().join("\n\n");
    format!(
        "{warnings}\nNo labels were used: every value is the expectation over labels under the joint head.\n\
         \nHow much the modalities are expected to tell about the label (means, nats)\n{information}\n\
         \nExpected interactions (means over samples, nats; measure {measure}, {gauge} gauge)\n{interactions}\n\
         {confidence}{notes}"
    )
}
