//! A few samples that stand for many: which to label first.
//!
//! Candidates are samples without labels, for example those of high expected synergy (`lsmi score --label-free`). Those of
//! highest synergy may all be alike, so of the candidates a few are chosen that lie far apart, or near all others, in a space
//! of features: one of the modalities, both, or the interactions themselves.

use lsmi_candle::numbers::matrix::Matrix;
use serde::{Deserialize, Serialize};

use crate::PartitionError;

/// What the chosen samples are to be good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Criterion {
    /// No candidate is far from the nearest chosen sample: each choice is the candidate farthest from all chosen so far.
    ///
    /// The farthest distance that remains is at most twice the least possible (Gonzalez 1985). Sener and Savarese, "Active
    /// Learning for Convolutional Neural Networks: A Core-Set Approach" (ICLR 2018), choose what to label so. Outliers are
    /// chosen early. Takes time in proportion to candidates times choices.
    #[default]
    KCenter,
    /// Candidates are near the nearest chosen sample on average: each choice lowers the sum of these distances most.
    ///
    /// The greedy solution of the facility location problem, within 1 - 1/e of the greatest reduction (Nemhauser, Wolsey and
    /// Fisher 1978). Outliers are chosen late. Takes time in proportion to the square of the candidates times choices.
    FacilityLocation,
}

/// Chooses `count` of the `candidates`, rows of `features`, given that the rows `labelled` have been chosen before; in the
/// order of the choice.
///
/// Distances are Euclidean, so columns of different scale are best standardised first. Where nothing is labelled, the first
/// choice is the candidate nearest to the mean of the candidates. Of equals the candidate listed first is chosen, and
/// candidates that are labelled already, or listed twice, are chosen once at most: where fewer than `count` are left, all
/// are.
///
/// # Errors
///
/// [`PartitionError::Empty`] without candidates, [`PartitionError::Row`] for a row that `features` lack,
/// [`PartitionError::NonFinite`] for a feature that is not finite.
///
/// # Example
///
/// ```
/// use lsmi_candle::numbers::matrix::Matrix;
/// use lsmi_guide::{Criterion, Rule, diverse, partition};
///
/// // Of the half with the highest expected synergy, rows 0, 1 and 4, two lie close together.
/// let synergy = [0.9, 0.8, 0.0, 0.1, 0.7, 0.2];
/// let features = Matrix::new(6, 1, vec![0.0, 0.1, 9.0, 8.0, 5.0, 7.0])?;
/// let high = partition(&synergy, None, &Rule::Fraction(0.5))?.high;
/// assert_eq!(diverse(&features, &high, &[], 2, Criterion::KCenter)?, [1, 4]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn diverse(
    features: &Matrix,
    candidates: &[usize],
    labelled: &[usize],
    count: usize,
    criterion: Criterion,
) -> Result<Vec<usize>, PartitionError> {
    check(features, candidates, labelled)?;
    let mut is_taken = vec![false; features.rows()];
    for row in labelled {
        is_taken[*row] = true;
    }
    let is_new = |row: &usize| !std::mem::replace(&mut is_taken[*row], true);
    let rows: Vec<usize> = candidates.iter().copied().filter(is_new).collect();
    let mut left: Vec<usize> = (0..rows.len()).collect();
    let mut search = Search { features, nearest: vec![f64::INFINITY; rows.len()], rows };
    for row in labelled {
        search.choose(*row);
    }

    let mut chosen = Vec::with_capacity(count.min(left.len()));
    while chosen.len() < count && !left.is_empty() {
        let values: Vec<f64> = match criterion {
            Criterion::KCenter if chosen.is_empty() && labelled.is_empty() => search.nearness_to_mean(),
            Criterion::KCenter => left.iter().map(|place| search.nearest[*place]).collect(),
            Criterion::FacilityLocation => left.iter().map(|place| -search.total_with(*place)).collect(),
        };
        let row = search.rows[left.remove(first_of_largest(&values))];
        search.choose(row);
        chosen.push(row);
    }
    Ok(chosen)
}

fn check(features: &Matrix, candidates: &[usize], labelled: &[usize]) -> Result<(), PartitionError> {
    if candidates.is_empty() {
        return Err(PartitionError::Empty);
    }
    if let Some(row) = candidates.iter().chain(labelled).find(|row| **row >= features.rows()) {
        return Err(PartitionError::Row { found: *row, rows: features.rows() });
    }
    for row in candidates.iter().chain(labelled) {
        if let Some(found) = features.row(*row).iter().find(|value| !value.is_finite()) {
            return Err(PartitionError::NonFinite { index: *row, found: *found });
        }
    }
    Ok(())
}

