//! Text models: tokens become vectors.
//!
//! | `model_type` | model | pooling |
//! |---|---|---|
//! | `bert`, `electra`, `ernie`, `splinter` | BERT, MiniLM, and models that differ in training | mean |
//! | `distilbert` | DistilBERT | mean |
//! | `roberta`, `xlm-roberta`, `camembert`, `data2vec-text` | RoBERTa, XLM-RoBERTa | mean |
//! | `modernbert` | ModernBERT | mean |
//! | `clip`, `clip_text_model` | text tower of CLIP | projection, or pooler where there is none |
//! | `siglip`, `siglip_text_model`, `siglip2`, `siglip2_text_model` | text tower of SigLIP | projection |
//!
//! The pooling is that of sentence encoders built on the architecture; a checkpoint's authors may have chosen another one.

mod absolute;
mod embeddings;
mod rotary;
mod towers;

use absolute::{bert, distilbert, xlm_roberta};
use rotary::modernbert;
use towers::{clip, siglip};

use super::{Architecture, Config, EncoderError, Modality, Pooling, Result, TextEncoder, Weights};

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
        Architecture::ModernBert => Box::new(modernbert::ModernBert::load(config, weights)?),
        Architecture::Clip => Box::new(clip::ClipText::load(config, weights)?),
        Architecture::Siglip | Architecture::Siglip2 => Box::new(siglip::SiglipText::load(config, weights)?),
        _ => return Err(config.not_built_in(Modality::Text)),
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
