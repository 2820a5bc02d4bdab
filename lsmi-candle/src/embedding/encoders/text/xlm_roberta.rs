//! XLM-RoBERTa (Conneau et al., ACL 2020) and RoBERTa: BERT, whose positions begin after the id of padding.

use candle_core::{DType, Tensor};

use super::bert::{Bert, Variant};
use crate::embedding::encoders::{Config, Result, Weights};

/// Loads `RoBERTa`, XLM-RoBERTa or `CamemBERT`.
pub(super) fn load(config: &Config, weights: &Weights) -> Result<Bert> {
    let padding = config.token(&["pad_token_id"], 1)?;
    let variant = Variant { prefixes: &["", "roberta", "data2vec_text"], padding: Some(padding), eps: 1e-5 };
    Bert::load(config, weights, &variant)
}

/// Rows of the table of positions: padding has its own, the `n`th other token the `n`th after it.
pub(super) fn positions(ids: &Tensor, padding: u32) -> Result<Tensor> {
    let mut rows = ids.to_dtype(DType::U32)?.to_vec2::<u32>()?;
    for row in &mut rows {
        let mut last = padding;
        for id in row {
            *id = if *id == padding {
                padding
            } else {
                last += 1;
                last
            };
        }
    }
    Ok(Tensor::new(rows, ids.device())?)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn padding_takes_no_position() {
        let ids = Tensor::new(vec![vec![0u32, 7, 2, 1, 1], vec![1, 0, 9, 9, 2]], &Device::Cpu).unwrap();
        let rows = positions(&ids, 1).unwrap().to_vec2::<u32>().unwrap();
        assert_eq!(rows, [[2, 3, 4, 1, 1], [1, 2, 3, 4, 5]]);
    }
}
