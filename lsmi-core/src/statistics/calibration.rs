//! The calibration of a classifier: whether it is right as often as it claims.
//!
//! Pointwise information is the logarithm of what a head says, so that a head which is too sure of itself, or not sure
//! enough, puts its error into every component one to one.
//!
//! Predictions are put into bins by their confidence, each bin with the same number of predictions: Nixon, Dusenberry,
//! Jerfel, Nguyen, Liu, Zhang and Tran, "Measuring Calibration in Deep Learning" (CVPR workshops, 2019) call these
//! bins adaptive. Bins of the same width, the older choice, leave most of their number empty where a head is sure of
//! nearly all, and judge the rest by few predictions.

use serde::{Deserialize, Serialize};

/// The confidence and accuracy of a bin of predictions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// The number of predictions in the bin.
    pub count: usize,
    /// The mean confidence: the share of the predictions that should be right.
    pub confidence: f64,
    /// The share of the predictions that is right.
    pub accuracy: f64,
}

/// The table behind a reliability diagram.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reliability {
    /// The mean over all predictions of the distance between the accuracy and the mean confidence of their bin.
    pub expected_calibration_error: f64,
    /// The bins, by rising confidence; none is empty.
    pub bins: Vec<ReliabilityBin>,
}

/// Returns the reliability of predictions, given for each its confidence (the probability of the predicted class) and
/// whether it is right.
///
/// Sorted by confidence, the k-th of n predictions falls into bin `k bins / n`, rounded down, all from 0. Predictions
/// of equal confidence go together into the bin of the middle one of them, so that the order of the rows is of no
/// matter; bins that are left empty by this, or because there are more bins than predictions, are left out. The
/// expected calibration error is
///
/// ```text
/// sum over bins b of  n_b / n * |accuracy_b - confidence_b|
/// ```
///
/// It is above 0 by chance even for a perfect head, the more so the smaller the bins: compare it with what predictions
/// that are right with the probability of their confidence give.
///
/// Returns `None` for arrays of different lengths, no predictions, no bins, or a confidence outside [0, 1].
///
/// ```
/// use lsmi_core::statistics::reliability;
///
/// let table = reliability(&[0.5, 0.75, 0.5, 1.0], &[true, true, false, false], 2).unwrap();
/// assert_eq!((table.bins[0].confidence, table.bins[0].accuracy), (0.5, 0.5));
/// assert_eq!((table.bins[1].confidence, table.bins[1].accuracy), (0.875, 0.5));
/// assert_eq!(table.expected_calibration_error, 0.1875);
/// ```
pub fn reliability(confidences: &[f64], is_right: &[bool], bins: usize) -> Option<Reliability> {
    let n = confidences.len();
    let all_probabilities = confidences.iter().all(|confidence| (0.0..=1.0).contains(confidence));
    if n != is_right.len() || n == 0 || bins == 0 || !all_probabilities {
        return None;
    }
    let mut rows: Vec<usize> = (0..n).collect();
    let by_confidence = |a: usize, b: usize| (confidences[a] + 0.0).total_cmp(&(confidences[b] + 0.0));
    rows.sort_by(|&a, &b| by_confidence(a, b));

    // The rows of each bin that is not empty, as the bin and where its rows end.
    let mut ends: Vec<(usize, usize)> = Vec::new();
    let mut begin = 0;
    for tied in rows.chunk_by(|&a, &b| by_confidence(a, b).is_eq()) {
        let middle = begin + (tied.len() - 1) / 2;
        begin += tied.len();
        // In 128 bits, since there may be as many bins as one likes.
        let bin = (middle as u128 * bins as u128 / n as u128) as usize;
        match ends.last_mut() {
            Some(last) if last.0 == bin => last.1 = begin,
            _ => ends.push((bin, begin)),
        }
    }

    let mut table = Vec::with_capacity(ends.len());
    let mut begin = 0;
    for (_, end) in ends {
        let inside = &rows[begin..end];
        let count = inside.len();
        let right = inside.iter().filter(|&&row| is_right[row]).count();
        let confidence = inside.iter().map(|&row| confidences[row]).sum::<f64>() / count as f64;
        table.push(ReliabilityBin { count, confidence, accuracy: right as f64 / count as f64 });
        begin = end;
    }
    let distance = |bin: &ReliabilityBin| bin.count as f64 / n as f64 * (bin.accuracy - bin.confidence).abs();
    Some(Reliability { expected_calibration_error: table.iter().map(distance).sum(), bins: table })
}

