//! What is to be embedded of a row.

use serde::{Serialize, Serializer};

use crate::features::Missing;
use crate::files::sha256;

/// What is to be embedded of a row. Serialized, it tells inputs apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Input {
    /// A text, or the path of a file; empty where there is none.
    Text(String),
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
            Self::File { .. } => None,
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
