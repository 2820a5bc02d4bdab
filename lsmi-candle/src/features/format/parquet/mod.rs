//! `.parquet`: the columns of a table, decoded some rows at a time.
//!
//! Lists come back as Parquet has them, whatever Arrow type they were written from: fixed-size lists and lists are one.
//! Those of floating-point numbers are first read as what features are (see [`lists`]), all else by way of Arrow.

mod lists;

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use ::parquet::column::page::PageReader;
use ::parquet::data_type::{DoubleType, FloatType};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::ParquetMetaData;
use ::parquet::file::reader::ChunkReader;
use ::parquet::file::serialized_reader::SerializedPageReader;
use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{Array as _, ArrayRef};
use arrow_schema::DataType;
use bytes::Bytes;

use self::lists::{Lists, ListsOf};
use super::Opened;
use super::input::Input;
use super::table::{ColumnType, Table, TableFile, Take};
use crate::features::array::Corrupt;
use crate::guarded::guarded;

/// Rows decoded at a time, at most.
const MOST_ROWS: usize = 8192;

/// Values decoded at a time, unless a single row has more.
const MOST_VALUES: usize = 1 << 18;

/// A table in memory or on disk.
struct ParquetTable<R> {
    reader: R,
    metadata: ArrowReaderMetadata,
    columns: Vec<ColumnType>,
    rows: usize,
    texts: BTreeMap<String, String>,
    cursors: BTreeMap<String, Cursor>,
}

/// Columns read up to some row.
struct Cursor {
    columns: Vec<usize>,
    decoder: Decoder,
    /// Rows that were decoded, but not wanted yet.
    left: Option<Vec<ArrayRef>>,
    next: usize,
}

/// The source of the next rows.
enum Decoder {
    /// A column of lists, until one of them is not like the others.
    Lists(Box<dyn Lists>),
    Batches(ParquetRecordBatchReader),
}

/// A reader that can be duplicated to read several columns at once.
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

