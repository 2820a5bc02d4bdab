//! Reads samples back from a file of samples, csv, jsonl or parquet: row by row, or one interaction of every sample.
//!
//! Only the columns that are needed must be there. Rows are counted from 0, without the header.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use lsmi_candle::features::records_of;
use serde_json::Value;
use thiserror::Error;

use crate::output::{Format, parquet};
use crate::process::failure::Failure;
use lsmi_candle::files::Batches;

/// Why a file of samples cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum SamplesError {
    /// There is no such file.
    #[error("{file}: no such file; give the samples that `analyze` or `score` wrote")]
    NotFound { file: String },
    /// The file cannot be read.
    #[error("{file}: cannot be read")]
    Read { file: String, source: io::Error },
    /// A row is not in the format.
    #[error(
        "{file}: row {row} is not a row of {format}; the file may be damaged, cut short or not UTF-8, so write it again"
    )]
    Row { file: String, row: usize, format: Format, source: Box<dyn std::error::Error + Send + Sync> },
    /// A column that is needed is not there.
    #[error(
        "{file}: row {row} has no column `{column}`; give the samples that `analyze` or `score` wrote{}",
        with_measures(column)
    )]
    MissingColumn { file: String, row: usize, column: &'static str },
    /// A value is not what its column holds.
    #[error("{file}: `{column}` is `{found}` at row {row}, but must be {expected}; mend or remove the row")]
    Value { file: String, row: usize, column: &'static str, found: String, expected: &'static str },
    /// Two samples of a split have one id.
    #[error("{file}: rows {first} and {second} have the id `{id}`; remove one of them")]
    DuplicateId { file: String, id: String, first: usize, second: usize },
    /// No split was named, and none is the obvious one.
    #[error("{file}: there are several splits, none of them `train`; choose one of {splits} with --split")]
    ChooseSplit { file: String, splits: String },
    /// There is no sample of the split.
    #[error("{file}: there are no samples of the split `{split}`; the splits there: {splits}")]
    NoSplit { file: String, split: String, splits: String },
    /// There is no sample at all.
    #[error("{file}: there are no samples; give the samples that `analyze` or `score` wrote")]
    Empty { file: String },
}

/// What gives the column of a further measure.
fn with_measures(column: &str) -> String {
    let measure = column.rsplit_once('_').map(|(_, measure)| measure);
    measure.map_or_else(String::new, |measure| format!(" with --measures {measure}"))
}

impl From<SamplesError> for Failure {
    fn from(error: SamplesError) -> Self {
        Self::data(error)
    }
}

/// One column of the samples of a split, in the order of the file.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Column {
    /// The split; empty where the file names none.
    pub(crate) split: String,
    /// Whether the file has other splits.
    pub(crate) is_part: bool,
    pub(crate) ids: Vec<String>,
    /// The class names; empty if they were not asked for.
    pub(crate) labels: Vec<String>,
    pub(crate) values: Vec<f64>,
}

/// Reads the column `by`, of numbers, of the samples of a split: the one named, else `train`, else the only one.
pub(crate) fn read_column(
    path: &Path,
    by: &'static str,
    split: Option<&str>,
    with_labels: bool,
) -> Result<Column, Failure> {
    let file = path.display().to_string();
    let mut collector = Collector { file, by, with_labels, splits: BTreeMap::new(), has_splits: split.is_some() };
    read_rows(path, &mut |row, field| collector.take(row, field))?;
    Ok(collector.finish(split)?)
}

