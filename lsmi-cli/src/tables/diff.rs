//! The closing tables of `lsmi diff`.

use std::fmt::Write;

use lsmi_core::statistics::Interval;
use lsmi_core::{Interaction, Kind};

use crate::process::console::shortened;
use crate::tables::cells::{nats, row, signed, table};
use lsmi_candle::analysis::diff::{ClassDifference, Diff, Kinds, SideSummary, TwoMeans};
use lsmi_candle::analysis::summary::Quantities;

/// How many classes have a row.
const CLASSES: usize = 20;

/// Everything that is shown.
pub(crate) fn closing(diff: &Diff) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write!(text, "{}", opening(diff));
    let mut section = |title: &str, body: String| {
        let _ = write!(text, "\n\n{title}\n{body}");
    };
    let over = if diff.shared > 0 { "shared samples" } else { "all samples of each" };
    section(&format!("Means over {over} (nats; second less first, with 95 % intervals)"), means(&diff.means));
    if !diff.by_class.is_empty() {
        section("By class: how the means differ (nats; * where more than samples and fits vary)", classes(diff));
    }
    if let Some(kinds) = &diff.kinds {
        section("Samples by kind", kinds_table(kinds));
    }
    if !diff.largest.is_empty() {
        section("Samples that differ most (nats; class in parentheses)", largest(diff));
    }
    for warning in &diff.warnings {
        let _ = write!(text, "\nwarning: {warning}");
    }
    text
}

fn opening(diff: &Diff) -> String {
    let name = |side: &SideSummary| match &side.split {
        Some(split) => format!("`{split}` of {} ({} samples)", side.file, side.n),
        None => format!("{} ({} samples)", side.file, side.n),
    };
    format!("first:  {}\nsecond: {}\n{}", name(&diff.first), name(&diff.second), joined(diff))
}

/// Which samples are compared.
pub(crate) fn joined(diff: &Diff) -> String {
    match diff.shared {
        0 => "no sample is in both: two sets of samples are compared".to_owned(),
        shared if shared == diff.first.n && shared == diff.second.n => "all samples are in both".to_owned(),
        shared => format!(
            "{shared} samples are in both; {} only in the first and {} only in the second are left out",
            diff.first.n - shared,
            diff.second.n - shared
        ),
    }
}

/// The seven with their names.
fn named<T: Copy>(quantities: &Quantities<T>) -> [(&'static str, T); 7] {
    let Quantities { information, parts } = quantities;
    [
        ("I(x1;y)", information.i1),
        ("I(x2;y)", information.i2),
        ("I(x1,x2;y)", information.i12),
        ("R", parts.r),
        ("U1", parts.u1),
        ("U2", parts.u2),
        ("S", parts.s),
    ]
}

fn means(means: &Quantities<TwoMeans>) -> String {
    let mut shown = table(&["", "first", "second", "difference", "95 %"]);
    for (name, TwoMeans { first, second, difference, .. }) in named(means) {
        let Interval { mean, lower, upper, .. } = difference;
        let cells = [nats(first), nats(second), signed(mean), format!("{}..{}", nats(lower), nats(upper))];
        shown.add_row(row(name, &cells));
    }
    shown.to_string()
}

/// The classes whose parts differ most, in the order of their names.
fn classes(diff: &Diff) -> String {
    let size = |class: &ClassDifference| {
        named(&class.means).iter().map(|(_, of)| of.difference.mean.abs()).fold(0.0, f64::max)
    };
    let mut order: Vec<&(String, ClassDifference)> = diff.by_class.iter().collect();
    order.sort_by(|a, b| size(&b.1).total_cmp(&size(&a.1)));
    let left_out = order.len().saturating_sub(CLASSES);
    order.truncate(CLASSES);
    order.sort_by(|a, b| a.0.cmp(&b.0));
    let mut shown = table(&["class", "n", "I(x1;y)", "I(x2;y)", "I(x1,x2;y)", "R", "U1", "U2", "S"]);
    for (name, class) in order {
        let ClassDifference { n_first, n_second, means } = class;
        let n = if n_first == n_second { n_first.to_string() } else { format!("{n_first}, {n_second}") };
        let cells = named(means).map(|(_, of)| starred(&of));
        let name = shortened(name).replace('\n', "\\n");
        shown.add_row(row(&name, &[&[n], cells.as_slice()].concat()));
    }
    let mut text = shown.to_string();
    if left_out > 0 {
        let _ = write!(text, "\n {left_out} classes that differ less are not shown: --json has them");
    }
    if !diff.classes_in_one.is_empty() {
        let _ = write!(text, "\n {} classes are only in one of them: --json names them", diff.classes_in_one.len());
    }
    text
}

fn starred(of: &TwoMeans) -> String {
    format!("{}{}", signed(of.difference.mean), if of.is_clear() { "*" } else { "" })
}

fn kinds_table(kinds: &Kinds) -> String {
    let Some(changed) = kinds.changed else {
        let mut shown = table(&["kind", "first", "second"]);
        for ((kind, first), (_, second)) in kinds.first.iter().zip(&kinds.second) {
            shown.add_row(row(kind.name(), &[first.to_string(), second.to_string()]));
        }
        return shown.to_string();
    };
    let header = ["first \\ second"].into_iter().chain(Kind::ALL.map(Kind::name)).collect::<Vec<_>>();
    let mut shown = table(&header);
    for (from, to) in &kinds.from_to {
        shown.add_row(row(from.name(), &Kind::ALL.map(|kind| to[kind.name()].to_string())));
    }
    format!("{shown}\n {changed} samples are of another kind in the second")
}

fn largest(diff: &Diff) -> String {
    let mut text = String::new();
    for (interaction, changes) in &diff.largest {
        let name = match interaction {
            Interaction::Redundancy => "redundancy r",
            Interaction::Unique1 => "uniqueness u1",
            Interaction::Unique2 => "uniqueness u2",
            Interaction::Synergy => "synergy s",
        };
        let _ = writeln!(text, " {name}");
        for change in changes {
            let id = shortened(&change.id);
            // One line a sample, whatever its id holds.
            let who = format!("{id} ({})", shortened(&change.label)).replace('\n', "\\n");
            let (first, second) = (nats(change.first), nats(change.second));
            let _ = writeln!(text, "  {:>7}  {who}: {first} to {second}", signed(change.difference));
        }
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_have_signs_and_stars() {
        let of = |mean, differs| {
            let difference = Interval { mean, standard_error: None, lower: mean - 0.1, upper: mean + 0.1 };
            starred(&TwoMeans { first: 0.0, second: mean, difference, differs })
        };
        assert_eq!((of(0.25, Some(true)), of(-0.25, Some(true))), ("+0.250*".into(), "-0.250*".into()));
        assert_eq!(of(0.0001, Some(false)), "0.000");
        assert_eq!(of(0.25, None), "+0.250", "what fits would do is not known");
    }
}
