//! Feature files of which some rows are read at a time, so that memory does not grow with the file.
//!
//! Rows are read from their places in the file (`seek` and `read`), not through a memory map: what is mapped changes under
//! the reader when somebody writes the file, or ends the program when somebody cuts it short, and no check beforehand
//! can rule that out.

mod npz;
mod positioned;
mod safetensors;

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;

use super::{Container, Format, parquet};
use crate::features::array::{Array, Corrupt, Outline};

/// A feature file opened to be read a part of its rows at a time.
pub(crate) trait ByRows: Send {
    /// The names of all arrays.
    fn names(&self) -> BTreeSet<String>;

    /// What one of those arrays is.
    fn outline(&mut self, name: &str) -> Result<Outline, Corrupt>;

    /// Some rows of one of those arrays. Rows that follow those read last cost least.
    fn rows(&mut self, name: &str, rows: Range<usize>) -> Result<Array<'static>, Corrupt>;

    /// Why the rows of this array cannot be read one after the other, if they cannot, and how to mend it.
    fn obstacle(&mut self, _name: &str) -> Option<&'static str> {
        None
    }

    /// A text that the file holds beside its arrays.
    fn metadata(&self, _key: &str) -> Option<&str> {
        None
    }
}

/// Why a file is not open.
pub(crate) enum NotOpened {
    /// The operating system refused.
    Io(io::Error),
    /// The file is not of its format.
    Corrupt(Corrupt),
    /// Files of this format are read as a whole.
    Whole,
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
        Format::Torch => return Err(NotOpened::Whole),
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
}
