//! The table of what is to be embedded: CSV, JSON lines or Parquet, read a few rows at a time.
//!
//! A row has the input of each modality (a path, or the text itself) and may have a label and an id.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_schema::DataType;
use csv::StringRecord;
use lsmi_candle::embedding::hub::Digest;
use lsmi_candle::features::{Missing, Records, records_of};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use thiserror::Error;

use super::files;
use lsmi_candle::samples::batches::Batches;

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
    /// A field is missing.
    #[error(
        "{file}: `{column}` of row {row} is {}; fill it in, or leave such rows out with --missing drop{}",
        missing_as(found),
        or_a_name(found)
    )]
    Missing { file: String, column: String, row: usize, found: String },
    /// The file is no Parquet, or holds what is not understood.
    #[error("{file}: not a readable Parquet file")]
    Parquet { file: String, source: Box<dyn std::error::Error + Send + Sync> },
    /// A column does not hold text or whole numbers.
    #[error("{file}: `{column}` holds {found}, but must hold text or whole numbers")]
    Type { file: String, column: String, found: String },
}

/// How a field is missing.
pub(crate) fn missing_as(found: &str) -> String {
    let found = found.trim();
    if found.is_empty() { "empty".to_owned() } else { format!("missing (`{found}`)") }
}

/// How to take a text for what it is.
fn or_a_name(found: &str) -> String {
    let found = found.trim();
    if found.is_empty() {
        String::new()
    } else {
        format!("; if it is really called `{found}`, take it with --missing keep")
    }
}

/// Which columns to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Columns {
    /// Those of the modalities, in their order, and whether they may hold the bytes of files.
    pub(crate) inputs: Vec<(String, bool)>,
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
    /// The input of each modality, in their order.
    pub(crate) inputs: Vec<Input>,
    /// Its label, where the table has labels.
    pub(crate) label: Option<String>,
    /// Its id, where the table has ids.
    pub(crate) id: Option<String>,
}

/// What is to be embedded of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) enum Input {
    /// A text, or the path of a file; empty where there is none.
    Text(String),
    /// A file that is in the table itself.
    File {
        /// What it is called in messages.
        name: String,
        /// Its bytes.
        #[serde(serialize_with = "as_hash")]
        bytes: Vec<u8>,
    },
}

impl Input {
    /// The text, if it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::File { .. } => None,
        }
    }

    /// The text, if it is missing.
    pub(crate) fn missing(&self, missing: Missing) -> Option<&str> {
        match self {
            Self::Text(text) => missing.is_missing(text).then_some(text),
            Self::File { .. } => None,
        }
    }
}

/// The rows of a table, one after the other.
pub(crate) struct Table {
    file: String,
    columns: Columns,
    missing: Missing,
    rows: Source,
    next: usize,
    dropped: usize,
}

enum Source {
    Csv { records: Records, places: Places },
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
    ///
    /// Rows that lack an input or a label are left out if that is asked for. Otherwise a row without a label is an error, and
    /// one without an input is told when it is to be embedded.
    pub(crate) fn open(path: &Path, columns: Columns, missing: Missing) -> Result<Self, TableError> {
        let file = path.display().to_string();
        let open = || File::open(path).map_err(|source| TableError::Read { file: file.clone(), source });
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let rows = match extension.to_ascii_lowercase().as_str() {
            "csv" => {
                let read = |source| TableError::Read { file: file.clone(), source };
                let mut records = records_of(open()?).map_err(read)?;
                let mut header = StringRecord::new();
                records.read_record(&mut header).map_err(|error| unreadable(&file, 0, &error))?;
                let names: Vec<&str> = header.iter().map(str::trim).collect();
                let places = Places::find(&file, &names, &columns)?;
                Source::Csv { records, places }
            }
            "jsonl" | "ndjson" => Source::Lines(BufReader::new(open()?).lines()),
            "parquet" => {
                let batches =
                    Batches::open(open()?).map_err(|source| TableError::Parquet { file: file.clone(), source })?;
                let fields = batches.schema().fields();
                let names: Vec<&str> = fields.iter().map(|field| field.name().trim()).collect();
                let places = Places::find(&file, &names, &columns)?;
                let may_be_file = |place: usize| {
                    let inputs = places.inputs.iter().zip(&columns.inputs);
                    inputs.filter(|(input, _)| **input == place).all(|(_, (_, may_be_file))| *may_be_file)
                        && Some(place) != places.label
                        && Some(place) != places.id
                };
                let is_unreadable = |place: &usize| {
                    let kind = fields[*place].data_type();
                    !(is_readable(kind) || may_be_file(*place) && files::is_of_files(kind))
                };
                if let Some(field) = places.all().find(is_unreadable).map(|place| &fields[place]) {
                    let (column, found) = (field.name().clone(), field.data_type().to_string());
                    return Err(TableError::Type { file, column, found });
                }
                Source::Parquet { batches, batch: None, row: 0, places }
            }
            _ => return Err(TableError::Format { file }),
        };
        Ok(Self { file, columns, missing, rows, next: 0, dropped: 0 })
    }

