//! `intervals`: how far the means would move with other samples of the same kind and, where there are repeats, other fits.
//!
//! Bootstrap percentile intervals, see [`lsmi_core::statistics::bootstrap`]. The spread of the means over repeats is part
//! of them. Adjusted means are adjusted anew in every resample, whatever branch that takes.
//!
//! Means of training rows are biased: models of so many rows have not found all there is to find. What they gain in rows
//! that they saw is as much too much (Akaike 1973; Efron 1986 calls the difference of the two the optimism), so that the
//! truth lies in between. One end of the interval is therefore moved out by half of the difference.

use lsmi_core::random::stream;
use lsmi_core::statistics::{Bootstrap, Interval, mean, standard_deviation};
use lsmi_core::{Adjusted, Means, adjust};
use serde::{Deserialize, Serialize};

use super::quantities::{Columns, Information, Parts, Quantities};

/// Intervals of means.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Intervals {
    /// The probability with which they should hold the mean.
    pub(crate) level: f64,
    /// How often the samples were drawn anew.
    pub(crate) resamples: usize,
    /// What means are believed to fall short of those of the distribution, and so how far one end was moved out: the upper
    /// one, or the lower one where it is negative.
    pub(crate) shortfall: Quantities<f64>,
    /// Of i1, i2 and i12.
    pub(crate) information: Information<Interval>,
    /// Of the raw r, u1, u2 and s.
    pub(crate) raw: Parts<Interval>,
    /// Of the adjusted r, u1, u2 and s.
    pub(crate) adjusted: Parts<Interval>,
}

impl Intervals {
    /// The intervals of the means of columns; `of` names whose they are, so that the draws are those of no others.
    pub(super) fn new(columns: &Columns, seed: u64, of: &str) -> lsmi_core::Result<Self> {
        let bootstrap = Bootstrap::default();
        let values = columns.values.each_ref().map(Vec::as_slice);
        let mut random = stream(seed, &format!("bootstrap of {of}"));
        let resampled = bootstrap.resampled(&values, &columns.variance_of_fit, &mut random)?;
        let raw: [Interval; 7] = std::array::from_fn(|column| {
            let deviation = standard_deviation(values[column]);
            let variance = deviation * deviation / values[column].len() as f64 + columns.variance_of_fit[column];
            interval(
                &bootstrap,
                mean(values[column]),
                &resampled[column],
                variance.is_finite().then(|| variance.sqrt()),
            )
            .reaching(columns.shortfall[column])
        });
        let Quantities { information, parts } = raw.into();
        let adjusted = adjusted(&bootstrap, &raw, &resampled, &columns.shortfall);
        let shortfall = columns.shortfall.into();
        Ok(Self {
            level: bootstrap.level,
            resamples: bootstrap.resamples,
            shortfall,
            information,
            raw: parts,
            adjusted,
        })
    }
}

/// The intervals of the adjusted means, whose standard errors are the deviations of the resampled ones.
fn adjusted(
    bootstrap: &Bootstrap,
    raw: &[Interval; 7],
    resampled: &[Vec<f64>],
    shortfall: &[f64; 7],
) -> Parts<Interval> {
    let four = |[r, u1, u2, s]: [f64; 4]| {
        let Adjusted { r, u1, u2, s, .. } = adjust(&Means { r, u1, u2, s });
        [r, u1, u2, s]
    };
    // The parts are the last four of the seven columns.
    let means = four(std::array::from_fn(|part| raw[3 + part].mean));
    let reached = four(std::array::from_fn(|part| raw[3 + part].mean + shortfall[3 + part]));
    let of_resamples: Vec<[f64; 4]> =
        (0..bootstrap.resamples).map(|index| four(std::array::from_fn(|part| resampled[3 + part][index]))).collect();
    let [r, u1, u2, s] = std::array::from_fn(|part| {
        let values: Vec<f64> = of_resamples.iter().map(|of| of[part]).collect();
        let deviation = standard_deviation(&values);
        interval(bootstrap, means[part], &values, deviation.is_finite().then_some(deviation))
            .reaching(reached[part] - means[part])
    });
    Parts { r, u1, u2, s }
}

fn interval(bootstrap: &Bootstrap, mean: f64, resampled: &[f64], standard_error: Option<f64>) -> Interval {
    let (lower, upper) = bootstrap.ends(resampled);
    Interval { mean, standard_error, lower, upper }
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
            let (values, shortfall) = (std::array::from_fn(|_| values.clone()), [0.0; 7]);
            let columns = Columns { values, variance_of_fit: [variance; 7], shortfall };
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

    /// U2 is negative in the mean and in every resample, so that the adjusted U2 is 0 in all of them and R loses it.
    #[test]
    fn adjusted_means_are_adjusted_in_every_resample() {
        let noise = |row: usize| ((row * 37) % 100) as f64 / 1000.0;
        let column = |mean: f64| (0..500).map(|row| mean + noise(row)).collect::<Vec<_>>();
        let values = [column(1.2), column(0.7), column(1.6), column(1.0), column(0.2), column(-0.3), column(0.7)];
        let mut columns = Columns { values, variance_of_fit: [0.0; 7], shortfall: [0.0; 7] };
        let intervals = Intervals::new(&columns, 0, "train").unwrap();
        let Interval { mean, lower, upper, .. } = intervals.adjusted.u2;
        assert!([mean, lower, upper].iter().all(|value| value.abs() < 1e-12));
        let (raw, adjusted) = (intervals.raw.r, intervals.adjusted.r);
        assert!((raw.mean - adjusted.mean - 0.2505).abs() < 1e-9);
        assert!(adjusted.lower < adjusted.mean && adjusted.mean < adjusted.upper);

        // More redundancy in sample: the upper end is higher, and no other is.
        columns.shortfall[3] = 0.1;
        let reaching = Intervals::new(&columns, 0, "train").unwrap();
        assert!((reaching.raw.r.upper - raw.upper - 0.1).abs() < 1e-12 && reaching.raw.r.lower == raw.lower);
        assert!((reaching.adjusted.r.upper - adjusted.upper - 0.1).abs() < 1e-12);
        assert_eq!(reaching.raw.s, intervals.raw.s);
    }
}
