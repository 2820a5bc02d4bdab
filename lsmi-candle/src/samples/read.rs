//! Reads samples back from a file of samples, csv, jsonl or parquet: row by row, or one interaction of every sample.
//!
//! Only the columns that are needed must be there. Rows are counted from 0, without the header.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use crate::features::{PRESENT, records_of};
use lsmi_core::Kind;
use serde_json::Value;
use thiserror::Error;

use super::{Format, FormatError, parquet};
use crate::files::Batches;

/// Why a file of samples cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SamplesError {
    /// There is no such file.
    #[error("{file}: no such file; give the samples that `analyze` or `score` wrote")]
    NotFound {
        /// The file.
        file: String,
    },
    /// Its name announces no format of samples.
    #[error("{file}: {error}; name the file accordingly")]
    Format {
        /// The file.
        file: String,
        /// What its name announces.
        error: FormatError,
    },
    /// The file cannot be read.
    #[error("{file}: cannot be read")]
    Read {
        /// The file.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// A row is not in the format.
    #[error(
        "{file}: row {row} is not a row of {format}; the file may be damaged, cut short or not UTF-8, so write it again"
    )]
    Row {
        /// The file.
        file: String,
        /// The row, counted from 0 after the header.
        row: usize,
        /// The format.
        format: Format,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A column that is needed is not there.
    #[error("{file}: row {row} has no column `{column}`; give the samples that `analyze` or `score` wrote")]
    MissingColumn {
        /// The file.
        file: String,
        /// The row, counted from 0 after the header.
        row: usize,
        /// The column.
        column: String,
    },
    /// A value is not what its column holds.
    #[error("{file}: `{column}` is `{found}` at row {row}, but must be {expected}; mend or remove the row")]
    Value {
        /// The file.
        file: String,
        /// The row, counted from 0 after the header.
        row: usize,
        /// The column.
        column: String,
        /// What was found.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
    /// Two samples of a split have one id.
    #[error("{file}: rows {first} and {second} have the id `{id}`; remove one of them")]
    DuplicateId {
        /// The file.
        file: String,
        /// The id.
        id: String,
        /// The first.
        first: usize,
        /// The second.
        second: usize,
    },
    /// No split was named, and none is the obvious one.
    #[error("{file}: there are several splits, none of them `train`; choose one of {splits}")]
    ChooseSplit {
        /// The file.
        file: String,
        /// The splits that there are.
        splits: String,
    },
    /// There is no sample of the split.
    #[error("{file}: there are no samples of the split `{split}`; the splits there: {splits}")]
    NoSplit {
        /// The file.
        file: String,
        /// The split.
        split: String,
        /// The splits that there are.
        splits: String,
    },
    /// There is no sample at all.
    #[error("{file}: there are no samples; give the samples that `analyze` or `score` wrote")]
    Empty {
        /// The file.
        file: String,
    },
}

/// The samples of a split, as far as they were asked for, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SplitSamples {
    /// The ids, all different.
    pub ids: Vec<String>,
    /// The rows of the file, counted from 0 after the header.
    pub rows: Vec<usize>,
    /// The class names; empty texts where the file has none, and no texts if they were not asked for.
    pub labels: Vec<String>,
    /// The classes that the head of both modalities predicts; none if they were not asked for.
    pub predictions: Vec<String>,
    /// The kinds; none of a sample that has none, and no kinds if they were not asked for.
    pub kinds: Vec<Option<Kind>>,
    /// A column for each of [`Wanted::values`].
    pub values: Vec<Vec<f64>>,
    /// The samples that were left out, as they lack a modality and with it a value that was asked for.
    pub left_out: usize,
}

/// Whether a column is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Need {
    /// It is passed over.
    #[default]
    Unread,
    /// It is read where it is there.
    Optional,
    /// It must be there.
    Required,
}

/// The columns that are read besides ids.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'w> {
    /// Columns of finite numbers, which must be there.
    pub values: &'w [&'w str],
    /// The column `split`: rows without one are of a split without a name.
    pub split: Need,
    /// The column `label`.
    pub label: Need,
    /// The column `pred12`.
    pub prediction: Need,
    /// The column `kind`.
    pub kind: Need,
}

