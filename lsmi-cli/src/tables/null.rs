//! The section of the closing table that `--null` adds: means against those under permuted labels.

use lsmi_candle::estimator::{Test, Tests};

use crate::process::console::shortened;
use crate::tables::cells::{nats, row, table};
use lsmi_candle::analysis::summary::NullSummary;

/// A class counts from here down, with p adjusted for the number of classes.
const LEVEL: f64 = 0.05;
/// How many classes are named.
const LISTED: usize = 10;

/// The table, and the classes about which more is told than by chance.
pub(crate) fn body(null: &NullSummary) -> String {
    let mut shown = table(&["", "observed", "by chance", "p"]);
    let quantities = ["I(x1;y)", "I(x2;y)", "I(x1,x2;y)", "R", "U1", "U2", "S", "S - R"];
    for (name, (_, Test { observed, mean, p, .. })) in quantities.into_iter().zip(null.overall.named()) {
        shown.add_row(row(name, &[nats(*observed), nats(*mean), p_value(*p)]));
    }
    format!("{shown}\n {}", classes(null))
}

fn p_value(p: f64) -> String {
    if p < 0.001 { "< 0.001".to_owned() } else { format!("{p:.3}") }
}

fn classes(null: &NullSummary) -> String {
    // The data count as one permutation, so no p-value is below 1 / (permutations + 1).
    let needed = 1.0 / LEVEL;
    if (null.permutations as f64) < needed {
        return format!("classes with q < .05: at least {needed:.0} permutations are needed to find any");
    }
    let is_found = |tests: &Tests| tests.i12.q.is_some_and(|q| q < LEVEL);
    let found: Vec<String> =
        null.by_class.iter().filter(|(_, tests)| is_found(tests)).map(|(class, _)| shortened(class)).collect();
    let (shown, more) = found.split_at(found.len().min(LISTED));
    let names = match (shown, more) {
        ([], _) => "none".to_owned(),
        (all, []) => all.join(", "),
        (some, more) => format!("{} and {} more", some.join(", "), more.len()),
    };
    format!("classes with q < .05 (by I(x1,x2;y); {} of {}): {names}", found.len(), null.by_class.len())
        // One line, whatever the names hold.
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tests(q: Option<f64>) -> Tests {
        let test = Test { observed: 0.5, mean: -0.01, standard_deviation: None, quantile_95: 0.0, p: 0.0004, q };
        let all = || test.clone();
        Tests { i1: all(), i2: all(), i12: all(), r: all(), u1: all(), u2: all(), s: all(), s_minus_r: all() }
    }

    fn null(permutations: usize, q: &[f64]) -> NullSummary {
        let by_class = q.iter().enumerate().map(|(class, q)| (format!("c{class}"), tests(Some(*q)))).collect();
        NullSummary { permutations, overall: tests(None), by_class }
    }

    #[test]
    fn classes_are_listed_by_their_adjusted_p_value() {
        let text = body(&null(2499, &[0.04, 0.05, 0.0]));
        assert!(text.ends_with("(by I(x1,x2;y); 2 of 3): c0, c2"), "{text}");
        assert_eq!(text.matches("< 0.001").count(), 8, "{text}");
        assert!(classes(&null(99, &[0.5; 3])).ends_with("(by I(x1,x2;y); 0 of 3): none"));
        assert!(classes(&null(99, &[0.01; 12])).ends_with("c8, c9 and 2 more"));
        assert!(classes(&null(19, &[0.05])).contains("at least 20 permutations"));
        assert!(classes(&null(20, &[0.0477])).ends_with(": c0"));
    }

    #[test]
    fn the_summary_names_classes_in_their_order() {
        let mut null = null(99, &[0.5, 0.5]);
        null.by_class[0].0 = "z".to_owned();
        let json = serde_json::to_string(&null).unwrap();
        assert!(json.starts_with(r#"{"permutations":99,"i1":{"observed":0.5,"#), "{json}");
        let (first, second) = (json.find(r#""z":{"#).unwrap(), json.find(r#""c1":{"#).unwrap());
        assert!(json.contains(r#""by_class":{"z":"#) && first < second, "{json}");
    }
}
