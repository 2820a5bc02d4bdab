//! XLM-RoBERTa (Conneau et al., ACL 2020) and RoBERTa: BERT, whose positions begin after the id of padding.

use super::bert::{Bert, Variant};
use crate::embedding::encoders::{Config, Result, Weights};

/// Loads `RoBERTa`, XLM-RoBERTa or `CamemBERT`.
pub(crate) fn load(config: &Config, weights: &Weights) -> Result<Bert> {
    let padding = config.token(&["pad_token_id"], 1)?;
    let variant = Variant { prefixes: &["", "roberta", "data2vec_text"], padding: Some(padding) };
    Bert::load(config, weights, &variant)
}
