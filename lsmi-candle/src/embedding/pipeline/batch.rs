//! The unit of work for much data, here or in a distributed engine: the vectors of the rows of a record batch.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use arrow_array::{Array, ArrayRef, FixedSizeListArray, Float32Array, RecordBatch, StringArray};
use arrow_buffer::NullBuffer;
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Schema};
use thiserror::Error;

use super::encode::{Encoder, Encoding};
use super::folder::Folder;
use super::group::{Group, Skipped};
use super::table::Row;
use super::table::cells::{input_at, is_input};
use super::workers::Workers;
use crate::embedding::embedder::EmbedError;
use crate::embedding::encoders::Modality;
use crate::estimator::batch::column_names;
use crate::features::Missing;
use crate::features::columns::text::{is_text, text_at};
use crate::jobs::in_order;

/// Rows of a row group, as in a table.
const ROWS: usize = 64;

/// The column that says why a row has no vectors.
const ERROR: &str = "error";

/// Encoders of some columns of record batches. They keep no state from one batch to the next.
///
/// A batch has a column for each encoder: texts, or for everything else paths or the bytes of files (also a structure of
/// `bytes` and `path`); a video may also be a folder of its frames, or a list of their paths. [`embed`](Self::embed) gives its
/// other columns as they came, and the vectors as `x1`, `x2`, ... in the order of the encoders. A column `id` names rows in
/// messages.
pub struct BatchEncoder {
    /// The encoders, and the columns that they are for.
    pub encodings: Vec<Encoding>,
    /// Where relative paths start.
    pub directory: PathBuf,
    /// Whether symbolic links may lead out of the directory.
    pub follow_links: bool,
    /// Inputs that an encoder takes at a time at most, at least 1; as those of [`Settings::batch`](super::Settings::batch).
    pub batch: usize,
    /// Threads that prepare and encode; 0 stands for as many as the machine has processors.
    pub threads: usize,
    /// Which texts stand for a missing input.
    pub missing: Missing,
    /// Whether rows that cannot be embedded stay, with null vectors and the reason in a column `error`, rather than being an
    /// error.
    pub keeps_unreadable: bool,
}