/// Returns the expected calibration error alone, see [`reliability`].
///
/// ```
/// use lsmi_core::statistics::expected_calibration_error;
///
/// assert_eq!(expected_calibration_error(&[0.75, 0.75], &[true, false], 10), Some(0.25));
/// ```
pub fn expected_calibration_error(confidences: &[f64], is_right: &[bool], bins: usize) -> Option<f64> {
    reliability(confidences, is_right, bins).map(|table| table.expected_calibration_error)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::Rng;

    use super::*;
    use crate::random::stream;

    #[test]
    fn bins_have_equal_counts_and_no_tie_is_cut() {
        let confidences: Vec<f64> = (0..10).map(|k| f64::from(k) / 10.0).collect();
        let counts = |confidences: &[f64], bins| -> Vec<usize> {
            reliability(confidences, &vec![true; confidences.len()], bins)
                .unwrap()
                .bins
                .iter()
                .map(|b| b.count)
                .collect()
        };
        assert_eq!(counts(&confidences, 5), [2; 5]);
        assert_eq!(counts(&confidences, 4), [3, 2, 3, 2]);
        assert_eq!(counts(&confidences, 1), [10]);
        assert_eq!(counts(&confidences, usize::MAX), [1; 10]);
        // The middle one of the three is the third of all, in the second bin.
        assert_eq!(counts(&[0.5, 1.0, 1.0, 1.0], 2), [1, 3]);
        assert_eq!(counts(&[1.0; 7], 3), [7]);
    }

    #[test]
    fn what_has_no_calibration() {
        assert_eq!(reliability(&[], &[], 10), None);
        assert_eq!(reliability(&[0.5], &[], 10), None);
        assert_eq!(reliability(&[0.5], &[true], 0), None);
        for confidence in [-0.1, 1.1, f64::NAN] {
            assert_eq!(expected_calibration_error(&[confidence], &[true], 10), None);
        }
    }

    /// Heads of known miscalibration. A bin of 1,333 predictions has an accuracy with a standard error of at most
    /// 0.0137. For a calibrated head the mean distance is then at most 0.011, give or take 0.002; where all bins err
    /// on one side their distances average to the accuracy of all, whose standard error is 0.0035. Tolerances are four
    /// of these.
    #[test]
    fn a_head_errs_by_what_it_is_too_sure_of() {
        let mut rng = stream(0, "calibration test");
        let mut error_of = |excess: f64| {
            let confidences: Vec<f64> = (0..20_000).map(|_| rng.random_range(0.5..0.8)).collect();
            let is_right: Vec<bool> = confidences.iter().map(|p| rng.random::<f64>() < p - excess).collect();
            expected_calibration_error(&confidences, &is_right, 15).unwrap()
        };
        assert!(error_of(0.0) < 0.02);
        assert!((error_of(0.1) - 0.1).abs() < 0.014);
        assert!((error_of(-0.15) - 0.15).abs() < 0.014);
    }

    proptest! {
        #[test]
        fn the_order_of_the_rows_is_of_no_matter(
            rows in prop::collection::vec((0..8_u8, any::<bool>()), 1..40),
            bins in 1..12_usize,
        ) {
            let table = |rows: &[(u8, bool)]| {
                let confidences: Vec<f64> = rows.iter().map(|row| f64::from(row.0) / 8.0).collect();
                let is_right: Vec<bool> = rows.iter().map(|row| row.1).collect();
                reliability(&confidences, &is_right, bins).unwrap()
            };
            let found = table(&rows);
            let mut sorted = rows.clone();
            sorted.sort_unstable_by(|a, b| b.cmp(a));
            // Sums of eighths are exact in any order.
            prop_assert_eq!(&found, &table(&sorted));
            prop_assert_eq!(found.bins.iter().map(|bin| bin.count).sum::<usize>(), rows.len());
            prop_assert!(found.bins.len() <= bins && found.bins.is_sorted_by(|a, b| a.confidence < b.confidence));
        }
    }
}
