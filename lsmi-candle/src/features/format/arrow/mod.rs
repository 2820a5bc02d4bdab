//! `.arrow`, `.feather`: a table in Arrow IPC, as a file (Feather version 2) or as a stream.
//!
//! The crate `arrow-ipc` decodes one batch of rows at a time, of which only the wanted columns are read. It trusts lengths and
//! offsets, so that these are compared with the file before ([`messages`], [`body`]), and its panics are caught.
//! Specification: "Arrow Columnar Format", section "Serialization and Interprocess Communication (IPC)".

mod body;
mod messages;

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, LargeStringArray};
use arrow_ipc::MetadataVersion;
use arrow_ipc::reader::{RecordBatchDecoder, read_dictionary};
use arrow_schema::{ArrowError, DataType, SchemaRef};
use arrow_select::take::take;

use self::body::buffers_of;
use self::messages::{Block, batch_of, contents_of, message_in, read_message, rows_of};
use super::Opened;
use super::input::{Input, Positioned};
use super::table::{ColumnType, Table, TableFile, Take};
use crate::features::array::Corrupt;
use crate::guarded::guarded;

/// Rows passed on at a time, at most.
const MOST_ROWS: usize = 8192;

struct ArrowTable {
    file: Positioned,
    schema: SchemaRef,
    columns: Vec<ColumnType>,
    dictionaries: HashMap<i64, ArrayRef>,
    /// Places and numbers of rows.
    batches: Vec<(Block, usize)>,
    rows: usize,
    cursors: BTreeMap<String, Decoded>,
}

/// Columns of a batch that was read last.
struct Decoded {
    batch: usize,
    columns: Vec<usize>,
    arrays: Vec<ArrayRef>,
}

pub(super) fn open(input: &Input) -> Opened {
    TableFile::open(ArrowTable::new(Positioned::open(input)?)?)
}

/// Does work of the crate `arrow-ipc`.
fn checked<T>(work: impl FnOnce() -> Result<T, ArrowError>) -> Result<T, Corrupt> {
    let done = guarded(work).ok_or_else(|| Corrupt("its batches are not what they announce".to_owned()))?;
    done.map_err(|error| Corrupt(error.to_string()))
}

impl ArrowTable {
    fn new(mut file: Positioned) -> Result<Self, Corrupt> {
        let contents = contents_of(&mut file)?;
        let schema = contents.schema;
        let column = |name: &String, data_type| ColumnType { name: name.trim().to_owned(), data_type };
        let columns = schema.fields().iter().map(|field| column(field.name(), plain_type(field.data_type()))).collect();
        let mut dictionaries = HashMap::new();
        for block in contents.dictionaries {
            let bytes = read_message(&mut file, block)?;
            let message = message_in(&bytes)?;
            let values = message.header_as_dictionary_batch();
            let values = values.ok_or_else(|| Corrupt("one of its dictionaries is none".to_owned()))?;
            let (id, batch) = (values.id(), batch_of(&message, block.body)?);
            // Dictionaries of other values belong to columns that are not read.
            if !contents.text_dictionaries.contains(&id) {
                continue;
            }
            if dictionaries.contains_key(&id) && !values.isDelta() {
                return Err(Corrupt(format!("its dictionary {id} is there twice")));
            }
            let all: Vec<usize> = (0..batch.buffers().map_or(0, |buffers| buffers.len())).collect();
            let body = body::read(&mut file, block, &batch, &all)?;
            checked(|| read_dictionary(&body, values, &schema, &mut dictionaries, &message.version()))?;
        }
        let mut batches = Vec::new();
        for block in contents.batches {
            batches.push((block, rows_of(&batch_of(&message_in(&read_message(&mut file, block)?)?, block.body)?)?));
        }
        let rows = batches.iter().try_fold(0_usize, |sum, (_, rows)| sum.checked_add(*rows));
        let rows = rows.ok_or_else(|| Corrupt("its batches have more rows than any memory".to_owned()))?;
        Ok(Self { file, schema, columns, dictionaries, batches, rows, cursors: BTreeMap::new() })
    }

    /// Decodes columns of a batch.
    fn decode(&mut self, batch: usize, columns: &[usize]) -> Result<Decoded, Corrupt> {
        let (block, _) = self.batches[batch];
        let bytes = read_message(&mut self.file, block)?;
        let message = message_in(&bytes)?;
        let (version, header) = (message.version(), batch_of(&message, block.body)?);
        let wanted = buffers_of(&self.schema, columns, &header, version == MetadataVersion::V4);
        let body = body::read(&mut self.file, block, &header, &wanted)?;
        let decoded = checked(|| {
            RecordBatchDecoder::try_new(&body, header, Arc::clone(&self.schema), &self.dictionaries, &version)?
                .with_projection(Some(columns))
                .read_record_batch()
        })?;
        Ok(Decoded { batch, columns: columns.to_vec(), arrays: decoded.columns().to_vec() })
    }
}

impl Table for ArrowTable {
    fn rows(&self) -> usize {
        self.rows
    }

    fn columns(&self) -> &[ColumnType] {
        &self.columns
    }

    fn read(&mut self, cursor: &str, columns: &[usize], rows: Range<usize>, pass_on: Take<'_>) -> Result<(), Corrupt> {
        let mut first = 0;
        for batch in 0..self.batches.len() {
            let last = first + self.batches[batch].1;
            let (mut at, end) = (rows.start.max(first), rows.end.min(last));
            if at < end {
                let decoded = match self.cursors.remove(cursor) {
                    Some(decoded) if decoded.batch == batch && decoded.columns == columns => decoded,
                    _ => self.decode(batch, columns)?,
                };
                while at < end {
                    let length = MOST_ROWS.min(end - at);
                    let part = decoded.arrays.iter().map(|column| plain(&column.slice(at - first, length)));
                    pass_on(&part.collect::<Result<Vec<_>, _>>()?)?;
                    at += length;
                }
                // Only while there are rows in it that were not read.
                if end < last {
                    self.cursors.insert(cursor.to_owned(), decoded);
                }
            }
            first = last;
            if first >= rows.end {
                break;
            }
        }
        Ok(())
    }

    fn metadata(&self, key: &str) -> Option<&str> {
        self.schema.metadata().get(key).map(String::as_str)
    }
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// Returns the type in which a column is passed on: views and dictionaries of text become plain text.
fn plain_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View => DataType::LargeUtf8,
        DataType::Dictionary(_, values) if is_text(values) => DataType::LargeUtf8,
        other => other.clone(),
    }
}

/// Converts rows to the type of [`plain_type`].
fn plain(column: &ArrayRef) -> Result<ArrayRef, Corrupt> {
    let text = |column: &ArrayRef| -> LargeStringArray {
        match column.data_type() {
            DataType::Utf8 => column.as_string::<i32>().iter().collect(),
            DataType::Utf8View => column.as_string_view().iter().collect(),
            _ => column.as_string::<i64>().clone(),
        }
    };
    match column.data_type() {
        DataType::Utf8View => Ok(Arc::new(text(column))),
        DataType::Dictionary(_, values) if is_text(values) => {
            let column = column.as_any_dictionary();
            let values = checked(|| take(column.values(), column.keys(), None))?;
            Ok(Arc::new(text(&values)))
        }
        _ => Ok(Arc::clone(column)),
    }
}
