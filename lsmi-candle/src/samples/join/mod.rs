//! Files of samples of consecutive rows become one: their rows, one file after the other, as they stand.
//!
//! csv has its header once. The row groups of Parquet are copied as they are. Nothing but a buffer of a file, or the index
//! of a Parquet file, is in memory. [`by_number`] puts files in order whose names differ in a number.

mod error;
mod numbers;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::ParquetMetaDataReader;
use ::parquet::schema::printer::print_schema;
use csv::ByteRecord;
use serde_json::{Map, Value};

use super::parquet::Joined;
use super::{COLUMNS, ExtraColumns, Format};
use crate::guarded::guarded;

pub use error::JoinError;
pub use numbers::{NumberError, by_number};

/// Files of samples of one format and the same columns.
#[derive(Debug)]
pub struct SampleParts {
    format: Format,
    parts: Vec<Part>,
}

/// A file of samples.
#[derive(Debug)]
struct Part {
    path: PathBuf,
    /// The names of the columns, with their types where the format has some; none where the file has neither header nor rows.
    columns: Option<Vec<String>>,
    /// Bytes before the first row.
    header: u64,
    rows: usize,
}

impl SampleParts {
    /// Reads the files once and checks that they are whole and have the same columns. They are joined in the order given.
    ///
    /// # Errors
    /// [`JoinError`] if a file cannot be read, holds no samples, is there twice, ends within a row, or has other columns than
    /// the first.
    pub fn open(paths: &[impl AsRef<Path>], format: Format) -> Result<Self, JoinError> {
        let mut seen = BTreeSet::new();
        let mut parts: Vec<Part> = Vec::new();
        for path in paths.iter().map(AsRef::as_ref) {
            let file = path.display().to_string();
            let real = path.canonicalize().map_err(|source| JoinError::Read { file: file.clone(), source })?;
            if !seen.insert(real) {
                return Err(JoinError::Twice { file });
            }
            let part = match format {
                Format::Csv => csv_part(path),
                Format::Jsonl => jsonl_part(path),
                Format::Parquet => parquet_part(path),
            }?;
            if let (Some(found), Some((first, expected))) =
                (&part.columns, parts.iter().find_map(|first| Some((first, first.columns.as_ref()?))))
                && found != expected
            {
                let (found, expected) = (found.join(", "), expected.join(", "));
                return Err(JoinError::OtherColumns { file, found, first: first.path.display().to_string(), expected });
            }
            parts.push(part);
        }
        if parts.is_empty() { Err(JoinError::NoFiles) } else { Ok(Self { format, parts }) }
    }

    /// Returns the number of rows of all files.
    pub fn rows(&self) -> usize {
        self.parts.iter().map(|part| part.rows).sum()
    }

    /// Writes the joined file.
    ///
    /// # Errors
    /// [`JoinError`] if a file cannot be read any more, or `output` cannot be written.
    pub fn write(&self, output: &File) -> Result<(), JoinError> {
        if self.format == Format::Parquet {
            return self.write_parquet(output);
        }
        let mut output = io::BufWriter::new(output);
        for (place, part) in self.parts.iter().enumerate() {
            let unreadable = |source| part.unreadable(source);
            let mut file = File::open(&part.path).map_err(unreadable)?;
            if place > 0 {
                file.seek(SeekFrom::Start(part.header)).map_err(unreadable)?;
            }
            let mut file = BufReader::new(file);
            loop {
                let bytes = file.fill_buf().map_err(unreadable)?;
                if bytes.is_empty() {
                    break;
                }
                output.write_all(bytes).map_err(JoinError::Output)?;
                let read = bytes.len();
                file.consume(read);
            }
        }
        output.flush().map_err(JoinError::Output)
    }

    fn write_parquet(&self, output: &File) -> Result<(), JoinError> {
        let output = output.try_clone().map_err(JoinError::Output)?;
        // The first file says what the columns are.
        let mut joined = Joined::new(Arc::new(output), &ExtraColumns::default());
        for part in &self.parts {
            let file = File::open(&part.path).map_err(|source| part.unreadable(source))?;
            let appended = guarded(|| joined.append(&file));
            let appended = appended.unwrap_or_else(|| Err(ParquetError::General(PANIC.to_owned())));
            appended.map_err(|error| part.damaged(&error))?;
        }
        joined.finish().map_err(|source| JoinError::Output(io::Error::other(source)))
    }
}

const PANIC: &str = "its pages are not what they announce";

impl Part {
    fn unreadable(&self, source: io::Error) -> JoinError {
        JoinError::Read { file: self.path.display().to_string(), source }
    }

