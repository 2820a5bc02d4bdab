//! Text models: tokens become vectors.
//!
//! | `model_type` | model | pooling |
//! |---|---|---|
//! | `bert`, `electra`, `ernie`, `splinter` | BERT, MiniLM, and models that differ in training | mean |
//! | `distilbert` | DistilBERT | mean |
//! | `roberta`, `xlm-roberta`, `camembert`, `data2vec-text` | RoBERTa, XLM-RoBERTa | mean |
//! | `albert` | ALBERT | mean |
//! | `mpnet` | MPNet | mean |
//! | `deberta-v2` | DeBERTa v2 and v3 | mean |
//! | `t5`, `mt5`, `umt5` | encoders of T5, mT5 and UMT5 | mean |
//! | `modernbert` | ModernBERT | mean |
//! | `nomic_bert` | nomic-bert, with a mixture of experts too | mean |
//! | `gte`, `new` | GTE, Arctic-Embed 2 | class token |
//! | `qwen3`, `qwen2`, `mistral` | Qwen3, Qwen2, Mistral | last token |
//! | `gemma3_text` | Gemma 3, `EmbeddingGemma` | mean |
//! | `clip`, `clip_text_model` | text tower of CLIP | projection, or pooler where there is none |
//! | `siglip`, `siglip_text_model`, `siglip2`, `siglip2_text_model` | text tower of SigLIP | projection |
//! | `clap`, `clap_text_model` | text tower of CLAP | projection, or pooler where there is none |
//! | `imagebind` | text tower of ImageBind | projection |
//!
//! The pooling is that of sentence encoders built on the architecture; a checkpoint's authors may have chosen another one.

mod absolute;
mod angles;
mod decoders;
mod embeddings;
mod relative;
mod rotary;
mod towers;

pub(super) use embeddings::Embeddings;

use absolute::{albert, bert, distilbert, xlm_roberta};
use decoders::{gemma3, qwen};
use relative::{deberta_v2, mpnet, t5};
use rotary::{gte, modernbert, nomic};
use towers::{clap, clip, siglip};

use super::imagebind::ImageBindText;
use super::{Architecture, Config, EncoderError, Modality, Pooling, Result, Tail, TextEncoder, Weights};

/// Builds the text model of a checkpoint.
///
/// # Errors
/// [`EncoderError`] naming the architecture that is not built in, the field of the configuration that cannot be used, or
/// the tensor that is missing, of another shape, or unknown to the architecture.
pub fn load(config: &Config, weights: &Weights) -> Result<Box<dyn TextEncoder>> {
    weights.refuse_open_clip()?;
    Ok(match config.network(Modality::Text)? {
        Architecture::Bert => Box::new(bert::load(config, weights)?),
        Architecture::XlmRoberta => Box::new(xlm_roberta::load(config, weights)?),
        Architecture::DistilBert => Box::new(distilbert::load(config, weights)?),
        Architecture::Albert => Box::new(albert::load(config, weights)?),
        Architecture::MpNet => Box::new(mpnet::load(config, weights)?),
        Architecture::DebertaV2 => Box::new(deberta_v2::load(config, weights)?),
        Architecture::T5 => Box::new(t5::load(config, weights)?),
        Architecture::ModernBert => Box::new(modernbert::ModernBert::load(config, weights)?),
        Architecture::Clap => Box::new(clap::ClapText::load(config, weights)?),
        Architecture::NomicBert => Box::new(nomic::load(config, weights)?),
        Architecture::Gte => Box::new(gte::load(config, weights)?),
        Architecture::Qwen3 => Box::new(qwen::load_qwen3(config, weights)?),
        Architecture::Qwen2 => Box::new(qwen::load_qwen2(config, weights)?),
        Architecture::Mistral => Box::new(qwen::load_mistral(config, weights)?),
        Architecture::Gemma3 => Box::new(gemma3::load(config, weights)?),
        Architecture::Clip => Box::new(clip::ClipText::load(config, weights)?),
        Architecture::Siglip | Architecture::Siglip2 => Box::new(siglip::SiglipText::load(config, weights)?),
        Architecture::ImageBind => Box::new(ImageBindText::load(config, weights)?),
        _ => return Err(config.not_built_in(Modality::Text)),
    })
}

/// The networks whose blocks can be trained.
const TRAINABLE: [Architecture; 4] =
    [Architecture::Bert, Architecture::XlmRoberta, Architecture::DistilBert, Architecture::Clip];

/// Builds the last `blocks` blocks of a text model and what follows them; `weights` may be [trained](Weights::trained).
///
/// # Errors
/// [`EncoderError::NotTrainable`] naming the architectures that have such a tail, [`EncoderError::Blocks`] where there are
/// fewer blocks, and as [`load`].
pub fn load_tail(config: &Config, weights: &Weights, blocks: usize) -> Result<Box<dyn Tail>> {
    Ok(match config.network(Modality::Text)? {
        Architecture::Bert => Box::new(bert::load_tail(config, weights, blocks)?),
        Architecture::XlmRoberta => Box::new(xlm_roberta::load_tail(config, weights, blocks)?),
        Architecture::DistilBert => Box::new(distilbert::load_tail(config, weights, blocks)?),
        Architecture::Clip => Box::new(clip::load_tail(config, weights, blocks)?),
        _ => return Err(config.not_trainable(Modality::Text, &TRAINABLE)),
    })
}

/// The width of a pooling: `states` of the hidden states, the others where the model has them.
fn width(pooling: Pooling, states: usize, pooled: Option<usize>, projected: Option<usize>) -> Result<usize> {
    let of = |pooling: &Pooling| match pooling {
        Pooling::Pooler => pooled,
        Pooling::Projection => projected,
        _ => Some(states),
    };
    of(&pooling).ok_or_else(|| EncoderError::Pooling {
        pooling,
        offered: Pooling::ALL.into_iter().filter(|pooling| of(pooling).is_some()).collect(),
    })
}
