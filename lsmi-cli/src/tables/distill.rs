//! The tables of `lsmi guide distill`: how good students are under each policy, and what `interaction` is better by.

use std::fmt::Write;

use lsmi_guide::experiments::distill::{Comparison, Differences, Source};

use crate::tables::cells::{row, table};
use crate::tables::seed_stats::{number, p_value, range, verdict};

pub(crate) fn distill_table(comparison: &Comparison) -> String {
    let mut scores = table(&["policy", "factor", "accuracy", "log loss", "95 %", "calibration error"]);
    for policy in &comparison.policies {
        scores.add_row(row(
            &policy.policy,
            &[
                if policy.policy == "none" { String::new() } else { policy.factor.to_string() },
                number(policy.accuracy.mean),
                number(policy.log_loss.mean),
                range(&policy.log_loss),
                number(policy.calibration_error.mean),
            ],
        ));
    }
    let settings = &comparison.settings;
    let mut text = format!(
        "\nStudents of {:.0} samples under each policy, mean of {} seeds (log loss in nats{})\n{scores}\n \
         the teacher: accuracy {}, log loss {}",
        comparison.transfer,
        settings.seeds,
        if settings.interactions == Source::Tracked { "; interactions tracked in each student" } else { "" },
        number(comparison.teacher.accuracy),
        number(comparison.teacher.log_loss),
    );
    // Writing to a string cannot fail.
    let mut add = |of: &str, differences: &[Differences]| {
        if !differences.is_empty() {
            let _ = write!(text, "\n\nWhat `{of}` is better by, seed by seed\n{}", differences_table(differences));
        }
    };
    add("interaction", &comparison.advantages);
    add("modality", &comparison.fusion);
    for reason in &comparison.skipped {
        let _ = write!(text, "\nnote: a step was skipped: {reason}");
    }
    match in_short(comparison) {
        Some(verdicts) => text + "\n\n" + &verdicts,
        None => text + "\n\nnothing is compared: `interaction` or what it is compared with is not among --policies",
    }
}

fn differences_table(differences: &[Differences]) -> String {
    let mut table = table(&["than", "log loss", "95 %", "p", "p, other data", "accuracy", "95 %"]);
    for difference in differences {
        let (loss, accuracy) = (&difference.log_loss, &difference.accuracy);
        table.add_row(row(
            &difference.over,
            &[
                number(loss.difference.mean),
                range(&loss.difference),
                p_value(loss.p_value),
                p_value(difference.other_data_p_value),
                number(accuracy.difference.mean),
                range(&accuracy.difference),
            ],
        ));
    }
    table.to_string()
}

/// What the figures say: against the best of the others, and against the same weights dealt at random.
fn in_short(comparison: &Comparison) -> Option<String> {
    let loss = |over: &str| comparison.policy(over).map_or(f64::INFINITY, |policy| policy.log_loss.mean);
    let others = || comparison.advantages.iter().filter(|difference| difference.over != "random");
    let best = others().min_by(|a, b| loss(&a.over).total_cmp(&loss(&b.over)));
    let found: Vec<String> = best
        .into_iter()
        .chain(comparison.advantage("random"))
        .map(|found| verdict("interaction", &found.over, &found.log_loss.difference, comparison.settings.seeds))
        .collect();
    (!found.is_empty()).then(|| format!("In short, by log loss: {}.", found.join("; ")))
}
