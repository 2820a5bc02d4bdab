//! Bootstrap intervals of means.
//!
//! The rows are drawn anew, with replacement, as often as there are rows, and the mean is taken; the middle share
//! `level` of many such means is the interval. This is the percentile interval of Efron and Tibshirani, "An
//! Introduction to the Bootstrap" (1993), section 13.3. All columns take the same rows in every resample, as columns
//! of one table do.
//!
//! # Many rows
//!
//! Beyond 10,000 rows, the rows are first put into 10,000 random groups of equal size (or sizes that differ by one),
//! and groups are drawn instead of rows. With `D_g` the sum of the deviations of the rows of group g from the mean, a
//! resample has
//!
//! ```text
//! mean* = mean + (1/n) sum over the drawn groups of D_g
//! ```
//!
//! whose variance is `sum of D_g² / n²`. The rows of a group are drawn without replacement from n rows of the variance
//! σ², so that in a group of k rows `D_g²` has the expectation `k σ² (n - k) / (n - 1)`. Over all m = n / k groups
//! this makes `(σ²/n) (1 - (k - 1)/(n - 1))`: the variance of the literal bootstrap, `σ²/n`, less one part in m. That
//! is the mean over all choices of groups. Whatever the distribution of the values, one choice differs from it by a
//! share of about `sqrt(2 (1 - 1/k) / m)`, below 1.4 %, or 0.7 % of the width of an interval, while the ends of an
//! interval from 2,000 resamples vary by 3 % of its half-width anyway. Groups of one row each are the literal
//! bootstrap: there is one algorithm, and no jump between few rows and many.

use rand::{Rng, seq::SliceRandom};
use rand_distr::StandardNormal;
use serde::{Deserialize, Deserializer, Serialize};

use super::{mean, quantiles, standard_deviation};
use crate::{
    error::{Error, Result, check_length},
    random::ChaCha8Rng,
};

/// The largest number of rows that are drawn one by one, and the number of groups that are drawn if there are more.
pub(super) const GROUPS: usize = 10_000;

/// The settings of intervals: 2,000 resamples and the level 0.95 by default.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bootstrap {
    /// The number of times that the rows are drawn anew.
    pub resamples: usize,
    /// The share of the resampled means that lies in the interval, between 0 and 1.
    pub level: f64,
}

/// A mean and how sure it is, in the units of the values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The mean of the values themselves.
    pub mean: f64,
    /// The standard deviation over the square root of the number of values; with an extra variance v, the root of the
    /// sum of the square of that and v. `None` for a single value.
    pub standard_error: Option<f64>,
    /// The lower end of the interval.
    pub lower: f64,
    /// The upper end of the interval: infinite, and `null` in JSON, where nothing bounds it.
    #[serde(deserialize_with = "infinite_if_none")]
    pub upper: f64,
}

/// Reads a number that JSON has as `null` where it is infinite.
fn infinite_if_none<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::INFINITY))
}

impl Interval {
    /// Returns the interval with one end moved out by the estimated error of the mean: the upper end for a positive
    /// shortfall of the mean, the lower end for a negative one.
    ///
    /// ```
    /// use lsmi_core::statistics::Interval;
    ///
    /// let interval = Interval { mean: 1.0, standard_error: None, lower: 0.9, upper: 1.1 };
    /// assert_eq!((interval.reaching(0.2).lower, interval.reaching(0.2).upper), (0.9, 1.1 + 0.2));
    /// assert_eq!((interval.reaching(-0.2).lower, interval.reaching(-0.2).upper), (0.9 - 0.2, 1.1));
    /// ```
    #[must_use]
    pub fn reaching(self, shortfall: f64) -> Self {
        Self { lower: self.lower + shortfall.min(0.0), upper: self.upper + shortfall.max(0.0), ..self }
    }

    /// Returns the interval with its upper end at `most` at least.
    #[must_use]
    pub fn up_to(self, most: f64) -> Self {
        Self { upper: self.upper.max(most), ..self }
    }
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self { resamples: 2000, level: 0.95 }
    }
}