pub(super) fn open(input: &Input) -> Opened {
    match input {
        Input::Memory(bytes) => TableFile::open(ParquetTable::new(bytes.clone())?),
        Input::File(path) => TableFile::open(ParquetTable::new(File::open(path)?)?),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the signature of map_err")]
fn unreadable(error: ParquetError) -> Corrupt {
    Corrupt(error.to_string())
}

/// Does work of the `parquet` crate, which panics where pages are not what it expects: indices without a dictionary, for
/// one.
fn checked<T>(work: impl FnOnce() -> Result<T, Corrupt>) -> Result<T, Corrupt> {
    guarded(work).unwrap_or_else(|| Err(Corrupt("its pages are not what they announce".to_owned())))
}

/// Checks that every column lies within the file: the `parquet` crate panics where a place is negative.
fn check_places(metadata: &ParquetMetaData, length: u64) -> Result<(), Corrupt> {
    for group in metadata.row_groups() {
        for chunk in group.columns() {
            let places = [Some(chunk.data_page_offset()), chunk.dictionary_page_offset(), chunk.index_page_offset()];
            let size = chunk.compressed_size();
            let end = |start: i64| u64::try_from(start).ok()?.checked_add(u64::try_from(size).ok()?);
            let start = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset());
            let is_negative = places.into_iter().flatten().chain([chunk.num_values()]).any(|place| place < 0);
            if is_negative || end(start).is_none_or(|end| end > length) {
                let column = chunk.column_path().string();
                return Err(Corrupt(format!(
                    "the {size} bytes of `{column}` at {start} are not within the file's {length} bytes"
                )));
            }
        }
    }
    Ok(())
}

impl<R: Reader> ParquetTable<R> {
    fn new(reader: R) -> Result<Self, Corrupt> {
        // The Arrow types that the writer had are left alone: Parquet's own are few and say the same.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = checked(|| ArrowReaderMetadata::load(&reader, options).map_err(unreadable))?;
        check_places(metadata.metadata(), reader.len())?;
        let of_groups = metadata.metadata().row_groups().iter().map(|group| usize::try_from(group.num_rows()));
        let rows = of_groups.into_iter().try_fold(0_usize, |sum, rows| sum.checked_add(rows.ok()?));
        let announced = metadata.metadata().file_metadata().num_rows();
        let rows = rows.filter(|rows| i64::try_from(*rows) == Ok(announced));
        let rows = rows.ok_or_else(|| Corrupt(format!("its row groups do not have the {announced} rows announced")))?;
        let texts = metadata.metadata().file_metadata().key_value_metadata().into_iter().flatten();
        let texts = texts.filter_map(|pair| Some((pair.key.clone(), pair.value.clone()?))).collect();
        let fields = metadata.schema().fields().iter();
        let columns = fields
            .map(|field| ColumnType { name: field.name().trim().to_owned(), data_type: field.data_type().clone() });
        let columns = columns.collect();
        Ok(Self { reader, metadata, columns, rows, texts, cursors: BTreeMap::new() })
    }

    /// Finds the row groups from that of a row on, and the number of their first row.
    fn groups_from(&self, row: usize) -> (Vec<usize>, usize) {
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
        (groups, before)
    }

    /// Opens a cursor at a row.
    fn cursor(&self, columns: &[usize], row: usize) -> Result<Cursor, Corrupt> {
        let decoder = match self.lists(columns, row)? {
            Some(lists) => Decoder::Lists(lists),
            None => Decoder::Batches(self.batches(columns, row)?),
        };
        Ok(Cursor { columns: columns.to_vec(), decoder, left: None, next: row })
    }

    /// Opens columns from a row on.
    fn batches(&self, columns: &[usize], row: usize) -> Result<ParquetRecordBatchReader, Corrupt> {
        let (groups, before) = self.groups_from(row);
        let batch_rows = (MOST_VALUES / self.values_in_a_row(columns, &groups)).clamp(1, MOST_ROWS);
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), columns.iter().copied());
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.reader.another()?, self.metadata.clone());
        let builder = builder.with_projection(mask).with_row_groups(groups).with_batch_size(batch_rows);
        checked(|| builder.with_offset(row - before).build().map_err(unreadable))
    }

    /// Opens one column of lists of floating-point numbers from a row on. Returns `None` for other columns.
    fn lists(&self, columns: &[usize], row: usize) -> Result<Option<Box<dyn Lists>>, Corrupt> {
        let [column] = columns else { return Ok(None) };
        let DataType::List(field) = &self.columns[*column].data_type else { return Ok(None) };
        let schema = self.metadata.parquet_schema();
        let leaf = (0..schema.num_columns()).find(|leaf| schema.get_column_root_idx(*leaf) == *column);
        let Some(leaf) = leaf else { return Ok(None) };
        let (groups, before) = self.groups_from(row);
        let at_a_time = (MOST_VALUES / self.values_in_a_row(columns, &groups)).clamp(1, MOST_ROWS);
        checked(|| {
            let reader = Arc::new(self.reader.another()?);
            let mut pages: Vec<Box<dyn PageReader>> = Vec::new();
            for group in groups {
                let group = self.metadata.metadata().row_group(group);
                let rows = usize::try_from(group.num_rows()).unwrap_or_default();
                let of_group = SerializedPageReader::new(Arc::clone(&reader), group.column(leaf), rows, None);
                pages.push(Box::new(of_group.map_err(unreadable)?));
            }
            let (descriptor, field, skipped) = (schema.column(leaf), Arc::clone(field), row - before);
            let lists: Result<Box<dyn Lists>, ParquetError> = match field.data_type() {
                DataType::Float32 => {
                    ListsOf::<FloatType, Float32Type>::new(descriptor, field, pages, skipped, at_a_time)
                        .map(|lists| Box::new(lists) as _)
                }
                DataType::Float64 => {
                    ListsOf::<DoubleType, Float64Type>::new(descriptor, field, pages, skipped, at_a_time)
                        .map(|lists| Box::new(lists) as _)
                }
                _ => return Ok(None),
            };
            lists.map(Some).map_err(unreadable)
        })
    }

    /// Estimates the number of values in a row of these columns by the footer.
    fn values_in_a_row(&self, columns: &[usize], groups: &[usize]) -> usize {
        let schema = self.metadata.parquet_schema();
        let Some(group) = groups.first().map(|group| self.metadata.metadata().row_group(*group)) else { return 1 };
        let rows = group.num_rows().max(1);
        let is_one = columns.len() == 1;
        let of_leaf = |leaf: usize| match group.columns().get(leaf) {
            // Only one column at a time is one of lists.
            Some(chunk) if is_one => usize::try_from(chunk.num_values() / rows).unwrap_or(1).max(1),
            _ => 1,
        };
        let leaves = 0..schema.num_columns();
        match columns {
            [only] => {
                leaves.filter(|leaf| schema.get_column_root_idx(*leaf) == *only).map(of_leaf).sum::<usize>().max(1)
            }
            several => several.len().max(1),
        }
    }
}

