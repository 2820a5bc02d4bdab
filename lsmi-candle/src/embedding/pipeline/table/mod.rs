//! The table of what is to be embedded: CSV, TSV, JSON lines or Parquet, read row by row.
//!
//! A row has the input of each modality (a path, or the text itself) and may have a label and an id. `separated`, `lines` and
//! `parquet` are the three `Source`s of rows; what is missing is told here, the same for all.

pub(super) mod cells;
mod error;
mod input;
mod lines;
mod parquet;
mod separated;

#[cfg(test)]
mod tests;

use std::path::Path;

use crate::embedding::encoders::Modality;
use crate::features::Missing;

pub use error::TableError;
pub use input::{Input, missing_as};

/// Which columns to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// Those of the modalities, in their order.
    pub inputs: Vec<InputColumn>,
    /// That of the label.
    pub label: OptionalColumn,
    /// That of the id.
    pub id: OptionalColumn,
}

/// A column of inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputColumn {
    /// What it is called.
    pub name: String,
    /// What it holds: texts, or paths of files; in Parquet also the bytes of files. A video may be a list of paths: a text with
    /// `;` between them, an array in JSON lines, a list of texts in Parquet.
    pub modality: Modality,
}

/// A column that a table need not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionalColumn {
    /// What it is called.
    pub name: String,
    /// Whether a table without it is refused.
    pub is_needed: bool,
}

/// A row: what is to be embedded, and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its place in the table, from 0.
    pub place: usize,
    /// The input of each modality, in their order.
    pub inputs: Vec<Input>,
    /// Its label, where the table has labels.
    pub label: Option<String>,
    /// Its id, where the table has ids.
    pub id: Option<String>,
}

/// The rows of a table, one after the other.
pub struct Table {
    file: String,
    columns: Columns,
    missing: Missing,
    source: Box<dyn Source + Send>,
    next: usize,
    dropped: usize,
}

/// Where rows come from.
trait Source {
    /// Reads the next row as it stands. Returns `None` at the end of the table. `row` is what messages call it.
    fn next(&mut self, row: usize) -> Option<Result<Fields, TableError>>;
}

/// The inputs, the label and the id of a row.
type Fields = (Vec<Input>, Option<String>, Option<String>);

impl Table {
    /// Opens a table and finds its columns.
    ///
    /// Rows that lack an input or a label are left out if that is asked for. Otherwise a row without a label is an error, and
    /// one without an input is told when it is to be embedded.
    ///
    /// # Errors
    /// [`TableError`] if the file cannot be read, has no format of a table, or lacks a column that is needed.
    pub fn open(path: &Path, columns: Columns, missing: Missing) -> Result<Self, TableError> {
        let file = path.display().to_string();
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let source: Box<dyn Source + Send> = match extension.to_ascii_lowercase().as_str() {
            "csv" | "tsv" => Box::new(separated::Separated::open(path, &columns)?),
            "jsonl" | "ndjson" => Box::new(lines::JsonLines::open(path, &columns)?),
            "parquet" => Box::new(parquet::Parquet::open(path, &columns)?),
            _ => return Err(TableError::Format { file }),
        };
        Ok(Self { file, columns, missing, source, next: 0, dropped: 0 })
    }

    /// Returns how many rows were left out so far.
    pub fn dropped(&self) -> usize {
        self.dropped
    }
}

impl Iterator for Table {
    type Item = Result<Row, TableError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let fields = self.source.next(self.next + 1)?;
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
            for (lacking, column) in [(lacks_label, &self.columns.label), (lacks_id, &self.columns.id)] {
                if let Some(found) = lacking {
                    let (file, column, found) = (self.file.clone(), column.name.clone(), found.clone());
                    return Some(Err(TableError::Missing { file, column, row: place + 1, found }));
                }
            }
            let label = label.map(|label| label.trim().to_owned());
            return Some(Ok(Row { place, inputs, label, id }));
        }
    }
}

/// Where the wanted columns stand.
#[derive(Debug, Clone)]
struct Places {
    inputs: Vec<usize>,
    label: Option<usize>,
    id: Option<usize>,
}

impl Places {
    /// Finds the wanted columns among the names of all.
    fn find(file: &str, names: &[&str], columns: &Columns) -> Result<Self, TableError> {
        let place = |name: &str| {
            let mut places = (0..names.len()).filter(|place| !name.is_empty() && names[*place] == name);
            match (places.next(), places.next()) {
                (Some(first), Some(second)) => {
                    let (file, column) = (file.to_owned(), name.to_owned());
                    Err(TableError::Repeated { file, column, first, second })
                }
                (place, _) => Ok(place),
            }
        };
        let missing = |column: &str| TableError::Column {
            file: file.to_owned(),
            column: column.to_owned(),
            found: names.join(", "),
        };
        let optional = |OptionalColumn { name, is_needed }: &OptionalColumn| match place(name)? {
            None if *is_needed => Err(missing(name)),
            place => Ok(place),
        };
        let inputs = columns.inputs.iter().map(|InputColumn { name, .. }| place(name)?.ok_or_else(|| missing(name)));
        Ok(Self {
            inputs: inputs.collect::<Result<_, _>>()?,
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
