//! A table of samples whose columns depend on what was analysed, and its files.
//!
//! The files are as those of [`Sample`](super::Sample) are: numbers with the fewest digits that give back the same f64, a
//! fold that is not there empty in csv and null elsewhere.

use std::borrow::Cow;
use std::error::Error;
use std::io::Write;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray, UInt32Array};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::errors::ParquetError;
use serde::{Serialize, Serializer};

use super::Format;
use super::parquet::{metadata_array, metadata_type, text_dictionaries};
use super::value::Value;
use crate::features::MetadataType;

/// The values of a column, one a sample.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Texts.
    Texts(Vec<String>),
    /// The fold that held each sample out; none for samples that all folds' models scored.
    Folds(Vec<Option<u32>>),
    /// Numbers.
    Numbers(Vec<f64>),
    /// Values of a column of the input.
    Metadata(MetadataType, Vec<Value<Cow<'static, str>>>),
}

/// Named columns of equally many values.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SampleTable {
    columns: Vec<(String, Column)>,
}

/// A value of any column.
#[derive(Serialize)]
#[serde(untagged)]
enum Cell<'a> {
    Text(&'a str),
    Fold(Option<u32>),
    Number(f64),
    Metadata(&'a Value<Cow<'static, str>>),
}

/// A row as a JSON object.
struct Line<'a>(&'a SampleTable, usize);

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.columns.iter().map(|(name, column)| (name, column.cell(self.1))))
    }
}

impl Column {
    fn len(&self) -> usize {
        match self {
            Self::Texts(values) => values.len(),
            Self::Folds(values) => values.len(),
            Self::Numbers(values) => values.len(),
            Self::Metadata(_, values) => values.len(),
        }
    }

    fn cell(&self, row: usize) -> Cell<'_> {
        match self {
            Self::Texts(values) => Cell::Text(&values[row]),
            Self::Folds(values) => Cell::Fold(values[row]),
            Self::Numbers(values) => Cell::Number(values[row]),
            Self::Metadata(_, values) => Cell::Metadata(&values[row]),
        }
    }

    fn field(&self, name: &str) -> Field {
        match self {
            Self::Texts(_) => Field::new(name, DataType::Utf8, false),
            Self::Folds(_) => Field::new(name, DataType::UInt32, true),
            Self::Numbers(_) => Field::new(name, DataType::Float64, false),
            Self::Metadata(kind, _) => Field::new(name, metadata_type(*kind), true),
        }
    }

    fn array(&self) -> ArrayRef {
        match self {
            Self::Texts(values) => Arc::new(StringArray::from_iter_values(values)),
            Self::Folds(values) => Arc::new(values.iter().copied().collect::<UInt32Array>()),
            Self::Numbers(values) => Arc::new(Float64Array::from(values.clone())),
            Self::Metadata(kind, values) => metadata_array(*kind, values.iter()),
        }
    }
}

impl SampleTable {
    /// Appends values to a column, which is new if there is none of that name. Values of another kind than those before
    /// are left out; the columns of all splits are of one kind each.
    pub(crate) fn extend(&mut self, name: &str, values: Column) {
        let Some((_, column)) = self.columns.iter_mut().find(|(known, _)| known == name) else {
            self.columns.push((name.to_owned(), values));
            return;
        };
        match (column, values) {
            (Column::Texts(column), Column::Texts(values)) => column.extend(values),
            (Column::Folds(column), Column::Folds(values)) => column.extend(values),
            (Column::Numbers(column), Column::Numbers(values)) => column.extend(values),
            (Column::Metadata(_, column), Column::Metadata(_, values)) => column.extend(values),
            _ => debug_assert!(false, "`{name}` is of one kind in all splits"),
        }
    }

    /// Returns the names of the columns.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(name, _)| name.as_str())
    }

    /// Returns the column of a name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|(known, _)| known == name).map(|(_, column)| column)
    }

    /// Returns the number of samples.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, column)| column.len())
    }

    /// Returns the table as one record batch.
    ///
    /// # Errors
    /// An error of Arrow's if the columns are too long for one batch.
    pub fn record_batch(&self) -> Result<RecordBatch, ParquetError> {
        let fields: Vec<Field> = self.columns.iter().map(|(name, column)| column.field(name)).collect();
        let arrays = self.columns.iter().map(|(_, column)| column.array()).collect();
        Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
    }

    /// Writes the table as a whole file.
    ///
    /// # Errors
    /// What the output or the format gives.
    pub fn write(&self, output: &mut (impl Write + Send), format: Format) -> Result<(), Box<dyn Error + Send + Sync>> {
        match format {
            Format::Csv => {
                let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(output);
                writer.write_record(self.names())?;
                for row in 0..self.rows() {
                    writer.serialize(self.columns.iter().map(|(_, column)| column.cell(row)).collect::<Vec<_>>())?;
                }
                writer.flush()?;
            }
            Format::Jsonl => {
                for row in 0..self.rows() {
                    serde_json::to_writer(&mut *output, &Line(self, row))?;
                    output.write_all(b"\n")?;
                }
            }
            Format::Parquet => {
                let batch = self.record_batch()?;
                let texts = self.columns.iter().filter(|(_, column)| matches!(column, Column::Texts(_)));
                let repeating = texts.map(|(name, _)| name.as_str()).filter(|name| *name != "id");
                let options = ArrowWriterOptions::new()
                    .with_properties(text_dictionaries(repeating))
                    .with_skip_arrow_metadata(true);
                let mut writer = ArrowWriter::try_new_with_options(output, batch.schema(), options)?;
                writer.write(&batch)?;
                writer.close()?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> SampleTable {
        let mut table = SampleTable::default();
        for (id, fold) in [("a,b", Some(1)), ("c", None)] {
            table.extend("id", Column::Texts(vec![id.to_owned()]));
            table.extend("fold", Column::Folds(vec![fold]));
            table.extend("{1}{2}{3}", Column::Numbers(vec![0.1 + 0.2]));
            table.extend("site", Column::Metadata(MetadataType::Integers, vec![Value::Integer(fold.map(i64::from))]));
        }
        table
    }

    fn text(format: Format) -> String {
        let mut bytes = Vec::new();
        table().write(&mut bytes, format).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn files_have_the_columns_in_their_order() {
        let csv = "id,fold,{1}{2}{3},site\n\"a,b\",1,0.30000000000000004,1\nc,,0.30000000000000004,\n";
        assert_eq!(text(Format::Csv), csv);
        let first = r#"{"id":"a,b","fold":1,"{1}{2}{3}":0.30000000000000004,"site":1}"#;
        assert_eq!(text(Format::Jsonl).lines().next(), Some(first));
        assert!(text(Format::Jsonl).contains(r#""fold":null"#));
        let batch = table().record_batch().unwrap();
        assert_eq!((batch.num_rows(), batch.num_columns()), (2, 4));
        let mut bytes = Vec::new();
        table().write(&mut bytes, Format::Parquet).unwrap();
        assert!(bytes.starts_with(b"PAR1"));
    }
}
