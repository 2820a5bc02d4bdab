//! The tables of `lsmi guide distill`: how good students are under each policy, and what `interaction` is better by.

use std::fmt::Write;

use lsmi_guide::OverSeeds;
use lsmi_guide::distill::{Comparison, Differences};

use crate::table::{row, table};

/// Log losses and their differences are told to so many decimals: differences are of thousandths.
const DECIMALS: usize = 4;

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
        "\nStudents of {:.0} samples under each policy, mean of {} seeds (log loss in nats)\n{scores}\n \
         the teacher: accuracy {}, log loss {}",
        comparison.transfer,
        settings.seeds,
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
    text
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

fn number(value: f64) -> String {
    let text = format!("{value:.DECIMALS$}");
    if text.trim_start_matches('-').chars().all(|c| matches!(c, '0' | '.')) {
        text.trim_start_matches('-').to_owned()
    } else {
        text
    }
}

fn p_value(value: Option<f64>) -> String {
    value.map_or_else(String::new, |p| format!("{p:.3}"))
}

fn range(figure: &OverSeeds) -> String {
    figure
        .lower
        .zip(figure.upper)
        .map_or_else(String::new, |(lower, upper)| format!("{}..{}", number(lower), number(upper)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_has_no_sign() {
        assert_eq!((number(-0.000_01), number(-0.0123)), ("0.0000".to_owned(), "-0.0123".to_owned()));
        assert_eq!(range(&OverSeeds { mean: 1.0, lower: None, upper: None }), "");
    }
}
