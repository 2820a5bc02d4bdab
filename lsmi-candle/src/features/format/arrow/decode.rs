//! Rows of a column from the buffers of a batch, every length and offset checked on the way.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{ArrayRef, BooleanArray, LargeListArray, LargeStringArray, PrimitiveArray};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, TimeUnit};
use bytes::Bytes;
use half::f16;

use super::bodies::Bodies;
use super::layout::{Column, Kind};
use super::messages::Batch;
use crate::features::array::Corrupt;

/// A view of text of at most so many bytes holds it itself.
const INLINE: usize = 12;

/// The length of a view.
const VIEW: usize = 16;

/// Decodes columns of one batch.
pub(super) struct Decoder<'a> {
    bodies: &'a mut Bodies,
    batch: &'a Batch,
    at: usize,
    dictionaries: &'a BTreeMap<i64, Vec<Option<String>>>,
}

fn wrong(error: impl std::fmt::Display) -> Corrupt {
    Corrupt(error.to_string())
}

fn bits(bytes: &[u8], range: Range<usize>) -> impl Iterator<Item = bool> {
    range.map(|bit| bytes.get(bit / 8).is_some_and(|byte| byte >> (bit % 8) & 1 == 1))
}

impl<'a> Decoder<'a> {
    /// For the batch in place `at`.
    pub(super) fn new(
        bodies: &'a mut Bodies,
        batch: &'a Batch,
        at: usize,
        dictionaries: &'a BTreeMap<i64, Vec<Option<String>>>,
    ) -> Self {
        Self { bodies, batch, at, dictionaries }
    }

    /// Some rows of a column.
    pub(super) fn column(&mut self, column: &Column, rows: Range<usize>) -> Result<ArrayRef, Corrupt> {
        let nulls = self.nulls(column, &rows)?;
        Ok(match &column.kind {
            Kind::Numbers(data_type, size) => {
                let bytes = self.values(column, 1, &rows, *size)?;
                numbers(data_type, &bytes, nulls)?
            }
            Kind::Booleans => {
                let values = self.booleans(column, 1, &rows)?;
                Arc::new(BooleanArray::new(values.into(), nulls))
            }
            Kind::Texts { .. } | Kind::TextViews | Kind::Dictionary { .. } => {
                Arc::new(self.texts(column, rows)?.into_iter().collect::<LargeStringArray>())
            }
            Kind::Lists { is_large, .. } => {
                let ends = self.offsets(column, &rows, *is_large)?;
                self.lists(column, &ends, nulls)?
            }
            Kind::FixedLists { width, .. } => {
                let end = |row: usize| row.checked_mul(*width);
                let ends: Option<Vec<usize>> = (rows.start..=rows.end).map(end).collect();
                let ends = ends.ok_or_else(|| Corrupt("its lists are larger than any memory".to_owned()))?;
                self.lists(column, &ends, nulls)?
            }
            Kind::Other(what) => return Err(Corrupt(format!("values of type {what} are not read"))),
        })
    }

    /// Which of some rows have a value; nothing where all of them do.
    fn nulls(&mut self, column: &Column, rows: &Range<usize>) -> Result<Option<NullBuffer>, Corrupt> {
        let node = self.batch.nodes.get(column.node());
        let (length, nulls) = *node.ok_or_else(|| Corrupt("its batch does not say how long it is".to_owned()))?;
        if rows.end > length {
            return Err(Corrupt(format!("it has {length} rows, but its batch has {}", self.batch.rows)));
        }
        if nulls == 0 {
            return Ok(None);
        }
        let values = self.booleans(column, 0, rows)?;
        Ok(Some(NullBuffer::from(values)))
    }

    /// Bits of a buffer of the column, counted from its first.
    fn booleans(&mut self, column: &Column, buffer: usize, rows: &Range<usize>) -> Result<Vec<bool>, Corrupt> {
        let bytes = (rows.start / 8) as u64..rows.end.div_ceil(8) as u64;
        let bytes = self.read(column, buffer, bytes)?;
        let first = rows.start % 8;
        Ok(bits(&bytes, first..first + rows.len()).collect())
    }

