//! Rows of Parquet: texts and whole numbers of any width, and files as bytes.

use std::fs::File;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;

use super::{Columns, Fields, Input, Places, Source, TableError, files};
use crate::embedding::encoders::Modality;
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
        let may_hold_files = |place: usize| {
            let mut inputs = places.inputs.iter().zip(&columns.inputs).filter(|(input, _)| **input == place);
            inputs.all(|(_, column)| column.modality != Modality::Text)
                && Some(place) != places.label
                && Some(place) != places.id
        };
        let is_unreadable = |place: &usize| {
            let kind = fields[*place].data_type();
            !(kind.is_integer() || *kind == DataType::Utf8 || may_hold_files(*place) && files::is_of_files(kind))
        };
        if let Some(field) = places.all().find(is_unreadable).map(|place| &fields[place]) {
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
        let input = |column: usize| {
            files::file_at(batch.column(column), place, row).unwrap_or_else(|| Input::Text(text(column)))
        };
        let fields = self.places.fields(input, text);
        self.row += 1;
        Some(Ok(fields))
    }
}

/// Returns the text or whole number of a row; empty where there is none.
fn text_at(array: &dyn Array, row: usize) -> String {
    if array.is_null(row) {
        return String::new();
    }
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Int8 => array.as_primitive::<Int8Type>().value(row).to_string(),
        DataType::Int16 => array.as_primitive::<Int16Type>().value(row).to_string(),
        DataType::Int32 => array.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::UInt8 => array.as_primitive::<UInt8Type>().value(row).to_string(),
        DataType::UInt16 => array.as_primitive::<UInt16Type>().value(row).to_string(),
        DataType::UInt32 => array.as_primitive::<UInt32Type>().value(row).to_string(),
        DataType::UInt64 => array.as_primitive::<UInt64Type>().value(row).to_string(),
        // Opening refuses all other types.
        _ => String::new(),
    }
}
