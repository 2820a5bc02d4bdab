//! `intervals`: how far the means would move with other samples of the same kind and, where there are repeats, other fits.
//!
//! Bootstrap percentile intervals, see [`lsmi_core::statistics::bootstrap`]. The spread of the means over repeats is part
//! of them. Samples that belong together are drawn together. Adjusted means are adjusted anew in every resample, whatever branch that takes.
//!
//! Means are biased: models of so many rows have not found all there is to find. What they gain in rows
//! that they saw is as much too much (Akaike 1973; Efron 1986 calls the difference of the two the optimism), so that the
//! truth lies in between. One end of the interval is therefore moved out by half of the difference, that of the training rows
//! for all splits, as the same models score them.
//!
//! Where no head beats the class frequencies, all values are exactly 0, and so would the interval be: of no width, as if it
//! were certain. Nothing was found, which says little of what there is: the interval then ends at the most that may be there.

use lsmi_core::random::stream;
use lsmi_core::statistics::{Bootstrap, Interval, clustered_standard_error, mean, standard_deviation};
use lsmi_core::{Adjusted, Means, adjust};
use serde::{Deserialize, Serialize};

use super::quantities::{Columns, Information, Parts, Quantities};

/// The interval of a mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MeanInterval {
    /// Mean, standard error and ends.
    #[serde(flatten)]
    pub interval: Interval,
    /// Whether all values are 0 as no head found anything: the upper end is then the most that may be there.
    #[serde(skip_serializing_if = "is_found", default)]
    pub not_found: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields so")]
fn is_found(not_found: &bool) -> bool {
    !not_found
}

/// Intervals of means.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Intervals {
    /// The probability with which they should hold the mean.
    pub level: f64,
    /// How often the samples were drawn anew.
    pub resamples: usize,
    /// What means are believed to fall short of those of the distribution, and so how far one end was moved out: the upper
    /// one, or the lower one where it is negative.
    pub shortfall: Quantities<f64>,
    /// The variance that the means have because of folds and random draws of the fit; none where there is one fit, which
    /// cannot tell.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub variance_of_fit: Option<Quantities<f64>>,
    /// Of i1, i2 and i12.
    pub information: Information<MeanInterval>,
    /// Of the raw r, u1, u2 and s.
    pub raw: Parts<MeanInterval>,
    /// Of the adjusted r, u1, u2 and s.
    pub adjusted: Parts<MeanInterval>,
}

impl Intervals {
    /// The intervals of the means of columns; `of` names whose they are, so that the draws are those of no others, `most` is
    /// the most that can be told about their labels, the mean of -log p(y).
    pub(in crate::analysis) fn new(columns: &Columns, seed: u64, of: &str, most: f64) -> lsmi_core::Result<Self> {
        let bootstrap = Bootstrap::default();
        let values = columns.values.each_ref().map(Vec::as_slice);
        let mut random = stream(seed, &format!("bootstrap of {of}"));
        let variance_of_fit = columns.variance_of_fit.unwrap_or([0.0; 7]);
        let resampled = match &columns.groups {
            None => bootstrap.resampled(&values, &variance_of_fit, &mut random)?,
            Some(groups) => bootstrap.resampled_clusters(&values, groups, &variance_of_fit, &mut random)?,
        };
        let raw: [Interval; 7] = std::array::from_fn(|column| {
            let of_rows = match &columns.groups {
                None => standard_deviation(values[column]) / (values[column].len() as f64).sqrt(),
                Some(groups) => clustered_standard_error(values[column], groups).unwrap_or(f64::NAN),
            };
            let variance = of_rows * of_rows + variance_of_fit[column];
            interval(
                &bootstrap,
                mean(values[column]),
                &resampled[column],
                variance.is_finite().then(|| variance.sqrt()),
            )
            .reaching(columns.shortfall[column])
        });
        let adjusted = adjusted(&bootstrap, &raw, &resampled, &columns.shortfall);
        let is_nothing: [bool; 7] = values.map(|values| values.iter().all(|value| *value == 0.0));
        // Parts of 0 are a finding where there is information that could have been parted.
        let not_found = |column: usize| is_nothing[column] && (column < 3 || is_nothing[2]);
        let told = |column: usize, interval: Interval| MeanInterval {
            interval: if not_found(column) { interval.up_to(most) } else { interval },
            not_found: not_found(column),
        };
        let raw: [MeanInterval; 7] = std::array::from_fn(|column| told(column, raw[column]));
        let Quantities { information, parts } = raw.into();
        let Parts { r, u1, u2, s } = adjusted;
        Ok(Self {
            level: bootstrap.level,
            resamples: bootstrap.resamples,
            shortfall: columns.shortfall.into(),
            variance_of_fit: columns.variance_of_fit.map(Quantities::from),
            information,
            raw: parts,
            adjusted: Parts { r: told(3, r), u1: told(4, u1), u2: told(5, u2), s: told(6, s) },
        })
    }

