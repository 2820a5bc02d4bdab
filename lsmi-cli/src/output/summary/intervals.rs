//! `intervals`: how far the means would move with other samples of the same kind and, where there are repeats, other fits.
//!
//! Bootstrap percentile intervals, see [`lsmi_core::statistics::bootstrap`]. The spread of the means over repeats is part
//! of them. Adjusted means have none: they follow from the raw means, which vary together.

use lsmi_core::random::stream;
use lsmi_core::statistics::{Bootstrap, Interval};
use serde::Serialize;

use super::quantities::{Columns, Information, Parts, Quantities};

/// Intervals of means.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Intervals {
    /// The probability with which they should hold the mean.
    pub(crate) level: f64,
    /// How often the samples were drawn anew.
    pub(crate) resamples: usize,
    /// Of i1, i2 and i12.
    pub(crate) information: Information<Interval>,
    /// Of the raw r, u1, u2 and s.
    pub(crate) raw: Parts<Interval>,
}

impl Intervals {
    /// The intervals of the means of columns; `of` names whose they are, so that the draws are those of no others.
    pub(super) fn new(columns: &Columns, seed: u64, of: &str) -> lsmi_core::Result<Self> {
        let bootstrap = Bootstrap::default();
        let values = columns.values.each_ref().map(Vec::as_slice);
        let mut random = stream(seed, &format!("bootstrap of {of}"));
        let found = bootstrap.intervals_with(&values, &columns.variance_of_fit, &mut random)?;
        let Quantities { information, parts } = std::array::from_fn(|column| found[column]).into();
        Ok(Self { level: bootstrap.level, resamples: bootstrap.resamples, information, raw: parts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The normal interval of 1,000 values from 0 to 1, whose deviation is 0.289, has the half-width 1.96 * 0.0091 =
    /// 0.0179; its ends are found to 6 % of a standard error, so 0.0025 is four times the error.
    #[test]
    fn fits_that_differ_widen_the_intervals() {
        let values: Vec<f64> = (0..1000).map(|row| f64::from(row) / 999.0).collect();
        let of = |variance: f64| {
            let columns = Columns { values: std::array::from_fn(|_| values.clone()), variance_of_fit: [variance; 7] };
            Intervals::new(&columns, 0, "train").unwrap()
        };
        let (plain, varied) = (of(0.0), of(0.01));
        assert_eq!((plain.level, plain.resamples), (0.95, 2000));
        let Interval { mean, lower, upper, .. } = plain.raw.s;
        assert!((mean - 0.5).abs() < 1e-12);
        assert!((lower - 0.4821).abs() < 0.0025 && (upper - 0.5179).abs() < 0.0025, "{lower} {upper}");
        let error = |intervals: &Intervals| intervals.information.i1.standard_error.unwrap();
        assert!((error(&varied).powi(2) - error(&plain).powi(2) - 0.01).abs() < 1e-12);
        assert!(varied.raw.r.upper - varied.raw.r.lower > 0.3);
    }
}
