//! Calibration: whether a head is right as often as it claims.
//!
//! Pointwise information is the logarithm of what a head says, so that too much confidence, or too little, goes into every
//! component one to one. The expected calibration error of out-of-fold predictions is compared with the error that the
//! same confidences would show by chance if they were true. The [figure](super::Gate::figure) is the error of the head that
//! exceeds its threshold most; its threshold is the gate's.

use lsmi_core::random::{ChaCha8Rng, stream};
use lsmi_core::statistics::{Reliability, expected_calibration_error, quantile, reliability};
use rand::Rng;

use super::{BEYOND_CHANCE, Gate, Verdict};
use crate::estimator::Scores;

/// The number of bins of a reliability table.
const BINS: usize = 15;
/// The error that passes even if many rows show that it is not chance.
const PASS: f64 = 0.03;
/// An error beyond which the data fails, unless it is near chance.
const WARN: f64 = 0.1;
/// The number of draws from which the error by chance is computed.
const DRAWS: usize = 200;
/// The quantile of these draws that counts as chance.
const QUANTILE: f64 = 0.99;

/// Returns the reliability of the heads of x1, x2 and both, in 15 bins of as many rows each.
pub fn reliability_of_heads(scores: &Scores) -> [Reliability; 3] {
    let all: Vec<usize> = (0..scores.labels.len()).collect();
    [0, 1, 2].map(|head| {
        let (confidences, is_right) = predictions(scores, head, &all);
        table(&confidences, &is_right)
    })
}

/// Asks the gate. `sample` are the rows that are judged.
pub(super) fn ask(scores: &Scores, sample: &[usize], seed: u64) -> Gate {
    let mut random = stream(seed, "gate calibration");
    let heads = [("x1", "x1", 0), ("x2", "x2", 1), ("joint", "both", 2)].map(|(name, of, head)| {
        let (confidences, is_right) = predictions(scores, head, sample);
        let error = table(&confidences, &is_right).expected_calibration_error;
        let chance = error_of_chance(&confidences, &mut random);
        let right = is_right.iter().filter(|is_right| **is_right).count() as f64 / sample.len() as f64;
        let confidence = lsmi_core::statistics::mean(&confidences);
        let figures = [("error", error), ("chance", chance), ("accuracy", right), ("confidence", confidence)];
        (of, error, PASS.max(chance), figures.map(|(what, value)| (format!("{what}_{name}"), value)))
    });
    let mut worst = &heads[0];
    for head in &heads[1..] {
        if head.1 - head.2 > worst.1 - worst.2 {
            worst = head;
        }
    }
    let (of, figure, threshold, _) = *worst;
    let [(_, accuracy), (_, confidence)] = [&worst.3[2], &worst.3[3]];
    let verdict = Verdict::from_bounds(figure, threshold, WARN.max(BEYOND_CHANCE * threshold));
    Gate {
        name: "calibration".into(),
        did: format!("compared confidence and accuracy of the heads out of fold, {} rows in {BINS} bins", sample.len()),
        figure,
        figures: heads.iter().flat_map(|head| head.3.clone()).collect(),
        threshold,
        why: format!(
            "{PASS}, or what a head that is right as often as it says shows by chance in 99 of 100 cases where this is more"
        ),
        verdict,
        advice: (verdict > Verdict::Pass).then(|| {
            let too = if confidence > accuracy { "too sure" } else { "not sure enough" };
            format!("the head of {of} is {too} of itself ({confidence:.3} against {accuracy:.3} right), and the error goes into every component; use more rows, or logits of a calibrated model")
        }),
    }
}

/// Confidences of rows and whether their predictions are right.
fn predictions(scores: &Scores, head: usize, rows: &[usize]) -> (Vec<f64>, Vec<bool>) {
    // Exponentials of logarithms may come out a rounding above 1.
    let confidences = rows.iter().map(|row| scores.confidences[head][*row].min(1.0)).collect();
    let is_right = rows.iter().map(|row| scores.predictions[head][*row] == scores.labels[*row]).collect();
    (confidences, is_right)
}

#[expect(clippy::expect_used, reason = "a fit has rows, and confidences are probabilities")]
fn table(confidences: &[f64], is_right: &[bool]) -> Reliability {
    reliability(confidences, is_right, BINS).expect("probabilities")
}

/// Returns the error that predictions right with the probability of their confidence stay below in 99 of 100 cases.
fn error_of_chance(confidences: &[f64], random: &mut ChaCha8Rng) -> f64 {
    let draws = (0..DRAWS).map(|_| {
        let is_right: Vec<bool> = confidences.iter().map(|confidence| random.random::<f64>() < *confidence).collect();
        expected_calibration_error(confidences, &is_right, BINS).unwrap_or(f64::NAN)
    });
    quantile(&draws.collect::<Vec<_>>(), QUANTILE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsmi_core::{SampleIds, Terms};

    /// Scores of heads that are right less often than they say, by the given excess each.
    fn scores(rows: usize, excess: [f64; 3]) -> Scores {
        let mut random = stream(0, "calibration test");
        let confidences = excess.map(|_| (0..rows).map(|_| random.random_range(0.6..1.0)).collect::<Vec<f64>>());
        let predictions = [0, 1, 2].map(|head| {
            let is_right = confidences[head].iter().map(|p| random.random::<f64>() < p - excess[head]);
            is_right.map(|is_right| u32::from(!is_right)).collect::<Vec<u32>>()
        });
        let zeros = || vec![0.0; rows];
        let terms = Terms::new(SampleIds::rows(rows), zeros(), zeros(), zeros(), zeros(), zeros()).unwrap();
        Scores {
            terms,
            repeats: Vec::new(),
            folds: None,
            groups: None,
            labels: vec![0; rows],
            predictions,
            confidences,
        }
    }

    fn gate(rows: usize, excess: [f64; 3]) -> Gate {
        ask(&scores(rows, excess), &(0..rows).collect::<Vec<_>>(), 0)
    }

    #[test]
    fn the_worst_head_decides() {
        assert_eq!(gate(4000, [0.0; 3]).verdict, Verdict::Pass);
        let warned = gate(4000, [0.0, 0.07, 0.0]);
        assert_eq!((warned.verdict, warned.figure), (Verdict::Warn, warned.figures["error_x2"]));
        assert!((warned.figure - 0.07).abs() < 0.02, "{}", warned.figure);
        assert!(warned.advice.unwrap().starts_with("the head of x2 is too sure"));
        assert_eq!(gate(4000, [0.0, 0.07, 0.3]).verdict, Verdict::Fail);
        // Here confidence is at most 1, and so accuracy is not above.
        assert!(gate(4000, [-0.2, 0.0, 0.0]).advice.unwrap().contains("x1 is not sure enough"));
    }

    #[test]
    fn few_rows_show_more_by_chance() {
        let (few, many) = (gate(60, [0.0; 3]), gate(6000, [0.0; 3]));
        assert!(few.verdict == Verdict::Pass && few.threshold > 0.1, "{}", few.threshold);
        assert_eq!(many.threshold, PASS);
    }

    #[test]
    fn tables_are_of_all_rows() {
        let scores = scores(300, [0.0; 3]);
        for table in reliability_of_heads(&scores) {
            assert_eq!(table.bins.iter().map(|bin| bin.count).collect::<Vec<_>>(), [20; 15]);
        }
    }
}
