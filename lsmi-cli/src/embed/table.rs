//! The table of what is to be embedded: CSV, JSON lines or Parquet, read a few rows at a time.
//!
//! A row has the input of each modality (a path, or the text itself) and may have a label and an id.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_schema::DataType;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::batches::Batches;

/// Why a table cannot be used. Rows are counted from 1, the header aside.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum TableError {
    /// The file cannot be read.
    #[error("{file}: the table cannot be read; check the path and its permissions")]
    Read { file: String, source: std::io::Error },
    /// The extension names no format.
    #[error("{file}: the extension names no format of a table; use .csv, .jsonl or .parquet")]
    Format { file: String },
    /// A column is missing.
    #[error("{file}: there is no column `{column}`; columns there: {found}; say which to use with --columns")]
    Column { file: String, column: String, found: String },
    /// A row cannot be read.
    #[error("{file}: row {row} cannot be read: {reason}")]
    Row { file: String, row: usize, reason: String },
    /// A field is empty or missing.
    #[error("{file}: `{column}` of row {row} is empty; fill it in, or remove the row")]
    Empty { file: String, column: String, row: usize },
    /// The file is no Parquet, or holds what is not understood.
    #[error("{file}: not a readable Parquet file")]
    Parquet { file: String, source: Box<dyn std::error::Error + Send + Sync> },
    /// A column does not hold text or whole numbers.
    #[error("{file}: `{column}` holds {found}, but must hold text or whole numbers")]
    Type { file: String, column: String, found: String },
}

/// Which columns to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Columns {
    /// Those of the modalities, in their order.
    pub(crate) inputs: Vec<String>,
    /// That of the label, and whether it must be there.
    pub(crate) label: (String, bool),
    /// That of the id, and whether it must be there.
    pub(crate) id: (String, bool),
}

/// A row: what is to be embedded, and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// Its place in the table, from 0.
    pub(crate) place: usize,
    /// The input of each modality, in their order; empty where there is none.
    pub(crate) inputs: Vec<String>,
    /// Its label, where the table has labels.
    pub(crate) label: Option<String>,
    /// Its id, where the table has ids.
    pub(crate) id: Option<String>,
}

/// The rows of a table, one after the other.
pub(crate) struct Table {
    file: String,
    columns: Columns,
    rows: Source,
    next: usize,
}

enum Source {
    Csv { records: csv::StringRecordsIntoIter<File>, places: Places },
    Lines(std::io::Lines<BufReader<File>>),
    Parquet { batches: Batches, batch: Option<RecordBatch>, row: usize, places: Places },
}

/// Where the wanted columns stand.
#[derive(Debug, Clone)]
struct Places {
    inputs: Vec<usize>,
    label: Option<usize>,
    id: Option<usize>,
}

impl Table {
    /// Opens a table and finds its columns.
    pub(crate) fn open(path: &Path, columns: Columns) -> Result<Self, TableError> {
        let file = path.display().to_string();
        let open = || File::open(path).map_err(|source| TableError::Read { file: file.clone(), source });
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let rows = match extension.to_ascii_lowercase().as_str() {
            "csv" => {
                let mut reader = csv::Reader::from_reader(open()?);
                let header = reader.headers().map_err(|error| unreadable(&file, 0, &error))?;
                let names: Vec<&str> = header.iter().map(|name| name.trim_start_matches('\u{feff}')).collect();
                let places = Places::find(&file, &names, &columns)?;
                Source::Csv { records: reader.into_records(), places }
            }
            "jsonl" | "ndjson" => Source::Lines(BufReader::new(open()?).lines()),
            "parquet" => {
                let batches =
                    Batches::open(open()?).map_err(|source| TableError::Parquet { file: file.clone(), source })?;
                let fields = batches.schema().fields();
                let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
                let places = Places::find(&file, &names, &columns)?;
                if let Some(field) =
                    places.all().map(|place| &fields[place]).find(|field| !is_readable(field.data_type()))
                {
                    let (column, found) = (field.name().clone(), field.data_type().to_string());
                    return Err(TableError::Type { file, column, found });
                }
                Source::Parquet { batches, batch: None, row: 0, places }
            }
            _ => return Err(TableError::Format { file }),
        };
        Ok(Self { file, columns, rows, next: 0 })
    }

    /// The next row as it stands: the inputs, label and id.
    fn next_fields(&mut self) -> Option<Result<Fields, TableError>> {
        let (file, row) = (&self.file, self.next + 1);
        match &mut self.rows {
            Source::Csv { records, places } => Some(match records.next()? {
                Ok(record) => {
                    let at = |place: usize| record.get(place).unwrap_or_default().to_owned();
                    Ok(places.fields(at))
                }
                Err(error) => Err(unreadable(file, row, &error)),
            }),
            Source::Lines(lines) => loop {
                let line = match lines.next()? {
                    Ok(line) => line,
                    Err(error) => return Some(Err(unreadable(file, row, &error))),
                };
                if !line.trim().is_empty() {
                    return Some(from_json(file, row, &line, &self.columns));
                }
            },
            Source::Parquet { batches, batch, row: place, places } => {
                while batch.as_ref().is_none_or(|batch| *place >= batch.num_rows()) {
                    match batches.next()? {
                        Ok(read) => (*batch, *place) = (Some(read), 0),
                        Err(source) => return Some(Err(TableError::Parquet { file: file.clone(), source })),
                    }
                }
                let current = batch.as_ref()?;
                let fields = places.fields(|column| text_at(current, column, *place));
                *place += 1;
                Some(Ok(fields))
            }
        }
    }
}

