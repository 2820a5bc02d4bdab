//! Bootstrap intervals of results that are estimated from samples.
//!
//! As many samples as there are get drawn anew from the shares of the outcomes, with replacement, and everything is
//! computed again; the middle share `level` of the results is the interval (Efron and Tibshirani, "An Introduction to the
//! Bootstrap", 1993, section 13.3). The counts of a resample are drawn outcome by outcome, each binomial given those
//! before, so that the cost does not depend on how many samples there are.
//!
//! A resample has fewer different outcomes than its source, so that the bias of few samples comes in a second time.
//! Intervals of few samples are therefore too high where informations are (see [`bias`](super::bias)), and so much so that
//! the estimate can be below its interval: then there are too few samples for so many states.

use rand::distr::Distribution;
use rand_distr::Binomial;

use super::{bias::Bias, counts::Counts, error::Result, measures::JointMeasure};
use crate::{
    random::ChaCha8Rng,
    statistics::{Bootstrap, Interval, standard_deviation},
};

/// Intervals of informations and components, in nats. `mean` is the estimate from the samples themselves, and the
/// standard error is the standard deviation over resamples.
#[derive(Debug, Clone, PartialEq)]
pub struct Intervals {
    /// Intervals of i1, i2 and i12.
    pub information: [Interval; 3],
    /// Intervals of the mean r, u1, u2 and s under each measure, in the order in which the measures were given.
    pub measures: Vec<(JointMeasure, [Interval; 4])>,
}

impl Counts<2> {
    /// Computes intervals of the results of [`Counts::decompose`] for the same measures and the same correction.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`](super::Error::Parameter) if there are no resamples or the level is not between 0 and 1, and the
    /// errors of [`Counts::decompose`].
    ///
    /// ```
    /// use lsmi_core::discrete::{Bias, Counts, JointMeasure};
    /// use lsmi_core::{random::stream, statistics::Bootstrap};
    ///
    /// let counts = Counts::from_counts([(["0", "0"], "0", 80), (["1", "1"], "1", 60), (["0", "1"], "1", 40)])?;
    /// let bootstrap = Bootstrap { resamples: 200, level: 0.95 };
    /// let intervals = counts.intervals(&[JointMeasure::Mmi], Bias::PlugIn, &bootstrap, &mut stream(0, "example"))?;
    /// let i1 = intervals.information[0];
    /// assert!(i1.lower < i1.mean && i1.mean < i1.upper);
    /// # Ok::<(), lsmi_core::discrete::Error>(())
    /// ```
    pub fn intervals(
        &self,
        measures: &[JointMeasure],
        bias: Bias,
        bootstrap: &Bootstrap,
        rng: &mut ChaCha8Rng,
    ) -> Result<Intervals> {
        bootstrap.check_settings()?;
        let own = self.values(measures, bias)?;
        let mut resampled = vec![Vec::with_capacity(bootstrap.resamples); own.len()];
        for _ in 0..bootstrap.resamples {
            let values = self.resample(rng).values(measures, bias)?;
            resampled.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
        }
        let interval = |column: usize| {
            let (lower, upper) = bootstrap.ends(&resampled[column]);
            let error = standard_deviation(&resampled[column]);
            Interval { mean: own[column], standard_error: error.is_finite().then_some(error), lower, upper }
        };
        let measure_intervals = |(place, &measure): (usize, &JointMeasure)| {
            (measure, std::array::from_fn(|component| interval(3 + 4 * place + component)))
        };
        Ok(Intervals {
            information: std::array::from_fn(interval),
            measures: measures.iter().enumerate().map(measure_intervals).collect(),
        })
    }

    /// Returns i1, i2 and i12, then r, u1, u2 and s of every measure.
    fn values(&self, measures: &[JointMeasure], bias: Bias) -> Result<Vec<f64>> {
        let estimate = self.decompose(measures, bias)?;
        let information = estimate.information;
        let mut values = vec![information.i1, information.i2, information.i12];
        for (_, parts) in &estimate.decompositions {
            let means = parts.means;
            values.extend([means.r, means.u1, means.u2, means.s]);
        }
        Ok(values)
    }
}

impl<const SOURCES: usize> Counts<SOURCES> {
    /// Draws as many samples anew.
    fn resample(&self, rng: &mut ChaCha8Rng) -> Self {
        let (mut draws, mut rest) = (self.total(), self.total());
        let counts: Vec<u64> = self
            .counts()
            .iter()
            .map(|&count| {
                // The last outcome takes what is left; a share is never above 1.
                let share = count as f64 / rest as f64;
                let drawn = Binomial::new(draws, share.min(1.0)).map_or(0, |binomial| binomial.sample(rng));
                draws -= drawn;
                rest -= count;
                drawn
            })
            .collect();
        self.with_counts(&counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::stream;

    #[test]
    fn resamples_are_multinomial() {
        let counts =
            Counts::from_counts([(["0", "0"], "0", 500), (["0", "1"], "1", 300), (["1", "1"], "1", 200)]).unwrap();
        let mut rng = stream(0, "resamples test");
        let draws: Vec<Counts> = (0..4000).map(|_| counts.resample(&mut rng)).collect();
        let column = |place: usize| draws.iter().map(|draw| draw.counts()[place] as f64).collect::<Vec<_>>();
        for (place, share) in [0.5, 0.3, 0.2].into_iter().enumerate() {
            let values = column(place);
            let (mean, deviation) = (crate::statistics::mean(&values), standard_deviation(&values));
            let expected = (1000.0 * share * (1.0_f64 - share)).sqrt();
            // Five standard errors of the mean, and of the deviation.
            assert!((mean - 1000.0 * share).abs() < 5.0 * expected / 4000.0_f64.sqrt(), "{mean}");
            assert!((deviation / expected - 1.0).abs() < 5.0 / 8000.0_f64.sqrt(), "{deviation}");
        }
        assert!(draws.iter().all(|draw| draw.counts().iter().sum::<u64>() == 1000));
    }
}
