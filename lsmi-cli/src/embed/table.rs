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
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use serde_json::{Map, Value};
use thiserror::Error;

/// Rows of a Parquet file that are decoded at a time.
const PARQUET_ROWS: usize = 1024;

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
    Parquet { reader: ParquetRecordBatchReader, batch: Option<RecordBatch>, row: usize, places: Places },
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
                let failed = |source: Box<dyn std::error::Error + Send + Sync>| TableError::Parquet {
                    file: file.clone(),
                    source,
                };
                let builder =
                    ParquetRecordBatchReaderBuilder::try_new(open()?).map_err(|error| failed(Box::new(error)))?;
                let schema = builder.schema().clone();
                let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
                let places = Places::find(&file, &names, &columns)?;
                for place in places.all() {
                    let field = schema.field(place);
                    if !is_readable(field.data_type()) {
                        let (column, found) = (field.name().clone(), field.data_type().to_string());
                        return Err(TableError::Type { file, column, found });
                    }
                }
                let reader = builder.with_batch_size(PARQUET_ROWS).build().map_err(|error| failed(Box::new(error)))?;
                Source::Parquet { reader, batch: None, row: 0, places }
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
            Source::Parquet { reader, batch, row: place, places } => {
                while batch.as_ref().is_none_or(|batch| *place >= batch.num_rows()) {
                    match reader.next()? {
                        Ok(read) => (*batch, *place) = (Some(read), 0),
                        Err(error) => {
                            return Some(Err(TableError::Parquet { file: file.clone(), source: Box::new(error) }));
                        }
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
    kind.is_integer() || matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// Text or a whole number of a column; empty where there is none.
fn text_at(batch: &RecordBatch, column: usize, row: usize) -> String {
    let array = batch.column(column);
    if array.is_null(row) {
        return String::new();
    }
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        DataType::LargeUtf8 => array.as_string::<i64>().value(row).to_owned(),
        DataType::Utf8View => array.as_string_view().value(row).to_owned(),
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
