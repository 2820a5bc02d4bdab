//! Heads in closed form for repeated fits: to a network's own features, epoch after epoch.
//!
//! Discriminant analysis with one covariance for all classes, or one for each where that makes held-out rows clearly more
//! likely, calibrated on these and then fitted to all rows. There is no search and nothing iterates, so a fit takes as long as a
//! few products of the rows with themselves.

use candle_core::Device;

use super::calibration::HeldOutLabels;
use super::rows::Rows;
use super::selection::log_frequencies;
use super::{CalibratedHead, Calibration, GenerativeHead, Head};
use crate::densities::mixture::{Covariance, Sample};
use crate::densities::points::{Points, gather};
use crate::error::{EstimatorError, Result};
use crate::estimator::folds::{LabelledRows, held_out_rows};
use lsmi_core::statistics::{mean, standard_deviation};

/// A covariance for each class is only tried up to this many numbers in them all, and with this many rows a class and
/// column.
const MOST_COVARIANCES: usize = 100_000;
const ROWS_OF_A_COLUMN: usize = 4;

impl CalibratedHead {
    /// Fits a head in closed form to rows `[n, columns]`, row-major, in well-scaled coordinates, with their classes. Where
    /// rows belong together, `groups` has the group of each: it is calibrated by whole groups that it was not fitted to.
    ///
    /// # Errors
    /// [`EstimatorError::Samples`] if the shapes do not fit or a label is no class,
    /// [`EstimatorError::NothingHeldOut`] if no class has two rows.
    ///
    /// ```
    /// use candle_core::Device;
    /// use lsmi_candle::heads::CalibratedHead;
    /// use lsmi_candle::densities::points::Points;
    /// use lsmi_candle::estimator::folds::LabelledRows;
    ///
    /// let rows: Vec<f32> = (0..200).map(|row| (row % 2) as f32 * 4.0 + (row % 7) as f32 / 7.0).collect();
    /// let labels: Vec<u32> = (0..200).map(|row| row % 2).collect();
    /// let head = CalibratedHead::quick(&rows, 1, &LabelledRows { labels: &labels, classes: 2, groups: None }, 0)?;
    /// let posteriors = head.log_posteriors(&Points::new(vec![0.5, 4.5], 1, &Device::Cpu)?)?;
    /// assert!(posteriors[0] > -0.1 && posteriors[3] > -0.1);
    /// # Ok::<(), lsmi_candle::EstimatorError>(())
    /// ```
    pub fn quick(values: &[f32], columns: usize, of: &LabelledRows<'_>, seed: u64) -> Result<Self> {
        let &LabelledRows { labels, classes, groups } = of;
        check(values, columns, labels, classes)?;
        let (kept, held) = held_out_rows(of, seed);
        if held.is_empty() {
            return Err(EstimatorError::NothingHeldOut { rows: labels.len(), classes });
        }
        let of = |rows: &[usize]| rows.iter().map(|row| labels[*row]).collect::<Vec<u32>>();
        let (kept_labels, held_labels) = (of(&kept), of(&held));
        let held_groups: Option<Vec<u32>> = groups.map(|groups| held.iter().map(|row| groups[*row]).collect());
        let sample = Sample::new(gather(values, columns, &kept), columns, &Device::Cpu)?;
        let held = Points::new(gather(values, columns, &held), columns, &Device::Cpu)?;
        let log_frequencies = log_frequencies(labels, classes);
        let fit = |sample: &Sample, labels: &[u32], covariance| {
            GenerativeHead::discriminant(&Rows { sample, labels, classes }, covariance)
        };

        let judge = |covariance| -> Result<(Calibration, Vec<f64>)> {
            let mut posteriors = fit(&sample, &kept_labels, covariance)?.log_posteriors(&held)?;
            let calibration = Calibration::fit(
                &log_frequencies,
                &posteriors,
                HeldOutLabels { labels: &held_labels, groups: held_groups.as_deref() },
                labels.len(),
            );
            calibration.apply(&mut posteriors);
            let rows = posteriors.chunks_exact(classes).zip(&held_labels);
            Ok((calibration, rows.map(|(row, label)| row[*label as usize]).collect()))
        };

        let (mut covariance, (mut calibration, of_tied)) = (Covariance::Tied, judge(Covariance::Tied)?);
        let numbers = classes * columns * columns;
        if numbers <= MOST_COVARIANCES && labels.len() >= ROWS_OF_A_COLUMN * classes * columns {
            let (of_full_calibration, of_full) = judge(Covariance::Full)?;
            let gains: Vec<f64> = of_full.iter().zip(&of_tied).map(|(full, tied)| full - tied).collect();
            // By chance every second one of the larger rules gains, and every fortieth by two standard errors.
            let error = standard_deviation(&gains) / (gains.len() as f64).sqrt();
            if mean(&gains) > 2.0 * error {
                (covariance, calibration) = (Covariance::Full, of_full_calibration);
            }
        }
        let sample = Sample::new(values.to_vec(), columns, &Device::Cpu)?;
        Ok(Self { head: Head::Generative(fit(&sample, labels, covariance)?), calibration })
    }
}

