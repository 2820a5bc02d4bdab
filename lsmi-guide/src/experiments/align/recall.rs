//! Recall at k: how often a right answer is among the k candidates that are most similar to a query.
//!
//! The right answer to the x1 of a row is its x2 and the reverse. Where two rows have the same x1 or the same x2, nothing could
//! tell which of their partners is meant, so that such rows count as right answers of each other.
//!
//! Candidates of equal similarity stand in no order. A query counts with the probability that a right answer is among the first k
//! if equals are shuffled: were all vectors the same, recall would be that of guessing.

use std::cmp::Ordering;

use lsmi_candle::numbers::matrix::Matrix;

use super::vectors::{Vectors, product};

/// The k of recall at k.
pub(super) const DEPTHS: [usize; 3] = [1, 5, 10];

/// Which rows are right answers of each other.
#[derive(Debug)]
pub(super) struct Answers([Vec<usize>; 2]);

impl Answers {
    pub(super) fn of(x1: &Matrix, x2: &Matrix) -> Self {
        Self([x1, x2].map(numbered))
    }

    fn is_right(&self, query: usize, candidate: usize) -> bool {
        self.0.iter().any(|numbers| numbers[query] == numbers[candidate])
    }

    /// How many rows have an answer beside their own.
    pub(super) fn shared(&self) -> usize {
        let rows = self.0[0].len();
        (0..rows).filter(|row| (0..rows).any(|other| other != *row && self.is_right(*row, other))).count()
    }
}

/// A number for every row, the same for rows of the same values.
fn numbered(matrix: &Matrix) -> Vec<usize> {
    let compare = |first: usize, second: usize| {
        let values = matrix.row(first).iter().zip(matrix.row(second));
        // Adding zero makes -0 equal to 0.
        let orders = values.map(|(first, second)| (first + 0.0).total_cmp(&(second + 0.0)));
        orders.fold(Ordering::Equal, Ordering::then)
    };
    let mut order: Vec<usize> = (0..matrix.rows()).collect();
    order.sort_by(|first, second| compare(*first, *second));
    let mut numbers = vec![0; matrix.rows()];
    for pair in order.windows(2) {
        let is_new = compare(pair[0], pair[1]) != Ordering::Equal;
        numbers[pair[1]] = numbers[pair[0]] + usize::from(is_new);
    }
    numbers
}

/// Recall at each of [`DEPTHS`]; row i of queries and candidates is the same sample.
pub(super) fn recall(queries: &Vectors, candidates: &Vectors, answers: &Answers) -> [f64; 3] {
    let mut sums = [0.0; 3];
    let mut rows = 0;
    for (query, vector) in queries.rows().enumerate() {
        let similarities: Vec<f32> = candidates.rows().map(|candidate| product(vector, candidate)).collect();
        let place = Place::of(&similarities, |candidate| answers.is_right(query, candidate));
        for (sum, depth) in sums.iter_mut().zip(DEPTHS) {
            *sum += place.found_within(depth);
        }
        rows += 1;
    }
    sums.map(|sum| sum / f64::from(rows))
}

/// Where the most similar of the right answers to a query stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    /// Wrong candidates that are more similar.
    before: usize,
    /// Wrong candidates that are as similar.
    wrong: usize,
    /// Right answers that are as similar, itself included.
    right: usize,
}

impl Place {
    fn of(similarities: &[f32], is_right: impl Fn(usize) -> bool) -> Self {
        let right = || similarities.iter().enumerate().filter(|(candidate, _)| is_right(*candidate));
        let best = right().map(|(_, similarity)| *similarity).fold(f32::NEG_INFINITY, f32::max);
        let count = |is: fn(&f32, &f32) -> bool| similarities.iter().filter(|similarity| is(similarity, &best)).count();
        let tied = right().filter(|(_, similarity)| **similarity == best).count();
        Self { before: count(|similarity, best| similarity > best), wrong: count(|a, b| a == b) - tied, right: tied }
    }

