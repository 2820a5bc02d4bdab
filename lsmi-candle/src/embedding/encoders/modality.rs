//! What an encoder reads: one set of names for manifests, options and messages.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What an encoder reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Modality {
    /// Words.
    Text,
    /// Pictures.
    Image,
    /// Sounds.
    Audio,
    /// Moving pictures.
    Video,
    /// Distances of what a picture shows.
    Depth,
}

impl Modality {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Text, Self::Image, Self::Audio, Self::Video, Self::Depth];

    /// Returns its name in manifests, options and the header of a table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Depth => "depth",
        }
    }
}

impl Modality {
    /// What a model of it encodes, in messages.
    pub(in crate::embedding) fn inputs(self) -> &'static str {
        match self {
            Self::Text => "texts",
            Self::Image => "pictures",
            Self::Audio => "sounds",
            Self::Video => "videos",
            Self::Depth => "depth maps",
        }
    }
}

impl FromStr for Modality {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|modality| modality.name() == text);
        let known = || Self::ALL.map(Self::name).join(", ");
        found.ok_or_else(|| format!("`{text}` is no modality; known are {}", known()))
    }
}

impl fmt::Display for Modality {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for modality in Modality::ALL {
            assert_eq!(modality.name().parse(), Ok(modality));
            assert_eq!(serde_json::to_value(modality).unwrap(), modality.name());
        }
        assert!("smell".parse::<Modality>().unwrap_err().contains("text, image, audio, video, depth"));
    }
}