impl Bootstrap {
    /// Returns the interval of the mean of every column, from the same resampled rows, see the [module](self).
    ///
    /// The interval of a single row is its value.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if there are no resamples, the level is not between 0 and 1, there are no rows or a value
    /// is not finite; [`Error::Length`] if the columns have not equally many rows.
    ///
    /// ```
    /// use lsmi_core::{random::stream, statistics::Bootstrap};
    ///
    /// let values: Vec<f64> = (0..100).map(f64::from).collect();
    /// let intervals = Bootstrap::default().intervals(&[&values], &mut stream(0, "example"))?;
    /// // The normal interval is 49.5 - 1.96 * 2.90 to 49.5 + 1.96 * 2.90.
    /// assert_eq!(intervals[0].mean, 49.5);
    /// assert!((intervals[0].lower - 43.8).abs() < 0.5 && (intervals[0].upper - 55.2).abs() < 0.5);
    /// # Ok::<(), lsmi_core::Error>(())
    /// ```
    pub fn intervals(&self, columns: &[&[f64]], rng: &mut ChaCha8Rng) -> Result<Vec<Interval>> {
        self.intervals_with(columns, &vec![0.0; columns.len()], rng)
    }

    /// Computes [`Bootstrap::intervals`] if the mean of every column is also uncertain by the given variance, such as
    /// that over models fitted anew.
    ///
    /// Every resampled mean gets a normal deviate of that variance of its own, so that the interval covers both. The
    /// rows that are drawn are the same whatever the variances; a variance of 0 leaves the interval as it is.
    ///
    /// # Errors
    ///
    /// Those of [`Bootstrap::intervals`]; [`Error::Length`] if there is not one variance a column,
    /// [`Error::Parameter`] if one is negative or not finite.
    pub fn intervals_with(
        &self,
        columns: &[&[f64]],
        extra_variance: &[f64],
        rng: &mut ChaCha8Rng,
    ) -> Result<Vec<Interval>> {
        let resampled = self.resampled(columns, extra_variance, rng)?;
        let interval = |(index, values): (usize, Vec<f64>)| {
            let column = columns[index];
            let row_variance = standard_deviation(column).powi(2) / column.len() as f64;
            let (lower, upper) = self.ends(&values);
            Interval {
                mean: mean(column),
                standard_error: (column.len() > 1).then(|| (row_variance + extra_variance[index]).sqrt()),
                lower,
                upper,
            }
        };
        Ok(resampled.into_iter().enumerate().map(interval).collect())
    }

    /// Returns the interval of the mean of every column of `second` less that of the same column of `first`, where the
    /// rows of the two are of different samples: each is resampled by itself.
    ///
    /// The standard error is the root of the sum of the squares of both. For the same samples twice, the intervals of
    /// their differences are narrower: [`Bootstrap::intervals`].
    ///
    /// # Errors
    ///
    /// Those of [`Bootstrap::intervals`], for either; [`Error::Length`] if they have not equally many columns.
    ///
    /// ```
    /// use lsmi_core::{random::stream, statistics::Bootstrap};
    ///
    /// let (first, second) = ([0.0, 1.0, 2.0], [5.0, 5.0]);
    /// let found = Bootstrap::default().differences(&[&first], &[&second], &mut stream(0, "example"))?;
    /// assert_eq!(found[0].mean, 4.0);
    /// assert!((found[0].standard_error.unwrap() - 1.0 / 3.0_f64.sqrt()).abs() < 1e-12);
    /// # Ok::<(), lsmi_core::Error>(())
    /// ```
    pub fn differences(&self, first: &[&[f64]], second: &[&[f64]], rng: &mut ChaCha8Rng) -> Result<Vec<Interval>> {
        self.differences_with(first, second, &vec![0.0; first.len()], rng)
    }

