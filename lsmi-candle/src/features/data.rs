//! Where samples are: in one feature file, or in `.npy` files of one array each.

use std::borrow::Cow;
use std::fs::File;
use std::path::{Path, PathBuf};

use super::classes::Classes;
use super::error::FeatureError;
use super::format::{AllRows, ByRows, Format, open_npy_files};
use super::keys::{GroupKey, Keys};
use super::load::{self, format_of, unreadable};
use super::source::{Source, corrupted, not_opened};
use super::{FeatureFile, UnlabelledFile};

/// Where samples are.
///
/// ```
/// use std::path::Path;
/// use lsmi_candle::features::{ArrayFiles, Data};
///
/// let data = Data::from(Path::new("features.npz"));
/// assert_eq!(data.to_string(), "features.npz");
/// let data = Data::Arrays(ArrayFiles {
///     x1: "image.npy".into(),
///     x2: "text.npy".into(),
///     y: Some("label.npy".into()),
///     id: None,
///     group: None,
/// });
/// assert_eq!(data.to_string(), "image.npy, text.npy, label.npy");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// A feature file.
    File(PathBuf),
    /// A file for every array.
    Arrays(ArrayFiles),
}

/// `.npy` files, what `numpy.save` writes, of one array each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrayFiles {
    /// The first modality, `[n, d1]`.
    pub x1: PathBuf,
    /// The second modality, `[n, d2]`.
    pub x2: PathBuf,
    /// The labels, `[n]`; none where they are not needed.
    pub y: Option<PathBuf>,
    /// The ids, `[n]`.
    pub id: Option<PathBuf>,
    /// The groups, `[n]`, as the array `group`.
    pub group: Option<PathBuf>,
}

impl Data {
    /// All files.
    pub fn paths(&self) -> Vec<&Path> {
        match self {
            Self::File(path) => vec![path],
            Self::Arrays(files) => files.named().into_iter().map(|(_, path)| path).collect(),
        }
    }

    /// The file, or the first of several.
    pub fn path(&self) -> &Path {
        match self {
            Self::File(path) => path,
            Self::Arrays(files) => &files.x1,
        }
    }

    /// Reads the samples for training; see [`read`](super::read).
    ///
    /// # Errors
    /// As there.
    pub fn read(&self, keys: &Keys) -> Result<FeatureFile, FeatureError> {
        let name = self.to_string();
        load::load(self.path(), self.open(&name)?, &self.keys(keys), None)
    }

    /// Reads samples to be evaluated; see [`read_with_classes`](super::read_with_classes).
    ///
    /// # Errors
    /// As there.
    pub fn read_with_classes(&self, keys: &Keys, classes: &Classes) -> Result<FeatureFile, FeatureError> {
        let name = self.to_string();
        load::load(self.path(), self.open(&name)?, &self.keys(keys), Some(classes))
    }

    /// Reads samples without their labels; see [`read_unlabelled`](super::read_unlabelled).
    ///
    /// # Errors
    /// As there.
    pub fn read_unlabelled(&self, keys: &Keys, classes: &Classes) -> Result<UnlabelledFile, FeatureError> {
        let name = self.to_string();
        load::load_unlabelled(self.path(), self.open(&name)?, keys, classes)
    }

    /// What made the features of each modality, where the file says so in its metadata: the text under the name of the array
    /// and `_model`, as in `x1_model`, which `lsmi embed` writes. None for formats without metadata and for files that cannot be
    /// read.
    pub fn encoders(&self, keys: &Keys) -> [Option<String>; 2] {
        let has_metadata = |path| matches!(format_of(path), Ok(Format::SafeTensors | Format::Parquet | Format::Arrow));
        let file = match self {
            Self::File(path) if has_metadata(path) => self.open_by_rows(),
            _ => return [None, None],
        };
        let Ok((_, file)) = file else { return [None, None] };
        [&keys.x1, &keys.x2].map(|array| file.metadata(&format!("{array}_model")).map(str::to_owned))
    }

    /// The names of the arrays: where there is a file of groups, it is meant to be used.
    pub(super) fn keys<'k>(&self, keys: &'k Keys) -> Cow<'k, Keys> {
        match self {
            Self::Arrays(ArrayFiles { group: Some(_), .. }) => {
                Cow::Owned(Keys { groups: GroupKey::Array("group".to_owned()), ..keys.clone() })
            }
            _ => Cow::Borrowed(keys),
        }
    }

    fn open<'n>(&self, name: &'n str) -> Result<Source<'n>, FeatureError> {
        match self {
            Self::File(path) => Source::open_file(path, name),
            Self::Arrays(_) => {
                let (format, source) = self.open_by_rows()?;
                Ok(Source::of_container(name, format, Box::new(AllRows(source))))
            }
        }
    }

    pub(super) fn open_by_rows(&self) -> Result<(Format, Box<dyn ByRows>), FeatureError> {
        match self {
            Self::File(path) => {
                let format = format_of(path)?;
                let source = format.open_by_rows(path).map_err(|refusal| not_opened(path, format, refusal))?;
                Ok((format, source))
            }
            Self::Arrays(files) => {
                let mut opened = Vec::new();
                for (name, path) in files.named() {
                    opened.push((name, File::open(path).map_err(|error| unreadable(path, error))?));
                }
                let source = open_npy_files(opened);
                Ok((Format::Npy, source.map_err(|corrupt| corrupted(&self.to_string(), Format::Npy, corrupt))?))
            }
        }
    }
}

impl ArrayFiles {
    /// The files under the names of their arrays.
    fn named(&self) -> Vec<(&'static str, &Path)> {
        let needed = [("x1", self.x1.as_path()), ("x2", self.x2.as_path())];
        let others = [("y", self.y.as_deref()), ("id", self.id.as_deref()), ("group", self.group.as_deref())];
        needed.into_iter().chain(others.into_iter().filter_map(|(name, path)| Some((name, path?)))).collect()
    }
}

/// The paths, as in messages.
impl std::fmt::Display for Data {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (place, path) in self.paths().into_iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            write!(formatter, "{comma}{}", path.display())?;
        }
        Ok(())
    }
}

impl From<&Path> for Data {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

impl From<&PathBuf> for Data {
    fn from(path: &PathBuf) -> Self {
        Self::File(path.clone())
    }
}

impl From<&Data> for Data {
    fn from(data: &Data) -> Self {
        data.clone()
    }
}
