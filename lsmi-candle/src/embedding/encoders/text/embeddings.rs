//! What tokens are before the first block: the sum of vectors of the token, its position and its segment.

use candle_core::{DType, Tensor};

use crate::embedding::encoders::error::{EncoderError, Result};
use crate::embedding::encoders::weights::Weights;

/// Looks up rows of a table `[rows, d]` by indices of any shape: `[..., d]`.
pub(super) fn look_up(table: &Tensor, indices: &Tensor) -> Result<Tensor> {
    let mut dims = indices.dims().to_vec();
    dims.push(table.dim(1)?);
    Ok(table.index_select(&indices.flatten_all()?, 0)?.reshape(dims)?)
}

/// Tables of tokens, positions and, where the model has them, segments.
#[derive(Debug, Clone)]
pub(in crate::embedding::encoders) struct Embeddings {
    tokens: Tensor,
    positions: Tensor,
    segments: Option<Tensor>,
    /// Positions with the vector of segment 0 added, for when no segments are given.
    placed: Tensor,
    /// The row of the first position.
    first: usize,
}

impl Embeddings {
    /// From their tables; the first position is in the row `first`.
    pub(in crate::embedding::encoders) fn new(
        tokens: Tensor,
        positions: Tensor,
        segments: Option<Tensor>,
        first: usize,
    ) -> Result<Self> {
        let placed = match &segments {
            None => positions.clone(),
            Some(segments) => positions.broadcast_add(&segments.narrow(0, 0, 1)?)?,
        };
        Ok(Self { tokens, positions, segments, placed, first })
    }

    /// Loads `word_embeddings`, `position_embeddings` and, where `segments` is not 0, `token_type_embeddings`.
    pub(in crate::embedding::encoders) fn load(
        weights: &Weights,
        width: usize,
        vocabulary: usize,
        positions: usize,
        segments: usize,
        first: usize,
    ) -> Result<Self> {
        let segments = match segments {
            0 => None,
            _ => Some(weights.get("token_type_embeddings.weight", &[segments, width])?),
        };
        Self::new(
            weights.get("word_embeddings.weight", &[vocabulary, width])?,
            weights.get("position_embeddings.weight", &[positions, width])?,
            segments,
            first,
        )
    }

    /// The tables with a vector `[1, d]` added to every token's.
    pub(in crate::embedding::encoders) fn with_everywhere(self, vector: &Tensor) -> Result<Self> {
        let positions = self.positions.broadcast_add(vector)?;
        Self::new(self.tokens, positions, self.segments, self.first)
    }

    /// Most tokens that there are positions for.
    pub(in crate::embedding::encoders) fn max_tokens(&self) -> usize {
        self.positions.dims()[0].saturating_sub(self.first)
    }

    /// Width of the vectors.
    pub(in crate::embedding::encoders) fn width(&self) -> usize {
        self.tokens.dims()[1]
    }

    /// The vectors of tokens `[B, T]` at positions 0, 1, ...
    pub(in crate::embedding::encoders) fn in_order(&self, ids: &Tensor, segments: Option<&Tensor>) -> Result<Tensor> {
        let length = self.check(ids)?;
        let table = if segments.is_some() { &self.positions } else { &self.placed };
        let positions = table.narrow(0, self.first, length)?;
        self.with_segments(look_up(&self.tokens, ids)?.broadcast_add(&positions)?, segments)
    }

    /// The vectors of tokens `[B, T]` at the given rows of the table of positions.
    pub(in crate::embedding::encoders) fn at(
        &self,
        ids: &Tensor,
        rows: &Tensor,
        segments: Option<&Tensor>,
    ) -> Result<Tensor> {
        self.check(ids)?;
        let table = if segments.is_some() { &self.positions } else { &self.placed };
        self.with_segments((look_up(&self.tokens, ids)? + look_up(table, rows)?)?, segments)
    }

    fn with_segments(&self, x: Tensor, segments: Option<&Tensor>) -> Result<Tensor> {
        match (segments, &self.segments) {
            (Some(segments), Some(table)) => Ok((x + look_up(table, segments)?)?),
            _ => Ok(x),
        }
    }

    fn check(&self, ids: &Tensor) -> Result<usize> {
        check_ids(ids, self.tokens.dim(0)?, self.max_tokens())
    }
}

/// The length of texts, where it and the ids are within what the model has tables for.
pub(in crate::embedding::encoders) fn check_ids(ids: &Tensor, vocabulary: usize, longest: usize) -> Result<usize> {
    let (batch, length) = ids.dims2()?;
    if batch == 0 || length == 0 || length > longest {
        return Err(EncoderError::Input {
            what: "the number of tokens of a text",
            expected: format!("1 to {longest}, the positions that the model has"),
            found: length.to_string(),
        });
    }
    // Not left to the look-up: some devices would read past the table.
    let greatest = ids.to_dtype(DType::U32)?.max_all()?.to_scalar::<u32>()?;
    if greatest as usize >= vocabulary {
        return Err(EncoderError::Input {
            what: "the number of a token",
            expected: format!(
                "below {vocabulary}, the size of the model's vocabulary (is the tokenizer that of the model?)"
            ),
            found: greatest.to_string(),
        });
    }
    Ok(length)
}

/// Gives the rows of the table of positions of a model whose positions begin after the id of padding (RoBERTa): padding has
/// its own row, the `n`th other token the `n`th after it.
pub(in crate::embedding::encoders) fn positions_after_padding(ids: &Tensor, padding: u32) -> Result<Tensor> {
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
        let rows = positions_after_padding(&ids, 1).unwrap().to_vec2::<u32>().unwrap();
        assert_eq!(rows, [[2, 3, 4, 1, 1], [1, 2, 3, 4, 5]]);
    }
}
