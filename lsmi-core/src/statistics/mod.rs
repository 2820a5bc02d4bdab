//! Statistics of arrays: summaries of columns, their uncertainty and their significance.
//!
//! - here: sums, means and comparisons, accurate for tens of millions of values;
//! - [`mod@quantiles`]: quantiles and the trimmed mean, which a few wild samples cannot move;
//! - [`bootstrap`]: intervals of means;
//! - [`clusters`]: the same where rows come in groups that belong together;
//! - [`correlation`]: how closely two columns go together, and how sure that is;
//! - [`significance`]: p-values against a null distribution, and for many tests at once;
//! - [`student`]: tail probabilities and quantiles of Student's t;
//! - [`roc`]: how well a value tells members of a group from others;
//! - [`calibration`]: whether a classifier is right as often as it says;
//! - [`mod@uniformity`]: whether predictive distributions of numbers are calibrated.
//!
//! ```
//! use lsmi_core::random::stream;
//! use lsmi_core::statistics::{Bootstrap, mean, pearson};
//!
//! let (x, y) = ([1.0, 2.0, 3.0, 4.0], [1.1, 1.9, 3.2, 3.9]);
//! assert_eq!(mean(&x), 2.5);
//! assert!(pearson(&x, &y).is_some_and(|coefficient| coefficient > 0.99));
//! let interval = &Bootstrap::default().intervals(&[&x[..]], &mut stream(0, "example"))?[0];
//! assert!(interval.lower < 2.5 && 2.5 < interval.upper);
//! # Ok::<(), lsmi_core::Error>(())
//! ```

pub mod bootstrap;
pub mod calibration;
pub mod clusters;
pub mod correlation;
pub mod quantiles;
pub mod roc;
pub mod significance;
pub mod student;
pub mod uniformity;

pub use bootstrap::{Bootstrap, Interval};
pub use calibration::{Reliability, ReliabilityBin, expected_calibration_error, reliability};
pub use clusters::{clustered_standard_error, effective_clusters};
pub use correlation::{Correlation, pearson, ranks, spearman};
pub use quantiles::{quantile, quantiles, trimmed_mean};
pub use roc::roc_area;
pub use significance::{Tail, benjamini_hochberg, permutation_p_value};
pub use student::{outside_of_t, quantile_of_t};
pub use uniformity::{Uniformity, uniformity};

/// Returns `log(exp(values[0]) + exp(values[1]) + ...)` without overflow; negative infinity for no values.
///
/// ```
/// use lsmi_core::statistics::log_sum_exp;
///
/// assert!((log_sum_exp(&[-1000.0, -1000.0]) - (2.0_f64.ln() - 1000.0)).abs() < 1e-12);
/// assert_eq!(log_sum_exp(&[]), f64::NEG_INFINITY);
/// ```
pub fn log_sum_exp(values: &[f64]) -> f64 {
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if largest.is_infinite() {
        // Infinity minus infinity is no number; a NaN among the values must still show.
        return values.iter().fold(largest, |sum, value| if value.is_nan() { *value } else { sum });
    }
    largest + values.iter().map(|value| (value - largest).exp()).sum::<f64>().ln()
}

/// Returns `log(exp(a) + exp(b))` without overflow.
pub fn log_add_exp(a: f64, b: f64) -> f64 {
    let (largest, distance) = (a.max(b), (a - b).abs());
    if largest.is_infinite() {
        // Infinity minus infinity is no number; a NaN beside it must still show.
        return if a.is_nan() || b.is_nan() { f64::NAN } else { largest };
    }
    largest + (-distance).exp().ln_1p()
}

/// Returns the sum, with the rounding error of every addition carried along (Neumaier, 1974).
///
/// ```
/// use lsmi_core::statistics::sum;
///
/// assert_eq!(sum(&[1.0, 1e100, 1.0, -1e100]), 2.0);
/// ```
pub fn sum(values: &[f64]) -> f64 {
    values.iter().copied().fold(Sum::default(), Sum::with).value()
}

