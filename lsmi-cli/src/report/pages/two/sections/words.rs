//! The answer in words, and what stands in its way.

use lsmi_candle::gates::Verdict;
use serde::Serialize;

use crate::tables;
use crate::tables::cells::nats;
use crate::tables::gauge_sentence::gauge_sentence;
use crate::tables::sentence::sentence;
use lsmi_candle::analysis::names::Words;
use lsmi_candle::analysis::summary::{SplitSummary, Summary};

/// The opening of a page.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    /// A paragraph for each failed gate, to stand before any number.
    failed: Vec<String>,
    /// What else has to be known before any number.
    known: Vec<String>,
    /// What the data supports, where gates were asked.
    conclusion: Option<String>,
    /// What each split says, the first in full.
    paragraphs: Vec<String>,
    warnings: Vec<String>,
}

impl Answer {
    pub(crate) fn new(summary: &Summary, warnings: &[String]) -> Self {
        let words = summary.words();
        let gates = summary.gates.as_deref().unwrap_or_default();
        let told = |verdict: Verdict| {
            let gates = gates.iter().filter(move |gate| gate.verdict == verdict);
            gates.map(|gate| format!("{}: {}", gate.name, gate.advice.as_deref().unwrap_or(&gate.did)))
        };
        let notes = summary.notes.iter().chain(warnings).cloned();
        Self {
            failed: told(Verdict::Fail).collect(),
            known: summary.warnings.clone(),
            conclusion: (!gates.is_empty()).then(|| tables::gates::conclusion(gates)),
            paragraphs: summary
                .splits
                .iter()
                .enumerate()
                .flat_map(|(place, (name, split))| paragraphs(words, name, split, place == 0))
                .collect(),
            warnings: told(Verdict::Warn).chain(notes).collect(),
        }
    }
}

fn paragraphs(words: Words<'_>, name: &str, split: &SplitSummary, is_first: bool) -> Vec<String> {
    let answer = sentence(words, &split.information, &split.adjusted);
    if !is_first {
        return vec![format!("On {name}: {answer}")];
    }
    let chance = split.null.as_ref().map(|null| {
        let test = &null.overall.i12;
        format!(
            "With the labels permuted {} times, both together tell {} nats on average; with the labels as they are, {} (p = {}).",
            null.permutations,
            nats(test.mean),
            nats(test.observed),
            nats(test.p)
        )
    });
    let gauge = split.diagnostics.gauge.as_ref().and_then(|sweep| gauge_sentence(words, sweep));
    [Some(answer), chance, gauge.map(|text| format!("But: {text}"))].into_iter().flatten().collect()
}
