//! The rows of a Parquet file, some at a time.
//!
//! The `parquet` crate panics where the pages of a damaged file are not what it expects. Such a file is refused here like
//! any other that cannot be read.

use std::error::Error;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The rows of a file, in order.
pub struct Batches {
    schema: SchemaRef,
    /// None after the end, and after a failure.
    reader: Option<ParquetRecordBatchReader>,
}

impl Batches {
    /// Reads what a file holds, but no row yet.
    ///
    /// # Errors
    /// What the file or Parquet gives.
    pub fn open(file: File) -> Result<Self> {
        guarded(|| {
            // The Arrow types that the writer had are left alone: Parquet's own are few and say the same.
            let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
            let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)?;
            Ok(Self { schema: builder.schema().clone(), reader: Some(builder.build()?) })
        })
    }

    /// The columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut reader = self.reader.take()?;
        let next = guarded(|| Ok(reader.next().transpose()?)).transpose()?;
        if next.is_ok() {
            self.reader = Some(reader);
        }
        Some(next)
    }
}

fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err("its pages are not what they announce".into()))
}
