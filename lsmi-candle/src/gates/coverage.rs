//! Coverage: whether evaluation rows lie where training rows do.
//!
//! The density of a modality says nothing of places where it saw no rows, and neither do heads. One in a hundred training
//! rows has a surprisal, out of fold, above the 99th percentile of all; of evaluation rows it should be about as many. The
//! [figure](super::Gate::figure) is the largest such share over modalities and sets of evaluation rows.

use std::collections::BTreeMap;

use lsmi_core::statistics::quantile;

use super::{Gate, Verdict};
use crate::estimator::Scores;

/// The share of training rows that lie beyond.
const EXPECTED: f64 = 0.01;
/// A share of evaluation rows that passes.
const PASS: f64 = 0.05;
/// A share of evaluation rows beyond which the data fails.
const WARN: f64 = 0.2;
/// Standard errors that count as chance where evaluation rows are few.
const ERRORS: f64 = 3.0;

pub(super) fn ask(training: &Scores, evaluations: &[(&str, &Scores)]) -> Option<Gate> {
    let usual = [&training.terms.h1, &training.terms.h2].map(|surprisal| quantile(surprisal, 1.0 - EXPECTED));
    let mut worst: Option<(f64, f64, String)> = None;
    let mut figures = BTreeMap::new();
    for (name, scores) in evaluations {
        let rows = scores.terms.len() as f64;
        let threshold = PASS.max(EXPECTED + ERRORS * (EXPECTED * (1.0 - EXPECTED) / rows).sqrt());
        for (modality, surprisal, usual) in [("x1", &scores.terms.h1, usual[0]), ("x2", &scores.terms.h2, usual[1])] {
            let share = surprisal.iter().filter(|surprisal| **surprisal > usual).count() as f64 / rows;
            figures.insert(format!("{modality}_of_{name}"), share);
            if worst.as_ref().is_none_or(|(figure, bound, _)| share - threshold > figure - bound) {
                worst = Some((share, threshold, format!("{modality} of {name}")));
            }
        }
    }
    let (figure, threshold, whose) = worst?;
    let verdict = Verdict::from_bounds(figure, threshold, WARN.max(threshold));
    Some(Gate {
        name: "coverage".into(),
        did: "looked for evaluation rows that surprise the training density more than 99 in 100 training rows do"
            .to_owned(),
        figure,
        figures,
        threshold,
        why: format!("one in a hundred is expected; {PASS}, or three standard errors more where rows are few, is another distribution"),
        verdict,
        advice: (verdict > Verdict::Pass).then(|| {
            format!("{:.0} % of the rows have their {whose} where next to no training rows are: their terms are guesses; train on rows like them", 100.0 * figure)
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsmi_core::{SampleIds, Terms};

    /// Rows with the surprisals 0, 1, ... of x1, moved for x2.
    fn scores(rows: usize, step: f64, moved: f64) -> Scores {
        let h1: Vec<f64> = (0..rows).map(|row| row as f64 * step).collect();
        let h2 = h1.iter().map(|surprisal| surprisal + moved).collect();
        let zeros = || vec![0.0; rows];
        let terms = Terms::new(SampleIds::rows(rows), h1, h2, zeros(), zeros(), zeros()).unwrap();
        Scores {
            terms,
            repeats: Vec::new(),
            folds: None,
            groups: None,
            labels: vec![0; rows],
            predictions: [const { Vec::new() }; 3],
            confidences: [const { Vec::new() }; 3],
        }
    }

    #[test]
    fn the_share_beyond_the_training_rows_decides() {
        let training = scores(1001, 1.0, 0.0);
        // The 99th percentile is 990, so that the share of the rows 0, 10, ... moved by m that lie beyond is about m / 1000.
        for (moved, verdict) in
            [(0.0, Verdict::Pass), (30.0, Verdict::Pass), (100.0, Verdict::Warn), (300.0, Verdict::Fail)]
        {
            let evaluation = scores(100, 10.0, moved);
            let gate = ask(&training, &[("val", &training), ("test", &evaluation)]).unwrap();
            assert_eq!(gate.verdict, verdict, "{moved}");
            assert_eq!(gate.figures["x2_of_test"], moved / 1000.0);
            assert_eq!(gate.figures["x1_of_val"], 10.0 / 1001.0);
            assert_eq!(gate.advice.is_some_and(|advice| advice.contains("x2 of test")), verdict != Verdict::Pass);
        }
    }

    #[test]
    fn few_rows_are_no_evidence_and_none_no_gate() {
        let training = scores(1001, 1.0, 0.0);
        let ten = scores(10, 110.0, 0.0);
        let gate = ask(&training, &[("test", &ten)]).unwrap();
        assert!(gate.verdict == Verdict::Pass && gate.threshold > 0.1);
        assert!(ask(&training, &[]).is_none());
    }
}