impl Cursor {
    /// Reads up to `most` rows. Returns `None` at the end of the table.
    fn take(&mut self, most: usize) -> Result<Option<Vec<ArrayRef>>, Corrupt> {
        let there = match self.left.take() {
            Some(left) => Some(left),
            None => self.decode(most)?,
        };
        let Some(there) = there else { return Ok(None) };
        let rows = there.first().map_or(0, arrow_array::Array::len);
        if rows <= most {
            return Ok(Some(there));
        }
        self.left = Some(there.iter().map(|column| column.slice(most, rows - most)).collect());
        Ok(Some(there.iter().map(|column| column.slice(0, most)).collect()))
    }

    fn decode(&mut self, most: usize) -> Result<Option<Vec<ArrayRef>>, Corrupt> {
        let decoded = checked(|| match &mut self.decoder {
            Decoder::Lists(lists) => Ok(lists.take(most).map_err(unreadable)?.map(|lists| vec![lists])),
            Decoder::Batches(batches) => {
                let batch = batches.next().transpose().map_err(|error| Corrupt(error.to_string()))?;
                Ok(batch.map(|batch| batch.columns().to_vec()))
            }
        })?;
        decoded.map(|columns| self.in_order(&columns)).transpose()
    }

    /// Puts columns into the order asked for; Parquet has them in the order of the file.
    fn in_order(&self, columns: &[ArrayRef]) -> Result<Vec<ArrayRef>, Corrupt> {
        let mut sorted = self.columns.clone();
        sorted.sort_unstable();
        let place = |column: &usize| columns.get(sorted.binary_search(column).ok()?).cloned();
        let found: Option<Vec<ArrayRef>> = self.columns.iter().map(place).collect();
        found.ok_or_else(|| Corrupt(format!("{} columns in place of {}", columns.len(), sorted.len())))
    }
}

impl<R: Reader + Send> Table for ParquetTable<R> {
    fn rows(&self) -> usize {
        self.rows
    }

    fn columns(&self) -> &[ColumnType] {
        &self.columns
    }

    fn read(&mut self, cursor: &str, columns: &[usize], rows: Range<usize>, take: Take<'_>) -> Result<(), Corrupt> {
        let mut at = match self.cursors.remove(cursor) {
            Some(at) if at.next == rows.start && at.columns == columns => at,
            _ => self.cursor(columns, rows.start)?,
        };
        while at.next < rows.end {
            let part = at.take(rows.end - at.next)?;
            if part.is_none() && matches!(at.decoder, Decoder::Lists(_)) {
                // What these rows are instead, Arrow's reader tells.
                at.decoder = Decoder::Batches(self.batches(columns, at.next)?);
                continue;
            }
            let length = part.as_ref().and_then(|part| Some(part.first()?.len())).unwrap_or_default();
            let Some(part) = part.filter(|_| length > 0) else {
                return Err(Corrupt(format!("it ends after {} of its {} rows", at.next, self.rows)));
            };
            at.next += length;
            take(&part)?;
        }
        self.cursors.insert(cursor.to_owned(), at);
        Ok(())
    }

    fn metadata(&self, key: &str) -> Option<&str> {
        self.texts.get(key).map(String::as_str)
    }
}