    /// How many rows were left out so far.
    pub(crate) fn dropped(&self) -> usize {
        self.dropped
    }

    /// The next row as it stands: the inputs, label and id.
    fn next_fields(&mut self) -> Option<Result<Fields, TableError>> {
        let (file, row) = (&self.file, self.next + 1);
        match &mut self.rows {
            Source::Csv { records, places } => {
                let mut record = StringRecord::new();
                match records.read_record(&mut record) {
                    Ok(false) => None,
                    Ok(true) => {
                        let at = |place: usize| record.get(place).unwrap_or_default().to_owned();
                        Some(Ok(places.fields(|place| Input::Text(at(place)), at)))
                    }
                    Err(error) => Some(Err(unreadable(file, row, &error))),
                }
            }
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
                let input = |column: usize| match files::file_at(current.column(column), *place, row) {
                    Some(input) => input,
                    None => Input::Text(text_at(current, column, *place)),
                };
                let fields = places.fields(input, |column| text_at(current, column, *place));
                *place += 1;
                Some(Ok(fields))
            }
        }
    }
}

/// The inputs, the label and the id of a row.
type Fields = (Vec<Input>, Option<String>, Option<String>);

impl Iterator for Table {
    type Item = Result<Row, TableError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let fields = self.next_fields()?;
            let place = self.next;
            self.next += 1;
            let (inputs, label, id) = match fields {
                Ok(fields) => fields,
                Err(error) => return Some(Err(error)),
            };
            let lacks_input = inputs.iter().any(|input| input.missing(self.missing).is_some());
            let lacks_label = label.as_ref().filter(|label| self.missing.is_missing(label));
            let lacks_id = id.as_ref().filter(|id| id.trim().is_empty());
            if self.missing == Missing::Drop && (lacks_input || lacks_label.is_some() || lacks_id.is_some()) {
                self.dropped += 1;
                continue;
            }
            for (lacking, (column, _)) in [(lacks_label, &self.columns.label), (lacks_id, &self.columns.id)] {
                if let Some(found) = lacking {
                    let (file, column, found) = (self.file.clone(), column.clone(), found.clone());
                    return Some(Err(TableError::Missing { file, column, row: place + 1, found }));
                }
            }
            let label = label.map(|label| label.trim().to_owned());
            return Some(Ok(Row { place, inputs, label, id }));
        }
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
                .map(|(name, _)| place(name).ok_or_else(|| missing(name)))
                .collect::<Result<_, _>>()?,
            label: optional(&columns.label)?,
            id: optional(&columns.id)?,
        })
    }

    fn all(&self) -> impl Iterator<Item = usize> {
        self.inputs.iter().copied().chain(self.label).chain(self.id)
    }

    fn fields(&self, input: impl Fn(usize) -> Input, text: impl Fn(usize) -> String) -> Fields {
        (self.inputs.iter().map(|place| input(*place)).collect(), self.label.map(&text), self.id.map(&text))
    }
}

fn unreadable(file: &str, row: usize, error: &dyn std::error::Error) -> TableError {
    TableError::Row { file: file.to_owned(), row, reason: error.to_string() }
}

/// A line of JSON as a row; null is an empty field.
fn from_json(file: &str, row: usize, line: &str, columns: &Columns) -> Result<Fields, TableError> {
    let object: Map<String, Value> = serde_json::from_str(line).map_err(|error| unreadable(file, row, &error))?;
    let object: BTreeMap<&str, &Value> = object.iter().map(|(name, value)| (name.trim(), value)).collect();
    let text = |name: &str| match object.get(name).copied() {
        None => Ok(None),
        Some(Value::Null) => Ok(Some(String::new())),
        Some(Value::Bool(value)) => Ok(Some(value.to_string())),
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
            found: format!("{} (row {row})", object.keys().copied().collect::<Vec<_>>().join(", ")),
        })
    };
    let optional = |(name, is_needed): &(String, bool)| if *is_needed { needed(name).map(Some) } else { text(name) };
    let inputs = columns.inputs.iter().map(|(name, _)| needed(name).map(Input::Text)).collect::<Result<_, _>>()?;
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

/// A file's SHA-256, which tells it from others in less space than its bytes.
fn as_hash<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&Digest::of_bytes(bytes).sha256)
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
            inputs: vec![("image".to_owned(), true), ("text".to_owned(), false)],
            label: ("label".to_owned(), true),
            id: ("id".to_owned(), true),
        };
        let rows: Vec<Row> = Table::open(&path, columns, Missing::Refuse).unwrap().map(Result::unwrap).collect();
        let row = |place, image: &str, text: &str, id: &str| Row {
            place,
            inputs: vec![Input::Text(image.to_owned()), Input::Text(text.to_owned())],
            label: Some("cat".to_owned()),
            id: Some(id.to_owned()),
        };
        assert_eq!(rows, [row(0, "a.png", "é", "7"), row(1, "a name longer than a view holds.png", "", "255")]);
    }
}
