//! The kinds of networks that there is code for, under the names of `model_type` in `config.json`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::manifest::Modality;

/// A kind of network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Architecture {
    /// Devlin et al. 2019.
    Bert,
    /// Sanh et al. 2019.
    DistilBert,
    /// Conneau et al. 2020.
    XlmRoberta,
    /// Warner et al. 2024.
    ModernBert,
    /// Radford et al. 2021.
    Clip,
    /// Zhai et al. 2023.
    Siglip,
    /// Oquab et al. 2023.
    Dinov2,
    /// Dosovitskiy et al. 2021.
    Vit,
    /// Liu et al. 2022.
    ConvNext,
    /// He et al. 2016.
    ResNet,
    /// Tan and Le 2019, without what mobile chips lack.
    EfficientNetLite0,
    /// Radford et al. 2023: the encoder.
    Whisper,
}

impl Architecture {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Bert,
        Self::DistilBert,
        Self::XlmRoberta,
        Self::ModernBert,
        Self::Clip,
        Self::Siglip,
        Self::Dinov2,
        Self::Vit,
        Self::ConvNext,
        Self::ResNet,
        Self::EfficientNetLite0,
        Self::Whisper,
    ];

    /// The name in manifests, and where there is one in `config.json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bert => "bert",
            Self::DistilBert => "distilbert",
            Self::XlmRoberta => "xlm-roberta",
            Self::ModernBert => "modernbert",
            Self::Clip => "clip",
            Self::Siglip => "siglip",
            Self::Dinov2 => "dinov2",
            Self::Vit => "vit",
            Self::ConvNext => "convnext",
            Self::ResNet => "resnet",
            Self::EfficientNetLite0 => "efficientnet-lite0",
            Self::Whisper => "whisper",
        }
    }

    /// What it reads; two for models with two towers.
    pub fn modalities(self) -> &'static [Modality] {
        match self {
            Self::Bert | Self::DistilBert | Self::XlmRoberta | Self::ModernBert => &[Modality::Text],
            Self::Clip | Self::Siglip => &[Modality::Image, Modality::Text],
            Self::Dinov2 | Self::Vit | Self::ConvNext | Self::ResNet | Self::EfficientNetLite0 => &[Modality::Image],
            Self::Whisper => &[Modality::Audio],
        }
    }

    /// All names, for messages.
    pub fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Architecture {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = || format!("the architecture `{text}` is not known; known are {}", Self::names());
        Self::ALL.into_iter().find(|architecture| architecture.name() == text).ok_or_else(unknown)
    }
}

impl Serialize for Architecture {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Architecture {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
