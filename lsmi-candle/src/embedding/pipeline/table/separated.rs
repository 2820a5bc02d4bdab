//! Rows of CSV and TSV: the separator and a byte order mark are found as in feature files.

use std::fs::File;
use std::path::Path;

use csv::{ByteRecord, StringRecord};

use super::{Columns, Fields, Input, Places, Source, TableError, unreadable};
use crate::features::{TextTable, TextTableError};

/// The rows of a table of text.
pub(super) struct Separated {
    file: String,
    table: TextTable,
    places: Places,
}

impl Separated {
    pub(super) fn open(path: &Path, columns: &Columns) -> Result<Self, TableError> {
        let file = path.display().to_string();
        let opened = File::open(path).map_err(TextTableError::Read).and_then(TextTable::open);
        let table = opened.map_err(|error| in_file(&file, 0, error))?;
        let names: Vec<&str> = table.columns().iter().map(String::as_str).collect();
        let places = Places::find(&file, &names, columns)?;
        Ok(Self { file, table, places })
    }
}

/// Names the file, and the row where the error is about one.
fn in_file(file: &str, row: usize, error: TextTableError) -> TableError {
    match error {
        TextTableError::Read(source) => TableError::Read { file: file.to_owned(), source },
        TextTableError::NotText => TableError::NotText { file: file.to_owned() },
        TextTableError::Row(error) => unreadable(file, row, &error),
        error => unreadable(file, row, &error),
    }
}

impl Source for Separated {
    fn next(&mut self, row: usize) -> Option<Result<Fields, TableError>> {
        let mut bytes = ByteRecord::new();
        match self.table.read(&mut bytes) {
            Ok(false) => None,
            Ok(true) => Some(match StringRecord::from_byte_record(bytes) {
                Ok(record) => {
                    let at = |place: usize| record.get(place).unwrap_or_default().to_owned();
                    Ok(self.places.fields(|place| Input::Text(at(place)), at))
                }
                Err(error) => Err(unreadable(&self.file, row, &error)),
            }),
            Err(error) => Some(Err(in_file(&self.file, row, error))),
        }
    }
}
