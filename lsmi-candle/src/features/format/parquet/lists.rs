//! Columns of lists of floating-point numbers, decoded without the bookkeeping that Arrow has for nulls.
//!
//! Features are lists of one length that are all there. Then the levels, which say where a list begins and what is missing,
//! are known before they are looked at; to compare them with what they should be takes a fraction of the time that it takes
//! to put offsets and bitmaps together from them.

use std::iter::repeat_n;
use std::marker::PhantomData;
use std::sync::Arc;

use ::parquet::column::page::PageReader;
use ::parquet::column::reader::ColumnReaderImpl;
use ::parquet::data_type::DataType;
use ::parquet::errors::ParquetError;
use ::parquet::schema::types::ColumnDescPtr;
use arrow_array::{ArrayRef, ArrowPrimitiveType, ListArray, PrimitiveArray};
use arrow_buffer::{ArrowNativeType, OffsetBuffer};
use arrow_schema::FieldRef;

/// Lists read up to some row.
pub(super) trait Lists: Send {
    /// Reads up to `most` rows. Returns `None` at the end of the table, or if a list has nulls or another length.
    fn take(&mut self, most: usize) -> Result<Option<ArrayRef>, ParquetError>;
}

/// Lists whose values are of the type `P` in Parquet and `A` in Arrow.
pub(super) struct ListsOf<P: DataType, A> {
    column: ColumnDescPtr,
    field: FieldRef,
    /// The pages of the row groups that are not begun.
    groups: std::vec::IntoIter<Box<dyn PageReader>>,
    reader: Option<ColumnReaderImpl<P>>,
    rows_at_a_time: usize,
    definition_levels: Vec<i16>,
    repetition_levels: Vec<i16>,
    arrow: PhantomData<A>,
}

impl<P: DataType, A> ListsOf<P, A> {
    /// Opens the lists of row groups, without the rows `skipped` of the first; at most `rows_at_a_time` are read together.
    pub(super) fn new(
        column: ColumnDescPtr,
        field: FieldRef,
        groups: Vec<Box<dyn PageReader>>,
        skipped: usize,
        rows_at_a_time: usize,
    ) -> Result<Self, ParquetError> {
        let (definition_levels, repetition_levels) = (Vec::new(), Vec::new());
        let (groups, reader, arrow) = (groups.into_iter(), None, PhantomData);
        let mut lists =
            Self { column, field, groups, reader, rows_at_a_time, definition_levels, repetition_levels, arrow };
        lists.begin_group();
        if let Some(reader) = &mut lists.reader {
            reader.skip_records(skipped)?;
        }
        Ok(lists)
    }

    fn begin_group(&mut self) {
        self.reader = self.groups.next().map(|pages| ColumnReaderImpl::new(self.column.clone(), pages));
    }

    /// Returns whether this number of lists, of this length, begin where they should.
    fn are_even(&self, lists: usize, length: usize) -> bool {
        let levels = &self.repetition_levels;
        let beginnings = levels.iter().filter(|level| **level == 0).count();
        length > 0
            && (levels.len(), beginnings) == (lists * length, lists)
            && levels.iter().step_by(length).all(|level| *level == 0)
    }
}

impl<P: DataType<T: ArrowNativeType>, A: ArrowPrimitiveType<Native = P::T> + Send> Lists for ListsOf<P, A> {
    fn take(&mut self, most: usize) -> Result<Option<ArrayRef>, ParquetError> {
        while let Some(reader) = &mut self.reader {
            let (definitions, repetitions) = (&mut self.definition_levels, &mut self.repetition_levels);
            definitions.clear();
            repetitions.clear();
            let mut values = Vec::new();
            let (rows, defined, levels) = reader.read_records(
                most.min(self.rows_at_a_time),
                Some(definitions),
                Some(repetitions),
                &mut values,
            )?;
            if rows == 0 {
                self.begin_group();
                continue;
            }
            let length = levels / rows;
            if defined != levels || !self.are_even(rows, length) {
                return Ok(None);
            }
            let values = PrimitiveArray::<A>::new(values.into(), None);
            let offsets = OffsetBuffer::from_lengths(repeat_n(length, rows));
            return Ok(Some(Arc::new(ListArray::new(self.field.clone(), offsets, Arc::new(values), None))));
        }
        Ok(None)
    }
}
