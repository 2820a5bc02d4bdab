//! Correlation of two columns: Pearson's and Spearman's coefficients, with intervals.
//!
//! Both intervals are symmetric on the scale of Fisher's z, and are taken back to that of the coefficient:
//!
//! ```text
//! z = atanh(r)     interval = tanh(z - 1.96 e) to tanh(z + 1.96 e)
//! Pearson   e² = 1 / (n - 3)                Fisher, "On the probable error of a coefficient of correlation" (1921)
//! Spearman  e² = (1 + r²/2) / (n - 3)       Bonett and Wright, "Sample size requirements for estimating Pearson,
//!                                           Kendall and Spearman correlations" (Psychometrika 65(1), 2000)
//! ```
//!
//! Pearson's supposes a normal distribution of both, Spearman's only that the pairs are independent of each other.

use serde::{Deserialize, Serialize};

use super::centred_products;

/// The number of standard errors on either side that cover 95 % of a normal distribution.
const STANDARD_ERRORS: f64 = 1.959_963_984_540_054;

/// A correlation coefficient and its 95 % interval, see the [module](self).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Correlation {
    /// The coefficient, from -1 to 1.
    pub coefficient: f64,
    /// The lower end of the interval; none for fewer than four pairs, which leave any coefficient possible.
    pub lower: Option<f64>,
    /// The upper end of the interval.
    pub upper: Option<f64>,
}

impl Correlation {
    /// The level of the intervals.
    pub const LEVEL: f64 = 0.95;

    /// Computes [`pearson`] with its interval. Returns `None` if there is no coefficient.
    ///
    /// ```
    /// use lsmi_core::statistics::Correlation;
    ///
    /// let human = [1.0, 2.0, 3.0, 4.0, 5.0];
    /// let found = Correlation::pearson(&human, &[0.1, 0.3, 0.2, 0.5, 0.4]).unwrap();
    /// assert!((found.coefficient - 0.8).abs() < 1e-12);
    /// // Five pairs say little.
    /// assert!(found.lower.unwrap() < 0.0 && found.upper.unwrap() > 0.98);
    /// ```
    pub fn pearson(a: &[f64], b: &[f64]) -> Option<Self> {
        pearson(a, b).map(|coefficient| Self::with_variance(coefficient, 1.0, a.len()))
    }

    /// Computes [`spearman`] with its interval. Returns `None` if there is no coefficient.
    pub fn spearman(a: &[f64], b: &[f64]) -> Option<Self> {
        let coefficient = spearman(a, b)?;
        Some(Self::with_variance(coefficient, 1.0 + coefficient * coefficient / 2.0, a.len()))
    }

    /// Returns the interval where z has the variance `factor / (n - 3)`.
    fn with_variance(coefficient: f64, factor: f64, n: usize) -> Self {
        let ends = (n > 3).then(|| {
            let reach = STANDARD_ERRORS * (factor / (n - 3) as f64).sqrt();
            // A coefficient of 1 has an infinite z, and leads back to 1 on either side.
            let z = coefficient.atanh();
            ((z - reach).tanh(), (z + reach).tanh())
        });
        Self { coefficient, lower: ends.map(|(lower, _)| lower), upper: ends.map(|(_, upper)| upper) }
    }
}

/// Computes Pearson's correlation coefficient.
///
/// Returns `None` for arrays of different lengths, fewer than two values, or an array that does not vary.
///
/// ```
/// use lsmi_core::statistics::pearson;
///
/// let correlation = pearson(&[1.0, 2.0, 3.0], &[5.0, 3.0, 1.0]).unwrap();
/// assert!((correlation + 1.0).abs() < 1e-15);
/// assert_eq!(pearson(&[1.0, 2.0, 3.0], &[5.0, 5.0, 5.0]), None);
/// ```
pub fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    if a.len() != b.len() || a.len() < 2 {
        return None;
    }
    // Asked of the values, since the rounding of a mean can make equal values seem to vary.
    let varies = |values: &[f64]| values.iter().any(|value| value.total_cmp(&values[0]).is_ne());
    if !varies(a) || !varies(b) {
        return None;
    }
    let scale = centred_products(a, a).sqrt() * centred_products(b, b).sqrt();
    (scale > 0.0).then(|| (centred_products(a, b) / scale).clamp(-1.0, 1.0))
}

/// Computes Spearman's rank correlation coefficient: [`pearson`] of the [`ranks`] (Spearman, 1904).
///
/// Returns `None` where [`pearson`] does, and if a value is NaN.
///
/// ```
/// use lsmi_core::statistics::spearman;
///
/// // Whatever rises goes together.
/// assert!((spearman(&[1.0, 2.0, 3.0], &[0.0, 1.0, 1e9]).unwrap() - 1.0).abs() < 1e-12);
/// ```
pub fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
    if a.iter().chain(b).any(|value| value.is_nan()) {
        return None;
    }
    pearson(&ranks(a), &ranks(b))
}

