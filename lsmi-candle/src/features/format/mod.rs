//! The file formats: each is one file here and one line in [`Format::ALL`] and `Format::entry`.
//!
//! A format turns bytes into a [`Container`], from which arrays are taken by name. It knows nothing of modalities,
//! labels or splits, and reads nothing but the arrays it is asked for.

mod archive;
mod by_rows;
mod npy;
mod npz;
mod parquet;
mod pickle;
mod safetensors;
mod torch;

pub(crate) use by_rows::{ByRows, NotOpened, WindowOf};

use std::collections::BTreeSet;
use std::path::Path;

use super::array::{Array, Corrupt};

/// A feature file opened: named arrays, and text beside them where the format has it.
pub(crate) trait Container {
    /// The names of all arrays.
    fn names(&self) -> BTreeSet<String>;

    /// One of those arrays.
    fn array(&mut self, name: &str) -> Result<Array<'_>, Corrupt>;

    /// A text that the file holds beside its arrays.
    fn metadata(&self, _key: &str) -> Option<&str> {
        None
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
    /// `.parquet`: a table; columns of lists are matrices.
    Parquet,
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
    /// All formats.
    pub const ALL: &'static [Self] = &[Self::SafeTensors, Self::Npz, Self::Parquet, Self::Torch];

    #[rustfmt::skip]
    fn entry(self) -> Entry {
        match self {
            Self::SafeTensors => Entry { name: "safetensors", extensions: &["safetensors"], open: safetensors::open },
            Self::Npz => Entry { name: "npz", extensions: &["npz"], open: npz::open },
            Self::Parquet => Entry { name: "Parquet", extensions: &["parquet"], open: parquet::open },
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

    /// Opens a file that is read a part of its rows at a time.
    pub(crate) fn open_by_rows(self, path: &Path) -> Result<Box<dyn ByRows>, NotOpened> {
        by_rows::open(self, path)
    }

    pub(crate) fn open(self, bytes: &[u8]) -> Opened<'_> {
        (self.entry().open)(bytes)
    }
}
