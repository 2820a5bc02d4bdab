//! How good posterior probabilities are: accuracy, log loss and calibration.

use lsmi_core::statistics::{expected_calibration_error, mean};
use serde::{Deserialize, Serialize};

/// Bins of equal count of the expected calibration error.
pub const CALIBRATION_BINS: usize = 15;

/// The figures of one method on one set of samples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// The share of samples whose class is found most probable.
    pub accuracy: f64,
    /// Mean negative log-probability of the label, in nats.
    pub log_loss: f64,
    /// Expected calibration error: how far confidence and accuracy lie apart, on average over
    /// [`CALIBRATION_BINS`] bins of equal count (Guo et al., ICML 2017).
    pub calibration_error: f64,
}

impl Metrics {
    /// Computes the figures of log-probabilities `[n, K]`, row-major, against labels. NaN where there are no samples.
    ///
    /// ```
    /// use lsmi_guide::experiments::ensemble::Metrics;
    ///
    /// let half = 0.5_f64.ln();
    /// let metrics = Metrics::of(&[half, half, 0.9_f64.ln(), 0.1_f64.ln()], &[1, 0], 2);
    /// assert_eq!(metrics.accuracy, 0.5); // of equals the first class counts as predicted
    /// assert!((metrics.log_loss - (0.5_f64.ln() + 0.9_f64.ln()) / -2.0).abs() < 1e-12);
    /// ```
    pub fn of(log_probabilities: &[f64], labels: &[u32], classes: usize) -> Self {
        let mut is_right = Vec::with_capacity(labels.len());
        let mut confidences = Vec::with_capacity(labels.len());
        for (row, label) in log_probabilities.chunks_exact(classes).zip(labels) {
            let (prediction, confidence) = most_probable(row);
            is_right.push(prediction == *label as usize);
            confidences.push(confidence.exp().min(1.0));
        }
        let right = is_right.iter().filter(|is_right| **is_right).count();
        Self {
            accuracy: right as f64 / labels.len() as f64,
            log_loss: mean(&losses(log_probabilities, labels, classes)),
            calibration_error: expected_calibration_error(&confidences, &is_right, CALIBRATION_BINS)
                .unwrap_or(f64::NAN),
        }
    }
}

/// The negative log-probability of every label, in nats.
pub(crate) fn losses(log_probabilities: &[f64], labels: &[u32], classes: usize) -> Vec<f64> {
    log_probabilities.chunks_exact(classes).zip(labels).map(|(row, label)| -row[*label as usize]).collect()
}

/// The class of the largest value, the first of equals, and the value.
pub(crate) fn most_probable(row: &[f64]) -> (usize, f64) {
    let first = (0, f64::NEG_INFINITY);
    row.iter().copied().enumerate().fold(first, |best, found| if found.1 > best.1 { found } else { best })
}
