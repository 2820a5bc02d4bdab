//! How far two means may differ for their fits alone: other folds and other random draws, as another seed has them.
//!
//! The summary of an analysis with R repeats has the variance v of each mean over them, of R - 1 degrees of freedom. The
//! difference of two means has the sum of both. Few repeats tell a variance badly, which is why it is scaled so that the
//! normal interval of the sum is that of Student's t:
//!
//! ```text
//! (v_first + v_second) (t / z)²,   t, z: the 97.5 % quantiles of Student's t and of the normal distribution
//! ```
//!
//! with the degrees of freedom of the side that has fewer, a lower bound of what Welch (1947) approximates.
//!
//! Of many means some leave 0 outside their intervals by chance. A difference is therefore told only where it is beyond the
//! normal interval of the level that all means of a table hold together (Bonferroni).

use lsmi_core::statistics::{Interval, quantile_of_t};
use serde_json::Value;

use super::side::{QUANTITIES, Side};

/// The 97.5 % quantile of the normal distribution.
const NORMAL: f64 = 1.959_964;
/// Degrees of freedom with which Student's t is the normal distribution to less than a hundredth.
const MANY: usize = 1000;
/// What a side lacks whose summary is of one fit.
const ONE_FIT: &str = "how far folds and random draws alone would move the means is not known, so that no difference is marked \
     with a star; analyze both with 3 repeats or more";

/// The variance that fits give the difference of the mean of each quantity, over all samples or those of a class; None where
/// a side does not tell.
pub(super) fn variances(first: &Side, second: &Side, class: Option<&str>) -> Option<[f64; 7]> {
    let (a, b) = (of_side(first, class)?, of_side(second, class)?);
    let freedom = repeats(first)?.min(repeats(second)?) - 1;
    let scale = (quantile_of_t(0.975, freedom) / NORMAL).powi(2);
    Some(std::array::from_fn(|column| scale * (a[column] + b[column])))
}

/// Whether a difference of two means, one of so many that are looked at together, is more than samples and fits vary.
pub(super) fn differs(difference: &Interval, means: usize) -> bool {
    let Interval { mean, standard_error, lower, upper } = *difference;
    let reach = standard_error.map_or(f64::INFINITY, |error| error * quantile_of_t(1.0 - 0.025 / means as f64, MANY));
    (lower > 0.0 || upper < 0.0) && mean.abs() > reach
}

/// That the intervals hold no other fits, if so.
pub(super) fn warning(first: &Side, second: &Side) -> Option<String> {
    let unknown: Vec<&str> = [first, second]
        .into_iter()
        .filter(|side| side.summary.is_some() && of_side(side, None).is_none())
        .map(|side| side.file.as_str())
        .collect();
    (!unknown.is_empty()).then(|| format!("the fit of {} is not repeated: {ONE_FIT}", unknown.join(" and ")))
}

/// The number of repeats, where there are several.
fn repeats(side: &Side) -> Option<usize> {
    let repeats = side.summary.as_ref()?["repeats"].as_u64()?;
    // As many as `--repeats` takes, whatever the file says.
    usize::try_from(repeats).ok().filter(|repeats| (2..=1000).contains(repeats))
}

fn of_side(side: &Side, class: Option<&str>) -> Option<[f64; 7]> {
    repeats(side)?;
    let split = side.summary.as_ref()?["splits"].get(&side.split)?;
    let of_samples = match class {
        Some(class) => split["by_class"].get(class)?,
        None => split,
    };
    let variances = of_samples["intervals"].get("variance_of_fit")?;
    let known: Vec<f64> = QUANTITIES.into_iter().filter_map(|name| variance(&variances[name])).collect();
    known.try_into().ok()
}

fn variance(value: &Value) -> Option<f64> {
    value.as_f64().filter(|variance| variance.is_finite() && *variance >= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn side(repeats: usize, variance: f64) -> Side {
        let of = |variance: f64| {
            let named = QUANTITIES.map(|name| (name.to_owned(), json!(variance)));
            json!({"variance_of_fit": Value::Object(named.into_iter().collect())})
        };
        let split = json!({"intervals": of(variance), "by_class": {"a": {"intervals": of(2.0 * variance)}}});
        let summary = Some(json!({"repeats": repeats, "splits": {"train": split}}));
        Side { file: format!("{repeats}.csv"), split: "train".to_owned(), summary, ..Side::default() }
    }

    #[test]
    fn both_fits_vary() {
        let found = variances(&side(3, 0.01), &side(5, 0.02), None).unwrap();
        // Two degrees of freedom: t = 4.30265.
        assert!((found[6] - 0.03 * (4.302_65_f64 / 1.959_964).powi(2)).abs() < 1e-6, "{found:?}");
        let of_class = variances(&side(3, 0.01), &side(5, 0.02), Some("a")).unwrap();
        assert!((of_class[0] - 2.0 * found[0]).abs() < 1e-12);
        assert_eq!(variances(&side(3, 0.01), &side(5, 0.02), Some("b")), None);
        assert_eq!(warning(&side(3, 0.01), &side(5, 0.02)), None);
    }

    #[test]
    fn of_many_means_some_are_far_from_0_by_chance() {
        let of = |mean: f64, means| {
            let interval = Interval { mean, standard_error: Some(0.1), lower: mean - 0.196, upper: mean + 0.196 };
            differs(&interval, means)
        };
        assert!(of(0.2, 1) && !of(0.19, 1));
        // The 99.64 % quantile of the normal distribution is 2.69, the 99.98 % one 3.54.
        assert!(of(-0.275, 7) && !of(-0.265, 7) && !of(0.3, 125) && of(0.36, 125));
    }

    #[test]
    fn one_fit_does_not_tell() {
        assert_eq!(variances(&side(3, 0.01), &side(1, 0.0), None), None);
        let told = warning(&side(3, 0.01), &side(1, 0.0)).unwrap();
        assert!(told.starts_with("the fit of 1.csv is not repeated"), "{told}");
        // Where there is no summary, something else is said.
        assert_eq!(variances(&Side::default(), &side(3, 0.01), None), None);
        assert_eq!(warning(&Side::default(), &side(3, 0.01)), None);
    }
}
