//! Modalities that are sequences, `[n, T, d]`: which of their steps count, and what becomes of them.
//!
//! A block of sequences is read, pooled and let go before the next, so that memory is that of the pooled matrix and a block
//! for every thread.

use super::checks::{element_type, empty, too_large};
use super::fill::Fill;
use super::presence::Lacking;
use super::roles::{LENGTHS_NEED_INTEGERS, LENGTHS_NEED_ROWS, MatrixRole};
use super::source::Source;
use crate::features::array::{Array, Kind, Number, Outline, Values};
use crate::features::error::{FeatureError, SequenceError};
use crate::features::keys::Keys;
use crate::features::keys::splits::{LabelUse, SplitArrays, find_splits};
use crate::features::sequences::Pooling;
use crate::numbers::matrix::Matrix;
use crate::numbers::memory::Shortage;

/// What becomes of the steps of a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StepUse {
    /// One row, by a rule.
    Pooled(Pooling),
    /// A row each. Those beyond the length are zeros.
    Kept,
}

/// The steps of a modality.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Steps {
    /// The number that every sequence has room for.
    pub(super) most: usize,
    /// The columns of a step.
    pub(super) columns: usize,
    /// The array that says how many of them each sequence has; otherwise all count.
    pub(super) lengths: Option<String>,
    pub(super) used: StepUse,
}

/// The steps of the sequences that a matrix is filled with.
pub(super) struct FilledSteps<'s> {
    pub(super) of: &'s Steps,
    /// The length of every sequence, if they differ.
    pub(super) lengths: Option<&'s [usize]>,
}

impl Steps {
    /// Returns the numbers in a sequence.
    pub(super) fn numbers(&self) -> usize {
        self.most * self.columns
    }

    /// Returns the numbers that are left of a sequence.
    fn numbers_left(&self) -> usize {
        match self.used {
            StepUse::Pooled(_) => self.columns,
            StepUse::Kept => self.numbers(),
        }
    }
}

impl Source<'_> {
    /// Returns the rows and columns of a modality, and its steps if it is made of sequences and these have a use.
    pub(super) fn modality_shape(
        &mut self,
        arrays: &SplitArrays,
        modality: usize,
        used: Option<StepUse>,
    ) -> Result<(usize, usize, Option<Steps>), FeatureError> {
        let name = if modality == 0 { &arrays.x1 } else { &arrays.x2 };
        let outline = self.outline(name)?;
        let (Some(used), &[rows, most, columns]) = (used, outline.shape.as_slice()) else {
            let (rows, columns) = self.matrix_shape(name, MatrixRole::Modality)?;
            return Ok((rows, columns, None));
        };
        let Kind::Numbers(_) = outline.kind else {
            return Err(element_type(&self.file(), name, &outline, MatrixRole::Modality.element_type()));
        };
        if outline.shape.contains(&0) {
            return Err(empty(&self.file(), name, &outline));
        }
        if most.checked_mul(columns).and_then(|numbers| numbers.checked_mul(rows)).is_none() {
            return Err(too_large(&self.file(), name, &outline, Shortage::BEYOND));
        }
        let lengths = arrays.lengths_in(self.names(), modality).cloned();
        if let Some(lengths) = &lengths {
            self.check_lengths(lengths, name, rows)?;
        }
        Ok((rows, columns, Some(Steps { most, columns, lengths, used })))
    }

    /// Returns whether one of the modalities of the first split, with or without labels, is made of sequences.
    pub(in crate::features) fn has_sequences(&mut self, keys: &Keys) -> bool {
        let (arrays, _) = find_splits(self.names(), keys, LabelUse::Ignored);
        [&arrays.x1, &arrays.x2]
            .into_iter()
            .any(|name| self.outline(name).is_ok_and(|outline| outline.shape.len() == 3))
    }

    /// Reads a modality: a matrix, or sequences of which one is made. Steps that are kept are rows of it.
    ///
    /// The rows that lack it are noted in `lacking`, or an error.
    pub(super) fn modality(
        &mut self,
        name: &str,
        steps: Option<&Steps>,
        lacking: Option<&Lacking>,
    ) -> Result<Matrix, FeatureError> {
        let Some(steps) = steps else { return self.matrix_with_gaps(name, MatrixRole::Modality, lacking) };
        let file = self.file();
        let rows = self.outline(name)?.shape.first().copied().unwrap_or_default();
        let lengths = self.lengths(steps, rows)?;
        let filled = FilledSteps { of: steps, lengths: lengths.as_deref() };
        let columns = steps.numbers_left();
        let fill = Fill { file: &file, name, role: MatrixRole::Modality, columns, steps: Some(filled), lacking };
        let values = self.filled(rows, &fill)?;
        self.matrix_of(values, steps.columns)
    }

    /// Reads the lengths of sequences, if there are any.
    pub(super) fn lengths(&mut self, steps: &Steps, rows: usize) -> Result<Option<Vec<usize>>, FeatureError> {
        let Some(name) = &steps.lengths else { return Ok(None) };
        let Array { values: Values::Numbers(numbers), .. } = self.rows(name, 0..rows)? else {
            let outline = self.outline(name)?;
            return Err(element_type(&self.file(), name, &outline, LENGTHS_NEED_INTEGERS));
        };
        let mut lengths = Vec::new();
        for row in 0..rows {
            let found = match numbers.at(&[row]) {
                Number::Integer(found) => found,
                Number::Float(_) => 0,
            };
            match usize::try_from(found) {
                Ok(length) if (1..=steps.most).contains(&length) => lengths.push(length),
                _ => {
                    let (file, array, row) = (self.file(), name.clone(), self.row_in_file(name, row));
                    let found = found.to_string();
                    return Err(SequenceError::Length { file, array, row, found, most: steps.most }.into());
                }
            }
        }
        Ok(Some(lengths))
    }

    /// Checks that there is an integer for every sequence.
    fn check_lengths(&mut self, name: &str, sequences: &str, rows: usize) -> Result<(), FeatureError> {
        let outline = self.outline(name)?;
        let (file, array) = (self.file(), name.to_owned());
        match (&outline.kind, outline.shape.as_slice()) {
            (Kind::Numbers(element), _) if element.is_float() => {}
            (Kind::Numbers(_), &[found]) if found == rows => return Ok(()),
            (Kind::Numbers(_), &[found]) => {
                let reference = sequences.to_owned();
                return Err(FeatureError::RowCount { file, array, found, reference, expected: rows });
            }
            (Kind::Numbers(_), _) => {
                let found = outline.shape_text();
                return Err(FeatureError::Shape { file, array, found, expected: LENGTHS_NEED_ROWS });
            }
            _ => {}
        }
        Err(element_type(&file, name, &outline, LENGTHS_NEED_INTEGERS))
    }
}

