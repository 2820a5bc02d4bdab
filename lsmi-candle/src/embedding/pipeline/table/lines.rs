//! Rows of JSON lines: an object a line; empty lines do not count.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use serde_json::{Map, Value};

use super::{Columns, Fields, Input, InputColumn, OptionalColumn, Source, TableError, unreadable};
use crate::embedding::encoders::Modality;

/// The rows of a file of JSON lines.
pub(super) struct JsonLines {
    file: String,
    lines: io::Lines<BufReader<File>>,
    columns: Columns,
}

impl JsonLines {
    pub(super) fn open(path: &Path, columns: &Columns) -> Result<Self, TableError> {
        let file = path.display().to_string();
        let opened = File::open(path).map_err(|source| TableError::Read { file: file.clone(), source })?;
        Ok(Self { file, lines: BufReader::new(opened).lines(), columns: columns.clone() })
    }

    /// Reads a line as a row; null is an empty field.
    fn row(&self, row: usize, line: &str) -> Result<Fields, TableError> {
        let object: Map<String, Value> =
            serde_json::from_str(line).map_err(|error| unreadable(&self.file, row, &error))?;
        let object: BTreeMap<&str, &Value> = object.iter().map(|(name, value)| (name.trim(), value)).collect();
        let text = |name: &str| match object.get(name).copied() {
            None => Ok(None),
            Some(Value::Null) => Ok(Some(String::new())),
            Some(Value::Bool(value)) => Ok(Some(value.to_string())),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Number(number)) if number.is_i64() || number.is_u64() => Ok(Some(number.to_string())),
            Some(other) => {
                let (file, column, found) = (self.file.clone(), name.to_owned(), format!("{other} in row {row}"));
                Err(TableError::Type { file, column, found })
            }
        };
        let needed = |name: &str| {
            text(name)?.ok_or_else(|| TableError::Column {
                file: self.file.clone(),
                column: name.to_owned(),
                found: format!("{} (row {row})", object.keys().copied().collect::<Vec<_>>().join(", ")),
            })
        };
        let optional = |OptionalColumn { name, is_needed }: &OptionalColumn| {
            if *is_needed { needed(name).map(Some) } else { text(name) }
        };
        let input = |InputColumn { name, modality }: &InputColumn| match object.get(name.as_str()).copied() {
            Some(Value::Array(paths)) if *modality == Modality::Video && paths.iter().all(Value::is_string) => {
                let paths: Vec<String> = paths.iter().filter_map(Value::as_str).map(str::to_owned).collect();
                Ok(if paths.is_empty() { Input::Text(String::new()) } else { Input::Frames(paths) })
            }
            _ => needed(name).map(Input::Text),
        };
        let inputs = self.columns.inputs.iter().map(input);
        Ok((inputs.collect::<Result<_, _>>()?, optional(&self.columns.label)?, optional(&self.columns.id)?))
    }
}

impl Source for JsonLines {
    fn next(&mut self, row: usize) -> Option<Result<Fields, TableError>> {
        loop {
            let line = match self.lines.next()? {
                Ok(line) => line,
                Err(error) => return Some(Err(unreadable(&self.file, row, &error))),
            };
            if !line.trim().is_empty() {
                return Some(self.row(row, &line));
            }
        }
    }
}
