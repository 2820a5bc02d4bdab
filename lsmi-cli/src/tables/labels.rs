//! The table of `lsmi analyze --target labels`: a label a row, for every split.

use std::fmt::Write;

use lsmi_candle::analysis::labels::LabelsSummary;
use lsmi_candle::analysis::names::shortened;
use lsmi_core::Adjusted;

use crate::tables::cells::{nats, row, table};

/// What stands above the columns.
const HEADER: [&str; 11] =
    ["label", "rows", "share", "I(x1;y)", "I(x2;y)", "I(x1,x2;y)", "R", "U1", "U2", "S", "accuracy"];

/// Warnings, and a table for every split.
pub(crate) fn labels_table(summary: &LabelsSummary) -> String {
    let mut text = String::new();
    for warning in &summary.warnings {
        // Writing to a string cannot fail.
        let _ = write!(text, "\nWARNING: {warning}");
    }
    let mut splits: Vec<&str> = Vec::new();
    for row in &summary.table {
        if !splits.contains(&row.split.as_str()) {
            splits.push(&row.split);
        }
    }
    for split in splits {
        let mut table = table(&HEADER);
        for of_label in summary.table.iter().filter(|row| row.split == split) {
            let Adjusted { r, u1, u2, s, .. } = of_label.adjusted;
            let information = of_label.information;
            let share = of_label.positives as f64 / of_label.rows as f64;
            let mut cells = vec![of_label.rows.to_string(), format!("{share:.3}")];
            cells.extend([information.i1, information.i2, information.i12, r, u1, u2, s].map(nats));
            cells.push(format!("{:.3}", of_label.accuracy.joint));
            table.add_row(row(&shortened(&of_label.label).replace('\n', "\\n"), &cells));
        }
        let _ = write!(
            text,
            "\nLabels of `{split}` (means over samples, nats; measure {}, {} gauge; R to S adjusted)\n{table}\n",
            summary.measure, summary.gauge
        );
    }
    text
}