/// The candidates and how far each is from the nearest chosen sample.
struct Search<'a> {
    features: &'a Matrix,
    /// All candidates, in their order.
    rows: Vec<usize>,
    nearest: Vec<f64>,
}

impl Search<'_> {
    fn distance(&self, a: usize, b: usize) -> f64 {
        let squares = self.features.row(a).iter().zip(self.features.row(b)).map(|(a, b)| (a - b).powi(2));
        squares.sum::<f64>().sqrt()
    }

    fn choose(&mut self, row: usize) {
        for place in 0..self.rows.len() {
            self.nearest[place] = self.nearest[place].min(self.distance(self.rows[place], row));
        }
    }

    /// Minus the squared distance of every candidate from the mean of the candidates.
    fn nearness_to_mean(&self) -> Vec<f64> {
        let mut mean = vec![0.0; self.features.columns()];
        for row in &self.rows {
            for (sum, value) in mean.iter_mut().zip(self.features.row(*row)) {
                *sum += value / self.rows.len() as f64;
            }
        }
        let from_mean = |row: &usize| -> f64 {
            self.features.row(*row).iter().zip(&mean).map(|(value, mean)| (value - mean).powi(2)).sum()
        };
        self.rows.iter().map(|row| -from_mean(row)).collect()
    }

    /// The sum of the distances of all candidates from the nearest chosen sample, if this one is chosen, too.
    fn total_with(&self, place: usize) -> f64 {
        let distance = |other: &usize| self.distance(*other, self.rows[place]);
        self.rows.iter().zip(&self.nearest).map(|(other, nearest)| nearest.min(distance(other))).sum()
    }
}

fn first_of_largest(values: &[f64]) -> usize {
    let first = (0, f64::NEG_INFINITY);
    values.iter().copied().enumerate().fold(first, |best, found| if found.1 > best.1 { found } else { best }).0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(values: &[f64]) -> Matrix {
        Matrix::new(values.len(), 1, values.to_vec()).unwrap()
    }

    #[test]
    fn centres_lie_as_far_apart_as_they_can() {
        let features = line(&[0.0, 1.0, 2.0, 3.0, 10.0]);
        let all = [0, 1, 2, 3, 4];
        // The mean is 3.2; from 3 the farthest is 10, then 0, then the first of the equals 1 and 2.
        assert_eq!(diverse(&features, &all, &[], 4, Criterion::KCenter).unwrap(), [3, 4, 0, 1]);
        assert_eq!(diverse(&features, &all, &[0], 2, Criterion::KCenter).unwrap(), [4, 3]);
    }

    #[test]
    fn facilities_lie_where_the_candidates_are() {
        let features = line(&[0.0, 1.0, 2.0, 3.0, 10.0]);
        let all = [0, 1, 2, 3, 4];
        // The median first, then the one far off.
        assert_eq!(diverse(&features, &all, &[], 2, Criterion::FacilityLocation).unwrap(), [2, 4]);
        // Two groups of which one is labelled: the middle of the other, though its end is farther.
        let features = line(&[0.0, 5.0, 6.0, 7.0]);
        assert_eq!(diverse(&features, &[1, 2, 3], &[0], 1, Criterion::FacilityLocation).unwrap(), [2]);
        assert_eq!(diverse(&features, &[1, 2, 3], &[0], 1, Criterion::KCenter).unwrap(), [3]);
    }

    #[test]
    fn nobody_is_chosen_twice() {
        let features = line(&[0.0, 1.0, 2.0]);
        for criterion in [Criterion::KCenter, Criterion::FacilityLocation] {
            let mut chosen = diverse(&features, &[2, 2, 0, 1], &[1], 9, criterion).unwrap();
            chosen.sort_unstable();
            assert_eq!(chosen, [0, 2]);
        }
    }

    #[test]
    fn rows_that_cannot_be_chosen_are_named() {
        let features = line(&[0.0, f64::NAN]);
        let choose = |candidates: &[usize]| diverse(&features, candidates, &[], 1, Criterion::KCenter).unwrap_err();
        assert!(matches!(choose(&[]), PartitionError::Empty));
        assert!(matches!(choose(&[0, 2]), PartitionError::Row { found: 2, rows: 2 }));
        assert!(matches!(choose(&[0, 1]), PartitionError::NonFinite { index: 1, .. }));
    }
}
