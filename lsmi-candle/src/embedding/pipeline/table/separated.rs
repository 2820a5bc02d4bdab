//! Rows of CSV and TSV: the separator and a byte order mark are found as in feature files.

use std::fs::File;
use std::path::Path;

use csv::{ByteRecord, StringRecord};

use super::{Columns, Fields, Input, Places, Source, TableError, unreadable};
use crate::features::{Records, records_of};

/// The rows of a table of text.
pub(super) struct Separated {
    file: String,
    records: Records,
    places: Places,
}

impl Separated {
    pub(super) fn open(path: &Path, columns: &Columns) -> Result<Self, TableError> {
        let file = path.display().to_string();
        let read = |source| TableError::Read { file: file.clone(), source };
        let mut records = records_of(File::open(path).map_err(read)?).map_err(read)?;
        let mut header = ByteRecord::new();
        records.read_byte_record(&mut header).map_err(|error| unreadable(&file, 0, &error))?;
        let bytes = header.as_slice();
        // Either the mark of UTF-16, or the half of a letter that is 0.
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") || bytes.contains(&0) {
            return Err(TableError::NotText { file });
        }
        let header = StringRecord::from_byte_record(header).map_err(|error| unreadable(&file, 0, &error))?;
        let names: Vec<&str> = header.iter().map(str::trim).collect();
        let places = Places::find(&file, &names, columns)?;
        Ok(Self { file, records, places })
    }
}

impl Source for Separated {
    fn next(&mut self, row: usize) -> Option<Result<Fields, TableError>> {
        let mut record = StringRecord::new();
        match self.records.read_record(&mut record) {
            Ok(false) => None,
            Ok(true) => {
                let at = |place: usize| record.get(place).unwrap_or_default().to_owned();
                Some(Ok(self.places.fields(|place| Input::Text(at(place)), at)))
            }
            Err(error) => Some(Err(unreadable(&self.file, row, &error))),
        }
    }
}