/// The text of a column of the present row; none where there is nothing.
pub(crate) type Field<'a> = &'a dyn Fn(&'static str) -> Option<String>;
/// What takes rows, with their numbers.
type Take<'a> = &'a mut dyn FnMut(usize, Field<'_>) -> Result<(), SamplesError>;

/// Gives every row of a file of samples to `take`, in order.
pub(crate) fn read_rows(path: &Path, take: Take<'_>) -> Result<(), Failure> {
    let file = path.display().to_string();
    let format = Format::of_path(path)
        .map_err(|error| Failure::data(format!("{error}; name the file accordingly")).about(path))?;
    let opened = File::open(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => SamplesError::NotFound { file: file.clone() },
        _ => SamplesError::Read { file: file.clone(), source },
    })?;
    match format {
        Format::Csv => read_csv(&file, BufReader::new(opened), take)?,
        Format::Jsonl => read_jsonl(&file, BufReader::new(opened), take)?,
        Format::Parquet => read_parquet(&file, opened, take)?,
    }
    Ok(())
}

fn read_csv(file: &str, reader: impl Read + Send + 'static, take: Take<'_>) -> Result<(), SamplesError> {
    let failed = |row, source: csv::Error| {
        if source.is_io_error() {
            return SamplesError::Read { file: file.to_owned(), source: source.into() };
        }
        SamplesError::Row { file: file.to_owned(), row, format: Format::Csv, source: source.into() }
    };
    let mut records = records_of(reader).map_err(|source| failed(0, source.into()))?;
    let mut header = csv::StringRecord::new();
    records.read_record(&mut header).map_err(|source| failed(0, source))?;
    let mut record = csv::StringRecord::new();
    let mut row = 0;
    while records.read_record(&mut record).map_err(|source| failed(row, source))? {
        let field = |name: &'static str| {
            let place = header.iter().position(|column| column.trim() == name)?;
            Some(record.get(place)?.to_owned())
        };
        take(row, &field)?;
        row += 1;
    }
    Ok(())
}

fn read_jsonl(file: &str, reader: impl BufRead, take: Take<'_>) -> Result<(), SamplesError> {
    for (row, line) in reader.lines().enumerate() {
        let line = line.map_err(|source| SamplesError::Read { file: file.to_owned(), source })?;
        let object: BTreeMap<String, Value> = serde_json::from_str(&line).map_err(|source| SamplesError::Row {
            file: file.to_owned(),
            row,
            format: Format::Jsonl,
            source: source.into(),
        })?;
        let field = |name: &'static str| match object.get(name)? {
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        take(row, &field)?;
    }
    Ok(())
}

fn read_parquet(file: &str, opened: File, take: Take<'_>) -> Result<(), SamplesError> {
    let failed = |row, source: Box<dyn std::error::Error + Send + Sync>| SamplesError::Row {
        file: file.to_owned(),
        row,
        format: Format::Parquet,
        source,
    };
    let mut row = 0;
    for batch in Batches::open(opened).map_err(|source| failed(0, source))? {
        let batch = batch.map_err(|source| failed(row, source))?;
        for place in 0..batch.num_rows() {
            take(row, &|name| parquet::text_at(&batch, name, place))?;
            row += 1;
        }
    }
    Ok(())
}

/// Takes the rows one by one and sorts them by split.
struct Collector {
    file: String,
    by: &'static str,
    with_labels: bool,
    splits: BTreeMap<String, Part>,
    /// Whether every row must name its split.
    has_splits: bool,
}

/// The samples of one split.
#[derive(Default)]
struct Part {
    column: Column,
    /// The row of every id.
    rows: BTreeMap<String, usize>,
}

impl Collector {
    fn take(&mut self, row: usize, field: Field<'_>) -> Result<(), SamplesError> {
        let file = || self.file.clone();
        let needed = |column| field(column).ok_or_else(|| SamplesError::MissingColumn { file: file(), row, column });
        let wrong =
            |column, found: String, expected| Err(SamplesError::Value { file: file(), row, column, found, expected });
        let (id, text) = (needed("id")?, needed(self.by)?);
        if id.contains(['\n', '\r']) {
            return wrong("id", id.escape_debug().to_string(), "on one line to be listed");
        }
        let value = match text.parse::<f64>() {
            Ok(value) if value.is_finite() => value,
            _ => return wrong(self.by, text, "a finite number"),
        };
        let label = if self.with_labels { Some(needed("label")?) } else { None };
        let split = if self.has_splits { needed("split")? } else { field("split").unwrap_or_default() };
        let part = self.splits.entry(split).or_default();
        if let Some(first) = part.rows.insert(id.clone(), row) {
            return Err(SamplesError::DuplicateId { file: self.file.clone(), id, first, second: row });
        }
        part.column.ids.push(id);
        part.column.labels.extend(label);
        part.column.values.push(value);
        Ok(())
    }

    fn finish(mut self, split: Option<&str>) -> Result<Column, SamplesError> {
        let file = self.file;
        let is_part = self.splits.len() > 1;
        let (split, part) = chosen_split(&file, &mut self.splits, split)?;
        Ok(Column { split, is_part, ..part.column })
    }
}

