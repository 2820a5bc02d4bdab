//! What is to be embedded of a row.

use serde::{Serialize, Serializer};

use crate::embedding::encoders::Modality;
use crate::features::Missing;
use crate::files::sha256;

/// What stands between the paths of the frames of a video in a text.
const BETWEEN: char = ';';

/// What is to be embedded of a row. Serialized, it tells inputs apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Input {
    /// A text, or the path of a file; empty where there is none. Of a video also the paths of its frames, separated by `;`.
    Text(String),
    /// The paths of the frames of a video, at least one.
    Frames(Vec<String>),
    /// A file that is in the table itself.
    File {
        /// What it is called in messages.
        name: String,
        /// Its bytes.
        #[serde(serialize_with = "as_hash")]
        bytes: Vec<u8>,
    },
}

impl Input {
    /// Returns the text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Frames(_) | Self::File { .. } => None,
        }
    }

    /// Whether it is a video whose frames are listed.
    pub(in super::super) fn is_list(&self, modality: Modality) -> bool {
        match self {
            Self::Text(text) => modality == Modality::Video && text.contains(BETWEEN),
            Self::Frames(_) => true,
            Self::File { .. } => false,
        }
    }

    /// Lists the paths that it names: none where it is in the table itself.
    pub(in super::super) fn paths(&self, modality: Modality) -> Vec<&str> {
        match self {
            Self::Text(text) if self.is_list(modality) => text.split(BETWEEN).map(str::trim).collect(),
            Self::Text(path) if modality != Modality::Text => vec![path],
            Self::Frames(paths) => paths.iter().map(String::as_str).collect(),
            Self::Text(_) | Self::File { .. } => Vec::new(),
        }
    }

    /// Returns the text, if it stands for a missing input.
    pub fn missing(&self, missing: Missing) -> Option<&str> {
        self.text().filter(|text| missing.is_missing(text))
    }
}

/// Says how a field is missing, by what stands there.
pub fn missing_as(found: &str) -> String {
    let found = found.trim();
    if found.is_empty() { "empty".to_owned() } else { format!("missing (`{found}`)") }
}

/// A file's SHA-256, which tells it from others in less space than its bytes.
fn as_hash<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&sha256(bytes))
}
