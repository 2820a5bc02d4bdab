//! `.arrow`, `.feather`: a table in the file format of Arrow IPC (Feather version 2).
//!
//! The crate `arrow-ipc` gives the verified view of the headers. Columns are taken from their places in the file here:
//! its own decoder panics where lengths and offsets lie, and needs whole record batches in memory.
//! Specification: "Arrow Columnar Format", sections "Serialization and Interprocess Communication" and "IPC File Format".

mod bodies;
mod decode;
mod layout;
mod messages;

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Range;

use bytes::Bytes;

use self::bodies::{Bodies, Place};
use self::decode::Decoder;
use self::layout::{Column, columns};
use self::messages::{Batch, Block, footer_of, message_at};
use super::by_rows::positioned::Positioned;
use super::by_rows::{ByRows, NotOpened};
use super::table::{ColumnType, Table, TableFile, Take};
use super::{AllRows, Opened};
use crate::features::array::Corrupt;

/// Rows decoded at a time, at most.
const MOST_ROWS: usize = 8192;

/// Columns times rows decoded at a time, unless a single row has more.
const MOST_VALUES: usize = 1 << 18;

struct ArrowTable {
    bodies: Bodies,
    columns: Vec<Column>,
    types: Vec<ColumnType>,
    /// The strings of every dictionary, by its id.
    dictionaries: BTreeMap<i64, Vec<Option<String>>>,
    batches: Vec<Batch>,
    texts: BTreeMap<String, String>,
    rows: usize,
}

pub(super) fn open(bytes: &[u8]) -> Opened<'_> {
    let place = Place::Bytes(Bytes::copy_from_slice(bytes));
    Ok(Box::new(AllRows(TableFile::open(ArrowTable::new(place)?)?)))
}

pub(super) fn open_by_rows(file: File) -> Result<Box<dyn ByRows>, NotOpened> {
    let place = Place::File(Positioned::new(file)?);
    TableFile::open(ArrowTable::new(place)?)
}

impl ArrowTable {
    fn new(mut place: Place) -> Result<Self, Corrupt> {
        let footer = footer_of(&mut place)?;
        let columns = columns(&footer.fields);
        let types = columns.iter().map(Column::column_type).collect();
        let read = |place: &mut Place, blocks: &[Block]| -> Result<Vec<Batch>, Corrupt> {
            blocks.iter().map(|block| message_at(place, *block)).collect()
        };
        let of_dictionaries = read(&mut place, &footer.dictionaries)?;
        let batches = read(&mut place, &footer.batches)?;
        let rows = batches.iter().try_fold(0_usize, |sum, batch| sum.checked_add(batch.rows));
        let rows = rows.ok_or_else(|| Corrupt("its batches have more rows than any memory".to_owned()))?;
        let mut table = Self {
            bodies: Bodies::new(place),
            columns,
            types,
            dictionaries: BTreeMap::new(),
            batches,
            texts: footer.texts,
            rows,
        };
        table.read_dictionaries(&of_dictionaries)?;
        Ok(table)
    }

    fn read_dictionaries(&mut self, batches: &[Batch]) -> Result<(), Corrupt> {
        for (place, batch) in batches.iter().enumerate() {
            let Some((id, is_delta)) = batch.dictionary else {
                return Err(Corrupt("a batch of rows stands among its dictionaries".to_owned()));
            };
            // Dictionaries of what is no text are of columns that are left alone.
            let Some(values) = self.columns.iter().find_map(|column| column.dictionary_values(id)) else { continue };
            // Their places are counted after those of the batches.
            let mut decoder = Decoder::new(&mut self.bodies, batch, self.batches.len() + place, &self.dictionaries);
            let texts = decoder.texts(&values, 0..batch.rows)?;
            let known = self.dictionaries.entry(id).or_default();
            if !known.is_empty() && !is_delta {
                return Err(Corrupt(format!("its dictionary {id} is there twice")));
            }
            known.extend(texts);
        }
        self.bodies.forget();
        Ok(())
    }
}

impl Table for ArrowTable {
    fn rows(&self) -> usize {
        self.rows
    }

    fn columns(&self) -> &[ColumnType] {
        &self.types
    }

    fn read(&mut self, _cursor: &str, columns: &[usize], rows: Range<usize>, take: Take<'_>) -> Result<(), Corrupt> {
        let width = columns.iter().map(|column| self.columns[*column].width()).sum::<usize>().max(1);
        let most = (MOST_VALUES / width).clamp(1, MOST_ROWS);
        let mut first = 0;
        for (place, batch) in self.batches.iter().enumerate() {
            let (start, end) = (rows.start.max(first), rows.end.min(first + batch.rows));
            let mut at = start;
            while at < end {
                let next = end.min(at + most);
                let mut decoder = Decoder::new(&mut self.bodies, batch, place, &self.dictionaries);
                let part: Vec<_> = columns
                    .iter()
                    .map(|column| {
                        let column = &self.columns[*column];
                        decoder.column(column, at - first..next - first).map_err(|corrupt| corrupt.inside(&column.name))
                    })
                    .collect::<Result<_, _>>()?;
                take(&part)?;
                at = next;
            }
            first += batch.rows;
            if first >= rows.end {
                break;
            }
        }
        Ok(())
    }

    fn metadata(&self, key: &str) -> Option<&str> {
        self.texts.get(key).map(String::as_str)
    }
}
