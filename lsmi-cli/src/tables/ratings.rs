//! The section of the closing table that `--ratings` adds: agreement with people.

use std::fmt::Write;

use lsmi_core::statistics::Correlation;

use crate::process::console::shortened;
use crate::tables::cells::{row, table};
use lsmi_candle::analysis::ratings::{Agreement, RatingsSummary};

/// How many of those that are not in the data are named.
const LISTED: usize = 5;
/// Fewer than this have no interval.
const FEW: usize = 4;

/// The table, and what to know of it.
pub(crate) fn body(ratings: &RatingsSummary) -> String {
    let mut shown = table(&["split", "score", "against", "n", "Pearson", "95 %", "Spearman", "95 %"]);
    let mut is_few = false;
    for split in &ratings.splits {
        for (over, agreements) in [("samples", &split.by_sample), ("classes", &split.by_class)] {
            for (place, agreement) in agreements.iter().enumerate() {
                let name = if place == 0 { format!("{}, {over}", split.split) } else { String::new() };
                shown.add_row(row(&name, &cells(agreement)));
                is_few |= agreement.n < FEW;
            }
        }
    }
    // Writing to a string cannot fail.
    let mut text = shown.to_string();
    if ratings.rows > ratings.rated {
        let _ = write!(
            text,
            "\n {} rows are of {} {}: several of one are averaged",
            ratings.rows, ratings.rated, ratings.of
        );
    }
    if is_few {
        let _ = write!(text, "\n fewer than {FEW} pairs say nothing: they have no interval");
    }
    if let Some(missing) = missing(ratings) {
        let _ = write!(text, "\n {missing}");
    }
    text
}

/// Which of those that were rated are not in the data, if some are not.
fn missing(ratings: &RatingsSummary) -> Option<String> {
    let missing = &ratings.not_found;
    let shown: Vec<String> = missing.iter().take(LISTED).map(|name| format!("`{}`", shortened(name))).collect();
    let more = missing.len() - shown.len();
    let more = if more > 0 { format!(" and {more} more (--json lists them all)") } else { String::new() };
    // One line, whatever the names hold.
    let text = format!("{} rated {} are not in the data: {}{more}", missing.len(), ratings.of, shown.join(", "));
    (!missing.is_empty()).then(|| text.replace('\n', "\\n"))
}

fn cells(agreement: &Agreement) -> Vec<String> {
    let Agreement { score, value, measure, n, pearson, spearman } = agreement;
    let [name, _] = score.names();
    let mut cells = vec![name.to_owned(), format!("{value} {measure}"), n.to_string()];
    for correlation in [pearson, spearman] {
        cells.extend(correlation.map_or_else(|| ["none".to_owned(), String::new()], in_words));
    }
    cells
}

fn in_words(correlation: Correlation) -> [String; 2] {
    let Correlation { coefficient, lower, upper } = correlation;
    let interval = lower.zip(upper).map_or_else(String::new, |(lower, upper)| format!("{lower:.2}..{upper:.2}"));
    [format!("{coefficient:.3}"), interval]
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsmi_candle::analysis::ratings::SplitAgreement;
    use lsmi_candle::analysis::ratings::{Rated, Score};
    use lsmi_core::Measure;

    #[test]
    fn what_was_averaged_missing_or_few_is_said() {
        let values = [0.0, 1.0, 2.0, 4.0];
        let agreement = |n: usize| Agreement {
            score: Score::Uniqueness,
            value: "max(u1,u2)".to_owned(),
            measure: Measure::Pm,
            n,
            pearson: Correlation::pearson(&values[..n], &[0.0, 1.0, 2.5, 4.0][..n]),
            spearman: Correlation::spearman(&values[..n], &[5.0; 4][..n]),
        };
        let of = |n: usize, not_found: usize| RatingsSummary {
            of: Rated::Samples,
            rows: 9,
            rated: 4,
            not_found: (0..not_found).map(|number| format!("a\n{number}")).collect(),
            level: Correlation::LEVEL,
            splits: vec![SplitAgreement { split: "train".into(), by_sample: vec![agreement(n)], by_class: Vec::new() }],
        };
        let text = body(&of(4, 0));
        assert!(text.contains("train, samples") && text.contains("max(u1,u2) pm"), "{text}");
        assert!(
            text.contains("none") && text.ends_with("9 rows are of 4 samples: several of one are averaged"),
            "{text}"
        );
        let text = body(&of(3, 7));
        assert!(text.contains("fewer than 4 pairs") && !text.contains(".."), "{text}");
        assert!(text.ends_with("7 rated samples are not in the data: `a\\n0`, `a\\n1`, `a\\n2`, `a\\n3`, `a\\n4` and 2 more (--json lists them all)"), "{text}");
    }
}
