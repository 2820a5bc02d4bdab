//! Figures over seeds in words and cells: means, intervals, p-values and what they say.

use lsmi_guide::{OverSeeds, PairedDifference};

/// Differences are of thousandths.
const DECIMALS: usize = 4;

/// Mean, interval and p-value of a difference.
pub(crate) fn paired(paired: &PairedDifference) -> [String; 3] {
    [number(paired.difference.mean), range(&paired.difference), p_value(paired.p_value)]
}

/// Four decimals, and no minus before nothing.
pub(crate) fn number(value: f64) -> String {
    let text = format!("{value:.DECIMALS$}");
    if text == "-0.0000" { "0.0000".to_owned() } else { text }
}

/// The interval, or nothing where there is none.
pub(crate) fn range(figure: &OverSeeds) -> String {
    match (figure.lower, figure.upper) {
        (Some(lower), Some(upper)) => format!("{}..{}", number(lower), number(upper)),
        _ => String::new(),
    }
}

/// Three decimals: no p-value is 0.
pub(crate) fn p_value(value: Option<f64>) -> String {
    match value {
        None => String::new(),
        Some(p) if p < 0.001 => "<.001".to_owned(),
        Some(p) => format!("{p:.3}"),
    }
}

/// What a difference says, of which more is better: `of` is better than `over`, worse, or so many seeds do not tell.
pub(crate) fn verdict(of: &str, over: &str, difference: &OverSeeds, seeds: usize) -> String {
    let mean = number(difference.mean);
    let (Some(lower), Some(upper)) = (difference.lower, difference.upper) else {
        return format!("one seed does not tell whether `{of}` is better than `{over}`");
    };
    let figures = format!("{mean}, {} to {}", number(lower), number(upper));
    if lower > 0.0 {
        format!("`{of}` is better than `{over}` ({figures})")
    } else if upper < 0.0 {
        format!("`{of}` is worse than `{over}` ({figures})")
    } else {
        format!("{seeds} seeds do not tell whether `{of}` is better than `{over}` ({figures})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(mean: f64, lower: f64, upper: f64) -> OverSeeds {
        OverSeeds { mean, lower: Some(lower), upper: Some(upper) }
    }

    #[test]
    fn nothing_has_no_sign_and_one_seed_no_range() {
        assert_eq!((number(-0.000_01), number(-0.0123)), ("0.0000".to_owned(), "-0.0123".to_owned()));
        assert_eq!(range(&OverSeeds { mean: 1.0, lower: None, upper: None }), "");
        assert_eq!(range(&figure(1.0, -1.0, 3.0)), "-1.0000..3.0000");
    }

    #[test]
    fn no_p_value_is_nothing() {
        assert_eq!([None, Some(1e-7), Some(0.0412)].map(p_value), ["", "<.001", "0.041"]);
    }

    #[test]
    fn a_verdict_needs_an_interval_on_one_side_of_nothing() {
        assert_eq!(verdict("a", "b", &figure(0.2, 0.1, 0.3), 9), "`a` is better than `b` (0.2000, 0.1000 to 0.3000)");
        assert_eq!(
            verdict("a", "b", &figure(-0.2, -0.3, -0.1), 9),
            "`a` is worse than `b` (-0.2000, -0.3000 to -0.1000)"
        );
        assert!(verdict("a", "b", &figure(0.1, -0.1, 0.3), 9).starts_with("9 seeds do not tell whether"));
        let one = OverSeeds { mean: 1.0, lower: None, upper: None };
        assert_eq!(verdict("a", "b", &one, 1), "one seed does not tell whether `a` is better than `b`");
    }
}
