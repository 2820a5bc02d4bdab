//! Files of samples as tables of Apache Parquet: the columns, names and values of the other formats.
//!
//! `fold` and `kind` are null where the other formats have nothing, and so is what depends on a modality that a sample
//! lacks. A file that is written piece by piece is put together
//! of pieces that are whole files: their row groups are copied as they are.

use std::error::Error;
use std::io::Write;
use std::sync::Arc;

use crate::features::MetadataType;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, UInt32Array};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::Compression;
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::properties::WriterProperties;
use parquet::file::reader::ChunkReader;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;

use super::extra_columns::ExtraColumns;
use super::sample::{COLUMNS, Sample};
use super::value::Value;

/// Samples that are put into a row group.
const ROWS_OF_A_GROUP: usize = 65_536;

/// The columns of text.
const TEXTS: [&str; 7] = ["id", "split", "label", "pred1", "pred2", "pred12", "kind"];

fn schema(further: &ExtraColumns) -> Schema {
    let has_gaps = further.has_gaps;
    let field = |name: &str| match name {
        "fold" => Field::new(name, DataType::UInt32, true),
        "id" | "split" | "label" => Field::new(name, DataType::Utf8, false),
        _ if TEXTS.contains(&name) => Field::new(name, DataType::Utf8, has_gaps || name == "kind"),
        _ => Field::new(name, DataType::Float64, has_gaps),
    };
    let own = COLUMNS.into_iter().chain(further.numbers.iter().map(String::as_str)).map(field);
    let metadata = further.metadata.iter().map(|column| Field::new(&column.name, metadata_type(column.kind), true));
    Schema::new(own.chain(metadata).collect::<Vec<_>>())
}

/// Returns the type of a column of the input.
pub(super) fn metadata_type(kind: MetadataType) -> DataType {
    match kind {
        MetadataType::Integers => DataType::Int64,
        MetadataType::Floats => DataType::Float64,
        MetadataType::Booleans => DataType::Boolean,
        _ => DataType::Utf8,
    }
}

fn properties() -> WriterProperties {
    text_dictionaries(TEXTS.into_iter().filter(|name| *name != "id"))
}

/// Text that repeats is kept in dictionaries, numbers and ids are not, for they hardly repeat.
pub(super) fn text_dictionaries<'n>(repeating: impl Iterator<Item = &'n str>) -> WriterProperties {
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).set_dictionary_enabled(false);
    repeating
        .fold(properties, |properties, name| properties.set_column_dictionary_enabled(ColumnPath::from(name), true))
        .build()
}

/// Writes samples as a whole file.
///
/// # Errors
/// What the output or Parquet gives.
pub fn write<Text: AsRef<str>>(
    output: &mut (impl Write + Send),
    further: &ExtraColumns,
    samples: impl IntoIterator<Item = Sample<Text>>,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let schema = Arc::new(schema(further));
    // The schema in Arrow's own words would say the same once more.
    let options = ArrowWriterOptions::new().with_properties(properties()).with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(output, schema.clone(), options)?;
    let mut samples = samples.into_iter();
    loop {
        let group: Vec<Sample<Text>> = samples.by_ref().take(ROWS_OF_A_GROUP).collect();
        if group.is_empty() {
            break;
        }
        writer.write(&batch(&schema, further, &group)?)?;
        writer.flush()?;
    }
    writer.close()?;
    Ok(())
}

/// Returns samples as one record batch.
///
/// # Errors
/// An error of Arrow's if the columns are too long for one batch.
pub fn record_batch<Text: AsRef<str>>(
    extra: &ExtraColumns,
    samples: &[Sample<Text>],
) -> Result<RecordBatch, ParquetError> {
    batch(&Arc::new(schema(extra)), extra, samples)
}

