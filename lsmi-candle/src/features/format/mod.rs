//! The file formats: each is one file here and one line in [`Format::ALL`] and `Format::entry`.
//!
//! A format turns bytes into a [`Container`], from which arrays are taken by name. It knows nothing of modalities,
//! labels or splits, and reads nothing but the arrays it is asked for.

mod archive;
mod arrow;
mod by_rows;
mod csv;
mod npy;
mod npz;
mod parquet;
mod pickle;
mod safetensors;
mod table;
mod torch;

pub(in crate::features) use by_rows::npy::open as open_npy_files;
pub(crate) use by_rows::{AllRows, ByRows, NotOpened, WindowOf};

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

use super::array::{Array, Corrupt, Outline, Unusable};
use super::metadata_columns::{MetadataColumn, MetadataType};

/// A feature file opened: named arrays, and text beside them where the format has it.
pub(crate) trait Container: Send {
    /// The names of all arrays.
    fn names(&self) -> BTreeSet<String>;

    /// One of those arrays.
    fn array(&mut self, name: &str) -> Result<Array<'_>, Corrupt>;

    /// A text that the file holds beside its arrays.
    fn metadata(&self, _key: &str) -> Option<&str> {
        None
    }

    /// What one of those arrays is, where some of its rows can be read at a time.
    fn outline(&mut self, _name: &str) -> Result<Option<Outline>, Corrupt> {
        Ok(None)
    }

    /// What a user should know of how the file was understood, in sentences.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    /// Why an array is one of text and not of numbers, where one value decided that.
    fn remark(&mut self, _name: &str) -> Option<Unusable> {
        None
    }

    /// Some rows of an array that has an outline.
    fn rows(&mut self, name: &str, _rows: Range<usize>) -> Result<Array<'static>, Corrupt> {
        Err(Corrupt(format!("`{name}` is only there as a whole")))
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

    /// The values that some of those columns have in the rows of an array.
    fn metadata_values(&mut self, _array: &str, _columns: &[String]) -> Result<Vec<MetadataColumn>, Corrupt> {
        Ok(Vec::new())
    }
}

/// What opening a file gives.
pub(crate) type Opened<'a> = Result<Box<dyn Container + 'a>, Corrupt>;

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
    /// `.npy`: one array. Three or four files make a feature file, see [`Data`](super::Data); alone it is none.
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

/// What the dispatch needs to know of a format.
struct Entry {
    name: &'static str,
    extensions: &'static [&'static str],
    open: for<'a> fn(&'a [u8]) -> Opened<'a>,
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
            Self::Npy => Entry { name: "npy", extensions: &["npy"], open: npy::open },
            Self::Parquet => Entry { name: "Parquet", extensions: &["parquet"], open: parquet::open },
            Self::Arrow => Entry { name: "Arrow IPC", extensions: &["arrow", "feather", "ipc"], open: arrow::open },
            Self::Csv => Entry { name: "CSV", extensions: &["csv"], open: csv::open },
            Self::Torch => Entry { name: "PyTorch", extensions: &["pt", "pth"], open: torch::open },
        }
    }

    /// What the format is called in messages.
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// The file extensions, without the dot.
    pub fn extensions(self) -> &'static [&'static str] {
        self.entry().extensions
    }

    /// The format that a path's extension stands for, in upper or lower case.
    pub fn from_path(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        Self::ALL.iter().copied().find(|format| format.extensions().contains(&extension.as_str()))
    }

    /// Opens a file of which all rows are read.
    pub(crate) fn open_file(self, path: &Path) -> Result<Box<dyn Container>, NotOpened> {
        match self {
            Self::Torch => Ok(torch::open_file(path)?),
            _ => Ok(Box::new(AllRows(self.open_by_rows(path)?))),
        }
    }

    /// Opens a file that is read a part of its rows at a time.
    pub(crate) fn open_by_rows(self, path: &Path) -> Result<Box<dyn ByRows>, NotOpened> {
        by_rows::open(self, path)
    }

    pub(crate) fn open(self, bytes: &[u8]) -> Opened<'_> {
        (self.entry().open)(bytes)
    }
}