/// Reads the samples of every split of a file, by the names of the splits. Samples that lack a modality, which `present1` or
/// `present2` tells, are left out and counted if they lack a value that was asked for.
///
/// # Errors
/// [`SamplesError`] if the file cannot be read, lacks a column, or holds a value that is not what its column holds; if two
/// samples of a split have one id.
pub fn read_splits(path: &Path, wanted: Wanted<'_>) -> Result<BTreeMap<String, SplitSamples>, SamplesError> {
    let file = path.display().to_string();
    let mut splits: BTreeMap<String, (SplitSamples, HashMap<String, usize>)> = BTreeMap::new();
    read_rows(path, &mut |row, field| {
        let missing = |column: &str| SamplesError::MissingColumn { file: file.clone(), row, column: column.to_owned() };
        let text = |column: &str, need: Need| match (need, field(column)) {
            (Need::Unread, _) => Ok(None),
            (Need::Required, None) => Err(missing(column)),
            (_, text) => Ok(Some(text.unwrap_or_default())),
        };
        let id = field("id").ok_or_else(|| missing("id"))?;
        if lacks_modality(field) && wanted.required().any(|column| field(column).is_some_and(|text| is_empty(&text))) {
            let split = text("split", wanted.split)?.unwrap_or_default();
            splits.entry(split).or_default().0.left_out += 1;
            return Ok(());
        }
        let mut values = Vec::with_capacity(wanted.values.len());
        for &column in wanted.values {
            values.push(finite(&file, row, column, field(column).ok_or_else(|| missing(column))?)?);
        }
        let label = text("label", wanted.label)?;
        let split = text("split", wanted.split)?.unwrap_or_default();
        let prediction = text("pred12", wanted.prediction)?;
        let kind = text("kind", wanted.kind)?.map(|name| kind(&file, row, name, wanted.kind)).transpose()?;
        let (samples, rows) = splits.entry(split).or_default();
        if let Some(first) = rows.insert(id.clone(), row) {
            return Err(SamplesError::DuplicateId { file: file.clone(), id, first, second: row });
        }
        samples.values.resize(values.len(), Vec::new());
        for (column, value) in samples.values.iter_mut().zip(values) {
            column.push(value);
        }
        samples.ids.push(id);
        samples.rows.push(row);
        samples.labels.extend(label);
        samples.predictions.extend(prediction);
        samples.kinds.extend(kind);
        Ok(())
    })?;
    Ok(splits.into_iter().map(|(name, (samples, _))| (name, samples)).collect())
}

impl<'w> Wanted<'w> {
    /// Lists the columns that must be there and depend on the modalities.
    fn required(&self) -> impl Iterator<Item = &'w str> {
        let others = [("pred12", self.prediction), ("kind", self.kind)];
        let others = others.into_iter().filter(|(_, need)| *need == Need::Required).map(|(column, _)| column);
        self.values.iter().copied().chain(others)
    }
}

/// Returns whether a sample is said to lack a modality.
fn lacks_modality(field: Field<'_>) -> bool {
    PRESENT.into_iter().any(|column| field(column).as_deref() == Some("0"))
}

/// Returns whether a file has nothing in the place of a value.
fn is_empty(text: &str) -> bool {
    // As JSON writes nothing.
    text.is_empty() || text == "null"
}

fn finite(file: &str, row: usize, column: &str, text: String) -> Result<f64, SamplesError> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        _ => {
            let (column, expected) = (column.to_owned(), "a finite number");
            Err(SamplesError::Value { file: file.to_owned(), row, column, found: text, expected })
        }
    }
}

fn kind(file: &str, row: usize, name: String, need: Need) -> Result<Option<Kind>, SamplesError> {
    if name.is_empty() && need == Need::Optional {
        return Ok(None);
    }
    name.parse().map(Some).map_err(|_| SamplesError::Value {
        file: file.to_owned(),
        row,
        column: "kind".to_owned(),
        found: name,
        expected: "the kind of a sample",
    })
}

/// One column of the samples of a split, in the order of the file.
#[derive(Debug, Default, PartialEq)]
pub struct Column {
    /// The split; empty where the file names none.
    pub split: String,
    /// Whether the file has other splits.
    pub is_part: bool,
    /// The ids.
    pub ids: Vec<String>,
    /// The class names; empty if they were not asked for.
    pub labels: Vec<String>,
    /// The values.
    pub values: Vec<f64>,
    /// The samples that were left out, as they lack a modality and with it the value.
    pub left_out: usize,
}

