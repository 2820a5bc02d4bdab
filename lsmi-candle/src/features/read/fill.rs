//! Matrices filled from blocks of rows: read in order by one thread at a time, converted by several.
//!
//! Reading is mostly copying, and what a thread has read is converted and checked while its own memory still holds it. To
//! write to memory for the first time takes longer than either, so that is what the threads share.
//!
//! The threads are started here, one for every processor, and end with the matrix. Rayon's global pool has one thread in the
//! command, for the sake of candle, and would read with one.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use super::checks::{check_matrix, element_type};
use super::presence::Lacking;
use super::roles::MatrixRole;
use super::sequences::FilledSteps;
use crate::features::array::{Array, Values};
use crate::features::error::FeatureError;

/// Numbers that are read at a time: about as many doubles as the cache of a processor holds.
const NUMBERS_AT_A_TIME: usize = 1 << 16;

/// More threads would wait for the one that reads.
const MOST_THREADS: usize = 8;

/// A matrix of finite numbers to be filled with the array `name` of a file.
pub(super) struct Fill<'m> {
    pub(super) file: &'m str,
    pub(super) name: &'m str,
    pub(super) role: MatrixRole,
    pub(super) columns: usize,
    /// The steps that its rows are made of, where the array holds sequences.
    pub(super) steps: Option<FilledSteps<'m>>,
    /// The rows that lack the modality, where such rows are no error.
    pub(super) lacking: Option<&'m Lacking>,
}

/// Reads some rows.
pub(super) type ReadRows<'r> = &'r mut (dyn FnMut(Range<usize>) -> Result<Array<'static>, FeatureError> + Send);

/// The state that the threads share.
struct Blocks<'b> {
    /// The values of every block that is not yet read, with its number.
    left: std::iter::Enumerate<std::slice::ChunksMut<'b, f64>>,
    read: ReadRows<'b>,
    /// The error of the first block in which there is one.
    failed: Option<(usize, FeatureError)>,
}

impl<'b> Blocks<'b> {
    /// Reads the next block of this number of rows. Returns its number, its values and the array read for it.
    fn next(
        &mut self,
        rows: usize,
        columns: usize,
    ) -> Option<(usize, &'b mut [f64], Result<Array<'static>, FeatureError>)> {
        let (block, values) = self.left.next().filter(|_| self.failed.is_none())?;
        let start = block * rows;
        let array = (self.read)(start..start + values.len() / columns);
        Some((block, values, array))
    }
}

