//! The tables of `lsmi guide ensemble`: how good members and ensembles are, and what `guided` is better by.

use std::fmt::Write;

use lsmi_guide::experiments::ensemble::{Comparison, Difference, Guidance};

use crate::tables::cells::{row, table};
use crate::tables::seed_stats::{number, paired, range, verdict};

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
    let _ = write!(text, "\n\n{}", in_short(comparison));
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

/// What the figures say: against what would be taken without interactions.
fn in_short(comparison: &Comparison) -> String {
    let asked = ["stacking", "stacking, log-linear"];
    let found = comparison.advantages.iter().filter(|difference| asked.contains(&difference.over.as_str()));
    let verdicts: Vec<String> =
        found.map(|found| verdict("guided", &found.over, &found.log_loss.difference, comparison.seeds)).collect();
    let is_stacking = comparison.guidance.iter().all(|chosen| matches!(chosen.guidance, Guidance::Stacking));
    let note = if is_stacking {
        "\nInteractions tell nothing here that the members do not: the weights are those of stacking, alike for all samples of a fold."
    } else {
        ""
    };
    format!("In short, by log loss: {}.{note}", verdicts.join("; "))
}
