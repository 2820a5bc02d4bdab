//! The network that is built in and comes nearest to one that is not, for messages: by a table of families that people
//! meet, else by the names.

use std::fmt;

use super::architecture::{Architecture, MODEL_TYPES, NetworkName, TIMM};
use super::modality::Modality;

/// Families that are not built in, by how their names begin (with `_` for every hyphen), and the nearest that is; of several
/// that fit, the longest.
const FAMILIES: &[(&str, &str)] = &[
    ("align", "clip"),
    ("altclip", "clip"),
    ("bart", "roberta"),
    ("beit", "vit"),
    ("big_bird", "roberta"),
    ("bit", "resnet"),
    ("blip", "clip"),
    ("bloom", "qwen3"),
    ("canine", "bert"),
    ("chinese_clip", "clip"),
    ("convbert", "bert"),
    ("cvt", "vit"),
    ("data2vec_vision", "vit"),
    ("deberta", "deberta-v2"),
    ("deit", "vit"),
    ("dinov3", "dinov3_vit"),
    ("dpr", "bert"),
    ("dpt", "vit"),
    ("encodec", "wav2vec2"),
    ("falcon", "qwen3"),
    ("flava", "clip"),
    ("funnel", "bert"),
    ("gemma", "gemma3_text"),
    ("git", "clip"),
    ("gpt", "qwen3"),
    ("groupvit", "clip"),
    ("ijepa", "vit"),
    ("layoutlm", "bert"),
    ("levit", "vit"),
    ("llama", "mistral"),
    ("longformer", "roberta"),
    ("longt5", "t5"),
    ("luke", "roberta"),
    ("megatron_bert", "bert"),
    ("metaclip", "clip"),
    ("mixtral", "mistral"),
    ("mms", "wav2vec2"),
    ("mobilebert", "bert"),
    ("mobilevit", "vit"),
    ("moonshine", "whisper"),
    ("mra", "bert"),
    ("nystromformer", "bert"),
    ("olmo", "qwen3"),
    ("opt", "qwen3"),
    ("owlv", "clip"),
    ("phi", "mistral"),
    ("pvt", "vit"),
    ("regnet", "resnet"),
    ("rembert", "bert"),
    ("roc_bert", "bert"),
    ("roformer", "bert"),
    ("seamless_m4t", "wav2vec2"),
    ("sew", "wav2vec2"),
    ("squeezebert", "bert"),
    ("swin2sr", "swin"),
    ("swinv2", "swin"),
    ("switch_transformers", "t5"),
    ("timesformer", "videomae"),
    ("vilt", "clip"),
    ("vivit", "videomae"),
    ("vjepa", "videomae"),
    ("xclip", "clip"),
    ("xlm_roberta_xl", "xlm-roberta"),
    ("xlnet", "qwen3"),
];

/// The same of timm: how names begin, and the nearest beginning that is known.
const TIMM_FAMILIES: &[(&str, &str)] = &[
    ("beit", "vit_"),
    ("cait", "deit_"),
    ("coatnet", "convnext_"),
    ("convformer", "convnext_"),
    ("convmixer", "convnext_"),
    ("cs3", "resnet"),
    ("densenet", "resnet"),
    ("efficientnet", "tf_efficientnet_lite0"),
    ("eva_", "eva02_"),
    ("levit", "vit_"),
    ("maxvit", "swin_"),
    ("mixer", "vit_"),
    ("mnasnet", "tf_efficientnet_lite0"),
    ("mobilenet", "tf_efficientnet_lite0"),
    ("mobilevit", "vit_"),
    ("pvt", "vit_"),
    ("regnet", "resnet"),
    ("resnest", "resnet"),
    ("seresne", "resnet"),
    ("swinv2", "swin_"),
    ("tf_efficientnet", "tf_efficientnet_lite0"),
    ("vgg", "resnet"),
    ("xcit", "vit_"),
];

/// A network that is built in, named because one that is not may be a variation of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nearest {
    /// What a configuration would name: a `model_type`, or how a name of timm begins.
    pub name: &'static str,
    /// The field that would name it.
    pub field: &'static str,
    /// The network.
    pub architecture: Architecture,
}

impl Nearest {
    /// Finds the nearest to a name that is not built in; None where nothing comes near.
    pub(super) fn of(name: NetworkName<'_>) -> Option<Self> {
        let plain = plain(name.as_str());
        match name {
            NetworkName::Transformers(_) => {
                let of_family = longest(FAMILIES, &plain);
                let (name, architecture, _) = *by_name(MODEL_TYPES, &plain, of_family, |(name, ..)| *name)?;
                Some(Self { name, field: "model_type", architecture })
            }
            NetworkName::Timm(_) => {
                let plain = plain.split('.').next().unwrap_or_default();
                let (name, architecture) = *by_name(TIMM, plain, longest(TIMM_FAMILIES, plain), |(name, _)| *name)?;
                Some(Self { name, field: "architecture", architecture })
            }
        }
    }