/// A [`sum`] in the making.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sum {
    total: f64,
    lost: f64,
}

impl Sum {
    /// Returns the sum with one value more.
    pub(crate) fn with(self, value: f64) -> Self {
        let Self { total, lost } = self;
        let next = total + value;
        let error = if total.abs() >= value.abs() { (total - next) + value } else { (value - next) + total };
        Self { total: next, lost: lost + error }
    }

    /// Returns the sum of all values so far.
    pub(crate) fn value(self) -> f64 {
        // After an overflow the carried error is no number.
        if self.total.is_finite() { self.total + self.lost } else { self.total }
    }
}

/// Returns the mean; NaN for no values.
pub fn mean(values: &[f64]) -> f64 {
    sum(values) / values.len() as f64
}

/// Returns the sample standard deviation, whose square divides by one less than the number of values; NaN for fewer
/// than two.
pub fn standard_deviation(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return f64::NAN;
    }
    (centred_products(values, values) / (values.len() - 1) as f64).sqrt()
}

/// Returns the root of the mean squared difference; NaN for no values or arrays of different lengths.
pub fn root_mean_square_error(a: &[f64], b: &[f64]) -> f64 {
    if a.len() != b.len() {
        return f64::NAN;
    }
    let squares: f64 = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum();
    (squares / a.len() as f64).sqrt()
}

/// Returns the sum of the products of both arrays' deviations from their means.
fn centred_products(a: &[f64], b: &[f64]) -> f64 {
    let (mean_a, mean_b) = (mean(a), mean(b));
    a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_sum_exp_at_its_edges() {
        assert!(log_sum_exp(&[f64::NEG_INFINITY, f64::NEG_INFINITY]).is_infinite());
        assert!((log_sum_exp(&[f64::NEG_INFINITY, 3.0]) - 3.0).abs() < 1e-15);
        assert!(log_sum_exp(&[f64::INFINITY, 3.0]).is_infinite());
        assert!(log_sum_exp(&[f64::NAN, f64::NEG_INFINITY]).is_nan());
        assert!(log_sum_exp(&[f64::NAN, 0.0]).is_nan());
        assert!((log_sum_exp(&[800.0, 800.0, 800.0]) - (800.0 + 3.0_f64.ln())).abs() < 1e-12);
    }

    #[test]
    fn log_add_exp_is_log_sum_exp_of_two() {
        for (a, b) in [(0.0, 0.0), (-700.0, 3.0), (1e3, 1e3 - 1.0), (f64::NEG_INFINITY, 2.0)] {
            assert!((log_add_exp(a, b) - log_sum_exp(&[a, b])).abs() < 1e-12);
        }
        for infinite in [f64::NEG_INFINITY, f64::INFINITY] {
            assert_eq!(log_add_exp(infinite, infinite).total_cmp(&infinite), std::cmp::Ordering::Equal);
            assert!(log_add_exp(f64::NAN, infinite).is_nan());
        }
        assert!(log_add_exp(0.0, f64::NAN).is_nan());
    }

    #[test]
    fn a_long_sum_keeps_its_digits() {
        // Added in order without care, ten million tenths are off by 1.6e-4.
        let tenths = vec![0.1; 10_000_000];
        assert!((sum(&tenths) - 1e6).abs() < 1e-9);
        assert!(sum(&[f64::MAX, f64::MAX]).is_infinite());
    }

    #[test]
    fn moments_of_a_known_array() {
        let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        assert!((mean(&values) - 5.0).abs() < 1e-15);
        assert!((standard_deviation(&values) - (32.0_f64 / 7.0).sqrt()).abs() < 1e-15);
        assert!(mean(&[]).is_nan() && standard_deviation(&[1.0]).is_nan());
    }

    #[test]
    fn comparisons_of_arrays() {
        assert!((root_mean_square_error(&[1.0, 2.0], &[4.0, 6.0]) - 12.5_f64.sqrt()).abs() < 1e-15);
        assert!(root_mean_square_error(&[1.0], &[]).is_nan());
    }
}