/// Returns the ranks of values from 1 up; equal ones have the mean of their ranks.
///
/// ```
/// use lsmi_core::statistics::ranks;
///
/// assert_eq!(ranks(&[0.5, -1.0, 0.5, 7.0]), [2.5, 1.0, 2.5, 4.0]);
/// ```
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    // Zero and minus zero are equal, and adjacent in the total order.
    for equal in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let rank = before as f64 + (equal.len() + 1) as f64 / 2.0;
        for row in equal {
            ranks[*row] = rank;
        }
        before += equal.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::Rng;
    use rand_distr::StandardNormal;

    use super::*;
    use crate::random::stream;

    #[test]
    fn coefficients_of_known_arrays() {
        assert_eq!(pearson(&[1.0, 2.0], &[1.0]), None);
        assert_eq!(pearson(&[1.0], &[1.0]), None);
        let correlation = pearson(&[0.0, 0.0, 1.0, 1.0], &[0.0, 1.0, 0.0, 5.0]).unwrap();
        assert!((correlation - 2.0 / 17.0_f64.sqrt()).abs() < 1e-15);
        assert_eq!(spearman(&[1.0, 2.0], &[f64::NAN, 1.0]), None);
        assert_eq!(spearman(&[1.0, 2.0, 3.0], &[4.0; 3]), None);
        // Ranks 1 2.5 2.5 4 and 1 3 2 4: products 4.5, squares 4.5 and 5.
        let tied = spearman(&[1.0, 2.0, 2.0, 3.0], &[10.0, 30.0, 20.0, 40.0]).unwrap();
        assert!((tied - 0.9_f64.sqrt()).abs() < 1e-15);
        assert_eq!(ranks(&[0.0, -0.0, f64::NEG_INFINITY]), [2.5, 2.5, 1.0]);
    }

    /// Without ties it is 1 - 6 (sum of squared differences of ranks) / (n (n² - 1)): these differ by 194 in all.
    #[test]
    fn spearman_by_differences_of_ranks() {
        let a = [106.0, 100.0, 86.0, 101.0, 99.0, 103.0, 97.0, 113.0, 112.0, 110.0];
        let b = [7.0, 27.0, 2.0, 50.0, 28.0, 29.0, 20.0, 12.0, 6.0, 17.0];
        assert!((spearman(&a, &b).unwrap() + 29.0 / 165.0).abs() < 1e-12);
    }

    /// By hand, with 1.96 standard errors: atanh(0.5) = 0.549306; n = 12 has e = 1/3, and Spearman's sqrt(1.125)/3.
    #[test]
    fn intervals_by_hand() {
        let near = |found: Option<f64>, expected: f64| {
            assert!((found.unwrap() - expected).abs() < 1e-5, "{found:?} instead of {expected}");
        };
        let pearson = Correlation::with_variance(0.5, 1.0, 12);
        near(pearson.lower, (0.549_306_1_f64 - 0.653_321_3).tanh());
        near(pearson.upper, (0.549_306_1_f64 + 0.653_321_3).tanh());
        let spearman = Correlation::with_variance(0.5, 1.125, 12);
        near(spearman.lower, (0.549_306_1_f64 - 0.692_952_1).tanh());
        near(spearman.upper, (0.549_306_1_f64 + 0.692_952_1).tanh());
    }

    #[test]
    fn few_pairs_have_no_interval_and_perfect_ones_no_width() {
        let values = [1.0, 2.0, 4.0, 8.0];
        let three = Correlation::pearson(&values[..3], &[0.0, 1.0, 0.5]).unwrap();
        assert_eq!((three.lower, three.upper), (None, None));
        let perfect = Correlation::spearman(&values, &values).unwrap();
        for one in [perfect.coefficient, perfect.lower.unwrap(), perfect.upper.unwrap()] {
            assert!((one - 1.0).abs() < 1e-12, "{perfect:?}");
        }
        let exact = Correlation::with_variance(1.0, 1.0, 4);
        assert_eq!((exact.lower, exact.upper), (Some(1.0), Some(1.0)));
        assert_eq!(Correlation::pearson(&values, &[1.0; 4]), None);
    }

    /// Of 2,000 sets the standard error of a share of 0.95 is 0.005, and four of these are the tolerance. Spearman's
    /// coefficient of a normal distribution is 6/pi asin(r/2).
    #[test]
    fn intervals_cover_as_often_as_they_say() {
        let mut random = stream(0, "correlation test");
        let (rho, n, sets) = (0.6_f64, 40, 2000);
        let rank_correlation = 6.0 / std::f64::consts::PI * (rho / 2.0).asin();
        let mut covered = [0; 2];
        for _ in 0..sets {
            let a: Vec<f64> = (0..n).map(|_| random.sample(StandardNormal)).collect();
            let noise = (1.0 - rho * rho).sqrt();
            let b: Vec<f64> =
                a.iter().map(|value| rho * value + noise * random.sample::<f64, _>(StandardNormal)).collect();
            let found = [(Correlation::pearson(&a, &b), rho), (Correlation::spearman(&a, &b), rank_correlation)];
            for (count, (found, truth)) in covered.iter_mut().zip(found) {
                let Correlation { lower, upper, .. } = found.unwrap();
                *count += usize::from(lower.unwrap() <= truth && truth <= upper.unwrap());
            }
        }
        for covered in covered {
            let share = f64::from(u32::try_from(covered).unwrap()) / f64::from(sets);
            assert!((share - 0.95).abs() < 0.02, "{share}");
        }
    }

    proptest! {
        #[test]
        fn spearman_minds_nothing_but_the_order(pairs in prop::collection::vec((-5.0..5.0, -5.0..5.0), 2..30)) {
            let (a, b): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            let stretched: Vec<f64> = a.iter().map(|value: &f64| value.exp()).collect();
            prop_assert_eq!(spearman(&a, &b), spearman(&stretched, &b));
            prop_assert_eq!(spearman(&a, &b), spearman(&b, &a));
        }

        #[test]
        fn ranks_sum_to_those_of_no_ties(values in prop::collection::vec(0u8..6, 0..30)) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let n = values.len() as f64;
            prop_assert_eq!(ranks(&values).iter().sum::<f64>(), n * (n + 1.0) / 2.0);
        }
    }
}
