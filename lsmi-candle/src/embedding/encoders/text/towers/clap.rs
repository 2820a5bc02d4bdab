//! The text tower of CLAP (Wu et al., ICASSP 2023): RoBERTa, and two layers after its pooler.

use candle_core::Tensor;

use crate::embedding::encoders::audio::clap::Projection;
use crate::embedding::encoders::text::absolute::bert::{Bert, Variant};
use crate::embedding::encoders::{Config, Encoder, EncoderError, Hidden, Pooling, Result, TextEncoder, Weights};

/// The other tower, what compares the two, and buffers.
const UNUSED: &[&str] = &["*position_ids", "*token_type_ids", "audio_model.*", "audio_projection.*", "logit_scale*"];

/// The text tower of CLAP.
#[derive(Debug)]
pub(crate) struct ClapText {
    body: Bert,
    projection: Option<Projection>,
}

impl ClapText {
    /// Loads it from the file of the whole model or of the tower, with or without projection.
    pub(crate) fn load(config: &Config, weights: &Weights) -> Result<Self> {
        let whole = config.architecture()? == "clap";
        let text = if whole { config.section("text_config")? } else { config.clone() };
        let text = text.with_defaults(&[
            ("model_type", "clap_text_model".into()),
            ("vocab_size", 50265.into()),
            ("max_position_embeddings", 514.into()),
            ("type_vocab_size", 1.into()),
        ]);
        let padding = text.token(&["pad_token_id"], 1)?;
        let variant = Variant { prefixes: &["text_model", ""], padding: Some(padding) };
        let body = Bert::part(&text, weights, &variant)?;
        let width = body.width(Pooling::Mean)?;
        let model = Self { body, projection: Projection::load(weights, "text_projection", width, [config, &text])? };
        if model.projection.is_some() && model.body.width(Pooling::Pooler).is_err() {
            // The projection is of what the pooler gives: it is found missing.
            weights.get("text_model.pooler.dense.weight", &[width, width])?;
        }
        weights.finish(UNUSED)?;
        Ok(model)
    }
}

impl Encoder for ClapText {
    fn width(&self, pooling: Pooling) -> Result<usize> {
        match (pooling, &self.projection) {
            (Pooling::Projection, Some(projection)) => Ok(projection.outputs()),
            (Pooling::Projection, None) => {
                let offers = |pooling: &Pooling| self.body.width(*pooling).is_ok();
                let offered = Pooling::ALL.into_iter().filter(offers).collect();
                Err(EncoderError::Pooling { pooling, offered })
            }
            _ => self.body.width(pooling),
        }
    }

    fn pooling(&self) -> Pooling {
        // A tower may have been saved without its pooler.
        let offered = [Pooling::Projection, Pooling::Pooler].into_iter().find(|pooling| self.width(*pooling).is_ok());
        offered.unwrap_or(Pooling::Mean)
    }
}

impl TextEncoder for ClapText {
    fn max_tokens(&self) -> usize {
        self.body.max_tokens()
    }

    fn padding_token(&self) -> Option<u32> {
        self.body.padding_token()
    }

    fn encode(&self, ids: &Tensor, mask: &Tensor, types: Option<&Tensor>) -> Result<Hidden> {
        let mut hidden = self.body.encode(ids, mask, types)?;
        if let (Some(projection), Some(pooled)) = (&self.projection, &hidden.pooled) {
            hidden.projected = Some(projection.forward(pooled)?);
        }
        Ok(hidden)
    }
}