    /// Values of so many bytes each.
    fn values(&mut self, column: &Column, buffer: usize, rows: &Range<usize>, size: usize) -> Result<Bytes, Corrupt> {
        let place = |row: usize| (row as u64).checked_mul(size as u64);
        match (place(rows.start), place(rows.end)) {
            (Some(start), Some(end)) => self.read(column, buffer, start..end),
            _ => Err(Corrupt("it is larger than any memory".to_owned())),
        }
    }

    fn read(&mut self, column: &Column, buffer: usize, bytes: Range<u64>) -> Result<Bytes, Corrupt> {
        let first = column.buffer(self.batch);
        self.bodies.read(self.batch, self.at, first.saturating_add(buffer), bytes)
    }

    /// Where the texts or lists of some rows begin, and the last of them ends.
    fn offsets(&mut self, column: &Column, rows: &Range<usize>, is_large: bool) -> Result<Vec<usize>, Corrupt> {
        let ends = rows.start..rows.end + 1;
        let found: Option<Vec<usize>> = if is_large {
            let bytes = self.values(column, 1, &ends, 8)?;
            bytes.as_chunks::<8>().0.iter().map(|end| usize::try_from(i64::from_le_bytes(*end)).ok()).collect()
        } else {
            let bytes = self.values(column, 1, &ends, 4)?;
            bytes.as_chunks::<4>().0.iter().map(|end| usize::try_from(i32::from_le_bytes(*end)).ok()).collect()
        };
        found.filter(|ends| ends.is_sorted()).ok_or_else(|| Corrupt("its offsets do not rise".to_owned()))
    }

    fn lists(&mut self, column: &Column, ends: &[usize], nulls: Option<NullBuffer>) -> Result<ArrayRef, Corrupt> {
        let (Some(values), [first, .., last] | [first @ last]) = (column.values(), ends) else {
            return Err(Corrupt("it has no lists".to_owned()));
        };
        let values = self.column(&values, *first..*last)?;
        let lengths = OffsetBuffer::from_lengths(ends.windows(2).map(|pair| pair[1] - pair[0]));
        let DataType::LargeList(field) = column.kind.data_type() else {
            return Err(Corrupt("it has no lists".to_owned()));
        };
        Ok(Arc::new(LargeListArray::try_new(field, lengths, values, nulls).map_err(wrong)?))
    }

    /// Some rows of a column of text.
    pub(super) fn texts(&mut self, column: &Column, rows: Range<usize>) -> Result<Vec<Option<String>>, Corrupt> {
        let nulls = self.nulls(column, &rows)?;
        let is_there = |row: usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
        match &column.kind {
            Kind::Texts { is_large } => {
                let ends = self.offsets(column, &rows, *is_large)?;
                let (first, last) =
                    (ends.first().copied().unwrap_or_default(), ends.last().copied().unwrap_or_default());
                let bytes = self.read(column, 2, first as u64..last as u64)?;
                let texts = ends.windows(2).enumerate();
                texts.map(|(row, pair)| text(&bytes[pair[0] - first..pair[1] - first], row, is_there(row))).collect()
            }
            Kind::TextViews => self.views(column, &rows, &is_there),
            Kind::Dictionary { id, index_bytes, is_signed, .. } => {
                let bytes = self.values(column, 1, &rows, *index_bytes)?;
                let known = self.dictionaries.get(id).map(Vec::as_slice).unwrap_or_default();
                let indices = bytes.chunks_exact(*index_bytes).enumerate();
                let entry = |(row, index): (usize, &[u8])| {
                    if !is_there(row) {
                        return Ok(None);
                    }
                    let index = index_of(index, *is_signed);
                    let found = index.and_then(|index| known.get(index)).cloned();
                    found.ok_or_else(|| Corrupt(format!("its dictionary has no entry for row {row}")))
                };
                indices.map(entry).collect()
            }
            _ => Err(Corrupt("it holds no text".to_owned())),
        }
    }