/// The split that is meant, and its name: the one named, else `train`, else the only one.
pub(crate) fn chosen_split<Part>(
    file: &str,
    splits: &mut BTreeMap<String, Part>,
    split: Option<&str>,
) -> Result<(String, Part), SamplesError> {
    let names: Vec<String> = splits.keys().cloned().collect();
    let file = file.to_owned();
    let name = match (split, names.as_slice()) {
        (Some(split), _) => split,
        (None, []) => return Err(SamplesError::Empty { file }),
        (None, [only]) => only,
        (None, _) if splits.contains_key("train") => "train",
        (None, _) => return Err(SamplesError::ChooseSplit { file, splits: names.join(", ") }),
    };
    match splits.remove(name) {
        Some(part) => Ok((name.to_owned(), part)),
        None => Err(SamplesError::NoSplit { file, split: name.to_owned(), splits: names.join(", ") }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const CSV: &str = "id,split,label,r,s\na,train,cat,0.5,-1e-3\nb,train,dog,-2,7\na,eval,cat,1,2\n";
    const JSONL: &str = concat!(
        r#"{"id":"a","split":"train","label":"cat","r":0.5,"s":-1e-3}"#,
        "\n",
        r#"{"id":"b","split":"train","label":"dog","r":-2.0,"s":7}"#,
        "\n",
        r#"{"id":"a","split":"eval","label":"cat","r":1,"s":2}"#,
        "\n"
    );

    fn read(name: &str, content: &str, split: Option<&str>) -> Result<Column, Failure> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(name);
        fs::write(&path, content).unwrap();
        read_column(&path, "s", split, true)
    }

    fn refusal(name: &str, content: &str, split: Option<&str>) -> String {
        read(name, content, split).unwrap_err().message()
    }

    #[test]
    fn both_formats_read_alike() {
        let expected = Column {
            split: "train".to_owned(),
            is_part: true,
            ids: vec!["a".to_owned(), "b".to_owned()],
            labels: vec!["cat".to_owned(), "dog".to_owned()],
            values: vec![-1e-3, 7.0],
        };
        assert_eq!(read("s.csv", CSV, Some("train")).unwrap(), expected);
        assert_eq!(read("s.jsonl", JSONL, Some("train")).unwrap(), expected);
    }

    #[test]
    fn the_split_is_the_one_named_or_the_obvious_one() {
        for (name, content) in [("s.csv", CSV), ("s.jsonl", JSONL)] {
            let split = |content: &str, split| read(name, content, split).map(|column| column.split);
            assert_eq!(split(content, None).unwrap(), "train");
            assert_eq!(split(content, Some("eval")).unwrap(), "eval");
            let message = refusal(name, &content.replace("train", "test"), None);
            assert!(message.contains("choose one of eval, test with --split"), "{message}");
        }
        let column = read("s.csv", "id,label,s\na,cat,1\n", None).unwrap();
        assert_eq!((column.split.as_str(), column.is_part), ("", false));
    }

    #[test]
    fn an_id_twice_in_a_split() {
        let message = refusal("s.csv", &CSV.replace("b,train", "a,train"), None);
        assert!(message.contains("rows 0 and 1 have the id `a`"), "{message}");
    }

    #[test]
    fn bad_rows_are_named() {
        let message = refusal("s.csv", &CSV.replace("-2,7", "-2,seven"), None);
        assert!(message.contains("`s` is `seven` at row 1, but must be a finite number"), "{message}");
        let message = refusal("s.jsonl", &JSONL.replace(r#""s":7"#, r#""s":null"#), None);
        assert!(message.contains("`s` is `null` at row 1"), "{message}");
        let message = refusal("s.csv", &CSV.replace("-2,7", "-2"), None);
        assert!(message.contains("row 1 is not a row of csv"), "{message}");
        let message = refusal("s.jsonl", &JSONL[..70], None);
        assert!(message.contains("row 1 is not a row of jsonl"), "{message}");
        let message = refusal("s.csv", &CSV.replace("label", "class"), None);
        assert!(message.contains("row 0 has no column `label`"), "{message}");
        let message = refusal("s.csv", &CSV.replace("\nb,", "\n\"b\nc\","), None);
        assert!(message.contains("`id` is `b\\nc` at row 1"), "{message}");
    }

    #[test]
    fn nothing_to_partition() {
        let message = refusal("s.csv", CSV, Some("test"));
        assert!(message.contains("no samples of the split `test`; the splits there: eval, train"), "{message}");
        assert!(refusal("s.csv", "id,label,s\n", None).contains("there are no samples"));
        assert!(refusal("s.parquet", "", None).contains("row 0 is not a row of parquet"));
    }
}
