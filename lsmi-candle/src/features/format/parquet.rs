//! `.parquet`: a table of which every column is an array.
//!
//! A column of numbers or strings has one value a row. A column of lists of numbers, all of one length, is a matrix.
//! Lists come back as Parquet has them, whatever Arrow type they were written from: fixed-size lists and lists are one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::ops::Range;

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use ::parquet::errors::ParquetError;
use ::parquet::file::reader::ChunkReader;
use arrow_array::{Array as _, ArrayRef};
use arrow_schema::DataType;
use bytes::Bytes;

use super::by_rows::ByRows;
use super::{Container, Opened};
use crate::features::array::{Array, Corrupt, Kind, Outline, Values};
use crate::features::columns::{Column, kind_of};

/// Rows decoded at a time.
const BATCH: usize = 8192;

/// A table in memory or on disk.
struct ParquetFile<R> {
    reader: R,
    metadata: ArrowReaderMetadata,
    rows: usize,
    texts: BTreeMap<String, String>,
    cursors: BTreeMap<String, Cursor>,
}

/// A column read up to some row.
struct Cursor {
    batches: ParquetRecordBatchReader,
    /// Rows that were decoded, but not wanted yet.
    left: Option<ArrayRef>,
    next: usize,
}

/// What is duplicated to read several columns at once.
trait Reader: ChunkReader + Sized + 'static {
    fn another(&self) -> Result<Self, Corrupt>;
}

impl Reader for Bytes {
    fn another(&self) -> Result<Self, Corrupt> {
        Ok(self.clone())
    }
}

impl Reader for File {
    fn another(&self) -> Result<Self, Corrupt> {
        self.try_clone().map_err(|error| Corrupt(format!("it cannot be opened once more: {error}")))
    }
}

pub(super) fn open(bytes: &[u8]) -> Opened<'_> {
    Ok(Box::new(ParquetFile::new(Bytes::copy_from_slice(bytes))?))
}

pub(super) fn open_by_rows(file: File) -> Result<Box<dyn ByRows>, Corrupt> {
    Ok(Box::new(ParquetFile::new(file)?))
}

#[expect(clippy::needless_pass_by_value, reason = "the signature of map_err")]
fn unreadable(error: ParquetError) -> Corrupt {
    Corrupt(error.to_string())
}

impl<R: Reader> ParquetFile<R> {
    fn new(reader: R) -> Result<Self, Corrupt> {
        // The Arrow types that the writer had are left alone: Parquet's own are few and say the same.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = ArrowReaderMetadata::load(&reader, options).map_err(unreadable)?;
        let of_groups = metadata.metadata().row_groups().iter().map(|group| usize::try_from(group.num_rows()));
        let rows = of_groups.into_iter().try_fold(0_usize, |sum, rows| sum.checked_add(rows.ok()?));
        let announced = metadata.metadata().file_metadata().num_rows();
        let rows = rows.filter(|rows| i64::try_from(*rows) == Ok(announced));
        let rows = rows.ok_or_else(|| Corrupt(format!("its row groups do not have the {announced} rows announced")))?;
        let texts = metadata.metadata().file_metadata().key_value_metadata().into_iter().flatten();
        let texts = texts.filter_map(|pair| Some((pair.key.clone(), pair.value.clone()?))).collect();
        Ok(Self { reader, metadata, rows, texts, cursors: BTreeMap::new() })
    }

    fn column_names(&self) -> BTreeSet<String> {
        self.metadata.schema().fields().iter().map(|field| field.name().clone()).collect()
    }

    fn place(&self, name: &str) -> Result<usize, Corrupt> {
        self.metadata.schema().index_of(name).map_err(|_| Corrupt(format!("there is no column `{name}`")))
    }

    fn data_type(&self, name: &str) -> Result<DataType, Corrupt> {
        Ok(self.metadata.schema().field(self.place(name)?).data_type().clone())
    }

    /// A cursor at a row.
    fn cursor(&self, name: &str, row: usize) -> Result<Cursor, Corrupt> {
        let mut before = 0;
        let mut groups = Vec::new();
        for (index, group) in self.metadata.metadata().row_groups().iter().enumerate() {
            let rows = usize::try_from(group.num_rows()).unwrap_or_default();
            if groups.is_empty() && before + rows <= row {
                before += rows;
            } else {
                groups.push(index);
            }
        }
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), [self.place(name)?]);
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.reader.another()?, self.metadata.clone());
        let builder = builder.with_projection(mask).with_row_groups(groups).with_batch_size(BATCH);
        let batches = builder.with_offset(row - before).build().map_err(unreadable)?;
        Ok(Cursor { batches, left: None, next: row })
    }

    fn read(&mut self, name: &str, rows: Range<usize>) -> Result<Array<'static>, Corrupt> {
        let kind = kind_of(&self.data_type(name)?);
        if let Kind::Other(what) = kind {
            return Ok(Array { shape: vec![rows.len()], values: Values::Other(what) });
        }
        let mut cursor = match self.cursors.remove(name) {
            Some(cursor) if cursor.next == rows.start => cursor,
            _ => self.cursor(name, rows.start)?,
        };
        let mut column = Column::new(&self.data_type(name)?);
        while cursor.next < rows.end {
            let Some(part) = cursor.take(rows.end - cursor.next)? else {
                return Err(Corrupt(format!("it ends after {} of its {} rows", cursor.next, self.rows)));
            };
            cursor.next += part.len();
            column.extend(&part)?;
        }
        self.cursors.insert(name.to_owned(), cursor);
        column.array()
    }
}

impl Cursor {
    /// The next rows, at most so many; none at the end.
    fn take(&mut self, most: usize) -> Result<Option<ArrayRef>, Corrupt> {
        let there = match self.left.take() {
            Some(left) => left,
            None => match self.batches.next() {
                Some(batch) => batch.map_err(|error| Corrupt(error.to_string()))?.column(0).clone(),
                None => return Ok(None),
            },
        };
        if there.len() <= most {
            return Ok(Some(there));
        }
        self.left = Some(there.slice(most, there.len() - most));
        Ok(Some(there.slice(0, most)))
    }
}

impl<R: Reader> Container for ParquetFile<R> {
    fn names(&self) -> BTreeSet<String> {
        self.column_names()
    }

    fn array(&mut self, name: &str) -> Result<Array<'_>, Corrupt> {
        self.read(name, 0..self.rows).map_err(|corrupt| corrupt.inside(name))
    }

    fn metadata(&self, key: &str) -> Option<&str> {
        self.texts.get(key).map(String::as_str)
    }
}

impl<R: Reader + Send> ByRows for ParquetFile<R> {
    fn names(&self) -> BTreeSet<String> {
        self.column_names()
    }

    /// How wide a column of lists is, its first row tells.
    fn outline(&mut self, name: &str) -> Result<Outline, Corrupt> {
        let first = self.read(name, 0..self.rows.min(1)).map_err(|corrupt| corrupt.inside(name))?;
        let kind = kind_of(&self.data_type(name)?);
        let shape = std::iter::once(self.rows).chain(first.shape.into_iter().skip(1)).collect();
        Ok(Outline { shape, kind })
    }

    fn rows(&mut self, name: &str, rows: Range<usize>) -> Result<Array<'static>, Corrupt> {
        self.read(name, rows).map_err(|corrupt| corrupt.inside(name))
    }

    fn metadata(&self, key: &str) -> Option<&str> {
        self.texts.get(key).map(String::as_str)
    }
}
