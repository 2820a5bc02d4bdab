//! Figures over seeds, and paired differences of two methods over the same seeds.
//!
//! Each seed splits the same samples anew, so that figures of two seeds share most of their rows and are not independent:
//! the usual t-test finds differences where there are none. Nadeau and Bengio ("Inference for the generalization error",
//! Machine Learning 52, 2003) correct the variance of the mean over J seeds from `s²/J` to `s² (1/J + n_eval/n_fit)`.

use lsmi_core::statistics::{mean, outside_of_t, quantile_of_t, standard_deviation};
use serde::{Deserialize, Serialize};

use crate::experiments::metrics::Metrics;

/// The share of the intervals.
const LEVEL: f64 = 0.95;

/// The mean over seeds with its 95 % interval, by Student's t with the corrected variance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct OverSeeds {
    /// The mean over seeds.
    pub mean: f64,
    /// The lower end of the interval; none where there is one seed.
    pub lower: Option<f64>,
    /// The upper end of the interval; none where there is one seed.
    pub upper: Option<f64>,
}

/// The difference of two methods, of which both are evaluated for every seed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PairedDifference {
    /// The mean difference with its interval.
    pub difference: OverSeeds,
    /// The two-sided p-value of no difference, by the corrected resampled t-test; none where there is one seed.
    pub p_value: Option<f64>,
    /// The number of seeds with a negative difference: where the figure is a loss, those that the first method wins.
    pub negative: usize,
    /// The number of seeds with a positive difference.
    pub positive: usize,
}

impl OverSeeds {
    /// Of figures one a seed; `ratio` is the number of evaluated rows to that of fitted rows, 0 where seeds share no rows.
    pub(crate) fn of(values: &[f64], ratio: f64) -> Self {
        let centre = mean(values);
        let reach =
            standard_error(values, ratio).map(|error| quantile_of_t(0.5 + LEVEL / 2.0, values.len() - 1) * error);
        Self { mean: centre, lower: reach.map(|reach| centre - reach), upper: reach.map(|reach| centre + reach) }
    }
}

impl PairedDifference {
    /// Of the figures of two methods for the same seeds: those of the first less those of the second.
    pub(crate) fn of(first: &[f64], second: &[f64], ratio: f64) -> Self {
        let differences: Vec<f64> = first.iter().zip(second).map(|(first, second)| first - second).collect();
        let difference = OverSeeds::of(&differences, ratio);
        let p_value = standard_error(&differences, ratio).map(|error| match difference.mean.abs() {
            0.0 => 1.0,
            distance => outside_of_t(distance / error, differences.len() - 1),
        });
        Self {
            difference,
            p_value,
            negative: differences.iter().filter(|difference| **difference < 0.0).count(),
            positive: differences.iter().filter(|difference| **difference > 0.0).count(),
        }
    }
}

/// The figures of one method over seeds: accuracy, log loss and calibration error.
pub(crate) fn metrics_over_seeds(metrics: &[Metrics], ratio: f64) -> [OverSeeds; 3] {
    FIGURES.map(|(figure, _)| OverSeeds::of(&values(metrics, figure), ratio))
}

/// By how much the first of two methods is better for the same seeds, above 0 where it is: by how much its accuracy is higher,
/// its log loss lower and its calibration error lower.
pub(crate) fn paired_metrics(first: &[Metrics], second: &[Metrics], ratio: f64) -> [PairedDifference; 3] {
    FIGURES.map(|(figure, better)| {
        let (first, second) = (values(first, figure), values(second, figure));
        match better {
            Better::Higher => PairedDifference::of(&first, &second, ratio),
            Better::Lower => PairedDifference::of(&second, &first, ratio),
        }
    })
}

/// Whether a figure is to be high or low.
#[derive(Debug, Clone, Copy)]
enum Better {
    Higher,
    Lower,
}

/// A figure of [`Metrics`].
type Figure = fn(&Metrics) -> f64;

/// The figures of [`Metrics`], in their order.
const FIGURES: [(Figure, Better); 3] = [
    (|metrics| metrics.accuracy, Better::Higher),
    (|metrics| metrics.log_loss, Better::Lower),
    (|metrics| metrics.calibration_error, Better::Lower),
];

fn values(metrics: &[Metrics], figure: Figure) -> Vec<f64> {
    metrics.iter().map(figure).collect()
}

/// The corrected standard error of the mean; none for a single value.
fn standard_error(values: &[f64], ratio: f64) -> Option<f64> {
    (values.len() > 1).then(|| standard_deviation(values) * (1.0 / values.len() as f64 + ratio).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_tested_with_the_corrected_variance() {
        let (first, second) = ([1.0, 2.0, 3.0, 4.0], [1.5, 2.0, 4.0, 4.5]);
        let paired = PairedDifference::of(&first, &second, 0.0);
        // Differences -0.5, 0, -1, -0.5: mean -0.5, standard deviation 0.408, standard error 0.204, t = -2.449.
        assert!((paired.difference.mean + 0.5).abs() < 1e-12);
        assert!((paired.p_value.unwrap() - 0.091_75).abs() < 1e-4, "{paired:?}");
        assert_eq!((paired.negative, paired.positive), (3, 0));
        assert!((paired.difference.upper.unwrap() - (-0.5 + 3.182_45 * 0.204_124)).abs() < 1e-4);
        // With a correction of 3/4 the variance of the mean is four times as large.
        let corrected = PairedDifference::of(&first, &second, 0.75);
        assert!((corrected.difference.upper.unwrap() - (-0.5 + 2.0 * 3.182_45 * 0.204_124)).abs() < 1e-4);
    }

    #[test]
    fn a_better_method_has_a_higher_accuracy_and_lower_losses() {
        let of = |accuracy, loss| Metrics { accuracy, log_loss: loss, calibration_error: loss };
        let (first, second) = ([of(0.75, 0.25), of(0.75, 0.5)], [of(0.5, 0.5), of(0.25, 1.0)]);
        let [accuracy, log_loss, calibration] = paired_metrics(&first, &second, 0.0);
        assert_eq!((accuracy.difference.mean, accuracy.positive), (0.375, 2));
        assert_eq!((log_loss.difference.mean, calibration.difference.mean), (0.375, 0.375));
        assert_eq!(metrics_over_seeds(&first, 0.0).map(|figure| figure.mean), [0.75, 0.375, 0.375]);
    }

    #[test]
    fn one_seed_has_no_interval_and_equals_do_not_differ() {
        assert_eq!(OverSeeds::of(&[0.3], 0.4), OverSeeds { mean: 0.3, lower: None, upper: None });
        assert_eq!(PairedDifference::of(&[0.3; 5], &[0.3; 5], 0.4).p_value, Some(1.0));
    }
}
