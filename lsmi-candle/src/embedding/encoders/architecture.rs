//! The kinds of networks that there is code for, and the names of `model_type` in `config.json` that mean them.
//!
//! One network has several names: those of its towers, and those of models that differ in training alone. Checkpoints of the
//! library timm have its name of the model instead ([`NetworkName`]).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value};

use super::error::EncoderError;
use super::modality::Modality;
use super::nearest::Nearest;

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
    /// Lan et al. 2020.
    Albert,
    /// Song et al. 2020.
    MpNet,
    /// He et al. 2021 and 2023.
    DebertaV2,
    /// Raffel et al. 2020: the encoder.
    T5,
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
    /// Tschannen et al. 2025: for pictures of any aspect. Its models for squares are [`Architecture::Siglip`].
    Siglip2,
    /// Oquab et al. 2023.
    Dinov2,
    /// Darcet et al. 2024.
    Dinov2WithRegisters,
    /// Siméoni et al. 2025.
    Dinov3,
    /// Dosovitskiy et al. 2021.
    Vit,
    /// The same as the library timm lays it out, and has varied it.
    TimmVit,
    /// Fang et al. 2023, as the library timm lays it out.
    TimmEva02,
    /// Liu et al. 2021.
    Swin,
    /// Liu et al. 2022.
    ConvNext,
    /// Woo et al. 2023.
    ConvNextV2,
    /// Siméoni et al. 2025: its convolutional models.
    Dinov3ConvNext,
    /// He et al. 2016.
    ResNet,
    /// Tan and Le 2019, without what mobile chips lack.
    EfficientNetLite0,
    /// Radford et al. 2023: the encoder.
    Whisper,
    /// Gong et al. 2021.
    Ast,
    /// Wu et al. 2023.
    Clap,
    /// Baevski et al. 2020.
    Wav2Vec2,
    /// Hsu et al. 2021.
    Hubert,
    /// Chen et al. 2022.
    WavLm,
    /// Baevski et al. 2022, of sounds.
    Data2VecAudio,
    /// Girdhar et al. 2023: a tower for each of six modalities.
    ImageBind,
    /// Tong et al. 2022.
    VideoMae,
}

const TEXT: &[Modality] = &[Modality::Text];
const IMAGE: &[Modality] = &[Modality::Image];
const AUDIO: &[Modality] = &[Modality::Audio];
const BOTH: &[Modality] = &[Modality::Image, Modality::Text];
const ALL: &[Modality] = &Modality::ALL;

