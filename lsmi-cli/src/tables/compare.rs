//! The table of `lsmi compare`: a method a row, its intervals and its errors below.

use std::fmt::Write;

use lsmi_core::Means;
use lsmi_core::discrete::Information;

use crate::output::compare::{Comparison, Ends, OfMethod, Parts};
use crate::output::exact::{Exact, Source};
use crate::tables::cells::{nats, row, table};

/// What stands in place of rows and seconds.
const NOTHING: [String; 2] = [String::new(), String::new()];

/// The table, and notes on methods.
pub(crate) fn compare_table(comparison: &Comparison) -> String {
    let mut table = table(&["", "", "R", "U1", "U2", "S", "I(x1;y)", "I(x2;y)", "I(x1,x2;y)", "rows", "seconds"]);
    if let Some(Exact { means, information, .. }) = &comparison.exact {
        table.add_row(row("exact", &line("", values(means), Some(information), &NOTHING)));
    }
    for (method, of_method) in &comparison.methods {
        let OfMethod { means, information, intervals, seed_sd, error, rows, seconds, .. } = of_method;
        let closing = [rows.to_string(), format!("{seconds:.2}")];
        table.add_row(row(method.name(), &line("", values(means), Some(information), &closing)));
        if let Some(Parts { r, u1, u2, s }) = intervals {
            table.add_row(row("", &line("95 %", [r, u1, u2, s].map(range), None, &NOTHING)));
        }
        if let Some(deviations) = seed_sd {
            table.add_row(row("", &line("sd of seeds", values(deviations), None, &NOTHING)));
        }
        if let Some(error) = error {
            table.add_row(row("", &line("error", values(error), None, &NOTHING)));
        }
    }
    let mut text = format!("\nWhat each method says (nats)\n{table}");
    if let Some(exact) = &comparison.exact {
        let source = match exact.source {
            Source::Density => "adjusted means of these rows under the density that they were drawn from",
            Source::States => "BROJA of the joint distribution of the features' states and the label",
        };
        // Writing to a string cannot fail.
        let _ = write!(text, "\n exact: {source}");
    }
    for (method, of_method) in &comparison.methods {
        for note in &of_method.notes {
            let _ = write!(text, "\nnote: {method}: {note}");
        }
    }
    text
}

fn line(what: &str, values: [String; 4], information: Option<&Information>, closing: &[String; 2]) -> Vec<String> {
    let information = match information {
        Some(Information { i1, i2, i12 }) => [*i1, *i2, *i12].map(nats),
        None => Default::default(),
    };
    std::iter::once(what.to_owned()).chain(values).chain(information).chain(closing.iter().cloned()).collect()
}

fn values(means: &Means) -> [String; 4] {
    [means.r, means.u1, means.u2, means.s].map(nats)
}

fn range(ends: &Ends) -> String {
    format!("{}..{}", nats(ends.lower), nats(ends.upper))
}
