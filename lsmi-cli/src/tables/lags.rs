//! The table of `analyze --lags`: what the modalities tell at each lag, split by split.

use std::fmt::Write;

use lsmi_candle::analysis::LagAnalyses;
use lsmi_candle::analysis::names::Words;
use lsmi_candle::analysis::summary::{Information, MeanInterval, Parts, SplitSummary};
use lsmi_core::{Adjusted, Means};

use super::cells::{nats, row, table};

/// The table of all splits, with what has to be known first and how to read it.
pub(crate) fn closing(words: Words<'_>, analyses: &LagAnalyses) -> String {
    let mut text = String::new();
    let Some(summary) = analyses.summary() else { return text };
    for warning in &summary.warnings {
        let _ = writeln!(text, "WARNING: {warning}");
    }
    text += &body(words, analyses);
    let (x1, x2) = (&words.names.x1, &words.names.x2);
    let _ = write!(
        text,
        "\nin nats; at lag k, {x1} k steps before {x2} and {}. The samples are the same at every lag, from step {} on; intervals \
         hold the adjusted mean with 95 %",
        words.label, summary.first_step
    );
    text
}

/// The table: under every split the lags.
fn body(words: Words<'_>, analyses: &LagAnalyses) -> String {
    let (unique1, unique2) = (format!("U1 {}", words.names.x1), format!("U2 {}", words.names.x2));
    let header = ["split", "lag", "I(x1;y)", "I(x2;y)", "I(x1,x2;y)", "", "R", &unique1, &unique2, "S"];
    let mut table = table(&header);
    let splits = analyses.lags.first().map(|(_, analysis)| &analysis.summary().splits);
    for (split, _) in splits.into_iter().flatten() {
        for (place, (lag, summary)) in analyses.of_split(split).enumerate() {
            let [raw, adjusted, intervals] = rows(lag, summary);
            table.add_row(row(if place == 0 { split } else { "" }, &raw));
            table.add_row(row("", &adjusted));
            table.add_row(row("", &intervals));
        }
    }
    table.to_string()
}

fn rows(lag: usize, split: &SplitSummary) -> [Vec<String>; 3] {
    let Information { i1, i2, i12 } = split.information;
    let Means { r, u1, u2, s } = split.raw;
    let raw = [lag.to_string()].into_iter().chain([i1, i2, i12].map(nats));
    let raw = raw.chain(["raw".to_owned()]).chain([r, u1, u2, s].map(nats)).collect();

    let Adjusted { r, u1, u2, s, .. } = split.adjusted;
    let none = || std::iter::repeat_n(String::new(), 4);
    let adjusted = none().chain(["adjusted".to_owned()]).chain([r, u1, u2, s].map(nats)).collect();

    let Information { i1, i2, i12 } = split.intervals.information;
    let Parts { r, u1, u2, s } = split.intervals.adjusted;
    let intervals = [String::new()].into_iter().chain([i1, i2, i12].map(ends));
    let intervals = intervals.chain(["interval".to_owned()]).chain([r, u1, u2, s].map(ends)).collect();
    [raw, adjusted, intervals]
}

fn ends(of: MeanInterval) -> String {
    format!("{} to {}", nats(of.interval.lower), nats(of.interval.upper))
}