/// The names of `model_type`, the network each means, and what it reads. The first of a network is the name in manifests.
pub(super) const MODEL_TYPES: &[(&str, Architecture, &[Modality])] = &[
    ("bert", Architecture::Bert, TEXT),
    ("electra", Architecture::Bert, TEXT),
    ("ernie", Architecture::Bert, TEXT),
    ("splinter", Architecture::Bert, TEXT),
    ("distilbert", Architecture::DistilBert, TEXT),
    ("xlm-roberta", Architecture::XlmRoberta, TEXT),
    ("roberta", Architecture::XlmRoberta, TEXT),
    ("camembert", Architecture::XlmRoberta, TEXT),
    ("data2vec-text", Architecture::XlmRoberta, TEXT),
    ("albert", Architecture::Albert, TEXT),
    ("mpnet", Architecture::MpNet, TEXT),
    ("deberta-v2", Architecture::DebertaV2, TEXT),
    ("t5", Architecture::T5, TEXT),
    ("mt5", Architecture::T5, TEXT),
    ("umt5", Architecture::T5, TEXT),
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
    ("siglip2", Architecture::Siglip2, BOTH),
    ("siglip2_text_model", Architecture::Siglip2, TEXT),
    ("siglip2_vision_model", Architecture::Siglip2, IMAGE),
    ("dinov2", Architecture::Dinov2, IMAGE),
    ("dinov2_with_registers", Architecture::Dinov2WithRegisters, IMAGE),
    ("dinov3_vit", Architecture::Dinov3, IMAGE),
    ("vit", Architecture::Vit, IMAGE),
    ("vit_msn", Architecture::Vit, IMAGE),
    ("timm-vit", Architecture::TimmVit, IMAGE),
    ("timm-eva02", Architecture::TimmEva02, IMAGE),
    ("swin", Architecture::Swin, IMAGE),
    ("convnext", Architecture::ConvNext, IMAGE),
    ("convnextv2", Architecture::ConvNextV2, IMAGE),
    ("dinov3_convnext", Architecture::Dinov3ConvNext, IMAGE),
    ("resnet", Architecture::ResNet, IMAGE),
    ("efficientnet-lite0", Architecture::EfficientNetLite0, IMAGE),
    ("whisper", Architecture::Whisper, AUDIO),
    ("audio-spectrogram-transformer", Architecture::Ast, AUDIO),
    ("clap", Architecture::Clap, &[Modality::Audio, Modality::Text]),
    ("clap_audio_model", Architecture::Clap, AUDIO),
    ("clap_text_model", Architecture::Clap, TEXT),
    ("wav2vec2", Architecture::Wav2Vec2, AUDIO),
    ("unispeech", Architecture::Wav2Vec2, AUDIO),
    ("unispeech-sat", Architecture::Wav2Vec2, AUDIO),
    ("hubert", Architecture::Hubert, AUDIO),
    ("wavlm", Architecture::WavLm, AUDIO),
    ("data2vec-audio", Architecture::Data2VecAudio, AUDIO),
    ("imagebind", Architecture::ImageBind, ALL),
    ("videomae", Architecture::VideoMae, &[Modality::Video]),
];

/// How the names of the library timm begin, `architecture` in its `config.json`, and the network each means; of several that
/// fit, the first. Names of a family that are not built in are refused where the network is loaded.
pub(super) const TIMM: &[(&str, Architecture)] = &[
    ("eva02_", Architecture::TimmEva02),
    ("eva_large_", Architecture::TimmVit),
    ("deit_", Architecture::TimmVit),
    ("deit3_", Architecture::TimmVit),
    ("flexivit_", Architecture::TimmVit),
    ("vit_", Architecture::TimmVit),
    ("convnext_", Architecture::ConvNext),
    ("convnextv2_", Architecture::ConvNextV2),
    ("resnet", Architecture::ResNet),
    ("wide_resnet", Architecture::ResNet),
    ("swin_", Architecture::Swin),
    ("tf_efficientnet_lite0", Architecture::EfficientNetLite0),
];

/// What a `config.json` calls its network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NetworkName<'config> {
    /// `model_type`, as transformers writes it.
    Transformers(&'config str),
    /// `architecture`, as timm writes it, which writes no `model_type`; the wrapper of transformers around timm writes both.
    Timm(&'config str),
}

impl<'config> NetworkName<'config> {
    /// Reads the name.
    ///
    /// # Errors
    /// The field that is missing, or is not a string.
    pub(crate) fn of(config: &'config Map<String, Value>) -> Result<Self, (&'static str, Option<&'config Value>)> {
        let find = |field| config.get(field).filter(|value| !value.is_null());
        let text = |field, value: Option<&'config Value>| value.and_then(Value::as_str).ok_or((field, value));
        match (find("model_type"), find("architecture")) {
            (None, Some(name)) => text("architecture", Some(name)).map(Self::Timm),
            (Some(Value::String(wrapper)), name) if wrapper == "timm_wrapper" => {
                text("architecture", name).map(Self::Timm)
            }
            (name, _) => text("model_type", name).map(Self::Transformers),
        }
    }

    /// Returns the name itself.
    pub(crate) fn as_str(self) -> &'config str {
        match self {
            Self::Transformers(name) | Self::Timm(name) => name,
        }
    }

    /// Returns the network that it means, and what a model of this name reads.
    pub(crate) fn network(self) -> Option<(Architecture, &'static [Modality])> {
        match self {
            Self::Transformers(name) => Architecture::of_model_type(name),
            Self::Timm(name) => {
                let (_, architecture) = TIMM.iter().find(|(begin, _)| name.starts_with(begin))?;
                Some((*architecture, architecture.modalities()))
            }
        }
    }

    /// The error of a network of this name, which is not built in, or encodes no input of the modality that is asked for.
    pub(crate) fn refused(self, file: &str, modality: Option<Modality>) -> EncoderError {
        let is_known = self.network().is_some();
        let nearest = if is_known { None } else { Nearest::of(self) };
        EncoderError::Architecture {
            file: file.to_owned(),
            found: self.as_str().to_owned(),
            modality: modality.map(Modality::inputs),
            known: match modality {
                Some(modality) => Architecture::model_types(modality),
                None => MODEL_TYPES.iter().map(|(name, ..)| *name).collect(),
            },
            nearest: nearest.filter(|nearest| modality.is_none_or(|modality| nearest.reads(modality))).map(Box::new),
        }
    }
}