    /// Rows of a column of views: short texts in place, long ones in buffers of their own.
    fn views(
        &mut self,
        column: &Column,
        rows: &Range<usize>,
        is_there: &dyn Fn(usize) -> bool,
    ) -> Result<Vec<Option<String>>, Corrupt> {
        let views = self.values(column, 1, rows, VIEW)?;
        let buffers = column.view_buffers(self.batch).unwrap_or_default();
        let mut texts = Vec::with_capacity(rows.len());
        for (row, view) in views.as_chunks::<VIEW>().0.iter().enumerate() {
            let part =
                |place: usize| u32::from_le_bytes([view[place], view[place + 1], view[place + 2], view[place + 3]]);
            let length = part(0) as usize;
            let found = if !is_there(row) {
                None
            } else if length <= INLINE {
                text(&view[4..4 + length], row, true)?
            } else {
                let (buffer, offset) = (part(8) as usize, u64::from(part(12)));
                if buffer >= buffers {
                    return Err(Corrupt(format!("the text of row {row} lies in no buffer")));
                }
                let bytes = self.read(column, 2 + buffer, offset..offset + length as u64)?;
                text(&bytes, row, true)?
            };
            texts.push(found);
        }
        Ok(texts)
    }
}

fn text(bytes: &[u8], row: usize, is_there: bool) -> Result<Option<String>, Corrupt> {
    if !is_there {
        return Ok(None);
    }
    let text = str::from_utf8(bytes).map_err(|_| Corrupt(format!("the text of row {row} is not UTF-8")))?;
    Ok(Some(text.to_owned()))
}

fn index_of(bytes: &[u8], is_signed: bool) -> Option<usize> {
    let is_negative = is_signed && bytes.last().is_some_and(|last| *last >= 0x80);
    let mut all = [0; 8];
    all.get_mut(..bytes.len())?.copy_from_slice(bytes);
    (!is_negative).then(|| usize::try_from(u64::from_le_bytes(all)).ok())?
}

fn primitive<T: ArrowPrimitiveType, const SIZE: usize>(
    bytes: &[u8],
    of: impl Fn([u8; SIZE]) -> T::Native,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef, Corrupt> {
    let values: Vec<T::Native> = bytes.as_chunks::<SIZE>().0.iter().map(|bytes| of(*bytes)).collect();
    Ok(Arc::new(PrimitiveArray::<T>::try_new(values.into(), nulls).map_err(wrong)?))
}

fn numbers(data_type: &DataType, bytes: &[u8], nulls: Option<NullBuffer>) -> Result<ArrayRef, Corrupt> {
    match data_type {
        DataType::Int8 => primitive::<Int8Type, 1>(bytes, i8::from_le_bytes, nulls),
        DataType::Int16 => primitive::<Int16Type, 2>(bytes, i16::from_le_bytes, nulls),
        DataType::Int32 => primitive::<Int32Type, 4>(bytes, i32::from_le_bytes, nulls),
        DataType::Int64 => primitive::<Int64Type, 8>(bytes, i64::from_le_bytes, nulls),
        DataType::UInt8 => primitive::<UInt8Type, 1>(bytes, u8::from_le_bytes, nulls),
        DataType::UInt16 => primitive::<UInt16Type, 2>(bytes, u16::from_le_bytes, nulls),
        DataType::UInt32 => primitive::<UInt32Type, 4>(bytes, u32::from_le_bytes, nulls),
        DataType::UInt64 => primitive::<UInt64Type, 8>(bytes, u64::from_le_bytes, nulls),
        DataType::Float16 => primitive::<Float16Type, 2>(bytes, f16::from_le_bytes, nulls),
        DataType::Float32 => primitive::<Float32Type, 4>(bytes, f32::from_le_bytes, nulls),
        DataType::Float64 => primitive::<Float64Type, 8>(bytes, f64::from_le_bytes, nulls),
        DataType::Date32 => primitive::<Date32Type, 4>(bytes, i32::from_le_bytes, nulls),
        DataType::Timestamp(TimeUnit::Second, _) => {
            primitive::<TimestampSecondType, 8>(bytes, i64::from_le_bytes, nulls)
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            primitive::<TimestampMillisecondType, 8>(bytes, i64::from_le_bytes, nulls)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            primitive::<TimestampMicrosecondType, 8>(bytes, i64::from_le_bytes, nulls)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            primitive::<TimestampNanosecondType, 8>(bytes, i64::from_le_bytes, nulls)
        }
        other => Err(Corrupt(format!("values of type {other} are not read"))),
    }
}
