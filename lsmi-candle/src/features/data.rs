//! The files that samples are in: one feature file, or `.npy` files of one array each.

use std::borrow::Cow;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::error::{FeatureError, corrupted, not_opened, unreadable};
use super::format::{Container, Format, Input, open_npy_files};
use super::keys::{GroupKey, Keys};
use super::read::source::Source;
use super::sequences::Pooling;

/// The files that samples are in.
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

/// `.npy` files of one array each, as `numpy.save` writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrayFiles {
    /// The first modality, `[n, d1]`.
    pub x1: PathBuf,
    /// The second modality, `[n, d2]`.
    pub x2: PathBuf,
    /// The labels, `[n]`; `None` if they are not needed.
    pub y: Option<PathBuf>,
    /// The ids, `[n]`.
    pub id: Option<PathBuf>,
    /// The groups, `[n]`, as the array `group`.
    pub group: Option<PathBuf>,
}

impl Data {
    /// Lists all files.
    pub fn paths(&self) -> Vec<&Path> {
        match self {
            Self::File(path) => vec![path],
            Self::Arrays(files) => files.named().into_iter().map(|(_, path)| path).collect(),
        }
    }

    /// Returns the file, or the first of several.
    pub fn path(&self) -> &Path {
        match self {
            Self::File(path) => path,
            Self::Arrays(files) => &files.x1,
        }
    }

    /// Returns the encoder of each modality, if the file names it in its metadata: the text under the name of the array and
    /// `_model`, as in `x1_model`. Returns `None` for formats without metadata and for files that cannot be read.
    pub fn encoders(&self, keys: &Keys) -> [Option<String>; 2] {
        let has_metadata = |path| matches!(format_of(path), Ok(Format::SafeTensors | Format::Parquet | Format::Arrow));
        let file = match self {
            Self::File(path) if has_metadata(path) => self.open(),
            _ => return [None, None],
        };
        let Ok((_, file)) = file else { return [None, None] };
        [&keys.x1, &keys.x2].map(|array| file.metadata(&format!("{array}_model")).map(str::to_owned))
    }

    /// Returns the pooling that the keys ask for, if a modality is made of sequences; `None` for files that cannot be read.
    pub fn pooling(&self, keys: &Keys) -> Option<Pooling> {
        let pooling = keys.pool?;
        let (name, (format, mut container)) = (self.to_string(), self.open().ok()?);
        let mut source = Source::new(&name, format, container.as_mut());
        source.has_sequences(keys).then_some(pooling)
    }

    /// Returns the names of the arrays: a file of groups is meant to be used.
    pub(super) fn keys<'k>(&self, keys: &'k Keys) -> Cow<'k, Keys> {
        match self {
            Self::Arrays(ArrayFiles { group: Some(_), .. }) => {
                Cow::Owned(Keys { groups: GroupKey::Array("group".to_owned()), ..keys.clone() })
            }
            _ => Cow::Borrowed(keys),
        }
    }

    /// Returns the format of the files, which are there.
    pub(super) fn format(&self) -> Result<Format, FeatureError> {
        match self {
            Self::File(path) => format_of(path),
            Self::Arrays(_) => Ok(Format::Npy),
        }
    }

    /// Opens the file, or several together.
    pub(super) fn open(&self) -> Result<(Format, Box<dyn Container>), FeatureError> {
        match self {
            Self::File(path) => {
                let format = format_of(path)?;
                let opened = format.open(&Input::File(path.clone()));
                Ok((format, opened.map_err(|refusal| not_opened(path, format, refusal))?))
            }
            Self::Arrays(files) => {
                let mut inputs = Vec::new();
                for (name, path) in files.named() {
                    // An error about one of several files names it alone.
                    File::open(path).map_err(|error| unreadable(path, error))?;
                    inputs.push((name, Input::File(path.to_owned())));
                }
                let opened = open_npy_files(inputs);
                Ok((Format::Npy, opened.map_err(|corrupt| corrupted(&self.to_string(), Format::Npy, corrupt))?))
            }
        }
    }
}

/// Returns the format that the extension of a file promises; the file is there.
fn format_of(path: &Path) -> Result<Format, FeatureError> {
    if fs::metadata(path).map_err(|error| unreadable(path, error))?.is_dir() {
        return Err(FeatureError::IsDirectory { file: path.display().to_string() });
    }
    Format::from_path(path).ok_or_else(|| unknown_format(path))
}

fn unknown_format(path: &Path) -> FeatureError {
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npy")) {
        return FeatureError::SingleArray { file: path.display().to_string() };
    }
    let supported: Vec<String> =
        Format::ALL.iter().flat_map(|format| format.extensions()).map(|extension| format!(".{extension}")).collect();
    FeatureError::UnknownFormat {
        file: path.display().to_string(),
        found: path.extension().map(|extension| extension.to_string_lossy().into_owned()).unwrap_or_default(),
        supported: supported.join(", "),
    }
}

impl ArrayFiles {
    /// Lists the files with the names of their arrays.
    fn named(&self) -> Vec<(&'static str, &Path)> {
        let needed = [("x1", self.x1.as_path()), ("x2", self.x2.as_path())];
        let others = [("y", self.y.as_deref()), ("id", self.id.as_deref()), ("group", self.group.as_deref())];
        needed.into_iter().chain(others.into_iter().filter_map(|(name, path)| Some((name, path?)))).collect()
    }
}

/// Writes the paths, as in messages.
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