    /// Computes [`Bootstrap::differences`] if every difference is also uncertain by the given variance, as in
    /// [`Bootstrap::intervals_with`].
    ///
    /// # Errors
    ///
    /// Those of [`Bootstrap::differences`], and those of [`Bootstrap::intervals_with`] about the variances.
    pub fn differences_with(
        &self,
        first: &[&[f64]],
        second: &[&[f64]],
        extra_variance: &[f64],
        rng: &mut ChaCha8Rng,
    ) -> Result<Vec<Interval>> {
        check_length("second", first.len(), second.len())?;
        let first_means = self.resampled(first, extra_variance, rng)?;
        let second_means = self.resampled(second, &vec![0.0; second.len()], rng)?;
        let interval = |column: usize| {
            let (a, b) = (first[column], second[column]);
            let variance = |values: &[f64]| standard_deviation(values).powi(2) / values.len() as f64;
            let differences: Vec<f64> =
                first_means[column].iter().zip(&second_means[column]).map(|(first, second)| second - first).collect();
            let (lower, upper) = self.ends(&differences);
            let standard_error =
                (a.len() > 1 && b.len() > 1).then(|| (variance(a) + variance(b) + extra_variance[column]).sqrt());
            Interval { mean: mean(b) - mean(a), standard_error, lower, upper }
        };
        Ok((0..first.len()).map(interval).collect())
    }

    /// Returns the mean of every resample for every column, for intervals of functions of several means.
    ///
    /// # Errors
    ///
    /// Those of [`Bootstrap::intervals_with`].
    pub fn resampled(&self, columns: &[&[f64]], extra_variance: &[f64], rng: &mut ChaCha8Rng) -> Result<Vec<Vec<f64>>> {
        self.check(columns, extra_variance)?;
        Ok(match columns.first() {
            Some(first) => self.resampled_by_groups(first.len().min(GROUPS), columns, extra_variance, rng),
            None => Vec::new(),
        })
    }

    /// Returns the ends of the interval that resampled values make.
    pub fn ends(&self, resampled: &[f64]) -> (f64, f64) {
        let tail = (1.0 - self.level) / 2.0;
        let ends = quantiles(resampled, &[tail, 1.0 - tail]);
        (ends[0], ends[1])
    }

    fn resampled_by_groups(
        &self,
        groups: usize,
        columns: &[&[f64]],
        extra_variance: &[f64],
        rng: &mut ChaCha8Rng,
    ) -> Vec<Vec<f64>> {
        let means: Vec<f64> = columns.iter().map(|column| mean(column)).collect();
        let sums = group_sums(groups, columns, &means, rng);
        let mut resampled = self.resampled_means(groups, &sums, columns, &means, rng);
        add_deviates(&mut resampled, extra_variance, rng);
        resampled
    }

    /// Returns the mean of every resample for every column.
    fn resampled_means(
        &self,
        groups: usize,
        sums: &[f64],
        columns: &[&[f64]],
        means: &[f64],
        rng: &mut ChaCha8Rng,
    ) -> Vec<Vec<f64>> {
        let width = columns.len();
        let mut resampled = vec![Vec::with_capacity(self.resamples); width];
        let mut totals = vec![0.0; width];
        for _ in 0..self.resamples {
            totals.fill(0.0);
            for _ in 0..groups {
                let drawn = &sums[rng.random_range(0..groups) * width..][..width];
                totals.iter_mut().zip(drawn).for_each(|(total, sum)| *total += sum);
            }
            for (index, values) in resampled.iter_mut().enumerate() {
                values.push(means[index] + totals[index] / columns[index].len() as f64);
            }
        }
        resampled
    }

    /// Checks the number of resamples and the level.
    pub(crate) fn check_settings(&self) -> Result<()> {
        if self.resamples == 0 {
            return Err(Error::parameter("resamples", "at least 1", &self.resamples));
        }
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(Error::parameter("level", "between 0 and 1", &self.level));
        }
        Ok(())
    }

    pub(super) fn check(&self, columns: &[&[f64]], extra_variance: &[f64]) -> Result<()> {
        self.check_settings()?;
        check_length("extra_variance", columns.len(), extra_variance.len())?;
        if let Some(variance) = extra_variance.iter().find(|variance| !(variance.is_finite() && **variance >= 0.0)) {
            return Err(Error::parameter("extra_variance", "finite and at least 0", variance));
        }
        for column in columns {
            check_length("columns", columns[0].len(), column.len())?;
            if column.is_empty() {
                return Err(Error::parameter("columns", "of at least one row", "of none"));
            }
            if let Some(value) = column.iter().find(|value| !value.is_finite()) {
                return Err(Error::parameter("columns", "of finite values", value));
            }
        }
        Ok(())
    }
}

