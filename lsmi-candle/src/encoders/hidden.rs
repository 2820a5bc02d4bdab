//! What a model gives for a batch, and how one vector is made of it.

use std::fmt;
use std::str::FromStr;

use candle_core::{D, DType, Tensor};

use super::error::{EncoderError, Result};

/// How one vector is made of the hidden states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    /// The first position, the class token.
    Cls,
    /// The mean over the positions that are not padding (and, of pictures, not the class token).
    Mean,
    /// The model's own pooling layer.
    Pooler,
    /// The model's projection into a space shared with another modality.
    Projection,
    /// The last position that is not padding.
    Last,
}

impl Pooling {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Cls, Self::Mean, Self::Pooler, Self::Projection, Self::Last];
}

impl fmt::Display for Pooling {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Cls => "cls",
            Self::Mean => "mean",
            Self::Pooler => "pooler",
            Self::Projection => "projection",
            Self::Last => "last",
        })
    }
}

impl FromStr for Pooling {
    type Err = EncoderError;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|pooling| pooling.to_string() == text);
        found.ok_or_else(|| EncoderError::UnknownPooling { found: text.to_owned() })
    }
}

/// What a model gives for a batch of `B` inputs.
#[derive(Debug, Clone)]
pub struct Hidden {
    /// Last hidden states, `[B, T, d]`.
    pub states: Tensor,
    /// The positions that a mean is over, `[B, T]`, 1 or 0; none where it is over all.
    pub keep: Option<Tensor>,
    /// Output of the model's own pooling layer, `[B, d]`, where it has one.
    pub pooled: Option<Tensor>,
    /// Projection into a shared space, `[B, p]`, where the model has one.
    pub projected: Option<Tensor>,
}

impl Hidden {
    /// One vector for each input, f32 `[B, d]`, or `[B, p]` of a projection.
    ///
    /// # Errors
    /// [`EncoderError::Pooling`] where the model does not offer the pooling.
    pub fn pool(&self, pooling: Pooling) -> Result<Tensor> {
        let absent = || EncoderError::Pooling { pooling, offered: self.offered() };
        let vectors = match pooling {
            Pooling::Cls => self.states.narrow(1, 0, 1)?.squeeze(1)?,
            Pooling::Mean => self.mean()?,
            Pooling::Last => self.last()?,
            Pooling::Pooler => self.pooled.clone().ok_or_else(absent)?,
            Pooling::Projection => self.projected.clone().ok_or_else(absent)?,
        };
        Ok(vectors.to_dtype(DType::F32)?)
    }

    /// The poolings that can be had.
    pub fn offered(&self) -> Vec<Pooling> {
        let has = |pooling: &Pooling| match pooling {
            Pooling::Pooler => self.pooled.is_some(),
            Pooling::Projection => self.projected.is_some(),
            _ => true,
        };
        Pooling::ALL.into_iter().filter(has).collect()
    }

    fn mean(&self) -> Result<Tensor> {
        let states = self.states.to_dtype(DType::F32)?;
        let Some(keep) = &self.keep else { return Ok(states.mean(1)?) };
        let keep = keep.to_dtype(DType::F32)?;
        // As a product [B, 1, T] x [B, T, d]: padding may hold anything finite. An input of padding alone has mean 0.
        let sum = keep.unsqueeze(1)?.matmul(&states)?.squeeze(1)?;
        Ok(sum.broadcast_div(&keep.sum_keepdim(1)?.maximum(1f32)?)?)
    }

    fn last(&self) -> Result<Tensor> {
        let length = self.states.dim(1)?;
        let Some(keep) = &self.keep else { return Ok(self.states.narrow(1, length - 1, 1)?.squeeze(1)?) };
        // The greatest kept position: padding may be on either side.
        let positions: Vec<f32> = (0..length).map(|position| position as f32).collect();
        let positions = Tensor::new(positions, keep.device())?;
        let last = keep.to_dtype(DType::F32)?.broadcast_mul(&positions)?.argmax(D::Minus1)?;
        at_positions(&self.states, &last)
    }
}

/// The states `[B, T, d]` at one position each, `[B]` u32: `[B, d]`.
pub(crate) fn at_positions(states: &Tensor, positions: &Tensor) -> Result<Tensor> {
    let (batch, _, width) = states.dims3()?;
    let index = positions.to_dtype(DType::U32)?.reshape((batch, 1, 1))?.broadcast_as((batch, 1, width))?;
    Ok(states.gather(&index.contiguous()?, 1)?.squeeze(1)?)
}

/// Divides vectors `[..., d]` by their Euclidean norms. One of norm 0 stays as it is.
///
/// # Errors
/// A candle error where the device fails.
pub fn l2_normalise(vectors: &Tensor) -> Result<Tensor> {
    let norms = vectors.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?;
    Ok(vectors.broadcast_div(&norms.maximum(f64::from(f32::MIN_POSITIVE))?)?)
}
