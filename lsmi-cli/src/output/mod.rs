//! The files that commands write: what is in them, and how they appear whole or not at all.

pub(crate) mod candidates;
pub(crate) mod clean;
pub(crate) mod compare;
pub(crate) mod diff;
pub(crate) mod expected;
pub(crate) mod further;
pub(crate) mod gates;
pub(crate) mod made;
pub(crate) mod models;
pub(crate) mod null;
pub(crate) mod parquet;
pub(crate) mod ratings;
pub(crate) mod samples;
pub(crate) mod streamed;
pub(crate) mod summary;
pub(crate) mod weights;

use std::fmt;
use std::marker::PhantomData;
use std::path::Path;
use std::str::FromStr;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// The format of a file of samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Comma-separated values with a header.
    Csv,
    /// One JSON object a line.
    Jsonl,
    /// An Apache Parquet table.
    Parquet,
}

impl Format {
    /// All formats, in the order in which they are listed.
    pub(crate) const ALL: [Self; 3] = [Self::Csv, Self::Jsonl, Self::Parquet];

    /// The extension of files in this format, without the dot.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::Parquet => "parquet",
        }
    }

    /// The format that a file's extension announces.
    pub(crate) fn of_path(path: &Path) -> Result<Self, FormatError> {
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

/// Pairs as one JSON object, in their order.
pub(crate) fn as_map<K: Serialize, V: Serialize, S: Serializer>(
    pairs: &[(K, V)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(key, value)| (key, value)))
}

/// One JSON object as pairs, in their order: what [`as_map`] wrote.
pub(crate) fn from_map<'de, K: Deserialize<'de>, V: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<(K, V)>, D::Error> {
    struct Pairs<K, V>(PhantomData<(K, V)>);

    impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Visitor<'de> for Pairs<K, V> {
        type Value = Vec<(K, V)>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut pairs = Vec::new();
            while let Some(pair) = map.next_entry()? {
                pairs.push(pair);
            }
            Ok(pairs)
        }
    }

    deserializer.deserialize_map(Pairs(PhantomData))
}

/// A format that samples cannot be written or read in.
#[derive(Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub(crate) enum FormatError {
    /// A format of samples, but not of their candidate labels.
    #[error("candidates are not written as {found}: use csv or jsonl")]
    NotOfCandidates { found: Format },
    /// No such format.
    #[error("`{found}` is not a format of samples: use csv, jsonl or parquet")]
    Unknown { found: String },
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
