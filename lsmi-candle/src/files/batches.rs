//! The rows of a Parquet file, some at a time.
//!
//! The `parquet` crate panics where the pages of a damaged file are not what it expects. Such a file is refused here like
//! any other that cannot be read.

use std::error::Error;
use std::fs::File;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use crate::guarded::guarded;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The rows of a Parquet file, in order.
pub struct Batches {
    schema: SchemaRef,
    /// None after the end, and after a failure.
    reader: Option<ParquetRecordBatchReader>,
}

impl Batches {
    /// Opens a file and reads its schema.
    ///
    /// # Errors
    /// If it is no Parquet, or damaged.
    pub fn open(file: File) -> Result<Self> {
        unless_damaged(|| {
            // The Arrow types that the writer had are left alone: Parquet's own are few and say the same.
            let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
            let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)?;
            Ok(Self { schema: builder.schema().clone(), reader: Some(builder.build()?) })
        })
    }

    /// Returns the columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut reader = self.reader.take()?;
        let next = unless_damaged(|| Ok(reader.next().transpose()?)).transpose()?;
        if next.is_ok() {
            self.reader = Some(reader);
        }
        Some(next)
    }
}

fn unless_damaged<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    guarded(work).unwrap_or_else(|| Err("its pages are not what they announce".into()))
}
