//! The section of the closing table that `--model` adds: what each model has learned, split by split.

use lsmi_core::{Adjusted, Means};

use crate::process::console::shortened;
use crate::tables::cells::{nats, row, table};
use lsmi_candle::analysis::names::Words;
use lsmi_candle::analysis::summary::{SplitSummary, Summary};

/// What the rows of the data itself are called.
const DATA: &str = "(the data)";

/// The table: under every split the data, then the models.
pub(crate) fn body(words: Words<'_>, summary: &Summary) -> String {
    let (unique1, unique2) = (format!("U1 {}", words.names.x1), format!("U2 {}", words.names.x2));
    let header = ["split", "model", "I(x1;y)", "I(x2;y)", "I(x1,x2;y)", "", "R", &unique1, &unique2, "S", "accuracy"];
    let mut table = table(&header);
    for (name, split) in &summary.splits {
        let of_models = summary.models.iter().filter_map(|(model, of_model)| {
            Some((model.as_str(), &of_model.splits.iter().find(|(other, _)| other == name)?.1))
        });
        for (place, (model, split)) in std::iter::once((DATA, split)).chain(of_models).enumerate() {
            let [raw, adjusted] = rows(model, split);
            table.add_row(row(if place == 0 { name } else { "" }, &raw));
            table.add_row(row("", &adjusted));
        }
    }
    table.to_string()
}

fn rows(model: &str, split: &SplitSummary) -> [Vec<String>; 2] {
    let information = split.information;
    let (Means { r, u1, u2, s }, Adjusted { r: r2, u1: u12, u2: u22, s: s2, .. }) = (split.raw, split.adjusted);
    let mut raw = vec![shortened(model)];
    raw.extend([information.i1, information.i2, information.i12].map(nats));
    raw.push("raw".to_owned());
    raw.extend([r, u1, u2, s].map(nats));
    raw.push(format!("{:.1} %", 100.0 * split.accuracy.joint));
    let mut adjusted = vec![String::new(); 4];
    adjusted.push("adjusted".to_owned());
    adjusted.extend([r2, u12, u22, s2].map(nats));
    [raw, adjusted]
}
