//! Text models: tokens become vectors.
//!
//! | `model_type` | model | pooling |
//! |---|---|---|
//! | `bert` | BERT, MiniLM | mean |
//! | `distilbert` | DistilBERT | mean |
//! | `roberta`, `xlm-roberta` | RoBERTa, XLM-RoBERTa | mean |
//! | `modernbert` | ModernBERT | mean |
//! | `clip`, `clip_text_model` | text tower of CLIP | projection, or pooler where there is none |
//! | `siglip`, `siglip_text_model` | text tower of SigLIP | projection |
//!
//! The pooling is that of sentence encoders built on the architecture; a checkpoint's authors may have chosen another one.

mod bert;
mod clip;
mod distilbert;
mod embeddings;
mod modernbert;
mod siglip;
mod xlm_roberta;

use super::{Config, EncoderError, Pooling, Result, TextEncoder, Weights};

/// The architectures that [`load`] knows.
pub const ARCHITECTURES: &[&str] = &[
    "bert",
    "clip",
    "clip_text_model",
    "distilbert",
    "modernbert",
    "roberta",
    "siglip",
    "siglip_text_model",
    "xlm-roberta",
];

/// Builds the text model of a checkpoint.
///
/// # Errors
/// [`EncoderError`] naming the architecture that is not built in, the field of the configuration that cannot be used, or
/// the tensor that is missing, of another shape, or unknown to the architecture.
pub fn load(config: &Config, weights: &Weights) -> Result<Box<dyn TextEncoder>> {
    Ok(match config.architecture()? {
        "bert" => Box::new(bert::load(config, weights)?),
        "roberta" | "xlm-roberta" => Box::new(xlm_roberta::load(config, weights)?),
        "distilbert" => Box::new(distilbert::load(config, weights)?),
        "modernbert" => Box::new(modernbert::ModernBert::load(config, weights)?),
        "clip" | "clip_text_model" => Box::new(clip::ClipText::load(config, weights)?),
        "siglip" | "siglip_text_model" => Box::new(siglip::SiglipText::load(config, weights)?),
        found => {
            return Err(EncoderError::Architecture {
                file: config.file().to_owned(),
                found: found.to_owned(),
                modality: "texts",
                known: ARCHITECTURES,
            });
        }
    })
}

/// The width of a pooling: `states` of the hidden states, the others where the model has them.
fn width(pooling: Pooling, states: usize, pooled: Option<usize>, projected: Option<usize>) -> Result<usize> {
    let found = match pooling {
        Pooling::Cls | Pooling::Mean | Pooling::Last => Some(states),
        Pooling::Pooler => pooled,
        Pooling::Projection => projected,
    };
    found.ok_or_else(|| {
        let mut offered = vec![Pooling::Cls, Pooling::Mean, Pooling::Last];
        offered.extend(pooled.map(|_| Pooling::Pooler));
        offered.extend(projected.map(|_| Pooling::Projection));
        EncoderError::Pooling { pooling, offered }
    })
}