fn batch<Text: AsRef<str>>(
    schema: &Arc<Schema>,
    further: &ExtraColumns,
    samples: &[Sample<Text>],
) -> Result<RecordBatch, ParquetError> {
    let text = |of: fn(&Sample<Text>) -> &Text| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(samples.iter().map(|sample| of(sample).as_ref())))
    };
    let prediction = |of: fn(&Sample<Text>) -> &Option<Text>| -> ArrayRef {
        let texts = samples.iter().map(|sample| of(sample).as_ref().map(AsRef::as_ref));
        Arc::new(texts.collect::<StringArray>())
    };
    let number = |of: fn(&Sample<Text>) -> Option<f64>| -> ArrayRef {
        Arc::new(samples.iter().map(of).collect::<Float64Array>())
    };
    let mut columns = vec![
        text(|sample| &sample.id),
        text(|sample| &sample.split),
        Arc::new(samples.iter().map(|sample| sample.fold).collect::<UInt32Array>()),
        text(|sample| &sample.label),
        number(|sample| sample.h1),
        number(|sample| sample.h2),
        number(|sample| sample.i1),
        number(|sample| sample.i2),
        number(|sample| sample.i12),
        number(|sample| sample.r),
        number(|sample| sample.u1),
        number(|sample| sample.u2),
        number(|sample| sample.s),
        prediction(|sample| &sample.pred1),
        prediction(|sample| &sample.pred2),
        prediction(|sample| &sample.pred12),
        Arc::new(samples.iter().map(|sample| sample.kind.map(lsmi_core::Kind::name)).collect::<StringArray>()),
    ];
    for place in 0..further.numbers.len() {
        columns.push(Arc::new(samples.iter().map(|sample| sample.further[place]).collect::<Float64Array>()));
    }
    for (place, column) in further.metadata.iter().enumerate() {
        columns.push(metadata_array(column.kind, samples.iter().map(|sample| &sample.metadata[place])));
    }
    Ok(RecordBatch::try_new(schema.clone(), columns)?)
}

/// Values of a metadata column.
pub(super) fn metadata_array<'v, Text: AsRef<str> + 'v>(
    kind: MetadataType,
    values: impl Iterator<Item = &'v Value<Text>>,
) -> ArrayRef {
    macro_rules! of {
        ($variant:ident) => {
            values.map(|value| if let Value::$variant(value) = value { *value } else { None })
        };
    }
    match kind {
        MetadataType::Integers => Arc::new(of!(Integer).collect::<Int64Array>()),
        MetadataType::Floats => Arc::new(of!(Float).collect::<Float64Array>()),
        MetadataType::Booleans => Arc::new(of!(Boolean).collect::<BooleanArray>()),
        _ => {
            let text = |value: &'v Value<Text>| if let Value::Text(text) = value { text.as_ref() } else { None };
            Arc::new(values.map(|value| text(value).map(AsRef::as_ref)).collect::<StringArray>())
        }
    }
}

/// A file put together of pieces that [`write()`] wrote.
pub struct Joined<W: Write + Send> {
    output: W,
    further: ExtraColumns,
    writer: Option<SerializedFileWriter<W>>,
}

impl<W: Write + Send + Clone> Joined<W> {
    /// Begins a file of these extra columns.
    pub fn new(output: W, further: &ExtraColumns) -> Self {
        Self { output, further: further.clone(), writer: None }
    }

    /// Appends the row groups of a piece.
    ///
    /// # Errors
    /// What the file or Parquet gives.
    pub fn append(&mut self, piece: &impl ChunkReader) -> Result<(), ParquetError> {
        let metadata =
            ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Optional).parse_and_finish(piece)?;
        let writer = if let Some(writer) = &mut self.writer {
            writer
        } else {
            let root = metadata.file_metadata().schema_descr().root_schema_ptr();
            let writer = SerializedFileWriter::new(self.output.clone(), root, Arc::new(properties()))?;
            self.writer.insert(writer)
        };
        append(writer, piece, &metadata)
    }

    /// Writes what comes last, also where there was no piece.
    ///
    /// # Errors
    /// What the output or Parquet gives.
    pub fn finish(self) -> Result<(), Box<dyn Error + Send + Sync>> {
        let Self { mut output, further, writer } = self;
        match writer {
            Some(writer) => {
                writer.close()?;
                Ok(())
            }
            None => write(&mut output, &further, Vec::<Sample<&str>>::new()),
        }
    }
}