/// The inputs, the label and the id of a row.
type Fields = (Vec<String>, Option<String>, Option<String>);

impl Iterator for Table {
    type Item = Result<Row, TableError>;

    fn next(&mut self) -> Option<Self::Item> {
        let fields = self.next_fields()?;
        let place = self.next;
        self.next += 1;
        Some(fields.and_then(|(inputs, label, id)| {
            for (value, (column, _)) in [(&label, &self.columns.label), (&id, &self.columns.id)] {
                if value.as_ref().is_some_and(String::is_empty) {
                    let (file, column) = (self.file.clone(), column.clone());
                    return Err(TableError::Empty { file, column, row: place + 1 });
                }
            }
            Ok(Row { place, inputs, label, id })
        }))
    }
}

impl Places {
    fn find(file: &str, names: &[&str], columns: &Columns) -> Result<Self, TableError> {
        let place = |name: &str| names.iter().position(|column| *column == name);
        let missing = |column: &str| TableError::Column {
            file: file.to_owned(),
            column: column.to_owned(),
            found: names.join(", "),
        };
        let optional = |(name, is_needed): &(String, bool)| match place(name) {
            None if *is_needed => Err(missing(name)),
            place => Ok(place),
        };
        Ok(Self {
            inputs: columns
                .inputs
                .iter()
                .map(|name| place(name).ok_or_else(|| missing(name)))
                .collect::<Result<_, _>>()?,
            label: optional(&columns.label)?,
            id: optional(&columns.id)?,
        })
    }

    fn all(&self) -> impl Iterator<Item = usize> {
        self.inputs.iter().copied().chain(self.label).chain(self.id)
    }

    fn fields(&self, at: impl Fn(usize) -> String) -> Fields {
        (self.inputs.iter().map(|place| at(*place)).collect(), self.label.map(&at), self.id.map(&at))
    }
}

fn unreadable(file: &str, row: usize, error: &dyn std::error::Error) -> TableError {
    TableError::Row { file: file.to_owned(), row, reason: error.to_string() }
}

/// A line of JSON as a row. Labels and ids that the first line has, all have.
fn from_json(file: &str, row: usize, line: &str, columns: &Columns) -> Result<Fields, TableError> {
    let object: Map<String, Value> = serde_json::from_str(line).map_err(|error| unreadable(file, row, &error))?;
    let text = |name: &str| match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Number(number)) if number.is_i64() || number.is_u64() => Ok(Some(number.to_string())),
        Some(other) => {
            let (file, column, found) = (file.to_owned(), name.to_owned(), format!("{other} in row {row}"));
            Err(TableError::Type { file, column, found })
        }
    };
    let needed = |name: &str| {
        text(name)?.ok_or_else(|| TableError::Column {
            file: file.to_owned(),
            column: name.to_owned(),
            found: format!("{} (row {row})", object.keys().cloned().collect::<Vec<_>>().join(", ")),
        })
    };
    let optional = |(name, is_needed): &(String, bool)| if *is_needed { needed(name).map(Some) } else { text(name) };
    let inputs = columns.inputs.iter().map(|name| needed(name)).collect::<Result<_, _>>()?;
    Ok((inputs, optional(&columns.label)?, optional(&columns.id)?))
}

fn is_readable(kind: &DataType) -> bool {
    kind.is_integer() || *kind == DataType::Utf8
}

/// Text or a whole number of a column; empty where there is none.
fn text_at(batch: &RecordBatch, column: usize, row: usize) -> String {
    let array = batch.column(column);
    if array.is_null(row) {
        return String::new();
    }
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        kind => number_at(kind, array.as_ref(), row),
    }
}

/// A whole number of any other width.
fn number_at(kind: &DataType, array: &dyn arrow_array::Array, row: usize) -> String {
    use arrow_array::types::{Int8Type, Int16Type, Int32Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
    match kind {
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

/// The directory that relative paths of a table start from.
pub(crate) fn directory_of(table: &Path) -> PathBuf {
    match table.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::types::Int8Type;
    use arrow_array::{ArrayRef, DictionaryArray, LargeStringArray, StringViewArray, UInt8Array};
    use parquet::arrow::ArrowWriter;

    use super::*;

    /// Texts and numbers in Parquet are the same whatever they were before: categories, views, short numbers.
    #[test]
    fn parquet_holds_texts_and_whole_numbers() {
        let columns: [(&str, ArrayRef); 4] = [
            (
                "image",
                Arc::new(StringViewArray::from(vec![Some("a.png"), Some("a name longer than a view holds.png")])),
            ),
            ("text", Arc::new(LargeStringArray::from(vec![Some("é"), None]))),
            ("label", Arc::new(["cat", "cat"].into_iter().collect::<DictionaryArray<Int8Type>>())),
            ("id", Arc::new(UInt8Array::from(vec![7, 255]))),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("table.parquet");
        let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let columns = Columns {
            inputs: vec!["image".to_owned(), "text".to_owned()],
            label: ("label".to_owned(), true),
            id: ("id".to_owned(), true),
        };
        let rows: Vec<Row> = Table::open(&path, columns).unwrap().map(Result::unwrap).collect();
        let row = |place, image: &str, text: &str, id: &str| Row {
            place,
            inputs: vec![image.to_owned(), text.to_owned()],
            label: Some("cat".to_owned()),
            id: Some(id.to_owned()),
        };
        assert_eq!(rows, [row(0, "a.png", "é", "7"), row(1, "a name longer than a view holds.png", "", "255")]);
    }
}
