//! Rows of Parquet: texts and whole numbers of any width, and files as bytes.

use std::fs::File;
use std::path::Path;

use arrow_array::RecordBatch;

use super::cells::{input_at, is_input};
use super::{Columns, Fields, Places, Source, TableError};
use crate::features::columns::text::{is_text, text_at};
use crate::files::Batches;

/// The rows of a Parquet file.
pub(super) struct Parquet {
    file: String,
    batches: Batches,
    batch: Option<RecordBatch>,
    /// The next row of the batch.
    row: usize,
    places: Places,
}

impl Parquet {
    pub(super) fn open(path: &Path, columns: &Columns) -> Result<Self, TableError> {
        let file = path.display().to_string();
        let opened = File::open(path).map_err(|source| TableError::Read { file: file.clone(), source })?;
        let batches = Batches::open(opened).map_err(|source| TableError::Parquet { file: file.clone(), source })?;
        let fields = batches.schema().fields();
        let names: Vec<&str> = fields.iter().map(|field| field.name().trim()).collect();
        let places = Places::find(&file, &names, columns)?;
        let is_readable = |place: usize| {
            let kind = fields[place].data_type();
            let mut inputs = places.inputs.iter().zip(&columns.inputs).filter(|(input, _)| **input == place);
            let is_other = Some(place) == places.label || Some(place) == places.id;
            inputs.all(|(_, column)| is_input(kind, column.modality)) && (!is_other || is_text(kind))
        };
        if let Some(field) = places.all().find(|place| !is_readable(*place)).map(|place| &fields[place]) {
            let (column, found) = (field.name().clone(), field.data_type().to_string());
            return Err(TableError::Type { file, column, found });
        }
        Ok(Self { file, batches, batch: None, row: 0, places })
    }
}

impl Source for Parquet {
    fn next(&mut self, row: usize) -> Option<Result<Fields, TableError>> {
        while self.batch.as_ref().is_none_or(|batch| self.row >= batch.num_rows()) {
            match self.batches.next()? {
                Ok(read) => (self.batch, self.row) = (Some(read), 0),
                Err(source) => return Some(Err(TableError::Parquet { file: self.file.clone(), source })),
            }
        }
        let (batch, place) = (self.batch.as_ref()?, self.row);
        let text = |column: usize| text_at(batch.column(column).as_ref(), place);
        let input = |column: usize| input_at(batch.column(column), place, || format!("in row {row}"));
        let fields = self.places.fields(input, text);
        self.row += 1;
        Some(Ok(fields))
    }
}
