//! Finds rows that are equal in every column, and decides whether they are equal by chance.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use crate::features::Groups;
use crate::numbers::matrix::Matrix;

/// Different rows that columns are looked at in.
const MOST_ROWS: usize = 2_000;
/// The share of the equal pairs that chance may explain.
const SHARE_OF_CHANCE: f64 = 0.01;

/// The rows of a matrix, and of another with the same columns below them.
#[derive(Clone, Copy)]
pub(super) struct Stacked<'a> {
    first: &'a Matrix,
    below: Option<&'a Matrix>,
}

impl<'a> Stacked<'a> {
    pub(super) fn new(first: &'a Matrix, below: &'a Matrix) -> Self {
        Self { first, below: Some(below) }
    }

    pub(super) fn rows(&self) -> usize {
        self.first.rows() + self.below.map_or(0, Matrix::rows)
    }

    pub(super) fn columns(&self) -> usize {
        self.first.columns()
    }

    pub(super) fn row(&self, row: usize) -> &'a [f64] {
        match self.below {
            Some(below) if row >= self.first.rows() => below.row(row - self.first.rows()),
            _ => self.first.row(row),
        }
    }
}

impl<'a> From<&'a Matrix> for Stacked<'a> {
    fn from(first: &'a Matrix) -> Self {
        Self { first, below: None }
    }
}

/// Groups rows that are equal in all matrices.
pub(super) fn groups(matrices: &[Stacked<'_>]) -> Groups {
    let rows = matrices.first().map_or(0, Stacked::rows);
    let are_equal = |a: usize, b: usize| matrices.iter().all(|matrix| matrix.row(a) == matrix.row(b));
    // Rows of one hash, the first of every kind.
    let mut known: HashMap<u64, Vec<usize>> = HashMap::new();
    let first_of_kind = |row: usize| {
        let firsts = known.entry(hash(matrices, row)).or_default();
        let known = firsts.iter().copied().find(|first| are_equal(*first, row));
        known.unwrap_or_else(|| {
            firsts.push(row);
            row
        })
    };
    let firsts: Vec<usize> = (0..rows).map(first_of_kind).collect();
    Groups::of_values(firsts)
}

fn hash(matrices: &[Stacked<'_>], row: usize) -> u64 {
    let mut hasher = DefaultHasher::new();
    for value in matrices.iter().flat_map(|matrix| matrix.row(row)) {
        // 0 equals -0.
        (value + 0.0).to_bits().hash(&mut hasher);
    }
    hasher.finish()
}

/// Returns whether about as many pairs of rows would be equal if all columns were independent.
///
/// Two different rows have the same value in column j in the share `p_j` of pairs, so that of n rows
/// `n (n - 1) / 2 prod_j p_j` pairs would be equal: many of small counts in a few columns, none of numbers with all their digits.
pub(super) fn is_by_chance(matrices: &[Stacked<'_>], equal: &Groups) -> bool {
    let pairs = |count: f64| count * (count - 1.0) / 2.0;
    let mut sizes = vec![0.0; equal.count()];
    let mut different = Vec::new();
    for (row, number) in equal.numbers().into_iter().enumerate() {
        if sizes[number as usize] == 0.0 {
            different.push(row);
        }
        sizes[number as usize] += 1.0;
    }
    let found: f64 = sizes.iter().map(|size| pairs(*size)).sum();
    if found == 0.0 {
        return false;
    }
    let step = different.len().div_ceil(MOST_ROWS);
    let different: Vec<usize> = different.into_iter().step_by(step).collect();
    let all = pairs(different.len() as f64);
    let mut expected = pairs(equal.rows() as f64);
    for matrix in matrices {
        for column in 0..matrix.columns() {
            let mut values: Vec<f64> = different.iter().map(|row| matrix.row(*row)[column]).collect();
            values.sort_unstable_by(f64::total_cmp);
            let alike: f64 = values.chunk_by(|a, b| a == b).map(|run| pairs(run.len() as f64)).sum();
            expected *= (alike + 1.0) / (all + 1.0);
            if expected <= SHARE_OF_CHANCE * found {
                return false;
            }
        }
    }
    true
}