fn append<W: Write + Send>(
    writer: &mut SerializedFileWriter<W>,
    piece: &impl ChunkReader,
    metadata: &ParquetMetaData,
) -> Result<(), ParquetError> {
    for (place, group) in metadata.row_groups().iter().enumerate() {
        let mut copy = writer.next_row_group()?;
        for (column, chunk) in group.columns().iter().enumerate() {
            let close = ColumnCloseResult {
                bytes_written: u64::try_from(chunk.compressed_size()).unwrap_or_default(),
                rows_written: u64::try_from(group.num_rows()).unwrap_or_default(),
                metadata: chunk.clone(),
                bloom_filter: None,
                column_index: metadata.column_index().and_then(|of| of.get(place)?.get(column).cloned()),
                offset_index: metadata.offset_index().and_then(|of| of.get(place)?.get(column).cloned()),
            };
            copy.append_column(piece, close)?;
        }
        copy.close()?;
    }
    Ok(())
}

/// What a column of text, of doubles or of integers holds at a row, in words.
pub fn text_at(rows: &RecordBatch, column: &str, row: usize) -> Option<String> {
    let values = rows.column_by_name(column)?;
    if values.is_null(row) {
        return Some(String::new());
    }
    let text = values.as_string_opt::<i32>().map(|texts| texts.value(row).to_owned());
    let text = text.or_else(|| Some(values.as_primitive_opt::<Int64Type>()?.value(row).to_string()));
    text.or_else(|| Some(values.as_primitive_opt::<Float64Type>()?.value(row).to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Batches;
    use lsmi_core::Kind;

    fn sample(id: &str, value: f64) -> Sample<String> {
        let name = |text: &str| text.to_owned();
        Sample {
            id: name(id),
            split: name("eval"),
            fold: None,
            label: name("cat"),
            h1: Some(value),
            h2: Some(value),
            i1: Some(value),
            i2: Some(value),
            i12: Some(value),
            r: Some(value),
            u1: Some(value),
            u2: Some(value),
            s: Some(value),
            pred1: Some(name("cat")),
            pred2: Some(name("dog")),
            pred12: Some(name("cat")),
            kind: Some(Kind::Redundant),
            further: vec![Some(value + 1.0)],
            metadata: vec![Value::Text(Some(name("é"))), Value::Integer(None)],
        }
    }

    fn read(bytes: &[u8]) -> Vec<(String, String, String)> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        let mut found = Vec::new();
        for batch in Batches::open(file).unwrap() {
            let batch = batch.unwrap();
            let text = |name: &str, row| text_at(&batch, name, row).unwrap();
            found.extend((0..batch.num_rows()).map(|row| (text("id", row), text("s", row), text("s_sx", row))));
        }
        found
    }

    #[test]
    fn pieces_joined_are_the_whole() {
        let metadata = [("path", MetadataType::Texts), ("fold", MetadataType::Integers)];
        let further = ExtraColumns::new(vec!["s_sx".to_owned()], metadata.into_iter());
        let samples = [sample("a", 0.1 + 0.2), sample("b", -1e-300), sample("c", 7.0)];
        let mut whole = Vec::new();
        write(&mut whole, &further, samples.clone()).unwrap();
        let path = tempfile::NamedTempFile::new().unwrap();
        let mut joined = Joined::new(Arc::new(path.reopen().unwrap()), &further);
        for part in [&samples[..2], &samples[2..]] {
            let mut bytes = Vec::new();
            write(&mut bytes, &further, part.to_vec()).unwrap();
            let piece = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(piece.path(), bytes).unwrap();
            joined.append(piece.as_file()).unwrap();
        }
        joined.finish().unwrap();
        let found = read(&std::fs::read(path.path()).unwrap());
        assert_eq!(found, read(&whole));
        assert_eq!(found[0], ("a".to_owned(), "0.30000000000000004".to_owned(), "1.3".to_owned()));
    }

    #[test]
    fn no_piece_is_an_empty_table() {
        let path = tempfile::NamedTempFile::new().unwrap();
        Joined::new(Arc::new(path.reopen().unwrap()), &ExtraColumns::default()).finish().unwrap();
        assert_eq!(Batches::open(path.reopen().unwrap()).unwrap().count(), 0);
    }
}
