//! Models that add a vector of its position to every token: BERT and what was made of it.

pub(super) mod albert;
pub(super) mod bert;
pub(super) mod distilbert;
pub(super) mod xlm_roberta;