    /// Whether it reads a modality.
    pub(super) fn reads(self, modality: Modality) -> bool {
        let of_type = MODEL_TYPES.iter().find(|(name, ..)| *name == self.name);
        of_type.map_or(self.architecture.modalities(), |(_, _, reads)| reads).contains(&modality)
    }

    /// What the blocks of the network are, as far as others differ in it.
    fn network(self) -> &'static str {
        match self.architecture {
            Architecture::Bert => "post-norm blocks, absolute positions, token types",
            Architecture::DistilBert => "post-norm blocks, absolute positions, no token types",
            Architecture::XlmRoberta => "post-norm blocks, absolute positions that count from the padding token on",
            Architecture::Albert => "one post-norm block that is repeated, narrow embeddings",
            Architecture::MpNet => {
                "post-norm blocks, absolute positions, and one table of relative ones for all blocks"
            }
            Architecture::DebertaV2 => "post-norm blocks, relative positions that queries and keys look at apart",
            Architecture::T5 => "pre-norm blocks with root-mean-square norms, relative positions in buckets",
            Architecture::ModernBert => "pre-norm blocks, rotary positions, gated perceptrons, windows in most blocks",
            Architecture::NomicBert => "post-norm blocks, rotary positions, gated perceptrons",
            Architecture::Gte => {
                "post-norm blocks, rotary positions, gated perceptrons, one layer for queries to values"
            }
            Architecture::Qwen3 => {
                "root-mean-square norms, of queries and keys too, rotary positions, gated perceptrons"
            }
            Architecture::Qwen2 => "root-mean-square norms, rotary positions, gated perceptrons, biases in attention",
            Architecture::Mistral => "root-mean-square norms, rotary positions, gated perceptrons, no biases",
            Architecture::Gemma3 => "four root-mean-square norms in a block, rotary positions, gated perceptrons",
            Architecture::Clip => "two pre-norm towers with absolute positions, and a projection of each",
            Architecture::Siglip | Architecture::Siglip2 => {
                "two pre-norm towers with absolute positions, and attention that pools pictures"
            }
            Architecture::Dinov2 | Architecture::Dinov2WithRegisters => {
                "pre-norm blocks with layer scales, absolute positions"
            }
            Architecture::Dinov3 => "pre-norm blocks with layer scales, rotary positions, registers",
            Architecture::Vit | Architecture::TimmVit => "pre-norm blocks, absolute positions, square patches",
            Architecture::TimmEva02 => "pre-norm blocks, rotary positions, gated perceptrons",
            Architecture::Swin => "pre-norm blocks in shifted windows, a table of relative positions",
            Architecture::ConvNext | Architecture::ConvNextV2 | Architecture::Dinov3ConvNext => {
                "depthwise convolutions of 7 by 7, layer norms, perceptrons"
            }
            Architecture::ResNet => "residual blocks of plain convolutions with batch norms",
            Architecture::EfficientNetLite0 => "inverted residual blocks without squeeze-and-excitation",
            Architecture::Wav2Vec2 | Architecture::Hubert | Architecture::WavLm | Architecture::Data2VecAudio => {
                "convolutions over the waveform, blocks with convolutional positions"
            }
            Architecture::Whisper => "two convolutions over a log-mel spectrogram, pre-norm blocks, absolute positions",
            Architecture::VideoMae => "pre-norm blocks over patches of two frames, sinusoidal positions",
            _ => "the same blocks, norms and positions",
        }
    }
}

/// Half a sentence: what it is, and what would have to be the same.
impl fmt::Display for Nearest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, network) = (self.name, self.network());
        let named = if self.field == "model_type" { "with that model_type" } else { "whose architecture begins so" };
        write!(
            formatter,
            "the nearest is `{name}`. Its network would have to be that ({network}): then a copy of config.json {named} \
             loads it, and tensors that do not fit are refused by name"
        )
    }
}

/// A name as names are compared.
fn plain(name: &str) -> String {
    name.to_lowercase().replace('-', "_")
}

/// The nearest of the longest beginning that fits.
fn longest(families: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    let fitting = families.iter().filter(|(begin, _)| name.starts_with(begin));
    fitting.max_by_key(|(begin, _)| begin.len()).map(|(_, nearest)| *nearest)
}