impl Architecture {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Bert,
        Self::DistilBert,
        Self::XlmRoberta,
        Self::Albert,
        Self::MpNet,
        Self::DebertaV2,
        Self::T5,
        Self::ModernBert,
        Self::NomicBert,
        Self::Gte,
        Self::Qwen3,
        Self::Qwen2,
        Self::Mistral,
        Self::Gemma3,
        Self::Clip,
        Self::Siglip,
        Self::Siglip2,
        Self::Dinov2,
        Self::Dinov2WithRegisters,
        Self::Dinov3,
        Self::Vit,
        Self::TimmVit,
        Self::TimmEva02,
        Self::Swin,
        Self::ConvNext,
        Self::ConvNextV2,
        Self::Dinov3ConvNext,
        Self::ResNet,
        Self::EfficientNetLite0,
        Self::Whisper,
        Self::Ast,
        Self::Clap,
        Self::Wav2Vec2,
        Self::Hubert,
        Self::WavLm,
        Self::Data2VecAudio,
        Self::ImageBind,
        Self::VideoMae,
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
        let known = Self::ALL.iter().map(|known| known.name()).collect::<Vec<_>>().join(", ");
        let unknown = || format!("the architecture `{text}` is not known; known are {known}");
        Self::ALL.iter().copied().find(|architecture| architecture.name() == text).ok_or_else(unknown)
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
        for &architecture in Architecture::ALL {
            assert_eq!(architecture.name().parse(), Ok(architecture));
            assert_eq!(
                Architecture::of_model_type(architecture.name()),
                Some((architecture, architecture.modalities()))
            );
        }
    }

    #[test]
    fn configurations_of_two_libraries_name_their_network() {
        let network = |text: &str| {
            let config: Map<String, Value> = serde_json::from_str(text).unwrap();
            let name = NetworkName::of(&config).map_err(|(field, _)| field)?;
            Ok(name.network().map(|(architecture, _)| architecture))
        };
        assert_eq!(network(r#"{"model_type": "vit", "architecture": "x"}"#), Ok(Some(Architecture::Vit)));
        assert_eq!(network(r#"{"architecture": "vit_tiny_patch16_224"}"#), Ok(Some(Architecture::TimmVit)));
        let wrapped = r#"{"model_type": "timm_wrapper", "architecture": "eva02_tiny_patch14_224"}"#;
        assert_eq!(network(wrapped), Ok(Some(Architecture::TimmEva02)));
        assert_eq!(network(r#"{"architecture": "mixer_b16_224"}"#), Ok(None));
        assert_eq!(network(r#"{"architecture": 3}"#), Err("architecture"));
        assert_eq!(network(r#"{"model_type": "timm_wrapper"}"#), Err("architecture"));
        assert_eq!(network("{}"), Err("model_type"));
        assert_eq!(
            MODEL_TYPES.iter().map(|(name, ..)| name).collect::<std::collections::BTreeSet<_>>().len(),
            MODEL_TYPES.len()
        );
    }
}
