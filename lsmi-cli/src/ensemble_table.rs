//! The tables of `lsmi guide ensemble`: how good members and ensembles are, and what `guided` is better by.

use std::fmt::Write;

use lsmi_guide::ensemble::{Comparison, Difference, Guidance};
use lsmi_guide::{OverSeeds, PairedDifference};

use crate::table::{row, table};

/// Differences are of thousandths.
const DECIMALS: usize = 4;

pub(crate) fn ensemble_table(comparison: &Comparison) -> String {
    let mut scores = table(&["method", "accuracy", "95 %", "log loss", "95 %", "calibration error"]);
    for method in &comparison.methods {
        let (accuracy, log_loss) = (&method.accuracy, &method.log_loss);
        let calibration = number(method.calibration_error.mean);
        let cells = [number(accuracy.mean), range(accuracy), number(log_loss.mean), range(log_loss), calibration];
        scores.add_row(row(&method.method, &cells));
    }
    let Comparison { n, evaluated, seeds, .. } = comparison;
    let mut text = format!(
        "\nMembers and ensembles on {evaluated} of {n} samples, mean of {seeds} seeds (log loss in nats)\n{scores}\n \
         how weights were held to those of log-linear stacking, as cross-validation chose: {}",
        chosen(comparison)
    );
    // Writing to a string cannot fail.
    let mut add = |of: &str, differences: &[Difference]| {
        let _ = write!(text, "\n\nWhat `{of}` is better by, seed by seed\n{}", differences_table(differences));
    };
    add("guided", &comparison.advantages);
    add("guided, with a weak member", &comparison.weak_member);
    text
}

fn chosen(comparison: &Comparison) -> String {
    let texts = comparison.guidance.iter().map(|chosen| {
        let what = match chosen.guidance {
            Guidance::Penalty(penalty) => format!("penalty {penalty}"),
            Guidance::Stacking => "stacking itself".to_owned(),
        };
        format!("{what} ({})", chosen.seeds)
    });
    texts.collect::<Vec<_>>().join(", ")
}

fn differences_table(differences: &[Difference]) -> String {
    let mut table = table(&["than", "log loss", "95 %", "p", "accuracy", "95 %", "p"]);
    for Difference { over, log_loss, accuracy, .. } in differences {
        table.add_row(row(over, &[paired(log_loss), paired(accuracy)].concat()));
    }
    table.to_string()
}

/// Mean, interval and p-value of a difference.
pub(crate) fn paired(paired: &PairedDifference) -> [String; 3] {
    let p_value = paired.p_value.map_or_else(String::new, |p| format!("{p:.3}"));
    [number(paired.difference.mean), range(&paired.difference), p_value]
}

/// Four decimals, and no minus before nothing.
pub(crate) fn number(value: f64) -> String {
    let text = format!("{value:.DECIMALS$}");
    if text == "-0.0000" { "0.0000".to_owned() } else { text }
}

pub(crate) fn range(figure: &OverSeeds) -> String {
    match (figure.lower, figure.upper) {
        (Some(lower), Some(upper)) => format!("{}..{}", number(lower), number(upper)),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_has_no_sign_and_one_seed_no_range() {
        assert_eq!((number(-0.000_01), number(-0.0123)), ("0.0000".to_owned(), "-0.0123".to_owned()));
        assert_eq!(range(&OverSeeds { mean: 1.0, lower: None, upper: None }), "");
        assert_eq!(range(&OverSeeds { mean: 1.0, lower: Some(-1.0), upper: Some(3.0) }), "-1.0000..3.0000");
    }
}