/// The entry that the family means, else the one that is spelt almost alike, else the longest that the name goes on from.
fn by_name<'entries, T>(
    entries: &'entries [T],
    name: &str,
    of_family: Option<&str>,
    name_of: impl Fn(&T) -> &'static str,
) -> Option<&'entries T> {
    if let Some(family) = of_family {
        return entries.iter().find(|entry| name_of(entry) == family);
    }
    // These are no names of architectures elsewhere.
    let own = |entry: &&T| !name_of(entry).starts_with("timm-") && name_of(entry) != "new";
    let begins = |entry: &&T| {
        let rest = name.strip_prefix(plain(name_of(entry)).trim_end_matches('_'));
        rest.is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_alphabetic()))
    };
    let begun = || entries.iter().filter(own).filter(begins).max_by_key(|entry| name_of(entry).len());
    let distance = |entry: &T| edit_distance(name, plain(name_of(entry)).trim_end_matches('_'));
    let distances = entries.iter().filter(own).map(|entry| (entry, distance(entry)));
    let most = name.chars().count().min(MOST_COMPARED) / 4;
    let alike = distances.filter(|(_, distance)| *distance <= most).min_by_key(|(_, distance)| *distance);
    alike.map(|(entry, _)| entry).or_else(begun)
}

/// Of longer names no more is compared.
const MOST_COMPARED: usize = 256;

/// The number of letters to be put in, left out or replaced to make one text of the other.
pub(in crate::embedding) fn edit_distance(left: &str, right: &str) -> usize {
    let [left, right] = [left, right].map(|text| text.chars().take(MOST_COMPARED).collect::<Vec<_>>());
    let mut costs: Vec<usize> = (0..=right.len()).collect();
    for (row, from) in left.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut costs[0], row + 1);
        for (column, to) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = costs[column + 1];
            costs[column + 1] = replaced.min(diagonal + 1).min(costs[column] + 1);
        }
    }
    costs.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_letters() {
        for (left, right, expected) in
            [("", "", 0), ("bert", "", 4), ("", "bert", 4), ("bort", "bert", 1), ("kitten", "sitting", 3)]
        {
            assert_eq!(edit_distance(left, right), expected, "{left} {right}");
        }
    }

    #[test]
    fn families_lead_to_what_is_built_in_and_are_not_so_themselves() {
        for (family, nearest) in FAMILIES {
            assert!(MODEL_TYPES.iter().any(|(name, ..)| name == nearest), "{family}: {nearest}");
            assert_eq!(*family, plain(family));
            assert_eq!(Nearest::of(NetworkName::Transformers(family)).map(|found| found.name), Some(*nearest));
        }
        for (family, nearest) in TIMM_FAMILIES {
            assert!(TIMM.iter().any(|(name, _)| name == nearest), "{family}: {nearest}");
        }
    }

    #[test]
    fn the_nearest_is_that_of_the_family_or_of_the_name() {
        let nearest = |name| Nearest::of(NetworkName::Transformers(name)).map(|nearest| nearest.name);
        for (name, expected) in [
            ("deberta", "deberta-v2"),
            ("blip-2", "clip"),
            ("beit", "vit"),
            ("swinv2", "swin"),
            ("data2vec-vision", "vit"),
            ("longformer", "roberta"),
            ("gpt_neox", "qwen3"),
            ("llama4", "mistral"),
            ("dinov3_something", "dinov3_vit"),
            ("vit_mae", "vit"),
            ("qwen3_moe", "qwen3"),
            ("wav2vec2-conformer", "wav2vec2"),
            ("bort", "bert"),
            ("Roberta", "roberta"),
            ("dinov2_with_register", "dinov2_with_registers"),
        ] {
            assert_eq!(nearest(name), Some(expected), "{name}");
        }
        for name in ["mamba", "rwkv", "", "new_model", "timm", "x"] {
            assert_eq!(nearest(name), None, "{name}");
        }
        let timm = |name| Nearest::of(NetworkName::Timm(name)).map(|nearest| nearest.name);
        for (name, expected) in [
            ("swinv2_tiny_window8_256.ms_in1k", "swin_"),
            ("beitv2_base_patch16_224", "vit_"),
            ("efficientnet_b0", "tf_efficientnet_lite0"),
            ("regnety_032", "resnet"),
        ] {
            assert_eq!(timm(name), Some(expected), "{name}");
        }
        assert_eq!(timm("nfnet_f0"), None);
    }

    #[test]
    fn the_message_says_what_must_be_the_same() {
        let nearest = Nearest::of(NetworkName::Transformers("mobilebert")).unwrap();
        assert_eq!(
            nearest.to_string(),
            "the nearest is `bert`. Its network would have to be that (post-norm blocks, absolute positions, token types): \
             then a copy of config.json with that model_type loads it, and tensors that do not fit are refused by name"
        );
        assert!(nearest.reads(Modality::Text) && !nearest.reads(Modality::Image));
        for (name, architecture, _) in MODEL_TYPES {
            let message = Nearest { name, field: "model_type", architecture: *architecture }.to_string();
            assert!(message.chars().count() < 300, "{message}");
        }
    }
}