impl FilledSteps<'_> {
    /// Fills the values from the row `start` on with sequences of the same number.
    pub(super) fn fill(
        &self,
        matrix: &Fill<'_>,
        array: &Array<'_>,
        start: usize,
        values: &mut [f64],
    ) -> Result<(), FeatureError> {
        let (steps, columns) = (self.of, self.of.columns);
        let (file, name) = (matrix.file, matrix.name);
        let rows = values.len() / matrix.columns;
        let outline = array.outline();
        let expected = Outline { shape: vec![rows, steps.most, columns], kind: outline.kind.clone() };
        let (Values::Numbers(numbers), true) = (&array.values, outline == expected) else {
            return Err(element_type(file, name, &outline, matrix.role.element_type()));
        };
        let mut sequences = vec![0.0; rows * steps.numbers()];
        numbers.write_to(&mut sequences, &[steps.most, columns]);
        let rows = sequences.chunks_exact(steps.numbers()).zip(values.chunks_exact_mut(matrix.columns));
        for (row, (sequence, left)) in (start..).zip(rows) {
            let length = self.lengths.map_or(steps.most, |lengths| lengths[row]);
            let counted = &sequence[..length * columns];
            let (file, array) = (file.to_owned(), name.to_owned());
            if matrix.lacking.is_some_and(|lacking| lacking.is_declared(row) || lacking.takes(row, counted)) {
                left.fill(f64::NAN);
                continue;
            }
            if let Some(place) = counted.iter().position(|value| !value.is_finite()) {
                let (step, column, found) = (place / columns, place % columns, counted[place]);
                return Err(SequenceError::NotFinite { file, array, row, step, column, found }.into());
            }
            match steps.used {
                StepUse::Pooled(pooling) => pooling.pool_to(counted, left),
                StepUse::Kept => left[..counted.len()].copy_from_slice(counted),
            }
            if let Some(column) = left.iter().position(|value| !value.is_finite()) {
                let advice = "its numbers are too large to be pooled; scale them";
                return Err(FeatureError::NotFinite { file, array, row, column, found: left[column], advice });
            }
        }
        Ok(())
    }
}
