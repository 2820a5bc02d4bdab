//! Matrices put together from blocks of rows: read in order by one thread at a time, converted by all of them.
//!
//! Reading is mostly copying, and what a thread has read is converted and checked while its own memory still holds it. To
//! write to memory for the first time takes longer than either, so that is what the threads share.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::array::{Array, Values};
use super::error::FeatureError;
use super::source::{MatrixRole, check_matrix, element_type};

/// Numbers that are read at a time: as many doubles as a processor's own memory holds.
const NUMBERS_AT_A_TIME: usize = 1 << 16;

/// More threads would wait for the one that reads.
const MOST_THREADS: usize = 8;

/// A matrix of finite numbers that a file has as the array `name`.
pub(super) struct MatrixToFill<'m> {
    pub(super) file: &'m str,
    pub(super) name: &'m str,
    pub(super) role: MatrixRole,
    pub(super) columns: usize,
}

/// Reads some rows. It must do so by itself: a thread that waited for others of the pool meanwhile could take up another
/// block, which waits for this one to be read.
pub(super) type ReadRows<'r> = &'r mut (dyn FnMut(Range<usize>) -> Result<Array<'static>, FeatureError> + Send);

/// What the threads share.
struct Blocks<'b> {
    /// The values of every block that is not yet read, with its number.
    left: std::iter::Enumerate<std::slice::ChunksMut<'b, f64>>,
    read: ReadRows<'b>,
    /// What is wrong with the first block in which something is.
    failed: Option<(usize, FeatureError)>,
}

impl<'b> Blocks<'b> {
    /// The number and the values of the next block of so many rows, and what is read for it.
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

impl MatrixToFill<'_> {
    /// Fills all of the matrix. Rows of errors are counted in the array.
    ///
    /// # Errors
    /// What is wrong in the first place of the array, whatever thread comes upon it.
    pub(super) fn fill_in_blocks(&self, values: &mut [f64], read: ReadRows<'_>) -> Result<(), FeatureError> {
        let rows = (NUMBERS_AT_A_TIME / self.columns).max(1);
        let left = values.chunks_mut(rows * self.columns).enumerate();
        let threads = rayon::current_num_threads().min(left.len()).min(MOST_THREADS);
        let blocks = Mutex::new(Blocks { left, read, failed: None });
        rayon::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|_| self.work_on(&blocks, rows));
            }
        });
        let blocks = blocks.into_inner().unwrap_or_else(PoisonError::into_inner);
        blocks.failed.map_or(Ok(()), |(_, error)| Err(error))
    }

    /// Fills blocks of so many rows until none is left or something is wrong.
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

    /// Fills the values from the row `start` on with an array of as many rows.
    pub(super) fn fill(&self, array: &Array<'_>, start: usize, values: &mut [f64]) -> Result<(), FeatureError> {
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
        let Values::Numbers(numbers) = &array.values else {
            return Err(element_type(file, name, &array.outline(), self.role.element_type()));
        };
        numbers.write_to(values, columns);
        // While they are at hand; all at once first, which takes a fraction of the time.
        if values.iter().fold(true, |all, value| all & value.is_finite()) {
            return Ok(());
        }
        let place = values.iter().position(|value| !value.is_finite()).unwrap_or_default();
        let (file, array, found) = (file.to_owned(), name.to_owned(), values[place]);
        let (row, column) = (start + place / columns, place % columns);
        Err(FeatureError::NotFinite { file, array, row, column, found, advice: self.role.not_finite(found) })
    }
}