/// A batch that cannot be embedded. Rows are counted from 0.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EmbedBatchError {
    /// A column is missing.
    #[error("there is no column `{column}`, only {found}; add it, or say what it is called")]
    MissingColumn {
        /// The column.
        column: String,
        /// The columns there are.
        found: String,
    },
    /// A column has a type that is not read.
    #[error("the column `{column}` is of type {found}, but must be {expected}; cast it")]
    ColumnType {
        /// The column.
        column: String,
        /// Its type.
        found: String,
        /// The types that are read.
        expected: &'static str,
    },
    /// Two columns have one name.
    #[error("two columns are called `{column}`; rename or drop one of them")]
    RepeatedColumn {
        /// The name.
        column: String,
    },
    /// A column of the batch has the name of one of the result.
    #[error("the batch has a column `{column}`, which is the name of one of the result; rename or drop it")]
    TakenColumn {
        /// The column.
        column: String,
    },
    /// A row cannot be embedded.
    #[error("row {row}{}: {reason}", .id.as_ref().map_or_else(String::new, |id| format!(" (id `{id}`)")))]
    Row {
        /// The row.
        row: usize,
        /// Its id, where the batch has ids.
        id: Option<String>,
        /// What is wrong.
        reason: String,
    },
    /// A setting is 0.
    #[error("the setting `{name}` is 0, but must be at least 1")]
    Setting {
        /// The setting.
        name: &'static str,
    },
    /// An encoder or a device fails, for all rows.
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// What made the vectors cannot be written as JSON.
    #[error("the description of the vectors cannot be written")]
    Describe(#[from] serde_json::Error),
    /// Arrow failed for a reason other than the values of the rows.
    #[error("the result could not be put together")]
    Arrow(#[from] ArrowError),
}

impl BatchEncoder {
    /// Returns the columns of the result for rows with the given columns: those that are no inputs, then `x1`, `x2`, ... (lists
    /// of so many f32 as the encoder's vectors have), then `error`, where unreadable rows are kept. Its metadata say under
    /// `x1_model`, `x2_model`, ... what made the vectors, as those of a feature file do.
    ///
    /// # Errors
    /// [`EmbedBatchError`] for an input that is not there or of a type that is not read, and a column that has the name of
    /// one of the result.
    pub fn output_schema(&self, rows: &Schema) -> Result<Schema, EmbedBatchError> {
        let found = || column_names(rows);
        let mut seen = BTreeSet::new();
        if let Some(twice) = rows.fields().iter().find(|field| !seen.insert(field.name())) {
            return Err(EmbedBatchError::RepeatedColumn { column: twice.name().clone() });
        }
        for Encoding { column, modality, .. } in &self.encodings {
            let missing = || EmbedBatchError::MissingColumn { column: column.clone(), found: found() };
            let kind = rows.field_with_name(column).map_err(|_| missing())?.data_type();
            if !is_input(kind, *modality) {
                let expected = match modality {
                    Modality::Text => "text",
                    Modality::Video => "paths, lists of paths, bytes, or structures of `bytes` and `path`",
                    _ => "paths, bytes, or structures of `bytes` and `path`",
                };
                let (column, found) = (column.clone(), kind.to_string());
                return Err(EmbedBatchError::ColumnType { column, found, expected });
            }
        }
        let made = self.made()?;
        let is_input = |field: &&FieldRef| self.encodings.iter().any(|encoding| encoding.column == *field.name());
        let kept: Vec<FieldRef> = rows.fields().iter().filter(|field| !is_input(field)).cloned().collect();
        if let Some(taken) = kept.iter().find(|field| made.iter().any(|made| made.name() == field.name())) {
            return Err(EmbedBatchError::TakenColumn { column: taken.name().clone() });
        }
        let mut metadata = rows.metadata().clone();
        for (number, encoding) in (1..).zip(&self.encodings) {
            metadata.insert(format!("x{number}_model"), serde_json::to_string(encoding.embedder.provenance())?);
        }
        Ok(Schema::new_with_metadata(kept.into_iter().chain(made).collect::<Vec<_>>(), metadata))
    }

    /// Lists the columns that are made.
    fn made(&self) -> Result<Vec<FieldRef>, EmbedBatchError> {
        let mut made: Vec<FieldRef> = Vec::new();
        for (number, encoding) in (1..).zip(&self.encodings) {
            let width = encoding.embedder.width();
            let width =
                i32::try_from(width).map_err(|_| ArrowError::InvalidArgumentError(format!("{width} columns")))?;
            let lists = DataType::FixedSizeList(value(), width);
            made.push(Arc::new(Field::new(format!("x{number}"), lists, self.keeps_unreadable)));
        }
        if self.keeps_unreadable {
            made.push(Arc::new(Field::new(ERROR, DataType::Utf8, true)));
        }
        Ok(made)
    }

    /// Makes the vectors of the rows of a batch, in their order.
    ///
    /// A text or sound that is longer than its model takes is cut; the metadata of the result say at what length.
    ///
    /// The vector of a row does not depend on the rows beside it but for the last digits, as texts of different lengths are
    /// padded to one.
    ///
    /// # Errors
    /// [`EmbedBatchError`], which names column, row and id.
    pub fn embed(&self, rows: &RecordBatch) -> Result<RecordBatch, EmbedBatchError> {
        if self.batch == 0 {
            return Err(EmbedBatchError::Setting { name: "batch" });
        }
        let schema = self.output_schema(&rows.schema())?;
        if rows.num_rows() == 0 {
            return Ok(RecordBatch::new_empty(schema.into()));
        }
        let threads = match self.threads {
            0 => thread::available_parallelism().map_or(1, NonZero::get),
            threads => threads,
        };
        let encoder = Encoder {
            encodings: &self.encodings,
            folder: Folder::new(self.directory.clone(), self.follow_links),
            batch: self.batch,
            missing: self.missing,
            workers: Workers::new(threads),
        };
        let pieces = rows.num_rows().div_ceil(ROWS);
        let mut groups = Vec::with_capacity(pieces);
        in_order(
            pieces,
            threads.min(pieces),
            |piece| Ok(self.rows(rows, piece * ROWS, ROWS.min(rows.num_rows() - piece * ROWS))),
            |_, rows: Vec<Row>| encoder.group(&rows),
            |_, group| {
                groups.push(group);
                Ok(())
            },
        )?;
        self.put_together(rows, schema, &groups)
    }

    /// Takes the inputs and ids of some rows.
    fn rows(&self, rows: &RecordBatch, start: usize, count: usize) -> Vec<Row> {
        let columns: Vec<&ArrayRef> = self.encodings.iter().map(|encoding| &rows[encoding.column.as_str()]).collect();
        let ids = rows.column_by_name("id").filter(|ids| is_text(ids.data_type()));
        let row = |place: usize| Row {
            place,
            inputs: columns.iter().map(|column| input_at(column, place, || format!("in row {place}"))).collect(),
            label: None,
            id: ids.filter(|ids| !ids.is_null(place)).map(|ids| text_at(ids, place)),
        };
        (start..start + count).map(row).collect()
    }

    fn put_together(
        &self,
        rows: &RecordBatch,
        schema: Schema,
        groups: &[Group],
    ) -> Result<RecordBatch, EmbedBatchError> {
        let skipped: Vec<&Skipped> = groups.iter().flat_map(|group| &group.header.skipped).collect();
        if let Some(first) = skipped.first().filter(|_| !self.keeps_unreadable) {
            // Rows of a table are counted from 1.
            let (row, id, reason) = (first.row - 1, first.id.clone(), first.reason.clone());
            return Err(EmbedBatchError::Row { row, id, reason });
        }
        let mut reasons: Vec<Option<&str>> = vec![None; rows.num_rows()];
        for skipped in skipped {
            reasons[skipped.row - 1] = Some(&skipped.reason);
        }
        let made = self.encodings.len();
        let kept = schema.fields().len() - made - usize::from(self.keeps_unreadable);
        let mut columns: Vec<ArrayRef> =
            schema.fields()[..kept].iter().map(|field| rows[field.name().as_str()].clone()).collect();
        for (place, field) in schema.fields()[kept..kept + made].iter().enumerate() {
            let DataType::FixedSizeList(_, width) = field.data_type() else { continue };
            let vectors = self.vectors(groups, place, rows.num_rows());
            let nulls = reasons.iter().any(Option::is_some);
            let nulls = nulls.then(|| reasons.iter().map(Option::is_none).collect::<NullBuffer>());
            let values = Arc::new(Float32Array::from(vectors));
            columns.push(Arc::new(FixedSizeListArray::try_new(value(), *width, values, nulls)?));
        }
        if self.keeps_unreadable {
            columns.push(Arc::new(StringArray::from(reasons)));
        }
        Ok(RecordBatch::try_new(schema.into(), columns)?)
    }

    /// Puts the vectors of one encoder into the places of their rows; rows without one have zeros.
    fn vectors(&self, groups: &[Group], place: usize, rows: usize) -> Vec<f32> {
        let width = self.encodings[place].embedder.width();
        let mut all = vec![0.0; rows * width];
        for group in groups {
            for (row, vector) in group.header.places.iter().zip(group.vectors[place].chunks(width)) {
                all[row * width..][..width].copy_from_slice(vector);
            }
        }
        all
    }
}

fn value() -> FieldRef {
    Arc::new(Field::new_list_field(DataType::Float32, false))
}