/// Adds to every resampled mean a normal deviate of the column's extra variance.
pub(super) fn add_deviates(resampled: &mut [Vec<f64>], extra_variance: &[f64], rng: &mut ChaCha8Rng) {
    for (values, extra) in resampled.iter_mut().zip(extra_variance).filter(|(_, extra)| **extra > 0.0) {
        let deviation = extra.sqrt();
        for value in values {
            *value += deviation * rng.sample::<f64, _>(StandardNormal);
        }
    }
}

/// Returns the sum of the deviations of each group's rows from the mean for every column: a table, row by row.
///
/// Groups are chosen at random unless every row is one.
fn group_sums(groups: usize, columns: &[&[f64]], means: &[f64], rng: &mut ChaCha8Rng) -> Vec<f64> {
    let width = columns.len();
    let mut rows: Vec<usize> = (0..columns[0].len()).collect();
    if groups < rows.len() {
        rows.shuffle(rng);
    }
    let mut sums = vec![0.0; groups * width];
    for (place, &row) in rows.iter().enumerate() {
        let group = &mut sums[place % groups * width..][..width];
        for (sum, (column, mean)) in group.iter_mut().zip(columns.iter().zip(means)) {
            *sum += column[row] - mean;
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::stream;

    /// Values with an exponential distribution of mean 1: skewed, as pointwise information is.
    fn skewed(n: usize, rng: &mut ChaCha8Rng) -> Vec<f64> {
        (0..n).map(|_| rng.sample::<f64, _>(rand_distr::Exp1)).collect()
    }

    #[test]
    fn an_end_that_nothing_bounds_comes_back_from_json() {
        let unbounded = Interval { mean: 0.0, standard_error: None, lower: 0.0, upper: f64::INFINITY };
        let json = serde_json::to_string(&unbounded).unwrap();
        assert!(json.ends_with(r#""upper":null}"#), "{json}");
        assert_eq!(serde_json::from_str::<Interval>(&json).unwrap(), unbounded);
    }

    fn width(interval: &Interval) -> f64 {
        interval.upper - interval.lower
    }

    /// Of 1,000 sets, the standard error of a share of 0.95 is 0.007. From 100 values, the interval is a little narrow
    /// for the usual reasons (the variance divides by n, and no Student quantile), which costs 0.006, and for skewed
    /// values another 0.01; hence between 0.91 and 0.965.
    #[track_caller]
    fn check_coverage(groups: usize, n: usize, draw: impl Fn(usize, &mut ChaCha8Rng) -> Vec<f64>, expected: f64) {
        let bootstrap = Bootstrap { resamples: 400, ..Bootstrap::default() };
        let mut rng = stream(0, "coverage test");
        let covered = (0..1000).filter(|_| {
            let values = draw(n, &mut rng);
            let resampled = bootstrap.resampled_by_groups(groups, &[&values], &[0.0], &mut rng);
            let (lower, upper) = bootstrap.ends(&resampled[0]);
            lower <= expected && expected <= upper
        });
        let share = covered.count() as f64 / 1000.0;
        assert!((0.91..=0.965).contains(&share), "{share}");
    }

    #[test]
    fn the_interval_covers_the_mean_as_often_as_it_says() {
        let normal = |n, rng: &mut ChaCha8Rng| (0..n).map(|_| rng.sample(StandardNormal)).collect();
        check_coverage(100, 100, normal, 0.0);
        check_coverage(100, 100, skewed, 1.0);
    }

    /// As above with 1,000 values in 100 groups: a tenth of the draws.
    #[test]
    fn the_interval_from_groups_covers_the_mean_as_often() {
        check_coverage(100, 1000, skewed, 1.0);
    }

    /// The variance of a mean of drawn groups is the sum of their squares over n². Over choices of m groups its
    /// standard deviation is a share of at most sqrt(2/m), 1.42 %; four of these are the tolerance, and over 20
    /// choices 1.3 %. The rows are sorted, which random groups must not mind.
    #[test]
    fn groups_have_the_variance_of_rows() {
        let mut rng = stream(0, "groups test");
        let mut values = skewed(50_001, &mut rng);
        values.sort_unstable_by(f64::total_cmp);
        let n = values.len() as f64;
        let centre = mean(&values);
        let variance = values.iter().map(|value| (value - centre).powi(2)).sum::<f64>() / n;
        let shares: Vec<f64> = (0..20)
            .map(|_| {
                let sums = group_sums(GROUPS, &[&values], &[centre], &mut rng);
                assert!(super::super::sum(&sums).abs() < 1e-9);
                sums.iter().map(|sum| sum.powi(2)).sum::<f64>() / n / variance
            })
            .collect();
        assert!(shares.iter().all(|share| (share - 1.0).abs() < 4.0 * 0.0142), "{shares:?}");
        assert!((mean(&shares) - 1.0).abs() < 0.013, "{shares:?}");
    }

    /// Both ends are quantiles of 2,000 resampled means, whose standard error is 6 % of a standard error of the mean
    /// each; over both bootstraps that is 0.09, to which three standard errors make 0.27.
    #[test]
    fn groups_have_the_interval_of_rows() {
        let mut rng = stream(0, "shortcut test");
        let values = skewed(20_000, &mut rng);
        let bootstrap = Bootstrap::default();
        let literal = bootstrap.resampled_by_groups(values.len(), &[&values], &[0.0], &mut rng);
        let (lower, upper) = bootstrap.ends(&literal[0]);
        let shortcut = bootstrap.intervals(&[&values], &mut rng).unwrap()[0];
        let unit = shortcut.standard_error.unwrap();
        assert!((lower - shortcut.lower).abs() < 0.27 * unit, "{lower} {shortcut:?}");
        assert!((upper - shortcut.upper).abs() < 0.27 * unit, "{upper} {shortcut:?}");
    }

    #[test]
    fn columns_share_their_rows() {
        for n in [50, 10_050] {
            let a = skewed(n, &mut stream(1, "columns test"));
            let b: Vec<f64> = a.iter().map(|value| 3.0 - 2.0 * value).collect();
            let bootstrap = Bootstrap { resamples: 50, level: 0.9 };
            let both = bootstrap.intervals(&[&a, &b], &mut stream(2, "columns test")).unwrap();
            assert!((both[1].mean - (3.0 - 2.0 * both[0].mean)).abs() < 1e-12);
            assert!((both[1].lower - (3.0 - 2.0 * both[0].upper)).abs() < 1e-12);
            assert!((both[1].upper - (3.0 - 2.0 * both[0].lower)).abs() < 1e-12);
            // A column's interval does not depend on the other columns, and the same stream gives it again.
            let alone = bootstrap.intervals(&[&a], &mut stream(2, "columns test")).unwrap();
            assert_eq!(alone[0], both[0]);
        }
    }

    /// The interval of a column that does not vary is that of the deviates: 1.96 standard deviations of 3 either way,
    /// and of 10,000 resamples the ends have the standard error 0.027 of them; four times that and 3 makes 0.32.
    #[test]
    fn an_extra_variance_widens_the_interval() {
        let constant = [5.0; 10];
        let varied = skewed(400, &mut stream(3, "variance test"));
        let bootstrap = Bootstrap { resamples: 10_000, ..Bootstrap::default() };
        let rng = || stream(4, "variance test");
        let interval = bootstrap.intervals_with(&[&constant], &[9.0], &mut rng()).unwrap()[0];
        assert!((interval.lower - (5.0 - 5.88)).abs() < 0.32 && (interval.upper - (5.0 + 5.88)).abs() < 0.32);
        assert_eq!(interval.standard_error, Some(3.0));

        let plain = bootstrap.intervals(&[&varied, &varied], &mut rng()).unwrap();
        let variance = plain[0].standard_error.unwrap().powi(2);
        let widened = bootstrap.intervals_with(&[&varied, &varied], &[0.0, 3.0 * variance], &mut rng()).unwrap();
        assert_eq!(widened[0], plain[0]);
        // Four times the variance is twice the width.
        assert!((width(&widened[1]) / width(&plain[1]) - 2.0).abs() < 0.1);
        assert!((widened[1].standard_error.unwrap() / plain[1].standard_error.unwrap() - 2.0).abs() < 1e-12);
    }

    /// The normal interval of the difference of means of 400 and 100 exponential values is 1.96 sqrt(1/400 + 1/100)
    /// either way; its ends are found to 6 % of a standard error, and the deviations of the values to 7 %, so that a
    /// fifth of it is three times the error.
    #[test]
    fn two_samples_differ_by_the_errors_of_both() {
        let mut rng = stream(5, "two samples test");
        let (first, second) = (skewed(400, &mut rng), skewed(100, &mut rng));
        let found = Bootstrap::default().differences(&[&first], &[&second], &mut rng).unwrap()[0];
        assert!((found.mean - (mean(&second) - mean(&first))).abs() < 1e-12);
        let expected =
            (standard_deviation(&first).powi(2) / 400.0 + standard_deviation(&second).powi(2) / 100.0).sqrt();
        assert!((found.standard_error.unwrap() - expected).abs() < 1e-12);
        assert!((width(&found) / (2.0 * 1.96 * expected) - 1.0).abs() < 0.1, "{found:?}");
        let refused = Bootstrap::default().differences(&[&first], &[], &mut rng).unwrap_err();
        assert!(matches!(refused, Error::Length { array: "second", expected: 1, found: 0 }), "{refused}");
        assert!(Bootstrap::default().differences(&[&first], &[&[]], &mut rng).is_err());
    }

    #[test]
    fn one_row_has_no_standard_error() {
        let found = Bootstrap::default().intervals(&[&[0.25]], &mut stream(0, "one test")).unwrap();
        assert_eq!(found, [Interval { mean: 0.25, standard_error: None, lower: 0.25, upper: 0.25 }]);
        let json = serde_json::to_string(&found[0]).unwrap();
        assert_eq!(json, r#"{"mean":0.25,"standard_error":null,"lower":0.25,"upper":0.25}"#);
        assert_eq!(serde_json::from_str::<Interval>(&json).unwrap(), found[0]);
        assert_eq!(Bootstrap::default().intervals(&[], &mut stream(0, "one test")).unwrap(), []);
    }

    #[test]
    fn what_has_no_interval_is_refused() {
        let refused = |bootstrap: Bootstrap, columns: &[&[f64]], extra: &[f64]| {
            bootstrap.intervals_with(columns, extra, &mut stream(0, "refused")).unwrap_err().to_string()
        };
        let plain = Bootstrap::default();
        let none = Bootstrap { resamples: 0, ..plain };
        assert_eq!(refused(none, &[&[1.0]], &[0.0]), "`resamples` is 0; it must be at least 1");
        for level in [0.0, 1.0, f64::NAN] {
            let message = refused(Bootstrap { level, ..plain }, &[&[1.0]], &[0.0]);
            assert!(message.starts_with("`level` is "), "{message}");
        }
        assert!(refused(plain, &[&[1.0], &[]], &[0.0, 0.0]).starts_with("`columns` has 0 values where 1 are needed"));
        assert_eq!(refused(plain, &[&[]], &[0.0]), "`columns` is of none; it must be of at least one row");
        assert_eq!(refused(plain, &[&[f64::NAN]], &[0.0]), "`columns` is NaN; it must be of finite values");
        assert!(refused(plain, &[&[1.0]], &[]).starts_with("`extra_variance` has 0 values where 1 are needed"));
        let message = refused(plain, &[&[1.0]], &[-1.0]);
        assert_eq!(message, "`extra_variance` is -1; it must be finite and at least 0");
    }
}