    /// The same where it is known that more than `most` nats would have been found: upper ends of what was not found are
    /// moved in.
    #[must_use]
    pub fn narrowed(mut self, most: f64) -> Self {
        let Information { i1, i2, i12 } = &mut self.information;
        let (raw, adjusted) = (&mut self.raw, &mut self.adjusted);
        let parts = [raw, adjusted].into_iter().flat_map(|Parts { r, u1, u2, s }| [r, u1, u2, s]);
        for of_mean in [i1, i2, i12].into_iter().chain(parts).filter(|of_mean| of_mean.not_found) {
            of_mean.interval.upper = of_mean.interval.upper.min(most);
        }
        self
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
            let variance_of_fit = (variance > 0.0).then_some([variance; 7]);
            let columns = Columns { values, variance_of_fit, groups: None, shortfall };
            Intervals::new(&columns, 0, "train", 1.0).unwrap()
        };
        let (plain, varied) = (of(0.0), of(0.01));
        assert_eq!((plain.level, plain.resamples), (0.95, 2000));
        let Interval { mean, lower, upper, .. } = plain.raw.s.interval;
        assert!((mean - 0.5).abs() < 1e-12);
        assert!((lower - 0.4821).abs() < 0.0025 && (upper - 0.5179).abs() < 0.0025, "{lower} {upper}");
        let error = |intervals: &Intervals| intervals.information.i1.interval.standard_error.unwrap();
        assert!((error(&varied).powi(2) - error(&plain).powi(2) - 0.01).abs() < 1e-12);
        assert!(varied.raw.r.interval.upper - varied.raw.r.interval.lower > 0.3);
        assert!(plain.variance_of_fit.is_none() && varied.variance_of_fit.unwrap().parts.s == 0.01);
    }

    /// U2 is negative in the mean and in every resample, so that the adjusted U2 is 0 in all of them and R loses it.
    #[test]
    fn adjusted_means_are_adjusted_in_every_resample() {
        let noise = |row: usize| ((row * 37) % 100) as f64 / 1000.0;
        let column = |mean: f64| (0..500).map(|row| mean + noise(row)).collect::<Vec<_>>();
        let values = [column(1.2), column(0.7), column(1.6), column(1.0), column(0.2), column(-0.3), column(0.7)];
        let mut columns = Columns { values, variance_of_fit: None, groups: None, shortfall: [0.0; 7] };
        let intervals = Intervals::new(&columns, 0, "train", 3.0).unwrap();
        let Interval { mean, lower, upper, .. } = intervals.adjusted.u2.interval;
        assert!([mean, lower, upper].iter().all(|value| value.abs() < 1e-12));
        let (raw, adjusted) = (intervals.raw.r.interval, intervals.adjusted.r.interval);
        assert!((raw.mean - adjusted.mean - 0.2505).abs() < 1e-9);
        assert!(adjusted.lower < adjusted.mean && adjusted.mean < adjusted.upper);

        // More redundancy in sample: the upper end is higher, and no other is.
        columns.shortfall[3] = 0.1;
        let reaching = Intervals::new(&columns, 0, "train", 3.0).unwrap();
        let reached = reaching.raw.r.interval;
        assert!((reached.upper - raw.upper - 0.1).abs() < 1e-12 && reached.lower == raw.lower);
        assert!((reaching.adjusted.r.interval.upper - adjusted.upper - 0.1).abs() < 1e-12);
        assert_eq!(reaching.raw.s, intervals.raw.s);
    }

    #[test]
    fn what_was_not_found_is_at_most_what_can_be_told() {
        let zeros = || vec![0.0; 50];
        let mut columns = Columns {
            values: std::array::from_fn(|_| zeros()),
            variance_of_fit: None,
            groups: None,
            shortfall: [0.0; 7],
        };
        let of = |columns: &Columns| Intervals::new(columns, 0, "train", 1.5).unwrap();
        let nothing = of(&columns);
        for of_mean in [nothing.information.i12, nothing.raw.s, nothing.adjusted.r] {
            assert!(of_mean.not_found);
            let Interval { mean, lower, upper, .. } = of_mean.interval;
            assert_eq!((mean, lower, upper), (0.0, 0.0, 1.5));
        }
        let json = serde_json::to_value(nothing.raw.s).unwrap();
        assert_eq!((&json["upper"], &json["not_found"]), (&1.5.into(), &true.into()));
        assert_eq!(nothing.narrowed(0.68).raw.s.interval.upper, 0.68);

        // Where both together tell something, a synergy of 0 is a finding.
        columns.values[2] = vec![0.5; 50];
        let found = of(&columns);
        assert!(found.information.i1.not_found && !found.information.i12.not_found && !found.raw.s.not_found);
        assert_eq!(found.raw.s.interval.upper, 0.0);
        assert!(serde_json::to_value(found.raw.s).unwrap().get("not_found").is_none());
        assert_eq!(found.narrowed(0.68).raw.s.interval.upper, 0.0);
    }
}