fn check(values: &[f32], columns: usize, labels: &[u32], classes: usize) -> Result<()> {
    let wrong = |what, found: String, expected| Err(EstimatorError::Samples { what, found, expected });
    if columns == 0 || values.len() != labels.len() * columns {
        let expected = format!("{columns}, at least 1, for each of {} labels", labels.len());
        return wrong("the number of values", values.len().to_string(), expected);
    }
    match labels.iter().find(|label| **label as usize >= classes) {
        Some(label) => wrong("a label", label.to_string(), format!("below the number of classes, {classes}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heads::calibration::log_loss;
    use lsmi_core::families::{FamilyName, Settings};
    use lsmi_core::random::stream;

    fn apart(labels: &[u32]) -> LabelledRows<'_> {
        LabelledRows { labels, classes: 2, groups: None }
    }

    fn joint(name: FamilyName, rows: usize, seed: u64) -> (Vec<f32>, Vec<u32>, f64) {
        let family = name.build(&Settings { dims: 3, classes: 2, ..Settings::default() }).unwrap();
        let draw = family.sample(rows, &mut stream(seed, "quick heads"));
        let exact = family.terms(&draw).unwrap().i12;
        let pairs = draw.x1.chunks_exact(3).zip(draw.x2.chunks_exact(3));
        let values = pairs.flat_map(|(x1, x2)| crate::densities::points::single(&[x1, x2].concat())).collect();
        (values, draw.labels, 2.0f64.ln() - exact.iter().sum::<f64>() / rows as f64)
    }

    #[test]
    fn either_covariance_is_chosen_where_it_fits() {
        // Two normal classes of one covariance, and an exclusive or, whose classes differ in their covariance alone.
        for name in [FamilyName::Gauss, FamilyName::Xor] {
            let (values, labels, _) = joint(name, 2000, 0);
            let head = CalibratedHead::quick(&values, 6, &apart(&labels), 0).unwrap();
            let (values, labels, truth) = joint(name, 2000, 1);
            let posteriors = head.log_posteriors(&Points::new(values, 6, &Device::Cpu).unwrap()).unwrap();
            let loss = log_loss(&posteriors, &labels);
            // A quadratic rule is not quite right for the four clusters of the exclusive or.
            assert!(loss < truth + 0.1, "{name:?}: {loss} against {truth}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (values, columns, labels) in [(3, 2, vec![0, 1]), (4, 0, vec![0, 1]), (4, 2, vec![0, 2])] {
            let error = CalibratedHead::quick(&vec![0.0; values], columns, &apart(&labels), 0).unwrap_err();
            assert!(matches!(error, EstimatorError::Samples { .. }), "{error}");
        }
        let error = CalibratedHead::quick(&[0.0, 1.0], 1, &apart(&[0, 1]), 0).unwrap_err();
        assert!(matches!(error, EstimatorError::NothingHeldOut { rows: 2, classes: 2 }));
    }
}
