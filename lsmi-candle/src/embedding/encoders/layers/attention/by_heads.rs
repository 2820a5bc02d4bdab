//! Attention with something of its own added to the scores of each head, as relative positions are.

use candle_core::{D, DType, Tensor};

use crate::embedding::encoders::error::Result;
use crate::embedding::encoders::layers::passes;

/// `softmax(Q K' + bias) V` of scaled queries, all `[B, heads, T, width of a head]`. `bias` gives the f32 summand of a head,
/// `[B or 1, T, T]`; the heads are computed one after the other, so that only one summand is there at a time.
///
/// # Errors
/// A candle error where shapes do not fit.
pub(crate) fn attention_by_heads(
    queries: &Tensor,
    keys: &Tensor,
    values: &Tensor,
    bias: impl Fn(usize) -> Result<Tensor>,
) -> Result<Tensor> {
    let of_head = |head: usize| -> Result<Tensor> {
        let [queries, keys, values] =
            [queries, keys, values].map(|all| all.narrow(1, head, 1)?.squeeze(1)?.contiguous());
        let values = values?;
        let scores = queries?.matmul(&keys?.transpose(D::Minus2, D::Minus1)?)?.to_dtype(DType::F32)?;
        let scores = scores.broadcast_add(&bias(head)?)?;
        Ok(passes::shares(scores)?.to_dtype(values.dtype())?.matmul(&values)?)
    };
    let heads = (0..queries.dim(1)?).map(of_head).collect::<Result<Vec<_>>>()?;
    Ok(Tensor::stack(&heads, 1)?)
}