/// Reads the column `by`, of numbers, of the samples of a split: the one named, else `train`, else the only one.
///
/// # Errors
/// [`SamplesError`] as for [`read_splits`], for an id of more than one line, and where it is not clear which split is
/// meant.
pub fn read_column(
    path: &Path,
    by: &'static str,
    split: Option<&str>,
    with_labels: bool,
) -> Result<Column, SamplesError> {
    let file = path.display().to_string();
    let wanted = Wanted {
        values: &[by],
        split: if split.is_some() { Need::Required } else { Need::Optional },
        label: if with_labels { Need::Required } else { Need::Unread },
        ..Wanted::default()
    };
    let mut splits = read_splits(path, wanted)?;
    for samples in splits.values() {
        if let Some((id, row)) = samples.ids.iter().zip(&samples.rows).find(|(id, _)| id.contains(['\n', '\r'])) {
            let (found, expected) = (id.escape_debug().to_string(), "on one line to be listed");
            return Err(SamplesError::Value { file, row: *row, column: "id".to_owned(), found, expected });
        }
    }
    let is_part = splits.len() > 1;
    let (split, samples) = chosen_split(&file, &mut splits, split)?;
    let SplitSamples { ids, labels, values, left_out, .. } = samples;
    if ids.is_empty() {
        return Err(SamplesError::Empty { file });
    }
    Ok(Column { split, is_part, ids, labels, values: values.into_iter().next().unwrap_or_default(), left_out })
}

/// The text of a column of the present row; none where there is nothing.
pub type Field<'a> = &'a dyn Fn(&str) -> Option<String>;
/// What takes rows, with their numbers.
type Take<'a> = &'a mut dyn FnMut(usize, Field<'_>) -> Result<(), SamplesError>;

/// Gives every row of a file of samples to `take`, in order.
///
/// # Errors
/// [`SamplesError`] if the file cannot be read, or a row is not in its format; whatever `take` returns.
pub fn read_rows(path: &Path, take: Take<'_>) -> Result<(), SamplesError> {
    let file = path.display().to_string();
    let format = Format::of_path(path).map_err(|error| SamplesError::Format { file: file.clone(), error })?;
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
        let field = |name: &str| {
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
        let field = |name: &str| match object.get(name)? {
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

/// The split that is meant, and its name: the one named, else `train`, else the only one.
///
/// # Errors
/// [`SamplesError`] if there is no such split, or several to choose from.
pub fn chosen_split<Part>(
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

    fn read(name: &str, content: &str, split: Option<&str>) -> Result<Column, SamplesError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(name);
        fs::write(&path, content).unwrap();
        read_column(&path, "s", split, true)
    }

    fn refusal(name: &str, content: &str, split: Option<&str>) -> String {
        read(name, content, split).unwrap_err().to_string()
    }

    #[test]
    fn both_formats_read_alike() {
        let expected = Column {
            split: "train".to_owned(),
            is_part: true,
            ids: vec!["a".to_owned(), "b".to_owned()],
            labels: vec!["cat".to_owned(), "dog".to_owned()],
            values: vec![-1e-3, 7.0],
            left_out: 0,
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
            assert!(message.contains("choose one of eval, test"), "{message}");
        }
        let column = read("s.csv", "id,label,s\na,cat,1\n", None).unwrap();
        assert_eq!((column.split.as_str(), column.is_part), ("", false));
    }

    #[test]
    fn samples_that_lack_a_modality_are_left_out_and_counted() {
        let csv = "id,split,label,s,present1,present2\na,train,cat,0.5,1,1\nb,train,dog,,1,0\nc,train,dog,,0,1\n";
        let jsonl = concat!(
            r#"{"id":"a","split":"train","label":"cat","s":0.5,"present1":1,"present2":1}"#,
            "\n",
            r#"{"id":"b","split":"train","label":"dog","s":null,"present1":1,"present2":0}"#,
            "\n",
            r#"{"id":"c","split":"train","label":"dog","s":null,"present1":0,"present2":1}"#,
            "\n"
        );
        for (name, content) in [("s.csv", csv), ("s.jsonl", jsonl)] {
            let column = read(name, content, None).unwrap();
            assert_eq!((column.ids, column.values, column.left_out), (vec!["a".to_owned()], vec![0.5], 2));
        }
        // A value that is missing for no reason is an error still.
        let message = refusal("s.csv", &csv.replace("b,train,dog,,1,0", "b,train,dog,,1,1"), None);
        assert!(message.contains("`s` is `` at row 1"), "{message}");
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