    /// The probability that one of the right answers is among the first `depth` candidates, if equals are shuffled.
    fn found_within(self, depth: usize) -> f64 {
        let drawn = depth.saturating_sub(self.before);
        let all = self.wrong + self.right;
        // Without replacement all are wrong with the probability prod (wrong - t) / (all - t).
        let of_draw = |t: usize| self.wrong.saturating_sub(t) as f64 / (all - t) as f64;
        1.0 - (0..drawn.min(all)).map(of_draw).product::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: usize = 24;

    fn distinct() -> Matrix {
        Matrix::new(ROWS, 1, (0..ROWS).map(|row| row as f64).collect()).unwrap()
    }

    /// Points on a circle, a row each from the given place on.
    fn circle(places: impl Iterator<Item = usize>) -> Vectors {
        let angle = |place: usize| place as f32 / ROWS as f32 * std::f32::consts::TAU;
        Vectors::new(2, places.flat_map(|place| [angle(place).cos(), angle(place).sin()]).collect())
    }

    #[test]
    fn what_is_found_at_once_has_a_recall_of_one() {
        let answers = Answers::of(&distinct(), &distinct());
        let vectors = circle(0..ROWS);
        assert_eq!(recall(&vectors, &vectors, &answers), [1.0; 3]);
        assert_eq!(answers.shared(), 0);
    }

    #[test]
    fn what_is_found_last_has_a_recall_of_none() {
        let answers = Answers::of(&distinct(), &distinct());
        let opposite = circle((0..ROWS).map(|row| row + ROWS / 2));
        assert_eq!(recall(&circle(0..ROWS), &opposite, &answers), [0.0; 3]);
    }

    #[test]
    fn a_neighbour_is_found_among_the_first_five() {
        let answers = Answers::of(&distinct(), &distinct());
        // Two steps off: one candidate is nearer, at either side of it one, or two as near; the fifth is reached anyhow.
        let found = recall(&circle(0..ROWS), &circle((0..ROWS).map(|row| row + 1)), &answers);
        assert_eq!((found[0], found[1], found[2]), (0.0, 1.0, 1.0));
    }

    #[test]
    fn equals_are_found_as_by_guessing() {
        let answers = Answers::of(&distinct(), &distinct());
        let same = circle(std::iter::repeat_n(3, ROWS));
        let found = recall(&same, &same, &answers);
        for (found, depth) in found.into_iter().zip(DEPTHS) {
            assert!((found - depth as f64 / ROWS as f64).abs() < 1e-12, "{found} at {depth}");
        }
    }

    #[test]
    fn rows_that_nothing_tells_apart_are_right_answers_of_each_other() {
        // Two and two rows have the same x2.
        let pairs = Matrix::new(ROWS, 2, (0..ROWS).flat_map(|row| [0.0, (row / 2) as f64]).collect()).unwrap();
        let answers = Answers::of(&distinct(), &pairs);
        assert_eq!(answers.shared(), ROWS);
        // Each finds the other's before its own.
        let swapped = circle((0..ROWS).map(|row| row ^ 1));
        assert_eq!(recall(&circle(0..ROWS), &swapped, &answers), [1.0; 3]);
        let alone = Answers::of(&distinct(), &distinct());
        assert_eq!(recall(&circle(0..ROWS), &swapped, &alone)[0], 0.0);
        // Of two right and two wrong candidates that are equal, one draw finds a right one every other time, two draws five
        // times of six.
        let place = Place::of(&[0.5, 0.5, 0.5, 0.9, 0.5], |candidate| candidate < 2);
        assert_eq!(place, Place { before: 1, wrong: 2, right: 2 });
        assert_eq!(place.found_within(1), 0.0);
        assert_eq!(place.found_within(2), 0.5);
        assert!((place.found_within(3) - 5.0 / 6.0).abs() < 1e-12);
        assert_eq!(place.found_within(9), 1.0);
    }

    #[test]
    fn a_zero_has_no_sign() {
        let matrix = Matrix::new(3, 1, vec![0.0, -0.0, 1.0]).unwrap();
        assert_eq!(numbered(&matrix), [0, 0, 1]);
    }
}
