//! The file formats: each is one room here and one line in [`Format::ALL`] and `Format::entry`.
//!
//! A format opens bytes, in memory or on disk, as a [`Container`], from which rows of arrays are read by name. It knows
//! nothing of modalities, labels or splits, and reads no arrays but those it is asked for.
//!
//! Rows are read from their places in the file (`seek` and `read`), not through a memory map: what is mapped changes under
//! the reader when somebody writes the file, or ends the program when somebody cuts it short, and no check beforehand
//! can rule that out.

mod archive;
mod arrow;
mod csv;
mod input;
mod memory;
mod npy;
mod npy_header;
mod npz;
mod parquet;
mod pickle;
pub(crate) mod safetensors;
mod table;
mod torch;

use std::collections::BTreeSet;
use std::io;
use std::ops::Range;
use std::path::Path;

use super::array::{Array, Corrupt, Outline, Unusable};
use super::columns::metadata::{MetadataColumn, MetadataType};

pub(crate) use input::Input;
pub(in crate::features) use memory::{Held, Memory};
pub(in crate::features) use npy::open as open_npy_files;

/// An opened feature file: named arrays, of which some rows are read at a time.
pub(crate) trait Container: Send {
    /// Returns the names of all arrays.
    fn names(&self) -> BTreeSet<String>;

    /// Describes one of those arrays.
    fn outline(&mut self, name: &str) -> Result<Outline, Corrupt>;

    /// Reads some rows of one of those arrays; an array without dimensions is one row. Rows that follow those read last
    /// cost least.
    fn rows(&mut self, name: &str, rows: Range<usize>) -> Result<Array<'static>, Corrupt>;

    /// Says why an array can only be read as a whole, if so, and how to mend it.
    fn obstacle(&mut self, _name: &str) -> Option<&'static str> {
        None
    }

    /// Returns the text under a key of the metadata.
    fn metadata(&self, _key: &str) -> Option<&str> {
        None
    }

    /// Says how the file was understood, in sentences for the user.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    /// Says why an array is one of text and not of numbers, if one value decided that.
    fn remark(&mut self, _name: &str) -> Option<Unusable> {
        None
    }

    /// Returns the row of the file that is this row of an array.
    fn row_in_file(&self, _name: &str, row: usize) -> usize {
        row
    }

    /// Returns whether a column of the file says which split a row belongs to.
    fn has_split_column(&self) -> bool {
        false
    }

    /// Lists the columns of a table that belong to none of these arrays, with their types.
    fn metadata_columns(&self, _arrays: &BTreeSet<String>) -> Vec<(String, MetadataType)> {
        Vec::new()
    }

    /// Reads the values of some of those columns in some rows of an array.
    fn metadata_values(
        &mut self,
        _array: &str,
        _columns: &[String],
        _rows: Range<usize>,
    ) -> Result<Vec<MetadataColumn>, Corrupt> {
        Ok(Vec::new())
    }
}

/// The result of opening a file.
pub(crate) type Opened = Result<Box<dyn Container>, NotOpened>;

/// Why a file cannot be opened.
pub(crate) enum NotOpened {
    /// The operating system refused.
    Io(io::Error),
    /// The file is not of its format.
    Corrupt(Corrupt),
    /// It is, but its columns cannot be told apart; why, and how to mend it.
    Refused(String),
}

impl From<NotOpened> for Corrupt {
    fn from(refusal: NotOpened) -> Self {
        match refusal {
            NotOpened::Corrupt(corrupt) => corrupt,
            NotOpened::Io(error) => Self(error.to_string()),
            NotOpened::Refused(reason) => Self(reason),
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

/// A format that features can be read from.
///
/// ```
/// use lsmi_candle::features::Format;
///
/// assert_eq!(Format::from_path("run/emoji.safetensors".as_ref()), Some(Format::SafeTensors));
/// assert_eq!(Format::from_path("notes.txt".as_ref()), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// `.safetensors`.
    SafeTensors,
    /// `.npz`: what `numpy.savez` and `numpy.savez_compressed` write.
    Npz,
    /// `.npy`: one array. Several files make a feature file, see [`Data`](super::Data); one alone does not.
    Npy,
    /// `.parquet`: a table. Columns of lists are matrices, and so are columns called `x1_0`, `x1_1` and so on.
    Parquet,
    /// `.arrow`, `.feather`: the same table in the file format of Arrow IPC.
    Arrow,
    /// `.csv`: the same table as comma-separated values with a header.
    Csv,
    /// `.pt`, `.pth`: a dictionary of tensors written by `torch.save`.
    Torch,
}

/// The entry of a format in the table of all.
struct Entry {
    name: &'static str,
    extensions: &'static [&'static str],
    open: fn(&Input) -> Opened,
}

impl Format {
    /// All formats of feature files.
    pub const ALL: &'static [Self] =
        &[Self::SafeTensors, Self::Npz, Self::Parquet, Self::Arrow, Self::Csv, Self::Torch];

    #[rustfmt::skip]
    fn entry(self) -> Entry {
        match self {
            Self::SafeTensors => Entry { name: "safetensors", extensions: &["safetensors"], open: safetensors::open },
            Self::Npz => Entry { name: "npz", extensions: &["npz"], open: npz::open },
            Self::Npy => Entry { name: "npy", extensions: &["npy"], open: npy::open_one },
            Self::Parquet => Entry { name: "Parquet", extensions: &["parquet"], open: parquet::open },
            Self::Arrow => Entry { name: "Arrow IPC", extensions: &["arrow", "feather", "ipc"], open: arrow::open },
            Self::Csv => Entry { name: "CSV", extensions: &["csv"], open: csv::open },
            Self::Torch => Entry { name: "PyTorch", extensions: &["pt", "pth"], open: torch::open },
        }
    }

    /// Returns the name of the format, as in messages.
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// Returns the file extensions, without the dot.
    pub fn extensions(self) -> &'static [&'static str] {
        self.entry().extensions
    }

    /// Finds the format by the extension of a path, in upper or lower case.
    pub fn from_path(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        Self::ALL.iter().copied().find(|format| format.extensions().contains(&extension.as_str()))
    }

    /// Says why files of the format are only read as a whole, if so.
    pub(crate) fn obstacle(self) -> Option<&'static str> {
        (self == Self::Torch).then_some(torch::WHOLE)
    }

    /// Opens a file.
    pub(crate) fn open(self, input: &Input) -> Opened {
        (self.entry().open)(input)
    }
}
