//! Memorisation: how much better heads know the rows that they were fitted to.
//!
//! A head that has memorised its rows gives i = -log p(y) to each, and every modality seems to carry all information about the label.
//! Cross-fitting keeps this out of the results; the gate says how much it keeps out, and whether anything is left of what the
//! heads learned once the rows are new. The [figure](super::Gate::figure) is the largest difference, over the heads of x1,
//! x2 and both, of the accuracy on rows that all folds' models but one were fitted to and the accuracy out of fold. A user's
//! own logits are the same in both, whatever rows their models saw: the gate warns that it cannot tell.

use super::bench::Bench;
use super::{Gate, Verdict, figures};
use crate::error::Result;
use crate::estimator::CrossFit;
use crate::features::{Groups, LOGITS};

/// A difference of accuracies that passes.
const GAP: f64 = 0.1;
/// Standard errors that the joint head must be above the share of the largest class to have learned something.
const ERRORS: f64 = 2.0;

/// Asks the gate. `sample` are the rows of the fit that the bench has.
pub(super) fn ask(bench: &Bench<'_>, fit: &CrossFit, sample: &[usize]) -> Result<Gate> {
    let rows = bench.rows.rows();
    let labels = &bench.rows.labels;
    let right = |predictions: &mut dyn Iterator<Item = u32>| {
        predictions.zip(labels).filter(|(prediction, label)| prediction == *label).count() as f64 / rows as f64
    };
    let in_sample = fit.estimator.score(&bench.rows)?.accuracy();
    let out_of_fold = [0, 1, 2].map(|head| right(&mut sample.iter().map(|row| fit.scores.predictions[head][*row])));
    let majority = super::rows::rows_of_classes(labels).iter().map(Vec::len).max().unwrap_or(0) as f64 / rows as f64;

    let gaps = [0, 1, 2].map(|head| in_sample[head] - out_of_fold[head]);
    let figure = gaps.into_iter().fold(f64::NEG_INFINITY, f64::max);
    let given: Vec<&str> =
        LOGITS.into_iter().zip(&bench.rows.logits).filter_map(|(name, logits)| logits.as_ref().map(|_| name)).collect();
    let groups = bench.rows.groups.as_ref().map_or(rows, Groups::count);
    let (mut verdict, mut advice) = judge(figure, in_sample[2], out_of_fold[2], majority, [rows, groups]);
    if !given.is_empty() {
        verdict = verdict.max(Verdict::Warn);
        advice = Some([Some(given_note(&given)), advice].into_iter().flatten().collect::<Vec<_>>().join("; and "));
    }
    Ok(Gate {
        name: "memorisation".into(),
        did: format!("compared the accuracies of the heads on {rows} rows in sample and out of fold"),
        figure,
        figures: figures([
            ("in_sample_x1", in_sample[0]),
            ("in_sample_x2", in_sample[1]),
            ("in_sample_joint", in_sample[2]),
            ("out_of_fold_x1", out_of_fold[0]),
            ("out_of_fold_x2", out_of_fold[1]),
            ("out_of_fold_joint", out_of_fold[2]),
            ("largest_class", majority),
        ]),
        threshold: GAP,
        why: "a head that loses more than a tenth of its accuracy on new rows has learned rows by heart".to_owned(),
        verdict,
        advice,
    })
}

/// Judges the heads. `rows` has the number of rows and the number of the groups that they are in.
fn judge(
    gap: f64,
    in_sample: f64,
    out_of_fold: f64,
    majority: f64,
    [rows, groups]: [usize; 2],
) -> (Verdict, Option<String>) {
    let error = (majority * (1.0 - majority) / groups as f64).sqrt();
    if out_of_fold <= majority + ERRORS * error && in_sample - out_of_fold > GAP {
        let advice = format!(
            "the joint head knows {in_sample:.3} of its own rows, but of new ones {out_of_fold:.3}, as much as the largest class alone ({majority:.3}): it learned rows and nothing that holds; {}",
            advice([rows, groups])
        );
        (Verdict::Fail, Some(advice))
    } else if gap > GAP {
        let advice = "values of rows that a head was fitted to would have been far too good; cross-fitting keeps them out of the results, so take these and no in-sample ones";
        (Verdict::Warn, Some(advice.to_owned()))
    } else {
        (Verdict::Pass, None)
    }
}

/// Returns advice for heads that learned nothing but their rows.
fn advice([rows, groups]: [usize; 2]) -> String {
    if groups < rows {
        format!(
            "the {rows} rows are {groups} groups that belong together, such as one row repeated, and say no more than {groups} \
             rows: more of other groups would help, more rows of these would not"
        )
    } else {
        "use more rows or fewer columns".to_owned()
    }
}

/// Returns a note on heads that are a user's own models.
fn given_note(names: &[&str]) -> String {
    format!(
        "{} come from outside, and nothing here can tell whether their models were fitted to these very rows, in which case all values of the split `train` are far too good; make sure that they were not, or take other splits",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_decides() {
        // 400 rows in two equal classes: two standard errors are .05.
        let verdict = |gap, in_sample, out_of_fold| judge(gap, in_sample, out_of_fold, 0.5, [400; 2]).0;
        assert_eq!(verdict(0.02, 0.92, 0.9), Verdict::Pass);
        assert_eq!(verdict(0.3, 1.0, 0.7), Verdict::Warn);
        assert_eq!(verdict(0.46, 1.0, 0.54), Verdict::Fail);
        assert_eq!(verdict(0.44, 1.0, 0.56), Verdict::Warn);
        assert_eq!(verdict(0.0, 0.5, 0.5), Verdict::Pass, "nothing learned, nothing memorised");
        let advice = judge(0.5, 1.0, 0.5, 0.5, [400, 100]).1.unwrap();
        assert!(advice.contains("100 groups") && !advice.contains("use more rows"), "{advice}");
    }
}