    fn damaged(&self, error: &dyn std::error::Error) -> JoinError {
        damaged(&self.path, error.to_string())
    }
}

fn damaged(path: &Path, reason: String) -> JoinError {
    JoinError::Damaged { file: path.display().to_string(), reason }
}

fn unreadable(path: &Path) -> impl Fn(io::Error) -> JoinError {
    |source| JoinError::Read { file: path.display().to_string(), source }
}

/// Checks that the columns begin with those that all files of samples have.
fn check_columns<'c>(path: &Path, found: impl Iterator<Item = &'c str> + Clone) -> Result<(), JoinError> {
    if found.clone().take(COLUMNS.len()).eq(COLUMNS) {
        return Ok(());
    }
    let found = found.collect::<Vec<_>>().join(", ");
    Err(JoinError::NoSamples { file: path.display().to_string(), found })
}

/// Checks that a file of text ends with a line break, as all that are whole do.
fn check_end(path: &Path, mut file: &File) -> Result<(), JoinError> {
    let mut last = [b'\n'];
    let length = file.metadata().map_err(unreadable(path))?.len();
    if length > 0 {
        file.seek(SeekFrom::End(-1))
            .and_then(|_| io::Read::read_exact(&mut file, &mut last))
            .map_err(unreadable(path))?;
        file.rewind().map_err(unreadable(path))?;
    }
    if last == *b"\n" { Ok(()) } else { Err(damaged(path, "its last row has no end".to_owned())) }
}

fn csv_part(path: &Path) -> Result<Part, JoinError> {
    let file = File::open(path).map_err(unreadable(path))?;
    check_end(path, &file)?;
    let mut table = csv::ReaderBuilder::new().has_headers(false).from_reader(file);
    let mut record = ByteRecord::new();
    let mut read = |record: &mut ByteRecord| {
        let is_there = table.read_byte_record(record);
        is_there
            .map(|is_there| is_there.then(|| table.position().byte()))
            .map_err(|error| damaged(path, error.to_string()))
    };
    let Some(header) = read(&mut record)? else {
        return Err(damaged(path, "it has no header".to_owned()));
    };
    let columns: Vec<String> = record.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    check_columns(path, columns.iter().map(String::as_str))?;
    let mut rows = 0;
    while read(&mut record)?.is_some() {
        rows += 1;
    }
    Ok(Part { path: path.to_owned(), columns: Some(columns), header, rows })
}

fn jsonl_part(path: &Path) -> Result<Part, JoinError> {
    let file = File::open(path).map_err(unreadable(path))?;
    check_end(path, &file)?;
    let (mut columns, mut rows) = (None, 0);
    for line in BufReader::new(file).lines() {
        let line = line.map_err(unreadable(path))?;
        rows += 1;
        let sample: Map<String, Value> =
            serde_json::from_str(&line).map_err(|error| damaged(path, format!("line {rows} is no sample: {error}")))?;
        match &columns {
            None => {
                let own = COLUMNS.into_iter().filter(|column| sample.contains_key(*column));
                let others = sample.keys().map(String::as_str).filter(|key| !COLUMNS.contains(key));
                let names: Vec<String> = own.chain(others).map(str::to_owned).collect();
                check_columns(path, names.iter().map(String::as_str))?;
                columns = Some(names);
            }
            Some(columns) if sample.len() != columns.len() || !columns.iter().all(|name| sample.contains_key(name)) => {
                return Err(damaged(path, format!("line {rows} has other names than the first")));
            }
            Some(_) => {}
        }
    }
    Ok(Part { path: path.to_owned(), columns, header: 0, rows })
}

fn parquet_part(path: &Path) -> Result<Part, JoinError> {
    let file = File::open(path).map_err(unreadable(path))?;
    let metadata = guarded(|| ParquetMetaDataReader::new().parse_and_finish(&file));
    let metadata = metadata.ok_or_else(|| damaged(path, PANIC.to_owned()))?;
    let metadata = metadata.map_err(|error| damaged(path, error.to_string()))?;
    let metadata = metadata.file_metadata();
    let fields = metadata.schema_descr().root_schema().get_fields();
    check_columns(path, fields.iter().map(|field| field.name()))?;
    let columns = fields.iter().map(|field| {
        let mut words = Vec::new();
        print_schema(&mut words, field);
        String::from_utf8_lossy(&words).trim_end_matches([';', '\n']).to_owned()
    });
    let rows = usize::try_from(metadata.num_rows()).map_err(|error| damaged(path, error.to_string()))?;
    Ok(Part { path: path.to_owned(), columns: Some(columns.collect()), header: 0, rows })
}
