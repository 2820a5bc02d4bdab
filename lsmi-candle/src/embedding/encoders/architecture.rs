//! The kinds of networks that there is code for, and the names of `model_type` in `config.json` that mean them.
//!
//! One network has several names: those of its towers, and those of models that differ in training alone.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::modality::Modality;

/// A kind of network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Architecture {
    /// Devlin et al. 2019.
    Bert,
    /// Sanh et al. 2019.
    DistilBert,
    /// Conneau et al. 2020, and RoBERTa (Liu et al. 2019).
    XlmRoberta,
    /// Warner et al. 2024.
    ModernBert,
    /// Nussbaum et al. 2024.
    NomicBert,
    /// Zhang et al. 2024.
    Gte,
    /// Yang et al. 2025.
    Qwen3,
    /// Yang et al. 2024.
    Qwen2,
    /// Jiang et al. 2023.
    Mistral,
    /// Gemma Team 2025, the part that reads texts.
    Gemma3,
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

const TEXT: &[Modality] = &[Modality::Text];
const IMAGE: &[Modality] = &[Modality::Image];
const BOTH: &[Modality] = &[Modality::Image, Modality::Text];

/// The names of `model_type`, the network each means, and what it reads. The first of a network is the name in manifests.
const MODEL_TYPES: [(&str, Architecture, &[Modality]); 30] = [
    ("bert", Architecture::Bert, TEXT),
    ("electra", Architecture::Bert, TEXT),
    ("ernie", Architecture::Bert, TEXT),
    ("splinter", Architecture::Bert, TEXT),
    ("distilbert", Architecture::DistilBert, TEXT),
    ("xlm-roberta", Architecture::XlmRoberta, TEXT),
    ("roberta", Architecture::XlmRoberta, TEXT),
    ("camembert", Architecture::XlmRoberta, TEXT),
    ("data2vec-text", Architecture::XlmRoberta, TEXT),
    ("modernbert", Architecture::ModernBert, TEXT),
    ("nomic_bert", Architecture::NomicBert, TEXT),
    ("gte", Architecture::Gte, TEXT),
    ("new", Architecture::Gte, TEXT),
    ("qwen3", Architecture::Qwen3, TEXT),
    ("qwen2", Architecture::Qwen2, TEXT),
    ("mistral", Architecture::Mistral, TEXT),
    ("gemma3_text", Architecture::Gemma3, TEXT),
    ("clip", Architecture::Clip, BOTH),
    ("clip_text_model", Architecture::Clip, TEXT),
    ("clip_vision_model", Architecture::Clip, IMAGE),
    ("siglip", Architecture::Siglip, BOTH),
    ("siglip_text_model", Architecture::Siglip, TEXT),
    ("siglip_vision_model", Architecture::Siglip, IMAGE),
    ("dinov2", Architecture::Dinov2, IMAGE),
    ("vit", Architecture::Vit, IMAGE),
    ("vit_msn", Architecture::Vit, IMAGE),
    ("convnext", Architecture::ConvNext, IMAGE),
    ("resnet", Architecture::ResNet, IMAGE),
    ("efficientnet-lite0", Architecture::EfficientNetLite0, IMAGE),
    ("whisper", Architecture::Whisper, &[Modality::Audio]),
];

impl Architecture {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::Bert,
        Self::DistilBert,
        Self::XlmRoberta,
        Self::ModernBert,
        Self::NomicBert,
        Self::Gte,
        Self::Qwen3,
        Self::Qwen2,
        Self::Mistral,
        Self::Gemma3,
        Self::Clip,
        Self::Siglip,
        Self::Dinov2,
        Self::Vit,
        Self::ConvNext,
        Self::ResNet,
        Self::EfficientNetLite0,
        Self::Whisper,
    ];

    /// Returns the network that a `model_type` means, and what a model of this type reads: one of two towers, or both.
    ///
    /// ```
    /// use lsmi_candle::embedding::encoders::{Architecture, Modality};
    ///
    /// let (architecture, reads) = Architecture::of_model_type("clip_text_model").ok_or("not built in")?;
    /// assert_eq!((architecture, reads), (Architecture::Clip, &[Modality::Text][..]));
    /// assert_eq!(Architecture::of_model_type("gpt2"), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of_model_type(name: &str) -> Option<(Self, &'static [Modality])> {
        let found = MODEL_TYPES.iter().find(|(model_type, ..)| *model_type == name);
        found.map(|(_, architecture, modalities)| (*architecture, *modalities))
    }

    /// Lists the names of `model_type` whose models read a modality.
    pub fn model_types(modality: Modality) -> Vec<&'static str> {
        let reads = MODEL_TYPES.iter().filter(|(_, _, modalities)| modalities.contains(&modality));
        reads.map(|(name, ..)| *name).collect()
    }

    /// Lists all names of `model_type`, for messages.
    pub fn names() -> String {
        MODEL_TYPES.map(|(name, ..)| name).join(", ")
    }

    fn entry(self) -> (&'static str, &'static [Modality]) {
        // Every network is in the list; the test below sees to it.
        let found = MODEL_TYPES.iter().find(|(_, architecture, _)| *architecture == self);
        found.map_or(("", &[]), |(name, _, modalities)| (*name, *modalities))
    }

    /// Returns the name in manifests, and where there is one in `config.json`.
    pub fn name(self) -> &'static str {
        self.entry().0
    }

    /// Returns what it reads; two modalities for models with two towers.
    pub fn modalities(self) -> &'static [Modality] {
        self.entry().1
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
        let known = Self::ALL.map(Self::name).join(", ");
        let unknown = || format!("the architecture `{text}` is not known; known are {known}");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_network_has_a_name() {
        for architecture in Architecture::ALL {
            assert_eq!(architecture.name().parse(), Ok(architecture));
            assert_eq!(
                Architecture::of_model_type(architecture.name()),
                Some((architecture, architecture.modalities()))
            );
        }
        assert_eq!(MODEL_TYPES.map(|(name, ..)| name).into_iter().collect::<std::collections::BTreeSet<_>>().len(), 30);
    }
}
