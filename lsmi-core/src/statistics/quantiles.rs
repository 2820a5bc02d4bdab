//! Quantiles, and a mean that a few extreme values cannot move.
//!
//! A pointwise mutual information is bounded above by -log p(y) but not below, so that one confidently wrong prediction
//! can weigh as much in a mean as thousands of samples. Quantiles and a trimmed mean beside the mean show it.

use super::mean;

/// Returns the quantile of `values`, in any order, at a probability from 0 to 1.
///
/// Between order statistics it is interpolated linearly: with the values sorted from `x[0]` to `x[n - 1]` and
/// `t = (n - 1) probability` it is `x[k] + (t - k) (x[k + 1] - x[k])` where k is the whole part of t. This is type 7 of
/// Hyndman and Fan, "Sample Quantiles in Statistical Packages" (The American Statistician 50(4), 1996).
///
/// NaN for no values, for a NaN among them and for a probability that is none.
///
/// ```
/// use lsmi_core::statistics::quantile;
///
/// let values = [4.0, 1.0, 3.0, 2.0];
/// assert_eq!(quantile(&values, 0.5), 2.5);
/// assert_eq!(quantile(&values, 0.25), 1.75);
/// assert_eq!(quantile(&values, 1.0), 4.0);
/// assert!(quantile(&[], 0.5).is_nan());
/// ```
pub fn quantile(values: &[f64], probability: f64) -> f64 {
    quantile_of_sorted(&sorted(values), probability)
}

/// Returns the quantiles of `values`, in any order, at several probabilities: each as by [`quantile`], sorting once.
///
/// ```
/// use lsmi_core::statistics::quantiles;
///
/// assert_eq!(quantiles(&[3.0, 1.0, 2.0], &[0.0, 0.5, 0.75]), [1.0, 2.0, 2.5]);
/// ```
pub fn quantiles(values: &[f64], probabilities: &[f64]) -> Vec<f64> {
    let sorted = sorted(values);
    probabilities.iter().map(|&probability| quantile_of_sorted(&sorted, probability)).collect()
}

/// Returns the mean without a share of the values at each end: 0.05 gives the 5 % trimmed mean (Tukey, 1962).
///
/// Whole values are cut, `share` times their number rounded down. NaN for no values, for a NaN among them and for a
/// share that is not from 0 to below one half.
///
/// ```
/// use lsmi_core::statistics::trimmed_mean;
///
/// // One of five values is cut at each end.
/// assert_eq!(trimmed_mean(&[3.0, -1000.0, 2.0, 4.0, 5.0], 0.2), 3.0);
/// ```
pub fn trimmed_mean(values: &[f64], share: f64) -> f64 {
    if !(0.0..0.5).contains(&share) || values.iter().any(|value| value.is_nan()) {
        return f64::NAN;
    }
    let n = values.len();
    // A product such as 0.29 * 100 falls a little short of the whole number that is meant.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to half a length")]
    let cut = (share * n as f64 + 1e-9) as usize;
    // Something is left even where the product is rounded up to one half of all.
    let cut = cut.min(n.saturating_sub(1) / 2);
    mean(&sorted(values)[cut..n - cut])
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// Returns the quantile of sorted values. By [`f64::total_cmp`] a NaN is at one of the ends.
fn quantile_of_sorted(sorted: &[f64], probability: f64) -> f64 {
    let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else {
        return f64::NAN;
    };
    if first.is_nan() || last.is_nan() || !(0.0..=1.0).contains(&probability) {
        return f64::NAN;
    }
    let place = probability * (sorted.len() - 1) as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to a length")]
    let below = place as usize;
    let part = place - below as f64;
    if part == 0.0 {
        return sorted[below];
    }
    let (lower, upper) = (sorted[below], sorted[below + 1]);
    // In this form no difference overflows; cut so that rounding cannot leave the two values.
    (lower * (1.0 - part) + upper * part).clamp(lower, upper)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// R's `quantile(c(2, 4, 4, 5, 9), c(.1, .3, .5, .9, .95))`, whose default is type 7.
    #[test]
    fn quantiles_are_of_type_7() {
        let found = quantiles(&[9.0, 4.0, 5.0, 2.0, 4.0], &[0.1, 0.3, 0.5, 0.9, 0.95]);
        for (found, expected) in found.iter().zip([2.8, 4.0, 4.0, 7.4, 8.2]) {
            assert!((found - expected).abs() < 1e-12, "{found} instead of {expected}");
        }
    }

    #[test]
    fn what_has_no_quantile_is_nan() {
        assert!(quantile(&[], 0.5).is_nan());
        assert!(
            quantile(&[1.0], -0.1).is_nan() && quantile(&[1.0], 1.1).is_nan() && quantile(&[1.0], f64::NAN).is_nan()
        );
        assert!(quantile(&[1.0, f64::NAN], 0.0).is_nan() && quantile(&[1.0, -f64::NAN], 1.0).is_nan());
        assert_eq!(quantile(&[7.0], 0.3), 7.0);
    }

    #[test]
    fn extreme_values_are_interpolated() {
        assert_eq!(quantile(&[-f64::MAX, f64::MAX], 0.5), 0.0);
        assert_eq!(quantile(&[0.0, f64::INFINITY], 0.0), 0.0);
        assert!(quantile(&[0.0, f64::INFINITY], 0.5).is_infinite());
    }

    #[test]
    fn the_share_is_cut_from_each_end() {
        let values: Vec<f64> = (0..100).map(|k| if k == 99 { -1e9 } else { f64::from(k) }).collect();
        assert_eq!(trimmed_mean(&values, 0.0), mean(&values));
        // Left are 0 to 98 without the lowest four and the highest five, since the wild value is cut below.
        assert!((trimmed_mean(&values, 0.05) - (4..94).map(f64::from).sum::<f64>() / 90.0).abs() < 1e-12);
        // 29 values at each end, although 0.29 * 100 is below 29.
        assert!((trimmed_mean(&values, 0.29) - (28..70).map(f64::from).sum::<f64>() / 42.0).abs() < 1e-12);
        assert_eq!(trimmed_mean(&[1.0, 2.0, 9.0], 0.4), 2.0);
        for share in [-0.1, 0.5, f64::NAN] {
            assert!(trimmed_mean(&values, share).is_nan());
        }
        assert!(trimmed_mean(&[], 0.1).is_nan() && trimmed_mean(&[0.0, f64::NAN, 0.0], 0.4).is_nan());
        assert_eq!(trimmed_mean(&[1.0, 2.0], 0.5_f64.next_down()), 1.5);
    }

    proptest! {
        #[test]
        fn quantiles_rise_from_the_least_to_the_greatest(
            values in prop::collection::vec(-1e3..1e3, 1..40),
            mut probabilities in prop::collection::vec(0.0..=1.0, 2..10),
        ) {
            probabilities.sort_unstable_by(f64::total_cmp);
            let found = quantiles(&values, &probabilities);
            prop_assert!(found.is_sorted());
            prop_assert!(quantile(&values, 0.0) <= found[0]);
            prop_assert!(found[found.len() - 1] <= quantile(&values, 1.0));
            prop_assert_eq!(quantile(&values, probabilities[0]), found[0]);
        }
    }
}
