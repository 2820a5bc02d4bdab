//! Feature files of which some rows are read at a time, so that memory does not grow with the file.
//!
//! Rows are read from their places in the file (`seek` and `read`), not through a memory map: what is mapped changes under
//! the reader when somebody writes the file, or ends the program when somebody cuts it short, and no check beforehand
//! can rule that out.

pub(super) mod npy;
mod npz;
pub(super) mod positioned;
mod safetensors;

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;

use super::{Container, Format, arrow, csv, parquet};
use crate::features::array::{Array, Corrupt, Outline, Unusable};
use crate::features::metadata_columns::{MetadataColumn, MetadataType};

/// A feature file opened to be read a part of its rows at a time.
pub(crate) trait ByRows: Send {
    /// The names of all arrays.
    fn names(&self) -> BTreeSet<String>;

    /// What one of those arrays is.
    fn outline(&mut self, name: &str) -> Result<Outline, Corrupt>;

    /// Some rows of one of those arrays. Rows that follow those read last cost least.
    fn rows(&mut self, name: &str, rows: Range<usize>) -> Result<Array<'static>, Corrupt>;

    /// What a user should know of how the file was understood, in sentences.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    /// Why an array is one of text and not of numbers, where one value decided that.
    fn remark(&mut self, _name: &str) -> Option<Unusable> {
        None
    }

    /// Why the rows of this array cannot be read one after the other, if they cannot, and how to mend it.
    fn obstacle(&mut self, _name: &str) -> Option<&'static str> {
        None
    }

    /// A text that the file holds beside its arrays.
    fn metadata(&self, _key: &str) -> Option<&str> {
        None
    }

    /// The row of the file that is this row of an array.
    fn row_in_file(&self, _name: &str, row: usize) -> usize {
        row
    }

    /// Whether a column of the file says which split a row belongs to.
    fn has_split_column(&self) -> bool {
        false
    }

    /// The columns of a table that make none of these arrays, with their types.
    fn metadata_columns(&self, _arrays: &BTreeSet<String>) -> Vec<(String, MetadataType)> {
        Vec::new()
    }

    /// The values that some of those columns have in some rows of an array.
    fn metadata_values(
        &mut self,
        _array: &str,
        _columns: &[String],
        _rows: Range<usize>,
    ) -> Result<Vec<MetadataColumn>, Corrupt> {
        Ok(Vec::new())
    }
}

/// Why a file is not open.
pub(crate) enum NotOpened {
    /// The operating system refused.
    Io(io::Error),
    /// The file is not of its format.
    Corrupt(Corrupt),
    /// It is, but what its columns are cannot be told; why, and how to mend it.
    Refused(String),
    /// Files of this format are read as a whole.
    Whole,
}

/// Of bytes in memory.
impl From<NotOpened> for Corrupt {
    fn from(refusal: NotOpened) -> Self {
        match refusal {
            NotOpened::Corrupt(corrupt) => corrupt,
            NotOpened::Io(error) => Self(error.to_string()),
            NotOpened::Refused(reason) => Self(reason),
            NotOpened::Whole => Self("it cannot be read".to_owned()),
        }
    }
}

impl From<io::Error> for NotOpened {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Corrupt> for NotOpened {
    fn from(corrupt: Corrupt) -> Self {
        Self::Corrupt(corrupt)
    }
}

pub(super) fn open(format: Format, path: &Path) -> Result<Box<dyn ByRows>, NotOpened> {
    Ok(match format {
        Format::SafeTensors => safetensors::open(File::open(path)?)?,
        Format::Npz => npz::open(path)?,
        Format::Parquet => parquet::open_by_rows(File::open(path)?)?,
        Format::Arrow => arrow::open_by_rows(File::open(path)?)?,
        Format::Csv => csv::open_by_rows(path)?,
        Format::Npy | Format::Torch => return Err(NotOpened::Whole),
    })
}

/// Some rows of a file as if they were all there is.
pub(crate) struct WindowOf<'a> {
    pub(crate) file: &'a mut dyn ByRows,
    pub(crate) rows: Range<usize>,
}

impl Container for WindowOf<'_> {
    fn names(&self) -> BTreeSet<String> {
        self.file.names()
    }

    fn array(&mut self, name: &str) -> Result<Array<'_>, Corrupt> {
        self.file.rows(name, self.rows.clone())
    }

    fn metadata(&self, key: &str) -> Option<&str> {
        self.file.metadata(key)
    }

    fn row_in_file(&self, name: &str, row: usize) -> usize {
        self.file.row_in_file(name, self.rows.start + row)
    }

    fn has_split_column(&self) -> bool {
        self.file.has_split_column()
    }

    fn metadata_columns(&self, arrays: &BTreeSet<String>) -> Vec<(String, MetadataType)> {
        self.file.metadata_columns(arrays)
    }

    fn metadata_values(&mut self, array: &str, columns: &[String]) -> Result<Vec<MetadataColumn>, Corrupt> {
        self.file.metadata_values(array, columns, self.rows.clone())
    }
}

/// All rows of a file.
pub(crate) struct AllRows(pub(crate) Box<dyn ByRows>);

impl AllRows {
    fn row_count(&mut self, name: &str) -> Result<usize, Corrupt> {
        // What has no rows is one value.
        Ok(self.0.outline(name)?.shape.first().copied().unwrap_or(1))
    }
}

impl Container for AllRows {
    fn names(&self) -> BTreeSet<String> {
        self.0.names()
    }

    fn array(&mut self, name: &str) -> Result<Array<'_>, Corrupt> {
        let rows = self.row_count(name)?;
        self.0.rows(name, 0..rows)
    }

    fn metadata(&self, key: &str) -> Option<&str> {
        self.0.metadata(key)
    }

    fn outline(&mut self, name: &str) -> Result<Option<Outline>, Corrupt> {
        let outline = self.0.outline(name)?;
        Ok(self.0.obstacle(name).is_none().then_some(outline))
    }

    fn rows(&mut self, name: &str, rows: Range<usize>) -> Result<Array<'static>, Corrupt> {
        self.0.rows(name, rows)
    }

    fn remark(&mut self, name: &str) -> Option<Unusable> {
        self.0.remark(name)
    }

    fn notes(&self) -> Vec<String> {
        self.0.notes()
    }

    fn row_in_file(&self, name: &str, row: usize) -> usize {
        self.0.row_in_file(name, row)
    }

    fn has_split_column(&self) -> bool {
        self.0.has_split_column()
    }

    fn metadata_columns(&self, arrays: &BTreeSet<String>) -> Vec<(String, MetadataType)> {
        self.0.metadata_columns(arrays)
    }

    fn metadata_values(&mut self, array: &str, columns: &[String]) -> Result<Vec<MetadataColumn>, Corrupt> {
        let rows = self.row_count(array)?;
        self.0.metadata_values(array, columns, 0..rows)
    }
}
