//! How well a ranking finds what was planted: average precision, and precision and recall at a number of samples.

/// The order of samples from the highest score to the lowest; of equal scores the first in the input comes first.
pub(crate) fn descending(scores: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    // The sort is stable; adding zero makes -0 equal to 0.
    order.sort_by(|&a, &b| (scores[b] + 0.0).total_cmp(&(scores[a] + 0.0)));
    order
}

/// Computes the area under the precision-recall curve as average precision: the mean, over the samples that are to be found, of the
/// precision at the rank where each is found. Samples of equal score are found at one rank together.
///
/// None where there is nothing to find, the lengths differ or a score is NaN.
///
/// ```
/// use lsmi_guide::experiments::clean::average_precision;
///
/// // Found at ranks 1 and 3, where the precision is 1 and 2/3.
/// let found = average_precision(&[0.9, 0.8, 0.7, 0.1], &[true, false, true, false]).unwrap();
/// assert!((found - 5.0 / 6.0).abs() < 1e-12);
/// assert_eq!(average_precision(&[0.9], &[false]), None);
/// ```
pub fn average_precision(scores: &[f64], is_planted: &[bool]) -> Option<f64> {
    if scores.len() != is_planted.len() || scores.iter().any(|score| score.is_nan()) {
        return None;
    }
    let (mut area, mut hits, mut rank) = (0.0, 0, 0);
    for tied in descending(scores).chunk_by(|&a, &b| scores[a] == scores[b]) {
        let found = tied.iter().filter(|&&row| is_planted[row]).count();
        hits += found;
        rank += tied.len();
        area += found as f64 * hits as f64 / rank as f64;
    }
    (hits > 0).then(|| area / hits as f64)
}

/// Computes the share of the `count` highest scores that was planted. Where as many were planted, it is precision and recall alike.
///
/// None for a count of zero or of more than there are, or where the lengths differ.
///
/// ```
/// use lsmi_guide::experiments::clean::precision_at;
///
/// assert_eq!(precision_at(&[0.9, 0.8, 0.7, 0.1], &[true, false, true, false], 2), Some(0.5));
/// ```
pub fn precision_at(scores: &[f64], is_planted: &[bool], count: usize) -> Option<f64> {
    if scores.len() != is_planted.len() || count == 0 || count > scores.len() {
        return None;
    }
    let hits = descending(scores)[..count].iter().filter(|&&row| is_planted[row]).count();
    Some(hits as f64 / count as f64)
}

/// Computes the share of what was planted that is among the `count` highest scores.
///
/// None for a count of zero, where nothing was planted or the lengths differ. A count of more than there are is all of them.
///
/// ```
/// use lsmi_guide::experiments::clean::recall_at;
///
/// assert_eq!(recall_at(&[0.9, 0.8, 0.7, 0.1], &[true, false, true, false], 3), Some(1.0));
/// ```
pub fn recall_at(scores: &[f64], is_planted: &[bool], count: usize) -> Option<f64> {
    let planted = is_planted.iter().filter(|planted| **planted).count();
    let count = count.min(scores.len());
    let precision = precision_at(scores, is_planted, count)?;
    (planted > 0).then(|| precision * count as f64 / planted as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ties_are_found_together() {
        // One of four tied samples: its precision is that of all four, whatever their order.
        for planted in 0..4 {
            let is_planted: Vec<bool> = (0..4).map(|row| row == planted).collect();
            assert_eq!(average_precision(&[1.0; 4], &is_planted), Some(0.25));
        }
        assert_eq!(average_precision(&[0.0, -0.0], &[false, true]), Some(0.5));
    }

    #[test]
    fn what_has_no_precision() {
        assert_eq!(average_precision(&[1.0], &[]), None);
        assert_eq!(average_precision(&[f64::NAN], &[true]), None);
        assert_eq!(precision_at(&[1.0], &[true], 0), None);
        assert_eq!(precision_at(&[1.0], &[true], 2), None);
        assert_eq!(recall_at(&[1.0], &[false], 1), None);
        assert_eq!(recall_at(&[1.0], &[true], 2), Some(1.0));
    }

    proptest! {
        #[test]
        fn a_perfect_ranking_has_all_the_area(is_planted in prop::collection::vec(any::<bool>(), 1..40)) {
            let scores: Vec<f64> = is_planted.iter().map(|planted| f64::from(u8::from(*planted))).collect();
            let planted = is_planted.iter().filter(|planted| **planted).count();
            prop_assert_eq!(average_precision(&scores, &is_planted), (planted > 0).then_some(1.0));
            prop_assert_eq!(precision_at(&scores, &is_planted, planted), (planted > 0).then_some(1.0));
        }
    }
}
