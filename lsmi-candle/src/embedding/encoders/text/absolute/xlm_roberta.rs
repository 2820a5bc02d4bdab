//! XLM-RoBERTa (Conneau et al., ACL 2020) and RoBERTa: BERT, whose positions begin after the id of padding.

use super::bert::{Bert, BertTail, Variant};
use crate::embedding::encoders::{Config, Result, Weights};

/// Loads `RoBERTa`, XLM-RoBERTa or `CamemBERT`.
pub(crate) fn load(config: &Config, weights: &Weights) -> Result<Bert> {
    Bert::load(config, weights, &variant(config)?)
}

/// Loads their last `blocks` blocks and what follows.
pub(crate) fn load_tail(config: &Config, weights: &Weights, blocks: usize) -> Result<BertTail> {
    BertTail::load(config, &variant(config)?.body(weights), Some(blocks))
}

fn variant(config: &Config) -> Result<Variant> {
    let padding = config.token(&["pad_token_id"], 1)?;
    Ok(Variant { prefixes: &["", "roberta", "data2vec_text"], padding: Some(padding) })
}
