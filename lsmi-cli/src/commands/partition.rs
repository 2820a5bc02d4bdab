//! `lsmi partition`: lists of the ids high, middle and low in an interaction.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use lsmi_candle::analysis::AnalysisKind;
use lsmi_guide::{Rule, Tie, Ties, partition};
use serde::Serialize;

use crate::arguments::effective::{CONFIGURATION, Effective};
use crate::arguments::{By, Partition};
use crate::process::console;
use crate::process::failure::Failure;
use crate::process::staging::{Staging, check_directory};
use crate::tables::cells::nats;
use lsmi_candle::samples::read::read_column;

const LISTS: [&str; 3] = ["high.txt", "middle.txt", "low.txt"];
const REPORT: &str = "partition.json";

/// `partition.json`.
#[derive(Debug, Serialize)]
struct Report {
    /// Version of this layout.
    schema: u32,
    /// Version of the program.
    version: &'static str,
    /// The interaction split by, as its column is called.
    by: By,
    /// Where the lines are drawn; an infinite threshold is null.
    rule: Rule,
    /// Whether every class gives the same share to each list.
    balanced: bool,
    /// The split that the samples are of; null where the file names none.
    split: Option<String>,
    /// How many samples are in each list.
    counts: Counts,
    /// The largest value of low and the smallest of high; null where each class has its own.
    bounds: Option<Bounds>,
    /// Samples of the value of a bound, where some of them are in the list and others are not; the order of the samples
    /// decides which. Null where no bound divides equals.
    ties: Ties,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Counts {
    high: usize,
    middle: usize,
    low: usize,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Bounds {
    low: f64,
    high: f64,
}

/// Tells how many samples are in no list.
fn left_out(samples: usize, column: &str) -> String {
    format!("{samples} samples lack a modality and have no `{column}`: they are in none of the lists")
}

pub(super) fn run(arguments: &Partition, effective: &Effective) -> Result<(), Failure> {
    let [high, middle, low] = LISTS;
    let samples = arguments.samples.as_path();
    check_directory(&arguments.out, arguments.common.force, &[high, middle, low, REPORT, CONFIGURATION], &[samples])?;

    let rule = match (arguments.rule.fraction, arguments.rule.threshold) {
        (Some(fraction), _) => Rule::Fraction(fraction),
        (None, Some((low, high))) => Rule::Threshold { low, high },
        (None, None) => return Err(Failure::usage("say where to draw the lines, with --fraction or --threshold")),
    };
    check_kind(samples, arguments.balanced)?;
    let column = read_column(samples, arguments.by.column(), arguments.split.as_deref(), arguments.balanced)?;
    if column.left_out > 0 {
        console::say(&format!("note: {}", left_out(column.left_out, arguments.by.column())));
    }
    let labels = arguments.balanced.then(|| class_indices(&column.labels));
    let parts =
        partition(&column.values, labels.as_deref(), &rule).map_err(|error| Failure::from(error).about(samples))?;

    let report = Report {
        schema: 1,
        version: env!("CARGO_PKG_VERSION"),
        by: arguments.by,
        rule,
        balanced: arguments.balanced,
        split: Some(column.split.clone()).filter(|split| !split.is_empty()),
        counts: Counts { high: parts.high.len(), middle: parts.middle.len(), low: parts.low.len() },
        bounds: parts.bounds.map(|(low, high)| Bounds { low, high }),
        ties: parts.ties,
    };
    let mut staging = Staging::default();
    for (name, rows) in LISTS.into_iter().zip([&parts.high, &parts.middle, &parts.low]) {
        staging.write(&arguments.out.join(name), |file| {
            for row in rows {
                writeln!(file, "{}", column.ids[*row])?;
            }
            Ok(())
        })?;
    }
    let path = arguments.out.join(REPORT);
    staging.write(&path, |file| Ok(file.write_all(console::as_json(&report)?.as_bytes())?))?;
    staging.write(&arguments.out.join(CONFIGURATION), |file| Ok(file.write_all(effective.as_toml().as_bytes())?))?;
    staging.commit(&[])?;

    if !arguments.common.quiet {
        console::say(&words(&report, column.is_part));
    }
    if arguments.common.json { console::print_json(&report) } else { Ok(()) }
}

/// Refuses samples that are not of two modalities and one label, by the summary beside them.
fn check_kind(samples: &Path, is_balanced: bool) -> Result<(), Failure> {
    let kind = samples.parent().and_then(AnalysisKind::of_directory).unwrap_or(AnalysisKind::Classes);
    match kind {
        AnalysisKind::Continuous if is_balanced => {
            Err(Failure::usage("classes are balanced with --balanced, and continuous targets have none: leave it out"))
        }
        AnalysisKind::Classes | AnalysisKind::Continuous => Ok(()),
        kind => Err(Failure::of_kind(samples, kind)),
    }
}

/// An index for every class, by its name.
fn class_indices(labels: &[String]) -> Vec<u32> {
    let mut classes: BTreeMap<&str, u32> = labels.iter().map(|label| (label.as_str(), 0)).collect();
    for (index, class) in (0..).zip(classes.values_mut()) {
        *class = index;
    }
    labels.iter().map(|label| classes[label.as_str()]).collect()
}

fn words(report: &Report, is_part: bool) -> String {
    let Counts { high, middle, low } = report.counts;
    let bounds = match report.bounds {
        Some(Bounds { low, high }) => format!(" (low up to {low:.3} nats, high from {high:.3})"),
        None => String::new(),
    };
    let of_split = match &report.split {
        Some(split) if is_part => format!(" of `{split}` (other splits left out; see --split)"),
        _ => String::new(),
    };
    let ties = [("high", report.ties.high), ("low", report.ties.low)];
    let ties = ties.into_iter().filter_map(|(list, tie)| Some(divided(list, tie?, report.bounds))).collect::<String>();
    format!("by {}{of_split}: {high} samples high, {middle} middle, {low} low{bounds}{ties}", report.by)
}

/// How many samples share the value of a bound, and what was done with them.
fn divided(list: &str, Tie { samples, taken }: Tie, bounds: Option<Bounds>) -> String {
    let value = match bounds {
        Some(Bounds { low, high }) => format!("the bound of {list}, {}", nats(if list == "low" { low } else { high })),
        None => format!("the bound of {list} of their class"),
    };
    let order = if list == "low" { "last" } else { "first" };
    format!(
        "\n{samples} samples share {value}: the {order} {taken} of them, in the order of the file, are {list} and {} are not; \
         --threshold keeps equals together",
        samples - taken
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_at_a_bound_are_told() {
        let tie = Tie { samples: 812, taken: 120 };
        let told = divided("low", tie, Some(Bounds { low: 0.0, high: 1.25 }));
        assert!(told.starts_with("\n812 samples share the bound of low, 0.000: the last 120 of them"), "{told}");
        assert!(told.contains("are low and 692 are not"), "{told}");
        let told = divided("high", tie, None);
        assert!(told.starts_with("\n812 samples share the bound of high of their class: the first 120"), "{told}");
    }

    #[test]
    fn classes_are_numbered_by_name() {
        let labels = ["b", "a", "c", "a"].map(str::to_owned);
        assert_eq!(class_indices(&labels), [1, 0, 2, 0]);
    }
}
