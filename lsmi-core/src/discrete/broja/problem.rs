//! The convex program of BROJA: marginals, cells that can be occupied, and the quantities that every step computes from
//! them.

use super::settings::Settings;
use crate::{Error, Result};

/// The largest deviation of a sum of probabilities from 1, and of the two marginals of a class from each other.
const SUM_TOLERANCE: f64 = 1e-9;

/// Columns that are gathered before they are subtracted from the Schur complement together (`schur.rs`); here for the
/// memory that they take.
pub(super) const PANEL: usize = 128;

/// A cell (x1, x2, y) that q may occupy: p(x1, y) and p(x2, y) are both positive.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    /// The place of p(x1, y) in [`Problem::marginals`].
    pub(super) row: usize,
    /// The place of p(x2, y) in [`Problem::marginals`].
    pub(super) column: usize,
}

/// Minimise f(q) = sum q log(q(x1, x2, y) / q(x1, x2)) over q with given p(x1, y) and p(x2, y).
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) first: usize,
    pub(super) second: usize,
    pub(super) classes: usize,
    /// Whether the modalities are exchanged, so that x2 is the one with fewer states (`schur.rs`).
    pub(super) exchanged: bool,
    /// p(x1, y), `[first, classes]`, and after it p(x2, y), `[second, classes]`.
    pub(super) marginals: Vec<f64>,
    /// The cells, those of one pair (x1, x2) together, pairs in order of x1, then x2.
    pub(super) cells: Vec<Cell>,
    /// The first cell of each pair that has any, followed by the number of cells.
    pub(super) starts: Vec<usize>,
}

impl Problem {
    /// Returns the program of checked marginals.
    pub(super) fn new(x1_y: &[f64], x2_y: &[f64], classes: usize, settings: &Settings) -> Result<Self> {
        let first = states("x1_y", x1_y, classes)?;
        let second = states("x2_y", x2_y, classes)?;
        let class_sums = |table: &[f64]| -> Vec<f64> {
            (0..classes).map(|class| table.iter().skip(class).step_by(classes).sum()).collect()
        };
        let (first_sums, second_sums) = (class_sums(x1_y), class_sums(x2_y));
        for (class, (&first, &second)) in first_sums.iter().zip(&second_sums).enumerate() {
            if (first - second).abs() > SUM_TOLERANCE {
                return Err(Error::ClassMarginals { class, first, second });
            }
        }
        // Equal to rounding, so that what one side lacks the other lacks too.
        let scaled = x2_y.iter().enumerate().map(|(index, value)| {
            let (first, second) = (first_sums[index % classes], second_sums[index % classes]);
            if second > 0.0 { value * (first / second) } else { 0.0 }
        });
        let mut x1_y = x1_y.to_vec();
        for (index, value) in x1_y.iter_mut().enumerate() {
            if second_sums[index % classes] == 0.0 {
                *value = 0.0;
            }
        }
        let mut problem = Self {
            first,
            second,
            classes,
            exchanged: second > first,
            marginals: x1_y,
            cells: Vec::new(),
            starts: vec![0],
        };
        problem.marginals.extend(scaled);
        if problem.exchanged {
            problem.marginals.rotate_left(first * classes);
            (problem.first, problem.second) = (second, first);
        }
        let cells = problem.count_cells();
        let bytes = problem.bytes(cells);
        if bytes > settings.memory {
            return Err(Error::TooManyCells { cells, bytes, limit: settings.memory });
        }
        problem.add_cells(cells);
        Ok(problem)
    }

    /// Counts the cells that q may occupy: for each class, the product of the numbers of states that occur with it.
    fn count_cells(&self) -> usize {
        let (first, second) = self.marginals.split_at(self.first * self.classes);
        let occurring = |table: &[f64], class| {
            table.iter().skip(class).step_by(self.classes).filter(|value: &&f64| **value > 0.0).count()
        };
        (0..self.classes)
            .map(|class| occurring(first, class).saturating_mul(occurring(second, class)))
            .fold(0, usize::saturating_add)
    }

