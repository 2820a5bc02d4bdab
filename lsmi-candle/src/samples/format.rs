//! The formats of files of samples.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use thiserror::Error;

/// The format of a file of samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a header.
    Csv,
    /// One JSON object a line.
    Jsonl,
    /// An Apache Parquet table.
    Parquet,
}

impl Format {
    /// All formats, in the order in which they are listed.
    pub const ALL: [Self; 3] = [Self::Csv, Self::Jsonl, Self::Parquet];

    /// The extension of files in this format, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::Parquet => "parquet",
        }
    }

    /// The format that a file's extension announces.
    ///
    /// # Errors
    /// [`FormatError::Unknown`] for any other extension.
    pub fn of_path(path: &Path) -> Result<Self, FormatError> {
        path.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_ascii_lowercase().parse()
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.extension())
    }
}

impl FromStr for Format {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        match text {
            "csv" => Ok(Self::Csv),
            "jsonl" => Ok(Self::Jsonl),
            "parquet" => Ok(Self::Parquet),
            _ => Err(FormatError::Unknown { found: text.to_owned() }),
        }
    }
}

/// A format that samples cannot be written or read in.
#[derive(Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FormatError {
    /// A format of samples, but not of their candidate labels.
    #[error("candidates are not written as {found}: use csv or jsonl")]
    NotOfCandidates {
        /// What was found.
        found: Format,
    },
    /// No such format.
    #[error("`{found}` is not a format of samples: use csv, jsonl or parquet")]
    Unknown {
        /// What was found.
        found: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_announce_formats() {
        for format in Format::ALL {
            assert_eq!(Format::of_path(Path::new(&format!("a/b.{format}"))), Ok(format));
        }
        assert_eq!(Format::of_path(Path::new("a.CSV")), Ok(Format::Csv));
        assert!(Format::of_path(Path::new("samples")).is_err());
    }
}