/// A thread that panicked ends the others once it is joined.
fn locked<'l, 'b>(blocks: &'l Mutex<Blocks<'b>>) -> MutexGuard<'l, Blocks<'b>> {
    blocks.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Fill<'_> {
    /// Fills all of the matrix. Rows of errors are counted in the array.
    ///
    /// # Errors
    /// The error of the first place of the array, whichever thread comes upon it.
    pub(super) fn fill_in_blocks(&self, values: &mut [f64], read: ReadRows<'_>) -> Result<(), FeatureError> {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        self.fill_by(processors.min(MOST_THREADS), values, read)
    }

    /// Fills all of the matrix by this number of threads.
    fn fill_by(&self, threads: usize, values: &mut [f64], read: ReadRows<'_>) -> Result<(), FeatureError> {
        let numbers = self.steps.as_ref().map_or(self.columns, |steps| steps.of.numbers());
        let rows = (NUMBERS_AT_A_TIME / numbers).max(1);
        let left = values.chunks_mut(rows * self.columns).enumerate();
        let threads = threads.min(left.len());
        let blocks = Mutex::new(Blocks { left, read, failed: None });
        thread::scope(|scope| {
            for _ in 1..threads {
                // Where the system gives no more threads, there are fewer.
                drop(thread::Builder::new().spawn_scoped(scope, || self.work_on(&blocks, rows)));
            }
            self.work_on(&blocks, rows);
        });
        let blocks = blocks.into_inner().unwrap_or_else(PoisonError::into_inner);
        blocks.failed.map_or(Ok(()), |(_, error)| Err(error))
    }

    /// Fills blocks of this number of rows until none is left or there is an error.
    fn work_on(&self, blocks: &Mutex<Blocks<'_>>, rows: usize) {
        loop {
            let Some((block, values, array)) = locked(blocks).next(rows, self.columns) else { return };
            let filled = array.and_then(|array| self.fill(&array, block * rows, values));
            if let Err(error) = filled {
                let failed = &mut locked(blocks).failed;
                if failed.as_ref().is_none_or(|(first, _)| block < *first) {
                    *failed = Some((block, error));
                }
            }
        }
    }

    /// Fills the values from the row `start` on with an array of the same number of rows.
    pub(super) fn fill(&self, array: &Array<'_>, start: usize, values: &mut [f64]) -> Result<(), FeatureError> {
        if let Some(steps) = &self.steps {
            return steps.fill(self, array, start, values);
        }
        let (file, name) = (self.file, self.name);
        let (rows, columns) = check_matrix(file, name, &array.outline(), self.role)?;
        let expected = values.len() / self.columns;
        if columns != self.columns {
            let (file, array) = (file.to_owned(), name.to_owned());
            return Err(FeatureError::Ragged { file, array, row: start, found: columns, expected: self.columns });
        }
        if rows != expected {
            let (file, array, reference) = (file.to_owned(), name.to_owned(), name.to_owned());
            return Err(FeatureError::RowCount { file, array, found: rows, reference, expected });
        }
        let (all, gaps) = match &array.values {
            Values::WithGaps(values, gaps) => (values.as_ref(), gaps.as_slice()),
            all => (all, &[][..]),
        };
        let Values::Numbers(numbers) = all else {
            return Err(element_type(file, name, &array.outline(), self.role.element_type()));
        };
        numbers.write_to(values, &[columns]);
        for gap in gaps {
            values[*gap] = f64::NAN;
        }
        // While they are at hand; all at once first, which takes a fraction of the time.
        if values.iter().fold(true, |all, value| all & value.is_finite()) {
            return Ok(());
        }
        let first = (start..).zip(values.chunks_exact(columns)).find_map(|(row, values)| {
            let column = values.iter().position(|value| !value.is_finite())?;
            let is_lacking = self.lacking.is_some_and(|lacking| lacking.takes(row, values));
            (!is_lacking).then_some((row, column))
        });
        let Some((row, column)) = first else { return Ok(()) };
        let place = (row - start) * columns + column;
        let (file, array, found) = (file.to_owned(), name.to_owned(), values[place]);
        if gaps.binary_search(&place).is_ok() {
            return Err(FeatureError::Null { file, array, row });
        }
        Err(FeatureError::NotFinite { file, array, row, column, found, advice: self.role.not_finite(found) })
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::collections::HashSet;

    use super::*;
    use crate::features::array::Element;

    const MATRIX: Fill<'_> =
        Fill { file: "f", name: "x1", role: MatrixRole::Modality, columns: 1, steps: None, lacking: None };

    fn doubles(rows: Range<usize>) -> Array<'static> {
        let bytes = rows.clone().flat_map(|row| (row as f64).to_le_bytes()).collect();
        Array::contiguous(vec![rows.len(), 1], Element::F64, Cow::Owned(bytes)).unwrap()
    }

    /// The tests, as the command, have one thread in rayon's global pool.
    #[test]
    fn several_threads_read_in_turn() {
        let is_single = thread::available_parallelism().map_or(1, usize::from) == 1;
        let mut readers = HashSet::new();
        // One of two threads may be too late for every block of a matrix, but not of all of them.
        for _ in 0..1000 {
            let mut values = vec![0.0; NUMBERS_AT_A_TIME * 8];
            let read: ReadRows<'_> = &mut |rows| {
                readers.insert(thread::current().id());
                Ok(doubles(rows))
            };
            if is_single { MATRIX.fill_by(2, &mut values, read) } else { MATRIX.fill_in_blocks(&mut values, read) }
                .unwrap();
            assert!(values.iter().enumerate().all(|(row, value)| *value == row as f64));
            if readers.len() > 1 {
                return;
            }
        }
        panic!("one thread read everything");
    }

    #[test]
    fn the_first_error_is_told() {
        let mut values = vec![0.0; NUMBERS_AT_A_TIME * 4];
        let read: ReadRows<'_> = &mut |rows| match rows.start / NUMBERS_AT_A_TIME {
            0 => Ok(doubles(rows)),
            _ => Err(FeatureError::Changed { file: rows.start.to_string() }),
        };
        let error = MATRIX.fill_by(3, &mut values, read).unwrap_err();
        assert!(matches!(&error, FeatureError::Changed { file } if *file == NUMBERS_AT_A_TIME.to_string()), "{error}");
    }
}