    /// Returns the bytes that the solver takes: some two dozen numbers for each cell and its pair, and the blocks and the
    /// Schur complement of Newton's method.
    fn bytes(&self, cells: usize) -> usize {
        let number = size_of::<f64>();
        let bytes_per_cell = 24 * number;
        let columns = self.second.saturating_mul(self.classes);
        let schur = columns.saturating_mul(columns.saturating_add(self.classes + PANEL));
        let blocks = self.first.saturating_mul(self.classes).saturating_mul(self.classes);
        cells.saturating_mul(bytes_per_cell).saturating_add(schur.saturating_add(blocks).saturating_mul(number))
    }

    fn add_cells(&mut self, count: usize) {
        self.cells.reserve_exact(count);
        let columns = self.first * self.classes;
        for x1 in 0..self.first {
            for x2 in 0..self.second {
                let cell = |class| Cell { row: x1 * self.classes + class, column: columns + x2 * self.classes + class };
                let marginals = &self.marginals;
                let occupied = |cell: &Cell| marginals[cell.row] > 0.0 && marginals[cell.column] > 0.0;
                self.cells.extend((0..self.classes).map(cell).filter(occupied));
                if self.starts.last() != Some(&self.cells.len()) {
                    self.starts.push(self.cells.len());
                }
            }
        }
    }

    /// Returns the number of pairs (x1, x2) with a cell.
    pub(super) fn pairs(&self) -> usize {
        self.starts.len() - 1
    }

    /// Returns the cells of each pair, by their range in [`Problem::cells`].
    pub(super) fn ranges(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        self.starts.windows(2).map(|ends| ends[0]..ends[1])
    }

    /// Returns the sum of the marginals times the dual variables.
    pub(super) fn linear(&self, dual: &[f64]) -> f64 {
        // What cannot occur may have a dual variable of minus infinity.
        let terms = self.marginals.iter().zip(dual).filter(|(marginal, _)| **marginal > 0.0);
        terms.map(|(marginal, dual)| marginal * dual).sum()
    }

    /// Computes log `sum_y` exp(a + b) of every pair and each cell's share of that sum, for dual variables a and b.
    pub(super) fn log_sums(&self, dual: &[f64], sums: &mut [f64], shares: &mut [f64]) {
        for (range, log_sum) in self.ranges().zip(sums) {
            let (cells, shares) = (&self.cells[range.clone()], &mut shares[range]);
            let mut largest = f64::NEG_INFINITY;
            for (cell, share) in cells.iter().zip(&mut *shares) {
                *share = dual[cell.row] + dual[cell.column];
                largest = largest.max(*share);
            }
            let mut sum = 0.0;
            for share in &mut *shares {
                *share = (*share - largest).exp();
                sum += *share;
            }
            for share in shares {
                *share /= sum;
            }
            *log_sum = largest + sum.ln();
        }
    }

    /// Returns the marginals of q, in the order of [`Problem::marginals`].
    pub(super) fn marginals_of(&self, q: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.marginals.len()];
        for (cell, q) in self.cells.iter().zip(q) {
            sums[cell.row] += q;
            sums[cell.column] += q;
        }
        sums
    }

    /// Returns the q under which x1 and x2 are independent given y.
    pub(super) fn product(&self) -> Vec<f64> {
        let mut class_sums = vec![0.0; self.classes];
        for (row, marginal) in self.marginals[..self.first * self.classes].iter().enumerate() {
            class_sums[row % self.classes] += marginal;
        }
        let value = |cell: &Cell| {
            self.marginals[cell.row] * (self.marginals[cell.column] / class_sums[cell.row % self.classes])
        };
        self.cells.iter().map(value).collect()
    }
}

/// Returns the number of states of a table `[states, classes]` of probabilities.
fn states(array: &'static str, table: &[f64], classes: usize) -> Result<usize> {
    if classes == 0 {
        return Err(Error::parameter("classes", "at least 1", "0"));
    }
    if table.is_empty() || !table.len().is_multiple_of(classes) {
        let found = format!("{} values for {classes} classes", table.len());
        return Err(Error::parameter(array, "a table with a value for each class of every state", &found));
    }
    for (index, &found) in table.iter().enumerate() {
        if !found.is_finite() || found < 0.0 {
            return Err(Error::TableProbability { array, state: index / classes, class: index % classes, found });
        }
    }
    let found: f64 = table.iter().sum();
    if (found - 1.0).abs() > SUM_TOLERANCE {
        return Err(Error::ProbabilitySum { array, found });
    }
    Ok(table.len() / classes)
}
